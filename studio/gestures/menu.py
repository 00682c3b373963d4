"""The menu of what lies under the pointer: of a node, a group, a wire, a port, or the canvas."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from engine.document import End
from studio import actions
from studio.canvas.face import PortRef
from studio.canvas.wire import WireItem
from studio.edits import grouping, wiring
from studio.edits.draft import group_of
from studio.gestures import Gesture, Pointer, gesture
from studio.gestures.reroute import place_of
from studio.plots.views import add_plot, name_of, offers
from studio.theme import theme

EDIT = ("edit.cut", "edit.copy", "edit.duplicate", "edit.delete")
ON_CANVAS = ("edit.add", "edit.paste", "arrange.comment", "edit.select_all", "view.fit_all", "view.layout")
ON_NOTE = ("edit.copy", "edit.duplicate", "edit.delete")


@gesture(order=30)
class Menu(Gesture):
    """Right click: what can be done here; it is selected first, unless it is already."""

    def menu(self, pointer: Pointer, menu: QMenu) -> None:
        """Fill the menu."""
        key = self.scene.item_at(pointer.scene)
        document = self.session.document
        if key is not None and key not in self.session.selection:
            self.session.select([key])
        menu.setToolTipsVisible(True)
        if key is None:
            self._add(menu, ON_CANVAS)
        elif key in document.wires:
            self._on_wire(key, pointer, menu)
        elif key in document.groups:
            self._add(menu, self._of_menu("Arrange/Group"))
            self._add(menu, EDIT)
        elif key in document.nodes:
            self._on_node(key, pointer, menu)
        else:
            self._add(menu, ON_NOTE)

    def _on_wire(self, wire: str, pointer: Pointer, menu: QMenu) -> None:
        item, at = self.scene.items_by_id[wire], (pointer.scene.x(), pointer.scene.y())
        index = place_of(item, pointer.scene) if isinstance(item, WireItem) else 0
        point = menu.addAction(theme.icon("add"), "Add a reroute point here")
        point.setToolTip("Lead the wire over this place; drag the point to move it")
        point.triggered.connect(
            lambda: self.session.edit("Add point", wiring.add_point(self.session.document, wire, at, index))
        )
        self._add(menu, self._of_menu("Node/Wire"))

    def _on_node(self, node: str, pointer: Pointer, menu: QMenu) -> None:
        port = self.scene.port_at(pointer.scene)
        if port is not None:
            self._on_port(port, menu)
        self._plots(node, menu)
        self._add(menu, self._of_menu("Node"))
        self._add(menu, ("group.make", "arrange.frame"))
        self._add(menu, EDIT)

    def _on_port(self, port: PortRef, menu: QMenu) -> None:
        """Let the group around a node show one of its ports, or hide it again."""
        document = self.session.document
        group = group_of(document, port.node)
        if group is None:
            return
        shown = document.groups[group]["ports"].get(port.side, {})
        name = next((name for name, end in shown.items() if tuple(end) == (port.node, port.port)), None)
        called = document.groups[group]["name"]
        words = f"Show {port.port} on '{called}'" if name is None else f"Hide {port.port} from '{called}'"
        entry = menu.addAction(words)
        entry.setToolTip("A port that a group shows can be joined from outside")
        entry.triggered.connect(lambda: self._expose(group, port, name))

    def _expose(self, group: str, port: PortRef, name: str | None) -> None:
        def change() -> None:
            document, end = self.session.document, End(port.node, port.port)
            if name is None:
                self.session.edit("Show port", grouping.expose(document, group, port.side, end))
            else:
                self.session.edit("Hide port", grouping.unexpose(document, group, port.side, name))

        self.session.attempt(change)

    def _plots(self, node: str, menu: QMenu) -> None:
        found = offers(self.session.document, node)
        if not found:
            return
        inner = menu.addMenu(theme.icon("trace"), "&Plot")
        inner.setToolTipsVisible(True)
        for plot, at, port in found:
            entry = inner.addAction(theme.icon(plot.icon), f"{plot.title}: {port}")
            entry.setToolTip(
                f"Show {port} of '{name_of(self.session.document, at)}' beside it, while it runs"
            )
            entry.triggered.connect(
                lambda _=False, plot=plot, at=at, port=port: add_plot(self.session, plot.id, at, port, True)
            )
        menu.addSeparator()

    def _of_menu(self, name: str) -> tuple[str, ...]:
        return tuple(id for id, declared in actions.table().items() if declared.menu == name)

    def _add(self, menu: QMenu, ids: tuple[str, ...]) -> None:
        """Add actions of the window, after a line if something stands above; a bare canvas has none."""
        menus = getattr(self.view.window(), "menus", None)
        known: dict[str, QAction] = getattr(menus, "actions", {})
        found = [known[id] for id in ids if id in known]
        if found and not menu.isEmpty():
            menu.addSeparator()
        menu.addActions(found)
