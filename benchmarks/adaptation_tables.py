"""The figures of benchmarks/site_adaptation.py as tables for a reader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.simulated_sites import percent

PEOPLE = ("recall", "hard_recall", "in_all_views", "precision", "ap50", "faces_in_all_views", "covered_outside")
ORIGINS = ("detected", "tracked", "cross_view")


def markdown(results: dict[str, Any]) -> str:
    """Every site's tables, one after another."""
    return "\n".join(line for site in results["sites"] for line in _site(site))


def _site(site: dict[str, Any]) -> Iterator[str]:
    yield f"Site {site['seed']} (adaptation took {site['adaptation_minutes']:.0f} minutes)"
    yield from _people(site["rows"])
    yield from _anonymizer(site["anonymizer"])
    yield from _faceoff(site["anonymizer"])
    yield from _labels(site["labels"])
    yield from ("", "What the adaptation itself knows, without labels:", "")
    yield from _section(site["card"], "## Iterations")
    yield ""


def _people(rows: dict[str, Any]) -> Iterator[str]:
    yield from _head(
        "step", "recall", "hard", "in all views", "precision", "AP50", "faces covered in all views",
        "covered where nobody is", "exposed per camera-hour",
    )  # fmt: skip
    for name, row in rows.items():
        figures = " | ".join(percent(row[column]) for column in PEOPLE)
        yield f"| {name} | {figures} | {row['exposed_per_camera_hour']:,.0f} |"


def _anonymizer(rows: dict[str, Any]) -> Iterator[str]:
    yield from _head(
        "the whole anonymizer", "faces exposed", "per camera-hour", "in all views", "covered where nobody is"
    )
    for name, row in rows.items():
        yield (
            f"| {name} | {row['exposed']:,} of {row['faces']:,} | {row['exposed_per_camera_hour']:,.0f} | "
            f"{percent(row['faces_in_all_views'])} | {percent(row['covered_outside'])} |"
        )


def _faceoff(rows: dict[str, Any]) -> Iterator[str]:
    yield from _head("face detector, FaceOff protocol", "smoothing", "recall", "precision", "F1")
    for name, row in rows.items():
        for figures in row["faceoff"]:
            smoothing = "none" if figures["window"] == 1 else f"k = {figures['window']}"
            shares = " | ".join(percent(figures[column]) for column in ("recall", "precision", "f1"))
            yield f"| {name} | {smoothing} | {shares} |"


def _labels(labels: dict[str, Any]) -> Iterator[str]:
    yield from _head(
        "pseudo-labels of iteration", "trusted: precision", "recall", *ORIGINS, "people ignored", "people as background"
    )
    for number, row in labels.items():
        origins = (row["by_provenance"].get(name) for name in ORIGINS)
        told = (f"{percent(each['precision'])} of {each['boxes']:,}" if each else "-" for each in origins)
        yield (
            f"| {number} | {percent(row['trusted']['precision'])} | {percent(row['trusted']['recall'])} | "
            f"{' | '.join(told)} | {percent(row['ignored'])} | {percent(row['background'])} |"
        )


def _head(*titles: str) -> tuple[str, str, str]:
    return "", f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"


def _section(text: str, title: str) -> list[str]:
    """The table below a heading."""
    lines = text.split(title, 1)[1].split("\n## ", 1)[0].splitlines()
    return [line for line in lines if line.startswith("|")]
