"""The loaders on real recordings (skipped where they are not at hand)."""

from __future__ import annotations

import numpy as np
import pytest

from nodes.datasets._files import read_npz
from nodes.datasets.nmnist import read_bin
from tests.data.make_files import load


def need(folder, name):
    if not (folder / name).exists():
        pytest.skip(f"{name} is not in {folder}")
    return folder


def test_fsdd_packed(shared_data):
    train, test = (load("dataset.fsdd", need(shared_data, "fsdd"), split) for split in ("train", "test"))
    assert (len(train), len(test)) == (2700, 300)
    assert np.array_equal(np.bincount(test.labels), np.full(10, 30))
    clip = test.item(0)
    assert clip.rate == 8000
    assert clip.samples.shape == (2384,)
    assert 0.01 < np.abs(clip.samples).max() <= 1
    theo = load("dataset.fsdd", shared_data, "test", held_out="theo")
    assert len(theo) == 500


def test_fsdd_spikes(shared_data):
    path = "fsdd_spikes700/fsdd_spikes700.npz"
    raw = read_npz(need(shared_data, path) / path)
    test = load("dataset.spikes_npz", shared_data, "test", path=path, classes=10, held_out="theo")
    assert len(test) == 500
    first = int(np.flatnonzero(raw["speaker"] == list(raw["speaker_names"]).index("theo"))[0])
    begin, end = raw["offsets"][first : first + 2]
    t = raw["t_100us"][begin:end].astype(int)
    frames = test.item(0)
    assert frames.sum() == end - begin
    assert len(frames) == -(-(t.max() - t.min()) // 100)
    assert np.array_equal(frames.sum(0), np.bincount(raw["unit"][begin:end] // 5, minlength=140))


def test_synthetic_digits_by_voice(shared_data):
    path = "tts_digits20_spikes700/tts_digits20_spikes700.npz"
    need(shared_data, path)
    sizes = {
        s: len(load("dataset.spikes_npz", shared_data, s, path=path))
        for s in ("train", "test", "seen", "unseen")
    }
    assert sizes == {"train": 1280, "test": 960, "seen": 640, "unseen": 320}


def test_qtdb(shared_data):
    need(shared_data, "qtdb_ecg")
    train, test = (load("dataset.qtdb_ecg", shared_data, split) for split in ("train", "test"))
    assert (train.labels.shape, test.labels.shape) == ((618, 1301), (141, 1301))
    counts = np.bincount(train.labels[train.labels >= 0])
    assert counts.tolist() == [100530, 49485, 46503, 35776, 242792, 263147]
    assert set(np.unique(train.item(5))) <= {-1.0, 0.0, 1.0}


def test_nmnist_packed(shared_data):
    path = "nmnist_1100/nmnist_1100.npz"
    raw = read_npz(need(shared_data, path) / path)
    train, test = (
        load("dataset.nmnist", shared_data, s, dt=1.0, path="nmnist_1100") for s in ("train", "test")
    )
    assert (len(train), len(test)) == (1000, 100)
    assert test.labels[0] == 7
    frames = train.item(0)
    assert frames.shape[1:] == (2, 34, 34)
    assert frames.sum() == raw["offsets"][1]


def test_one_recording_of_nmnist(shared_data):
    path = need(shared_data, "event_recordings") / "event_recordings" / "sample_nmnist.bin"
    t, x, y, polarity = read_bin(path)
    assert len(t) == 4325
    assert (np.diff(t) >= 0).all()
    assert 250_000 < t[-1] < 340_000
    assert max(x.max(), y.max()) <= 33
    assert set(polarity) == {0, 1}


def test_an_event_camera_in_an_npz(shared_data):
    need(shared_data, "event_recordings")
    file = "event_recordings/dvs_es_320x240.npz"
    camera = {"path": file, "size": [2, 240, 320], "pool": 8, "duration": 100.0}
    frames = load("dataset.npz_events", shared_data, **camera).item(0)
    assert frames.shape == (10, 2, 30, 40)
    raw = read_npz(shared_data / file)
    assert frames.sum() == np.count_nonzero(raw["t_us"] < 100_000)


def test_mnist_packed(shared_data):
    need(shared_data, "mnist10k")
    test = load("dataset.mnist", shared_data, "test", path="mnist10k")
    assert len(test) == 10_000
    assert test.labels[:5].tolist() == [7, 2, 1, 0, 4]
