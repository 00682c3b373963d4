"""Laws of turning events into frames, and of holding samples out."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nodes.datasets._split import held_out, held_out_groups
from nodes.samples import Events, to_frames

EVENTS = st.lists(st.tuples(st.floats(0, 500, width=32), st.integers(0, 11)), min_size=1, max_size=80)


@given(EVENTS, st.sampled_from([0.5, 1.0, 3.7, 10.0]), st.booleans())
def test_frames_keep_every_event(events, dt, align):
    t, unit = np.array([e[0] for e in events]), np.array([e[1] for e in events])
    frames = to_frames(Events(t, unit), (3, 4), dt, align=align)
    assert frames.dtype == np.float32
    assert np.array_equal(frames.reshape(len(frames), -1).sum(0), np.bincount(unit, minlength=12))
    span = t.max() - t.min() if align else t.max()
    assert len(frames) in (max(1, int(np.ceil(span / dt))), max(1, int(np.ceil(span / dt - 1e-6))))


@given(EVENTS, st.sampled_from([1.0, 10.0]))
def test_binary_frames_are_counts_capped_at_one(events, dt):
    recording = Events(np.array([e[0] for e in events]), np.array([e[1] for e in events]))
    counts, binary = (to_frames(recording, (12,), dt, binary=flag) for flag in (False, True))
    assert np.array_equal(binary, counts > 0)


@given(EVENTS, st.integers(0, 40))
def test_align_forgets_when_the_recording_began(events, shift):
    t, unit = np.array([e[0] for e in events]), np.array([e[1] for e in events])
    t = np.round(t)  # whole ms, so that shifting is exact
    early, late = (to_frames(Events(t + s, unit), (12,), 5.0, align=True) for s in (0, shift))
    assert early[0].any()
    assert np.array_equal(early, late)


@given(EVENTS, st.integers(1, 60))
def test_a_fixed_length_cuts_or_pads(events, steps):
    recording = Events(np.array([e[0] for e in events]), np.array([e[1] for e in events]))
    frames = to_frames(recording, (12,), 10.0, steps=steps)
    assert frames.shape == (steps, 12)
    assert frames.sum() == np.count_nonzero(np.floor(recording.t_ms / 10.0 + 1e-9) < steps)


# -- held-out samples -------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.floats(0, 1), st.integers(0, 99))
def test_held_out_takes_the_same_part_of_every_class_and_repeats(labels, fraction, seed):
    labels = np.array(labels)
    test = held_out(labels, fraction, seed)
    assert np.array_equal(test, held_out(labels, fraction, seed))
    for label in np.unique(labels):
        members = labels == label
        assert test[members].sum() == round(fraction * members.sum())


@given(st.lists(st.sampled_from("abcde"), min_size=2, max_size=40), st.floats(0, 1), st.integers(0, 99))
def test_held_out_groups_are_whole_and_leave_some_to_train(groups, fraction, seed):
    groups = np.array(groups)
    test = held_out_groups(groups, fraction, seed)
    assert not set(groups[test]) & set(groups[~test])
    assert not test.all()
