"""Networks of other software are opened as documents."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

import numpy as np
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from studio.dialogs import ask
from studio.window import MainWindow


def write(path: Path) -> None:
    nir = pytest.importorskip("nir")
    tau, ones = np.full(3, 0.02), np.ones(3)
    nodes = {
        "input": nir.Input(np.array([2])),
        "weights": nir.Affine(np.arange(6.0).reshape(3, 2), np.zeros(3)),
        "cells": nir.LIF(tau=tau, r=ones, v_leak=0 * ones, v_threshold=ones, v_reset=0 * ones),
        "output": nir.Output(np.array([3])),
    }
    edges = [("input", "weights"), ("weights", "cells"), ("cells", "output")]
    nir.write(path, nir.NIRGraph(nodes, edges))


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "theirs.nir"
    write(path)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    return path


def test_a_nir_file_opens_as_a_document(window: MainWindow, foreign: Path, qtbot: QtBot) -> None:
    window.run("file.import")
    qtbot.waitUntil(lambda: not window.importer.busy and window.workspace.current is not None, timeout=20_000)
    session = window.workspace.current
    assert session is not None
    assert session.path == foreign.with_suffix(".myelin")
    assert session.document.meta["weights"] == "theirs.safetensors"
    qtbot.waitUntil(lambda: session.checker.settled)
    assert session.problems.program is not None
    types = {node.type for node in session.document.nodes.values()}
    assert "projection.dense" in types


def test_what_lies_there_is_not_replaced_unasked(
    window: MainWindow, foreign: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = foreign.with_suffix(".myelin")
    mine.write_text("mine")
    monkeypatch.setattr(ask, "save_path", lambda *_: None)
    window.run("file.import")
    assert mine.read_text() == "mine"
    elsewhere = foreign.with_name("elsewhere.myelin")
    monkeypatch.setattr(ask, "save_path", lambda *_: elsewhere)
    window.run("file.import")
    qtbot.waitUntil(lambda: not window.importer.busy and elsewhere.exists(), timeout=20_000)
    assert mine.read_text() == "mine"


def test_a_file_cut_in_half_is_one_sentence(window: MainWindow, foreign: Path, qtbot: QtBot) -> None:
    foreign.write_bytes(foreign.read_bytes()[:700])
    told: list[str] = []
    window.files.failed.connect(told.append)
    window.run("file.import")
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    assert len(told) == 1
    assert "\n" not in told[0]
    assert not foreign.with_suffix(".myelin").exists()
    assert window.workspace.current is None
