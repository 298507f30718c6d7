"""Cases at a glance: of each the part of the covered pictures where to look, over its moments, to loop side by side.

Pictures are cut from the covered videos in their own size, whatever the page shows beside them: a face is small there.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import cv2
import numpy as np

from or_mv_anon.audit.cases import Box, Case
from or_mv_anon.core.errors import UserError
from or_mv_anon.review.covered_video import CoveredVideo, Picture
from or_mv_anon.review.moments import jpeg, packed_behind
from or_mv_anon.review.proxies import Proxies
from or_mv_anon.review.run_folder import ReviewedCamera, ReviewedRun

STEP_S = 0.2  # between the pictures of a loop
AROUND = 3.0  # sides of the box to look at: what lies one side beside it is in the tile, too
LEAST_SHARE = 0.12  # of the picture's width, which a tile shows at least
SHAPE = (4, 3)  # of a tile, width to height
TILE_PX = (320, 240)
LEAST_SCALE = 0.5  # of a tile: what is shown smaller hides faces
MOST_BYTES = 48 << 20  # of tiles that are kept

Rectangle = tuple[int, int, int, int]


@dataclass(frozen=True)
class Tile:
    """One camera's part of a case.

    Attributes:
        camera: its name.
        box: where to look, x1, y1, x2, y2 as shares of the tile; None for anywhere.
        seconds: when the frames begin, session seconds.
        bytes: of each frame's JPEG.
        why: a sentence where nothing is or may be shown.
    """

    camera: str
    box: Box | None
    seconds: tuple[float, ...] = ()
    bytes: tuple[int, ...] = ()
    why: str = ""


class Glances:
    """Gives the tiles of cases.

    Args:
        run: to show.
        proxies: who has opened its outputs, and knows which must not be shown.
    """

    def __init__(self, run: ReviewedRun, proxies: Proxies) -> None:
        self._run = run
        self._proxies = proxies
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def packed(self, case: Case) -> bytes:
        """The tiles as bytes, see `packed_behind`."""
        with self._lock:
            if (kept := self._kept.get(case.id)) is not None:
                self._kept.move_to_end(case.id)
                return kept
        made = [self._tile(self._run.camera(name), case) for name in case.cameras]
        pictures = (picture for _, each in made for picture in each)
        packed = packed_behind({"tiles": [asdict(tile) for tile, _ in made]}, pictures)
        if not any(tile.why for tile, _ in made):
            self._keep(case.id, packed)
        return packed

    def _keep(self, case: str, packed: bytes) -> None:
        with self._lock:
            self._kept[case] = packed
            while sum(map(len, self._kept.values())) > MOST_BYTES and len(self._kept) > 1:
                self._kept.popitem(last=False)

    def _tile(self, camera: ReviewedCamera, case: Case) -> tuple[Tile, list[bytes]]:
        cut = tile_around(case.boxes.get(camera.name), camera.size)
        box = _within(case.boxes.get(camera.name), cut)
        frames = frames_of(camera, case.start, case.end)
        if not frames:
            return Tile(camera.name, box, why=f"{camera.name} shows nothing at this moment."), []
        try:
            pictures = [jpeg(_cut_out(each, cut)) for each in _pictures(self._proxies.video(camera.name), frames)]
        except UserError as error:
            return Tile(camera.name, box, why=str(error)), []
        seconds = tuple(float(camera.seconds[frame]) for frame in frames)
        return Tile(camera.name, box, seconds, tuple(map(len, pictures))), pictures


def frames_of(camera: ReviewedCamera, start: float, end: float) -> list[int]:
    """Frames of a camera's output from one moment of the session to another, `STEP_S` apart, and the last one.

    One where both moments lie within one frame; none where the camera shows nothing then.
    """
    moments = [*np.arange(start, end, STEP_S).tolist(), end]
    found = [frame for moment in moments if (frame := camera.frame_at(moment)) is not None]
    return list(dict.fromkeys(found))


def tile_around(box: Box | None, size: tuple[int, int]) -> Rectangle:
    """What a tile shows: x1, y1, x2, y2 in whole pixels of the upright frame, inside of it.

    Args:
        box: where to look, in such pixels; None for the whole picture.
        size: width and height of the frame.
    """
    if box is None:
        return 0, 0, *size
    wide, high = SHAPE
    unit = max(AROUND * (box[2] - box[0]) / wide, AROUND * (box[3] - box[1]) / high, LEAST_SHARE * size[0] / wide)
    edges = []
    for axis, sides in enumerate((wide, high)):
        length = min(round(unit * sides), size[axis])
        first = min(max(round((box[axis] + box[axis + 2] - length) / 2), 0), size[axis] - length)
        edges.append((first, first + length))
    (x1, x2), (y1, y2) = edges
    return x1, y1, x2, y2


def at_a_glance(case: Case, sizes: Mapping[str, tuple[int, int]]) -> bool:
    """Whether tiles show enough of a case for a decision.

    Args:
        case: any.
        sizes: by camera, width and height of its frames.
    """
    cuts = [tile_around(case.boxes.get(name), sizes[name]) for name in case.cameras if name in sizes]
    return all(_scale(x2 - x1, y2 - y1) >= LEAST_SCALE for x1, y1, x2, y2 in cuts)


def _scale(width: int, height: int) -> float:
    return min(TILE_PX[0] / width, TILE_PX[1] / height)


def _within(box: Box | None, cut: Rectangle) -> Box | None:
    if box is None:
        return None
    x, y, width, height = cut[0], cut[1], cut[2] - cut[0], cut[3] - cut[1]
    return (box[0] - x) / width, (box[1] - y) / height, (box[2] - x) / width, (box[3] - y) / height


def _pictures(video: CoveredVideo, frames: list[int]) -> Iterator[Picture]:
    wanted = set(frames)
    for number, picture in enumerate(video.between(frames[0], frames[-1] + 1, video.camera.size), start=frames[0]):
        if number in wanted:
            yield picture


def _cut_out(picture: Picture, cut: Rectangle) -> Picture:
    """The part, as large as fits into a tile."""
    part = picture[cut[1] : cut[3], cut[0] : cut[2]]
    scale = _scale(part.shape[1], part.shape[0])
    size = max(1, round(scale * part.shape[1])), max(1, round(scale * part.shape[0]))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, size, interpolation=how), np.uint8)
