"""What drawing does to a document: pure functions from the document to the operations of one edit.

Nothing here knows Qt.  What is not possible raises an EditError whose sentence is shown to the user.
"""
