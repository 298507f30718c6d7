"""Cameras without colour, as infrared ones are: people look unlike there than what the networks have learned."""

from __future__ import annotations

from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.media import CameraPlan
from or_mv_anon.pipeline.spec import RunSpec
from or_mv_anon.pipeline.weights import finds_people

OFTEN = 0.2  # of a camera's segments; a slate or a room whose lamps are off is grey for a while, too


def is_colourless(run: RunContext, plan: CameraPlan) -> bool:
    """Whether a room camera is often without colour, and nothing that looks has learned what it shows."""
    if plan.camera.kind != "room" or _room_is_known(run.spec):
        return False
    least = run.spec.config.verdict.least_colour
    colours = [run.facts(plan.stage("analyse", part)).get("colour", least) for part in plan.segments]
    return sum(colour < least for colour in colours) > OFTEN * len(colours)


def _room_is_known(spec: RunSpec) -> bool:
    """Whether a site model's own networks find people here.

    With --fast people are looked for rarely, by a smaller detector whose teacher knew no better.
    """
    return spec.model is not None and not spec.asked.get("fast") and finds_people(spec.weights, spec.model)
