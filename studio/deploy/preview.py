"""The text that an export writes, to read before it is saved."""

from __future__ import annotations

import re

from PySide6.QtGui import QFontDatabase, QGuiApplication, QSyntaxHighlighter, QTextCharFormat, QTextDocument
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.made import made
from studio.theme import theme

KEYWORDS = {
    "python": "and as assert break class continue def elif else for from if import in is lambda not None "
    "or pass raise return self super True False try while with yield",
    "c": "break case char const continue double else enum extern float for if int long return short signed "
    "sizeof static struct switch typedef unsigned void while uint8_t int8_t int16_t int32_t int64_t "
    "uint16_t uint32_t bool",
    "verilog": "always assign begin case default else end endcase endfunction endmodule for function "
    "generate if initial input integer localparam module negedge output parameter posedge reg signed wire",
}
COMMENTS = {"python": r"#.*$", "c": r"//.*$|/\*.*?\*/", "verilog": r"//.*$", "xml": r"<!--.*?-->"}
EMPTY = "Nothing to read yet: the preview is made when this page is opened."


class Preview(QWidget):
    """One file at a time, in fixed width, with a button that copies it."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[dict[str, str]] = []
        self.which = made(QComboBox(), toolTip="Which of the files to read", accessibleName="File")
        self.copy = made(QToolButton(), toolTip="Copy this file", accessibleName="Copy this file")
        self.copy.setIcon(theme.icon("copy"))
        self.size_ = QLabel()
        self.text = QPlainTextEdit(readOnly=True, lineWrapMode=QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setPlaceholderText(EMPTY)
        self.text.setAccessibleName("Preview")
        self.colours = Colours(self.text.document())
        row = QHBoxLayout()
        row.addWidget(self.which)
        row.addWidget(self.size_)
        row.addStretch(1)
        row.addWidget(self.copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 0)
        column.addLayout(row)
        column.addWidget(self.text, 1)
        self.which.currentIndexChanged.connect(self._on_which)
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text.toPlainText()))
        self.show_files([])

    def show_files(self, files: list[dict[str, str]]) -> None:
        """``name``, ``text`` and ``language`` of each."""
        self.files = files
        self.which.blockSignals(True)
        self.which.clear()
        self.which.addItems([file["name"] for file in files])
        self.which.blockSignals(False)
        for widget in (self.which, self.copy, self.size_):
            widget.setVisible(bool(files))
        self._on_which(0)

    def _on_which(self, index: int) -> None:
        file = self.files[index] if 0 <= index < len(self.files) else {"text": "", "language": "text"}
        self.colours.use(file["language"])
        self.text.setPlainText(file["text"])
        lines = file["text"].count("\n")
        self.size_.setText(f"{lines:,} lines")


class Colours(QSyntaxHighlighter):
    """Keywords, texts, numbers and comments in colours of the theme."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self.rules: list[tuple[re.Pattern[str], QTextCharFormat]] = []

    def use(self, language: str) -> None:
        """Rules of a language; none for plain text."""
        words = KEYWORDS.get(language, "").split()
        patterns = [(r"\b\d[\w.]*\b", "plot.1"), (r'"[^"]*"|\'[^\']*\'', "good")]
        patterns += [(rf"\b(?:{'|'.join(words)})\b", "plot.5")] if words else []
        patterns += [(COMMENTS[language], "muted")] if language in COMMENTS else []
        wanted = patterns if language != "text" else []
        self.rules = [(re.compile(pattern), _format(role)) for pattern, role in wanted]

    def highlightBlock(self, text: str) -> None:
        """Colour one line; later rules win."""
        for pattern, shape in self.rules:
            for found in pattern.finditer(text):
                self.setFormat(found.start(), found.end() - found.start(), shape)


def _format(role: str) -> QTextCharFormat:
    shape = QTextCharFormat()
    shape.setForeground(theme.colour(role))
    return shape
