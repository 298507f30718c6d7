"""What a run will do with one session, before it does anything: cameras, segments and where the results go."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from or_mv_anon.audit.report import sealed_outputs
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.overlap import refuse_overlap
from or_mv_anon.core.run_layout import AUDIT_RECORD, STORE_FOLDER
from or_mv_anon.core.seals import Signature, signature
from or_mv_anon.core.store import RunStore
from or_mv_anon.models.site_model import load_site_model
from or_mv_anon.pipeline.media import CameraPlan, PictureFacts, index_camera
from or_mv_anon.pipeline.spec import RunSpec
from or_mv_anon.site import Camera, Session, StreamFacts
from or_mv_anon.site.names import same_name
from or_mv_anon.video.encoding import choose_encoder
from or_mv_anon.video.index import VideoIndex
from or_mv_anon.video.segments import plan_segments

LEAST_SEGMENTS = 8  # per camera
SHORTEST_SEGMENT_S = 2.0  # unless the configuration asks for less


@dataclass
class SessionPlan:
    """One session's part of a run.

    Attributes:
        session: as found.
        out: folder of its results.
        store: stage outputs.
        cameras: those that can be processed, in order.
        facts: about each of `cameras`.
        problems: sentences about the others.
        notes: sentences about what differs from the input on purpose.
    """

    session: Session
    out: Path
    store: RunStore
    cameras: list[CameraPlan] = field(default_factory=list)
    facts: list[StreamFacts] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def usable(self) -> Session:
        """The session with the cameras that can be processed."""
        cameras = tuple(plan.camera for plan in self.cameras)
        return Session(name=self.session.name, cameras=cameras, notes=self.session.notes)


def plan_session(
    session: Session, out: Path, spec: RunSpec, *, store: Path | None = None, afresh: bool = False
) -> SessionPlan:
    """Look at every camera of a session; those that cannot be used become problems.

    Args:
        session: to plan.
        out: folder of its results.
        spec: of the run.
        store: folder of the stage outputs; None for the usual place in `out`.
        afresh: begin anew where stage outputs cannot be used.

    Raises:
        UserError: `out` cannot be written or would overwrite the input.
    """
    refuse_recordings_folder(session, out)
    plan = SessionPlan(session, out, open_store(store or out / STORE_FOLDER, out, afresh=afresh))
    for camera in session.cameras:
        try:
            seen = _signature(camera)
            facts = index_camera(camera, plan.store)
            plan.cameras.append(_plan_camera(camera, facts, plan, spec, seen))
            plan.facts.append(facts)
            plan.notes += [f"{camera.name}: {note}" for note in facts.notes]
            lacks = [*([facts.truncated] if facts.truncated else []), *facts.left_out]
            plan.problems += [f"{camera.name}: {sentence}" for sentence in lacks]
        except UserError as error:
            plan.problems.append(f"{camera.name}: {error}")
    _refuse_collisions(plan)
    for planned, found in zip(plan.cameras, plan.facts, strict=True):
        _refuse_zones_outside(planned.camera, found)
    plan.notes += _layout_notes(plan, spec)
    return plan


def _refuse_collisions(plan: SessionPlan) -> None:
    """Such as of `b.avi` and a folder of pictures `b.mp4/`: both would become ``b.mp4``."""
    taken: dict[str, CameraPlan] = {}
    for camera in plan.cameras:
        other = taken.setdefault(same_name(camera.destination.name), camera)
        if other is not camera:
            raise UserError(
                f"{other.camera.source.name} and {camera.camera.source.name} would both become "
                f"{camera.destination.name}; rename one, or give it a name in site.toml with 'file' and 'name'."
            )


def _refuse_zones_outside(camera: Camera, facts: StreamFacts) -> None:
    """A zone that no part of the picture lies in protects nothing: its numbers are of another picture."""
    width, height = facts.upright_size
    for x1, y1, x2, y2 in (*camera.always, *camera.never):
        if x1 >= width or y1 >= height:
            raise UserError(
                f"The zone {[x1, y1, x2, y2]} of {camera.name} in site.toml lies outside its picture of "
                f"{width}x{height}; expected pixels of the picture as displayed."
            )


def refuse_recordings_folder(session: Session, out: Path) -> None:
    """Refuse an output folder in which a recording lies, or that lies among a camera's pictures.

    Raises:
        UserError: it is one.
    """
    files = [file for camera in session.cameras for file in camera.all_files]
    folders = [camera.source for camera in session.cameras if not isinstance(camera.files, Path)]
    refuse_overlap(out, files, own=folders)


def open_store(folder: Path, out: Path, *, afresh: bool) -> RunStore:
    """The stage outputs in `folder`.

    Args:
        folder: of the store.
        out: of the results, whose `audit.json` also tells which videos are this tool's.
        afresh: begin anew where they cannot be used.

    Raises:
        UserError: see `RunStore.open`.
    """
    store = RunStore.open(folder, afresh=afresh)
    if afresh:
        inside = os.path.relpath(out, folder)
        store.know({f"{inside}/{name}": seal for name, seal in sealed_outputs(out / AUDIT_RECORD).items()})
    return store


def _signature(camera: Camera) -> Signature:
    try:
        return signature(camera.files)
    except OSError:
        return ()  # looking at it says what is wrong


def _layout_notes(plan: SessionPlan, spec: RunSpec) -> list[str]:
    if spec.model is None:
        return []
    rooms = [
        (camera.camera.name, facts.upright_size)
        for camera, facts in zip(plan.cameras, plan.facts, strict=True)
        if camera.camera.kind == "room"
    ]
    sentence = load_site_model(spec.model).layout_mismatch(dict(rooms))
    return [sentence] if sentence else []


def _plan_camera(
    camera: Camera,
    facts: VideoIndex | PictureFacts,
    session: SessionPlan,
    spec: RunSpec,
    seen: Signature,
) -> CameraPlan:
    start = None if spec.start is None else spec.start - camera.offset
    end = None if spec.end is None else spec.end - camera.offset
    # Short recordings are cut too, so that every core has something to do.
    length = min(spec.config.video.segment_s, max(SHORTEST_SEGMENT_S, facts.duration / LEAST_SEGMENTS))
    segments = plan_segments(facts, seconds=length, start=start, end=end)
    encoding, shift = None, 0
    if isinstance(facts, VideoIndex):
        encoding = choose_encoder(facts, spec.config.video.codec)
        if encoding.note:
            session.notes.append(f"{camera.name}: {encoding.note}")
        if start is not None and start > 0:
            shift = round(start / facts.time_base)
        elif facts.pts[0] < 0:
            shift = int(facts.pts[0])  # containers do not take timestamps before zero
    destination = session.out / (camera.name + ("" if encoding is None else encoding.suffix))
    return CameraPlan(camera, session.store.root, tuple(segments), shift, encoding, destination, seen)
