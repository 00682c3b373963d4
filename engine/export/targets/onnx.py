"""ONNX: one time step of the network, state in and state out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.codegen.expr import Call, order
from engine.compile.diagnostics import Diagnostic, declare
from engine.errors import MyelinError
from engine.export.freeze import outside_of, traced_step
from engine.export.frozen import Frozen
from engine.export.simulate import Signals
from engine.export.target import NotExecutable, Preview, Target, target
from engine.export.targets._onnx_graph import OPERATIONS, Graph
from engine.program import Program, Source
from nodes.spec import Values

OPERATION = declare("MYL225", "error", "A node does something that ONNX has no operator for.")
PASSIVE = ("loss", "probe", "projection")
INSTALL = "install it with: pip install 'myelin-studio[export]'"


@target("onnx", label="ONNX")
class Onnx(Target):
    """A model of one step: signals and state ``[batch, ...]`` in, signals and the next state out.

    Every input of the state holds its first value, for one sample, so that a run starts without any.
    """

    group = "Code"
    file = ".onnx"
    software = "ONNX Runtime"

    def check(self, program: Program, options: Values) -> list[Diagnostic]:
        """Operations without an operator."""
        outside = outside_of(program)
        found = []
        for op in program.ops.values():
            if op.id in outside or op.role in PASSIVE:
                continue
            used = {expr.op for expr in order(traced_step(op, program.dt).order()) if isinstance(expr, Call)}
            for name in sorted(used - OPERATIONS):
                found.append(
                    OPERATION((op.id,), f"'{op.name}' computes '{name}', for which ONNX has no operator")
                )
        return found

    def write(self, frozen: Frozen, folder: Path, options: Values) -> None:
        """``network.onnx``, checked by ONNX itself."""
        try:
            import onnx
        except ImportError:
            raise MyelinError(f"writing ONNX needs the package onnx: {INSTALL}") from None
        model = Graph(frozen).model()
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, folder / "network.onnx")

    def execute(
        self, artefact: Path, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        """Step by step in ONNX Runtime."""
        session = _session(artefact)
        about = json.loads(session.get_modelmeta().custom_metadata_map["signals"])
        names = {frozen.name(source): source for source in (*frozen.inputs, *frozen.outputs)}
        given = {name: inputs[names[said]] for name, said in about["inputs"].items()}
        outputs = {name: names[said] for name, said in about["outputs"].items()}
        found: dict[Source, list[np.ndarray]] = {source: [] for source in outputs.values()}
        state: dict[str, np.ndarray] = {}
        for t in range(steps):
            now = {name: _at(x, t) for name, x in given.items()}
            answer = session.run([*outputs, *about["state"].values()], {**now, **state})
            for source, signal in zip(outputs.values(), answer, strict=False):
                found[source].append(np.asarray(signal)[0])
            state = dict(zip(about["state"], answer[len(outputs) :], strict=True))
        return {source: np.stack(signal) for source, signal in found.items()}

    def preview(self, folder: Path) -> list[Preview]:
        """The graph as ONNX writes it, without its numbers."""
        import onnx

        model = onnx.load(folder if folder.is_file() else folder / "network.onnx")
        del model.graph.initializer[:]
        return [Preview("network.onnx", onnx.printer.to_text(model))]

    def figures(self, artefact: Path, frozen: Frozen, options: Values) -> dict[str, Any]:
        """Size of the file."""
        return {"bytes": artefact.stat().st_size}


def _at(x: np.ndarray, t: int) -> np.ndarray:
    """One step of a signal as a batch of one."""
    now = x[t] if t < len(x) else np.zeros_like(x[0])
    return np.ascontiguousarray(now[None], np.float32)


def _session(artefact: Path) -> Any:
    try:
        import onnxruntime  # type: ignore[import-untyped]
    except ImportError:
        raise NotExecutable(f"ONNX Runtime is not installed: {INSTALL}") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3  # that a first state is no constant is meant
    try:
        return onnxruntime.InferenceSession(str(artefact), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no other class in common
        reason = str(error).splitlines()[0]
        raise MyelinError(f"ONNX Runtime cannot load {artefact}: {reason}") from None
