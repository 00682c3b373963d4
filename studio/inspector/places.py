"""Where the rows of a page read and write: parameters of nodes, recipes, settings of the document, groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from engine.document.ops import set_op
from engine.recipe import SCHEMAS
from nodes import registry
from studio.fields import MIXED
from studio.session import Ops, Session


class Place(Protocol):
    """A home of named values in the document."""

    key: str
    """Tells the places apart whose scrubs must not merge."""

    def read(self, name: str) -> Any:
        """The value, MIXED if there are several, or the default."""

    def write(self, name: str, value: Any) -> Ops:
        """The operations that set it."""

    def label(self, name: str, value: Any) -> str:
        """What the history calls that."""


class NodeParams:
    """The parameters of one or several nodes."""

    def __init__(self, session: Session, ids: Sequence[str]) -> None:
        self._session, self._ids = session, list(ids)
        self.key = f"params {' '.join(self._ids)}"

    def read(self, name: str) -> Any:
        """The value that all have, or MIXED."""
        values = [self._value(node, name) for node in self._ids if node in self._session.document.nodes]
        first = values[0] if values else MIXED
        return first if all(_same(value, first) for value in values) else MIXED

    def _value(self, id: str, name: str) -> Any:
        node = self._session.document.nodes[id]
        spec = registry.get(node.type)
        default = spec.params[name].default if spec and name in spec.params else None
        return node.params.get(name, default)

    def write(self, name: str, value: Any) -> Ops:
        """Set it in every node."""
        return [set_op(["nodes", node, "params", name], value) for node in self._ids]

    def label(self, name: str, value: Any) -> str:
        """Names the node, or counts them."""
        nodes = self._session.document.nodes
        who = nodes[self._ids[0]].name if len(self._ids) == 1 else f"{len(self._ids)} nodes"
        return f"Set {name} of {who}"


def _same(a: Any, b: Any) -> bool:
    return bool(a == b and isinstance(a, bool) == isinstance(b, bool))


class Recipe:
    """The settings of training or running."""

    def __init__(self, session: Session, kind: str) -> None:
        self._session, self._kind = session, kind
        self.key = f"recipe {kind}"

    def read(self, name: str) -> Any:
        """The document's setting, or the default."""
        return self._own().get(name, SCHEMAS[self._kind][name].default)

    def _own(self) -> dict[str, Any]:
        return dict(self._session.document.recipes.get(self._kind, {}))

    def write(self, name: str, value: Any) -> Ops:
        """The whole recipe with this setting: always one operation, so that scrubs merge."""
        return [set_op(["recipes", self._kind], self._own() | {name: value})]

    def label(self, name: str, value: Any) -> str:
        """Names the recipe."""
        return f"Set {name} of {'training' if self._kind == 'train' else 'running'}"


class Entry:
    """Keys of one object of the document at ``path``: settings, a group, a frame."""

    def __init__(self, session: Session, path: list[Any], what: str, defaults: dict[str, Any]) -> None:
        self._session, self._path, self._what, self._defaults = session, path, what, defaults
        self.key = " ".join(map(str, path))

    def read(self, name: str) -> Any:
        """The value, or the default."""
        found: Any = getattr(self._session.document, self._path[0])
        for key in self._path[1:]:
            found = found.get(key, {})
        return found.get(name, self._defaults[name])

    def write(self, name: str, value: Any) -> Ops:
        """Set the key."""
        return [set_op([*self._path, name], value)]

    def label(self, name: str, value: Any) -> str:
        """Names what is changed."""
        return f"Set {name.removesuffix('_ms')} of {self._what}"
