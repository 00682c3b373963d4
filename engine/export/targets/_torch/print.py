"""Expression graphs (``engine.codegen``) as lines of Python that compute them with PyTorch, to the same bits.

Sums and products keep their order; what several others use gets a name.  Arrays and plain numbers are told
apart: a coefficient of parameters alone is computed by ``math``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from engine.codegen.expr import COMPARISONS, Call, Constant, Expr, Symbol, order

# how tightly an expression holds together, loosest first
COND, COMPARE, OR, AND, ADD, MUL, NEG, POW, ATOM = range(9)
LONG = 60  # characters beyond which a part of a sum gets a line of its own
_INFIX = {
    "lt": (" < ", COMPARE, OR, OR),
    "le": (" <= ", COMPARE, OR, OR),
    "gt": (" > ", COMPARE, OR, OR),
    "ge": (" >= ", COMPARE, OR, OR),
    "or": (" | ", OR, OR, AND),
    "and": (" & ", AND, AND, ADD),
    "add": (" + ", ADD, ADD, MUL),
    "sub": (" - ", ADD, ADD, MUL),
    "mul": (" * ", MUL, MUL, NEG),
    "div": (" / ", MUL, MUL, NEG),
    "pow": (" ** ", POW, ATOM, ATOM),
}  # sign, its own tightness, and what its left and right operands need
Text = tuple[str, int]


class Unprintable(ValueError):  # noqa: N818 (an answer, not a failure)
    """An operation that no line of PyTorch is known for."""


def statements(
    results: Mapping[str, Expr],
    symbols: Callable[[Symbol], str],
    arrays: Callable[[Symbol], bool],
    stem: str = "h",
) -> tuple[list[str], dict[str, str]]:
    """Lines that compute the results, and by name the expression that each result then is.

    ``symbols``: how a symbol is written; ``arrays``: whether it stands for a tensor.
    """
    return _Lines(results, symbols, arrays, stem).run()


class _Lines:
    def __init__(
        self,
        results: Mapping[str, Expr],
        symbols: Callable[[Symbol], str],
        arrays: Callable[[Symbol], bool],
        stem: str,
    ) -> None:
        self.results, self.symbols, self.stem = results, symbols, stem
        self.found = order(results.values())
        self.array = _arrays(self.found, arrays)
        self.uses = Counter(arg for expr in self.found for arg in expr.args)
        self.known: dict[Expr, Text] = {}
        self.lines: list[str] = []

    def run(self) -> tuple[list[str], dict[str, str]]:
        wanted: dict[Expr, str] = {}
        for name, expr in self.results.items():
            wanted.setdefault(expr, name)
        for expr in self.found:
            text = self._text(expr)
            named = isinstance(expr, Call) and (expr in wanted or self._named(expr, text[0]))
            self.known[expr] = self._line(wanted.get(expr), text[0]) if named else text
        return self.lines, {name: self.known[expr][0] for name, expr in self.results.items()}

    def _named(self, expr: Expr, text: str) -> bool:
        shared = self.uses[expr] > 1 and len(text) > 12
        return shared or (len(text) > LONG and self.uses[expr] > 0)

    def _line(self, name: str | None, text: str) -> Text:
        name = name or f"{self.stem}{sum(line.startswith(self.stem) for line in self.lines) + 1}"
        self.lines.append(f"{name} = {text}")
        return name, ATOM

    def _text(self, expr: Expr) -> Text:
        match expr:
            case Constant():
                return constant(expr), NEG if expr.value < 0 else ATOM
            case Symbol():
                return self.symbols(expr), ATOM
            case Call() if expr.op in _INFIX:
                return self._infix(expr)
            case Call():
                return self._call(expr)
        raise AssertionError(expr)

    def _infix(self, expr: Call) -> Text:
        sign, own, left, right = _INFIX[expr.op]
        a, b = expr.args
        if expr.op in ("and", "or") and not self.array[expr]:
            sign, own, left, right = f" {expr.op} ", COND, COMPARE, COMPARE
        if expr.op == "add" and isinstance(b, Constant) and b.value < 0:
            return f"{self._part(a, ADD)} - {-b.value!r}", ADD
        return f"{self._part(a, left)}{sign}{self._part(b, right)}", own

    def _part(self, expr: Expr, least: int) -> str:
        text, tightness = self.known[expr]
        return text if tightness >= least else f"({text})"

    def _call(self, expr: Call) -> Text:
        if expr.op == "neg":
            return f"-{self._part(expr.args[0], POW)}", NEG
        form = (_TENSOR if self.array[expr] else _SCALAR).get(expr.op)
        if form is None:
            raise Unprintable(expr.op)
        if callable(form):
            return form(self, expr)
        return form.format(*(self.known[arg][0] for arg in expr.args), *expr.options), ATOM

    def tensor(self, expr: Expr) -> str:
        """An operand where only a tensor will do."""
        return self.known[expr][0] if self.array[expr] else f"torch.tensor({self.known[expr][0]})"

    def atom(self, expr: Expr) -> str:
        """An operand before a dot."""
        return self._part(expr, ATOM)

    def plain(self, expr: Expr) -> str:
        """An operand between commas."""
        return self.known[expr][0]

    def choice(self, expr: Call) -> Text:
        """``where`` of plain numbers."""
        yes, no = (self._part(arg, OR) for arg in expr.args[1:])
        return f"{yes} if {self._part(expr.args[0], COMPARE)} else {no}", COND


def constant(expr: Constant) -> str:
    """All digits of a number."""
    return repr(expr.value)


def _arrays(found: Iterable[Expr], arrays: Callable[[Symbol], bool]) -> dict[Expr, bool]:
    """Whether an expression is a tensor."""
    known: dict[Expr, bool] = {}
    for expr in found:
        known[expr] = arrays(expr) if isinstance(expr, Symbol) else any(known[arg] for arg in expr.args)
    return known


def _extreme(name: str) -> Callable[[_Lines, Call], Text]:
    return lambda p, expr: (f"torch.{name}({p.tensor(expr.args[0])}, {p.tensor(expr.args[1])})", ATOM)


def _cast(p: _Lines, expr: Call) -> Text:
    return f"{p.atom(expr.args[0])}.float()", ATOM


def _detach(p: _Lines, expr: Call) -> Text:
    return f"{p.atom(expr.args[0])}.detach()", ATOM


def _spike(p: _Lines, expr: Call) -> Text:
    (x, alpha), (strict, surrogate) = expr.args, expr.options
    return f"spike({p.plain(x)}, {surrogate}, {p.plain(alpha)}, strict={strict})", ATOM


def _sum(p: _Lines, expr: Call) -> Text:
    axes = ", ".join(str(-k) for k in range(int(str(expr.options[0])), 0, -1))
    return f"{p.atom(expr.args[0])}.sum(({axes},))", ATOM


def _batch_norm(p: _Lines, expr: Call) -> Text:
    own = ", ".join(p.plain(arg) for arg in expr.args)
    return f"batch_norm({own}, rank={expr.options[0]}, training={expr.options[1]})", ATOM


def _reshape(p: _Lines, expr: Call) -> Text:
    x, (rank, shape) = expr.args[0], expr.options
    assert isinstance(shape, tuple)
    if rank == 1 and len(shape) == 1:
        return p.known[x]
    return f"reshape({p.plain(x)}, {rank}, {shape})", ATOM


_TENSOR: dict[str, str | Callable[[_Lines, Call], Text]] = {
    "exp": "torch.exp({})",
    "log": "torch.log({})",
    "sqrt": "torch.sqrt({})",
    "tanh": "torch.tanh({})",
    "sigmoid": "torch.sigmoid({})",
    "floor": "torch.floor({})",
    "abs": "torch.abs({})",
    "minimum": _extreme("minimum"),
    "maximum": _extreme("maximum"),
    "where": "torch.where({}, {}, {})",
    "cast": _cast,
    "detach": _detach,
    "spike": _spike,
    "sum": _sum,
    "softmax": "torch.softmax({}, -1)",
    "log_softmax": "torch.log_softmax({}, -1)",
    "reshape": _reshape,
    "linear": "self.linear({}, {})",
    "sparse_linear": "self.sparse({}, {}, {}, {}, {}[0])",
    "conv": "conv({}, {}, stride={}, padding={}, exact=not self.training)",
    "pool": "pool({}, window={}, rank={}, mode='{}')",
    "batch_norm": _batch_norm,
}
_SCALAR: dict[str, str | Callable[[_Lines, Call], Text]] = {
    "exp": "math.exp({})",
    "log": "math.log({})",
    "sqrt": "math.sqrt({})",
    "tanh": "math.tanh({})",
    "sigmoid": "(1.0 / (1.0 + math.exp(-({}))))",
    "floor": "math.floor({})",
    "abs": "abs({})",
    "minimum": "min({}, {})",
    "maximum": "max({}, {})",
    "where": _Lines.choice,
    "cast": "float({})",
    "detach": "{}",
}
PRINTABLE = frozenset({*_TENSOR, *_INFIX, "neg"})
assert set(COMPARISONS) <= PRINTABLE
