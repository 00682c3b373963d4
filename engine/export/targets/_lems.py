"""A step as the Dynamics of a LEMS ComponentType.

LEMS integrates differential equations; a step of ours is no such thing, so it stands in OnCondition blocks
that hold in every step.  jNeuroML runs the blocks and the assignments in them one after the other, and
delivers an event without delay to the cells that come later within the same step: exactly our order.  A
comparison is a block of its own that sets an indicator to 1.
"""

from __future__ import annotations

from collections import Counter
from xml.sax.saxutils import escape

import numpy as np

from engine.codegen.expr import Call, Constant, Expr, Symbol, call, order
from engine.codegen.printer import readable
from engine.export.frozen import Unit

ALWAYS = "t .gt. BEGIN"
_SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "^"}
_TESTS = {"lt": ".lt.", "le": ".leq.", "gt": ".gt.", "ge": ".geq.", "and": ".and.", "or": ".or."}
_FUNCTIONS = {"exp": "exp", "log": "ln", "sqrt": "sqrt", "abs": "abs", "tanh": "tanh"}
SYNAPSE = """    <ComponentType name="arrivalSynapse" extends="basePointCurrentDL"
                   description="Counts what has arrived so far; the cell takes what is new in each step.">
        <Property name="weight" dimension="none" defaultValue="1"/>
        <EventPort name="in" direction="in"/>
        <Dynamics>
            <StateVariable name="I" dimension="none" exposure="I"/>
            <OnStart><StateAssignment variable="I" value="0"/></OnStart>
            <OnEvent port="in"><StateAssignment variable="I" value="I + weight"/></OnEvent>
        </Dynamics>
    </ComponentType>
"""


class ComponentType:
    """The type of a population's cells.  ``variables``: output port -> the variable that is exposed."""

    def __init__(self, unit: Unit, name: str) -> None:
        self.unit, self.name = unit, name
        self.names: dict[Expr, str] = {}
        self.steps: list[tuple[str, str, str]] = []  # (test, variable, value)
        self.indicators: dict[str, str] = {}  # test -> its variable
        traced = unit.traced
        for symbol in (found for found in traced.order() if isinstance(found, Symbol)):
            self.names[symbol] = f"{symbol.role}_{symbol.name}" if symbol.role != "state" else symbol.name
        self.states = {symbol.name: name for name, symbol in traced.state.items()}
        self.names |= {symbol: symbol.name for symbol in traced.state.values()}
        self.parameters = {
            self.names[s]: s.name for s in self.names if isinstance(s, Symbol) and s.name in unit.values
        }
        self.variables = self._step()

    def _step(self) -> dict[str, str]:
        traced = self.unit.traced
        seen = readable([*traced.new_state.values(), *traced.outputs.values()])
        roots = [*(seen[e] for e in traced.new_state.values()), *(seen[e] for e in traced.outputs.values())]
        uses = Counter(arg for expr in order(roots) for arg in expr.args) + Counter(roots)
        for expr in order(roots):
            if isinstance(expr, Call) and expr.op not in _TESTS and uses[expr] > 1:
                self._define(expr, f"h{len(self.steps)}")
        for name, expr in traced.new_state.items():
            self._assign(f"new_{name}", self.text(seen[expr]))
        found = {}
        for port, expr in traced.outputs.items():
            self._assign(f"out_{port}", self.text(seen[expr]))
            found[port] = f"out_{port}"
        for name in traced.new_state:
            self._assign(name, f"new_{name}")
        return found

    def _define(self, expr: Expr, name: str) -> None:
        self._assign(name, self.text(expr))
        self.names[expr] = name

    def _assign(self, name: str, value: str) -> None:
        self.steps.append((ALWAYS, name, value))

    def text(self, expr: Expr) -> str:
        """An expression in LEMS, with every parenthesis; what it compares is decided in blocks before."""
        if expr in self.names:
            return self.names[expr]
        if isinstance(expr, Constant):
            return repr(float(expr.value)) if expr.value >= 0 else f"(0 - {-float(expr.value)!r})"
        assert isinstance(expr, Call), f"{expr} has no name"
        if expr.op in _TESTS:
            a, b = (self.text(arg) for arg in expr.args)
            return f"({a}) {_TESTS[expr.op]} ({b})"
        if expr.op == "cast":
            return self._indicator(expr.args[0])
        if expr.op == "where":
            return self._choice(self._indicator(expr.args[0]), *expr.args[1:])
        if expr.op in ("minimum", "maximum"):
            left, right = expr.args
            first_wins = call("lt" if expr.op == "minimum" else "gt", left, right)
            return self._choice(self._indicator(first_wins), left, right)
        args = [self.text(arg) for arg in expr.args]
        if expr.op in _SIGNS:
            return f"({args[0]} {_SIGNS[expr.op]} {args[1]})"
        return _unary(expr.op, args[0])

    def _indicator(self, condition: Expr) -> str:
        test = self.text(condition)
        if test not in self.indicators:
            name = self.indicators[test] = f"k{len(self.indicators)}"
            self._assign(name, "0")
            self.steps.append((test, name, "1"))
        return self.indicators[test]

    def _choice(self, indicator: str, yes: Expr, no: Expr) -> str:
        return f"(({indicator} * {self.text(yes)}) + ((1 - {indicator}) * {self.text(no)}))"

    def xml(self) -> str:
        """The whole element."""
        inputs = [self.names[s] for s in self.unit.traced.inputs.values()]
        variables = list(
            dict.fromkeys([*self.states, "heard", *inputs, *(name for _, name, _ in self.steps)])
        )
        exposed = set(self.variables.values())
        lines = [f'    <ComponentType name="{self.name}" extends="baseSpikingCell"']
        title = escape(f"{self.unit.op.name}: {self.unit.op.spec.label}", _QUOTE)
        lines.append(f'                   description="{title}">')
        lines += [
            f'        <Parameter name="{name}" dimension="none"/>'
            for name in [*self.parameters, *self._firsts()]
        ]
        lines.append('        <Constant name="BEGIN" dimension="time" value="-1s"/>')
        lines.append('        <Attachments name="synapses" type="basePointCurrentDL"/>')
        lines += [f'        <Exposure name="{name}" dimension="none"/>' for name in sorted(exposed)]
        lines.append("        <Dynamics>")
        for name in variables:
            shown = f' exposure="{name}"' if name in exposed else ""
            lines.append(f'            <StateVariable name="{name}" dimension="none"{shown}/>')
        lines.append(
            '            <DerivedVariable name="total" dimension="none" select="synapses[*]/I" reduce="add"/>'
        )
        lines.append("            <OnStart>")
        starts = {name: f"first_{name}" if name in self.states else "0" for name in variables}
        lines += [_assignment(name, value) for name, value in starts.items()]
        lines.append("            </OnStart>")
        heard = [(ALWAYS, name, "total - heard") for name in inputs] + [(ALWAYS, "heard", "total")]
        lines += _blocks([*heard, *self.steps])
        if "spikes" in self.variables:
            test = f"{self.variables['spikes']} .gt. 0.5"
            lines.append(f'            <OnCondition test="{test}"><EventOut port="spike"/></OnCondition>')
        return "\n".join([*lines, "        </Dynamics>", "    </ComponentType>", ""])

    def _firsts(self) -> list[str]:
        return [f"first_{name}" for name in self.states]

    def component(self, id: str, neuron: int | None) -> str:
        """A component of the type, with the values of one neuron, or of all where they are the same."""
        unit, at = self.unit, neuron or 0
        values = {name: unit.values[key] for name, key in self.parameters.items()}
        values |= {f"first_{name}": unit.first[key] for name, key in self.states.items()}
        own = " ".join(f'{name}="{_at(value, at)!r}"' for name, value in values.items())
        return f'    <{self.name} id="{id}" {own}/>'


_QUOTE = {'"': "&quot;"}


def _at(value: object, neuron: int) -> float:
    flat = np.asarray(value, np.float64).ravel()
    return float(flat[neuron if flat.size > 1 else 0])


def _unary(op: str, x: str) -> str:
    match op:
        case "neg":
            return f"(0 - {x})"
        case "floor":
            return f"(0 - ceil(0 - {x}))"
        case "sigmoid":
            return f"(1 / (1 + exp(0 - {x})))"
    return f"{_FUNCTIONS[op]}({x})"


def _assignment(name: str, value: str) -> str:
    return f'                <StateAssignment variable="{name}" value="{escape(value)}"/>'


def _blocks(steps: list[tuple[str, str, str]]) -> list[str]:
    """OnCondition blocks, one for assignments of the same test that follow one another."""
    lines, last = [], ""
    for test, name, value in steps:
        if test != last:
            lines += ["            </OnCondition>"] * bool(last)
            lines.append(f'            <OnCondition test="{escape(test)}">')
        lines.append(_assignment(name, value))
        last = test
    return [*lines, "            </OnCondition>"]
