"""The machines that networks can be computed on by ssh: add, change, remove, and try to connect."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.run.hosts import COMMAND, Host
from studio.devices import Devices
from studio.handshake import Handshake
from studio.made import made

HELP = (
    "Myelin must be installed there too, and ssh must let you in without a password.\n"
    "What a training leaves there is brought home when it ends."
)


class Hosts(QDialog):
    """A list of machines and the one chosen in it; every change counts at once."""

    def __init__(self, devices: Devices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.devices = devices
        self.attempt: Handshake | None = None
        self.setObjectName("hosts")
        self.setWindowTitle("Other machines")
        self.list = made(QListWidget(), toolTip="Machines that are known", accessibleName="Machines")
        self.name = made(
            QLineEdit(), toolTip="What the machine is called here", placeholderText="Lab machine"
        )
        self.address = made(
            QLineEdit(),
            toolTip="As for ssh: host, user@host, or a name of ~/.ssh/config",
            placeholderText="user@host",
        )
        self.command = made(
            QLineEdit(),
            toolTip="What starts a worker there; the path of a Python with Myelin will do",
            placeholderText=COMMAND,
        )
        self.verdict = made(QLabel(), wordWrap=True, minimumHeight=44)
        self.verdict.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.add, self.remove, self.test = (
            QPushButton("&Add"), QPushButton("&Remove"), QPushButton("&Test connection"),
        )  # fmt: skip
        for button in (self.add, self.remove, self.test):
            button.setAutoDefault(False)
        self._lay_out()
        self.list.currentRowChanged.connect(self._on_row)
        for field in (self.name, self.address, self.command):
            field.editingFinished.connect(self._on_edited)
        self.add.clicked.connect(self._on_add)
        self.remove.clicked.connect(self._on_remove)
        self.test.clicked.connect(self._on_test)
        self._fill(0)

    def done(self, result: int) -> None:
        """Close, and leave no attempt behind."""
        if self.address.text():
            self._on_edited()
        self.devices.set_hosts([host for host in self.devices.hosts if host.problem() is None])
        self._give_up()
        super().done(result)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.addRow("&Name", self.name)
        form.addRow("&Host", self.address)
        form.addRow("&Command", self.command)
        form.addRow("", self.test)
        form.addRow(self.verdict)
        buttons = QHBoxLayout()
        buttons.addWidget(self.add)
        buttons.addWidget(self.remove)
        left = QVBoxLayout()
        left.addWidget(self.list, 1)
        left.addLayout(buttons)
        both = QHBoxLayout()
        both.setSpacing(18)
        both.addLayout(left, 2)
        both.addLayout(form, 3)
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 14)
        column.setSpacing(14)
        column.addLayout(both, 1)
        column.addWidget(QLabel(HELP, wordWrap=True))
        column.addWidget(close)
        self.setMinimumSize(620, 360)

    def _fill(self, row: int) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        self.list.addItems([host.name or host.address or "New machine" for host in self.devices.hosts])
        self.list.setCurrentRow(min(row, self.list.count() - 1))
        self.list.blockSignals(False)
        self._on_row(self.list.currentRow())

    def _on_row(self, row: int) -> None:
        there = 0 <= row < len(self.devices.hosts)
        host = self.devices.hosts[row] if there else Host("", "")
        for field, text in (
            (self.name, host.name),
            (self.address, host.address),
            (self.command, host.command),
        ):
            field.setText(text if there else "")
            field.setEnabled(there)
        self.remove.setEnabled(there)
        self.test.setEnabled(there)
        self.verdict.setText("" if there else "Add a machine to compute there.")

    def _on_edited(self) -> None:
        row = self.list.currentRow()
        if not 0 <= row < len(self.devices.hosts):
            return
        command = self.command.text().strip() or COMMAND
        host = Host(self.name.text().strip(), self.address.text().strip(), command)
        self.devices.set_hosts([*self.devices.hosts[:row], host, *self.devices.hosts[row + 1 :]])
        self.list.item(row).setText(host.name or host.address or "New machine")
        self.verdict.setText(host.problem() or "")

    def _on_add(self) -> None:
        self.devices.set_hosts([*self.devices.hosts, Host("", "")])
        self._fill(len(self.devices.hosts) - 1)
        self.name.setFocus()

    def _on_remove(self) -> None:
        row = self.list.currentRow()
        self.devices.set_hosts([*self.devices.hosts[:row], *self.devices.hosts[row + 1 :]])
        self._fill(row)

    def _on_test(self) -> None:
        self._on_edited()
        self._give_up()
        host = self.devices.hosts[self.list.currentRow()]
        self.attempt = Handshake(host, self)
        self.attempt.met.connect(lambda found: self._on_met(host, found))
        self.attempt.failed.connect(self._say)
        self._say(f"Connecting to {host.address}\N{HORIZONTAL ELLIPSIS}")
        self.test.setEnabled(False)
        self.attempt.start()

    def _on_met(self, host: Host, found: list[dict[str, object]]) -> None:
        self.devices.learn(host, found)
        names = ", ".join(str(one["name"]) for one in found)
        self._say(f"Connected: {names}.")

    def _say(self, sentence: str) -> None:
        self.verdict.setText(sentence[:1].upper() + sentence[1:])
        self.test.setEnabled(True)

    def _give_up(self) -> None:
        if self.attempt:
            self.attempt.stop()
            self.attempt = None
