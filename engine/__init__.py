"""From a drawn graph to numbers: documents, compiler, backend, runs, exports.  Importing it loads nothing."""
