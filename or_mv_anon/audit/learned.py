"""What the audit tells of drawn heads: how many were shown, and why the others were covered instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from or_mv_anon.audit.charts import percent
from or_mv_anon.audit.markup import Html, section, table, tag

OUTCOMES = {
    "released": "drawn",
    "small": "too small",
    "unclear": "not surely a head's place",
    "overlapped": "under another covered place",
    "faceless": "no face to compare with",
    "detailed": "detail of the original in it",
    "recognized": "original recognized in it",
    "failed": "drawing failed",
}
"""What became of a covered place, in the words of the report; everything but the first shows the strict operator."""


@dataclass(frozen=True, kw_only=True)
class DrawnHeads:
    """One camera's covered places by what became of them, over all frames: outcome to number."""

    camera: str
    outcomes: Mapping[str, int]

    @property
    def places(self) -> int:
        """All covered places."""
        return sum(self.outcomes.values())


@dataclass(frozen=True, kw_only=True)
class LearnedAudit:
    """The learned method's part in a run.

    Attributes:
        modifier: the network's name.
        sees: ``cells``: the network was shown mosaics; ``picture``: heads themselves.
        cells: of these mosaics, at most, along a region's longer side.
        codes: of how many heads the network can only choose one; 0 where it draws freely.
        strict: the operator that covered everything else.
        cameras: one per camera that was rendered.
    """

    modifier: str
    sees: str
    cells: int
    codes: int
    strict: str
    cameras: tuple[DrawnHeads, ...]

    @property
    def sentence(self) -> str:
        """The outcome in one line, for a terminal."""
        drawn = sum(camera.outcomes.get("released", 0) for camera in self.cameras)
        places = sum(camera.places for camera in self.cameras)
        return f"drawn heads: {drawn:,} of {places:,} covered places, the others by {self.strict}"


def learned_section(learned: LearnedAudit) -> Html:
    """The report's section about drawn heads."""
    used = [name for name in OUTCOMES if any(camera.outcomes.get(name) for camera in learned.cameras)]
    heads = ["Camera", "Places", "Share drawn", *(OUTCOMES[name].capitalize() for name in used)]
    rows = [
        (
            tag("b", camera.camera),
            f"{camera.places:,}",
            percent(camera.outcomes.get("released", 0) / camera.places) if camera.places else None,
            *(f"{camera.outcomes.get(name, 0):,}" for name in used),
        )
        for camera in learned.cameras
    ]
    shown = f"a mosaic of at most {learned.cells} cells a side" if learned.sees == "cells" else "the heads themselves"
    choice = f" and chose one of {learned.codes} heads for each" if learned.codes else ""
    note = (
        f"The network {learned.modifier} drew heads of nobody over the places that are surely heads; it was shown "
        f"{shown}{choice}. A drawn head is kept where the recognizers, in memory, do not find the original in it; "
        f"every other place is covered by {learned.strict}. A place is counted once per frame; a person whose head "
        "could not be drawn stays covered for a while, counted under the reason that it began with."
    )
    table_of_cameras = table(heads, rows, numbers="|".join(heads[1:]), empty="No place was covered.")
    return section("Drawn heads", table_of_cameras, note=note)
