"""The figures of `endoscopy.py` as Markdown, with published headline figures beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

PUBLISHED = (  # ROC-AUC as the authors state it, each on recordings of their own
    ("ROBAN, procedures not trained on", "99.46 %"),  # https://pubmed.ncbi.nlm.nih.gov/38390732
    ("OoBNet, gastric bypass", "99.94 %"),  # https://www.nature.com/articles/s41598-023-36453-1
    ("OoBNet, cholecystectomy", "99.71 %"),
)
DIFFERENT = (
    "The data differ and the figures cannot be compared: theirs are real recordings with real exits, labelled by hand; "
    "here real pictures of the inside meet pictures of rooms that no endoscope took, and exits are composed."
)


def write_report(path: Path, result: dict[str, Any]) -> str:
    """Write the Markdown and return it."""
    pictures, clips = result["pictures"], result["clips"]
    lines = [
        "## Held-out pictures and composed clips",
        "",
        f"Network `{result['network']}` on {result['provider']}. No source of these pictures was trained or calibrated "
        "on.",
        "",
        "| set | inside | outside | ROC-AUC | average precision | outside found at 99 % inside |",
        "|---|---|---|---|---|---|",
        _row("pictures as they are", pictures["as they are"]),
        _row("pictures, changed", pictures["changed"]),
        _row(f"frames of {clips['clips']} clips, {clips['seconds']:.0f} s", clips["frames"]),
        *(f"| {name}, published, other data | | | {figures} | | |" for name, figures in PUBLISHED),
        "",
        DIFFERENT,
        "",
        "| composed clips | exits | with a leak | leaked frames per exit | worst exit | leaked s | inside covered |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in clips["leaks"].items():
        lines.append(
            f"| {name} | {row['exits']} | {row['leaky_exits']} | {row['frames']:.2f} | {row['worst']} | "
            f"{row['seconds']:.2f} | {row['covered_inside']:.1%} |"
        )
    lines += [
        "",
        "| clip of | seconds | exits | leaked frames per exit after offline smoothing | inside covered |",
        "|---|---|---|---|---|",
        *(
            f"| {row['sources']} | {row['length_s']:.1f} | {row['exits']} | {row['frames']:.2f} | "
            f"{row['covered_inside']:.1%} |"
            for row in clips["each"]
        ),
    ]
    lines += ["", "| held-out source | shows | pictures | called outside |", "|---|---|---|---|"]
    for row in pictures["groups"]:
        lines.append(f"| {row['group']} | {row['label']} | {row['pictures']} | {row['called_outside']:.1%} |")
    if rows := result.get("leave_one_out"):
        lines += [
            "",
            f"Each family left out of a training of {rows[0]['steps']} steps (pictures as they are and changed):",
            "",
            "| left out | inside | outside | ROC-AUC | average precision | outside found at 99 % inside |",
            "|---|---|---|---|---|---|",
            *(_row(f"{row['left_out_inside']}, {row['left_out_outside']}", row) for row in rows),
        ]
    text = "\n".join(lines) + "\n"
    path.write_text(text)
    return text


def _row(name: str, row: dict[str, Any]) -> str:
    shares = (row["roc_auc"], row["average_precision"], row["outside_recall_at_99_inside"])
    return f"| {name} | {row['inside']} | {row['outside']} | {' | '.join(f'{share:.2%}' for share in shares)} |"
