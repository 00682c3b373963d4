"""Exports with their reports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.export.frozen import Frozen
from engine.export.target import get, options_of
from engine.export.verify import Recording, export, verify
from tests.export.networks import Network, Verified, network, record, recorded


@pytest.fixture
def frozen_of() -> Callable[[str], Frozen]:
    """``frozen_of("coincidence")``."""
    return lambda name: network(name).frozen


@pytest.fixture
def recordings_of() -> Callable[..., tuple[Recording, ...]]:
    """``recordings_of("coincidence", whole=False)``."""
    return recorded


@pytest.fixture
def verified(tmp_path: Path) -> Callable[..., Verified]:
    """``verified("c", "coincidence", number="fixed")``: exported with options, run, compared.

    A network of your own: ``verified("c", compiled(document))``.
    """

    def exported(target_id: str, name: str | Network, **options: Any) -> Verified:
        target = get(target_id)
        chosen = options_of(target, options)
        found = network(name) if isinstance(name, str) else name
        ours = recorded(name, target.whole_sequence) if isinstance(name, str) else record(found)
        path = tmp_path / f"artefact{target.file}"
        export(target, found.program, found.frozen, path, chosen)
        return Verified(path, verify(target, path, found.frozen, ours, chosen))

    return exported
