"""What is in the open on a simulated site, and what is covered for nothing, as plain values."""

from __future__ import annotations

from typing import Any

from or_mv_anon.evaluation.evaluate import Evaluation


def figures(judged: Evaluation) -> dict[str, Any]:
    """The two measures that belong together, and what explains them."""
    exposure = judged.exposure
    return {
        "faces": exposure.faces.considered,
        "exposed": exposure.faces.exposed,
        "stretches": len(judged.stretches),
        "longest_s": max((stretch.seconds for stretch in judged.stretches), default=0.0),
        "camera_hours": exposure.camera_hours,
        "holistic": exposure.holistic_recall.value,
        "over_cover": exposure.covered_outside.value,
    }
