"""Looks for a change that keeps a run finite, by trying it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch

from engine.backend.state import State
from engine.compile.diagnostics import Fix
from engine.document.ops import set_op
from engine.errors import MyelinError
from engine.program import Op
from engine.run.diagnoses import gain_fix, nice, routes
from engine.run.remedies import Remedy
from engine.run.worker.feeds import Feed
from engine.run.worker.session import Session

SECONDS = 1.0
"""How long may be tried; the run is over anyway."""
FACTORS = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 1e-3, 1e-4, 1e-5, 1e-6)
WINDOW = 50
BOUND = 2.0
"""What stays finite grows by no more than this between the second quarter of a trial and its end."""


def tame(session: Session, feed: Feed, op: Op, steps: int) -> Remedy:
    """The first change with which twice as many steps as it took to diverge stay bounded."""
    until = time.perf_counter() + SECONDS
    candidates = [*_shorter_steps(session, op), *_weaker_loops(session, op)]
    for remedy in candidates:
        assert remedy.fix is not None
        if time.perf_counter() > until:
            break
        try:
            changed = session.after(list(remedy.fix.ops), op.id)
        except MyelinError:
            continue
        if _bounded(changed, feed, op, max(2 * steps, 40), until):
            return remedy
    return Remedy("lower the weights or currents that reach it, or the time step")


def _weaker_loops(session: Session, op: Op) -> Iterator[Remedy]:
    """Less gain where a loop comes back to the population, else on any of its inputs."""
    program = session.program
    loop = next((set(stage.ops) for stage in program.stages if op.id in stage.ops), set())
    found = [route for route in routes(program, op) if all(session.fresh(passed) for passed in route.ops)]
    for route in sorted(found, key=lambda route: route.projection.id not in loop):
        for factor in FACTORS:
            remedy = gain_fix(route.projection, factor, up=False)
            if remedy:
                yield Remedy(*remedy)


def _shorter_steps(session: Session, op: Op) -> Iterator[Remedy]:
    """Euler's method overshoots when a step is long for what happens in it."""
    dt = session.program.dt
    if op.p.get("integration") in ("euler", "half_step"):
        for factor in FACTORS[:3]:
            shorter = nice(dt * factor, up=False)
            ops = (set_op(["meta", "dt_ms"], shorter),)
            yield Remedy(
                f"shorten the time step from {dt:g} to {shorter:g} ms",
                Fix(f"Set the time step to {shorter:g} ms", ops),
            )


@torch.no_grad()
def _bounded(session: Session, feed: Feed, op: Op, steps: int, until: float) -> bool:
    state, sizes = State(), []
    while state.step < steps:
        if time.perf_counter() > until:
            return False
        window = min(WINDOW, steps - state.step) if steps > 4 * WINDOW else max(1, steps // 8)
        inputs = feed.inputs(state.step, window)
        state = session.network.run(
            inputs, state, steps=window, end=feed.end, batch=1, noise=feed.noise
        ).state
        sizes.append(
            max(
                (float(value.abs().max()) for value in state.of(op.id).values() if value.numel()), default=0.0
            )
        )
    early = max(sizes[: max(1, len(sizes) // 2)])
    return all(size < float("inf") for size in sizes) and sizes[-1] <= BOUND * early + 1e-6
