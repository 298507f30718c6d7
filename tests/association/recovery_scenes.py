"""A session whose association is known, and one camera that misses somebody for a while."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.recover import CameraRecords, Scene
from or_mv_anon.association.views import Association, BodyPoint, Observations, PairGeometry, View
from or_mv_anon.core.config import RecoveryConfig, load_config
from or_mv_anon.core.records import Identities, Provenance, Tracks
from tests.association.synthetic_room import Room, synthetic_room

STEP_S = 0.2
RATE = 10  # frames per second
CONFIG: RecoveryConfig = load_config().recovery


@dataclass(frozen=True)
class MissedPerson:
    """A scene in which `camera` misses `person` from instant `start` to `stop`; where the head was by instant."""

    scene: Scene
    camera: CameraRecords
    person: int
    start: int
    stop: int
    heads: dict[int, tuple[NDArray[np.float32], float]]


def known_association(room: Room, *, confidence: float = 0.9) -> Association:
    """The truth as association would state it; tracks of nobody are identities of their own."""
    identities = {}
    for number, view in enumerate(room.views):
        person = room.people[view.name]
        alone = 1000 * (number + 1) + np.arange(len(person))
        identities[view.name] = Identities(
            track=view.tracks,
            identity=np.where(person >= 0, person, alone),
            confidence=np.where(person >= 0, confidence, 0),
        )
    count = 1 + max(int(view.observations.instant.max()) for view in room.views)
    geometry = {
        names: (PairGeometry(views=names, matrix=matrix, start=0, stop=count, residual=0.05),)
        for names, matrix in room.matrices.items()
    }
    return Association(identities=identities, pairs={}, geometry=geometry)


def records(view: View, instants: NDArray[np.float64], *, size: tuple[int, int]) -> CameraRecords:
    """Tracks at `RATE` frames per second that show what the view's observations show, gaps left open."""
    seconds = np.arange(0, instants[-1] + STEP_S, 1 / RATE)
    seen = view.observations
    each = round(RATE * STEP_S)
    frame = (seen.instant[:, None] * each + np.arange(each)).reshape(-1)
    rows = np.repeat(np.arange(len(seen)), each)
    tracks = Tracks(
        frame=frame,
        track=seen.track[rows],
        box=seen.box[rows],
        score=seen.score[rows],
        provenance=np.full(len(rows), Provenance.DETECTED),
        detection=np.full(len(rows), -1),
    )
    tracks = tracks[np.lexsort((tracks.frame, tracks.track))]
    return CameraRecords(name=view.name, size=size, seconds=seconds, tracks=tracks)


def missed_person(*, seed: int = 0, cameras: int = 3, confidence: float = 0.9) -> MissedPerson:
    """The first camera misses whoever it and two others see longest, for five seconds in the middle."""
    room = synthetic_room(
        seed=seed, cameras=cameras, seconds=40, missed=0.0, false_tracks=0, breaks_per_minute=0, noise=0.05
    )
    association = known_association(room, confidence=confidence)
    view = room.views[0]
    person, start, stop = _longest_seen(room)
    owner = dict(zip(view.tracks.tolist(), room.people[view.name].tolist(), strict=True))
    seen = view.observations
    of_person = np.array([owner[track] == person for track in seen.track.tolist()])
    lost = of_person & (seen.instant >= start) & (seen.instant < stop)
    heads = {
        int(instant): (point, float(head))
        for instant, point, head in zip(
            seen.instant[lost], seen.points[lost, BodyPoint.HEAD], seen.head[lost], strict=True
        )
    }
    kept: Observations = seen[~lost]
    views = [View(name=view.name, size=view.size, observations=kept, tracks=view.tracks), *room.views[1:]]
    instants = np.arange(1 + max(int(each.observations.instant.max()) for each in room.views)) * STEP_S
    scene = Scene.of(views, association, instants)
    camera = records(views[0], instants, size=view.size)
    return MissedPerson(scene, camera, person, start, stop, heads)


def _longest_seen(room: Room, seconds: float = 5.0) -> tuple[int, int, int]:
    """Somebody whom all cameras see, and a stretch of time in which they do."""
    length = round(seconds / STEP_S)
    count = 1 + max(int(view.observations.instant.max()) for view in room.views)
    everywhere = np.ones((count, 1 + max(int(people.max()) for people in room.people.values())), bool)
    for view in room.views:
        person = dict(zip(view.tracks.tolist(), room.people[view.name].tolist(), strict=True))
        shown = np.zeros_like(everywhere)
        located = view.observations[view.observations.weight[:, BodyPoint.HEAD] > 0]
        shown[located.instant, [person[track] for track in located.track.tolist()]] = True
        everywhere &= shown
    window = np.apply_along_axis(lambda column: np.convolve(column, np.ones(length), "valid"), 0, everywhere)
    start, person = np.unravel_index(int(window.argmax()), window.shape)
    return int(person), int(start), int(start) + length
