"""What the audit tells of several cameras together: how well they fit, and what they added to each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from or_mv_anon.audit.markup import DASH, Html, joined, section, table, tag
from or_mv_anon.audit.timecode import clock_time

HOW = "Who is who across cameras is worked out from movement, geometry and looks; no calibration is needed."
TRACKS = (
    "A track is one person whom a camera followed without a break and saw clearly at least once, by itself or with the "
    "help of others; somebody who comes and goes is several."
)


@dataclass(frozen=True, kw_only=True)
class PairAudit:
    """Two cameras' geometry over a stretch of session time, as learned from the people in both.

    `residual` is the median distance of matched points from their epipolar lines in head heights; `problem` says why a
    geometry is not `trusted`.
    """

    first: str
    second: str
    start_s: float
    stop_s: float
    trusted: bool
    inliers: int
    points: int
    residual: float
    problem: str


@dataclass(frozen=True, kw_only=True)
class RecoveredAudit:
    """What the other cameras did for one.

    Attributes:
        camera: its name.
        tracks: people followed, see `TRACKS`.
        shared: of these, how many another camera follows too.
        confirmed: weak boxes that other cameras confirm, over all frames.
        transferred: heads that other cameras alone place, over all frames.
        unplaced: heads that should be in the picture and could not be placed well enough, over all frames.
    """

    camera: str
    tracks: int
    shared: int
    confirmed: int
    transferred: int
    unplaced: int


@dataclass(frozen=True, kw_only=True)
class AssociationAudit:
    """The cameras of a session together; without pairs and cameras, `notes` say why they were treated one by one."""

    notes: tuple[str, ...] = ()
    pairs: tuple[PairAudit, ...] = ()
    cameras: tuple[RecoveredAudit, ...] = ()

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> AssociationAudit:
        """From what a stage noted in the store's manifest."""
        return cls(
            notes=tuple(facts["notes"]),
            pairs=tuple(PairAudit(**pair) for pair in facts["pairs"]),
            cameras=tuple(RecoveredAudit(**camera) for camera in facts["cameras"]),
        )


def association_section(association: AssociationAudit) -> Html:
    """The report's section about cameras together."""
    return section(
        "Across cameras",
        tag("ul", *(tag("li", note) for note in association.notes)) if association.notes else Html(""),
        _cameras(association) if association.cameras else Html(""),
        _pairs(association) if association.pairs else Html(""),
        note=f"{HOW} {TRACKS}",
    )


def _cameras(association: AssociationAudit) -> Html:
    heads = "Camera|Tracks|Seen by others too|Weak boxes confirmed|Heads placed by others|Heads not placed"
    rows = [
        (
            tag("b", camera.camera),
            camera.tracks,
            camera.shared,
            f"{camera.confirmed:,}",
            f"{camera.transferred:,}",
            f"{camera.unplaced:,}",
        )
        for camera in association.cameras
    ]
    return table(heads.split("|"), rows, numbers=heads.partition("|")[2], empty="")


def _pairs(association: AssociationAudit) -> Html:
    stretches = Counter((pair.first, pair.second) for pair in association.pairs)
    rows = [
        (
            joined([tag("b", pair.first), " and ", tag("b", pair.second)]),
            f"{clock_time(pair.start_s)} {DASH} {clock_time(pair.stop_s)}"
            if stretches[pair.first, pair.second] > 1
            else "all",
            _state(pair),
            f"{pair.inliers:,} of {pair.points:,}",
            f"{pair.residual:.2f}" if pair.trusted else None,
        )
        for pair in association.pairs
    ]
    heads = ["Cameras", "Session time", "Geometry", "Points that fit", "Distance in heads"]
    return table(heads, rows, numbers="Points that fit|Distance in heads", empty="")


def _state(pair: PairAudit) -> Html:
    if pair.trusted:
        return tag("span", "known", css="badge good")
    return joined([tag("span", "not known", css="badge bad"), f" {pair.problem}"])
