"""Where networks are computed: this machine's processor and graphics cards, and other machines by ssh."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QComboBox, QWidget

from engine.run.hosts import Host
from engine.run.protocol import Message
from studio.runner import BUSY
from studio.session import Session
from studio.settings import Settings
from studio.theme import theme
from studio.workspace import Workspace

HERE = "This computer"
CPU: list[dict[str, Any]] = [{"id": "cpu", "name": "CPU", "memory": None}]
GIB = 2**30


@dataclass(frozen=True)
class Place:
    """A device of a machine; ``host`` None is this one."""

    host: Host | None
    device: str
    name: str
    memory: int | None = None

    @property
    def title(self) -> str:
        """As the picker shows it."""
        machine = self.host.name or self.host.address if self.host else HERE
        return f"{machine}: {'CPU' if self.device == 'cpu' else self.name}"

    @property
    def help(self) -> str:
        """All that is known of it."""
        memory = f", {self.memory / GIB:.0f} GiB" if self.memory else ""
        way = f" by ssh to {self.host.address}" if self.host else ""
        return f"{self.name}{memory}{way}"


class Devices(QObject):
    """The places there are, the one in use, and the hosts that settings remember."""

    changed = Signal()

    def __init__(self, workspace: Workspace, settings: Settings) -> None:
        super().__init__(workspace)
        self.workspace, self.settings = workspace, settings
        self.hosts = _remembered(settings)
        self._found: dict[Host | None, list[dict[str, Any]]] = {}
        self._chosen = (settings.text("place/host"), settings.text("place/device", "cpu"))
        workspace.session_opened.connect(self._on_opened)

    @property
    def places(self) -> list[Place]:
        """This machine's devices first, then those of every host."""
        return [
            Place(host, found["id"], found["name"], found["memory"])
            for host in (None, *self.hosts)
            for found in self._found.get(host, CPU)
        ]

    @property
    def place(self) -> Place:
        """Where the next run is computed; this processor where what was chosen is no more."""
        address, device = self._chosen
        fitting = (p for p in self.places if (p.host.address if p.host else "") == address)
        found = sorted(fitting, key=lambda place: place.device != device)
        return found[0] if found else self.places[0]

    @property
    def busy(self) -> bool:
        """Whether a run keeps the network in front where it is."""
        session = self.workspace.current
        return session is not None and session.runner.state in BUSY

    def choose(self, place: Place) -> None:
        """Compute there from the next run on, every open document."""
        self._chosen = (place.host.address if place.host else "", place.device)
        self.settings.put("place/host", self._chosen[0])
        self.settings.put("place/device", place.device)
        for session in self.workspace.sessions:
            if session.runner.state not in BUSY:
                session.runner.use(place.host, place.device)
        self.changed.emit()

    def set_hosts(self, hosts: list[Host]) -> None:
        """Remember these machines."""
        self.hosts = hosts
        self.settings.put("hosts", [json.dumps(astuple(host)) for host in hosts])
        self.choose(self.place)

    def learn(self, host: Host | None, found: list[dict[str, Any]]) -> None:
        """What a machine says it computes on."""
        self._found[host] = found or CPU
        self.changed.emit()

    def _on_answer(self, host: Host | None, message: Message) -> None:
        """Stop answers for everything that waits: then it is asked again."""
        if "devices" in message:
            self.learn(host, message["devices"])

    def _on_opened(self, session: Session) -> None:
        place = self.place
        session.runner.use(place.host, place.device)
        session.runner.state_changed.connect(lambda state: self._on_state(session, state))

    def _on_state(self, session: Session, state: str) -> None:
        runner = session.runner
        if state == "ready":
            place = self.place
            if (runner.host, runner.device) != (place.host, place.device):
                runner.use(place.host, place.device)
            elif runner.host not in self._found:
                runner.ask("devices", lambda message: self._on_answer(runner.host, message))
        self.changed.emit()


class Picker(QComboBox):
    """The place in use, as a list to choose from; still while a run goes on."""

    def __init__(self, devices: Devices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.devices = devices
        self.setAccessibleName("Where to compute")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.activated.connect(self._on_activated)
        devices.changed.connect(self.refresh)
        devices.workspace.current_changed.connect(self.refresh)
        theme.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what there is now."""
        places, place = self.devices.places, self.devices.place
        self.clear()
        for one in places:
            self.addItem(theme.icon("device"), one.title)
            self.setItemData(self.count() - 1, one.help, 3)  # Qt.ItemDataRole.ToolTipRole
        self.setCurrentIndex(places.index(place))
        self.setEnabled(not self.devices.busy)
        how = "stop the run to compute elsewhere" if self.devices.busy else "where networks are computed"
        self.setToolTip(f"{place.help}: {how}")

    def _on_activated(self, index: int) -> None:
        self.devices.choose(self.devices.places[index])


def _remembered(settings: Settings) -> list[Host]:
    """The hosts of the settings; what is damaged there is left out."""
    found = []
    for text in settings.texts("hosts"):
        try:
            parts = json.loads(text)
        except ValueError:
            continue
        if isinstance(parts, list) and len(parts) == 3 and all(isinstance(part, str) for part in parts):
            found.append(Host(*parts))
    return [host for host in found if host.problem() is None]
