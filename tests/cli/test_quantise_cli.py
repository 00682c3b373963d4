"""quantise: one table of what fewer bits cost, and weights that other commands take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from engine.document import load, save
from tests.cli.conftest import Myelin
from tests.cli.networks import classifier

pytestmark = pytest.mark.filterwarnings("ignore:.* was deprecated in Matplotlib:DeprecationWarning")
ROOT = Path(__file__).resolve().parents[2]
TRAINED = ROOT / "tests" / "fixtures" / "export" / "spoken-digits.safetensors"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A document with one run of 8 hidden neurons, which only the run knows of."""
    from engine.cli import main

    file = classifier(tmp_path_factory.mktemp("quantise") / "two.myelin", epochs=8)
    assert main(["train", str(file), "--set", "hidden.size=[8]", "--set", 'hidden.train=["tau_mem"]']) == 0
    return file


def rows(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text)["rows"]
    return found


def test_one_table_with_before_and_after(myelin: Myelin, trained: Path) -> None:
    done = myelin("quantise", trained, "--bits", "8,2", "--per", "tensor,channel")
    assert done.status == 0
    lines = done.out.splitlines()
    assert lines[0].split() == ["weights", "size", "before", "quantised"]
    assert [line.split("  ")[0] for line in lines[1:6]] == [
        "float",
        "8 bits per tensor",
        "2 bits per tensor",
        "8 bits per channel",
        "2 bits per channel",
    ]
    assert "320 B" in lines[1]  # 8 channels x 8 neurons, 8 x 2 classes, 4 bytes each
    assert "88 B" in lines[2]  # one each, and two scales
    assert "split 'test', 8 samples, chance 50.0 %" in done.out
    assert "2 bits per channel: " in done.err


def test_eval_reproduces_what_the_table_says(myelin: Myelin, trained: Path, tmp_path: Path) -> None:
    """Also with a rounded state, whose range was measured, and neurons that only the run had."""
    kept = tmp_path / "few.safetensors"
    bits = ["--bits", "3", "--state-bits", "4", "--delay-bits", "1", "--neuron-bits", "2"]
    done = myelin("quantise", trained, *bits, "-o", kept, "--json")
    assert done.status == 0, done.err
    before, after = rows(done.out)
    judged = json.loads(myelin("eval", trained, "--weights", kept, "--json").out)
    assert judged["accuracy"] == after["result"]["accuracy"]
    assert judged["loss"] == after["result"]["loss"] != before["result"]["loss"]
    assert judged["confusion"] == after["result"]["confusion"]


def test_kept_weights_are_whole_multiples_of_a_scale(myelin: Myelin, trained: Path, tmp_path: Path) -> None:
    kept = tmp_path / "few.safetensors"
    assert myelin("quantise", trained, "--bits", "3", "--delay-bits", "1", "-o", kept).status == 0
    tensors = load_file(kept)
    weights = [x for key, x in tensors.items() if key.endswith(":weight")]
    (delays,) = [x for key, x in tensors.items() if key.endswith(":delay")]
    for weight in weights:
        sizes = np.unique(np.abs(weight))
        scale = sizes[-1] / 3
        assert len(sizes) <= 4
        assert np.isin(sizes, np.float32([0, 1, 2, 3]) * scale.astype(np.float32)).all()
    assert set(np.unique(delays)) <= {0.0, 3.0}  # of 0 to 5


def test_training_on_quantised_is_in_the_table_and_in_the_file(
    myelin: Myelin, trained: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "trained.safetensors"
    chosen = ["--bits", "2", "--train", "4", "--recipe", "lr=0.02", "-o", kept]
    done = myelin("quantise", trained, *chosen, "--json")
    assert done.status == 0, done.err
    control, quantised = rows(done.out)
    assert control["weights"] == 32
    assert control["trained"]["loss"] != control["result"]["loss"]
    assert quantised["trained"]["loss"] < quantised["result"]["loss"]
    judged = json.loads(myelin("eval", trained, "--weights", kept, "--json").out)
    assert judged["loss"] == quantised["trained"]["loss"]
    assert done.err.count("2 bits per tensor: epoch ") == 4
    runs = list(trained.with_suffix(".runs").iterdir())
    assert len(runs) == 1, "no run of the document's own"


def test_a_document_may_itself_ask_for_bits(myelin: Myelin, tmp_path: Path) -> None:
    """Training, evaluation and the table's first row: quantised, quantised, and as if nothing was asked."""
    file = classifier(tmp_path / "two.myelin", epochs=3, quantise_weights=2)
    assert myelin("train", file).status == 0
    asked = json.loads(myelin("eval", file, "--json").out)
    plain, two, *_ = rows(myelin("quantise", file, "--bits", "2", "--json").out)
    assert two["result"]["loss"] == asked["loss"] != plain["result"]["loss"]
    document = load(file)
    document.edit("none", [{"op": "set", "path": ["recipes", "train", "quantise_weights"], "value": 0}])
    save(document, file)
    assert json.loads(myelin("eval", file, "--json").out)["loss"] == plain["result"]["loss"]


def test_a_rounded_state_needs_a_range(myelin: Myelin, trained: Path, tmp_path: Path) -> None:
    document = load(trained)
    document.edit("bits", [{"op": "set", "path": ["recipes", "train", "quantise_state"], "value": 4}])
    file = tmp_path / "two.myelin"
    save(document, file)
    (run,) = trained.with_suffix(".runs").iterdir()
    done = myelin("eval", file, "--weights", run)
    assert done.status == 1
    assert "nobody has measured yet how large it gets" in done.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--bits", "8,4", "-o", "x.safetensors"], "--out keeps one network"),
        (["--bits", "4", "-o", "x.bin"], "ends in .safetensors"),
        (["--bits", "1"], "quantise_weights takes 2 to 16 bits"),
        (["--bits", "four"], "--bits takes numbers separated by commas, not 'four'"),
        (["--per", "tensr"], "--per cannot be 'tensr' (did you mean tensor?)"),
        (["--scale", "big"], "--scale cannot be 'big'"),
        (["--state-bits", "40"], "quantise_state takes 2 to 16 bits"),
        (["--split", "nowhere"], "nowhere"),
        (["--weights", "missing"], "missing: there is no such file or folder"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    myelin: Myelin, trained: Path, arguments: list[str], sentence: str
) -> None:
    done = myelin("quantise", trained, *arguments)
    assert done.status in (1, 2)
    assert sentence in done.err
    assert done.err.count("\n") == 1
    assert not Path("x.safetensors").exists()


@pytest.mark.slow
def test_spoken_digits_lose_much_with_two_bits(myelin: Myelin) -> None:
    """On 320 recordings of voices that training never heard; chance 5 %."""
    document = ROOT / "projects" / "spoken-digits" / "spoken-digits.myelin"
    done = myelin("quantise", document, "--weights", TRAINED, "--bits", "2", "--split", "unseen", "--json")
    assert done.status == 0, done.err
    before, two = (row["result"]["accuracy"] for row in rows(done.out))
    assert before > 0.5
    assert 0.2 < two < before - 0.05
