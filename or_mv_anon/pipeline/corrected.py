"""What reviewers decided, brought to one camera's part of a run: what is drawn in it, and what its results rest on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np

from or_mv_anon.association.drawn_places import Clock, groups, place_drawn
from or_mv_anon.association.stored_geometry import parse_geometry
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import Detections, FollowedBoxes, Frames, Identities, Tracks
from or_mv_anon.core.run_layout import FACES, FOLLOWED, FRAMES, GEOMETRY, IDENTITIES, RECOVERED, TRACKS
from or_mv_anon.core.store import RunStore
from or_mv_anon.corrections.actions import Cover, Merge, NotAPerson, Place, Split
from or_mv_anon.corrections.log import Line
from or_mv_anon.corrections.persons import Persons, cameras_in, followed_at, places_in, told_persons, who_is_who
from or_mv_anon.pipeline.artifacts import read_joined, session_offset, session_seconds
from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.media import CameraPlan, open_camera
from or_mv_anon.regions.nobody import Nobody
from or_mv_anon.regions.source import Drawn
from or_mv_anon.regions.sources.manual import drawn_regions


def follow_stage(plan: CameraPlan, line: Line) -> str:
    """Key in the manifest of following what was drawn in a line."""
    return f"{plan.camera.name}/follow/{line.number:05d}"


def followed_file(plan: CameraPlan, line: Line) -> str:
    """Name of the table that says where what was drawn in a line was found."""
    return FOLLOWED.file(plan.camera.name, line.number)


def is_drawn_in(plan: CameraPlan, line: Line) -> bool:
    """Whether a line is a cover that was drawn in this very camera."""
    return isinstance(line.action, Cover) and line.action.camera == plan.camera.name


def drawn_elsewhere(
    plan: CameraPlan, corrections: Sequence[Line], config: PipelineConfig, *, side: float | None, associated: bool
) -> tuple[list[Drawn], list[str]]:
    """What was drawn in other cameras to be covered in all, where it is in this one, and sentences about the rest.

    Args:
        plan: of the camera.
        corrections: all that are about it.
        config: how long a moment is, and how far apart instants of the geometry are.
        side: of a head's region in the camera in pixels, where that is known.
        associated: whether the cameras' geometry is known.
    """
    lines = [line for line in corrections if isinstance(line.action, Cover) and line.action.all_cameras]
    if all(is_drawn_in(plan, line) for line in lines):
        return [], []
    covers = [line.action for line in lines if isinstance(line.action, Cover)]
    moment_s, geometry, clock = config.manual.moment_s, {}, Clock(0.0, config.association.instant_s)
    if associated:
        content = RunStore(plan.store).read_json(GEOMETRY.file())
        geometry = parse_geometry(content)
        clock = Clock(content["instants"]["first_s"] or 0.0, config.association.instant_s)
    placed, told = [], []
    for members in groups(covers, geometry, clock, moment_s):
        if any(is_drawn_in(plan, lines[number]) for number in members):
            continue
        sides = [each.box[2] - each.box[0] for number in members for each in covers[number].boxes]
        cover = place_drawn(
            plan.camera.name, [covers[number] for number in members], geometry, clock,
            side=side or float(np.mean(sides)), moment_s=moment_s,
        )  # fmt: skip
        if cover is not None:
            placed.append(Drawn(cover, session_offset(plan)))
        else:
            names = ", ".join(lines[number].id for number in members)
            told.append(
                f"What is to be covered in all cameras ({names}) has no known place here. Draw it in one more camera "
                "for all cameras, or here."
            )
    return placed, told


def drawn_covers(plan: CameraPlan, corrections: Sequence[Line]) -> list[Drawn]:
    """What reviewers drew in a camera, and where it was found."""
    covers = [(line, line.action) for line in corrections if isinstance(line.action, Cover) and is_drawn_in(plan, line)]
    if not covers:
        return []
    earlier, store = session_offset(plan), RunStore(plan.store)
    drawn = []
    for line, cover in covers:
        found = []
        if store.manifest.noted(name := followed_file(plan, line)) is not None:
            boxes = store.read(name, FollowedBoxes, frames=range(len(plan)))
            found = list(zip(boxes.frame.tolist(), boxes.box.tolist(), strict=True))
        drawn.append(Drawn(cover, earlier, {number: tuple(box) for number, box in found}))
    return drawn


def unheeded(plan: CameraPlan, frames: Frames, corrections: Sequence[Line], config: PipelineConfig) -> list[str]:
    """Sentences about covers that hold in no frame of the recording, or in no part of its picture."""
    told = []
    for line in corrections:
        for drawn in drawn_covers(plan, [line]):
            size = open_camera(plan.camera, plan.store).upright_size
            if not len(drawn_regions(frames.frame, frames.time, [drawn], config.manual, size=size)):
                told.append(f"The cover {line.id} by {line.author} lies outside of the recording and covers nothing.")
    return told


def nobody_in(plan: CameraPlan, frames: Frames, corrections: Sequence[Line], people: Tracks, heads: Tracks) -> Nobody:
    """What reviewers say is nobody among a camera's tracks of people, and of heads on their own."""
    wanted = [
        (f"What {line.author} decided about track {line.action.track} ({line.id})", line.action)
        for line in corrections
        if isinstance(line.action, NotAPerson)
    ]
    if not wanted:
        return Nobody([], np.zeros(0), people, heads, Detections.empty())
    seconds = session_seconds(plan, frames)
    somebody = followed_at(places_in(corrections, plan.camera.name), people, seconds)
    return Nobody(wanted, seconds, people, heads, read_joined(plan, FACES), somebody=frozenset(somebody.values()))


def persons_of(plans: Sequence[CameraPlan], associated: Collection[str], corrections: Sequence[Line]) -> Persons:
    """Who is who in a session's cameras after what reviewers decided.

    Args:
        plans: of the cameras.
        associated: those whose people were compared with other cameras', by name.
        corrections: all that stand.
    """
    if not told_persons(corrections):
        return Persons()
    identities: dict[str, Identities] = {}
    found: dict[Place, int] = {}
    for plan in plans:
        if plan.camera.kind != "room":
            continue
        name = plan.camera.name
        identities[name] = plan.read(IDENTITIES) if name in associated else Identities.empty()
        if places := places_in(corrections, name):
            tracks = plan.read(RECOVERED if name in associated else TRACKS)
            found |= followed_at(places, tracks, session_seconds(plan, read_joined(plan, FRAMES)))
    return who_is_who(corrections, identities, found)


def corrected_by(context: RunContext, plan: CameraPlan) -> list[object]:
    """What reviewers add to the key of a camera's regions; nothing where they changed nothing."""
    corrections = context.corrections_of(plan)
    if not corrections:
        return []
    return [[line.sha256 for line in corrections], followed_for(context, plan), context.spec.config.manual]


def followed_for(context: RunContext, plan: CameraPlan) -> list[str]:
    """The stages that have followed what was drawn in a camera."""
    stages = [follow_stage(plan, line) for line in context.corrections_of(plan)]
    return [stage for stage in stages if context.is_current(stage)]


def taken_in(context: RunContext) -> list[str]:
    """A sentence about what reviewers decided and this run took in."""
    counts: Counter[str] = Counter()
    for line in context.corrections:
        counts[line.author] += isinstance(line.action, Cover | NotAPerson | Merge | Split)
    return [f"Corrections taken in: {count} by {name}." for name, count in counts.items() if count]


def strangers_to(context: RunContext) -> list[str]:
    """Sentences about corrections of cameras that this session does not have."""
    names = {plan.camera.name for plan in context.plan.cameras}
    return [
        f"The correction {line.id} by {line.author} is of {camera}; this session has no such camera."
        for line in context.corrections
        for camera in cameras_in(line.action)
        if camera not in names
    ]
