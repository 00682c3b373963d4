"""Pictures of the graph: SVG and PDF, drawn by the same strokes."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from engine.errors import MyelinError
from engine.export.frozen import Frozen
from engine.export.target import NotExecutable, Target, target
from engine.export.targets import _drawing as d
from engine.export.targets.script import document_of
from nodes.spec import Param, Values

FONT = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
MM = 25.4 / 96  # of a unit, a pixel at 96 dpi
PALETTES = {
    "light": {
        **{"canvas": "#fbfcfe", "text": "#1c2230", "muted": "#566072", "node": "#ffffff"},
        **{"kind.spikes": "#8a5c00", "kind.current": "#1f5fbf", "kind.value": "#1d7a3d"},
        **{"kind.potential": "#7b3fb0", "kind.label": "#566072", "kind.loss": "#c0392b"},
        **{"kind.delays": "#0b7a70", "kind.rule": "#b83263", "kind.modulator": "#a5541a"},
        **{"kind.audio": "#3f56b5", "role.population": "#8a5c00", "role.projection": "#1f5fbf"},
        **{"role.encoder": "#1d7a3d", "role.delays": "#0b7a70", "role.rule": "#b83263"},
        **{"role.readout": "#7b3fb0", "role.loss": "#c0392b", "role.probe": "#566072"},
        **{"role.dataset": "#3f56b5", "role.structure": "#566072"},
    },
    "dark": {
        **{"canvas": "#15171c", "text": "#e6e9ef", "muted": "#a3abba", "node": "#2a2f39"},
        **{"kind.spikes": "#ffc857", "kind.current": "#5aa9ff", "kind.value": "#6fdc8c"},
        **{"kind.potential": "#c792ea", "kind.label": "#b8c0cc", "kind.loss": "#ff8a82"},
        **{"kind.delays": "#2dd4bf", "kind.rule": "#ff8fb1", "kind.modulator": "#f59e5b"},
        **{"kind.audio": "#9fb4ff", "role.population": "#ffc857", "role.projection": "#5aa9ff"},
        **{"role.encoder": "#6fdc8c", "role.delays": "#2dd4bf", "role.rule": "#ff8fb1"},
        **{"role.readout": "#c792ea", "role.loss": "#ff8a82", "role.probe": "#b8c0cc"},
        **{"role.dataset": "#9fb4ff", "role.structure": "#9fabc0"},
    },
}
"""The colours of the studio's themes (``studio/theme.py``)."""
THEME = {"theme": Param("light", choices=("light", "dark"), doc="colours on white or on black")}


class Picture(Target):
    """Nodes, wires and notes where they were drawn."""

    group = "Documents"
    options = THEME

    def execute(self, *given: Any, **named: Any) -> Any:
        """A picture does not run."""
        raise NotExecutable("a picture is looked at, not run")

    def figures(self, artefact: Path, frozen: Frozen, options: Values) -> dict[str, Any]:
        """Size of the file."""
        return {"bytes": artefact.stat().st_size}


@target("svg", label="Picture (SVG)")
class Svg(Picture):
    """A drawing for the web and for papers, in which text stays text."""

    file = ".svg"
    software = "any browser"

    def write(self, frozen: Frozen, folder: Path, options: Values) -> None:
        """``network.svg``."""
        drawing = d.draw(document_of(frozen, self.label))
        (folder / "network.svg").write_text(svg(drawing, PALETTES[options.theme]), "utf-8")

    def read_back(self, artefact: Path, frozen: Frozen, options: Values) -> str:
        """Well-formed, with the title of every node that fits its box."""
        try:
            texts = [element.text or "" for element in ElementTree.parse(artefact).iter() if element.text]
        except ElementTree.ParseError as error:
            raise MyelinError(f"{artefact} is no well-formed SVG: {error}") from None
        document = document_of(frozen, self.label)
        wanted = [shape.text for shape in d.draw(document).shapes if isinstance(shape, d.Text)]
        missing = [text for text in wanted if text and text not in texts]
        if missing:
            raise MyelinError(f"{artefact} does not show {missing[0]!r}")
        return f"well-formed, with all {len(document.nodes)} nodes and {len(document.wires)} wires"


@target("pdf", label="Picture (PDF)")
class Pdf(Picture):
    """A page as large as the drawing; letters that Latin-1 has not are shown as question marks."""

    file = ".pdf"
    software = "any PDF reader"

    def write(self, frozen: Frozen, folder: Path, options: Values) -> None:
        """``network.pdf``."""
        pdf(d.draw(document_of(frozen, self.label)), PALETTES[options.theme], folder / "network.pdf")

    def read_back(self, artefact: Path, frozen: Frozen, options: Values) -> str:
        """It begins and ends as a PDF does."""
        content = artefact.read_bytes()
        if not content.startswith(b"%PDF-") or not content.rstrip().endswith(b"%%EOF"):
            raise MyelinError(f"{artefact} is no PDF")
        return f"a PDF of {len(content):,} bytes"


def svg(drawing: d.Drawing, colours: dict[str, str]) -> str:
    """The drawing as SVG."""
    left, top, right, bottom = drawing.area
    box = f"{left:g} {top:g} {right - left:g} {bottom - top:g}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" width="{right - left:g}" '
        f'height="{bottom - top:g}" font-family="{FONT}" fill="none" stroke="none" stroke-linecap="round">',
        f"<title>{_escaped(drawing.title)}</title>",
        f'<rect x="{left:g}" y="{top:g}" width="100%" height="100%" fill="{colours["canvas"]}"/>',
        *(_svg_shape(shape, colours) for shape in drawing.shapes),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """A text within XML, which has no control characters."""
    return escape("".join(letter if letter.isprintable() else " " for letter in text))


def _svg_shape(shape: d.Path | d.Text, colours: dict[str, str]) -> str:
    if isinstance(shape, d.Text):
        weight = ' font-weight="600"' if shape.bold else ""
        anchor = ' text-anchor="end"' if shape.right else ""
        where = f'x="{shape.x:g}" y="{shape.y:g}" font-size="{shape.size:g}"'
        return (
            f'<text {where} fill="{_colour(colours, shape.role)}"{weight}{anchor}>'
            f"{_escaped(shape.text)}</text>"
        )
    steps = " ".join(" ".join(s if isinstance(s, str) else f"{s:g}" for s in step) for step in shape.steps)
    fill = f' fill="{_mixed(colours, shape, shape.fill)}"' if shape.fill else ""
    line = ""
    if shape.stroke:
        line = f' stroke="{_mixed(colours, shape, shape.stroke)}" stroke-width="{shape.width:g}"'
    return f'<path d="{steps}"{fill}{line}/>'


def _colour(colours: dict[str, str], role: str) -> str:
    return colours.get(role) or colours.get(f"role.{role}") or colours["muted"]


def _mixed(colours: dict[str, str], shape: d.Path, role: str) -> str:
    """The colour of a stroke or a filling, opaque, since not every reader mixes."""
    own, under = _colour(colours, role), _colour(colours, shape.over)
    parts = ((int(own[k : k + 2], 16), int(under[k : k + 2], 16)) for k in (1, 3, 5))
    return "#" + "".join(f"{round(shape.share * a + (1 - shape.share) * b):02x}" for a, b in parts)


def pdf(drawing: d.Drawing, colours: dict[str, str], path: Path) -> None:
    """The drawing as a page of its own size."""
    try:
        from fpdf import FPDF
    except ImportError:
        raise MyelinError("PDF needs the package fpdf2: pip install 'myelin-studio[export]'") from None
    left, top, right, bottom = drawing.area
    width, height = (right - left) * MM, (bottom - top) * MM
    page = FPDF(unit="mm", format=(width, height))
    page.set_title(drawing.title)
    page.set_creator("Myelin Studio")
    page.set_auto_page_break(False)
    page.add_page(orientation="portrait")
    page.set_fill_color(colours["canvas"])
    page.rect(0, 0, width, height, style="F")
    for shape in drawing.shapes:
        if isinstance(shape, d.Text):
            _pdf_text(page, shape, colours, (left, top))
        else:
            _pdf_path(page, shape, colours, (left, top))
    page.output(str(path))


def _pdf_text(page: Any, shape: d.Text, colours: dict[str, str], corner: d.Point) -> None:
    page.set_font("Helvetica", "B" if shape.bold else "", shape.size * 0.75)
    page.set_text_color(_colour(colours, shape.role))
    text = shape.text.encode("latin-1", "replace").decode("latin-1")
    x = shape.x - corner[0] - (page.get_string_width(text) / MM if shape.right else 0)
    page.text(x * MM, (shape.y - corner[1]) * MM, text)


def _pdf_path(page: Any, shape: d.Path, colours: dict[str, str], corner: d.Point) -> None:
    x, y = corner
    with page.new_path() as path:
        path.style.auto_close = False
        path.style.fill_color = _mixed(colours, shape, shape.fill) if shape.fill else None
        path.style.stroke_color = _mixed(colours, shape, shape.stroke) if shape.stroke else None
        path.style.stroke_width = shape.width * MM
        for name, *numbers in shape.steps:
            at = [((float(n) - (y if k % 2 else x)) * MM) for k, n in enumerate(numbers)]
            {"M": path.move_to, "L": path.line_to, "C": path.curve_to, "Z": path.close}[str(name)](*at)
