"""Where data lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.data import store
from nodes.samples import DataError


def test_the_environment_names_the_data_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("MYELIN_DATA", str(tmp_path))
    assert store.data_root() == tmp_path.resolve()


def test_else_it_is_the_folder_of_the_platform(monkeypatch):
    monkeypatch.delenv("MYELIN_DATA")
    assert store.data_root().is_absolute()
    assert "myelin" in store.data_root().parts


def test_data_sets_are_found_by_short_name_or_type():
    assert store.find("shd") is store.find("dataset.shd")
    assert store.folder(store.find("shd"), Path("/data")) == Path("/data/shd")
    with pytest.raises(DataError, match=r"no data set 'shdd'.*shd.*\.$"):
        store.find("shdd")
