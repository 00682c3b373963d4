"""Runs a .nir file in one of its readers: nir_run.py inputs.npz outputs.npz READER FILE DIALECT.

inputs: x [time, *shape], names of the neuron nodes to record, steps, dt (of the file, in its unit).
outputs: for each name its signal [time, ...].
"""

# ruff: noqa: D101, D102, D103
import contextlib
import io
import logging
import sys
import warnings

import numpy as np

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
import nir  # noqa: E402
import torch  # noqa: E402

SOURCE, TARGET, READER, FILE, DIALECT = sys.argv[1:6]
GIVEN = np.load(SOURCE)
DT, STEPS = float(GIVEN["dt"]), int(GIVEN["steps"])


def tensor(x):
    return torch.as_tensor(np.asarray(x, np.float32))


class Leaky(torch.nn.Module):
    """Forward Euler of LIF, LI, IF and I."""

    def __init__(self, n):
        super().__init__()
        ratio = DT / n.tau if hasattr(n, "tau") else np.zeros_like(n.r)
        self.b = tensor(1 - ratio)
        self.gain = tensor(n.r * (ratio if hasattr(n, "tau") else DT))
        self.rest = tensor(getattr(n, "v_leak", np.zeros_like(n.r)))
        self.firing = Firing(n) if hasattr(n, "v_threshold") else None

    def forward(self, x, state=None):
        v = self.rest if state is None else state
        v = self.rest + self.b * (v - self.rest) + self.gain * x
        if self.firing is None:
            return v, v
        return self.firing(v)


class Current(torch.nn.Module):
    """Forward Euler of CubaLIF and CubaLI; v sees the new current."""

    def __init__(self, n):
        super().__init__()
        self.a, self.b = tensor(1 - DT / n.tau_syn), tensor(1 - DT / n.tau_mem)
        self.entry, self.gain = tensor(n.w_in * DT / n.tau_syn), tensor(n.r * DT / n.tau_mem)
        self.rest = tensor(n.v_leak)
        self.firing = Firing(n) if hasattr(n, "v_threshold") else None

    def forward(self, x, state=None):
        i, v = (torch.zeros_like(self.rest), self.rest) if state is None else state
        i = self.a * i + self.entry * x
        v = self.rest + self.b * (v - self.rest) + self.gain * i
        if self.firing is None:
            return v, (i, v)
        z, v = self.firing(v)
        return z, (i, v)


class Firing:
    def __init__(self, n):
        self.threshold, self.subtract = tensor(n.v_threshold), DIALECT == "nir104"
        self.reset = tensor(getattr(n, "v_reset", np.zeros_like(n.v_threshold)))

    def __call__(self, v):
        z = (v > self.threshold).to(v.dtype)
        return z, (v - z * self.threshold if self.subtract else v * (1 - z) + z * self.reset)


class Late(torch.nn.Module):
    def __init__(self, n):
        super().__init__()
        steps = np.rint(np.asarray(n.delay, np.float64) / DT).astype(int)
        self.steps, self.shape = torch.as_tensor(steps.ravel()), steps.shape
        self.length = int(steps.max(initial=0)) + 1

    def forward(self, x, state=None):
        now = x.reshape(1, -1)
        past = torch.zeros(self.length, now.shape[1]) if state is None else state
        past = torch.cat([now, past[:-1]])
        return past[self.steps, torch.arange(now.shape[1])].reshape(1, *self.shape), past


class Factor(torch.nn.Module):
    def __init__(self, n):
        super().__init__()
        self.scale = tensor(n.scale)

    def forward(self, x):
        return x * self.scale


class Above(torch.nn.Module):
    def __init__(self, n):
        super().__init__()
        self.threshold = tensor(n.threshold)

    def forward(self, x):
        return (x > self.threshold).to(x.dtype)


def affine(n):
    made = torch.nn.Linear(n.weight.shape[1], n.weight.shape[0], bias=hasattr(n, "bias"))
    made.weight.data = tensor(n.weight)
    if hasattr(n, "bias"):
        made.bias.data = tensor(n.bias)
    return made


def convolution(n):
    rank = n.weight.ndim - 2
    sort = torch.nn.Conv1d if rank == 1 else torch.nn.Conv2d

    def each(value):
        return value if isinstance(value, str) else tuple(int(v) for v in np.ravel(value))

    made = sort(
        n.weight.shape[1] * int(n.groups),
        n.weight.shape[0],
        tuple(n.weight.shape[2:]),
        each(n.stride),
        each(n.padding),
        each(n.dilation),
        int(n.groups),
    )
    made.weight.data, made.bias.data = tensor(n.weight), tensor(n.bias)
    return made


class Flat(torch.nn.Module):
    def __init__(self, n):
        super().__init__()
        self.start, self.end = ((int(d) + 1 if d >= 0 else int(d)) for d in (n.start_dim, n.end_dim))

    def forward(self, x):
        return x.flatten(self.start, self.end)


def ordered(graph):
    """The graph with the neurons of loops before everything that they feed: a loop is then one step late."""
    names, edges = list(graph.nodes), graph.edges
    after = {name: {b for a, b in edges if a == name} for name in names}

    def reached(start):
        found, queue = set(), list(after[start])
        while queue:
            here = queue.pop()
            if here not in found:
                found.add(here)
                queue += after[here]
        return found

    reach = {name: reached(name) for name in names}
    looping = {name for name in names if name in reach[name]}
    done, queue = [], [name for name in names if isinstance(graph.nodes[name], nir.Input)]
    left = [name for name in names if name not in queue]
    while True:
        done += queue
        left = [name for name in left if name not in queue]
        held = set(done)
        queue = [n for n in left if n not in looping and all(a in held for a, b in edges if b == n)]
        if not queue:
            inside = [n for n in left if n in looping and hasattr(graph.nodes[n], "r")]
            first = [n for n in inside if all(a in held or n in reach[a] for a, b in edges if b == n)]
            queue = first
        if not queue:
            rest = [n for n in left if all(a in held for a, b in edges if b == n)]
            queue = rest
        if not queue:
            break
    nodes = {name: graph.nodes[name] for name in [*done, *left]}
    return nir.NIRGraph(nodes, edges, type_check=False)


def network():
    graph = nir.read(FILE)
    if READER == "snntorch":
        from snntorch.import_nir import import_from_nir

        return import_from_nir(graph)
    if READER == "norse":
        import norse.torch as norse

        return norse.from_nir(graph, dt=DT, ignore_warnings=True)
    if READER == "spikingjelly":
        from spikingjelly.activation_based.nir_exchange import import_from_nir

        return import_from_nir(graph, dt=DT)
    if READER == "rockpool":
        from rockpool.nn.modules.torch.nir import from_nir

        return from_nir(graph)
    if READER == "sinabs":
        from sinabs.nir import from_nir

        return from_nir(graph, batch_size=1)
    import nirtorch

    kinds = {nir.LIF: Leaky, nir.LI: Leaky, nir.IF: Leaky, nir.I: Leaky, nir.CubaLIF: Current}
    kinds |= {
        nir.CubaLI: Current,
        nir.Delay: Late,
        nir.Scale: Factor,
        nir.Threshold: Above,
        nir.Flatten: Flat,
    }
    kinds |= {nir.Affine: affine, nir.Linear: affine, nir.Conv1d: convolution, nir.Conv2d: convolution}
    return nirtorch.nir_to_torch(ordered(graph), kinds)


def first(found):
    while isinstance(found, tuple):
        found = found[0]
    return found.detach().numpy()


def modules(net, names):
    """The module behind every name, under whichever name the reader keeps it."""
    known = dict(net.named_modules())
    short = {name.replace(".", "_"): name for name in known}
    return {n: known[short[n.replace(".", "_")]] for n in names if n.replace(".", "_") in short}


def at_rest(net):
    """The state before the first step, in which weights that close a loop already give their bias."""
    graph = nir.read(FILE)
    biased = {
        n: node.bias for n, node in graph.nodes.items() if isinstance(node, nir.Affine) and node.bias.any()
    }
    rings = {a for a, b in graph.edges if (b, a) in graph.edges and a in biased}
    if not rings or READER not in ("nirtorch", "spikingjelly"):
        return None
    state = {name: None for name, _ in net.named_children()}
    return state | {f"{name.replace('.', '_')}_prev_output": tensor(biased[name])[None] for name in rings}


def main():
    names = [str(name) for name in GIVEN["names"]]
    x = tensor(GIVEN["x"])
    with contextlib.redirect_stdout(io.StringIO()):
        net = network()
    seen = {name: [] for name in names}
    for name, module in modules(net, names).items():
        module.register_forward_hook(lambda m, given, out, name=name: seen[name].append(first(out)))
    with torch.no_grad():
        if READER in ("rockpool", "sinabs"):
            net(x[None] if READER == "rockpool" else x)
        else:
            state = at_rest(net)
            for t in range(STEPS):
                found = net(x[t : t + 1]) if state is None else net(x[t : t + 1], state)
                state = found[-1] if isinstance(found, tuple) and len(found) > 1 else None
    np.savez(TARGET, **{name: np.asarray(found, np.float32) for name, found in seen.items() if found})


main()
