"""What every declaration must satisfy, whoever wrote it: one test per law, over all registered nodes."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes import registry
from nodes.kinds import KINDS
from nodes.populations._presets import Conventional
from nodes.roles import DataSet, Delays, Loss, OfflineEncoder, Population
from nodes.samples import Wave
from nodes.spec import Node, Param, Shape, Values, defaults
from tests.nodes.harness import (
    ATTACHMENTS,
    OPS,
    initial_state,
    parameters,
    prepare,
    scan,
    signal_ports,
)

ALL = registry.all()
PASSIVE = (DataSet, Delays, Loss, OfflineEncoder)  # they have no step
STEPPING = {name: spec for name, spec in ALL.items() if spec.step is not Node.step}
STEPS, BATCH, DT = 5, 3, 1.0
every_node = pytest.mark.parametrize("spec", ALL.values(), ids=ALL.keys())
every_stepping_node = pytest.mark.parametrize("spec", STEPPING.values(), ids=STEPPING.keys())


def of_base(base: type[Node]) -> pytest.MarkDecorator:
    found = {name: spec for name, spec in ALL.items() if issubclass(spec, base)}
    assert found, f"no node is a {base.__name__}"
    return pytest.mark.parametrize("spec", found.values(), ids=found.keys())


def plausible_shapes(spec: type[Node], p: Values) -> dict[str, Shape | None]:
    """The first of some usual shapes with which the node can say the shape of every port."""
    ports = signal_ports(spec)
    for arriving in ((6,), (2, 12), (2, 8, 8)):
        for leaving in (None, (4,)):
            guess = {port: arriving if port in spec.inputs else leaving for port in ports}
            try:
                answer = spec.infer(p, guess)
            except ValueError:
                continue
            if all(answer[port] is not None for port in ports):
                return {port: answer[port] for port in ports}
    pytest.fail(f"{spec.type} cannot work with any usual shape")


def stimulus(
    spec: type[Node], p: Values, shapes: dict[str, Shape | None], seed: int = 3
) -> dict[str, np.ndarray]:
    """Signals ``[time, batch, *shape]`` for every input (spikes where nothing else may come) and noise."""
    rng = np.random.default_rng(seed)
    x = {}
    for port, socket in spec.inputs.items():
        if port not in ATTACHMENTS:
            x[port] = rng.normal(0.3, 1, (STEPS, BATCH, *(shapes[port] or ())))
            x[port] = (x[port] > 0.5) if socket.kinds == ("spikes",) else x[port]
    first = next((shapes[port] for port in spec.outputs if port in shapes), None) or ()
    for name, kind in spec.noise_of(p).items():
        x[name] = (
            rng.normal(size=(STEPS, BATCH, *first))
            if kind == "normal"
            else rng.random((STEPS, BATCH, *first))
        )
        if kind == "sequence":
            x[name][:] = x[name][0]
    return {name: signal.astype(np.float32) for name, signal in x.items()}


def state_shape(spec: type[Node], shapes: dict[str, Shape | None]) -> Shape:
    return shapes.get("input") or next(iter(shapes.values())) or ()


@every_node
def test_defaults_are_valid_and_consistent(spec: type[Node]) -> None:
    wrong = {name: param.problem(param.default) for name, param in spec.params.items()}
    assert not {name: sentence for name, sentence in wrong.items() if sentence}
    if not issubclass(spec, DataSet):  # a folder of recordings has no default
        assert spec.check(parameters(spec)) == []


@every_node
def test_declaration_is_complete(spec: type[Node]) -> None:
    assert spec.label
    assert spec.category
    assert spec.type == spec.type.lower()
    assert spec.type.count(".") == 1
    assert spec.keywords
    assert vars(spec)["__doc__"].strip().splitlines()[0].count("."), "the docstring begins with a sentence"
    assert [name for name, param in spec.params.items() if not param.doc] == []
    for name, param in spec.params.items():
        if name.startswith(("tau", "refractory")):
            assert param.unit == "ms", f"{name} needs its unit"
    kinds = {kind for port in (*spec.inputs.values(), *spec.outputs.values()) for kind in port.kinds}
    assert kinds <= set(KINDS) | {"same"}


@every_node
def test_defaults_survive_json(spec: type[Node]) -> None:
    values = defaults(spec)
    again = json.loads(json.dumps(values, allow_nan=False))
    assert {
        name: param.problem(again[name]) for name, param in spec.params.items() if param.problem(again[name])
    } == {}
    coerced = [{name: param.coerce(v[name]) for name, param in spec.params.items()} for v in (values, again)]
    assert coerced[0] == coerced[1]
    assert {n: type(v) for n, v in coerced[0].items()} == {n: type(v) for n, v in coerced[1].items()}


@every_node
def test_unknown_shapes_stay_unknown(spec: type[Node]) -> None:
    """A node that knows nothing of its neighbours yet must neither fail nor invent."""
    blank = dict.fromkeys(signal_ports(spec))
    answer = spec.infer(parameters(spec), dict(blank))
    assert set(answer) >= set(blank)


@every_stepping_node
def test_tensors_are_as_declared(spec: type[Node]) -> None:
    trainable = list(spec.params["train"].choices) if "train" in spec.params else []
    for train in ([], trainable):
        p = parameters(spec, **({"train": train} if trainable else {}))
        tensors = spec.tensors(p, plausible_shapes(spec, p))
        assert set(train) <= set(tensors)
        for tensor in tensors.values():
            value = tensor.init(np.random.default_rng(0), tensor.shape)
            assert value.shape == tensor.shape
            assert value.dtype == np.float32 or tensor.group == "fixed"
            assert tensor.low is None or value.min() >= tensor.low
            assert tensor.high is None or value.max() <= tensor.high
            again = tensor.init(np.random.default_rng(0), tensor.shape)
            assert np.array_equal(value, again), "the same seed gives the same array"


@pytest.mark.parametrize("training", [False, True])
@every_stepping_node
def test_steps_keep_shapes_types_and_state(spec: type[Node], training: bool) -> None:
    p = parameters(spec)
    shapes = plausible_shapes(spec, p)
    p = prepare(spec, shapes, DT, training=training)
    state = initial_state(spec, p, state_shape(spec, shapes), BATCH)
    outputs, last = scan(spec, p, stimulus(spec, p, shapes), state, STEPS, DT)
    expected = {port for port in spec.outputs if port in shapes}
    for out in outputs:
        assert set(out) == expected
        for port, signal in out.items():
            assert signal.shape == (BATCH, *(shapes[port] or ()))
            assert signal.dtype == np.float32, port
            assert np.isfinite(signal).all(), port
    assert set(last) == set(spec.state_of(p))
    for name, value in last.items():
        assert value.shape == state[name].shape
        assert value.dtype == np.float32, name


@every_stepping_node
def test_whole_sequence_equals_step_by_step_without_state(spec: type[Node]) -> None:
    p = parameters(spec)
    if spec.state_of(p):
        pytest.skip("it has state")
    shapes = plausible_shapes(spec, p)
    p = prepare(spec, shapes, DT)
    x = stimulus(spec, p, shapes)
    outputs, _ = scan(spec, p, x, {}, STEPS, DT)
    _, at_once = spec.step(OPS, Values(), Values(x), p, DT)
    for port in outputs[0]:
        assert np.array_equal(np.stack([out[port] for out in outputs]), at_once[port])


def assert_torch_agrees(spec: type[Node], **given: Any) -> None:
    torch = pytest.importorskip("torch")
    backend = pytest.importorskip("engine.backend.ops")
    p = parameters(spec, **given)
    shapes = plausible_shapes(spec, p)
    ours, theirs = (
        prepare(spec, shapes, DT, ops, convert, **given)
        for ops, convert in (
            (OPS, np.asarray),
            (backend.EXACT, lambda array: torch.from_numpy(np.array(array))),
        )
    )
    x = stimulus(spec, p, shapes)
    state = initial_state(spec, p, state_shape(spec, shapes), BATCH)
    expected, _ = scan(spec, ours, x, state, STEPS, DT)
    tensors = {name: torch.from_numpy(value) for name, value in x.items()}
    start = {name: torch.from_numpy(value) for name, value in state.items()}
    found, _ = scan(spec, theirs, tensors, start, STEPS, DT, backend.EXACT)
    for a, b in zip(expected, found, strict=True):
        for port in a:
            assert b[port].dtype == torch.float32
            np.testing.assert_allclose(b[port].numpy(), a[port], rtol=1e-5, atol=1e-5, err_msg=port)


@every_stepping_node
def test_torch_gives_what_numpy_gives(spec: type[Node]) -> None:
    assert_torch_agrees(spec)


@pytest.mark.parametrize("refractory", [0.0, 2.0])
@pytest.mark.parametrize("trained", [False, True])
@of_base(Conventional)
def test_torch_agrees_in_every_convention(spec: type[Conventional], trained: bool, refractory: float) -> None:
    options: dict[str, Any] = {"refractory": refractory} if "refractory" in spec.params else {}
    if trained and "train" in spec.params:
        options["train"] = list(spec.params["train"].choices)
    for preset in spec.presets().values():
        for step in ("same", "next") if "reset_step" in spec.params else ("",):
            assert_torch_agrees(spec, **preset | options | ({"reset_step": step} if step else {}))


@of_base(Population)
def test_gradients_reach_every_trained_parameter(spec: type[Node]) -> None:
    torch = pytest.importorskip("torch")
    backend = pytest.importorskip("engine.backend.ops")
    trainable = list(spec.params["train"].choices) if "train" in spec.params else []
    if not trainable:
        pytest.skip("nothing to train")
    shapes = plausible_shapes(spec, parameters(spec, train=trainable))

    def leaf(array: np.ndarray) -> Any:
        return torch.from_numpy(array).requires_grad_()

    p = prepare(spec, shapes, DT, backend.OPS, leaf, training=True, train=trainable)
    state = {name: torch.from_numpy(v) for name, v in initial_state_of_tensors(spec, p, shapes).items()}
    x = {name: torch.from_numpy(30 * value) for name, value in stimulus(spec, p, shapes).items()}
    outputs, _ = scan(spec, p, x, state, STEPS, DT, backend.OPS)
    sum((out[port] ** 2).sum() for out in outputs for port in out).backward()
    for name in trainable:
        assert torch.isfinite(p[name].grad).all(), name
        assert p[name].grad.abs().sum() > 0, name


def initial_state_of_tensors(
    spec: type[Node], p: Values, shapes: dict[str, Shape | None]
) -> dict[str, np.ndarray]:
    plain = Values({n: v.detach().numpy() if hasattr(v, "detach") else v for n, v in p.items()})
    return initial_state(spec, plain, state_shape(spec, shapes), BATCH)


@of_base(Delays)
def test_delays_are_drawn_within_their_span(spec: type[Delays]) -> None:
    for granularity in spec.params["granularity"].choices:
        p = parameters(spec, granularity=granularity)
        low, high = spec.span(p)
        assert 0 <= low <= high
        drawn = spec.values(p, DT)(np.random.default_rng(1), (7, 9))
        assert drawn.shape == (7, 9)
        assert drawn.dtype == np.float32
        assert drawn.min() >= low / DT - 0.5
        assert drawn.max() <= high / DT + 0.5


@of_base(Loss)
def test_loss_is_one_finite_number_per_sample(spec: type[Loss]) -> None:
    p = parameters(spec)
    shapes = plausible_shapes(spec, p)
    p = prepare(spec, shapes, DT)
    x = stimulus(spec, p, shapes)
    if "label" in x:
        classes = (shapes["label"] or (1,))[-1]
        x["label"] = np.eye(classes, dtype=np.float32)[np.arange(BATCH) % classes]
    found = spec.loss(OPS, Values(x), p, DT)
    assert found.shape == (BATCH,)
    assert np.isfinite(found).all()


@of_base(DataSet)
def test_data_set_names_its_source_and_checksums(spec: type[DataSet]) -> None:
    assert spec.info.title
    assert spec.info.licence
    for remote in spec.info.files:
        method, _, digest = remote.checksum.partition(":")
        assert len(digest) == {"sha256": 64, "md5": 32, "": 0}[method]  # empty: the source promises none


def test_offline_encoders_turn_a_recording_into_counts() -> None:
    found = [spec for spec in ALL.values() if issubclass(spec, OfflineEncoder)]
    if not found:
        pytest.skip("there is no offline encoder")
    rng = np.random.default_rng(2)
    for spec in found:
        p = parameters(spec)
        frames = spec.encode(Wave(rng.normal(0, 0.1, 2000).astype(np.float32), 8000.0), p, 10.0, 0)
        shape = spec.infer(p, dict.fromkeys(signal_ports(spec)))["output"]
        assert frames.shape[1:] == shape
        assert frames.dtype == np.float32
        assert frames.min() >= 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
HUGE = st.sampled_from(
    [10**400, -(10**400), [10**400] * 20, [10**9] * 3, math.nan, math.inf, [math.nan], [[]], [{}]]
)
PARAMS = [param for spec in ALL.values() for param in spec.params.values()]


@given(param=st.sampled_from(PARAMS), value=JSON | HUGE)
def test_any_json_value_is_judged_and_never_raises(param: Param, value: Any) -> None:
    sentence = param.problem(value)
    assert sentence is None or (isinstance(sentence, str) and sentence)
    if sentence is None:
        param.coerce(value)


@pytest.mark.parametrize(
    ("param", "value", "words"),
    [
        (Param(1.0, "ms", low=0.1), 0.0, "at least 0.1 ms"),
        (Param(1.0, "ms", high=5.0), 6, "at most 5 ms"),
        (Param(1.0), True, "a number"),
        (Param(1.0), "1", "a number"),
        (Param(1.0), math.nan, "finite"),
        (Param(1), 1.5, "whole number"),
        (Param(True), 1, "true or false"),
        (Param("a", choices=("a", "b")), "c", "one of a, b"),
        (Param([], kind="names", choices=("a",)), ["b"], "a list from a"),
        (Param([], kind="shape"), [0], "positive"),
        (Param([], kind="shape"), [10**4, 10**4], "100,000,000 elements"),
    ],
)
def test_a_wrong_value_is_named(param: Param, value: Any, words: str) -> None:
    assert words in (param.problem(value) or "")
