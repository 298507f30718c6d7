"""Small inline SVG charts. Curves stretch with the page; all text stays HTML so that it keeps its size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from or_mv_anon.audit.summary import Series
from or_mv_anon.audit.timecode import clock_time

MOST_POINTS = 600
WIDTH, HEIGHT = 1000, 100  # the SVG's own units, stretched to the page
TICKS = 5


@dataclass(frozen=True)
class Mark:
    """A stretch of the strip, seconds of the chart's own clock; `level` is 1 to 3, the gravest."""

    start_s: float
    end_s: float
    level: int


def timeline(series: Series, marks: Sequence[Mark], *, label: str) -> str:
    """Charts of covered share and people over time above a strip that marks what to review, as HTML.

    Long series are reduced to at most `MOST_POINTS` points: the mean of the covered share, the largest number of
    people.

    Args:
        series: values per second.
        marks: of the same camera.
        label: whose video it is, for screen readers.
    """
    if not series.second:
        return '<p class="empty">No frame, no course over time.</p>'
    second = np.asarray(series.second, float)
    start, stop = second[0], second[-1] + 1
    bins = np.unique(np.linspace(0, len(second), min(len(second), MOST_POINTS), endpoint=False).astype(int))
    size = np.diff(np.append(bins, len(second)))
    covered = 100 * np.add.reduceat(np.asarray(series.covered, float), bins) / size
    people = np.maximum.reduceat(np.asarray(series.people, float), bins)
    left = (second[bins] - start) / (stop - start) * WIDTH
    right = np.append(left[1:], WIDTH)
    return (
        _chart("Picture covered", "%", covered, left, right, "covered", f"Share of the picture covered, {label}")
        + _chart("People followed", "", people, left, right, "people", f"Number of people followed, {label}")
        + _strip(marks, start, stop, label)
        + _time_axis(start, stop)
    )


def provenance_bar(share: Mapping[str, float], names: Mapping[str, str], *, label: str) -> str:
    """One stacked bar of the shares with a legend, as HTML; `names` gives each key its words."""
    if not any(share.values()):
        return '<p class="empty">No person was followed.</p>'
    parts, legend, left = [], [], 0.0
    for index, (key, value) in enumerate(share.items()):
        if value <= 0:
            continue
        parts.append(
            f'<rect class="part part{index}" x="{left * WIDTH:.2f}" y="0" width="{value * WIDTH:.2f}" height="10"/>'
        )
        legend.append(f'<li><span class="key part{index}"></span>{escape(names[key])} <b>{percent(value)}</b></li>')
        left += value
    return (
        f'<svg class="bar" viewBox="0 0 {WIDTH} 10" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg><ul class="legend">{"".join(legend)}</ul>'
    )


def percent(share: float) -> str:
    """A share in [0, 1] as a percentage that never rounds something to nothing, nor nearly all to all."""
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{100 * share:.1f} %"


def _chart(
    title: str, unit: str, values: np.ndarray, left: np.ndarray, right: np.ndarray, kind: str, label: str
) -> str:
    top = _round_up(float(values.max()))
    y = HEIGHT - values / top * HEIGHT
    steps = "".join(f"H{a:.1f}V{v:.1f}H{b:.1f}" for a, b, v in zip(left, right, y, strict=True))
    area = f"M0,{HEIGHT}{steps}V{HEIGHT}Z"
    edge = f"M0,{y[0]:.1f}{steps}"
    unit = f" {unit}" if unit else ""
    return (
        f'<div class="chart"><div class="scale"><span>{title}</span><span>{top:g}{unit}</span></div>'
        f'<svg class="{kind}" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}, at most {values.max():.3g}{unit}">'
        f'<path class="grid" d="M0,{HEIGHT / 2}H{WIDTH}"/><path class="area" d="{area}"/>'
        f'<path class="edge" d="{edge}"/>'
        "</svg></div>"
    )


def _strip(marks: Sequence[Mark], start: float, stop: float, label: str) -> str:
    """What to review: each of the strip's `MOST_POINTS` columns shows the gravest mark within it."""
    level = np.zeros(MOST_POINTS, int)
    scale = MOST_POINTS / (stop - start)
    for mark in marks:
        first = int(np.clip((mark.start_s - start) * scale, 0, MOST_POINTS - 1))
        last = int(np.clip((mark.end_s - start) * scale - 1e-9, first, MOST_POINTS - 1))
        level[first : last + 1] = np.maximum(level[first : last + 1], mark.level)
    edges = np.flatnonzero(np.diff(np.concatenate([[-1], level, [-1]])))
    drawn = "".join(
        f'<rect class="risk{level[a]}" x="{a}" y="0" width="{b - a}" height="10"/>'
        for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
        if level[a]
    )
    return (
        '<div class="chart"><div class="scale"><span>To review</span></div>'
        f'<svg class="strip" viewBox="0 0 {MOST_POINTS} 10" preserveAspectRatio="none" role="img" '
        f'aria-label="Moments to review, {escape(label)}">{drawn}</svg></div>'
    )


def _time_axis(start: float, stop: float) -> str:
    times = np.linspace(start, stop, TICKS)
    return f'<div class="axis">{"".join(f"<span>{clock_time(t)}</span>" for t in times.tolist())}</div>'


def _round_up(value: float) -> float:
    """The next number of the form 1, 2 or 5 × a power of ten that is not below `value`; 1 for nothing."""
    if value <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9)))
