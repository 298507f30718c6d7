"""The figures of an attack as text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from or_mv_anon.attack.attack import ADAPTIVE, NAIVE
from or_mv_anon.audit.charts import percent
from or_mv_anon.evaluation.report_table import NOTHING, lines

HEAD = ["anonymizer", "naive rank-1", "adaptive rank-1", "chance to", "rank-5", "TAR@1e-2", "TAR@1e-3", "by"]
SESSION_HEAD = [
    "recognizer, attacker",
    "faces, rank-1",
    "chance to",
    "tracks, rank-1",
    "chance to",
    "accepted",
    "as another",
]


def faces_table(figures: Mapping[str, Any]) -> str:
    """One table per set of people of what `attack_faces` returns; rank-5 and on are the strongest attacker's."""
    return "\n\n".join(_set_table(name, figures) for name in figures["anonymizers"][0]["results"])


def _set_table(name: str, figures: Mapping[str, Any]) -> str:
    rows = []
    for entry in figures["anonymizers"]:
        best = entry["best"][name]
        strongest = best.get(ADAPTIVE) or best[NAIVE]
        found = strongest["figures"]
        rows.append(
            [
                entry["anonymizer"],
                *(_share(best[kind]["figures"]["rank1"]) if kind in best else NOTHING for kind in (NAIVE, ADAPTIVE)),
                percent(entry["chance"][name][ADAPTIVE if ADAPTIVE in best else NAIVE]["high"]),
                *map(_share, (found["rank5"], *found["tar"].values())),
                strongest["attacker"],
            ]
        )
    first = figures["anonymizers"][0]["results"][name][0]["figures"]
    title = (
        f"{name}: {first['people']} people, {first['gallery']} pictures enrolled, {first['probes']} attacked; "
        f"guessing gives rank-1 {percent(first['chance1'])}, rank-5 {percent(first['chance5'])}"
    )
    return f"{title}\n{lines(HEAD, rows)}"


def session_table(figures: Mapping[str, Any]) -> str:
    """The figures of `attack_session`, as plain values."""
    title = (
        f"{figures['cameras']} cameras; {figures['tracks_judged']} of {figures['tracks_followed']} covered tracks show "
        f"faces that a recognizer can use, of {figures['people']} people"
    )
    if not figures["recognizers"]:
        return f"{title}.\nThere is nobody to take them for: at least two people must show their faces."
    rows = []
    for name, kinds in figures["recognizers"].items():
        for kind, found in kinds.items():
            faces, tracks = found["faces"], found["tracks"]
            chances = [percent(high) for _, high in (each["chance1_interval"] for each in (faces, tracks))]
            cells = [_share(faces["rank1"]), chances[0], _share(tracks["rank1"]), chances[1], _share(found["accepted"])]
            cells.append(_share(found["mistaken"]))
            rows.append([f"{name}, {kind}", *cells])
    return f"{title}.\n{lines(SESSION_HEAD, rows)}"


def _share(estimate: Mapping[str, float | None]) -> str:
    value, low, high = estimate["value"], estimate["low"], estimate["high"]
    if value is None:
        return NOTHING
    interval = "" if low is None or high is None else f" ({100 * low:.0f}-{100 * high:.0f})"
    return percent(value) + interval
