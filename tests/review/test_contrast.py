"""Text and marks of the review page can be told from what is behind them, in light and in dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import or_mv_anon.review

STYLE = (Path(or_mv_anon.review.__file__).parent / "page" / "review.css").read_text()
TEXTS = [  # what is written on what
    ("ink", "page"), ("ink", "card"), ("ink", "rule"), ("ink", "accent-soft"), ("soft", "card"), ("soft", "page"),
    ("soft", "rule"), ("on-accent", "accent"), ("bad", "card"), ("bad", "bad-soft"), ("good", "good-soft"),
    ("warn", "warn-soft"),
]  # fmt: skip
MARKS = [
    ("people", "rule"),
    ("covered", "rule"),
    ("doubt", "rule"),
    ("here", "rule"),
    ("accent", "card"),
    ("ink", "rule"),
]
LEAST = {"text": 4.5, "mark": 3.0}  # WCAG 2.2, 1.4.3 and 1.4.11


def themes() -> dict[str, dict[str, str]]:
    """Colours by name, light and dark."""
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in blocks)
    return {"light": light, "dark": light | dark}


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back", "kind"), [*((*pair, "text") for pair in TEXTS), *((*pair, "mark") for pair in MARKS)]
)
def test_everything_stands_out(theme: str, front: str, back: str, kind: str):
    colours = themes()[theme]
    assert contrast(colours[front], colours[back]) >= LEAST[kind]


def test_every_colour_of_text_is_among_the_pairs():
    named = set(re.findall(r"[{;\s]color: var\(--([\w-]+)\)", STYLE))
    assert named <= {front for front, _ in TEXTS} | {"card", "ink"}
