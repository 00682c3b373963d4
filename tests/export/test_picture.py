"""Pictures of the graph show every node and wire, in both themes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from engine.document import Document, load
from engine.errors import MyelinError
from engine.export.report import READ
from engine.export.target import get, options_of
from engine.export.targets import _drawing
from engine.export.verify import export, verify
from tests.export.networks import GALLERY, ROOT, network, recorded

PROJECTS = sorted(path.parent.name for path in (ROOT / "projects").glob("*/*.myelin"))
SVG = "{http://www.w3.org/2000/svg}"


def written(target_id: str, name: str, folder: Path, **options: str) -> Path:
    target, found = get(target_id), network(name)
    frozen = replace(found.frozen, document=found.document)
    path = folder / f"network{target.file}"
    export(target, found.program, frozen, path, options_of(target, options))
    return path


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", GALLERY)
def test_svg_has_a_curve_for_every_wire_and_a_title_for_every_node(
    tmp_path: Path, name: str, theme: str
) -> None:
    root = ElementTree.parse(written("svg", name, tmp_path, theme=theme)).getroot()
    document = network(name).document
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert all(node.name in texts for node in document.nodes.values())
    curves = [path for path in root.iter(f"{SVG}path") if path.get("stroke-width") == "2"]
    assert len(curves) == len(document.wires)
    assert (root.findtext(f"{SVG}title") or "") == document.meta["title"]
    left, top, width, height = map(float, root.attrib["viewBox"].split())
    for element in root.iter(f"{SVG}text"):
        assert left < float(element.attrib["x"]) < left + width
        assert top < float(element.attrib["y"]) < top + height


def test_the_themes_differ(tmp_path: Path) -> None:
    light = written("svg", "coincidence", tmp_path, theme="light").read_text("utf-8")
    dark = written("svg", "coincidence", tmp_path, theme="dark").read_text("utf-8")
    assert light != dark


@pytest.mark.parametrize("target_id", ["svg", "pdf"])
def test_it_is_read_back_and_says_that_it_was_not_run(tmp_path: Path, target_id: str) -> None:
    if target_id == "pdf":
        pytest.importorskip("fpdf")
    target, found = get(target_id), network("coincidence")
    path = written(target_id, "coincidence", tmp_path)
    frozen = replace(found.frozen, document=found.document)
    given = recorded("coincidence")
    report = verify(target, path, frozen, given, options_of(target))
    assert report.status == READ
    assert "not verified by execution" in report.message
    path.write_text("<svg", "utf-8")
    with pytest.raises(MyelinError):
        verify(target, path, frozen, given, options_of(target))


def test_a_pdf_page_is_as_large_as_the_drawing(tmp_path: Path) -> None:
    pytest.importorskip("fpdf")
    content = written("pdf", "ei-network", tmp_path).read_bytes()
    left, top, right, bottom = _drawing.draw(network("ei-network").document).area
    page = content[content.index(b"/MediaBox") :].split(b"]")[0].split(b"[")[1].split()
    assert [float(n) for n in page[2:]] == pytest.approx(
        [(right - left) * 0.75, (bottom - top) * 0.75], abs=0.1
    )


@pytest.mark.parametrize("name", PROJECTS)
def test_what_hangs_together_is_joined_at_its_ports(name: str) -> None:
    document = load(ROOT / "projects" / name / f"{name}.myelin")
    faces = {key: _drawing.face(document, key) for key in document.nodes}
    for wire in document.wires.values():
        assert ("out", wire.source.port) in faces[wire.source.node].ports
        assert ("in", wire.target.port) in faces[wire.target.node].ports
    assert all(face.width <= 280 for face in faces.values())


def test_odd_documents_are_drawn_too(tmp_path: Path) -> None:
    document = Document.new("Odd <&> title")
    assert _drawing.draw(document).shapes == []
    a = document.add(
        "population.lif", name='<b>"\N{GREEK SMALL LETTER MU}" & a name far too long for its box'
    )
    node = {"type": "their.node", "v": 3, "name": "", "params": {}}
    document.edit(
        "Odd",
        [
            {"op": "add_node", "id": "odd", "node": node},
            {"op": "add_wire", "id": "w", "wire": {"from": [a, "spikes"], "to": ["odd", "in"]}},
            {"op": "set", "path": ["layout", "f"], "value": {"at": [0, 0], "frame": "part"}},
            {"op": "set", "path": ["groups", "g"], "value": {
                "name": "block", "nodes": [a], "ports": {"in": {}, "out": {}}, "parent": None}},
        ],
    )  # fmt: skip
    frozen = replace(network("coincidence").frozen, document=document)
    for target_id in ("svg", "pdf"):
        target = get(target_id)
        if target_id == "pdf":
            pytest.importorskip("fpdf")
        target.write(frozen, tmp_path, options_of(target))
        assert target.read_back(tmp_path / f"network{target.file}", frozen, options_of(target))
    assert "block" in (tmp_path / "network.svg").read_text("utf-8")
