"""Cameras without colour, as infrared ones are: people look unlike there than what the networks have learned."""

from __future__ import annotations

from pathlib import Path

from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.media import CameraPlan
from or_mv_anon.pipeline.spec import RunSpec

OFTEN = 0.2  # of a camera's segments; a slate or a room whose lamps are off is grey for a while, too
FINDING = ("detector", "face")  # roles of networks that find somebody whom no other finds


def is_colourless(run: RunContext, plan: CameraPlan) -> bool:
    """Whether a room camera is often without colour, and nothing that looks has learned what it shows."""
    if plan.camera.kind != "room" or _room_is_known(run.spec):
        return False
    least = run.spec.config.verdict.least_colour
    colours = [run.facts(plan.stage("analyse", part)).get("colour", least) for part in plan.segments]
    return sum(colour < least for colour in colours) > OFTEN * len(colours)


def _room_is_known(spec: RunSpec) -> bool:
    """Whether a site model's own networks find people here.

    One that has none of these roles leaves that to the built-in ones. With --fast people are looked for rarely, by a
    smaller detector whose teacher knew no better.
    """
    if spec.model is None or spec.asked.get("fast"):
        return False
    folder = spec.model.resolve()
    return any(each.role in FINDING and Path(each.path).resolve().is_relative_to(folder) for each in spec.weights)
