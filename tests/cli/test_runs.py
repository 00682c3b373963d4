"""train, eval and run: small networks from a file to records and back."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import runs
from engine.cli import _runs
from engine.document import load, save
from tests.cli.conftest import Myelin
from tests.cli.networks import classifier, oscillator

# Lightning imports the plotting packages it finds installed, and theirs of today disagree with one another.
pytestmark = pytest.mark.filterwarnings("ignore:.* was deprecated in Matplotlib:DeprecationWarning")
ROOT = Path(__file__).resolve().parents[2]


def record(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return found


def curve(folder: Path) -> list[list[str]]:
    """Every measurement but those of speed."""
    rows = csv.DictReader((folder / "metrics.csv").read_text(encoding="utf-8").splitlines())
    return [[value for key, value in row.items() if key not in ("seconds", "samples_per_s")] for row in rows]


def only_run(file: Path) -> Path:
    (folder,) = file.with_suffix(".runs").iterdir()
    return folder


def test_train_keeps_its_records_beside_the_document(myelin: Myelin, tmp_path: Path) -> None:
    file = classifier(tmp_path / "two.myelin")
    done = myelin("train", file)
    assert done.status == 0
    folder = only_run(file)
    assert {"run.json", "metrics.csv", "checkpoint.safetensors", "document.myelin"} <= {
        path.name for path in folder.iterdir()
    }
    assert done.err.count("two: epoch ") == 2
    assert "held-out" in done.err
    assert "smeared" in done.err
    kept = record(folder)
    assert kept["status"] == "done"
    assert kept["recipe"]["epochs"] == 2
    assert kept["versions"]["torch"]
    assert f"records: {folder}" in done.out
    assert "protocol: held-out split, last epoch of 2; split 'test', 8 samples, 2 classes; seed 3" in done.out
    assert [line for line in done.out.splitlines() if line.startswith("chance") and "50.0 %" in line]


def test_eval_gives_the_accuracy_of_training_to_the_bit(myelin: Myelin, tmp_path: Path) -> None:
    file = classifier(tmp_path / "two.myelin")
    trained = json.loads(myelin("train", file, "--json", "--set", "hidden.tau_mem=7", "--batch", "5").out)
    for weights in (
        [],
        ["--weights", only_run(file)],
        ["--weights", only_run(file) / "checkpoint.safetensors"],
    ):
        again = json.loads(myelin("eval", file, "--json", *weights).out)
        assert {key: again[key] for key in trained["result"]} == trained["result"]
    assert trained["result"]["accuracy"] == trained["metrics"]["test_accuracy"]
    assert trained["result"]["loss"] == trained["metrics"]["test_loss"]
    on_training = json.loads(myelin("eval", file, "--json", "--split", "train").out)
    assert on_training["samples"] == 16


def test_the_kept_document_is_the_one_that_was_trained(myelin: Myelin, tmp_path: Path) -> None:
    file = classifier(tmp_path / "two.myelin")
    trained = json.loads(myelin("train", file, "--json", "--delays", "none", "--set", "hidden.tau_mem=7").out)
    kept = only_run(file) / "document.myelin"
    assert "delays" not in load(kept).names()
    assert load(kept).nodes[load(kept).find("hidden")].params["tau_mem"] == 7
    assert "delays" in load(file).names(), "the document itself is as it was"
    again = json.loads(myelin("eval", file, "--json").out)
    assert again["loss"] == trained["result"]["loss"]


def test_eval_shows_a_table(myelin: Myelin, tmp_path: Path) -> None:
    file = classifier(tmp_path / "two.myelin")
    myelin("train", file, "--epochs", "1")
    done = myelin("eval", file)
    assert done.status == 0
    assert "95 % interval" in done.out
    assert "chance 50.0 %" in done.out


def test_the_same_seed_gives_the_same_curve(myelin: Myelin, tmp_path: Path) -> None:
    file = classifier(tmp_path / "two.myelin")
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert myelin("train", file, "--out", tmp_path / name, "--seed", seed).status == 0
    assert curve(tmp_path / "a") == curve(tmp_path / "b")
    assert curve(tmp_path / "a") != curve(tmp_path / "c")
    assert record(tmp_path / "a")["seed"] == 1


def test_resume_goes_on_as_if_uninterrupted(myelin: Myelin, tmp_path: Path) -> None:
    """Also with the settings that the run was begun with."""
    file = classifier(tmp_path / "two.myelin")
    settings = ["--set", "delays.sigma_duration=0", "--recipe", "delay_schedule=constant", "--seed", "9"]
    myelin("train", file, "--out", tmp_path / "whole", "--epochs", "3", *settings)
    myelin("train", file, "--out", tmp_path / "parts", "--epochs", "1", *settings)
    assert myelin("train", file, "--out", tmp_path / "parts", "--resume", "--epochs", "3").status == 0
    assert curve(tmp_path / "whole") == curve(tmp_path / "parts")
    assert record(tmp_path / "whole")["result"] == record(tmp_path / "parts")["result"]


def test_resume_without_a_folder_takes_the_newest(myelin: Myelin, tmp_path: Path) -> None:
    file = classifier(tmp_path / "two.myelin")
    myelin("train", file, "--epochs", "1")
    assert myelin("train", file, "--resume", "--epochs", "2").status == 0
    assert len(curve(only_run(file))) == 2


def test_compare_trains_with_and_without_delays(myelin: Myelin, tmp_path: Path) -> None:
    file = classifier(tmp_path / "two.myelin")
    done = myelin("train", file, "--compare", "--epochs", "1")
    assert done.status == 0
    rows = [line.split("  ")[0] for line in done.out.splitlines()]
    assert rows[1:4] == ["learned delays", "no delays", "chance"]
    folder = only_run(file)
    assert "delays" in load(folder / "learned" / "document.myelin").names()
    assert "delays" not in load(folder / "none" / "document.myelin").names()
    arms = json.loads(myelin("train", file, "--compare", "--epochs", "1", "--json").out)
    assert list(arms) == ["learned", "none"]
    assert arms["learned"]["seed"] == arms["none"]["seed"]
    assert json.loads(myelin("eval", file, "--json").out)["loss"] == arms["learned"]["result"]["loss"]
    assert myelin("train", file, "--compare", "--resume", "--epochs", "2").status == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--compare", "--delays", "fixed"], "leave --delays out"),
        (["--recipe", "epoch=3"], "did you mean epochs?"),
        (["--set", "hiden.tau_mem=3"], "did you mean hidden?"),
        (["--resume"], "no trained weights"),
    ],
)
def test_wrong_requests_write_nothing(
    myelin: Myelin, tmp_path: Path, arguments: list[str], words: str
) -> None:
    file = classifier(tmp_path / "two.myelin")
    before = sorted(tmp_path.iterdir())
    done = myelin("train", file, *arguments)
    assert done.status == 2
    assert done.err.count("\n") == 1
    assert words in done.err
    assert sorted(tmp_path.iterdir()) == before


def test_compare_needs_delays(myelin: Myelin, tmp_path: Path) -> None:
    done = myelin("train", classifier(tmp_path / "two.myelin", delays=False), "--compare")
    assert done.status == 2
    assert "no learnable delays" in done.err


@pytest.mark.parametrize("command", ["train", "eval"])
def test_a_network_without_data_is_refused(myelin: Myelin, tmp_path: Path, command: str) -> None:
    file = oscillator(tmp_path / "osc.myelin")
    weights = ["--weights", tmp_path / "w.safetensors"] if command == "eval" else []
    (tmp_path / "w.safetensors").write_bytes(b"x")
    done = myelin(command, file, *weights)
    assert done.status == 1
    assert done.err.startswith("myelin: ")
    assert done.err.count("\n") == 1
    assert not file.with_suffix(".runs").exists()


def test_missing_data_are_a_sentence(myelin: Myelin, tmp_path: Path) -> None:
    file = classifier(tmp_path / "two.myelin")
    file.with_suffix(".npz").unlink()
    done = myelin("train", file)
    assert done.status == 1
    assert done.err == f"myelin: {file.with_suffix('.npz')} does not exist: point the node's path to it.\n"
    assert not file.with_suffix(".runs").exists()


def test_weights_that_do_not_belong(myelin: Myelin, tmp_path: Path) -> None:
    file = classifier(tmp_path / "two.myelin")
    myelin("train", file, "--out", tmp_path / "run", "--epochs", "1")
    for arguments in (["--set", "hidden.size=[7]"], ["--weights", file]):
        done = myelin(
            "eval", file, *(["--weights", tmp_path / "run"] if "--set" in arguments else []), *arguments
        )
        assert done.status == 1
        assert done.err.count("\n") == 1
    assert myelin("eval", file, "--weights", tmp_path / "nowhere").status == 2
    assert myelin("eval", file, "--weights", tmp_path).status == 2


def test_a_damaged_record_is_a_sentence(myelin: Myelin, tmp_path: Path) -> None:
    file = classifier(tmp_path / "two.myelin")
    myelin("train", file, "--out", tmp_path / "run", "--epochs", "1")
    (tmp_path / "run" / "run.json").write_text("{")
    done = myelin("eval", file, "--weights", tmp_path / "run")
    assert done.status == 2
    assert "run.json is damaged" in done.err


def test_validation_chooses_the_epoch(myelin: Myelin, tmp_path: Path) -> None:
    file = classifier(tmp_path / "two.myelin")
    done = myelin("train", file, "--recipe", "validation=0.25", "--epochs", "3")
    assert done.status == 0
    assert "protocol: held-out split, epoch chosen on 25 % of the training split" in done.out
    kept = record(only_run(file))
    assert kept["weights"] == "best.safetensors"
    assert json.loads(myelin("eval", file, "--json").out)["loss"] == kept["result"]["loss"]


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to whole consoles")
@pytest.mark.slow
def test_ctrl_c_keeps_the_last_whole_epoch(tmp_path: Path) -> None:
    file, out = classifier(tmp_path / "two.myelin"), tmp_path / "run"
    command = [
        sys.executable,
        "-m",
        "engine.cli",
        "train",
        str(file),
        "--out",
        str(out),
        "--epochs",
        "100000",
    ]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    for line in child.stderr:
        if "epoch 3/" in line:
            child.send_signal(signal.SIGINT)
            break
    text, rest = child.communicate(timeout=60)
    assert child.returncode == 130
    assert text == ""
    assert "Traceback" not in rest
    last = rest.splitlines()[-1]
    epochs = len(curve(out))
    assert last.startswith(f"myelin: stopped after epoch {epochs} of 100000; go on with `myelin train ")
    assert record(out)["status"] == "stopped"
    go_on = [*command[:-1], str(epochs + 1), "--resume", "--json"]
    done = subprocess.run(go_on, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["metrics"]["epoch"] == epochs + 1


def test_run_without_probes_keeps_all_spikes(myelin: Myelin, tmp_path: Path) -> None:
    file = oscillator(tmp_path / "osc.myelin")
    done = myelin("run", file, "--duration", "200")
    assert done.status == 0
    folder = only_run(file)
    with np.load(folder / "probes.npz") as kept:
        assert set(kept.files) == {"noise", "cells"}
        assert kept["noise"].shape == (200, 1, 4)
        spikes = kept["noise"].sum()
    (noise, cells) = record(folder)["populations"]
    assert (noise["name"], noise["neurons"], noise["spikes"]) == ("noise", 4, spikes)
    assert noise["rate_hz"] == pytest.approx(spikes / 4 / 0.2)
    assert cells["neurons"] == 3
    assert [line.split()[:2] for line in done.out.splitlines()[1:3]] == [["noise", "4"], ["cells", "3"]]


def test_run_keeps_what_probes_record(myelin: Myelin, tmp_path: Path) -> None:
    file = oscillator(tmp_path / "osc.myelin", probe=True)
    found = json.loads(myelin("run", file, "--out", tmp_path / "run", "--duration", "40", "--json").out)
    with np.load(tmp_path / "run" / "probes.npz") as kept:
        assert {name: kept[name].shape for name in kept.files} == {"membrane": (40, 1, 3)}
    assert found["probes"] == {"membrane": [40, 1, 3]}
    assert [one["name"] for one in found["populations"]] == ["noise", "cells"]


def test_run_takes_any_probe_name(myelin: Myelin, tmp_path: Path) -> None:
    file = oscillator(tmp_path / "osc.myelin", probe=True)
    document = load(file)
    document.edit("x", [{"op": "set", "path": ["nodes", document.find("membrane"), "name"], "value": "file"}])
    save(document, file)
    assert myelin("run", file, "--out", tmp_path / "run", "--duration", "5").status == 0
    with np.load(tmp_path / "run" / "probes.npz") as kept:
        assert kept.files == ["file"]


def test_the_seed_decides_a_run(myelin: Myelin, tmp_path: Path) -> None:
    file = oscillator(tmp_path / "osc.myelin")

    def spikes(seed: int) -> np.ndarray:
        myelin("run", file, "--out", tmp_path / "run", "--seed", seed)
        with np.load(tmp_path / "run" / "probes.npz") as kept:
            return np.array(kept["noise"])

    assert np.array_equal(spikes(1), spikes(1))
    assert not np.array_equal(spikes(1), spikes(2))


def test_run_with_trained_weights(myelin: Myelin, tmp_path: Path) -> None:
    file = classifier(tmp_path / "two.myelin")
    assert "untrained" in myelin("run", file, "--out", tmp_path / "first").err
    myelin("train", file, "--epochs", "1")
    outs = ("newest", only_run(file))
    for number, weights in enumerate(outs):
        done = myelin(
            "run", file, "--weights", weights, "--recipe", "samples=3", "--out", tmp_path / f"o{number}"
        )
        assert done.status == 0
        assert "untrained" not in done.err
    first, second = (np.load(tmp_path / f"o{number}" / "probes.npz")["hidden"] for number in range(2))
    assert first.shape[1:] == (3, 6)
    assert np.array_equal(first, second)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--duration", "0"],
        ["--duration", "-3"],
        ["--duration", "nan"],
        ["--device", "tpu"],
        ["--recipe", "sample=3"],
        ["--weights", "newest"],
    ],
)
def test_wrong_runs_are_one_sentence(myelin: Myelin, tmp_path: Path, arguments: list[str]) -> None:
    file = oscillator(tmp_path / "osc.myelin")
    done = myelin("run", file, *arguments)
    assert done.status == 2
    assert done.err.startswith("myelin: ")
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == [file]


def test_a_device_that_is_not_there(myelin: Myelin, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    for command, folder in (
        ("run", oscillator(tmp_path / "osc.myelin")),
        ("train", classifier(tmp_path / "two.myelin")),
    ):
        done = myelin(command, folder, "--device", "cuda")
        assert done.status == 1
        assert "there is no device cuda here" in done.err
        assert not folder.with_suffix(".runs").exists(), "nothing is left behind"


@pytest.mark.parametrize(("right", "samples"), [(0, 10), (10, 10), (7, 10), (830, 1000), (1, 1)])
def test_the_interval_is_wilsons(right: int, samples: int) -> None:
    from scipy.stats import binomtest

    from engine.backend import recorded

    expected = binomtest(right, samples).proportion_ci(method="wilson")
    assert recorded.wilson(right / samples, samples) == pytest.approx(
        [expected.low, expected.high], abs=1e-12
    )


def test_run_folders_are_distinct(tmp_path: Path) -> None:
    assert _runs.new_run(tmp_path / "a.myelin") != _runs.new_run(tmp_path / "a.myelin")
    assert _runs.new_run(tmp_path / "a.b.myelin").parent == tmp_path / "a.b.runs"


def test_a_place_that_takes_no_records_is_told_before_anything_is_computed(
    myelin: Myelin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.backend.network import Network

    monkeypatch.setattr(Network, "run", None)
    (tmp_path / "taken").write_text("")
    file = oscillator(tmp_path / "two.myelin")
    for command in ("run", "train"):
        done = myelin(command, classifier(file), "--out", tmp_path / "taken")
        assert done.status == 1
        assert "cannot write to the folder" in done.err
        assert done.err.count("\n") == 1


def test_what_fails_leaves_no_empty_folder(myelin: Myelin, tmp_path: Path) -> None:
    file = classifier(tmp_path / "two.myelin")
    done = myelin("train", file, "--resume", "--out", tmp_path / "deep" / "run")
    assert done.status == 1
    assert "to resume from" in done.err
    assert not (tmp_path / "deep").exists()


def test_records_that_no_memory_holds_are_refused(myelin: Myelin, tmp_path: Path) -> None:
    file = oscillator(tmp_path / "one.myelin")
    done = myelin("run", file, "--duration", "1e15", "--out", tmp_path / "run")
    assert done.status == 1
    assert "what is recorded needs" in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_two_runs_never_write_to_one_folder(myelin: Myelin, tmp_path: Path) -> None:
    file = classifier(tmp_path / "two.myelin")
    with runs.folder_of_run(tmp_path / "run"):
        done = myelin("train", file, "--out", tmp_path / "run")
    assert done.status == 1
    assert "another run is writing to the folder" in done.err
    assert not (tmp_path / "run" / "run.json").exists()
    assert myelin("train", file, "--out", tmp_path / "run", "--epochs", "1").status == 0
    assert not (tmp_path / "run" / runs.LOCK).exists()


def test_the_runs_of_a_file_that_is_not_there(myelin: Myelin, tmp_path: Path) -> None:
    for arguments in (("eval",), ("train", "--resume"), ("run", "--weights", "newest")):
        done = myelin(*arguments, tmp_path / "nothing.myelin")
        assert done.status == 2
        assert "there is no such file" in done.err
