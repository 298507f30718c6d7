"""Recordings of endoscopes, one after another: labels for every frame and, if wanted, a video without the outside.

Each recording is a session of its own with one camera, so it is cut, resumed, rendered and verified like any other.
"""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path

from or_mv_anon.audit.timecode import clock_time
from or_mv_anon.core.config import config_hash
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import explained
from or_mv_anon.core.listening import tell
from or_mv_anon.core.lock import hold
from or_mv_anon.core.overlap import refuse_overlap
from or_mv_anon.core.printable import printable
from or_mv_anon.core.run_layout import LABELS, STORE_FOLDER, VERDICTS
from or_mv_anon.core.store import RunStore
from or_mv_anon.endoscopy.classifier import ROLE
from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.endoscope_labels import SUFFIX, labels_of, labels_text
from or_mv_anon.pipeline.media import CameraPlan, open_camera
from or_mv_anon.pipeline.pipeline import keep_aside, start_afresh
from or_mv_anon.pipeline.plan import SessionPlan, plan_session
from or_mv_anon.pipeline.profiles import new_context, run_session
from or_mv_anon.pipeline.report import frame_problems
from or_mv_anon.pipeline.spec import RunSpec
from or_mv_anon.pipeline.stages.endoscope import load_judgements
from or_mv_anon.pipeline.stages.finish import FINISH
from or_mv_anon.site import Camera, Session
from or_mv_anon.site.layout import VIDEO_SUFFIXES, check_readable, is_own_output, natural_key
from or_mv_anon.site.names import check_output_name

ANONYMIZED = "_anonymized"
SHOWN_PROBLEMS = 5


def anonymize_recordings(place: Path, out: Path, spec: RunSpec, *, save_video: bool, overwrite: bool = False) -> int:
    """Label every recording in a place, and cover its outside frames.

    Args:
        place: a file, or a folder of files.
        out: folder of the results.
        spec: of the run; everything about rooms has no say here.
        save_video: also write the covered video.
        overwrite: discard earlier results of these recordings.

    Returns:
        The exit code: 0 when all is well, 1 when something needs a look (it is printed).

    Raises:
        UserError: nothing could be done.
    """
    videos = find_recordings(place)
    refuse_overlap(out, videos, option="The output folder")
    with hold(out):
        return _anonymize_all(videos, out, spec, save_video=save_video, overwrite=overwrite)


def _anonymize_all(videos: list[Path], out: Path, spec: RunSpec, *, save_video: bool, overwrite: bool) -> int:
    outcomes = []
    for video in videos:
        try:
            outcomes.append(_anonymize(video, out, spec, save_video=save_video, overwrite=overwrite))
        except UserError as error:
            if len(videos) == 1:
                raise
            tell(f"error: {error}", problem=True)
            outcomes.append(False)
    return 0 if all(outcomes) else 1


def find_recordings(place: Path) -> list[Path]:
    """A video file, or the video files in a folder in natural order; folders below are left alone.

    Raises:
        UserError: there is nothing, or it cannot be read.
    """
    if place.is_dir() and is_own_output(place):
        raise UserError(f"{place} is an output of this tool; pass the folder of the recordings.")
    if not place.is_dir():
        if not place.exists():
            raise UserError(f"{place} does not exist; expected a video or a folder of videos.")
        check_readable(place)
        return [place]
    with explained(place):
        entries = sorted(place.iterdir(), key=lambda path: natural_key(path.name))
    videos = [path for path in entries if path.suffix.lower() in VIDEO_SUFFIXES and not path.is_dir()]
    below = [path.name for path in entries if path.is_dir()]
    if not videos:
        hint = f" Its folders are not searched: {', '.join(below[:5])}." if below else ""
        raise UserError(f"No videos in {place}; their names end in {', '.join(sorted(VIDEO_SUFFIXES)[:8])}, ....{hint}")
    if below:
        shown = printable(", ".join(below[:5]))
        tell(f"- folders in {printable(place)} are not searched: {shown}{', ...' if len(below) > 5 else ''}")
    return videos


def result_name(video: Path) -> str:
    """What the recording's results begin with: its stem, or its whole name where a video beside it has that stem."""
    beside = [path for path in video.absolute().parent.iterdir() if path.suffix.lower() in VIDEO_SUFFIXES]
    taken = [name.casefold() for path in beside if path.name != video.name for name in (path.stem, path.name)]
    return video.name if video.stem.casefold() in taken else video.stem


def _anonymize(video: Path, out: Path, spec: RunSpec, *, save_video: bool, overwrite: bool) -> bool:
    """Label one recording; True when all is well."""
    name = result_name(video)
    check_output_name(name, "The recording")
    store = out / STORE_FOLDER / name
    if not overwrite:
        _refuse_another(store, name, video)
    session = Session(name=name, cameras=(Camera(name=name, files=video, kind="endoscope"),))
    plan = plan_session(session, out, spec, store=store, afresh=overwrite)
    if not plan.cameras:
        raise UserError(" ".join(plan.problems).removeprefix(f"{name}: "))
    suffix = plan.cameras[0].destination.suffix
    camera = replace(plan.cameras[0], destination=out / f"{name}{ANONYMIZED}{suffix}")
    plan.cameras = [camera]
    labels = out / f"{name}{SUFFIX}"
    _refuse_strangers(plan, [labels, *([camera.destination] if save_video else [])], overwrite=overwrite)
    for note in plan.notes if save_video else ():
        tell(f"- {printable(note)}")
    run = new_context(plan, spec)
    run_session(run, render=save_video)
    if not run.is_current(camera.stage("place")):
        raise UserError(" ".join(run.problems))
    outside = _write_labels(labels, run, camera)
    problems = [*run.problems, *frame_problems(run, camera)]
    written = [labels.name]
    if save_video and run.healthy:
        written.append(camera.destination.name)
        problems += run.facts(camera.stage("finish"))["notes"]
    elif camera.destination.exists() and not FINISH.done(run, camera):
        problems.append(f"{camera.destination} is of an earlier run with other settings; renew it with --save-video.")
    _tell(name, run, outside, written, problems)
    return not problems


def _refuse_another(folder: Path, name: str, video: Path) -> None:
    """Results of a recording of the same name from elsewhere are not to be replaced silently."""
    if not folder.is_dir():
        return
    store = RunStore.open(folder)
    size = store.facts(f"{name}/hash").get("size")
    if size is not None and size != video.stat().st_size:
        raise UserError(
            f"{folder.parent.parent} already holds results of another recording named {name}; choose another output "
            "folder or use --overwrite."
        )


def _refuse_strangers(plan: SessionPlan, places: list[Path], *, overwrite: bool) -> None:
    """Keep what this tool did not write; with `overwrite` its own earlier results of this recording go."""
    store, own = plan.store, []
    for place in places:
        name = os.path.relpath(place, store.root)
        if not os.path.lexists(place):
            continue
        if store.owns(name):
            own.append(place)
        elif overwrite:
            keep_aside(place)
        elif not store.wrote(name):
            raise UserError(
                f"{place} exists and is not from an earlier run; move it away, or choose another output folder "
                "(--overwrite keeps it under another name)."
            )
    if overwrite:
        start_afresh(plan, own)


def _write_labels(path: Path, run: RunContext, plan: CameraPlan) -> float:
    """Write a recording's labels from what the stages left; returns the covered share of its frames."""
    frames, judgements = load_judgements(plan)
    verdicts = plan.read(VERDICTS)
    (weights,) = run.weights_for(plan)
    providers = {run.facts(plan.stage("analyse", segment))["providers"][ROLE] for segment in plan.segments}
    labels = labels_of(
        frames,
        judgements,
        verdicts,
        settings=asdict(run.spec.endoscopy),
        hashes={
            "recording": run.facts(plan.stage("hash"))["sha256"],
            "network": weights.sha256,
            "settings": config_hash(run.spec.endoscopy),
        },
        network=", ".join(sorted(providers)),
        start_s=float(plan.shift * open_camera(plan.camera, plan.store).time_base),
    )
    _keep_labels(path, labels_text(labels), run.store, plan)
    return float(verdicts.covered.mean())


def _keep_labels(path: Path, text: str, store: RunStore, plan: CameraPlan) -> None:
    stage, name = plan.stage("labels"), os.path.relpath(path, store.root)
    fingerprint = config_hash(text)
    if store.trusted(stage, fingerprint):
        return
    made = plan.file(LABELS)
    store.begin({stage: [name, made]})
    store.write_text(made, text)
    store.finish(stage, fingerprint, files=[name], made_of=[plan.stage("place")], moved={name: made})


def _tell(name: str, run: RunContext, outside: float, written: list[str], problems: list[str]) -> None:
    facts = run.plan.facts[0]
    speed = "; ".join(
        f"{timing.stage} {timing.frames_per_s:.0f} frames/s"
        for timing in run.timings
        if timing.frames_per_s and not timing.skipped and timing.stage in ("judge", "render")
    )
    tell(
        f"{printable(name)}: {facts.n_frames} frames, {clock_time(facts.duration)}, {outside:.1%} covered as outside"
        f"{f' ({speed})' if speed else ''} -> {printable(', '.join(written))}"
    )
    for problem in problems[:SHOWN_PROBLEMS]:
        tell(f"- {printable(problem)}", problem=True)
    if len(problems) > SHOWN_PROBLEMS:
        tell(f"- ... and {len(problems) - SHOWN_PROBLEMS} more", problem=True)
