"""The attack on an anonymized recording: the people in it are matched with themselves in the original.

Every other look at a track is enrolled, clear; those between are attacked. Only vectors are kept until the end, and
only figures leave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.attack.face_pairs import AttackedCamera, FacePair, TrackName, face_pairs
from or_mv_anon.attack.matching import RESAMPLES, Matching, measure
from or_mv_anon.core.bootstrap import Blocks, Estimate
from or_mv_anon.core.figures import Figures
from or_mv_anon.models.landmarks import LandmarkFinder
from or_mv_anon.models.recognizers import BATCH, Recognizer, unit

LOOKS_PER_TRACK = 12
CLEAR, NAIVE, PARROT = "clear", "naive", "parrot"


@dataclass(frozen=True, kw_only=True)
class SessionMatching(Figures):
    """How well one attacker did with one recognizer.

    Attributes:
        faces: every look by itself.
        tracks: all probes of a track taken together (mean vector).
        accepted: share of looks in which the recognizer, at the threshold of its makers, accepts the person.
        mistaken: share of looks in which it accepts somebody else, too or instead. Where this is about as high, being
            accepted says nothing: covered or tiny faces look alike to the network.
    """

    faces: Matching
    tracks: Matching
    accepted: Estimate
    mistaken: Estimate


@dataclass(frozen=True, kw_only=True)
class VideoAttack(Figures):
    """What became of an attack on a session.

    Attributes:
        tracks_followed: person tracks whose regions were attacked.
        tracks_judged: those of them that showed their face in two looks at least.
        people: identities among these.
        recognizers: recognizer -> `clear` (the original against itself, which shows what the recognizer can do here at
            all), `naive` (anonymized against clear) and `parrot` (anonymized against anonymized). Empty if fewer than
            two people showed their faces.
    """

    cameras: int
    tracks_followed: int
    tracks_judged: int
    people: int
    recognizers: Mapping[str, Mapping[str, SessionMatching]]


def attack_session(
    cameras: Sequence[AttackedCamera],
    recognizers: Sequence[Recognizer],
    finder: LandmarkFinder,
    *,
    looks_per_track: int = LOOKS_PER_TRACK,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> VideoAttack:
    """Try to recognize the people of a session in its anonymized recording.

    Args:
        cameras: of the session.
        recognizers: to compare faces with.
        finder: finds the faces in the original.
        looks_per_track: how often a track is looked at, at most.
        seed: of the intervals' resampling.
        progress: told each camera that was read.
    """
    vectors: dict[str, list[NDArray[np.float32]]] = {each.name: [] for each in recognizers}
    seen: list[tuple[TrackName, int]] = []  # track and frame number of every look
    for camera in cameras:
        for batch in _batches(face_pairs(camera, finder, looks_per_track)):
            seen += [(look.track, look.number) for look in batch]
            landmarks = np.stack([look.landmarks for look in batch])
            pictures = [look.before for look in batch] + [look.after for look in batch]
            for each in recognizers:
                both = each.embed(pictures, np.concatenate([landmarks, landmarks]))
                vectors[each.name].append(both.reshape(2, len(batch), -1))
        if progress is not None:
            progress(camera.name)
    identity = {(camera.name, track): who for camera in cameras for track, who in camera.identities.items()}
    split = _split(seen, identity)
    people = len(set(split.people))
    return VideoAttack(
        cameras=len(cameras),
        tracks_followed=sum(len(camera.followed) for camera in cameras),
        tracks_judged=len(set(split.tracks)),
        people=people,
        recognizers={
            each.name: _judge(np.concatenate(vectors[each.name], axis=1), split, each.same_person, seed)
            for each in recognizers
            if people > 1
        },
    )


@dataclass(frozen=True, eq=False)
class _Split:
    """Rows of the looks that are enrolled and of those that are attacked, and whose they are."""

    enrolled: NDArray[np.intp]
    probes: NDArray[np.intp]
    people: NDArray[np.str_]  # of the enrolled
    probe_people: NDArray[np.str_]
    tracks: Sequence[TrackName]  # of the probes


def _split(seen: Sequence[tuple[TrackName, int]], identity: Mapping[TrackName, int]) -> _Split:
    enrolled: list[int] = []
    probes: list[int] = []
    for track in sorted({track for track, _ in seen}):
        rows = sorted((row for row, look in enumerate(seen) if look[0] == track), key=lambda row: seen[row][1])
        if len(rows) > 1:
            enrolled += rows[::2]
            probes += rows[1::2]

    def people(rows: Sequence[int]) -> NDArray[np.str_]:
        return np.array([str(identity[seen[row][0]]) for row in rows], np.str_)

    tracks = [seen[row][0] for row in probes]
    return _Split(np.array(enrolled, np.intp), np.array(probes, np.intp), people(enrolled), people(probes), tracks)


def _judge(vectors: NDArray[np.float32], split: _Split, same_person: float, seed: int) -> dict[str, SessionMatching]:
    before, after = vectors
    compared = {CLEAR: (before, before), NAIVE: (after, before), PARROT: (after, after)}
    return {
        name: _matching(probes[split.probes], gallery[split.enrolled], split, same_person, seed)
        for name, (probes, gallery) in compared.items()
    }


def _matching(
    probes: NDArray[np.float32], gallery: NDArray[np.float32], split: _Split, same_person: float, seed: int
) -> SessionMatching:
    similarity = probes @ gallery.T
    same = split.probe_people[:, None] == split.people[None, :]
    accepted = similarity >= same_person
    people, who = np.unique(split.probe_people, return_inverse=True)
    blocks = Blocks.drawn(len(people), resamples=RESAMPLES, seed=seed)
    names = sorted(set(split.tracks))
    track = np.array([names.index(each) for each in split.tracks])
    together = unit(np.stack([probes[track == number].mean(axis=0) for number in range(len(names))]))
    theirs = np.array([split.probe_people[np.argmax(track == number)] for number in range(len(names))])
    return SessionMatching(
        faces=measure(similarity, split.probe_people, split.people, seed=seed),
        tracks=measure(together @ gallery.T, theirs, split.people, seed=seed),
        accepted=blocks.ratio(blocks.total(who, (accepted & same).any(axis=1)), blocks.total(who)),
        mistaken=blocks.ratio(blocks.total(who, (accepted & ~same).any(axis=1)), blocks.total(who)),
    )


def _batches(all_looks: Iterator[FacePair]) -> Iterator[list[FacePair]]:
    while batch := list(islice(all_looks, BATCH)):
        yield batch
