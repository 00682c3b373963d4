"""A loaded document with its program and network, and the same after a parameter has changed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.arrays import tensor_key
from engine.backend import checkpoint
from engine.backend.network import Network
from engine.backend.state import State
from engine.compile import Compiled, compile_document
from engine.document import Document, DocumentError, weights
from engine.document.ops import set_op
from engine.program import Op, Program
from engine.run.worker.errors import RefusedError


class Session:
    """``network`` runs ``document`` in evaluation mode.

    ``folder``: where the document lies, None for the working directory.  ``drawn``: digest of each tensor as
    its declaration draws it, to tell what a change of parameters redraws.
    """

    def __init__(self, document: Document, device: str = "cpu", folder: Path | None = None) -> None:
        self.document, self.device, self.folder = document, device, folder
        self.compiled: Compiled = compile_document(document, folder=folder)
        self.program = self._program()
        self.network = Network(self.program).eval()
        self.drawn = {key: _digest(self.network.tensor(key)) for key in self.network.declared}
        try:
            self.network.to(device)
        except (RuntimeError, AssertionError) as error:
            reason = str(error).splitlines()[0]
            raise RefusedError(f"the device {device!r} cannot be used here: {reason}") from None

    def _program(self) -> Program:
        if self.compiled.program is not None:
            return self.compiled.program
        first, *others = self.compiled.errors
        more = f" (and {len(others)} more)" if others else ""
        hint = f": {first.hint}" if first.hint else ""
        node = first.nodes[0] if first.nodes else ""
        raise RefusedError(f"{first.message}{hint}{more}", node, self.compiled.diagnostics)

    def changed(self, node: str, name: str, value: Any) -> Session:
        """The session with one parameter changed; tensors whose draw is the same keep what they hold now.

        RefusedError, with this session as it was, where the value is not possible.
        """
        if node not in self.document.nodes:
            raise RefusedError(f"there is no node {node!r}", node)
        return self.after([set_op(["nodes", node, "params", name], value)], node)

    def after(self, ops: list[dict[str, Any]], node: str) -> Session:
        """The session after edits that are about ``node``; as for ``changed``."""
        document = self.document.copy()
        try:
            document.edit("Change", ops)
            other = Session(document, self.device, self.folder)
        except DocumentError as error:
            raise RefusedError(str(error), node) from None
        except ValueError as error:
            raise RefusedError(str(error), getattr(error, "node", "") or node) from None
        other._take_tensors(self)
        return other

    def fresh(self, op: Op) -> bool:
        """Whether an op's tensors are as its parameters draw them: neither trained nor read from a file."""
        keys = [key for key in self.drawn if key.startswith(tensor_key(op.id, ""))]
        return all(_digest(self.network.tensor(key)) == self.drawn[key] for key in keys)

    def _take_tensors(self, old: Session) -> None:
        with torch.no_grad():
            for key, digest in self.drawn.items():
                if old.drawn.get(key) == digest:
                    self.network.tensor(key).copy_(old.network.tensor(key))

    def load_tensors(self, path: str | None = None) -> None:
        """Put the tensors of a checkpoint into the network, or those that the document names, if any."""
        if path is None:
            checkpoint.begin(self.network, weights.place(self.document, self.folder))
        else:
            checkpoint.read(self.network, Path(path))

    def op(self, node: str) -> Op:
        """The op of a node's id (copies in repeated groups are ``id~1``, ``id~2``, ...)."""
        if node in self.program.ops:
            return self.program.ops[node]
        if node in self.document.nodes:
            name = self.document.nodes[node].name
            text = f"{name or node!r} is no part of the network: nothing there depends on it"
            raise RefusedError(text, node)
        raise RefusedError(f"there is no node {node!r}", node)


def _digest(tensor: Tensor) -> bytes:
    array = tensor.detach().cpu().numpy()
    return hashlib.blake2b(array.tobytes() + repr((array.shape, array.dtype.str)).encode()).digest()


def carried(session: Session, state: State) -> State:
    """``state`` as far as it fits the session's network; an op whose shape has changed starts afresh."""
    kept = {
        key: _fitting(session, session.program.ops[key], values)
        for key, values in state.values.items()
        if key in session.program.ops
    }
    return State(state.step, {key: values for key, values in kept.items() if values})


def _fitting(session: Session, op: Op, values: dict[str, Tensor]) -> dict[str, Tensor]:
    if op.role == "projection":
        return values if _history_fits(op, values["history"]) else {}
    shape = op.shapes.get("input") or next(iter(op.shapes.values())) or ()
    if any(tuple(value.shape[1:]) != shape for value in values.values()):
        return {}
    like = next(iter(values.values()), None)
    if like is None:
        return {}
    blank = torch.zeros_like(like)
    return {
        name: values[name] if name in values else blank + _first(session, op, first)
        for name, first in op.spec.state_of(op.p).items()
    }


def _first(session: Session, op: Op, first: str | float) -> Any:
    """The value with which a state variable begins."""
    if not isinstance(first, str):
        return first
    key = tensor_key(op.id, first)
    return session.network.tensor(key).detach() if key in session.network.declared else op.p[first]


def _history_fits(op: Op, history: Tensor) -> bool:
    per_target = op.delay is not None and op.delay.granularity == "dendritic"
    shape = op.shapes["output" if per_target else "input"] or ()
    return len(history) == op.largest_delay and tuple(history.shape[2:]) == shape
