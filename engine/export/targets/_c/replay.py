"""main.c, which replays a stimulus or checks itself, with its test vectors, makefile and boards."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.export.targets._c.layout import Layout, Signal
from engine.export.targets._c.names import comment
from engine.export.targets._c.tables import table
from engine.program import Source

LARGEST = 30_000  # values that the test vectors may have in all
STEPS = 200


def test_steps(layout: Layout) -> int:
    """How many steps the test vectors hold."""
    values = sum(signal.size for signal in (*layout.inputs, *layout.outputs))
    return max(8, min(STEPS, LARGEST // max(values, 1)))


def test_inputs(layout: Layout, steps: int) -> dict[Source, np.ndarray]:
    """A stimulus ``[steps, size]`` for a check: spikes at random, and noise, always the same."""
    rng = np.random.default_rng(0)
    found = {}
    for signal in layout.inputs:
        shape = (steps, signal.size)
        found[signal.source] = rng.random(shape) < 0.1 if signal.whole else rng.normal(size=shape)
    return found


def test_vectors(
    layout: Layout, inputs: Mapping[Source, np.ndarray], outputs: Mapping[Source, np.ndarray]
) -> str:
    """test_vectors.h: ``[steps, size]`` of every input and expected output, as their types in C."""
    both = {**inputs, **outputs}
    steps = len(next(iter(both.values()), ()))
    tables = [
        table(signal.ctype, f"test_{signal.name}", both[signal.source].reshape(steps, -1))
        for signal in (*layout.inputs, *layout.outputs)
    ]
    head = (
        "/* A stimulus, and what the network must answer: worked out by Myelin Studio, not by this code. */"
    )
    guard = "#ifndef TEST_VECTORS_H\n#define TEST_VECTORS_H\n"
    return f"{head}\n{guard}\n#define TEST_STEPS {steps}\n\n" + "\n".join(tables) + "\n#endif\n"


def main(layout: Layout, tolerance: float) -> str:
    """main.c.  ``tolerance``: of real numbers in the check, relative to what is expected, or to 1."""
    buffers = "".join(f"static {s.ctype} {s.name}[{s.size}];\n" for s in (*layout.inputs, *layout.outputs))
    arguments = ", ".join(s.name for s in (*layout.inputs, *layout.outputs))
    reading = "".join(
        f"        for (n = 0; n < {s.size}; n++) {{\n{_read(s)}        }}\n" for s in layout.inputs
    )
    counter = "    int n;\n" if layout.inputs else ""
    counter += "    float value;\n" if any(s.ctype == "float" for s in layout.inputs) else ""
    counter += "    long count;\n" if any(s.ctype != "float" for s in layout.inputs) else ""
    writing = "".join(f"        {_print(s)}\n" for s in layout.outputs)
    checking = "".join(_check(s) for s in layout.outputs)
    given = [f"test_{s.name}[step]" for s in layout.inputs]
    test_arguments = ", ".join([*given, *(s.name for s in layout.outputs)])
    printers = "\n".join(_printer(t) for t in sorted({s.ctype for s in layout.outputs}))
    return _MAIN.format(
        title=comment(layout.frozen.program.title),
        buffers=buffers,
        printers=printers,
        counter=counter,
        reading=reading,
        arguments=arguments,
        writing=writing,
        checking=checking,
        test_arguments=test_arguments,
        tolerance=f"{tolerance:g}f",
        index=", n" if layout.outputs else "",
        near=_NEAR if any(s.ctype == "float" for s in layout.outputs) else "",
        parser=_PARSER if layout.inputs else "",
    )


def _read(signal: Signal) -> str:
    """Take the next value of the stimulus file."""
    form, into = ("%f", "value") if signal.ctype == "float" else ("%ld", "count")
    return f"""\
            if (fscanf(file, "{form}", &{into}) != 1) {{
                printf("the stimulus ends in step %ld\\n", step);
                return 1;
            }}
            {signal.name}[n] = ({signal.ctype}){into};
"""


def _print(signal: Signal) -> str:
    return f'print_{signal.ctype}(step, "{signal.name}", {signal.name}, {signal.size});'


def _printer(ctype: str) -> str:
    """A line with step, name and values: of counts only those that are not 0, with their index."""
    counts = ctype in ("uint8_t", "uint16_t")
    inside = 'if (x[n] != 0) {\n            printf(" %d:%d", n, x[n]);\n        }'
    form, kind = ("%.9g", "double") if ctype == "float" else ("%ld", "long")
    plain = f'printf(" {form}", ({kind})x[n]);'
    return f"""\
static void print_{ctype}(long step, const char *name, const {ctype} *x, int size)
{{
    int n;
    printf("%ld %s", step, name);
    for (n = 0; n < size; n++) {{
        {inside if counts else plain}
    }}
    printf("\\n");
}}
"""


def _check(signal: Signal) -> str:
    wrong = f"{signal.name}[n] != test_{signal.name}[step][n]"
    if signal.ctype == "float":
        wrong = f"!near({signal.name}[n], test_{signal.name}[step][n])"
    return f"""\
        for (n = 0; n < {signal.size}; n++) {{
            if ({wrong}) {{
                printf("step %d: {signal.name}[%d] is wrong\\n", step, n);
                return 1;
            }}
        }}
"""


_NEAR = """
static int near(float a, float b)
{
    const float most = b > 1.0f ? b : b < -1.0f ? -b : 1.0f;
    return a - b <= TOLERANCE * most && b - a <= TOLERANCE * most;
}
"""
_PARSER = """\
/* The file holds the number of steps, then for every step the values of all inputs, in their order. */
"""
_MAIN = """\
/* {title}: replays the stimulus in the file that is named, and prints what the network does, step by step;
 * without a file it checks itself against test_vectors.h.
 *
 * A printed line is: step, output, and the values; of spikes only the neurons that fire, as neuron:count.
 */
#include "network.h"
#include "test_vectors.h"

#include <stdio.h>

#define TOLERANCE {tolerance}

{buffers}
{printers}{near}
{parser}static int replay(FILE *file)
{{
    long step, steps;
{counter}    if (fscanf(file, "%ld", &steps) != 1) {{
        printf("the stimulus does not begin with the number of steps\\n");
        return 1;
    }}
    network_reset();
    for (step = 0; step < steps; step++) {{
{reading}        network_step({arguments});
{writing}    }}
    return 0;
}}

static int check(void)
{{
    int step{index};
    network_reset();
    for (step = 0; step < TEST_STEPS; step++) {{
        network_step({test_arguments});
{checking}    }}
    printf("ok: %d steps\\n", TEST_STEPS);
    return 0;
}}

int main(int argc, char **argv)
{{
#ifdef NETWORK_STIMULUS  /* where there is no command line */
    static char *own[] = {{"network", NETWORK_STIMULUS, NULL}};
    argc = 2;
    argv = own;
#endif
    if (argc > 1) {{
        FILE *file = fopen(argv[1], "r");
        int status;
        if (file == NULL) {{
            printf("%s cannot be read\\n", argv[1]);
            return 1;
        }}
        status = replay(file);
        fclose(file);
        return status;
    }}
    return check();
}}
"""

MAKEFILE = """\
# make         build ./replay, which replays a stimulus file, or checks itself
# make check   the network against its test vectors
# make arm     network.o for a Cortex-M, with its size
# make check-arm    the same check on a Cortex-M in QEMU
CC ?= cc
CFLAGS ?= -O2
EXACT = -std=c99 -pedantic -Wall -Wextra -Werror -ffp-contract=off

BOARD ?= mps2-an386
CPU_mps2-an386 = -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard
CPU_lm3s6965evb = -mcpu=cortex-m3
ARM = arm-none-eabi-
ARMFLAGS = -mthumb $(CPU_$(BOARD)) -O2 -ffunction-sections -fdata-sections $(EXACT)

all: replay

replay: network.c main.c network.h test_vectors.h
\t$(CC) $(CFLAGS) $(EXACT) -o $@ network.c main.c -lm

check: replay
\t./replay

arm: network.c network.h
\t$(ARM)gcc $(ARMFLAGS) -c -o network.o network.c
\t$(ARM)size network.o

replay-$(BOARD).elf: network.c main.c network.h test_vectors.h arm/startup.c arm/$(BOARD).ld
\t$(ARM)gcc $(ARMFLAGS) $(DEFINES) --specs=rdimon.specs -nostartfiles -Wl,--gc-sections \\
\t\t-T arm/$(BOARD).ld -o $@ network.c main.c arm/startup.c -lm

check-arm: replay-$(BOARD).elf
\tqemu-system-arm -M $(BOARD) -nographic -semihosting-config enable=on,target=native -kernel $<

clean:
\trm -f replay network.o replay-*.elf

.PHONY: all check arm check-arm clean
"""

STARTUP = """\
/* From reset to main() on a Cortex-M; files and text go through the debugger (semihosting). */
#include <stdint.h>
#include <stdlib.h>

extern uint32_t stack_top, data_stored, data_start, data_end, bss_start, bss_end;
extern void initialise_monitor_handles(void);
int main(int argc, char **argv);
void reset_handler(void);
void fault(void);
void _init(void);
void _fini(void);

void _init(void)
{
}

void _fini(void)
{
}

void fault(void)
{
    exit(1);
}

void reset_handler(void)
{
    uint32_t *from = &data_stored, *to;
    for (to = &data_start; to < &data_end; to++) {
        *to = *from++;
    }
    for (to = &bss_start; to < &bss_end; to++) {
        *to = 0;
    }
#ifdef __ARM_FP
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20;  /* the floating-point unit is off after reset */
    __asm volatile("dsb\\n\\tisb");
#endif
    initialise_monitor_handles();
    exit(main(0, 0));
}

__attribute__((section(".vectors"), used)) static void (*const vectors[])(void) = {
    (void (*)(void))(uintptr_t)&stack_top, reset_handler, fault, fault, fault, fault, fault,
};
"""

_LINKER = """\
/* {board}: {flash} of memory for code and tables, {ram} for data. */
MEMORY
{{
    FLASH (rx) : ORIGIN = 0x0, LENGTH = {flash}
    RAM (rwx) : ORIGIN = 0x20000000, LENGTH = {ram}
}}
ENTRY(reset_handler)
SECTIONS
{{
    .text : {{ KEEP(*(.vectors)) *(.text*) *(.rodata*) *(.init*) *(.fini*) . = ALIGN(4); }} > FLASH
    .ARM.exidx : {{ *(.ARM.exidx*) . = ALIGN(4); }} > FLASH
    data_stored = LOADADDR(.data);
    .data : {{ data_start = .; *(.data*) . = ALIGN(4); data_end = .; }} > RAM AT> FLASH
    .bss (NOLOAD) : {{
        bss_start = .; __bss_start__ = .; *(.bss*) *(COMMON) . = ALIGN(4); bss_end = .; __bss_end__ = .;
    }} > RAM
    . = ALIGN(8);
    end = .; _end = .; __end__ = .;
    stack_top = ORIGIN(RAM) + LENGTH(RAM);
}}
"""
BOARDS = {"mps2-an386": ("4M", "4M"), "lm3s6965evb": ("256K", "64K")}


def linker(board: str) -> str:
    """The linker script of a board that QEMU knows."""
    flash, ram = BOARDS[board]
    return _LINKER.format(board=board, flash=flash, ram=ram)
