"""The test bench, which replays a stimulus and checks itself, with its vectors, makefile and README."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.export.targets._c.names import comment
from engine.export.targets._verilog.expr import span
from engine.export.targets._verilog.plan import Plan, Wires, bits
from engine.program import Source

LARGEST = 30_000  # values that the test vectors may have in all
STEPS = 50


def vectors(signals: Sequence[Wires], values: Mapping[Source, np.ndarray], steps: int) -> str:
    """Whole numbers ``[steps, *shape]`` as text: for every step and signal how many are not 0, and those.

    The first line is the number of steps; after the count of a signal come pairs of element and value.
    """
    flat = [np.asarray(values[w.source], np.int64).reshape(-1, w.size) for w in signals]
    lines = [str(steps)]
    for t in range(steps):
        for one in flat:
            found: list[int] = np.flatnonzero(one[t]).tolist() if t < len(one) else []
            lines.append(" ".join([str(len(found)), *(f"{k} {one[t][k]}" for k in found)]))
    return "\n".join(lines) + "\n"


def test_steps(plan: Plan) -> int:
    """How many steps the test vectors hold."""
    values = sum(w.size for w in (*plan.inputs, *plan.outputs))
    return max(8, min(STEPS, LARGEST // max(values, 1)))


def test_inputs(plan: Plan, steps: int) -> dict[Source, np.ndarray]:
    """A stimulus ``[steps, size]`` for a check: spikes at random, and noise, always the same."""
    rng = np.random.default_rng(0)
    found = {}
    for w in plan.inputs:
        shape = (steps, w.size)
        spikes = w.form.fraction == 0 and w.form.low >= 0
        found[w.source] = rng.random(shape) < 0.1 if spikes else rng.normal(size=shape)
    return found


def bench(plan: Plan) -> str:
    """tb.v."""
    declared, ports, giving, taking = [], [], [], []
    for w in plan.inputs:
        declared += _input_wires(w)
        ports += _input_ports(w)
        giving.append(_give(w))
    for w in plan.outputs:
        declared += _output_wires(w)
        ports += _output_ports(w)
        taking.append(_take(w))
    largest = max((w.size for w in plan.outputs), default=1)
    return _BENCH.format(
        declared="".join(f"    {line}\n" for line in declared),
        ports="".join(f",\n        {line}" for line in ports),
        giving="".join(giving),
        taking="".join(taking),
        largest=largest - 1,
        quiet="".join(f"        {w.name}_write = 1'b0;\n" for w in plan.inputs if not w.vector)
        + "".join(f"        {w.name}_in = {w.size * w.width}'d0;\n" for w in plan.inputs if w.vector)
        + "".join(f"        {w.name}_address = {w.address}'d0;\n" for w in plan.outputs if not w.vector),
        index=bits(max([w.size for w in (*plan.inputs, *plan.outputs)], default=1)),
        inputs="the inputs" if plan.inputs else "nothing",
    )


def _input_wires(w: Wires) -> list[str]:
    if w.vector:
        return [f"reg {span(w.size * w.width)}{w.name}_in;"]
    return [
        f"reg {w.name}_write;",
        f"reg {span(w.address)}{w.name}_write_address;",
        f"reg {span(w.width)}{w.name}_write_data;",
    ]


def _output_wires(w: Wires) -> list[str]:
    if w.vector:
        return [f"wire {span(w.size * w.width)}{w.name}_out;"]
    return [f"reg {span(w.address)}{w.name}_address;", f"wire {span(w.width)}{w.name}_data;"]


def _input_ports(w: Wires) -> list[str]:
    names = ["in"] if w.vector else ["write", "write_address", "write_data"]
    return [f".{w.name}_{name}({w.name}_{name})" for name in names]


def _output_ports(w: Wires) -> list[str]:
    names = ["out"] if w.vector else ["address", "data"]
    return [f".{w.name}_{name}({w.name}_{name})" for name in names]


def _give(w: Wires) -> str:
    """Let a signal of a step arrive."""
    if w.vector:
        element = f"{w.name}_in[where * {w.width} +: {w.width}]" if w.size * w.width > 1 else f"{w.name}_in"
        start, set_, end = (
            f"            {w.name}_in = {w.size * w.width}'d0;\n",
            f"{element} = {_cut(w)};",
            "",
        )
    else:
        start = ""
        place = f"where[{w.address - 1}:0]" if w.address > 1 else "where[0]"
        set_ = (
            f"{w.name}_write = 1'b1;\n                {w.name}_write_address = {place};\n"
            f"                {w.name}_write_data = {_cut(w)};\n                @(negedge clk);"
        )
        end = f"            {w.name}_write = 1'b0;\n"
    return f"""\
            // {comment(w.title)}
            got = $fscanf(given, "%d", count);
{start}            for (n = 0; n < count; n = n + 1) begin
                got = $fscanf(given, "%d %d", where, value);
                {set_}
            end
{end}"""


def _cut(w: Wires) -> str:
    return f"value[{w.width - 1}:0]" if w.width > 1 else "value[0]"


def _take(w: Wires) -> str:
    """Write down a signal of a step, and compare it."""
    if w.vector:
        bit = f"{w.name}_out[n * {w.width} +: {w.width}]" if w.size * w.width > 1 else f"{w.name}_out"
        look = ""
    else:
        bit = f"{w.name}_data"
        place = f"n[{w.address - 1}:0]" if w.address > 1 else "n[0]"
        look = f"                {w.name}_address = {place};\n                @(negedge clk);\n"
    kind = "$signed" if w.signed else "$unsigned"
    text = f"{{{32 - w.width}'d0, {bit}}}" if not w.signed and w.width < 32 else f"{kind}({bit})"
    return f"""\
            // {comment(w.title)}
            expect_next({w.size});
            for (n = 0; n < {w.size}; n = n + 1) begin
{look}                value = {text};
                see("{w.name}");
            end
"""


def makefile(files: Sequence[str], yosys: str) -> str:
    """The makefile; ``yosys``: the synthesis command."""
    return _MAKEFILE.format(sources=" ".join(files), synthesis=yosys)


_MAKEFILE = """\
# make          replay stimulus.txt in Icarus Verilog and compare with expected.txt: prints PASS or FAIL
# make verilated    the same in Verilator (5 or newer)
# make lint         both linters
# make synthesis    cells and memories, by Yosys
SOURCES = {sources}

sim: tb.vvp
\tvvp -n tb.vvp +stimulus=stimulus.txt +expected=expected.txt +output=output.txt

tb.vvp: tb.v $(SOURCES)
\tiverilog -g2005 -Wall -s tb -o $@ tb.v $(SOURCES)

verilated: tb.v $(SOURCES)
\tverilator --binary --timing -O3 -Wno-fatal --top-module tb -Mdir verilated_files -o tb tb.v $(SOURCES)
\t./verilated_files/tb +stimulus=stimulus.txt +expected=expected.txt +output=output.txt

lint: $(SOURCES)
\tverilator --lint-only -Wall --top-module network $(SOURCES)
\tiverilog -g2005 -Wall -t null -s network $(SOURCES)

synthesis: $(SOURCES)
\tyosys -p "read_verilog -defer $(SOURCES); {synthesis}"

clean:
\trm -rf tb.vvp verilated_files output.txt

.PHONY: sim verilated lint synthesis clean
"""
_BENCH = """\
// Replays a stimulus, writes down what the network gives, and compares it with what it has to give.
// Files by plusargs: +stimulus=FILE +expected=FILE (else nothing is compared) +output=FILE
// A file of vectors: the number of steps; for every step and signal, a count and as many pairs of element
// and value.  A line of the output: step, signal, element, value.  What is not there is 0.
module tb;
    reg clk, rst, start;
    wire ready, done;
{declared}
    network network (
        .clk(clk), .rst(rst), .start(start), .ready(ready), .done(done){ports}
    );

    integer given, wanted, output_file, got, steps, same, step, count, n, where, value;
    integer cycles, least, most, wrong;
    integer expected [0:{largest}];
    reg [8*256-1:0] name;
    reg comparing;

    always #5 clk = ~clk;

    task expect_next(input integer size);
        integer k, here, number;
        begin
            if (comparing) begin
                for (k = 0; k < size; k = k + 1)
                    expected[k] = 0;
                got = $fscanf(wanted, "%d", count);
                for (k = 0; k < count; k = k + 1) begin
                    got = $fscanf(wanted, "%d %d", here, number);
                    expected[here] = number;
                end
            end
        end
    endtask

    task see(input [8*64-1:0] signal);
        begin
            if (value != 0)
                $fwrite(output_file, "%0d %0s %0d %0d\\n", step, signal, n, value);
            if (comparing && value != expected[n]) begin
                wrong = wrong + 1;
                if (wrong <= 10)
                    $display("step %0d: %0s[%0d] is %0d, not %0d", step, signal, n, value, expected[n]);
            end
        end
    endtask

    initial begin
        clk = 1'b0;
        rst = 1'b1;
        start = 1'b0;
{quiet}        wrong = 0;
        most = 0;
        least = 0;
        if (!$value$plusargs("stimulus=%s", name))
            name = "stimulus.txt";
        given = $fopen(name, "r");
        if (!$value$plusargs("output=%s", name))
            name = "output.txt";
        output_file = $fopen(name, "w");
        comparing = $value$plusargs("expected=%s", name) != 0;
        wanted = 0;
        if (comparing)
            wanted = $fopen(name, "r");
        if (given == 0 || output_file == 0 || (comparing && wanted == 0)) begin
            $display("FAIL: a file cannot be opened");
            $finish;
        end
        got = $fscanf(given, "%d", steps);
        if (comparing)
            got = $fscanf(wanted, "%d", same);
        if (comparing && same != steps) begin
            $display("FAIL: the files are of %0d and %0d steps", steps, same);
            steps = 0;
            wrong = 1;
        end
        repeat (3) @(negedge clk);
        rst = 1'b0;
        for (step = 0; step < steps; step = step + 1) begin
            @(negedge clk);
            while (!ready)
                @(negedge clk);
{giving}            start = 1'b1;
            @(negedge clk);
            start = 1'b0;
            cycles = 1;
            while (!done) begin
                @(negedge clk);
                cycles = cycles + 1;
            end
            most = cycles > most ? cycles : most;
            least = step == 0 || cycles < least ? cycles : least;
{taking}        end
        $fclose(output_file);
        $display("%0d steps, %0d to %0d clock cycles each", steps, least, most);
        if (wrong != 0)
            $display("FAIL: %0d values differ", wrong);
        else
            $display("%0s", comparing ? "PASS" : "DONE");
        $finish;
    end
endmodule
"""
