"""Splits and batches: packing, padding, labels, order, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from engine.backend.data import Packed, Shuffled, Split
from engine.errors import MyelinError
from engine.program import Source
from nodes.samples import DataError
from tests.backend.learning import CHANNELS, document, write_data
from tests.compile.drawing import new_document, program_of


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Split:
    folder = tmp_path_factory.mktemp("data")
    return Split(program_of(document(write_data(folder))), "train", folder)


@given(nps.arrays(np.float32, nps.array_shapes(min_dims=2, max_dims=3, max_side=5),
                  elements=st.sampled_from([0.0, 1.0, 2.0, 255.0, 256.0, 0.5, -1.0])))  # fmt: skip
def test_packing_loses_nothing(frames: np.ndarray) -> None:
    assert np.array_equal(Packed.of(frames).frames(), frames)


def test_whole_counts_take_a_byte_each() -> None:
    assert Packed.of(np.full((2, 3), 255.0, np.float32)).value.dtype == np.uint8


def test_a_batch_is_padded_to_its_longest_recording(split: Split) -> None:
    batch = split[[0, 5, 2]]
    (signal,) = batch.inputs.values()
    lengths = split.lengths()[[0, 5, 2]]
    assert signal.shape == (lengths.max(), 3, CHANNELS)
    for column, length in enumerate(lengths):
        assert not signal[length:, column].any()
        assert signal[:length, column].sum() == 30
    assert batch.label.argmax(-1).tolist() == [0, 1, 2]
    assert batch.total == 3


def test_batches_hold_every_recording_once(split: Split) -> None:
    batches = list(split.batches(7))
    assert [batch.total for batch in batches] == [7, 7, 7, 3]
    assert torch.cat([batch.label for batch in batches]).sum(0).tolist() == [6, 6, 6, 6]
    assert split.chance() == 0.25


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    def order(seed: int, epoch: int) -> list[list[int]]:
        sampler = Shuffled(10, 4, seed)
        sampler.set_epoch(epoch)
        assert len(sampler) == 3
        return list(sampler)

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)
    assert sorted(n for batch in order(1, 5) for n in batch) == list(range(10))
    assert [len(batch) for batch in order(1, 0)] == [4, 4, 2]


def test_limit_and_part(split: Split, tmp_path: Path) -> None:
    assert len(Split(split.program, "train", tmp_path, limit=5)) == 5
    part = split.part(np.array([4, 2]))
    assert torch.equal(part[[0, 1]].label, split[[4, 2]].label)


def test_labels_of_every_step_and_steps_without_one(split: Split) -> None:
    labels = np.array([[0, 1, -1, 3], [2, 2, 2, -1]])
    found = split._one_hot(labels, 3)
    assert found.shape == (3, 2, 4)
    assert found.sum(-1).tolist() == [[1, 1], [1, 1], [0, 1]]
    assert found[:, 0].argmax(-1).tolist()[:2] == [0, 1]


def test_what_has_no_data_is_refused_with_a_sentence(tmp_path: Path) -> None:
    d = new_document("bare")
    d.add("population.poisson", size=[2])
    with pytest.raises(MyelinError, match="'bare' needs one data set"):
        Split(program_of(d), "train", tmp_path)
    for seed in range(2):
        data = d.add("dataset.spikes_npz", path=f"missing{seed}.npz", channels=2, pool=1)
        d.connect(data, "data", d.add("projection.dense", name=f"p{seed}", size=[2]), "input")
        d.connect(d.find(f"p{seed}"), "output", d.add("population.lif"), "input")
        if seed == 0:
            with pytest.raises(DataError, match=r"missing0\.npz"):
                Split(program_of(d), "train", tmp_path)
    with pytest.raises(MyelinError, match="it has 2"):
        Split(program_of(d), "train", tmp_path)


def test_the_source_is_the_data_set(split: Split) -> None:
    assert list(split[[0]].inputs) == [Source("n1", "data")]
