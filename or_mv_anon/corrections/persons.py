"""Who is who after what people decided: places that they called one person, or different ones, name tracks anew.

A place is recognized by where tracks are in its moment, since every run numbers tracks anew. Whole persons are joined:
whoever is one person with one of a person's tracks is so with all of them. What is parted from a person is a single
track; a track is one person, so that two places on one track cannot be parted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as bx
from or_mv_anon.core.records import Identities, Tracks
from or_mv_anon.corrections.actions import Action, Cover, Merge, NotAPerson, Place, Split
from or_mv_anon.corrections.log import Line

NEAR_S = 0.5  # seconds between a place and the frame in which it is looked for
LEAST_INSIDE = 0.5  # share of a place's box that lies in the box of the person who is meant

TrackName = tuple[str, int]  # camera, track


@dataclass(frozen=True)
class Persons:
    """Who every track is.

    Attributes:
        identity: of tracks, by (camera, track); those that are nobody's known person are left out.
        renamed: persons who are called otherwise now.
        told: (camera, track) whose person people decided about.
        unheeded: sentences about decisions that were not followed.
    """

    identity: Mapping[TrackName, int] = field(default_factory=dict)
    renamed: Mapping[int, int] = field(default_factory=dict)
    told: frozenset[TrackName] = frozenset()
    unheeded: tuple[str, ...] = ()

    def of_case(self, identity: int | None, tracks: Sequence[TrackName]) -> int | None:
        """Whose case it is, which was `identity`'s when it was listed."""
        if not self.told.isdisjoint(tracks):
            people = {self.identity.get(name, -1) for name in tracks}
            return people.pop() if len(people) == 1 and -1 not in people else None
        return None if identity is None else self.renamed.get(identity, identity)

    def of_camera(self, camera: str, known: Identities) -> Identities:
        """The identities of a camera; what people said is sure."""
        confidence = dict(zip(known.track.tolist(), known.confidence.tolist(), strict=True))
        rows = sorted((track, identity) for (name, track), identity in self.identity.items() if name == camera)
        return Identities(
            track=np.array([track for track, _ in rows], np.int32),
            identity=np.array([identity for _, identity in rows], np.int32),
            confidence=np.array(
                [1.0 if (camera, track) in self.told else confidence.get(track, 0.0) for track, _ in rows], np.float32
            ),
        )


def about_camera(lines: Iterable[Line], camera: str) -> tuple[Line, ...]:
    """What of the decisions that stand may change what is covered in a camera.

    That is what was drawn in it or for all cameras, and who is nobody in it; and then also who is who in it, because
    whoever is one person with somebody, or somebody else than another, is not nobody.
    """
    lines = tuple(lines)
    somebody_gone = any(isinstance(line.action, NotAPerson) and line.action.camera == camera for line in lines)
    return tuple(
        line
        for line in lines
        if (
            isinstance(line.action, Cover | NotAPerson)
            and (line.action.camera == camera or getattr(line.action, "all_cameras", False))
        )
        or (somebody_gone and places_in([line], camera))
    )


def told_persons(lines: Iterable[Line]) -> list[Line]:
    """The decisions about who is who among those that stand."""
    return [line for line in lines if isinstance(line.action, Merge | Split)]


def places_in(lines: Iterable[Line], camera: str) -> list[Place]:
    """All places in a camera that decisions about who is who name."""
    places = [place for line in told_persons(lines) for place in _places(line)]
    return list(dict.fromkeys(place for place in places if place.camera == camera))


def followed_at(places: Iterable[Place], tracks: Tracks, seconds: NDArray[np.float64]) -> dict[Place, int]:
    """The track that is at each place of a camera; places where nobody is followed are left out.

    Args:
        places: of this camera.
        tracks: of people.
        seconds: of the session, per frame ``(F,)``.
    """
    found = {}
    for place in places:
        time = seconds[tracks.frame]
        if not len(time) or (apart := np.abs(time - place.time)).min() > NEAR_S:
            continue
        rows = np.flatnonzero(apart <= apart.min() + 1e-6)
        box = np.array([place.box], np.float32)
        inside = bx.containment(box, tracks.box[rows])[0]
        best = int(np.argmax(np.where(inside >= LEAST_INSIDE, bx.iou(box, tracks.box[rows])[0], -1.0)))
        if inside[best] >= LEAST_INSIDE:
            found[place] = int(tracks.track[rows[best]])
    return found


def who_is_who(lines: Iterable[Line], identities: Mapping[str, Identities], tracks: Mapping[Place, int]) -> Persons:
    """Persons after all decisions that stand, the later over the earlier.

    Args:
        lines: decisions, oldest first; those about other things are passed over.
        identities: by camera, as the run has them.
        tracks: see `followed_at`, of all cameras.
    """
    identity: dict[TrackName, int] = {
        (camera, track): person
        for camera, known in identities.items()
        for track, person in zip(known.track.tolist(), known.identity.tolist(), strict=True)
    }
    renamed: dict[int, int] = {}
    told: set[TrackName] = set()
    unheeded = []
    unused = max(identity.values(), default=-1) + 1
    for line in told_persons(lines):
        names = [(place.camera, tracks[place]) for place in _places(line) if place in tracks]
        about = f"What {line.author} decided about who is who ({line.id})"
        if len(names) < len(_places(line)):
            unheeded.append(f"{about} is not followed: nobody is followed at one of its places any more.")
            continue
        if isinstance(line.action, Split) and len(set(names)) < len(names):
            unheeded.append(f"{about} is not followed: one track is at both places, and a track is one person.")
            continue
        told |= set(names)
        if isinstance(line.action, Split):
            for name in names[1:]:
                identity[name], unused = unused, unused + 1
            identity.setdefault(names[0], unused)
            unused += identity[names[0]] == unused
            continue
        joined = {identity[name] for name in names if name in identity}
        person = min(joined, default=unused)
        unused += person == unused
        for name, known in list(identity.items()):
            if known in joined:
                identity[name] = person
        identity |= dict.fromkeys(names, person)
        renamed = {old: person if new in joined else new for old, new in renamed.items()}
        renamed |= {old: person for old in joined if old not in renamed}
    return Persons(identity, renamed, frozenset(told), tuple(unheeded))


def cameras_in(action: Action) -> list[str]:
    """The cameras that a decision about covers or persons names."""
    if isinstance(action, Merge | Split):
        return list(dict.fromkeys(place.camera for place in action.places))
    return [action.camera] if isinstance(action, Cover | NotAPerson) else []


def _places(line: Line) -> tuple[Place, ...]:
    return line.action.places if isinstance(line.action, Merge | Split) else ()
