"""One class for every node of an exported PyTorch file, written from the node's traced step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from engine.arrays import declared
from engine.codegen.expr import Expr, Symbol, order, symbol
from engine.codegen.ops import TracerOps
from engine.codegen.trace import Traced, trace
from engine.export.targets._names import identifier, printed
from engine.export.targets._torch.print import statements
from engine.program import Op
from nodes.spec import Param, Tensor
from nodes.surrogates import SURROGATES

Lines = list[str]
INDENT = "    "
# what a module of torch, or a class of the file, has already
TAKEN = frozenset(
    {
        *("training", "forward", "step", "begin", "draw", "first", "shape", "train", "eval", "type", "half"),
        *("double", "float", "to", "cpu", "cuda", "apply", "parameters", "buffers", "children", "modules"),
        *("state_dict", "linear", "sparse", "sums", "enter", "leave", "ahead", "remember", "width", "low"),
        *("high", "lag", "sigma", "past_shape"),
    }
)


@dataclass(frozen=True)
class Node:
    """One op as it stands in the file.  ``learning``: its step in training, where that is another one."""

    op: Op
    name: str
    cls: str
    traced: Traced
    learning: Traced | None
    wanted: tuple[str, ...]

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """Its arrays."""
        return declared(self.op)

    @property
    def stateful(self) -> bool:
        """Whether it keeps state from step to step."""
        return bool(self.traced.state)

    @property
    def delayed(self) -> bool:
        """Whether it keeps a past."""
        return self.op.role == "projection" and self.op.largest_delay > 0

    @property
    def steps(self) -> tuple[Traced, ...]:
        """Its step in evaluation, and in training where that is another."""
        return (self.traced,) if self.learning is None else (self.traced, self.learning)

    @property
    def ports(self) -> tuple[str, ...]:
        """The inputs that its step is given: those that it reads, or the first, which tells the time."""
        read = tuple(p for p in self.op.spec.inputs if any(p in t.inputs for t in self.steps))
        return read or tuple(self.op.spec.inputs)[:1]

    @property
    def masks(self) -> tuple[str, ...]:
        """Its random numbers that are drawn once for a sequence."""
        return tuple(name for name, kind in self._noise.items() if kind == "sequence")

    @property
    def hiss(self) -> dict[str, str]:
        """Its random numbers that are drawn in every step, with their distribution."""
        return {name: kind for name, kind in self._noise.items() if kind != "sequence"}

    @property
    def _noise(self) -> dict[str, str]:
        kinds = self.op.spec.noise_of(self.op.p)
        read = {name for t in self.steps for name, found in t.inputs.items() if found.role == "noise"}
        return {name: kind for name, kind in kinds.items() if name in read}


def node_of(op: Op, dt: float, name: str, cls: str, wanted: tuple[str, ...]) -> Node:
    """An op traced in both modes, its parameters by name."""
    plain, learning = (
        trace(op.spec, op.p, dt, dict(op.shapes), symbolic=True, training=mode) for mode in (False, True)
    )
    same = plain.new_state == learning.new_state and plain.outputs == learning.outputs
    return Node(op, name, cls, plain, None if same else learning, wanted or tuple(op.spec.outputs))


def class_text(node: Node) -> str:
    """The class of a node."""
    body = _init(node)
    if node.stateful:
        body += ["", *_first(node), "", *_method(node, "step", ("state", *_arguments(node)))]
    elif node.op.role == "projection":
        body += ["", *_method(node, "sums", _arguments(node))]
    else:
        body += ["", *_method(node, "forward", (*_arguments(node), *node.masks))]
    body += ["", *_draw(node)] if node.masks else []
    return "\n".join([f"class {node.cls}({_base(node)}):", *_indented([f'"""{_about(node)}"""', "", *body])])


def surrogate_text(name: str) -> str:
    """The function of a surrogate derivative."""
    function = SURROGATES[name]
    x, alpha = symbol("input", "x"), symbol("parameter", "alpha")
    made = function(TracerOps(), x, alpha)  # type: ignore[arg-type]  # a symbol stands where a number does
    lines, names = statements({"result": made}, lambda s: s.name, lambda s: s is x)
    doc = [f'"""{function.__doc__}"""']
    body = [*doc, *_returned(lines, names["result"])]
    return "\n".join([f"def {name}(x, alpha):", *_indented(body)])


def attribute(name: str) -> str:
    """A name of the node's that a class of torch has no other use for."""
    plain = identifier(name)
    return f"{plain}_" if plain in TAKEN else plain


def argument(port: str) -> str:
    """What a step calls the signal at a port."""
    return "x" if port == "input" else identifier(port)


def _arguments(node: Node) -> tuple[str, ...]:
    return tuple(argument(port) for port in node.ports)


def _about(node: Node) -> str:
    op = node.op
    shape = next((op.shapes[port] for port in op.spec.outputs if op.shapes.get(port)), None) or ()
    size = " x ".join(map(str, shape)) or "1"
    if op.role == "projection":
        size = f"{' x '.join(map(str, op.shapes['input'] or ()))} to {size}"
    late = (
        f", delays of {op.delay.low} to {op.delay.high} steps per {op.delay.granularity}" if op.delay else ""
    )
    return printed(f"{op.name}: {op.spec.label}, {size}{late}.")


def _base(node: Node) -> str:
    if node.stateful:
        return "Neurons"
    if node.op.role != "projection":
        return "nn.Module"
    if not node.delayed:
        return "Projection"
    granularity = node.op.delay.granularity if node.op.delay else "projection"
    if granularity == "synapse":
        return "SparseSynapticDelays" if "pre" in node.tensors else "SynapticDelays"
    return "DelayAfter" if granularity == "dendritic" else "DelayBefore"


def _init(node: Node) -> Lines:
    lines = ["super().__init__()"]
    lines += [_tensor(node, name, tensor) for name, tensor in node.tensors.items()]
    lines += _parameters(node)
    lines += _scalars(node)
    lines += _delays(node) if node.delayed else []
    if node.stateful:
        shape = node.op.shapes.get("input") or next(iter(node.op.shapes.values())) or ()
        lines += [f"self.shape = {shape}"]
    return ["def __init__(self):", *_indented(lines)]


def _tensor(node: Node, name: str, tensor: Tensor) -> str:
    sizes = ", ".join(map(str, tensor.shape))
    param = node.op.spec.params.get(name)
    said = f"steps, {tensor.low:g} to {tensor.high:g}" if name == "delay" else _said(param) if param else ""
    unit = f"  # {said}" if said else ""
    if tensor.group != "fixed":
        return f"self.{attribute(name)} = nn.Parameter(torch.zeros({sizes})){unit}"
    kind = ", dtype=torch.int64" if name in ("pre", "post") else ""
    return f'self.register_buffer("{attribute(name)}", torch.zeros({sizes}{kind})){unit}'


def _parameters(node: Node) -> Lines:
    """The numbers that its equations read, with their units."""
    op = node.op
    read = {name for t in node.steps for name, found in t.parameters.items() if found.role == "parameter"}
    read |= {value for value in op.spec.state_of(op.p).values() if isinstance(value, str)}
    lines = []
    for name, param in op.spec.params.items():
        if name in read and name not in node.tensors:
            said = f"  # {_said(param)}" if _said(param) else ""
            lines.append(f"self.{attribute(name)} = {op.p[name]!r}{said}")
    return lines


def _said(param: Param) -> str:
    """Unit and meaning of a parameter."""
    return ", ".join(filter(None, (param.unit, param.doc)))


def _delays(node: Node) -> Lines:
    op = node.op
    shape = op.shapes["output"] if _base(node) == "DelayAfter" else op.shapes["input"]
    lines = [f"self.low, self.high, self.past_shape = {op.smallest_delay}, {op.largest_delay}, {shape}"]
    if op.lag:
        lines.append(f"self.lag = {op.lag}")
    if op.delay is None:
        return [*lines, 'self.register_buffer("delay", torch.zeros(1), persistent=False)']
    if op.delay.learnable:
        lines.append(f"self.sigma = {first_sigma(op)!r}  # steps, falls in training")
    return lines


def first_sigma(op: Op) -> float:
    """The width with which training begins: half the taps unless the delays say otherwise."""
    assert op.delay is not None
    given = float(op.delay.p.get("sigma_start", 0.0))
    return given or float((op.delay.high - op.delay.low + 1) // 2)


def _first(node: Node) -> Lines:
    start = node.op.spec.state_of(node.op.p)
    values = [
        f'"{k}": {f"self.{attribute(v)}" if isinstance(v, str) else repr(float(v))}' for k, v in start.items()
    ]
    return ["def first(self):", *_indented([f"return {{{', '.join(values)}}}"])]


def _draw(node: Node) -> Lines:
    shape = ", ".join(map(str, node.op.shapes["input"] or ()))
    return [
        "def draw(self, batch, device=None):",
        *_indented(
            [
                '"""Random numbers in [0, 1) for a whole sequence; none in evaluation."""',
                f"return torch.rand(batch, {shape}, device=device) if self.training else None",
            ]
        ),
    ]


def _method(node: Node, name: str, arguments: tuple[str, ...]) -> Lines:
    if node.learning is None:
        body = _Body(node, node.traced).lines()
    else:
        plain, learning = (_Body(node, traced).lines() for traced in (node.traced, node.learning))
        either = [line.replace("training=True", "training=self.training") for line in learning]
        same = either == [line.replace("training=False", "training=self.training") for line in plain]
        body = either if same else ["if self.training:", *_indented(learning), *plain]
    return [f"def {name}(self, {', '.join(arguments)}):", *_indented(body)]


def _scalars(node: Node) -> Lines:
    """Coefficients that plain parameters decide."""
    lines: Lines = []
    done = set()
    for traced in node.steps:
        body = _Body(node, traced)
        for name, expr in traced.constants.items():
            if not body.is_array(expr) and name not in done:
                done.add(name)
                own, names = statements(
                    {f"self.{attribute(name)}": expr}, body.symbol, body.arrays, f"{name}_"
                )
                lines += own or [f"self.{attribute(name)} = {names[f'self.{attribute(name)}']}"]
    return lines


@dataclass
class _Body:
    """The lines of one step."""

    node: Node
    traced: Traced

    def lines(self) -> Lines:
        """Read the state, compute, return."""
        traced, wanted = self.traced, self.node.wanted
        results = {f"{name}_new": expr for name, expr in traced.new_state.items()}
        called = {
            port: f"{port}_out" if port in self._local.values() else identifier(port) for port in wanted
        }
        results |= {called[port]: traced.outputs[port] for port in wanted}
        read = {found for expr in results.values() for found in order([expr])}
        begin = [f'{self._local[s]} = state["{name}"]' for name, s in traced.state.items() if s in read]
        lines, names = statements(results, self.symbol, self.arrays)
        outputs = {port: names[called[port]] for port in wanted}
        if not self.node.stateful:
            only = self.node.op.spec.outputs
            answer = next(iter(outputs.values())) if len(only) == 1 else _dictionary(outputs)
            return [*self._noise(), *self._coefficients(), *_returned(lines, answer)]
        state = {name: names[f"{name}_new"] for name in traced.new_state}
        begin += [*self._noise(), *self._coefficients()]
        return [*begin, *lines, f"return {_dictionary(state)}, {_dictionary(outputs)}"]

    def _noise(self) -> Lines:
        like = argument(self.node.ports[0])
        read = {name: found for name, found in self.traced.inputs.items() if name in self.node.hiss}
        hiss = self.node.hiss.items()
        functions = {name: "randn_like" if kind == "normal" else "rand_like" for name, kind in hiss}
        return [f"{self._local[found]} = torch.{functions[name]}({like})" for name, found in read.items()]

    @cached_property
    def _local(self) -> dict[Symbol, str]:
        """Names of what the step is given, and of coefficients that it computes."""
        names = {s: identifier(name) for name, s in self.traced.state.items()}
        taken = {*names.values(), *map(argument, self.node.ports), "state"}
        others = [s for s in self.traced.inputs.values() if s.role == "noise"]
        others += [s for s in self._constants if self.is_array(self.traced.constants[s.name])]
        for found in others:
            plain = identifier(found.name)
            names[found] = f"{plain}_now" if plain in taken else plain
        return names

    @property
    def _constants(self) -> list[Symbol]:
        return [e for e in self.traced.order() if isinstance(e, Symbol) and e.role == "constant"]

    def _coefficients(self) -> Lines:
        """Those that hang on what is learned, in every step anew."""
        lines: Lines = []
        for found in self._constants:
            expr = self.traced.constants[found.name]
            if self.is_array(expr):
                own, names = statements(
                    {self._local[found]: expr}, self.symbol, self.arrays, f"{found.name}_"
                )
                lines += own or [f"{self._local[found]} = {names[self._local[found]]}"]
        return lines

    def is_array(self, expr: Expr) -> bool:
        """Whether a tensor goes into an expression."""
        return any(self.arrays(found) for found in order([expr]) if isinstance(found, Symbol))

    def arrays(self, found: Symbol) -> bool:
        """Whether a symbol stands for a tensor."""
        if found.role == "constant":
            return self.is_array(self.traced.constants[found.name])
        return found.role != "parameter"

    def symbol(self, found: Symbol) -> str:
        """How a symbol is written."""
        if found.role == "input":
            return argument(found.name)
        if found in self._local:
            return self._local[found]
        return "DT" if found.role == "parameter" and found.name == "dt" else f"self.{attribute(found.name)}"


def _returned(lines: Lines, answer: str) -> Lines:
    """The last line of a function, which need not name what it returns."""
    if lines and lines[-1].startswith(f"{answer} = "):
        return [*lines[:-1], f"return {lines[-1].partition(' = ')[2]}"]
    return [*lines, f"return {answer}"]


def _dictionary(items: Mapping[str, str]) -> str:
    return "{" + ", ".join(f'"{key}": {value}' for key, value in items.items()) + "}"


def _indented(lines: Lines, depth: int = 1) -> Lines:
    return [INDENT * depth + line if line else "" for line in lines]
