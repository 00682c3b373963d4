"""Export: every target with its badge, what it changes, what it writes, and the proof that it is the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from engine.program import Program
from studio.deploy.badges import VERDICTS, Badge, badge_of
from studio.deploy.changes import Changes, Line, from_check
from studio.deploy.job import Job
from studio.deploy.judge import Judge, Judged
from studio.deploy.listing import Listing
from studio.deploy.options import LABEL, Options
from studio.deploy.preview import Preview
from studio.deploy.report import ReportPage
from studio.deploy.weights import Weights
from studio.made import made
from studio.session import Session
from studio.theme import theme


class Deploy(QDialog):
    """About one document; what was found for a target stays until its options or the weights change."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("deploy")
        self.setWindowTitle(f"Export {session.title}")
        self.session = session
        self.judge, self.job = Judge(self), Job(session, self)
        self.judged: dict[str, Judged] = {}
        self.answers: dict[str, dict[str, Any]] = {}
        """The newest answer of a job by target."""
        self._running = ""
        self.listing, self.options, self.weights = Listing(), Options(), Weights(session)
        self.changes, self.preview, self.report = Changes(), Preview(), ReportPage()
        self.tabs = QTabWidget()
        self._make_words()
        self._make_buttons()
        self._lay_out()
        self._connect()
        self._ask("")

    @property
    def target(self) -> str:
        """The id of the target in front."""
        return self._target

    def done(self, result: int) -> None:
        """Close, and leave no process behind."""
        self.job.close()
        self.judge.close()
        super().done(result)

    # --- how it looks

    def _make_words(self) -> None:
        self._target = ""
        self.title = made(QLabel(), objectName="heading")
        self.about = QLabel(wordWrap=True)
        self.status = QLabel(wordWrap=True)
        self.sign = QLabel()
        self.bar = made(QProgressBar(), maximum=0, textVisible=False)
        self.bar.setFixedHeight(6)
        self.bar.hide()

    def _make_buttons(self) -> None:
        self.verify = made(QPushButton("&Verify"), toolTip="Run the export in its own software and compare")
        self.stop = made(QPushButton("&Stop"), toolTip="Give up what goes on")
        self.export = made(QPushButton("&Export\N{HORIZONTAL ELLIPSIS}"), toolTip="Write it to a file")
        self.close_ = made(QPushButton("&Close"), autoDefault=False)
        self.verify.setIcon(theme.icon("check"))
        self.export.setIcon(theme.icon("export"))
        for button in (self.verify, self.stop, self.export):
            button.setAutoDefault(False)
        self.stop.hide()

    def _lay_out(self) -> None:
        for page, title in (
            (self.changes, "What changes"),
            (self.preview, "Preview"),
            (self.report, "Report"),
        ):
            self.tabs.addTab(page, title)
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        label = QLabel("&Weights")
        label.setBuddy(self.weights)
        label.setMinimumWidth(LABEL)
        form.addRow(label, self.weights)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(16, 0, 0, 0)
        column.setSpacing(10)
        for part in (self.title, self.about):
            column.addWidget(part)
        column.addLayout(form)
        column.addWidget(self.options)
        column.addWidget(self.tabs, 1)
        both = QSplitter(Qt.Orientation.Horizontal)
        both.addWidget(self.listing)
        both.addWidget(right)
        both.setStretchFactor(1, 1)
        both.setSizes([310, 740])
        row = QHBoxLayout()
        row.addWidget(self.sign, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.status, 1)
        for button in (self.stop, self.verify, self.export, self.close_):
            row.addWidget(button)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(18, 16, 18, 14)
        whole.setSpacing(10)
        whole.addWidget(both, 1)
        whole.addWidget(self.bar)
        whole.addLayout(row)
        self.setMinimumSize(760, 520)
        self.resize(1120, 760)

    def _connect(self) -> None:
        self.listing.chosen.connect(self._on_chosen)
        self.judge.judged.connect(self._on_judged)
        self.judge.failed.connect(self._say)
        self.options.changed.connect(self._on_options)
        self.options.refused.connect(self._say)
        self.weights.currentIndexChanged.connect(self._on_weights)
        self.tabs.currentChanged.connect(self._on_tab)
        self.changes.shown.connect(self._on_nodes)
        self.verify.clicked.connect(lambda: self._start(verify=True))
        self.export.clicked.connect(self._on_export)
        self.stop.clicked.connect(self.job.stop)
        self.close_.clicked.connect(self.reject)
        self.job.progressed.connect(self._on_progress)
        self.job.done.connect(self._on_done)
        self.job.failed.connect(self._on_failed)
        self.job.stopped.connect(self._on_stopped)

    # --- what is known

    def _ask(self, only: str) -> None:
        program = self.session.problems.program
        if isinstance(program, Program):
            self.judge.ask(program, self.options.chosen, only)
        else:
            self._say("The drawing has errors: mend them first (they are listed under Problems)")
        self._refresh()

    def _on_judged(self, found: dict[str, Judged]) -> None:
        first = not self.judged
        self.judged |= found
        if first:
            self.listing.fill(self.judged)
        for id, one in found.items():
            self.listing.mark(id, _badge(one, self.answers.get(id)))
        self._show()

    def _on_chosen(self, id: str) -> None:
        self._target = id
        self.options.show_target(self.judged[id].target)
        self._show()
        self._on_tab()

    def _on_options(self) -> None:
        self.answers.pop(self._target, None)
        self._ask(self._target)
        self._on_tab()

    def _on_weights(self) -> None:
        self.answers.clear()
        for id, one in self.judged.items():
            self.listing.mark(id, _badge(one, None))
        self._show()
        self._on_tab()

    def _show(self) -> None:
        """All that is known of the target in front."""
        if not self._target:
            return
        one = self.judged[self._target]
        answer = self.answers.get(self._target, {})
        self.title.setText(one.target.label)
        self.about.setText(_first_paragraph(one.target.__doc__ or ""))
        converted = [
            Line("info" if c["exact"] else "warning", c["message"], tuple(c["nodes"]))
            for c in answer.get("conversions", ())
        ]
        self.changes.show_lines([*from_check(one.diagnostics), *converted])
        self.preview.show_files(answer.get("preview", []))
        self.report.show_report(answer.get("report") or {}, answer.get("signals") or {})
        self._refresh()

    def _refresh(self) -> None:
        one = self.judged.get(self._target)
        possible = one is not None and one.verdict != "impossible"
        self.verify.setEnabled(possible and not self.job.busy)
        self.export.setEnabled(possible and not self.job.busy)
        self.stop.setVisible(self.job.busy)
        self.bar.setVisible(self.job.busy)

    def _say(self, sentence: str, severity: str = "") -> None:
        self.status.setText(sentence)
        self.sign.setVisible(bool(severity))
        if severity:
            self.sign.setPixmap(theme.icon(severity, severity).pixmap(18, 18))

    # --- what one does

    def _on_tab(self) -> None:
        """The preview is made when somebody looks at it."""
        one = self.judged.get(self._target)
        wanted = self.tabs.currentWidget() is self.preview and self._target not in self.answers
        if wanted and one is not None and one.verdict != "impossible":
            self._start(verify=False)

    def _start(self, *, verify: bool, path: Path | None = None) -> None:
        if self.job.busy or not self._target:
            return
        self._running = self._target
        if verify:
            self.tabs.setCurrentWidget(self.report)
        options = self.options.of(self._target)
        self.job.start(self._target, options, self.weights.path, path=path, verify=verify)
        self._refresh()

    def _on_export(self) -> None:
        one = self.judged[self._target]
        suffix = one.target.file
        name = self.session.title.replace(" ", "-").lower() + (suffix or f"-{self._target}")
        start = str((self.session.path.parent if self.session.path else Path.home()) / name)
        kinds = f"{one.target.label} (*{suffix})" if suffix else ""
        given, _ = QFileDialog.getSaveFileName(self, f"Export to {one.target.label}", start, kinds)
        if given:
            self._start(verify=False, path=Path(given))

    def _on_progress(self, what: str, done: int, total: int) -> None:
        self.bar.setMaximum(total)
        self.bar.setValue(done)
        self._say(f"{what[:1].upper()}{what[1:]}\N{HORIZONTAL ELLIPSIS}")

    def _on_done(self, answer: dict[str, Any]) -> None:
        before = self.answers.get(self._running, {})
        kept = {name: before[name] for name in ("report", "signals") if before.get(name)}
        fresh = answer if answer.get("report") else {**answer, **kept}
        self.answers[self._running] = fresh
        self.listing.mark(self._running, _badge(self.judged[self._running], fresh))
        path = answer.get("path")
        self._say(f"Written to {path}" if path else "")
        if path:
            self.session.noticed.emit(f"Exported to {path}")
        self._show()

    def _on_failed(self, sentence: str) -> None:
        self._say(sentence[:1].upper() + sentence[1:], "error")
        self._refresh()

    def _on_stopped(self) -> None:
        self._say("Stopped; nothing was written")
        self._refresh()

    def _on_nodes(self, nodes: tuple[str, ...]) -> None:
        known = [id.partition("~")[0] for id in nodes]
        there = [id for id in known if id in self.session.document.nodes]
        if there:
            self.session.select(there)
            self.session.reveal(there[0])


def _first_paragraph(doc: str) -> str:
    """As a person reads it: without the marks of code."""
    return " ".join(doc.strip().split("\n\n")[0].split()).replace("``", "")


def _badge(one: Judged, answer: dict[str, Any] | None) -> Badge:
    report = (answer or {}).get("report")
    return badge_of(report) if report else VERDICTS[one.verdict]
