"""The operating table, its arm boards, and the mayo stand's tray over the patient's legs."""

from __future__ import annotations

import numpy as np

from or_mv_anon.simulation.room.blocks import box
from or_mv_anon.simulation.room.fittings import castors
from or_mv_anon.simulation.room.shop import Bench
from or_mv_anon.simulation.room.turned import cylinder, rod
from or_mv_anon.simulation.scene import Footprint


def operating_table(bench: Bench, table: Footprint) -> None:
    """Base, column, top with padded sections, side rails, a head ring, a hand control; x towards the head."""
    style, rng = bench.style, bench.rng
    height = table.height
    shift = float(rng.uniform(-0.25, 0.15))
    bench.add(box(1.0, 0.46, 0.1, bevel=0.03).at(shift * 0.5, 0, 0.05), style.housing)
    bench.add(box(0.7, 0.4, 0.06, bevel=0.02).at(shift * 0.5, 0, 0.14), style.steel)
    castors(bench, 0.8, 0.36, radius=0.035)
    if rng.random() < 0.5:
        bench.add(box(0.34, 0.28, height - 0.36, bevel=0.03).at(shift, 0, 0.18), style.steel)
        for k in range(4):
            bench.add(box(0.35, 0.29, 0.012).at(shift, 0, 0.24 + 0.1 * k), style.grey)
    else:
        bench.add(cylinder(0.17, height - 0.36, bevel=0.02).at(shift, 0, 0.18), style.steel)
        bench.add(cylinder(0.2, 0.14, bevel=0.02).at(shift, 0, 0.2), style.housing)
    bench.add(box(0.8, 0.4, 0.1, bevel=0.02).at(shift * 0.5, 0, height - 0.19), style.grey)
    bench.add(box(2.0, table.width - 0.1, 0.035, bevel=0.01).at(0, 0, height - 0.1), style.steel)
    for start, end in ((-1.0, -0.32), (-0.31, 0.2), (0.21, 0.72), (0.73, 1.0)):
        width = table.width - (0.16 if start > 0.7 else 0.0)
        pad = box(end - start, width, 0.065, bevel=0.02).at((start + end) / 2, 0, height - 0.065)
        bench.add(pad, style.pad)
    for side in (-1, 1):
        y = side * (table.width / 2 + 0.02)
        for start, end in ((-0.95, -0.4), (-0.25, 0.65)):
            bench.add(box(end - start, 0.012, 0.03).at((start + end) / 2, y, height - 0.105), style.chrome)
            for x in (start + 0.08, end - 0.08):
                bench.add(box(0.03, 0.05, 0.02).at(x, y - side * 0.025, height - 0.1), style.chrome)
    bench.add(box(0.05, 0.02, 0.14, bevel=0.008).at(0.1, -table.width / 2 - 0.03, height - 0.24), style.black)


def arm_board(bench: Bench, board: Footprint) -> None:
    """A padded board that carries an outstretched arm, with its clamp on the table's side (x points inwards)."""
    height = board.height
    bench.add(box(board.length, board.width, 0.015).at(0, 0, height - 0.075), bench.style.steel)
    bench.add(box(board.length, board.width, 0.055, bevel=0.02).at(0, 0, height - 0.06), bench.style.pad)
    for x in (-0.2, 0.15):
        strap = box(0.04, board.width + 0.012, 0.06, bevel=0.01).at(x, 0, height - 0.062)
        bench.add(strap, bench.style.paint((0.55, 0.56, 0.56)))
    bench.add(
        rod((board.length / 2 - 0.05, 0, height - 0.1), (board.length / 2 + 0.04, 0, height - 0.1), 0.02),
        bench.style.chrome,
    )


def mayo_frame(bench: Bench, post: Footprint, tray: tuple[float, float, float]) -> None:
    """The stand's foot, post and arm in the post's frame; `tray` is where the tray's middle is, seen from the post."""
    x, y, height = tray
    style = bench.style
    bench.add(cylinder(0.016, height - 0.08, segments=12).at(0, 0, 0.06), style.chrome)
    bench.add(cylinder(0.022, height * 0.55, segments=12).at(0, 0, 0.06), style.steel)
    bench.add(box(0.05, 0.5, 0.03, bevel=0.01).at(0, 0.05, 0.045), style.steel)
    for side in (-0.18, 0.28):
        bench.add(cylinder(0.025, 0.04, bevel=0.006, segments=10).at(0, side), style.black)
    direction = np.array([x, y, 0.0])
    bench.add(rod((0, 0, height - 0.03), (direction[0], direction[1], height - 0.03), 0.012), style.chrome)
