"""Every loader on tiny files of its format, whole and damaged."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nodes import registry
from nodes.datasets._files import FileData, read_npz
from nodes.datasets.nmnist import read_bin
from nodes.roles import DataSet
from nodes.samples import DataError, Samples, Wave
from nodes.spec import Values, defaults
from tests.data import make_files as make
from tests.data.make_files import load

DATA_SETS = {name: spec for name, spec in registry.all().items() if issubclass(spec, DataSet)}


def one_sentence(caught: pytest.ExceptionInfo[DataError], *words: str) -> None:
    """The message is one line, ends with a full stop and holds these words."""
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    assert "Traceback" not in text
    for word in words:
        assert word in text


# -- declarations -----------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", DATA_SETS.values(), ids=DATA_SETS)
def test_every_data_set_says_its_licence_shapes_and_splits(spec):
    p = Values({name: spec.params[name].coerce(value) for name, value in defaults(spec).items()})
    assert all(spec.params[name].problem(value) is None for name, value in defaults(spec).items())
    assert spec.check(p) == []
    shapes = spec.infer(p, dict.fromkeys(spec.outputs))
    assert set(shapes) == {"data", "label"}
    assert all(shape is not None for shape in shapes.values())
    assert {"train", "test"} <= set(spec.splits)
    assert spec.info.title
    assert spec.info.licence
    assert spec.info.source
    for remote in spec.info.files:
        assert remote.url.startswith("https://")
        assert len(remote.checksum) in (0, len("md5:") + 32, len("sha256:") + 64)


@pytest.mark.parametrize("spec", DATA_SETS.values(), ids=DATA_SETS)
def test_an_unknown_split_is_refused(spec, tmp_path):
    p = Values({name: spec.params[name].coerce(value) for name, value in defaults(spec).items()})
    with pytest.raises(DataError) as caught:
        spec.load(p, 10.0, tmp_path, "validate")
    one_sentence(caught, "validate", "train", "test")


def test_listing_the_nodes_loads_no_reader_of_files():
    heavy = ("h5py", "scipy.io", "soundfile")
    code = f"import sys, nodes.registry as r; r.all(); print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# -- the sets on tiny files -------------------------------------------------------------------------


def test_shd_reads_the_official_layout(tmp_path):
    make.shd(tmp_path / "shd" / "shd_train.h5")
    samples = load("dataset.shd", tmp_path)
    assert (len(samples), samples.shape, samples.classes[3]) == (12, (140,), "word3")
    frames = samples.item(0)
    assert frames.shape[1:] == (140,)
    assert frames.sum() == 40
    assert frames[0].any()
    assert np.array_equal(samples.meta["speaker"], np.arange(12) % 3)
    whole = load("dataset.shd", tmp_path, pool=1, align=False, duration=500.0).item(0)
    assert whole.shape == (50, 700)
    assert not whole[:5].any()


def test_ssc_has_a_validation_split(tmp_path):
    make.shd(tmp_path / "ssc" / "ssc_valid.h5", labels=np.arange(12, dtype=np.uint16) + 20)
    samples = load("dataset.ssc", tmp_path, "valid")
    assert samples.labels.max() == 31
    assert len(samples.classes) == 35


def test_spikes_npz_splits_by_test_by_speaker_and_by_voice(tmp_path):
    make.spikes_npz(tmp_path / "s.npz")
    sizes = {
        s: len(load("dataset.spikes_npz", tmp_path, s, path="s.npz"))
        for s in ("train", "test", "seen", "unseen")
    }
    assert sizes["train"] + sizes["test"] == 30
    assert sizes["seen"] + sizes["unseen"] == sizes["test"]
    assert sizes["unseen"] == 10
    lucas = load("dataset.spikes_npz", tmp_path, "test", path="s.npz", held_out="lucas")
    others = load("dataset.spikes_npz", tmp_path, "train", path="s.npz", held_out="lucas")
    assert set(lucas.meta["speaker"]) == {1}
    assert set(others.meta["speaker"]) == {0, 2}
    assert lucas.item(0).sum() == 50
    with pytest.raises(DataError) as caught:
        load("dataset.spikes_npz", tmp_path, path="s.npz", held_out="bob")
    one_sentence(caught, "bob", "george")


def test_the_embedded_digits_have_seen_and_unseen_voices_and_one_time_step(tmp_path):
    make.spoken_digits(tmp_path / "d.npz")
    parts = {
        s: load("dataset.spoken_digits", tmp_path, s, path="d.npz")
        for s in ("train", "test", "seen", "unseen")
    }
    assert len(parts["train"]) + len(parts["test"]) == 40
    assert len(parts["seen"]) + len(parts["unseen"]) == len(parts["test"])
    assert set(parts["unseen"].meta["speaker"]) == {3}
    raw = read_npz(tmp_path / "d.npz")
    assert np.array_equal(parts["train"].item(0), raw["counts"][raw["steps"][0] :][: raw["steps"][1]])
    with pytest.raises(DataError) as caught:
        load("dataset.spoken_digits", tmp_path, dt=1.0, path="d.npz")
    one_sentence(caught, "10 ms")


def test_pooling_sums_neighbours(tmp_path):
    make.spikes_npz(tmp_path / "s.npz")
    fine, coarse = (load("dataset.spikes_npz", tmp_path, path="s.npz", pool=pool).item(3) for pool in (1, 5))
    assert np.array_equal(fine.reshape(len(fine), 140, 5).sum(2), coarse)


def test_events_of_a_camera_pool_in_squares(tmp_path):
    columns = {"t_us": [0, 1500, 2500], "x": [0, 3, 5], "y": [0, 1, 2], "p": [0, 1, 1]}
    np.savez(tmp_path / "dvs.npz", **{name: np.array(column) for name, column in columns.items()})
    frames = load("dataset.npz_events", tmp_path, dt=1.0, path="dvs.npz", size=[2, 4, 6], pool=2).item(0)
    assert frames.shape == (3, 2, 2, 3)
    assert {tuple(where) for where in np.argwhere(frames)} == {(0, 0, 0, 0), (1, 1, 0, 1), (2, 1, 1, 2)}


def test_events_of_channels_need_only_units(tmp_path):
    arrays = {"t_ms": np.arange(40.0), "unit": np.arange(40) % 4, "offsets": np.arange(0, 41, 4)}
    np.savez(tmp_path / "e.npz", **arrays, label=np.arange(10) % 2)
    parts = [
        load("dataset.npz_events", tmp_path, s, path="e.npz", size=[4], classes=2) for s in ("train", "test")
    ]
    assert [len(part) for part in parts] == [8, 2]
    assert parts[1].item(0).sum() == 4


def test_fsdd_holds_out_takes_or_a_speaker(tmp_path):
    make.fsdd(tmp_path / "fsdd")
    train, test = (load("dataset.fsdd", tmp_path, split) for split in ("train", "test"))
    assert (set(train.meta["take"]), set(test.meta["take"])) == ({7}, {0})
    wave = train.item(0)
    assert isinstance(wave, Wave)
    assert (wave.samples.dtype, wave.samples.shape, wave.rate) == (np.float32, (800,), 8000.0)
    theo = load("dataset.fsdd", tmp_path, "test", held_out="theo")
    assert set(theo.meta["speaker"]) == {"theo"}
    assert len(theo) == 20


def test_an_audio_folder_is_labelled_by_sub_folder_or_by_name(tmp_path):
    for label in ("dog", "cat"):
        for take in range(5):
            make.wave(tmp_path / "sub" / label / f"{take}.wav", channels=2)
            make.wave(tmp_path / "flat" / f"{label}_{'ab'[take % 2]}_{take}.flac")
    for folder in ("sub", "flat"):
        train, test = (
            load("dataset.audio_folder", tmp_path, s, path=folder, classes=2) for s in ("train", "test")
        )
        assert (len(train), len(test)) == (8, 2)
        assert train.classes == ("cat", "dog")
        assert train.item(0).samples.shape == (800,)
    by_voice = load(
        "dataset.audio_folder", tmp_path, "test", path="flat", classes=2, group="_([ab])_", held_out="b"
    )
    assert set(by_voice.meta["group"]) == {"b"}
    assert len(by_voice) == 4


def test_nmnist_reads_the_official_folders(tmp_path):
    make.nmnist(tmp_path / "nmnist")
    samples = load("dataset.nmnist", tmp_path, "test", dt=1.0)
    assert np.array_equal(samples.labels, np.arange(10))
    frames = samples.item(7)
    assert frames.shape == (15, 2, 34, 34)
    assert {tuple(where) for where in np.argwhere(frames)} == {(1, 1, 3, 7), (14, 0, 4, 7), (14, 0, 5, 7)}


def test_an_overflow_record_of_a_bin_file_moves_time_on(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(
        make.bin_record(1, 2, 0, 5) + make.bin_record(0, 240, 0, 0) + make.bin_record(3, 4, 1, 5)
    )
    t, x, y, polarity = read_bin(path)
    assert (t.tolist(), x.tolist(), y.tolist(), polarity.tolist()) == ([5, 5 + 8192], [1, 3], [2, 4], [0, 1])


def test_qtdb_labels_every_step(tmp_path):
    make.qtdb(tmp_path / "qtdb_ecg")
    samples = load("dataset.qtdb_ecg", tmp_path)
    assert samples.labels.shape == (3, 1301)
    assert samples.item(0).shape == (1301, 4)
    assert set(samples.labels[:, -1]) == {-1}
    assert np.array_equal(samples.labels[0, :7], [0, 1, 2, 3, 4, 5, 0])
    assert set(load("dataset.qtdb_ecg", tmp_path, unlabelled="P").labels[:, -1]) == {0}


@pytest.mark.parametrize(
    ("layout", "shape"), [("image", (10, 1, 28, 28)), ("rows", (28, 28)), ("pixels", (784, 1))]
)
def test_mnist_is_held_still_or_scanned(tmp_path, layout, shape):
    make.mnist_idx(tmp_path / "mnist")
    frames = load("dataset.mnist", tmp_path, "test", layout=layout).item(2)
    assert frames.shape == shape
    assert 0 <= frames.min() < 0.1 < 0.9 < frames.max() <= 1


ROWS = [f"{s},{s}.5,{t},{'xy'[s % 2]},{'train' if s < 3 else 'test'}\n" for s in range(4) for t in range(3)]
CSV = "sample,a,b,label,split\n" + "".join(ROWS)


def test_csv_rows_are_steps_series_or_samples(tmp_path):
    (tmp_path / "t.csv").write_text(CSV)
    train = load("dataset.csv", tmp_path, path="t.csv", channels=2)
    assert (len(train), train.classes) == (3, ("x", "y"))
    assert np.array_equal(train.item(1), [[1.5, 0], [1.5, 1], [1.5, 2]])
    per_step = load("dataset.csv", tmp_path, path="t.csv", channels=2, label_per="step")
    assert np.array_equal(per_step.labels, [[0, 0, 0], [1, 1, 1], [0, 0, 0]])
    (tmp_path / "r.csv").write_text("label,p,q,r\n" + "0,1,2,3\n1,4,5,6\n" * 5)
    series = load("dataset.csv", tmp_path, path="r.csv", rows="series")
    assert series.item(0).shape == (3, 1)
    held = load("dataset.csv", tmp_path, path="r.csv", rows="samples", channels=3, duration=50.0)
    assert held.item(0).shape == (5, 3)
    assert len(held) == 8


def test_samples_of_a_table_come_in_the_order_of_their_first_row(tmp_path):
    (tmp_path / "t.csv").write_text("sample,a,label,split\nz,1,0,train\na,2,1,train\nz,3,0,train\n")
    samples = load("dataset.csv", tmp_path, path="t.csv")
    assert np.array_equal(samples.item(0), [[1], [3]])
    assert samples.labels.tolist() == [0, 1]


# -- what is missing or broken ----------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(n for n, spec in DATA_SETS.items() if spec.info.files))
def test_missing_files_say_what_to_run(name, tmp_path):
    with pytest.raises(DataError) as caught:
        load(name, tmp_path)
    one_sentence(caught, f"myelin data get {name.partition('.')[2]}")


def read_all(samples: Samples) -> None:
    for i in range(len(samples)):
        samples.item(i)


MAKERS: dict[str, tuple[Callable[[Path], object], str, dict[str, object]]] = {
    "dataset.shd": (make.shd, "shd/shd_train.h5", {}),
    "dataset.spikes_npz": (make.spikes_npz, "s.npz", {"path": "s.npz"}),
    "dataset.spoken_digits": (make.spoken_digits, "d.npz", {"path": "d.npz"}),
    "dataset.npz_events": (make.spikes_npz, "e.npz", {"path": "e.npz", "size": [700], "classes": 20}),
    "dataset.fsdd": (lambda path: make.fsdd(path.parent.parent), "fsdd/recordings/4_theo_7.wav", {}),
    "dataset.audio_folder": (make.wave, "a/b/tone.flac", {"path": "a", "classes": 1, "test_fraction": 0.0}),
    "dataset.nmnist": (lambda path: make.nmnist(path.parent.parent.parent), "nmnist/Train/4/00001.bin", {}),
    "dataset.qtdb_ecg": (lambda path: make.qtdb(path.parent), "qtdb_ecg/QTDB_train.mat", {}),
    "dataset.mnist": (lambda path: make.mnist_idx(path.parent), "mnist/train-images-idx3-ubyte.gz", {}),
}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("keep", [0.0, 0.03, 0.5, 0.97])
def test_a_file_cut_short_is_one_sentence(name, keep, tmp_path):
    maker, file, changed = MAKERS[name]
    maker(tmp_path / file)
    read_all(load(name, tmp_path, **changed))
    whole = (tmp_path / file).read_bytes()
    (tmp_path / file).write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(DataError) as caught:
        read_all(load(name, tmp_path, **changed))
    one_sentence(caught, Path(file).name)


@pytest.mark.parametrize("name", MAKERS)
def test_a_file_of_noise_is_one_sentence(name, tmp_path):
    maker, file, changed = MAKERS[name]
    maker(tmp_path / file)
    (tmp_path / file).write_bytes(np.random.default_rng(0).bytes(4001))
    with pytest.raises(DataError) as caught:
        read_all(load(name, tmp_path, **changed))
    one_sentence(caught, Path(file).name)


def test_labels_outside_the_classes_are_named(tmp_path):
    make.shd(tmp_path / "shd" / "shd_train.h5", labels=np.full(12, 23, np.uint16))
    with pytest.raises(DataError) as caught:
        load("dataset.shd", tmp_path)
    one_sentence(caught, "23", "20 classes")


WRONG = {
    "offsets": (np.array([0, 7, 3]), "offsets"),
    "label": (np.zeros(7, np.uint8), "7 labels"),
    "unit": (np.full(1500, 700), "channel 700"),
    "t_100us": (np.full(1500, np.nan), "not a number"),
}


@pytest.mark.parametrize("key", WRONG)
def test_wrong_columns_are_named(key, tmp_path):
    values, word = WRONG[key]
    make.spikes_npz(tmp_path / "s.npz", **{key: values})
    with pytest.raises(DataError) as caught:
        read_all(load("dataset.spikes_npz", tmp_path, path="s.npz"))
    one_sentence(caught, "s.npz", word)


def test_a_time_in_the_wrong_unit_does_not_fill_the_memory(tmp_path):
    make.spikes_npz(tmp_path / "s.npz", t_100us=np.full(1500, 2**62))
    with pytest.raises(DataError) as caught:
        load("dataset.spikes_npz", tmp_path, path="s.npz").item(0)
    one_sentence(caught, "check its unit")


BAD_TABLES = {
    "": "no rows",
    "a,b\n1,2\n": "'label'",
    "a,b,label\n1,2\n": "2 cells",
    "a,b,label\n1,2,0\n1,zwei,1\n": "row 3",
    "a,b,label\n1,2,0\n1,nan,1\n": "row 3",
    "a,label\n1,0\n": "channels",
    "a,b,label\n1,2,7\n": "label 7",
    "a,b,label\n1,2,99999999999999999999\n": "whole labels",
    "a,b,label\n1,1e39,0\n": "row 2",
    'a,b,label\n1,2,"0': "table",
    "a,b,label,split\n1,2,0,maybe\n": "maybe",
}


@pytest.mark.parametrize(("text", "word"), BAD_TABLES.items(), ids=range(len(BAD_TABLES)))
def test_a_bad_table_is_one_sentence(text, word, tmp_path):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError) as caught:
        load("dataset.csv", tmp_path, path="t.csv", channels=2, rows="samples")
    one_sentence(caught, "t.csv", word)


def test_an_empty_folder_and_a_nameless_recording_are_one_sentence(tmp_path):
    with pytest.raises(DataError) as caught:
        load("dataset.audio_folder", tmp_path, path=".")
    one_sentence(caught, "no .wav")
    make.wave(tmp_path / "hello.wav")
    with pytest.raises(DataError) as caught:
        load("dataset.audio_folder", tmp_path, path=".")
    one_sentence(caught, "hello.wav", "label")


def test_a_group_pattern_that_is_none_is_refused_before_loading():
    spec = registry.get("dataset.audio_folder")
    assert spec is not None
    for pattern in ("([", "_a_"):
        assert spec.check(Values(defaults(spec) | {"group": pattern}))[0][0] == "group"


def test_every_loader_of_files_shares_one_base():
    made = {"dataset.temporal_xor"}  # drawn, not read
    assert {name for name, spec in DATA_SETS.items() if not issubclass(spec, FileData)} == made
