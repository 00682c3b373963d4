"""What can be plotted, as a menu and as suggestions."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QMenu

from engine.document import Document
from nodes import registry
from studio.plots.views import add_plot, name_of, offers
from studio.session import Session
from studio.theme import theme

SUGGESTED = 3
WORTH = ("raster", "trace")


def fill(menu: QMenu, session: Session) -> None:
    """First what fits the selected nodes; then a submenu for every node that can be plotted."""
    menu.clear()
    document = session.document
    for node in session.selected_nodes[:4]:
        _offer(menu, session, node, name_of(document, node) + ": ")
    menu.addSeparator()
    for node in sorted(document.nodes, key=lambda key: name_of(document, key).lower()):
        if _plain(document, node) and offers(document, node):
            _offer(menu.addMenu(name_of(document, node)), session, node, "")
    if menu.isEmpty():
        menu.addAction("Nothing to plot yet: draw a population first").setEnabled(False)


def plot_menu(menu: QMenu, session: Session, node: str, pinned: bool) -> None:
    """The plots of one node, for a context menu."""
    _offer(menu, session, node, "", pinned)


def suggestions(document: Document) -> list[tuple[str, str, str, str]]:
    """A few plots worth having: text, plot, node and port of each; rasters of the last populations first."""
    nodes = [node for node in document.nodes if _role(document, node) == "population"]
    place = {node: document.layout.get(node, {}).get("at", [0, 0])[0] for node in nodes}
    found: list[tuple[str, str, str, str]] = []
    for node in sorted(nodes, key=lambda key: -place[key]):
        if len(found) == SUGGESTED:
            break
        offered = [(plot, at, port) for plot, at, port in offers(document, node) if plot.id in WORTH]
        for plot, at, port in offered[:1]:
            found.append((f"{plot.title} of {name_of(document, at)}", plot.id, at, port))
    return found


def _offer(menu: QMenu, session: Session, node: str, before: str, pinned: bool = False) -> None:
    for plot, at, port in offers(session.document, node):
        text = f"{before}{plot.title} of {port}"
        menu.addAction(theme.icon(plot.icon), text, partial(add_plot, session, plot.id, at, port, pinned))


def _role(document: Document, node: str) -> str:
    spec = registry.get(document.nodes[node].type)
    return spec.role if spec else ""


def _plain(document: Document, node: str) -> bool:
    """Whether the node is plotted for itself, not for what it is wired to."""
    return _role(document, node) not in ("probe", "delays")
