"""The model card that goes with a trained modifier: what it can draw, what it learned from, what it was seen to do."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from or_mv_anon.core.files import write_atomically
from or_mv_anon.head_training.head_pictures import Head
from or_mv_anon.head_training.judging import Judgement, Kind
from or_mv_anon.head_training.material import Material
from or_mv_anon.head_training.settings import LearnedTrainingConfig
from or_mv_anon.models.registry import sha256

ROWS = {
    "difference": "mean difference from the picture, 0-1",
    "flicker": "mean difference when the region moves by a twelfth of its width, 0-1",
    "face_found": "faces in which a face detector still finds one",
    "recognized": "real faces that SFace takes for the person they were",
    "taken_for_known": "real faces that SFace takes for somebody who was learned from",
    "action": "action detector, mean average precision",
    "direction": "drawn heads that face where the head did, of {} directions",
}


def write_card(
    path: Path, *, network: Path, material: Material, judgement: Judgement, steps: int, config: LearnedTrainingConfig
) -> None:
    """Write the card as Markdown; all figures are from this training."""
    lines = [
        "# Face modifier",
        "",
        *_about(config),
        "",
        f"- file: `{network.name}`, {network.stat().st_size / 1e6:.2f} MB, sha256 `{sha256(network)}`",
        f"- input and output: {config.modifier.side} x {config.modifier.side} RGB, the region stretched to a square",
        f"- {steps} steps of {config.training.batch} heads",
        "",
        "## Judged on heads it has not learned from",
        "",
        f"{judgement.real_heads} pictures of {judgement.real_people} real people,",
        f"{judgement.simulated_heads} simulated heads.",
        "",
        "SFace is given the landmarks of the clear face. The attacks that decide whether a method may be called",
        "anonymous are stronger than this one: see attack.md. The action",
        "detector was trained beside the modifier, on modified heads too, and is weak: its figures say whether the",
        "columns differ, no more.",
        "",
        f"| figure | clear | mosaic of {config.modifier.cells} cells | modified |",
        "|---|---|---|---|",
        *_rows(judgement, config),
        "",
        "## Heads learned from",
        "",
        "| source | kind | heads | people told apart by the adversary |",
        "|---|---|---|---|",
        *_sources("real", material.real),
        *_sources("simulated", material.simulated),
        "",
        "## Settings",
        "",
        "| key | value |",
        "|---|---|",
    ]
    for name, section in dataclasses.asdict(config).items():
        lines += [f"| {name}.{key} | {value} |" for key, value in section.items()]
    text = "\n".join(lines) + "\n"
    write_atomically(path, lambda part: part.write_text(text))


def _about(config: LearnedTrainingConfig) -> list[str]:
    codes, shown = config.modifier.codes, config.modifier.sees
    seen = "the face" if shown == "picture" else f"a mosaic of at most {config.modifier.cells} cells"
    if not codes:
        return [f"It is shown {seen} and draws a head. What it is shown bounds what it can tell; nothing else does."]
    bits = f"{math.log2(codes):g}"
    return [
        f"It is shown {seen} and answers with one of {codes} pictures of the head of one simulated person, whom",
        f"nobody has ever met. So one frame tells at most {bits} bits about who was there: of N people who are",
        f"equally likely, whoever sees it names the right one in at most {codes} of N cases. Frames add up: n frames",
        f"of one person tell at most {bits} n bits, and how somebody turns the head over minutes can be a habit of",
        "theirs. Which picture is shown was learned to follow the direction of the head. The background and the",
        "colours in the region are the drawing's, not the room's.",
    ]


def _rows(judgement: Judgement, config: LearnedTrainingConfig) -> list[str]:
    def figure(kind: Kind, name: str) -> str:
        value = getattr(kind, name)
        return "-" if math.isnan(value) else f"{value:.3f}"

    kinds = (judgement.clear, judgement.mosaic, judgement.modified)
    return [
        f"| {told.format(config.modifier.codes)} | {' | '.join(figure(kind, name) for kind in kinds)} |"
        for name, told in ROWS.items()
    ]


def _sources(kind: str, heads: Sequence[Head]) -> list[str]:
    counts = Counter(head.source for head in heads)
    people = {source: {head.identity for head in heads if head.source == source and head.identity} for source in counts}
    return [f"| {source} | {kind} | {count} | {len(people[source])} |" for source, count in sorted(counts.items())]
