"""From tracks, keypoints and faces to covered regions: one head region for every person in every frame.

Three sources, in falling trust: head keypoints of the track near in time; the shoulders; the person box alone (its
top, or all of it for a lying or tiny person). Regions of a track are then smoothed over time in a way that never
uncovers anything. Faces that no head region holds are covered on their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as bx
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import FaceConfig, RegionConfig
from or_mv_anon.core.records import Detections, FrameFlag, Frames, RegionKind, Regions, Tracks, TransferredHeads
from or_mv_anon.regions.heads import Heads
from or_mv_anon.regions.smoothing import smooth

FACE_SCALE = 1.6  # region side ÷ face detection side: detectors frame eyebrows to chin, a head is more
POINT_MARGIN = 0.35  # head heights kept around every trusted head point
BOX_MARGIN = 0.1  # widths of the person box added around a head region that rests on the box alone
SHORT_BOX_WIDTHS = 0.6  # a head region that rests on the box alone is at least this many box widths high
ROWS_AT_ONCE = 200_000
NEVER_SHARE = 0.95  # a region is dropped when this share of it lies in a never-covered zone


def camera_regions(
    frames: Frames,
    heads: Heads,
    tracks: Tracks,
    faces: Tracks,
    *,
    size: tuple[int, int],
    config: RegionConfig,
    transferred: TransferredHeads | None = None,
    always: Sequence[tuple[float, float, float, float]] = (),
    never: Sequence[tuple[float, float, float, float]] = (),
) -> Regions:
    """Everything that gets covered in one camera.

    Args:
        frames: all frames of the camera.
        heads: of some of the person detections.
        tracks: of persons.
        faces: tracks of face detections.
        size: width and height of the upright picture in pixels.
        config: region settings.
        transferred: heads that other cameras place, one per row of `tracks` with that provenance.
        always: zones covered in every frame, upright pixels.
        never: zones in which regions are dropped when they lie inside.

    Returns:
        Regions ordered by frame, cut to the picture.
    """

    def kept(part: Regions) -> Regions:
        if len(never) and len(part):
            part = part[bx.containment(part.box, np.asarray(never, np.float32)).max(axis=1) < NEVER_SHARE]
        box = bx.clip(_at_least(part.box, config.min_side), width=size[0], height=size[1])
        return part.replace(box=box)[bx.area(box) > 0]

    # Memory: a long recording has millions of rows, so parts are finished one by one and joined once.
    parts = []
    for people in _whole_tracks(tracks):
        placed = _head_regions(frames, heads, people, config)
        if transferred is not None:
            placed = _with_transferred(placed, transferred)
        parts.append(smooth(placed, frames, config))
    head_regions = _by_frame(Regions.concat(parts))
    parts = [kept(head_regions)]
    for part in _whole_tracks(faces):
        face_regions = smooth(_face_regions(part), frames, config)
        parts.append(kept(face_regions[~_held(face_regions, head_regions)]))
    del head_regions
    parts += [*(_every_frame(frames, zone) for zone in always), _unjudged(frames, size)]
    everything = Regions.concat(parts)
    del parts
    return _by_frame(everything)


def _by_frame(regions: Regions) -> Regions:
    return regions[np.argsort(regions.frame, kind="stable")]


def untracked_regions(boxes: Boxes, heads: Heads, faces: Boxes, config: RegionConfig) -> Boxes:
    """Regions of a single picture without any tracking, ``(N, 4)``: every candidate counts as a person.

    Args:
        boxes: of the persons.
        heads: of some of them.
        faces: face boxes.
        config: region settings.
    """
    rows = len(boxes)
    frames = Frames(frame=np.zeros(1), pts=np.zeros(1), time=np.zeros(1), flags=np.zeros(1))
    tracks = Tracks(
        frame=np.zeros(rows),
        track=np.arange(rows),
        box=boxes,
        score=np.ones(rows),
        provenance=np.zeros(rows),
        detection=np.arange(rows),
    )
    return np.concatenate([_head_regions(frames, heads, tracks, config).box, _scale(faces, FACE_SCALE)])


def plausible_faces(faces: Detections, size: tuple[int, int], config: FaceConfig) -> NDArray[np.bool_]:
    """Mask of the face detections that are small, or large and sure."""
    height = faces.box[:, 3] - faces.box[:, 1]
    return (height <= config.large_share * max(size)) | (faces.score >= config.large_min_score)


def _whole_tracks(tracks: Tracks) -> Iterator[Tracks]:
    """Blocks of whole tracks of about `ROWS_AT_ONCE` rows, so that memory does not grow with the recording."""
    ends = np.append(np.flatnonzero(np.diff(tracks.track)) + 1, len(tracks))
    first = 0
    while first < len(tracks):
        stop = int(ends[np.searchsorted(ends, min(first + ROWS_AT_ONCE, len(tracks)))])
        yield tracks[first:stop]
        first = stop


def _head_regions(frames: Frames, heads: Heads, tracks: Tracks, config: RegionConfig) -> Regions:
    if not len(tracks):
        return Regions.empty()
    sample_of_detection = np.full(max(tracks.detection.max(), heads.detection.max(initial=-1)) + 2, -1)
    sample_of_detection[heads.detection] = np.arange(len(heads))  # the last entry stays -1 and answers detection -1
    sample = sample_of_detection[tracks.detection]
    head, uncertainty = _from_samples(frames, tracks, heads, sample, config)
    margin = config.uncertain_growth * uncertainty[:, None] * (head[:, 2:] - head[:, :2])
    head = np.concatenate([head[:, :2] - margin, head[:, 2:] + margin], axis=1)
    fallback, fallback_kind = _from_box(tracks.box, config)
    # Half-sure heads get both: the head as far as it is known and the place where a head would be by default.
    both = np.concatenate([np.minimum(head, fallback)[:, :2], np.maximum(head, fallback)[:, 2:]], axis=1)
    blind = uncertainty >= 1
    box = np.where(blind[:, None], fallback, np.where((uncertainty > 0.5)[:, None], both, head))
    kind = np.where(blind, fallback_kind, RegionKind.HEAD)
    return Regions(frame=tracks.frame, box=box, kind=kind, track=tracks.track, uncertainty=uncertainty)


def _with_transferred(regions: Regions, transferred: TransferredHeads) -> Regions:
    """The regions with the heads that other cameras place where a camera has nothing of its own."""

    def key(frame: NDArray[np.int32], track: NDArray[np.int32]) -> NDArray[np.int64]:
        return (track.astype(np.int64) << 32) + frame

    own, wanted = key(regions.frame, regions.track), key(transferred.frame, transferred.track)
    order = np.argsort(own)
    place = np.minimum(np.searchsorted(own, wanted, sorter=order), len(own) - 1)
    found = own[order[place]] == wanted
    rows, heads = order[place[found]], transferred[found]
    box, kind, uncertainty = regions.box.copy(), regions.kind.copy(), regions.uncertainty.copy()
    box[rows], kind[rows] = heads.box, RegionKind.HEAD
    uncertainty[rows] = np.clip(heads.uncertainty, 0, 1)
    return regions.replace(box=box, kind=kind, uncertainty=uncertainty)


def _from_samples(
    frames: Frames, tracks: Tracks, heads: Heads, sample: NDArray[np.intp], config: RegionConfig
) -> tuple[Boxes, NDArray[np.float32]]:
    """Head box and uncertainty per track row, from the pose samples before and after it on the same track.

    A head moves with its person box: what is interpolated is its offset from the middle of the box's upper edge.
    """
    rows = np.arange(len(tracks))
    known = sample >= 0
    before = np.maximum.accumulate(np.where(known, rows, -1))
    after = np.minimum.accumulate(np.where(known, rows, len(rows))[::-1])[::-1]
    has_before = (before >= 0) & (tracks.track[before] == tracks.track)
    has_after = (after < len(rows)) & (tracks.track[np.minimum(after, len(rows) - 1)] == tracks.track)
    before, after = np.where(has_before, before, rows), np.where(has_after, after, rows)

    time = frames.time[tracks.frame]
    since = np.where(has_before, time - time[before], np.inf)
    until = np.where(has_after, time[after] - time, np.inf)
    near = np.minimum(since, until)
    with np.errstate(invalid="ignore"):
        weight = np.where(
            has_before & has_after, since / np.maximum(since + until, 1e-9), np.where(has_after, 1.0, 0.0)
        )
    head_before, head_after = sample[before], sample[after]
    head_before = np.where(has_before, head_before, head_after)
    head_after = np.where(has_after, head_after, head_before)

    anchor = np.stack([(tracks.box[:, 0] + tracks.box[:, 2]) / 2, tracks.box[:, 1]], axis=1)
    square = _head_boxes(heads, config)

    def offset(head: NDArray[np.intp], row: NDArray[np.intp]) -> Boxes:
        return square[head] - np.tile(anchor[row], 2)

    at_before = np.where(has_before, before, after)
    at_after = np.where(has_after, after, before)
    mix = weight[:, None].astype(np.float32)
    if len(square):
        moved = (1 - mix) * offset(head_before, at_before) + mix * offset(head_after, at_after)
        box = moved + np.tile(anchor, 2)
        own = np.maximum(heads.uncertainty[head_before], heads.uncertainty[head_after])
    else:
        box, own = tracks.box.copy(), np.ones(len(rows), np.float32)
    far = np.clip(near / max(config.keypoint_reach_s, 1e-9), 0, 1)
    uncertainty = np.where(has_before | has_after, own + (1 - own) * far, 1.0)
    return box.astype(np.float32), uncertainty.astype(np.float32)


def _head_boxes(heads: Heads, config: RegionConfig) -> Boxes:
    half = config.head_scale * heads.size[:, None] / 2
    margin = POINT_MARGIN * heads.size[:, None]
    low = np.minimum(heads.center - half, heads.extent[:, :2] - margin)
    high = np.maximum(heads.center + half, heads.extent[:, 2:] + margin)
    return np.concatenate([low, high], axis=1)


def _from_box(person: Boxes, config: RegionConfig) -> tuple[Boxes, NDArray[np.uint8]]:
    """Where a head would be if nothing but the person box is known: the whole width of the top, and a margin."""
    width, height = person[:, 2] - person[:, 0], person[:, 3] - person[:, 1]
    whole = (width >= config.lying_aspect * height) | (height < config.tiny_height)
    # A person cut off at the waist has a short box, and the head takes a larger share of it.
    share = np.maximum(config.box_head_share * height, np.minimum(SHORT_BOX_WIDTHS * width, height))
    margin = BOX_MARGIN * width
    top = np.stack([person[:, 0] - margin, person[:, 1] - margin, person[:, 2] + margin, person[:, 1] + share], axis=1)
    kind = np.where(whole, RegionKind.PERSON, RegionKind.BOX_TOP).astype(np.uint8)
    return np.where(whole[:, None], person, top).astype(np.float32), kind


def _face_regions(faces: Tracks) -> Regions:
    return Regions(
        frame=faces.frame,
        box=_scale(faces.box, FACE_SCALE),
        kind=np.full(len(faces), RegionKind.FACE),
        track=-2 - faces.track,  # negative: face tracks are numbered apart from persons
        uncertainty=np.clip(1 - faces.score, 0, 1),
    )


def _scale(boxes: Boxes, factor: float) -> Boxes:
    return bx.expand(boxes, ratio=(factor - 1) / 2)


def _held(faces: Regions, heads: Regions) -> NDArray[np.bool_]:
    """Which face regions lie wholly inside one head region of their frame; `heads` are ordered by frame."""
    held = np.zeros(len(faces), bool)
    candidate = np.searchsorted(heads.frame, faces.frame, side="left")
    stop = np.searchsorted(heads.frame, faces.frame, side="right")
    while (rows := np.flatnonzero((candidate < stop) & ~held)).size:
        head, face = heads.box[candidate[rows]], faces.box[rows]
        held[rows] = (head[:, :2] <= face[:, :2]).all(axis=1) & (head[:, 2:] >= face[:, 2:]).all(axis=1)
        candidate += 1
    return held


def _every_frame(frames: Frames, zone: tuple[float, float, float, float]) -> Regions:
    return _whole_rows(frames.frame, zone, RegionKind.ZONE, 0.0)


def _unjudged(frames: Frames, size: tuple[int, int]) -> Regions:
    """Whole-picture regions for frames that could not be analysed or were damaged."""
    bad = frames.has(FrameFlag.FAILED) | frames.has(FrameFlag.CORRUPT)
    return _whole_rows(frames.frame[bad], (0, 0, *size), RegionKind.FRAME, 1.0)


def _whole_rows(
    frame: NDArray[np.int32], box: tuple[float, float, float, float], kind: RegionKind, uncertainty: float
) -> Regions:
    count = len(frame)
    return Regions(
        frame=frame,
        box=np.tile(np.asarray(box, np.float32), (count, 1)),
        kind=np.full(count, kind),
        track=np.full(count, -1),
        uncertainty=np.full(count, uncertainty),
    )


def _at_least(boxes: Boxes, side: float) -> Boxes:
    """Boxes grown about their centres to at least `side` pixels in width and height."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = np.maximum((boxes[:, 2:] - boxes[:, :2]) / 2, side / 2)
    return np.concatenate([center - half, center + half], axis=1).astype(np.float32)
