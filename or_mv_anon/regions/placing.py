"""From what the sources propose to covered regions: one head region for every person in every frame, and the rest.

Three proposals for a tracked person, in falling trust: head keypoints near in time, the shoulders, and the box alone.
Regions of a track are then smoothed over time in a way that never uncovers anything. Heads that no person's region
holds are covered on their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as bx
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import FrameFlag, RegionKind, Regions, Tracks
from or_mv_anon.regions.registry import SOURCES
from or_mv_anon.regions.smoothing import smooth
from or_mv_anon.regions.source import HALF_SURE, CameraScene, Proposal, Zone, head_around_face
from or_mv_anon.tracking.clear import ever_clear

INNER = 0.7  # of a face region's sides, within which the face lies; the rest is margin
SAME_HEAD = 2.0  # area of a face region ÷ that of a head region that holds its inner part: up to here both are one head
HELD = 0.7  # share of a narrower head in a larger proposal from which on both are one head
FAR_LARGER = 1.3  # area of a proposal ÷ that of a narrower head in it from which on the narrower one is believed
ROWS_AT_ONCE = 200_000
NEVER_SHARE = 0.95  # a region is dropped when this share of it lies in a never-covered zone


def camera_regions(
    scene: CameraScene,
    config: PipelineConfig,
    *,
    never: Sequence[Zone] = (),
    uncover: Callable[[Regions], Regions] = lambda regions: regions,
) -> Regions:
    """Everything that gets covered in one camera.

    Args:
        scene: what is known of it.
        config: of all sources.
        never: zones in which regions are dropped when they lie inside, in pixels of the upright frame.
        uncover: takes regions of tracks that are nobody away.

    Returns:
        Regions ordered by frame, cut to the picture.
    """
    size = scene.size

    def kept(part: Regions) -> Regions:
        if len(never) and len(part):
            part = part[bx.containment(part.box, np.asarray(never, np.float32)).max(axis=1) < NEVER_SHARE]
        box = bx.clip(_at_least(part.box, config.regions.min_side), width=size[0], height=size[1])
        return part.replace(box=box)[bx.area(box) > 0]

    # Memory: a long recording has millions of rows, so parts are finished one by one and joined once.
    parts = []
    for people in _whole_tracks(scene.tracks):
        everybody = smooth(head_regions(scene, people, config), scene.frames, config.regions)
        parts.append(everybody[~_headless(everybody, people, scene, config)])
    covered = uncover(by_frame(Regions.concat(parts)))
    parts = [kept(covered)]
    for part in _whole_tracks(scene.faces):
        face_regions = _face_regions(part)
        alone = ~_held(face_regions, covered)  # by where the face is; smoothed, it need not be in the middle
        parts.append(kept(uncover(smooth(face_regions, scene.frames, config.regions)[alone])))
    del covered
    for source in SOURCES:
        placed = source.place(scene, config)
        if placed is not None:
            parts.append(placed)
    everything = Regions.concat(parts)
    del parts
    return by_frame(everything)


def by_frame(regions: Regions) -> Regions:
    """Regions in order of their frames; those of one frame stay in their order."""
    return regions[np.argsort(regions.frame, kind="stable")]


def _whole_tracks(tracks: Tracks) -> Iterator[Tracks]:
    """Blocks of whole tracks of about `ROWS_AT_ONCE` rows, so that memory does not grow with the recording."""
    ends = np.append(np.flatnonzero(np.diff(tracks.track)) + 1, len(tracks))
    first = 0
    while first < len(tracks):
        stop = int(ends[np.searchsorted(ends, min(first + ROWS_AT_ONCE, len(tracks)))])
        yield tracks[first:stop]
        first = stop


def head_regions(scene: CameraScene, people: Tracks, config: PipelineConfig) -> Regions:
    """One region per row of `people`, from the proposals of all sources."""
    if not len(people):
        return Regions.empty()
    proposals = [proposed for source in SOURCES if (proposed := source.propose(scene, people, config)) is not None]
    first, *others = proposals
    for other in others:
        first = _more_sure(first, other)
    return Regions(
        frame=people.frame, box=first.box, kind=first.kind, track=people.track, uncertainty=first.uncertainty
    )


def _headless(regions: Regions, people: Tracks, scene: CameraScene, config: PipelineConfig) -> NDArray[np.bool_]:
    """Which `regions`, one per row of `people`, are of weak candidates without a head, where heads were looked for."""
    if not len(people) or not scene.frames.has(FrameFlag.HEADS).any():
        return np.zeros(len(regions), bool)
    clear = ever_clear(people, config.regions.headless_score)
    return ~clear[people.track] & (regions.kind != RegionKind.HEAD)


def _more_sure(known: Proposal, other: Proposal) -> Proposal:
    """`other` where it knows anything, `known` elsewhere; where `other` is only half sure, the union of both."""
    if other.alone:
        nothing, joined = np.isnan(other.uncertainty), np.zeros(len(other.box), bool)
    elif other.narrows:
        nothing, joined = (other.uncertainty >= 1) | ~_narrower(known, other), other.uncertainty > HALF_SURE
    else:
        nothing, joined = other.uncertainty >= 1, other.uncertainty > HALF_SURE
    both = np.concatenate([np.minimum(other.box, known.box)[:, :2], np.maximum(other.box, known.box)[:, 2:]], axis=1)
    box = np.where(joined[:, None], both, other.box)
    return Proposal(
        box=np.where(nothing[:, None], known.box, box).astype(np.float32),
        uncertainty=np.where(nothing, known.uncertainty, other.uncertainty).astype(np.float32),
        kind=np.where(nothing, known.kind, other.kind).astype(np.uint8),
    )


def _narrower(known: Proposal, other: Proposal) -> NDArray[np.bool_]:
    """Where `other` says more than `known` of how large the head is; see `Proposal.narrows`."""
    held = bx.paired_intersection(known.box, other.box) >= HELD * bx.area(other.box)
    return (known.kind != RegionKind.HEAD) | (held & (bx.area(known.box) >= FAR_LARGER * bx.area(other.box)))


def _face_regions(faces: Tracks) -> Regions:
    return Regions(
        frame=faces.frame,
        box=head_around_face(faces.box),
        kind=np.full(len(faces), RegionKind.FACE),
        track=-2 - faces.track,  # negative: face tracks are numbered apart from persons
        uncertainty=np.clip(1 - faces.score, 0, 1),
    )


def _held(faces: Regions, heads: Regions) -> NDArray[np.bool_]:
    """Which face regions are of a head that one head region of their frame covers; `heads` are ordered by frame.

    Their inner part, where the face is, lies in it, and what they cover besides is margin around the same head.
    """
    inner, area = bx.expand(faces.box, ratio=(INNER - 1) / 2), bx.area(faces.box)
    largest = SAME_HEAD * bx.area(heads.box)
    held = np.zeros(len(faces), bool)
    candidate = np.searchsorted(heads.frame, faces.frame, side="left")
    stop = np.searchsorted(heads.frame, faces.frame, side="right")
    while (rows := np.flatnonzero((candidate < stop) & ~held)).size:
        head, face = heads.box[candidate[rows]], inner[rows]
        inside = (head[:, :2] <= face[:, :2]).all(axis=1) & (head[:, 2:] >= face[:, 2:]).all(axis=1)
        held[rows] = inside & (area[rows] <= largest[candidate[rows]])
        candidate += 1
    return held


def _at_least(boxes: Boxes, side: float) -> Boxes:
    """Boxes grown about their centres to at least `side` pixels in width and height."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = np.maximum((boxes[:, 2:] - boxes[:, :2]) / 2, side / 2)
    return np.concatenate([center - half, center + half], axis=1).astype(np.float32)
