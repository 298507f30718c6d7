"""What a run will do, before it does anything: sessions, cameras, weights, segments and where the results go."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from or_mv_anon.audit.report import sealed_outputs
from or_mv_anon.core.config import PipelineConfig, load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.overlap import refuse_overlap
from or_mv_anon.core.run_layout import STORE_FOLDER
from or_mv_anon.core.seals import Signature, signature
from or_mv_anon.core.store import RunStore
from or_mv_anon.endoscopy.classifier import ROLE as ENDOSCOPE_ROLE
from or_mv_anon.endoscopy.classifier import find_network
from or_mv_anon.models.catalogue import weights_named
from or_mv_anon.models.registry import fetch, sha256
from or_mv_anon.models.site_model import SiteModel, load_site_model
from or_mv_anon.models.site_thresholds import Thresholds
from or_mv_anon.pipeline.media import CameraPlan, PictureFacts, index_camera
from or_mv_anon.pipeline.options import Options
from or_mv_anon.pipeline.stages.analyse import ModelSettings
from or_mv_anon.site import Camera, Kind, Session, StreamFacts
from or_mv_anon.site.names import same_name
from or_mv_anon.video.encoding import choose_encoder, encoder_options
from or_mv_anon.video.index import VideoIndex
from or_mv_anon.video.segments import plan_segments

LEAST_SEGMENTS = 8  # per camera
SHORTEST_SEGMENT_S = 2.0  # unless the configuration asks for less
BUILT_IN = {"detector": "yolox-tiny-humanart", "pose": "rtmpose-s-halpe26", "face": "yunet-2023mar"}
EMBEDDER = "osnet-x1-msmt17"
EMBEDDER_ROLE = "embedder"
DETECTOR_CONFIG_ROLE = "detector_config"


@dataclass(frozen=True)
class Weights:
    """One network's weights: registered ones, or those of a site model."""

    role: str
    name: str
    path: str
    sha256: str
    licence: str


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


def effective_config(options: Options) -> PipelineConfig:
    """The configuration file with the command line's changes.

    Raises:
        UserError: see `load_config`.
    """
    video = {"codec": options.codec, "crf": options.crf, "preset": options.preset}
    overrides: dict[str, dict[str, object]] = {"video": {k: v for k, v in video.items() if v is not None}}
    if options.detect_every is not None:
        overrides["detection"] = {"interval_s": options.detect_every}
    config = load_config(options.config, overrides, model=_model_thresholds(options))
    encoder_options("libx264", crf=config.video.crf, preset=config.video.preset, threads=1)  # refuses unknown presets
    return config


def _model_thresholds(options: Options) -> Thresholds:
    """The settings that come with the site model's person detector."""
    if options.fast and options.model is None:
        raise UserError("--fast needs a site model; pass --model with a bundle from adapt_site.py.")
    if options.model is None or options.render_only:
        return {}
    return load_site_model(options.model).thresholds.get(_detector_role(options), {})


def _detector_role(options: Options) -> str:
    return "student" if options.fast else "detector"


def find_weights(options: Options, kinds: Collection[Kind]) -> list[Weights]:
    """The weights of every network that cameras of these `kinds` need, fetched if need be.

    Raises:
        UserError: they cannot be had, or the site model is damaged.
    """
    rooms = _room_weights(options) if "room" in kinds else []
    return rooms + (_endoscope_weights(options) if "endoscope" in kinds else [])


def with_embedder(
    weights: list[Weights], sessions: Sequence[Session], options: Options, config: PipelineConfig
) -> list[Weights]:
    """`weights` and, if people are to be compared in any of `sessions`, those of the network that does it.

    Where they cannot be had, this is printed: everything else works without.
    """
    if not config.association.use_appearance or not any(map(_shows_room_twice, sessions)):
        return weights
    try:
        path = fetch(EMBEDDER, weights_dir=options.weights_dir)
    except UserError as error:
        print(f"- People are not compared by their looks, only by where they stand. {error}", flush=True)
        return weights
    asset = weights_named(EMBEDDER)
    return [*weights, Weights(EMBEDDER_ROLE, EMBEDDER, str(path), asset.sha256, asset.licence)]


def weights_for_session(weights: list[Weights], session: Session) -> list[Weights]:
    """Without the embedder where there is nobody to compare: fewer than two cameras show the room."""
    return [entry for entry in weights if entry.role != EMBEDDER_ROLE or _shows_room_twice(session)]


def _shows_room_twice(session: Session) -> bool:
    return sum(camera.kind == "room" for camera in session.cameras) >= 2


def _endoscope_weights(options: Options) -> list[Weights]:
    path = find_network(options.endoscope_weights)
    licence = "the project's own" if options.endoscope_weights is None else "the user's own"
    return [Weights(ENDOSCOPE_ROLE, path.stem, str(path), sha256(path), licence)]


def _room_weights(options: Options) -> list[Weights]:
    site = load_site_model(options.model) if options.model else SiteModel(folder=Path())
    found = []
    if options.fast and site.student is None:
        raise UserError(
            f"--fast: {site.folder} has no smaller detector; leave out --fast, or adapt without --no-student."
        )
    if options.detector is not None:
        found += _own_detector(options.detector, site)
    for role, name in BUILT_IN.items():
        if any(entry.role == role for entry in found):
            continue
        own = getattr(site, _detector_role(options) if role == "detector" else role, None)
        if own is not None:
            found.append(Weights(role, f"{site.folder.name}/{own.name}", str(own), sha256(own), "the site's own"))
        else:
            asset = weights_named(name)
            path = fetch(name, weights_dir=options.weights_dir)
            found.append(Weights(role, name, str(path), asset.sha256, asset.licence))
    return found


def _own_detector(files: tuple[Path, Path], site: SiteModel) -> list[Weights]:
    if site.detector is not None:
        raise UserError(f"--detector: {site.folder} names a person detector, too; leave out --detector or --model.")
    for path, suffixes in zip(files, ((".py",), (".pth", ".pt")), strict=True):
        if path.suffix not in suffixes or not path.is_file():
            raise UserError(
                f"--detector takes an mmdet configuration (.py) and its checkpoint (.pth); {path} is no such file."
            )
    roles = (DETECTOR_CONFIG_ROLE, "detector")
    return [
        Weights(role, path.name, str(path.absolute()), sha256(path), "the user's own")
        for role, path in zip(roles, files, strict=True)
    ]


def model_settings(weights: list[Weights], options: Options, *, threads: int) -> ModelSettings:
    """The networks as the workers load them."""
    paths = {entry.role: Path(entry.path) for entry in weights}
    return ModelSettings(
        detector=paths["detector"],
        pose=paths["pose"],
        face=paths["face"],
        device=options.device,
        precision=options.precision,
        threads=threads,
        embedder=paths.get(EMBEDDER_ROLE),
        detector_config=paths.get(DETECTOR_CONFIG_ROLE),
    )


def plan_session(
    session: Session, out: Path, options: Options, config: PipelineConfig, *, store: Path | None = None
) -> SessionPlan:
    """Look at every camera of a session; those that cannot be used become problems.

    Args:
        session: to plan.
        out: folder of its results.
        options: from the command line.
        config: all thresholds.
        store: folder of the stage outputs; None for the usual place in `out`.

    Raises:
        UserError: `out` cannot be written or would overwrite the input.
    """
    refuse_recordings_folder(session, out)
    plan = SessionPlan(session, out, open_store(store or out / STORE_FOLDER, out, afresh=options.overwrite))
    for camera in session.cameras:
        try:
            seen = _signature(camera)
            facts = index_camera(camera, plan.store)
            plan.cameras.append(_plan_camera(camera, facts, plan, options, config, seen))
            plan.facts.append(facts)
            plan.notes += [f"{camera.name}: {note}" for note in facts.notes]
            lacks = [*([facts.truncated] if facts.truncated else []), *facts.left_out]
            plan.problems += [f"{camera.name}: {sentence}" for sentence in lacks]
        except UserError as error:
            plan.problems.append(f"{camera.name}: {error}")
    _refuse_collisions(plan)
    for planned, found in zip(plan.cameras, plan.facts, strict=True):
        _refuse_zones_outside(planned.camera, found)
    plan.notes += _layout_notes(plan, options)
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
    files = [file for camera in session.cameras for file in _files(camera)]
    folders = [camera.source for camera in session.cameras if not isinstance(camera.files, Path)]
    refuse_overlap(out, files, own=folders)


def _files(camera: Camera) -> Sequence[Path]:
    return [camera.files] if isinstance(camera.files, Path) else camera.files


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
        store.know({f"{inside}/{name}": seal for name, seal in sealed_outputs(out / "audit.json").items()})
    return store


def _signature(camera: Camera) -> Signature:
    try:
        return signature(camera.files)
    except OSError:
        return ()  # looking at it says what is wrong


def _layout_notes(plan: SessionPlan, options: Options) -> list[str]:
    if options.model is None or options.render_only:
        return []
    rooms = [
        (camera.camera.name, facts.upright_size)
        for camera, facts in zip(plan.cameras, plan.facts, strict=True)
        if camera.camera.kind == "room"
    ]
    sentence = load_site_model(options.model).strangeness(dict(rooms))
    return [sentence] if sentence else []


def _plan_camera(
    camera: Camera,
    facts: VideoIndex | PictureFacts,
    session: SessionPlan,
    options: Options,
    config: PipelineConfig,
    seen: Signature,
) -> CameraPlan:
    start = None if options.start is None else options.start - camera.offset
    end = None if options.end is None else options.end - camera.offset
    # Short recordings are cut too, so that every core has something to do.
    length = min(config.video.segment_s, max(SHORTEST_SEGMENT_S, facts.duration / LEAST_SEGMENTS))
    segments = plan_segments(facts, seconds=length, start=start, end=end)
    encoding, shift = None, 0
    if isinstance(facts, VideoIndex):
        encoding = choose_encoder(facts, config.video.codec)
        if encoding.note:
            session.notes.append(f"{camera.name}: {encoding.note}")
        if start is not None and start > 0:
            shift = round(start / facts.time_base)
        elif facts.pts[0] < 0:
            shift = int(facts.pts[0])  # containers do not take timestamps before zero
    destination = session.out / (camera.name + ("" if encoding is None else encoding.suffix))
    return CameraPlan(camera, session.store.root, tuple(segments), shift, encoding, destination, seen)
