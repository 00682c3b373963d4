"""Repeats the accuracies in the projects' READMEs: learned, fixed random and no delays, some seeds each.

    MYELIN_DATA=DIR python tests/bench/fidelity.py digits|speaker|ecg [--seeds 0 1 2] [--out DIR]

digits   the SHD recipe scaled to 40 epochs on DIR/tts_digits20_spikes700; also the unseen voices alone
speaker  the same at 15 epochs on DIR/fsdd_spikes700, trained on five speakers and tested on jackson
ecg      projects/ecg as it stands, on the whole QTDB task

Every run is `myelin train` on one core: last epoch, delays rounded, nothing chosen on the test split.  Runs
that are finished in --out are not repeated, so a stopped series goes on.  Node ids enter the random numbers:
another drawing of the same network gives other figures, within the spread of seeds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import mean
from typing import Any

ROOT = Path(__file__).parents[2]
ARMS = ("learned", "fixed", "none")
SPIKES: dict[str, dict[str, Any]] = {
    "digits": {"path": "tts_digits20_spikes700/tts_digits20_spikes700.npz", "classes": 20},
    "speaker": {"path": "fsdd_spikes700/fsdd_spikes700.npz", "classes": 10, "held_out": "jackson"},
}
EPOCHS = {"digits": 40, "speaker": 15}


def document(task: str, out: Path) -> Path:
    """The file to train: the ECG project, or that of SHD with its data set exchanged."""
    if task == "ecg":
        return ROOT / "projects" / "ecg" / "ecg.myelin"
    drawn = json.loads((ROOT / "projects" / "shd" / "shd.myelin").read_text(encoding="utf-8"))
    (data,) = (node for node in drawn["nodes"].values() if node["type"] == "dataset.shd")
    data["type"] = "dataset.spikes_npz"
    data["params"] |= {"channels": 700, "held_out": "", **SPIKES[task]}
    drawn["recipes"]["train"] |= {"epochs": EPOCHS[task], "test_every": 0}
    path = out / f"{task}.myelin"
    path.write_text(json.dumps(drawn, indent=2), encoding="utf-8")
    return path


def myelin(*arguments: str) -> Any:
    """The JSON that a command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "engine.cli", *arguments, "--json"],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout)


def accuracies(file: Path, task: str, arm: str, seed: int, out: Path) -> dict[str, float]:
    """Accuracy by split of one run, which is made unless it is there."""
    folder = out / f"{task}-{arm}-{seed}"
    kept = folder / "accuracies.json"
    if not kept.exists():
        settings = ("--delays", arm, "--seed", str(seed), "--device", "cpu", "--out", str(folder))
        metrics = myelin("train", str(file), *settings)["metrics"]
        found = {split: metrics[f"{split}_accuracy"] for split in ("train", "test")}
        if task == "digits":
            unseen = myelin("eval", str(file), "--weights", str(folder), "--split", "unseen")
            found["unseen"] = unseen["accuracy"]
        kept.write_text(json.dumps(found), encoding="utf-8")
    result: dict[str, float] = json.loads(kept.read_text(encoding="utf-8"))
    return result


def main() -> None:
    """Train what is missing and print one line for every run, then the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("task", choices=("digits", "speaker", "ecg"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--out", type=Path, default=Path("fidelity"))
    chosen = parser.parse_args()
    out = chosen.out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    file = document(chosen.task, out)
    found: dict[str, list[dict[str, float]]] = {arm: [] for arm in chosen.arms}
    for seed in chosen.seeds:
        for arm in chosen.arms:
            found[arm].append(accuracies(file, chosen.task, arm, seed, out))
            print(f"{arm:8} seed {seed}  {_row(found[arm][-1])}", flush=True)
    for arm, runs in found.items():
        print(f"{arm:8} mean    {_row({split: mean(run[split] for run in runs) for split in runs[0]})}")


def _row(found: dict[str, float]) -> str:
    return "  ".join(f"{split} {100 * value:5.1f} %" for split, value in found.items())


if __name__ == "__main__":
    main()
