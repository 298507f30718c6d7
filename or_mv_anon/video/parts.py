"""A recording in several consecutive parts, taken as if it were one: where each part lies in time.

Gaps between parts are kept where the parts' own clock goes on or their names tell when they began; otherwise the next
part follows at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.site.part_names import wall_clock
from or_mv_anon.video.concatenated import recordings_in
from or_mv_anon.video.damage.chains import DecodingOrder
from or_mv_anon.video.demux import Span, open_video, video_streams
from or_mv_anon.video.index import VideoIndex, index_video
from or_mv_anon.video.transport import spans_of

_NAMED_GAP_S = 2.0  # names count whole seconds; shorter gaps are their rounding
_OVERLAP_S = 5.0  # by which names may let a part begin before the former one ends
_LONGEST_GAP_S = 3600.0  # between clocks that seem to go on; beyond, they are different clocks
_LARGEST_CLOCK = 1 << 31


def index_recording(files: Path | Sequence[Path]) -> VideoIndex:
    """The index of a video, or of the consecutive parts of one; parts that cannot be read are said to be left out.

    Raises:
        UserError: see `index_video`; or no part can be read, or the parts cannot follow one another.
    """
    if isinstance(files, Path):
        parts = _parts_of(files)
        return parts[0] if len(parts) == 1 else joined_index(parts)
    parts, unread = [], []
    for path in files:
        try:
            parts += _parts_of(path)
        except UserError as error:
            unread.append(error)
    if not parts:
        raise unread[0]
    index = parts[0] if len(parts) == 1 else joined_index(parts)
    sentences = [f"A part is left out: {_without_folder(error, files)}" for error in unread]
    return replace(index, left_out=(*index.left_out, *sentences))


def _without_folder(error: UserError, files: Sequence[Path]) -> str:
    """The sentence with names alone, as the folders above may name patients."""
    sentence = str(error)
    for file in files:
        sentence = sentence.replace(str(file), file.name)
    return sentence


def joined_index(parts: Sequence[VideoIndex]) -> VideoIndex:
    """One index over `parts` in order, on one clock that begins as the first part's does.

    Raises:
        UserError: they cannot follow one another.
    """
    _refuse_other_pictures(parts)
    model = max(parts, key=lambda part: part.shape.area)
    time_base = _common_clock([part.time_base for part in parts])
    starts, gaps = _starts(parts)
    ticks: list[NDArray[np.int64]] = []
    keyframes: list[NDArray[np.int64]] = []
    for part, start in zip(parts, starts, strict=True):
        own = part.pts - part.pts[0]
        at = round(start / time_base) + _rescaled(own, part.time_base, time_base)
        if ticks:  # rounding to another clock must not let two frames fall together
            at = at + max(0, int(ticks[-1][-1]) + 1 - int(at[0]))
        ticks.append(at)
        entries = at[np.isin(part.pts, part.keyframes)] if part.seekable else at[:1]
        keyframes.append(np.union1d(at[:1], entries))
    other = [part for part in parts if part.shape != model.shape]
    notes = [f"{part.path.name}: {note}" for part in parts for note in part.notes]
    if other:
        notes.append(
            f"{len(other)} of its parts are fitted into {model.shape} with black bars, as they have another size."
        )
    return replace(
        model,
        path=parts[0].path,
        container=parts[0].container,
        average_rate=parts[0].average_rate,
        audio=parts[0].audio,
        time_base=time_base,
        pts=np.concatenate(ticks),
        keyframes=np.concatenate(keyframes),
        seekable=True,  # a part that is not is read from its beginning
        truncated=" ".join(f"{part.path.name}: {part.truncated}" for part in parts if part.truncated) or None,
        label="pts",
        labels=None,
        whole=True,
        splices=(),
        shapes=(),
        span=None,
        notes=(*notes, *gaps),
        left_out=tuple(f"{part.path.name}: {sentence}" for part in parts for sentence in part.left_out),
        decoding=DecodingOrder.joined([part.decoding for part in parts]),
        parts=tuple(parts),
    )


def _parts_of(path: Path) -> list[VideoIndex]:
    """The file, or its spans where its picture goes on under another identifier."""
    whole = index_video(path)
    if len(behind := recordings_in(path)) > 1:
        return _behind_one_another(path, behind)
    if whole.container != "mpegts":
        return [whole]
    spans, identifiers = spans_of(path)
    if len(spans) > 1:
        parts = [index_video(path, span=span) for span in spans]
        note = "Its picture goes on under another packet identifier here."
        return [parts[0], *(replace(part, notes=(note, *part.notes)) for part in parts[1:])]
    with open_video(path) as container:
        known = {stream.id for stream in video_streams(container)}
    late = [identifier for identifier in identifiers if identifier not in known]
    if known and late:
        listed = ", ".join(map(str, late))
        sentence = f"Pictures under the packet identifiers {listed} come up later than its tables and are not read."
        return [replace(whole, left_out=(*whole.left_out, sentence))]
    return [whole]


def _behind_one_another(path: Path, spans: Sequence[Span]) -> list[VideoIndex]:
    parts = [index_video(path, span=spans[0])]
    for number, span in enumerate(spans[1:], 2):
        try:
            part = index_video(path, span=span)
        except UserError as error:
            sentence = f"Recording {number} of the {len(spans)} that lie behind one another in it is left out: {error}"
            parts[-1] = replace(parts[-1], left_out=(*parts[-1].left_out, _without_folder(UserError(sentence), [path])))
            continue
        parts.append(replace(part, notes=("Another recording begins behind the one before it here.", *part.notes)))
    return parts


def _starts(parts: Sequence[VideoIndex]) -> tuple[list[Fraction], list[str]]:
    """Seconds at which each part begins, and notes about gaps."""
    starts = [int(parts[0].pts[0]) * parts[0].time_base]
    notes = []
    for before, part in pairwise(parts):
        gap, told = _gap(before, part)
        if gap > 0:
            notes.append(f"{part.path.name} begins {float(gap):.2f} s after {before.path.name} ends, as {told}.")
        starts.append(starts[-1] + _length(before) + gap)
    return starts, notes


def _gap(before: VideoIndex, part: VideoIndex) -> tuple[Fraction, str]:
    """Seconds between two parts, never negative, and what tells."""
    clocks = wall_clock(before.path.stem), wall_clock(part.path.stem)
    named = None
    if clocks[0] is not None and clocks[1] is not None and before.path != part.path:
        named = Fraction(clocks[1] - clocks[0]) - _length(before)
        if named < -_OVERLAP_S:
            raise UserError(
                f"{part.path} begins {-float(named):.0f} s before {before.path.name} ends, as their names say, so they "
                'are no consecutive parts; write parts = "separate" into a site.toml beside them.'
            )
    end = int(before.pts[0]) * before.time_base + _length(before)
    own = int(part.pts[0]) * part.time_base - end
    frame = before.frame_ticks * before.time_base
    goes_on = -frame / 2 <= own <= _LONGEST_GAP_S and part.pts[0] > 0
    if goes_on and (named is None or abs(own - named) <= _NAMED_GAP_S):
        return (own, "their clock says") if own > frame / 2 else (Fraction(0), "")
    if named is not None and named > _NAMED_GAP_S:
        return named, "their names say"
    return Fraction(0), ""


def _length(part: VideoIndex) -> Fraction:
    """Seconds from a part's first frame to the end of its last."""
    return (int(part.pts[-1]) - int(part.pts[0]) + part.frame_ticks) * part.time_base


def _common_clock(clocks: Sequence[Fraction]) -> Fraction:
    """A clock that shows the ticks of all `clocks`, or the finest of them."""
    common = Fraction(math.gcd(*(c.numerator for c in clocks)), math.lcm(*(c.denominator for c in clocks)))
    return common if common.denominator < _LARGEST_CLOCK else min(clocks)


def _rescaled(ticks: NDArray[np.int64], own: Fraction, common: Fraction) -> NDArray[np.int64]:
    ratio = own / common
    if ratio.denominator == 1:
        return ticks * ratio.numerator
    return np.array([round(int(tick) * ratio) for tick in ticks], np.int64)


def _refuse_other_pictures(parts: Sequence[VideoIndex]) -> None:
    first = parts[0]
    for part in parts[1:]:
        if (part.rotation, part.flip) != (first.rotation, first.flip):
            raise UserError(
                f"{part.path} is turned by {part.rotation} degrees and {first.path.name} by {first.rotation}, so they "
                'cannot become one recording; write parts = "separate" into a site.toml beside them.'
            )
