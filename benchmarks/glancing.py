"""What is seen by whoever looks at many cases at a glance, as the review page offers it.

A page takes one second and 0.6 s for every loop on it, and at least as long as the longest loop; a stretch is seen
where a tile shows its whole face at its moment. What cannot be judged so comes afterwards, one case after another. What
people really see at a glance was not measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from or_mv_anon.audit.cases import Case
from or_mv_anon.audit.grouping import CASE_S, LEAST_LOOK_S
from or_mv_anon.evaluation.stretches import Stretch
from or_mv_anon.evaluation.worklist import shows
from or_mv_anon.review.glances import at_a_glance, tile_around

TILES = 9  # of a page, as in review/page/glance.js
Sizes = Mapping[str, tuple[int, int]]


def share_seen(
    cases: Sequence[Case], stretches: Sequence[Stretch], sizes: Sizes, *, minutes: float, camera_hours: float
) -> float:
    """Share of the stretches that so many minutes of review per camera-hour show; 1 where there are none.

    Args:
        cases: ranked.
        stretches: of the same session.
        sizes: by camera, width and height of its frames.
        minutes: per camera-hour.
        camera_hours: recorded, all cameras together.
    """
    left, seen = 60 * minutes * camera_hours, set[int]()
    for looked, seconds, tiled in looks(cases, sizes):
        left -= seconds
        if left < -1e-9:
            break
        seen |= {n for n, each in enumerate(stretches) if any(_shows(case, each, sizes, tiled) for case in looked)}
    return len(seen) / len(stretches) if stretches else 1.0


def looks(cases: Sequence[Case], sizes: Sizes) -> Iterator[tuple[list[Case], float, bool]]:
    """Cases that are looked at together, the seconds that this takes, and whether in tiles."""
    page: list[Case] = []
    for case in cases:
        if not at_a_glance(case, sizes):
            continue
        if page and sum(len(each.cameras) for each in [*page, case]) > TILES:
            yield page, page_seconds(page), True
            page = []
        page.append(case)
    if page:
        yield page, page_seconds(page), True
    for case in cases:
        if not at_a_glance(case, sizes):
            yield [case], case.review_s, False


def page_seconds(page: Sequence[Case]) -> float:
    """What a page takes."""
    tiles = sum(len(case.cameras) for case in page)
    return CASE_S + max(LEAST_LOOK_S * tiles, *(case.end - case.start for case in page))


def _shows(case: Case, stretch: Stretch, sizes: Sizes, tiled: bool) -> bool:
    if not shows(case, stretch):
        return False
    x1, y1, x2, y2 = tile_around(case.boxes.get(stretch.camera), sizes[stretch.camera])
    left, top, right, bottom = stretch.face
    return not tiled or bool(x1 <= left and right <= x2 and y1 <= top and bottom <= y2)
