"""Cameras without colour, as infrared ones are: people look unlike there than what the networks have learned."""

from __future__ import annotations

from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.media import CameraPlan

OFTEN = 0.2  # of a camera's segments; a slate or a room whose lamps are off is grey for a while, too


def is_colourless(run: RunContext, plan: CameraPlan) -> bool:
    """Whether a room camera is often without colour, and no site model has learned what it shows."""
    if run.spec.model is not None or plan.camera.kind != "room":
        return False
    least = run.spec.config.verdict.least_colour
    colours = [run.facts(plan.stage("analyse", part)).get("colour", least) for part in plan.segments]
    return sum(colour < least for colour in colours) > OFTEN * len(colours)
