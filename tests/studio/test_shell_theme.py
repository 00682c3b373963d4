"""Both themes: the same roles, legible text, a style sheet without gaps, icons in one style."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from PySide6.QtGui import QColor

from studio import theme as themes
from studio.theme import THEMES, theme

GROUNDS = ("window", "panel", "field", "canvas", "node", "node.header")
NO_TEXT = {*GROUNDS, "hover", "progress", "border", "grid", "node.border", "disabled", "accent.text"}


def luminance(colour: str) -> float:
    parts = [part / 255 for part in QColor(colour).getRgb()[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_both_themes_have_the_same_roles() -> None:
    assert THEMES["dark"].keys() == THEMES["light"].keys()


@pytest.mark.parametrize("name", THEMES)
def test_every_colour_of_text_is_legible_on_every_ground(name: str) -> None:
    colours = THEMES[name]
    weak = {
        f"{role} on {ground}": round(contrast(colours[role], colours[ground]), 2)
        for role in colours.keys() - NO_TEXT
        for ground in GROUNDS
        if contrast(colours[role], colours[ground]) < 4.5
    }
    assert not weak
    assert contrast(colours["accent.text"], colours["accent"]) >= 4.5
    assert contrast(colours["text"], colours["hover"]) >= 4.5
    assert contrast(colours["text"], colours["progress"]) >= 4.5
    assert contrast(colours["disabled"], colours["panel"]) >= 3


@pytest.mark.parametrize("name", THEMES)
def test_the_style_sheet_names_only_roles_and_icons_that_exist(name: str) -> None:
    sheet = themes.style_sheet(THEMES[name])
    assert not re.findall(r"\{[a-z][a-z. ]*\}", sheet)
    assert "#" in sheet


def test_no_colour_is_written_in_the_style_sheet() -> None:
    assert not re.findall(r":[^;{]*#[0-9a-fA-F]{3,8}", themes.SHEET.read_text(encoding="utf-8"))


def test_icons_are_drawn_in_one_style() -> None:
    style = {
        "viewBox": "0 0 24 24", "stroke": "currentColor", "stroke-width": "1.75", "stroke-linecap": "round",
    }  # fmt: skip
    for path in sorted(themes.ICONS.glob("*.svg")):
        found = ET.parse(path).getroot().attrib
        assert path.stem == "app" or style.items() <= found.items(), path.stem


@pytest.mark.usefixtures("qapp")
def test_choosing_a_theme_recolours_icons_and_palette() -> None:
    before = theme.name
    try:
        images = []
        for name in ("dark", "light"):
            theme.use(name)
            images.append(theme.icon("save").pixmap(24, 24).toImage())
            assert theme.palette().window().color() == QColor(THEMES[name]["window"])
        assert images[0] != images[1]
    finally:
        theme.use(before)
