"""Every mark of the report can be told from what it lies on, in the light and in the dark (WCAG 2.2, 1.4.11)."""

import re
from pathlib import Path

import pytest

import or_mv_anon.audit

CSS = (Path(or_mv_anon.audit.__file__).parent / "report.css").read_text()
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", part)) for part in CSS.split("@media (prefers-color-scheme: dark)")
)
DARK = {name: DARK[name] for name in LIGHT}  # what follows the dark colours sets none
MARKS = [
    *(("rule", f"risk{level}") for level in (1, 2, 3)),  # meters and strips
    *(("card", f"p{part}") for part in range(5)),  # how boxes came about
    ("card", "accent"), ("card", "second"), ("card", "bad"), ("page", "bad"), ("page", "soft"), ("card", "soft"),
    ("second-soft", "second"), ("second", "card"), ("bad", "card"), ("bad-soft", "bad"), ("good-soft", "good"),
]  # fmt: skip
TEXTS = [
    ("page", "ink"), ("card", "ink"), ("page", "soft"), ("card", "soft"), ("second-soft", "ink"), ("bad-soft", "bad"),
    ("good-soft", "good"), ("bad-soft", "ink"),
]  # fmt: skip


def luminance(colour):
    """Relative luminance of sRGB, as WCAG defines it."""
    values = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ground", "mark"), MARKS)
def test_marks_have_a_contrast_of_three(colours, ground, mark):
    assert contrast(colours[ground], colours[mark]) >= 3


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ground", "text"), TEXTS)
def test_text_has_a_contrast_of_four_and_a_half(colours, ground, text):
    assert contrast(colours[ground], colours[text]) >= 4.5


def test_every_colour_that_the_report_draws_with_is_one_of_these():
    drawn = set(re.findall(r"(?:fill|stroke|background|border-left): [^;]*var\(--([\w-]+)\)", CSS))
    judged = {mark for _, mark in MARKS} | {ground for ground, _ in MARKS}
    decoration = {"line", "accent-soft"}  # borders of cards; the area below a curve whose edge is a mark
    assert drawn <= judged | decoration


def test_contrast_is_computed_right():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
