from __future__ import annotations

import copy
import json
from importlib import import_module
from pathlib import Path

import pytest

from engine.document import SCHEMA, DocumentError, End, dumps, load, loads, migrations

DOCUMENTS = Path(__file__).parent.parent / "fixtures" / "documents"


def test_every_old_schema_has_one_step_towards_ours_and_a_fixture() -> None:
    assert {old: new for old, (new, _) in migrations.steps().items()} == {n: n + 1 for n in range(SCHEMA)}
    fixtures = {json.loads(path.read_text())["schema"] for path in DOCUMENTS.glob("schema*.myelin")}
    assert fixtures == set(range(SCHEMA + 1))


@pytest.mark.parametrize("path", sorted(DOCUMENTS.glob("schema*.myelin")), ids=lambda path: path.name)
def test_a_document_of_every_schema_opens_and_saves_as_ours(path: Path) -> None:
    document = load(path)
    assert json.loads(dumps(document))["schema"] == SCHEMA
    assert loads(dumps(document)) == document
    assert document.meta["title"] == "Two layers"
    assert document.extra == {"comment": "unknown keys are kept"}


@pytest.mark.parametrize(("old", "step"), migrations.steps().items())
def test_a_migration_leaves_its_input_alone(old: int, step: tuple[int, str]) -> None:
    tree = json.loads((DOCUMENTS / f"schema{old}.myelin").read_text())
    before = copy.deepcopy(tree)
    import_module(step[1]).migrate(tree)
    assert tree == before


def test_schema_0_has_listed_wires_and_seconds() -> None:
    document = load(DOCUMENTS / "schema0.myelin")
    assert document.meta == {"title": "Two layers", "seed": 7, "dt_ms": 1.0}
    assert {key: (wire.source, wire.target) for key, wire in document.wires.items()} == {
        "w0000000": (End("aaaa1111", "spikes"), End("bbbb2222", "in")),
        "w0000001": (End("aaaa1111", "spikes"), End("aaaa1111", "in")),
    }


@pytest.mark.parametrize("damage", [{"dt": "1 ms"}, {"dt": None}, {"wires": [[1, 2, 3]]}, {"wires": 4}])
def test_an_old_file_that_is_not_what_it_says(damage: dict[str, object]) -> None:
    tree = json.loads((DOCUMENTS / "schema0.myelin").read_text())
    with pytest.raises(DocumentError, match="cannot open the text: "):
        loads(json.dumps({**tree, **damage}))
