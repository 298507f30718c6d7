"""The first pass over an endoscope's recording: how likely every frame shows the outside.

Every frame is decoded and reduced. The network looks at some of them in every interval; where a look is doubtful it
looks at every frame on both sides. Frames between two calm looks take the higher of the two probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.records import FrameFlag
from or_mv_anon.core.schedule import due
from or_mv_anon.core.workers import count_frames
from or_mv_anon.endoscopy.borders import Area, BorderFinder, prepare
from or_mv_anon.endoscopy.classifier import OutOfBodyClassifier
from or_mv_anon.endoscopy.settings import JudgingConfig
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.frame_flags import damage_flags
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.source import Source

BLOCK = 64  # frames held at once, reduced
BATCH = 8  # pictures for the network at once
BORDER_LOOKS = 24  # frames, spread over the recording, in which its border is looked for


@dataclass
class Judged:
    """What came of some frames, in their order; `flags` are `FrameFlag`."""

    frames: list[int] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    probabilities: list[float] = field(default_factory=list)
    looked: list[bool] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass
class _Picture:
    number: int
    time: float
    flag: FrameFlag
    bgr: NDArray[np.uint8] | None  # None where there is nothing to look at
    probability: float = float("nan")
    looked: bool = False


def judge_frames(
    frames: Iterable[Frame], classifier: OutOfBodyClassifier, area: Area, config: JudgingConfig, *, first: int = 0
) -> Judged:
    """Judge the frames of a segment; those that are damaged or fail stay NaN and are later covered.

    Args:
        frames: in display order.
        classifier: the network.
        area: the lit rectangle, in pixels of the reduced pictures, see `recording_area`.
        config: which frames it looks at.
        first: the index that is counted as frame 0.
    """
    found = Judged()
    pictures = (_reduced(frame, config, first, found.problems) for frame in frames)
    while block := list(islice(pictures, BLOCK)):
        try:
            _judge_block([picture for picture in block if picture.bgr is not None], classifier, area, config)
        except Exception as error:  # fail closed: whatever went wrong, these frames are covered whole
            found.problems.append(_problem(block[0].number, error))
            for picture in block:
                picture.flag, picture.probability, picture.looked = FrameFlag.FAILED, float("nan"), False
        found.frames += [picture.number for picture in block]
        found.flags += [int(picture.flag) for picture in block]
        found.probabilities += [picture.probability for picture in block]
        found.looked += [picture.looked for picture in block]
        count_frames(len(block))
    return found


def recording_area(source: Source, config: JudgingConfig, *, first: int, stop: int) -> Area:
    """The lit rectangle of a recording, in pixels of its reduced pictures, from frames `first` to before `stop`.

    Looks at some frames only, the same ones whatever part is judged. Where none decodes it is the whole picture.
    """
    size = picture_size(source.upright_size, config)
    chosen = np.unique(np.linspace(first, stop - 1, BORDER_LOOKS).astype(int))
    finder = BorderFinder()
    count = 0
    for frame in _chosen_frames(source, chosen):
        if not frame.corrupt:
            finder.add(frame.bgr(*size))
            count += 1
    return finder.area() if count else (0, 0, *size)


def picture_size(size: tuple[int, int], config: JudgingConfig) -> tuple[int, int]:
    """Width and height that upright frames of `size` are reduced to; small ones stay as they are."""
    scale = min(1.0, config.picture_side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _chosen_frames(source: Source, chosen: NDArray[np.int64]) -> Iterator[Frame]:
    if not source.seekable:
        wanted = np.zeros(source.n_frames, bool)
        wanted[chosen] = True
        yield from source.frames(Segment(0, 0, source.n_frames), wanted=wanted)
        return
    # The keyframe at or before each: decoding from there to the frame itself would cost far more than it tells.
    keyframes = np.searchsorted(source.pts, source.keyframes)
    if not len(keyframes):
        keyframes = chosen
    place = np.maximum(np.searchsorted(keyframes, chosen, side="right") - 1, 0)
    for number in np.unique(keyframes[place]).tolist():
        yield from source.frames(Segment(0, number, number + 1))


def _reduced(frame: Frame, config: JudgingConfig, first: int, problems: list[str]) -> _Picture:
    number = frame.index - first
    if frame.corrupt:
        return _Picture(number, frame.time, damage_flags(frame), None)
    try:
        return _Picture(number, frame.time, damage_flags(frame), frame.bgr(*picture_size(frame.upright_size, config)))
    except Exception as error:  # fail closed
        problems.append(_problem(number, error))
        return _Picture(number, frame.time, FrameFlag.FAILED, None)


def _judge_block(
    pictures: Sequence[_Picture], classifier: OutOfBodyClassifier, area: Area, config: JudgingConfig
) -> None:
    times = np.array([picture.time for picture in pictures])
    looks: list[int] = np.flatnonzero(due(times, config.interval_s)).tolist()
    _look([pictures[row] for row in looks], classifier, area)
    for before, after in pairwise(looks):
        between = pictures[before + 1 : after]
        worst = max(pictures[before].probability, pictures[after].probability)
        if worst < config.doubt:
            for picture in between:
                picture.probability = worst
        else:
            _look(between, classifier, area)


def _look(pictures: Sequence[_Picture], classifier: OutOfBodyClassifier, area: Area) -> None:
    for start in range(0, len(pictures), BATCH):
        batch = pictures[start : start + BATCH]
        prepared = [prepare(picture.bgr, area) for picture in batch if picture.bgr is not None]
        for picture, probability in zip(batch, classifier.probabilities(np.stack(prepared)).tolist(), strict=True):
            picture.probability, picture.looked = probability, True
            if math.isnan(probability):
                raise ArithmeticError(f"the network gives no number for frame {picture.number}")


def _problem(number: int, error: Exception) -> str:
    return f"frame {number}: judging failed, covered whole ({type(error).__name__}: {error})"
