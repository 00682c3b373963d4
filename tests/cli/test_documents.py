"""check --fix, compile, and the changes a command line makes to a document."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engine.cli._documents import assign, set_delays, set_recipe
from engine.cli._failures import UsageError
from engine.compile import compile_document
from engine.compile.pipeline import pipeline
from engine.document import load
from tests.cli.conftest import Myelin
from tests.cli.networks import classifier, oscillator
from tests.cli.test_broken import BROKEN, EXPECTED


def test_a_sound_file_has_no_problems(myelin: Myelin, tmp_path: Path) -> None:
    file = oscillator(tmp_path / "osc.myelin")
    assert myelin("check", file) == (0, f"{file}: no problems\n", "")


@pytest.mark.parametrize(
    "name",
    [
        "value-out-of-range",
        "parameter-unknown",
        "port-missing-input",
        "kinds-do-not-fit",
        "loop-without-delay",
        "delays-of-wrong-granularity",
    ],
)
def test_fix_mends_and_saves(myelin: Myelin, tmp_path: Path, name: str) -> None:
    file = tmp_path / "broken.myelin"
    shutil.copy(BROKEN / f"{name}.myelin", file)
    done = myelin("check", "--fix", file)
    assert done.status == 0, done.out
    assert f"{file}: fixed: " in done.out
    assert compile_document(load(file)).errors == ()


def test_fix_leaves_alone_what_it_cannot_mend(myelin: Myelin, tmp_path: Path) -> None:
    file = tmp_path / "broken.myelin"
    shutil.copy(BROKEN / "type-unknown.myelin", file)
    before = file.read_bytes()
    done = myelin("check", "--fix", file)
    assert done.status == 1
    assert EXPECTED["type-unknown.myelin"]["contains"] in done.out
    assert file.read_bytes() == before


def test_compile_prints_the_program(myelin: Myelin, tmp_path: Path) -> None:
    done = myelin("compile", classifier(tmp_path / "two.myelin"))
    assert done.status == 0
    assert done.out.startswith('program "two classes"  dt 1 ms  seed 3\nstage 0: whole sequence\n')
    assert "delays[learnable per synapse, 0..5 steps]" in done.out


def test_compile_prints_after_passes(myelin: Myelin, tmp_path: Path) -> None:
    file = oscillator(tmp_path / "osc.myelin")
    done = myelin("compile", file, "--print-after", "all")
    assert [line for line in done.out.splitlines() if line.startswith("-- after ")] == [
        f"-- after {name}" for name in pipeline()
    ]
    assert myelin("compile", file, "--print-after", "lower").out.count("-- after ") == 1


def test_compile_names_the_nearest_pass(myelin: Myelin, tmp_path: Path) -> None:
    done = myelin("compile", oscillator(tmp_path / "osc.myelin"), "--print-after", "shedule")
    assert done == (2, "", "myelin: there is no pass 'shedule' (did you mean schedule?)\n")


@pytest.mark.parametrize("command", ["compile", "train", "run"])
def test_a_network_with_problems_ends_the_command(myelin: Myelin, tmp_path: Path, command: str) -> None:
    file = tmp_path / "broken.myelin"
    shutil.copy(BROKEN / "value-out-of-range.myelin", file)
    done = myelin(command, file)
    assert done.status == 1
    assert done.out == ""
    assert done.err == f"{file}: {EXPECTED['value-out-of-range.myelin']['contains']}\n"
    assert list(tmp_path.iterdir()) == [file], "nothing is written"


def test_set_takes_json_and_text(tmp_path: Path) -> None:
    document = load(classifier(tmp_path / "two.myelin"))
    assign(
        document,
        [
            "hidden.tau_mem=7.5",
            "hidden.size=[12]",
            "hidden.reset=subtract",
            "delays.learn=false",
            "spikes_npz.held_out=12",
        ],
    )
    params = {node.name: node.params for node in document.nodes.values()}
    assert params["hidden"]["tau_mem"] == 7.5
    assert params["hidden"]["size"] == [12]
    assert params["hidden"]["reset"] == "subtract"
    assert params["delays"]["learn"] is False
    assert params["spikes_npz"]["held_out"] == "12", "a parameter that holds text takes digits as text"


def test_set_takes_an_id(tmp_path: Path) -> None:
    document = load(classifier(tmp_path / "two.myelin"))
    node_id = document.find("hidden")
    assign(document, [f"{node_id}.tau_mem=3"])
    assert document.nodes[node_id].params["tau_mem"] == 3


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("hiden.tau_mem=1", "there is no node 'hiden' (did you mean hidden?)"),
        ("hidden.tau_men=1", "'hidden' (LIF) has no parameter 'tau_men' (did you mean tau_mem?)"),
        ("hidden.tau_mem", "--set takes node.param=value, not 'hidden.tau_mem'"),
        ("tau_mem=1", "--set takes node.param=value, not 'tau_mem=1'"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, setting: str, sentence: str) -> None:
    document = load(classifier(tmp_path / "two.myelin"))
    with pytest.raises(UsageError) as caught:
        assign(document, [setting])
    assert str(caught.value) == sentence


def test_an_impossible_value_is_a_diagnostic(myelin: Myelin, tmp_path: Path) -> None:
    file = oscillator(tmp_path / "osc.myelin")
    done = myelin("run", file, "--set", "cells.tau_mem=-1")
    assert done.status == 1
    assert done.err == f"{file}: error MYL110: 'cells': tau_mem must be at least 0.01 ms, not -1\n"


def test_recipes_are_set_and_misspellings_named(tmp_path: Path) -> None:
    document = load(oscillator(tmp_path / "osc.myelin"))
    set_recipe(document, "train", ["epochs=3", "optimiser=sgd"])
    assert document.recipes["train"] == {"epochs": 3, "optimiser": "sgd"}
    with pytest.raises(UsageError, match=r"no setting 'epoch' \(did you mean epochs\?\)"):
        set_recipe(document, "train", ["epoch=3"])
    with pytest.raises(UsageError, match="key=value"):
        set_recipe(document, "train", ["epochs"])


def test_delays_fixed_and_none(tmp_path: Path) -> None:
    document = load(classifier(tmp_path / "two.myelin"))
    set_delays(document, "fixed")
    assert document.nodes[document.find("delays")].params["learn"] is False
    set_delays(document, "learned")
    assert document.nodes[document.find("delays")].params["learn"] is True
    wires = len(document.wires)
    set_delays(document, "none")
    assert "delays" not in document.names()
    assert len(document.wires) == wires - 1
    assert compile_document(document).errors == ()


def test_the_command_says_which_delays_there_are(myelin: Myelin, tmp_path: Path) -> None:
    done = myelin("train", classifier(tmp_path / "two.myelin"), "--delays", "fixd")
    assert done == (2, "", "myelin: --delays cannot be 'fixd' (did you mean fixed?)\n")


def test_json_of_a_sound_file(myelin: Myelin, tmp_path: Path) -> None:
    (found,) = json.loads(myelin("check", oscillator(tmp_path / "osc.myelin"), "--json").out)
    assert found["diagnostics"] == []
    assert found["status"] == 0
