"""The backward step made from a graph gives the gradients that torch finds."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from engine.codegen.expr import Expr, Symbol, call, symbol, symbols
from engine.codegen.gradient import NotElementwiseError, pullback
from engine.codegen.interpret import interpret
from engine.codegen.trace import Traced, trace
from nodes.spec import Node
from nodes.surrogates import SURROGATES
from tests.codegen.test_trace import POPULATIONS, conventions, random_case
from tests.nodes.harness import parameters
from tests.nodes.test_all_nodes import DT

DRIVEN = {name: spec for name, spec in POPULATIONS.items() if spec.inputs}


def both(roots: list[Expr], values: dict[Symbol, Any]) -> list[tuple[str, Any, Any]]:
    """(symbol, gradient by the graph, gradient by torch) of every symbol that torch says matters."""
    torch = pytest.importorskip("torch")
    ops = pytest.importorskip("engine.backend.ops").OPS
    leaves = {s: torch.tensor(np.asarray(v, np.float32)).requires_grad_() for s, v in values.items()}
    known = interpret(ops, roots, leaves.__getitem__)
    g = torch.Generator().manual_seed(0)
    seeds: dict[Expr, Expr] = {}
    total = torch.zeros(())
    for k, root in enumerate(roots):
        seed = symbol("gradient", f"{k}")
        leaves[seed] = torch.randn(known[root].shape, generator=g)
        total = total + (leaves[seed] * known[root]).sum()
        seeds[root] = seeds[root] + seed if root in seeds else seed
    total.backward()
    found = pullback(seeds)
    made = interpret(ops, found.values(), leaves.__getitem__)
    moved = [s for s in values if leaves[s].grad is not None]
    ours = {s: made[found[s]].sum_to_size(leaves[s].shape) for s in moved if s in found}
    return [(s.name, ours.get(s, torch.zeros_like(leaves[s])), leaves[s].grad) for s in moved]


def check(graph: Traced, state: dict[str, Any], x: dict[str, Any], p: dict[str, Any]) -> None:
    values = {graph.state[name]: value for name, value in state.items()}
    values |= {found: x[name][0] for name, found in graph.inputs.items()}
    roots = [*graph.new_state.values(), *graph.outputs.values()]
    values |= {s: p[s.name] for s in symbols(roots) if s.role in ("constant", "tensor")}
    compared = both(roots, values)
    assert compared
    for name, ours, theirs in compared:
        np.testing.assert_allclose(ours.detach(), theirs, rtol=2e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("spec", DRIVEN.values(), ids=DRIVEN.keys())
def test_every_convention(spec: type[Node]) -> None:
    train = {"train": list(spec.params["train"].choices)} if "train" in spec.params else {}
    detached = (True, False) if "detach_reset" in spec.params else (None,)
    for convention, detach in list(product(conventions(spec), detached))[
        ::7
    ]:  # every convention in some pair
        given = convention | train | ({} if detach is None else {"detach_reset": detach})
        shapes, p, state, x = random_case(spec, True, **given)
        graph = trace(spec, parameters(spec, **given), DT, shapes, training=True)
        check(graph, state, x, p)


@pytest.mark.parametrize("surrogate", SURROGATES)
def test_every_surrogate(surrogate: str) -> None:
    x = symbol("input", "x")
    values = np.linspace(-2, 2, 9)
    for _, ours, theirs in both([call("spike", x, 1.5, options=(False, surrogate))], {x: values}):
        np.testing.assert_allclose(ours.detach(), theirs, rtol=1e-5, atol=1e-7)


def test_functions_and_ties() -> None:
    x, y = symbol("input", "x"), symbol("input", "y")
    values = {x: np.array([0.3, 1.0, 2.5, 0.7]), y: np.array([0.3, 2.0, 1.5, 0.2])}
    roots = [call(name, x) for name in ("exp", "log", "sqrt", "tanh", "sigmoid", "abs", "neg")]
    roots += [call(name, x, y) for name in ("minimum", "maximum")]
    roots += [x / y, x**3, 2.0 / x, x - 3 * y, call("where", x > y, x * x, y), call("floor", x) * y]
    for name, ours, theirs in both(roots, values):
        np.testing.assert_allclose(ours.detach(), theirs, rtol=1e-5, err_msg=name)


def test_an_operation_between_elements_is_refused() -> None:
    x = symbol("input", "x")
    with pytest.raises(NotElementwiseError, match="softmax"):
        pullback({call("softmax", x): symbol("gradient", "g")})
