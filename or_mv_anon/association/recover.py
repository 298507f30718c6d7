"""Brings back people whom one camera missed and others see.

Nothing is taken away: every track that a camera has stays. Weak ones where other cameras place their person are marked
as confirmed, and tracks are added of people whose head two or more other cameras place in the picture where nothing
covers it yet.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.heads import HeadHeights, HeadObservations, held_by_tracks, observe_heads
from or_mv_anon.association.segments import HeadRows, HeadSegments, over_frames
from or_mv_anon.association.transfer import Places, place_heads
from or_mv_anon.association.unassociated_faces import shared_heads
from or_mv_anon.association.views import Association, Observations, View
from or_mv_anon.core.config import RecoveryConfig
from or_mv_anon.core.records import Disagreements, Identities, Provenance, Tracks, TransferredHeads
from or_mv_anon.core.rows import pair_key, rows_of

MARGIN = 0.25  # head heights by which a head's middle may lie outside of the picture and still be covered
AGREES = 1.0  # head heights by which a camera's own view of a head may differ from what others tell
GROWTH = 2.0  # standard deviations by which a transferred head's box grows on every side
LARGEST_UNCERTAINTY = 3.0  # head heights, beyond which other cameras know nothing about this picture
INSTANTS_AT_ONCE = 20_000  # bounds memory
Seconds = NDArray[np.float64]
UPPER_SHARE = 0.5  # of a person box in which the head must lie
LEAST_AGREEING = 0.5  # share of the instants at which others place the head


@dataclass(frozen=True, kw_only=True)
class CameraRecords:
    """What recovery reads of one camera.

    Attributes:
        name: the camera's.
        size: width and height of the upright picture in pixels.
        seconds: session seconds of every frame (F,), never falling.
        tracks: people as this camera follows them by itself.
    """

    name: str
    size: tuple[int, int]
    seconds: Seconds
    tracks: Tracks


@dataclass(frozen=True, kw_only=True)
class Recovered:
    """One camera's people after the others had their say.

    Attributes:
        tracks: those that were there, and new ones with new numbers.
        identities: who each of them is.
        heads: for the rows of `tracks` that only other cameras see.
        disagreements: people who should be in the picture and could not be placed well enough.
    """

    tracks: Tracks
    identities: Identities
    heads: TransferredHeads
    disagreements: Disagreements


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """What all cameras know together.

    Attributes:
        instants: session seconds of every instant (I,).
        views: by camera.
        sightings: by camera.
        faces: by camera, faces that are nobody's whom it follows.
        held: by camera, heads that keep still where it saw them at other times.
        association: who is who, and how the cameras see each other.
    """

    instants: Seconds
    views: Mapping[str, View]
    sightings: Mapping[str, HeadObservations]
    faces: Mapping[str, View]
    held: Mapping[str, Places]
    association: Association

    @classmethod
    def of(
        cls, views: Sequence[View], association: Association, instants: Seconds, *, faces: Sequence[View] = ()
    ) -> Scene:
        """From what association worked on and what it concluded.

        Args:
            views: one per camera.
            association: its outcome.
            instants: session seconds of every instant (I,).
            faces: one per camera, see `lone_faces`; may be left out.
        """
        by_name = {view.name: view for view in views}
        sightings = {view.name: observe_heads(view, association.identities[view.name]) for view in views}
        step_s = float(instants[1] - instants[0]) if len(instants) > 1 else 1.0
        alone = {view.name: view for view in faces}
        heads = shared_heads(alone, by_name, association, step_s=step_s)
        for name, more in heads.sightings.items():
            both = HeadObservations.concat([sightings[name], more])
            sightings[name] = both[np.lexsort((both.identity, both.instant))]
        return cls(
            instants=instants,
            views=by_name,
            sightings=sightings,
            faces=alone,
            held=heads.held,
            association=association,
        )

    @property
    def shared(self) -> NDArray[np.int32]:
        """Identities that two or more cameras see."""
        seen = [np.unique(identities.identity) for identities in self.association.identities.values()]
        identity, cameras = np.unique(np.concatenate(seen), return_counts=True)
        return identity[cameras >= 2]


def recover(camera: CameraRecords, scene: Scene, config: RecoveryConfig) -> Recovered:
    """One camera's tracks with the people whom it missed.

    Args:
        camera: what it found by itself.
        scene: what all cameras know.
        config: thresholds.
    """
    identities = scene.association.identities[camera.name]
    view = scene.views[camera.name]
    heights = HeadHeights.learn(view)
    if not config.transfer or heights is None:
        return Recovered(
            tracks=camera.tracks,
            identities=identities,
            heads=TransferredHeads.empty(),
            disagreements=Disagreements.empty(),
        )
    votes = agreement(Places.empty(), view.observations, identities)
    missing = [Places.empty()]
    for told in _told_by_others(camera, scene, config):
        votes = votes + agreement(told, view.observations, identities)
        missing.append(_missing(told, camera, scene, heights))
    step_s = float(scene.instants[1] - scene.instants[0]) if len(scene.instants) > 1 else config.least_s
    followed = with_confirmed(camera.tracks, votes, least=math.ceil(config.least_s / step_s))
    places = Places.concat(missing)
    known = _widest(places) <= config.most_uncertainty * heights.at(places.centre)
    own = scene.sightings[camera.name]
    placed = over_frames(HeadSegments.of(places[known], own, scene.instants, config), camera.seconds, heights)
    unplaced = over_frames(HeadSegments.of(places[~known], own, scene.instants, config), camera.seconds, heights)
    tracks, heads, joined = _as_tracks(placed, camera, view)
    return Recovered(
        tracks=Tracks.concat([followed, tracks]),
        identities=Identities.concat([identities, joined]),
        heads=heads,
        disagreements=Disagreements(
            frame=unplaced.frame, identity=unplaced.identity, uncertainty=unplaced.deviation.max(axis=1, initial=0)
        ),
    )


def _told_by_others(camera: CameraRecords, scene: Scene, config: RecoveryConfig) -> Iterator[Places]:
    """Heads that others place in this camera's picture or near it, some time at once."""
    shown = _shown_instants(camera, scene.instants)
    for start in range(shown.start, shown.stop, INSTANTS_AT_ONCE):
        stop = min(start + INSTANTS_AT_ONCE, shown.stop)
        places = place_heads(camera.name, scene.sightings, scene.association.geometry, start=start, stop=stop)
        sure = (places.confidence >= config.least_confidence) & (places.misfit <= config.most_misfit)
        yield _with_held(places[sure], scene.held.get(camera.name, Places.empty()), start=start, stop=stop)


def _missing(told: Places, camera: CameraRecords, scene: Scene, heights: HeadHeights) -> Places:
    """Those of the heads that lie in the picture where nothing covers them."""
    covered = scene.views[camera.name].observations
    if camera.name in scene.faces:
        covered = Observations.concat([covered, scene.faces[camera.name].observations])
        covered = covered[np.argsort(covered.instant, kind="stable")]
    head = heights.at(told.centre)
    margin = MARGIN * head[:, None]
    inside = ((told.centre > -margin) & (told.centre < np.array(camera.size) + margin)).all(axis=1)
    vague = _widest(told) > LARGEST_UNCERTAINTY * head
    there = _seen_there(told, scene.sightings[camera.name], AGREES * head)
    places = told[inside & ~vague & ~there]
    return places[~held_by_tracks(places.instant, places.centre, covered)]


def _seen_there(places: Places, own: HeadObservations, reach: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which places lie where the camera itself sees this person's head, as far as the place is known.

    A camera that sees only the legs of somebody guesses the head at their top.
    """
    row = rows_of(pair_key(own.instant, own.identity), pair_key(places.instant, places.identity))
    seen = np.zeros(len(places), bool)
    known = np.flatnonzero(row >= 0)
    off = np.linalg.norm(own.point[row[known]] - places.centre[known], axis=1)
    seen[known] = off <= (reach + 2 * _widest(places))[known]
    return seen


def _with_held(places: Places, held: Places, *, start: int, stop: int) -> Places:
    """What a camera saw itself of a head that keeps still is better than what others tell."""
    held = held[slice(*np.searchsorted(held.instant, [start, stop]))]
    known = np.isin(pair_key(places.instant, places.identity), pair_key(held.instant, held.identity))
    both = Places.concat([places[~known], held])
    return both[np.lexsort((both.identity, both.instant))]


def _widest(places: Places) -> NDArray[np.float64]:
    """Standard deviation of every place in the direction in which it is known worst, in pixels."""
    return np.sqrt(np.linalg.eigvalsh(places.covariance)[:, -1])


def _shown_instants(camera: CameraRecords, instants: Seconds) -> range:
    """Instants at which the camera recorded."""
    if not len(camera.seconds):
        return range(0)
    start = np.searchsorted(instants, camera.seconds[0])
    return range(int(start), int(np.searchsorted(instants, camera.seconds[-1], side="right")))


def _as_tracks(rows: HeadRows, camera: CameraRecords, view: View) -> tuple[Tracks, TransferredHeads, Identities]:
    """One new track per stretch."""
    stretch, first = np.unique(rows.stretch, return_index=True)
    track = int(camera.tracks.track.max(initial=-1)) + 1 + np.searchsorted(stretch, rows.stretch)
    half = rows.head[:, None] * (0.5 + GROWTH * rows.deviation)
    picture = np.array([*camera.size, *camera.size])
    tracks = Tracks(
        frame=rows.frame,
        track=track,
        box=np.clip(_body(rows, view), 0, picture),
        score=rows.confidence,
        provenance=np.full(len(rows), Provenance.TRANSFERRED),
        detection=np.full(len(rows), -1),
    )
    heads = TransferredHeads(
        frame=rows.frame,
        track=track,
        box=np.clip(np.concatenate([rows.centre - half, rows.centre + half], axis=1), 0, picture),
        uncertainty=rows.deviation.max(axis=1, initial=0),
    )
    joined = Identities(track=track[first], identity=rows.identity[first], confidence=rows.confidence[first])
    return tracks, heads, joined


def _body(rows: HeadRows, view: View) -> NDArray[np.float64]:
    """The person's box around a head, as people usually look in this camera."""
    seen = view.observations
    unit = np.maximum(seen.head, 1)[:, None]
    middle = seen.points[:, 0]
    sides = np.concatenate([seen.box[:, :2] - middle, seen.box[:, 2:] - middle], axis=1) / unit
    return np.tile(rows.centre, 2) + np.median(sides, axis=0) * rows.head[:, None]


def agreement(places: Places, observations: Observations, identities: Identities) -> NDArray[np.int64]:
    """How often others placed the head of a track's person, and how often in the upper part of its box.

    Args:
        places: of heads in this camera, ordered by instant, then identity.
        observations: this camera's.
        identities: of its tracks.

    Returns:
        ``(2, T + 1)`` counts by track number: placed, and placed in the box.
    """
    count = int(max(identities.track.max(initial=-1), observations.track.max(initial=-1))) + 1
    person = np.full(count, -1, np.int64)
    person[identities.track] = identities.identity
    row = rows_of(pair_key(places.instant, places.identity), pair_key(observations.instant, person[observations.track]))
    told = np.flatnonzero(row >= 0)
    upper, centre = observations.box[told], places.centre[row[told]]
    upper[:, 3] = upper[:, 1] + UPPER_SHARE * (upper[:, 3] - upper[:, 1])
    agreed = told[((upper[:, :2] <= centre) & (centre <= upper[:, 2:])).all(axis=1)]
    return np.stack([np.bincount(observations.track[rows], minlength=count) for rows in (told, agreed)])


def with_confirmed(tracks: Tracks, votes: NDArray[np.int64], *, least: int) -> Tracks:
    """The tracks, with the boxes of those that were never clear here but that others confirm marked so.

    Args:
        tracks: of one camera.
        votes: see `agreement`.
        least: instants at which others must agree.
    """
    count = max(int(tracks.track.max(initial=-1)) + 1, votes.shape[1])
    placed, agreed = np.pad(votes, ((0, 0), (0, count - votes.shape[1])))
    clear = np.bincount(tracks.track[tracks.provenance == Provenance.DETECTED], minlength=count) > 0
    confirmed = ~clear & (agreed >= least) & (agreed >= LEAST_AGREEING * placed)
    weak = (tracks.provenance == Provenance.TRACKED) & confirmed[tracks.track]
    return tracks.replace(provenance=np.where(weak, Provenance.CROSS_VIEW, tracks.provenance))
