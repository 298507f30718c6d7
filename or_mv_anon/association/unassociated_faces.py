"""Heads without bodies that several cameras see: faces of people under drapes, whom no camera follows as a person.

A face that keeps its place in one camera may be a lamp. It is believed, and told to the other cameras, when three
cameras see such heads in places that agree with their geometry, all three of them with each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.build import build_view
from or_mv_anon.association.distances import pair_distances
from or_mv_anon.association.heads import SURE_SPREAD, HeadHeights, HeadObservations, held_by_tracks
from or_mv_anon.association.transfer import Places
from or_mv_anon.association.views import Association, BodyPoint, Observations, PairGeometry, View, ViewNames
from or_mv_anon.core.boxes import longer_side
from or_mv_anon.core.records import Detections, Keypoints, Tracks

HEAD_OVER_FACE = 1.25  # head height over the longer side of a face box, which goes from forehead to chin
HELD_SHARE = 0.5  # of a face's instants at which a followed head lies there, from which on it is that person's
STILL = 0.3  # head heights; a head whose places vary less (standard deviation) keeps still
LEAST_S = 2.0  # seconds for which two cameras must see a head together
ODD_SIZE = 1.6  # times larger or smaller than heads usually are at a place: no head
MOST_DISTANCE = 0.3  # head heights from each other's epipolar lines

Member = tuple[str, int]  # a camera's name and the number of a head in its view


def unassociated_faces(view: View, faces: Tracks, *, times: NDArray[np.float64], instants: NDArray[np.float64]) -> View:
    """The faces of a camera that are nobody's whom it follows, as a view that has head points only.

    Args:
        view: the people whom the camera follows.
        faces: tracks of faces.
        times: session seconds of every frame (F,), never falling.
        instants: session seconds of every instant (I,).

    Returns:
        Tracks are numbered from behind the last one of `view`.
    """
    seen = build_view(
        view.name,
        view.size,
        times=times,
        instants=instants,
        tracks=faces.replace(detection=np.zeros(len(faces))),  # still heads are believed where nothing was detected
        persons=Detections.empty(),
        keypoints=Keypoints.empty(),
    ).observations
    middle = (seen.box[:, :2] + seen.box[:, 2:]) / 2
    head = HEAD_OVER_FACE * longer_side(seen.box)
    held = held_by_tracks(seen.instant, middle, view.observations)
    heights = HeadHeights.learn(view)
    usual = head if heights is None else heights.at(middle)
    odd = np.abs(np.log(np.maximum(head, 1) / usual)) > np.log(ODD_SIZE)
    number = np.unique(seen.track, return_inverse=True)[1]
    alone = (np.bincount(number, held | odd) < HELD_SHARE * np.bincount(number))[number]
    first = int(view.tracks.max(initial=-1)) + 1
    heads = _heads_only(seen, middle, np.ones(len(seen)), head).replace(track=seen.track + first)[alone]
    return View(name=view.name, size=view.size, observations=heads, tracks=np.unique(heads.track))


@dataclass(frozen=True, kw_only=True)
class SharedHeads:
    """Heads without bodies that three or more cameras agree on, under identities of their own.

    Attributes:
        sightings: by camera, where it sees them itself.
        held: by camera, where it saw them before or saw them later while other cameras say that they have not moved.
    """

    sightings: Mapping[str, HeadObservations]
    held: Mapping[str, Places]


def shared_heads(
    faces: Mapping[str, View], views: Mapping[str, View], association: Association, *, step_s: float
) -> SharedHeads:
    """Finds the heads without bodies that three or more cameras agree on.

    Args:
        faces: by camera, see `unassociated_faces`.
        views: by camera, the people whom it follows; those whom no other camera shares may be such a head too.
        association: who is who, and how the cameras see each other.
        step_s: seconds from one instant to the next.
    """
    heads = {name: _candidates(faces[name], views[name], association) for name in faces}
    near = _near_pairs(heads, association.geometry, step_s=step_s)
    groups = _groups(near, list(heads), heads)
    taken = [int(each.identity.max(initial=-1)) for each in association.identities.values()]
    first = max(taken, default=-1) + 1
    identity = {member: first + number for number, group in enumerate(groups) for member in group}
    sightings = {name: _sightings(view, identity) for name, view in heads.items()}
    return SharedHeads(sightings=sightings, held={name: _held(name, sightings) for name in heads})


def _held(name: str, sightings: Mapping[str, HeadObservations]) -> Places:
    """Heads that keep still, in one camera at the instants at which others see them and it does not."""
    parts = [Places.empty()]
    for person in np.unique(sightings[name].identity).tolist():
        seen = {camera: heads[heads.identity == person] for camera, heads in sightings.items()}
        if any(_moves(heads) for heads in seen.values()):
            continue
        own = seen[name]
        missing = np.setdiff1d(np.concatenate([heads.instant for heads in seen.values()]), own.instant)
        after = np.clip(np.searchsorted(own.instant, missing), 0, len(own) - 1)
        before = np.maximum(after - 1, 0)
        nearer = np.abs(own.instant[before] - missing) <= np.abs(own.instant[after] - missing)
        nearest = own[np.where(nearer, before, after)]
        variance = (nearest.spread * nearest.head).astype(np.float64) ** 2
        parts.append(
            Places(
                instant=missing,
                identity=np.full(len(missing), person),
                centre=nearest.point,
                covariance=variance[:, None, None] * np.eye(2),
                misfit=np.zeros(len(missing)),
                confidence=nearest.confidence,
            )
        )
    places = Places.concat(parts)
    return places[np.lexsort((places.identity, places.instant))]


def _moves(heads: HeadObservations) -> bool:
    return bool(len(heads)) and bool((np.std(heads.point, axis=0) > STILL * np.median(heads.head)).any())


def _heads_only(
    seen: Observations, points: NDArray[np.floating], weight: NDArray[np.floating], head: NDArray[np.floating]
) -> Observations:
    only = np.zeros((len(seen), len(BodyPoint)), np.float32)
    only[:, BodyPoint.HEAD] = weight
    everywhere = np.repeat(points[:, None], len(BodyPoint), axis=1)
    return seen.replace(points=everywhere, weight=only, head=head)


def _candidates(faces: View, view: View, association: Association) -> View:
    """A camera's lone faces, and the heads of people whom it alone follows."""
    identities = association.identities[view.name]
    elsewhere = [each.identity for name, each in association.identities.items() if name != view.name]
    alone = identities.track[~np.isin(identities.identity, np.concatenate([np.zeros(0, np.int32), *elsewhere]))]
    people = view.observations[np.isin(view.observations.track, alone)]
    people = _heads_only(people, people.points[:, BodyPoint.HEAD], people.weight[:, BodyPoint.HEAD], people.head)
    rows = Observations.concat([faces.observations, people])
    rows = rows[np.lexsort((rows.track, rows.instant))]
    return View(name=view.name, size=view.size, observations=rows, tracks=np.unique(rows.track))


def _near_pairs(
    heads: Mapping[str, View], geometry: Mapping[ViewNames, Sequence[PairGeometry]], *, step_s: float
) -> dict[tuple[Member, Member], float]:
    """Distances of heads of two cameras that may be one."""
    near = {}
    for (a, b), stretches in geometry.items():
        if not (a in heads and b in heads):
            continue
        pairs = pair_distances(heads[a], heads[b], stretches)
        pairs = pairs[(pairs.distance <= MOST_DISTANCE) & (pairs.instants * step_s >= LEAST_S)]
        for first, second, distance in zip(
            pairs.first.tolist(), pairs.second.tolist(), pairs.distance.tolist(), strict=True
        ):
            near[(a, first), (b, second)] = distance
    return near


def _groups(
    near: Mapping[tuple[Member, Member], float], names: Sequence[str], heads: Mapping[str, View]
) -> list[set[Member]]:
    """Heads that three cameras agree on, joined where they share members; of rivals the nearer ones."""
    partners: dict[Member, dict[str, list[Member]]] = defaultdict(lambda: defaultdict(list))
    for first, second in near:
        partners[first][second[0]].append(second)
    triples = []
    for a, b, c in combinations(names, 3):
        for first in [member for member in partners if member[0] == a]:
            for second in partners[first][b]:
                for third in partners[first][c]:
                    if (second, third) in near:
                        total = near[first, second] + near[first, third] + near[second, third]
                        triples.append((total, first, second, third))
    spans = {(name, track): span for name, view in heads.items() for track, span in _spans(view).items()}
    groups: list[set[Member]] = []
    for _, *triple in sorted(triples):
        rivals = [group for group in groups if group & set(triple)]
        joined = set(triple).union(*rivals)
        if _one_at_a_time(joined, spans):
            groups = [group for group in groups if group not in rivals] + [joined]
    return groups


def _spans(view: View) -> dict[int, tuple[int, int]]:
    """First and last instant of every track."""
    track, row = np.unique(view.observations.track, return_inverse=True)
    first, last = np.full(len(track), np.iinfo(np.int32).max), np.full(len(track), -1)
    np.minimum.at(first, row, view.observations.instant)
    np.maximum.at(last, row, view.observations.instant)
    return dict(zip(track.tolist(), zip(first.tolist(), last.tolist(), strict=True), strict=True))


def _one_at_a_time(group: set[Member], spans: Mapping[Member, tuple[int, int]]) -> bool:
    """Whether no camera has two of the group at once."""
    taken: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for member in group:
        taken[member[0]].append(spans[member])
    return all(
        earlier[1] < later[0]
        for each in taken.values()
        for earlier, later in zip(sorted(each), sorted(each)[1:], strict=False)
    )


def _sightings(view: View, identity: Mapping[Member, int]) -> HeadObservations:
    seen = view.observations
    of_track = np.full(int(view.tracks.max(initial=-1)) + 1, -1)
    for (name, track), number in identity.items():
        if name == view.name:
            of_track[track] = number
    seen = seen[(of_track[seen.track] >= 0) & (seen.weight[:, BodyPoint.HEAD] > 0)]
    return HeadObservations(
        instant=seen.instant,
        identity=of_track[seen.track],
        point=seen.points[:, BodyPoint.HEAD],
        spread=np.full(len(seen), SURE_SPREAD),
        head=seen.head,
        confidence=np.ones(len(seen)),
    )
