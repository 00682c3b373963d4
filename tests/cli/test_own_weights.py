"""run, eval and train start from the weights that a document names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from engine.document import load, save, weights
from tests.cli.conftest import Myelin
from tests.cli.networks import classifier


def own(myelin: Myelin, folder: Path) -> tuple[Path, Path]:
    """A document that names the weights of a run of two epochs, and these."""
    file = classifier(folder / "two.myelin")
    assert myelin("train", file, "--out", folder / "run").status == 0
    document = load(file)
    chosen = folder / "run" / "checkpoint.safetensors"
    document.edit("Use", weights.starting_from(document, chosen, folder))
    save(document, file)
    return file, chosen


def test_eval_and_run_use_them_and_weights_override(myelin: Myelin, tmp_path: Path) -> None:
    file, chosen = own(myelin, tmp_path)
    found = json.loads(myelin("eval", file, "--json").out)
    given = json.loads(myelin("eval", file, "--json", "--weights", chosen).out)
    assert found["weights"] == str(chosen)
    assert found["loss"] == given["loss"]
    other = tmp_path / "other.safetensors"
    save_file({key: np.zeros_like(value) for key, value in load_file(chosen).items()}, other)
    assert json.loads(myelin("eval", file, "--json", "--weights", other).out)["loss"] != found["loss"]
    ran = myelin("run", file, "--out", tmp_path / "ran", "--json")
    assert json.loads(ran.out)["weights"] == str(chosen)
    assert "untrained" not in ran.err


def test_training_starts_from_them(myelin: Myelin, tmp_path: Path) -> None:
    file, chosen = own(myelin, tmp_path)
    still = ("--epochs", "1", "--lr", "0", "--recipe", "delay_lr=0", "--out", tmp_path / "still")
    assert myelin("train", file, *still).status == 0
    before, after = load_file(chosen), load_file(tmp_path / "still" / "checkpoint.safetensors")
    for key, value in before.items():
        if key.startswith("network/"):
            assert (after[key] == value).all(), key
    record = json.loads((tmp_path / "still" / "run.json").read_text())
    assert record["starts_from"] == "run/checkpoint.safetensors"
    again = myelin("train", tmp_path / "still" / "document.myelin", "--out", tmp_path / "again")
    assert (again.status, again.err.count("cannot start")) == (0, 0)
    one, other = (load_file(tmp_path / name / "checkpoint.safetensors") for name in ("still", "again"))
    assert all((other[key] == value).all() for key, value in one.items() if key.startswith("network/"))


def test_missing_or_unfitting_ones_are_one_sentence(myelin: Myelin, tmp_path: Path) -> None:
    file, chosen = own(myelin, tmp_path)
    unfit = myelin("run", file, "--set", "hidden.size=[7]")
    assert (unfit.status, unfit.err.count("\n")) == (1, 1)
    assert "cannot start from the weights" in unfit.err
    chosen.unlink()
    for command in ("run", "eval", "train"):
        done = myelin(command, file)
        assert (done.status, done.err.count("\n")) == (1, 1)
        assert "there is no checkpoint" in done.err
