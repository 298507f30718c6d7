"""The model card: what a site model was made from and how its iterations compare, with curves and without pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from or_mv_anon.adaptation.coco import LabelledImage
from or_mv_anon.adaptation.selection import SCORES, DetectorCurves, at_score
from or_mv_anon.core.files import write_atomically
from or_mv_anon.core.records import Provenance
from or_mv_anon.models.site_thresholds import Thresholds

CARD, PLOT = "card.md", "curves.svg"


@dataclass(frozen=True, kw_only=True)
class IterationFacts:
    """One iteration; 0 is the starting network.

    Attributes:
        number: of the iteration.
        curves: of its detector on the held-out pictures.
        steps, seconds: of its training.
        images: that it was trained on.
    """

    number: int
    curves: DetectorCurves
    steps: int = 0
    seconds: float = 0.0
    images: Sequence[LabelledImage] = ()


@dataclass(frozen=True, kw_only=True)
class CardFacts:
    """All that the card says."""

    iterations: Sequence[IterationFacts]
    chosen: int
    scores: Sequence[float]
    held_out: int
    layout: Mapping[str, tuple[int, int]]
    minutes: float
    thresholds: Mapping[str, Thresholds] = field(default_factory=dict)
    notes: Sequence[str] = ()


def write_card(folder: Path, facts: CardFacts) -> None:
    """Write the card and its plot.

    Raises:
        UserError: the folder cannot be written.
    """
    plotted = _plot(folder / PLOT, facts)
    text = "\n".join(
        [
            "# Site model",
            "",
            "A person detector adapted to one room from its own recordings, without labels. It holds no pictures, but",
            "networks remember: treat it like the recordings it was made from.",
            "",
            f"- cameras: {', '.join(f'{name} ({w}x{h})' for name, (w, h) in facts.layout.items())}",
            f"- material: {facts.minutes:.1f} minutes of session time",
            f"- chosen: iteration {facts.chosen}" + (" (the starting network)" if facts.chosen == 0 else ""),
            *(f"- {note}" for note in facts.notes),
            "",
            "## Iterations",
            "",
            f"Judged on {facts.held_out} held-out pictures, without labels: a person counts whom tracking supports in",
            "some iteration and independent evidence confirms. These figures compare iterations; they are not the",
            "recall of true people.",
            "",
            *_iterations(facts),
            "",
            *([f"![supported recall and unsupported boxes over the score]({PLOT})", ""] if plotted else []),
            "## Labels",
            "",
            *_labels(facts.iterations),
            "",
            *_thresholds(facts.thresholds),
        ]
    )
    write_atomically(folder / CARD, lambda part: part.write_text(text))


def _iterations(facts: CardFacts) -> list[str]:
    kinds = ("recall", "unsupported", *(["heads"] if facts.iterations[0].curves.head_recall is not None else []))
    columns = [f"{kind} at {score:g}" for score in facts.scores for kind in kinds]
    lines = [
        "| iteration | steps | training s | criterion | " + " | ".join(columns) + " |",
        "|---" * (4 + len(columns)) + "|",
    ]
    for entry in facts.iterations:
        values = []
        for score in facts.scores:
            values += [
                f"{at_score(entry.curves.recall, score):.3f}",
                f"{at_score(entry.curves.unsupported, score):.2f}",
                *([f"{at_score(entry.curves.head_recall, score):.3f}"] if entry.curves.head_recall is not None else []),
            ]
        name = f"**{entry.number}**" if entry.number == facts.chosen else str(entry.number)
        lines.append(
            f"| {name} | {entry.steps} | {entry.seconds:.0f} | {entry.curves.criterion:.4f} | {' | '.join(values)} |"
        )
    return [
        *lines,
        "",
        "Unsupported: boxes per picture that nothing supports or that independent evidence denies. Heads: share of the",
        "labelled heads that are found.",
    ]


def _labels(iterations: Sequence[IterationFacts]) -> list[str]:
    names = [kind.name.lower() for kind in Provenance]
    lines = [
        "| iteration | pictures | " + " | ".join(names) + " | ignored regions |",
        "|---" * (3 + len(names)) + "|",
    ]
    for entry in iterations:
        if not entry.images:
            continue
        count: Counter[int] = Counter()
        ignored = 0
        for image in entry.images:
            count.update(image.labels.provenance[image.labels.trusted].tolist())
            ignored += int((~image.labels.trusted).sum())
        numbers = " | ".join(str(count[kind]) for kind in Provenance)
        lines.append(f"| {entry.number} | {len(entry.images)} | {numbers} | {ignored} |")
    return lines


def _thresholds(thresholds: Mapping[str, Thresholds]) -> list[str]:
    lines = [
        f"- {role}: {section}.{key} = {value}"
        for role, sections in thresholds.items()
        for section, entries in sections.items()
        for key, value in entries.items()
    ]
    return ["## Thresholds that differ from configs/pipeline.toml", "", *lines, ""] if lines else []


def _plot(path: Path, facts: CardFacts) -> bool:
    """Draw the curves of every iteration; False without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for entry in facts.iterations:
        style = {"label": f"iteration {entry.number}", "linewidth": 2.5 if entry.number == facts.chosen else 1.0}
        left.plot(SCORES, entry.curves.recall, **style)
        right.plot(SCORES, entry.curves.unsupported, **style)
    for axes, title in ((left, "supported recall"), (right, "unsupported boxes per picture")):
        axes.set_xlabel("score")
        axes.set_title(title)
        axes.grid(alpha=0.3)
    left.set_ylim(0, 1)
    left.legend()
    write_atomically(path, lambda part: figure.savefig(part, format="svg"))
    return True
