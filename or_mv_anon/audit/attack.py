"""What the audit tells of the attack on the job's own output: how many people recognizers could still match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from or_mv_anon.audit.charts import percent
from or_mv_anon.audit.markup import DASH, Html, section, table, tag

WHO = {
    "clear": "uncovered",
    "naive": "covered, compared with uncovered",
    "parrot": "covered, compared with covered",
}
"""Which faces are compared with which, in the words of the report."""
NOBODY = "Fewer than two people showed their faces clearly twice, so there was nobody to take for somebody else."


@dataclass(frozen=True, kw_only=True)
class MatchedAudit:
    """How far one recognizer got with one kind of comparison; shares in [0, 1], None where there is nothing to judge.

    Attributes:
        recognizer: its name.
        compared: which faces with which, a key of `WHO`.
        people: it had to choose among.
        faces: it was given.
        matched: share of the tracks that it matched with the right person.
        low, high: 95 % interval of `matched`, drawn over people.
        chance: what guessing reaches.
        chance_high: upper end of the 95 % interval of what guessing reaches.
    """

    recognizer: str
    compared: str
    people: int
    faces: int
    matched: float | None
    low: float | None
    high: float | None
    chance: float | None
    chance_high: float | None

    @property
    def above_chance(self) -> bool:
        """Whether it did better than guessing can be expected to."""
        return self.matched is not None and self.chance_high is not None and self.matched > self.chance_high

    @property
    def sentence(self) -> str:
        """The outcome in one line, for a terminal."""
        return (
            f"{self.recognizer}, {WHO[self.compared]}: {_share(self.matched)} of the tracks matched, "
            f"{_share(self.chance)} by chance"
        )


@dataclass(frozen=True, kw_only=True)
class AttackAudit:
    """The attack on the finished videos.

    Attributes:
        tracks_followed: person tracks whose covered places were attacked.
        tracks_judged: those of them whose face was clear in the recording at two moments at least.
        people: identities among these.
        matched: per recognizer and comparison; empty with fewer than two people.
    """

    tracks_followed: int
    tracks_judged: int
    people: int
    matched: tuple[MatchedAudit, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The outcome in short, for a terminal."""
        return tuple(f"attack: {entry.sentence}" for entry in self.matched) or (f"attack: {NOBODY}",)

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> AttackAudit:
        """From what the attack noted in the store's manifest (`attack/session.py`)."""
        matched = [
            _matched(recognizer, compared, entry[compared])
            for recognizer, entry in facts["recognizers"].items()
            for compared in WHO
        ]
        counts = {name: facts[name] for name in ("tracks_followed", "tracks_judged", "people")}
        return cls(**counts, matched=tuple(matched))


def _matched(recognizer: str, compared: str, entry: Mapping[str, Any]) -> MatchedAudit:
    tracks = entry["tracks"]
    return MatchedAudit(
        recognizer=recognizer,
        compared=compared,
        people=tracks["people"],
        faces=entry["faces"]["probes"],
        matched=tracks["rank1"]["value"],
        low=tracks["rank1"]["low"],
        high=tracks["rank1"]["high"],
        chance=tracks["chance1"],
        chance_high=tracks["chance1_interval"][1],
    )


def attack_section(attack: AttackAudit) -> Html:
    """The report's section about the attack."""
    rows = [
        (
            tag("b", entry.recognizer),
            WHO[entry.compared],
            f"{entry.faces:,}",
            _share(entry.matched),
            f"{_share(entry.low)} {DASH} {_share(entry.high)}",
            f"{_share(entry.chance)} (to {_share(entry.chance_high)})",
            _judged(entry),
        )
        for entry in attack.matched
    ]
    heads = ["Recognizer", "Faces", "Number", "Tracks matched", "95 % interval", "By chance", "Finding"]
    note = (
        f"Recognizers tried to tell the people apart by their faces: {attack.tracks_judged:,} of "
        f"{attack.tracks_followed:,} tracks, {attack.people:,} people, showed theirs clearly enough in the recording. "
        "Every other look at a track was enrolled, the looks between were matched, aligned by the uncovered face. "
        "Nobody trained on this job's covering: an attacker who does gets farther. Bodies, gait and voices are not "
        "judged. Only these figures were kept."
    )
    return section(
        "Attack on this output", table(heads, rows, numbers="Number|Tracks matched", empty=NOBODY), note=note
    )


def _judged(entry: MatchedAudit) -> Html:
    if entry.compared == "clear":
        return Html("what it can do at all")
    if entry.above_chance:
        return tag("span", "above chance", css="badge bad")
    return tag("span", "within chance", css="badge good")


def _share(value: float | None) -> str:
    return DASH if value is None else percent(value)
