"""The rows of `anonymizers.py` as Markdown, and the choice that they ask for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from or_mv_anon.attack.attack import ADAPTIVE, NAIVE

OWN = ("blur", "pixelate", "solid", "learned")  # what the main job offers
SEVERAL = "several frames"
ROUNDING = 1e-9  # shares that are equal but were summed in another order
Row = dict[str, Any]


def write_report(path: Path, rows: Sequence[Row]) -> str:
    """Write the Markdown and return it; nothing but a sentence where no row is measured."""
    text = "\n".join(_lines(rows)) + "\n" if rows else "No row was measured.\n"
    path.write_text(text)
    return text


def chosen(rows: Sequence[Row]) -> str | None:
    """The mildest of the product's operators (highest SSIM) against which no adaptive attack is better than chance."""
    passed = [row for row in rows if row["name"].split()[0] in OWN and not failures(row)]
    return max(passed, key=lambda row: row["ssim"])["name"] if passed else None


def failures(row: Row) -> list[str]:
    """The sets of people on which an adaptive attack, of one frame or several, is above chance's interval."""
    return [
        f"{people}, {kind}"
        for people, kinds in row["attack"].items()
        for kind in (ADAPTIVE, SEVERAL)
        if _best(kinds, kind)["rank1"]["value"] > kinds[kind]["chance"]["high"] + ROUNDING
    ]


def _lines(rows: Sequence[Row]) -> list[str]:
    first, sets = rows[0], list(rows[0]["attack"])
    lines = [
        f"{first['gallery']} enrolled pictures and {first['probes']} others under attack; {first['known_pictures']} "
        f"pictures of {first['known_people']} other people to learn from; {first['frames']} frames of a simulated room "
        f"with {first['bodies']['people']} people. 95 % intervals over people in brackets.",
        "",
    ]
    for people in sets:
        figures = [row["attack"][people] for row in rows]
        size = _best(figures[0], NAIVE)
        lines += [
            f"### {people}: {size['people']} people, chance {size['chance1']:.1%}",
            "",
            "| operator | naive | adaptive | chance for the best | face alone | several frames | chance for the best | "
            "TAR at 1e-2 | best attacker |",
            "|---|---|---|---|---|---|---|---|---|",
            *(_attacked(row["name"], kinds) for row, kinds in zip(rows, figures, strict=True)),
            "",
        ]
    lines += [
        "| operator | body, same camera | body, other cameras | action mAP | SSIM | CPU ms per face | above chance |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        bodies = row["bodies"]
        lines.append(
            f"| {row['name']} | {_share(bodies['same_camera'])} | {_share(bodies['other_cameras'])} | "
            f"{row['action_map']:.3f} | {row['ssim']:.2f} | {row['ms_per_face']:.2f} | "
            f"{'; '.join(failures(row)) or 'nowhere'} |"
        )
    lines += ["", f"Chance for bodies: {first['bodies']['chance']:.1%}.", "", _choice(rows)]
    return lines


def _attacked(name: str, kinds: dict[str, Any]) -> str:
    adaptive = _best(kinds, ADAPTIVE)
    face = kinds[ADAPTIVE]["attackers"]["pixels of the face"]
    return (
        f"| {name} | {_share(_best(kinds, NAIVE)['rank1'])} | {_share(adaptive['rank1'])} | "
        f"{_interval(kinds[ADAPTIVE]['chance'])} | {_share(face['rank1'])} | "
        f"{_share(_best(kinds, SEVERAL)['rank1'])} | {_interval(kinds[SEVERAL]['chance'])} | "
        f"{_share(adaptive['tar']['0.01'])} | {kinds[ADAPTIVE]['best']} |"
    )


def _best(kinds: dict[str, Any], kind: str) -> dict[str, Any]:
    best: dict[str, Any] = kinds[kind]["attackers"][kinds[kind]["best"]]
    return best


def _choice(rows: Sequence[Row]) -> str:
    name = chosen(rows)
    if name is None:
        return "No operator of the product is within chance's interval against every adaptive attack."
    return f"The mildest operator against which no adaptive attack is better than chance: **{name}**."


def _share(estimate: dict[str, float | None]) -> str:
    value, low, high = estimate["value"], estimate["low"], estimate["high"]
    if value is None:
        return ""
    return f"{value:.1%}" if low is None or high is None else f"{value:.1%} ({low:.1%} to {high:.1%})"


def _interval(chance: dict[str, float]) -> str:
    return f"{chance['low']:.1%} to {chance['high']:.1%}"
