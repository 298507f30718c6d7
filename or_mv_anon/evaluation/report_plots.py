"""An evaluation as PNG plots: exposure by group, exposure over time, smoothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import explained, write_atomically
from or_mv_anon.evaluation.evaluate import Evaluation
from or_mv_anon.evaluation.exposure import counts, is_exposed

WIDTH = 8.0  # inches
DOTS_PER_INCH = 120
BAD, GOOD, GREY = "#b3261e", "#1b5e8c", "#9aa0a6"
SECONDS = 1.0  # of one column over time


def write_plots(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Draw what the evaluation holds into `folder`, which is made if missing; returns the files.

    Raises:
        UserError: matplotlib is not installed, or the folder cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UserError('Plots need matplotlib, which is not installed: pip install "or_mv_anon[plots]".') from error
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    drawings: dict[str, Callable[[Any, Evaluation], None]] = {
        "exposure_by_group": _by_group,
        "exposure_over_time": _over_time,
    }
    if evaluation.faceoff:
        drawings["faceoff_smoothing"] = _smoothing
    written = []
    for name, draw in drawings.items():
        figure = Figure(figsize=(WIDTH, 5), layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure, evaluation)
        path = folder / f"{name}.png"
        write_atomically(path, partial(figure.savefig, format="png", dpi=DOTS_PER_INCH))
        written.append(path)
    return written


def _by_group(figure: Any, evaluation: Evaluation) -> None:
    """One bar per group with its interval; the number of face-frames beside it."""
    bars = [
        (f"{title.replace('_', ' ')}: {name}", counted)
        for title, group in evaluation.exposure.groups.items()
        for name, counted in group.items()
        if counted.considered
    ]
    figure.set_size_inches(WIDTH, 1.2 + 0.3 * len(bars))
    axes = figure.subplots()
    share = np.array([100 * (counted.share.value or 0) for _, counted in bars])
    low = np.array([100 * (counted.share.low or 0) for _, counted in bars])
    high = np.array([100 * (counted.share.high or 0) for _, counted in bars])
    places = np.arange(len(bars))
    spread = np.clip([share - low, high - share], 0, None)
    axes.barh(places, share, color=BAD, xerr=spread, ecolor=GREY, capsize=2)
    axes.set_yticks(places, [f"{name} (n = {counted.considered:,})" for name, counted in bars])
    axes.invert_yaxis()
    axes.set_xlim(0, max(1.0, float(np.max(high, initial=0)) * 1.05))
    axes.set_xlabel("face-frames exposed, % (bars: 95 % interval)")


def _over_time(figure: Any, evaluation: Evaluation) -> None:
    """Per camera and second, how many face-frames count and how many of them are exposed."""
    options, cameras = evaluation.rules.exposure, evaluation.exposure.cameras
    faces = evaluation.faces[counts(evaluation.faces, options)]
    exposed = is_exposed(faces, options)
    figure.set_size_inches(WIDTH, 1 + 1.1 * len(cameras))
    rows = figure.subplots(len(cameras), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for number, (axes, name) in enumerate(zip(rows, cameras, strict=True)):
        of_camera = evaluation.frames.camera == number
        start, stop = evaluation.frames.start[of_camera].min(), evaluation.frames.stop[of_camera].max()
        edges = np.arange(start, stop + SECONDS, SECONDS)
        here = faces.camera == number
        axes.stairs(np.histogram(faces.start[here], edges)[0], edges - start, fill=True, color=GREY, label="counted")
        bad = np.histogram(faces.start[here & exposed], edges)[0]
        axes.stairs(bad, edges - start, fill=True, color=BAD, label="exposed")
        axes.set_ylabel(name, rotation=0, ha="right")
    rows[0].legend(loc="upper right", ncols=2, frameon=False)
    rows[-1].set_xlabel("seconds from the camera's start; face-frames per second")


def _smoothing(figure: Any, evaluation: Evaluation) -> None:
    """Precision, recall and F1 against the window."""
    axes = figure.subplots()
    rows = evaluation.faceoff or []
    for name, colour in (("precision", GREY), ("recall", BAD), ("f1", GOOD)):
        values = [np.nan if (value := getattr(row, name)) is None else 100 * value for row in rows]
        axes.plot(range(len(rows)), values, "o-", color=colour, label=name.capitalize())
    axes.set_xticks(range(len(rows)), ["none" if row.window == 1 else f"k = {row.window}" for row in rows])
    axes.set_ylim(0, 102)
    axes.set_ylabel("%")
    axes.set_title("FaceOff protocol: faces at IoU 0.3 before and after smoothing", loc="left", fontsize=10)
    axes.legend(frameon=False)
