"""What the readers and writers of NIR files mean by the same bytes: step, gains, reset, spikes per step.

Every entry was found by replaying the package spike by spike against plain numpy.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """One package's understanding of a NIR file.

    ``dt``: what it takes for the length of a step in the unit of the file's time constants, None where the
    caller says it.  ``rule``: ``nir`` (forward Euler of the documented equations, v > threshold), or that of
    the package.  ``reset``: what a spike does.  ``gains``: how r and w_in must be written: ``any``;
    ``unit`` (r = tau/dt, w_in = tau_syn/dt: the input adds its weight); ``folded`` (of LIF r = 1, of CubaLIF
    as ``unit``, the weights take up the rest); ``textbook`` (r = 1, w_in = 1); ``rockpool``; ``one`` (r = 1,
    ignored).  ``uniform``: one time constant and threshold for a layer.  ``delays``: whether it knows Delay.
    ``nested``: how recurrence must be written.  ``types``: neurons that it reads.
    """

    doc: str
    dt: float | None = None
    rule: str = "nir"
    reset: str = "value"
    gains: str = "any"
    uniform: bool = False
    delays: bool = False
    nested: bool | None = False
    types: tuple[str, ...] = ("LIF", "CubaLIF")
    strip_reset: bool = False
    still: bool = True  # v_leak and v_reset must be 0


AUTO = "auto"
"""``universal`` where the network allows it, else ``nirtorch``."""
NEURONS = ("I", "LI", "IF", "LIF", "CubaLI", "CubaLIF")
DIALECTS: dict[str, Dialect] = {
    "universal": Dialect(
        "the same spikes in snnTorch, Norse, SpikingJelly and nirtorch",
        dt=1e-4,
        gains="folded",
        uniform=True,
        nested=None,
        strip_reset=True,
    ),
    "nirtorch": Dialect(
        "the documented equations of nir 1.0.8 in seconds, every primitive; for nirtorch, your own reader",
        delays=True,
        types=NEURONS,
        still=False,
    ),
    "textbook": Dialect(
        "as nirtorch, with r = 1 and w_in = 1 and weights to suit",
        gains="textbook",
        delays=True,
        types=NEURONS,
        still=False,
    ),
    "snntorch": Dialect("snnTorch 1.0", dt=1e-4, gains="unit", uniform=True, nested=None),
    "norse": Dialect("Norse 1.1", gains="folded", nested=True, types=("IF", "LIF", "CubaLIF")),
    "spikingjelly": Dialect(
        "SpikingJelly 2.0", gains="unit", uniform=True, types=("IF", "LIF", "CubaLIF"), still=False
    ),
    "snn_mlir": Dialect("snn-mlir 1.0", dt=1e-4, gains="unit", uniform=True),
    "rockpool": Dialect(
        "Rockpool 3.1: exponential decays, several spikes a step, each subtracts the threshold",
        rule="rockpool",
        reset="subtract",
        gains="rockpool",
        nested=True,
        types=("CubaLIF",),
    ),
    "sinabs": Dialect(
        "sinabs 3.1 with nir 1.0.4 (Speck): tau in steps, exponential decay, several spikes a step, each "
        "subtracts the threshold",
        dt=1.0,
        rule="sinabs",
        reset="subtract",
        gains="one",
        nested=None,
        types=("IF", "LIF", "LI"),
        strip_reset=True,
    ),
    "spyx": Dialect(
        "spyx 1.0: gains ignored, v of the step before is compared, a spike subtracts the threshold",
        dt=1.0,
        rule="spyx",
        reset="subtract",
        gains="unit",
        types=("LIF", "CubaLIF"),
    ),
    "nir104": Dialect(
        "the documented rule of nir 1.0.4: as nirtorch, but a spike subtracts the threshold",
        reset="subtract",
        delays=True,
        types=NEURONS,
        strip_reset=True,
        still=False,
    ),
}
