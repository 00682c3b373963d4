"""Two gloo processes that share every batch give what one process gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from engine.backend.network import Network
from engine.errors import MyelinError
from tests.backend.learning import document, learn, write_data
from tests.backend.test_training import rows
from tests.compile.drawing import set_param


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """23 recordings in batches of 8: the last batch of 7 does not divide by two."""
    return write_data(tmp_path_factory.mktemp("data"), train=23, test=11)


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(data: Path, tmp_path: Path) -> None:
    """With batch norm, dropout, learnable delays and recordings of unequal length."""
    told: list[dict[str, Any]] = []
    given = {"epochs": 2, "validation": 0.1}
    one, alone = learn(document(data, **given), tmp_path / "one")
    two, shared = learn(document(data, **given), tmp_path / "two", processes=2, on_event=told.append)
    for key in one.declared:
        torch.testing.assert_close(two.tensor(key), one.tensor(key), rtol=1e-4, atol=2e-6, msg=key)
    assert shared.keys() == alone.keys()
    for name, value in alone.items():
        assert shared[name] == pytest.approx(value, rel=1e-4), name
    steps = 3 if len(rows(tmp_path / "one")) else 0
    assert [event["event"] for event in told] == (["step"] * steps + ["epoch"]) * 2
    assert len(rows(tmp_path / "two")) == 2


@pytest.mark.slow
def test_two_processes_stop_together_and_one_goes_on(data: Path, tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    _, stopped = learn(
        document(data), tmp_path / "parts", processes=2, on_event=told.append,
        should_stop=lambda: any(event["event"] == "epoch" for event in told),
    )  # fmt: skip
    whole, _ = learn(document(data), tmp_path / "whole")
    resumed, _ = learn(document(data), tmp_path / "parts", resume=True)
    assert stopped.get("stopped") or told[-1]["epoch"] == 3
    for key in whole.declared:
        torch.testing.assert_close(resumed.tensor(key), whole.tensor(key), rtol=1e-4, atol=1e-5, msg=key)


@pytest.mark.slow
def test_a_problem_in_a_process_is_one_sentence(data: Path, tmp_path: Path) -> None:
    d = document(data)
    for node in ("n2", "n3"):
        set_param(d, node, "gain", 1e6)
    set_param(d, "n8", "resistance", 1e38)
    with pytest.raises(MyelinError, match="lower the learning rate"):
        learn(d, tmp_path, processes=2)


def test_the_parts_of_a_batch_are_the_batch(data: Path, tmp_path: Path) -> None:
    from engine.backend.data import Split
    from tests.compile.drawing import program_of

    program = program_of(document(data))
    split, parts = Split(program, "train", tmp_path), []
    whole = split[[3, 1, 7, 9, 0]]
    for rank in range(3):
        split.rank, split.world = rank, 3
        parts.append(split[[3, 1, 7, 9, 0]])
    (source,) = whole.inputs
    assert [part.label.shape[0] for part in parts] == [2, 2, 1]
    assert torch.equal(torch.cat([part.inputs[source] for part in parts], 1), whole.inputs[source])
    assert torch.equal(torch.cat([part.label for part in parts]), whole.label)
    assert {part.total for part in parts} == {5}
    split.rank, split.world = 3, 4
    assert split[[3, 1, 7, 9, 0]].label.shape[0] == 0
    assert Network(program).run(split[[3, 1, 7, 9, 0]].inputs, keep=[]).signals == {}
