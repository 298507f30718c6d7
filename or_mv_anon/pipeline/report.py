"""Collects what a session's stages noted, in this run and earlier ones, into the audit."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from or_mv_anon import __version__
from or_mv_anon.audit.association import AssociationAudit
from or_mv_anon.audit.attack import AttackAudit
from or_mv_anon.audit.cases import Case, read_cases
from or_mv_anon.audit.document import Audit, CameraAudit, InputVideo, ModelUsed, OutputVideo, verdict
from or_mv_anon.audit.learned import DrawnHeads, LearnedAudit
from or_mv_anon.audit.report import write_audit
from or_mv_anon.audit.timecode import span_of_time
from or_mv_anon.audit.versions import library_versions
from or_mv_anon.core.listening import tell
from or_mv_anon.core.printable import printable
from or_mv_anon.core.run_layout import AUDIT_RECORD, CASES, REPORT_PAGE
from or_mv_anon.core.store import RunStore
from or_mv_anon.operators.drawn.modifier_model import ROLE
from or_mv_anon.pipeline.alarms import find_alarms
from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.corrected import followed_for, strangers_to, taken_in
from or_mv_anon.pipeline.media import CameraPlan
from or_mv_anon.pipeline.stages.associate import ASSOCIATE
from or_mv_anon.pipeline.stages.attack import ATTACK
from or_mv_anon.pipeline.stages.cases import LIST_CASES
from or_mv_anon.pipeline.stages.finish import FINISH
from or_mv_anon.pipeline.stages.place import read_camera_audit
from or_mv_anon.site import StreamFacts

ONE_BY_ONE = "Cameras were treated one by one, because fewer than two could be compared or comparing them failed."
SHOWN_PROBLEMS = 5  # on the terminal; all are in the audit


def write_session_audit(run: RunContext) -> Audit:
    """Write `audit.json` and `report.html` of a session and tell how it went.

    Raises:
        UserError: they cannot be written.
    """
    audit = _audit(run)
    report = run.plan.out / REPORT_PAGE
    write_audit(run.plan.out / AUDIT_RECORD, report, audit, write=partial(keep_output, run.plan.store))
    judged = verdict(audit)
    for alarm in audit.alarms:
        tell(f"warning: {printable(alarm)}", problem=True)
    tell(printable(judged.sentence), problem=not judged.well and not audit.alarms)
    for problem in audit.problems[:SHOWN_PROBLEMS]:
        tell(f"- {printable(problem)}", problem=not judged.well)
    if len(audit.problems) > SHOWN_PROBLEMS:
        more = len(audit.problems) - SHOWN_PROBLEMS
        tell(f"- ... and {more} more, all in the report", problem=not judged.well)
    for timing in audit.timings:
        if timing.frames_per_s:
            kept = " (kept from an earlier run)" if timing.skipped else ""
            tell(f"  {timing.stage:9} {timing.frames_per_s:8.1f} frames/s, {timing.seconds:.1f} s{kept}")
    if audit.cases:
        minutes = span_of_time(sum(case.review_s for case in audit.cases))
        tell(f"  to review: {len(audit.cases)} cases, {minutes} in all, the most urgent first in the report")
    for sentence in _findings(audit):
        tell(f"  {printable(sentence)}")
    for engine in sorted({model.provider for model in audit.models if model.provider}):
        tell(f"  networks ran on {engine}")
    tell(f"Videos: {printable(run.plan.out)}\nReport: {printable(report)}")
    return audit


def keep_output(store: RunStore, path: Path, data: bytes) -> None:
    """Write a result beside the videos; what somebody else put in its place is kept, and told.

    Raises:
        UserError: it cannot be written.
    """
    kept = store.write_output(os.path.relpath(path, store.root), data)
    store.save()
    if kept is not None:
        tell(f"- {printable(path)} was not what this tool wrote; it is kept as {printable(kept)}.")


def _findings(audit: Audit) -> list[str]:
    drawn = [] if audit.learned is None else [audit.learned.sentence]
    return drawn + ([] if audit.attack is None else list(audit.attack.sentences))


def _audit(run: RunContext) -> Audit:
    known = zip(run.plan.cameras, run.plan.facts, strict=True)
    placed = [(plan, facts) for plan, facts in known if run.is_current(plan.stage("place"))]
    problems = [*run.problems, *strangers_to(run)]
    if run.is_current(LIST_CASES.name):
        problems += run.facts(LIST_CASES.name).get("unheeded", [])
    for plan, _ in placed:
        problems += frame_problems(run, plan)
    cameras = tuple(_camera(run, plan, facts) for plan, facts in placed)
    return Audit(
        session=run.plan.session.name,
        tool_version=__version__,
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
        settings=_settings(run),
        options={name: _plain(value) for name, value in dict(run.spec.asked).items()},
        inputs=tuple(
            _input(run, plan, facts)
            for plan, facts in zip(run.plan.cameras, run.plan.facts, strict=True)
            if run.facts(plan.stage("hash"))
        ),
        outputs=tuple(
            _output(run, plan, facts)
            for plan, facts in zip(run.plan.cameras, run.plan.facts, strict=True)
            if FINISH.done(run, plan)
        ),
        models=_models(run),
        versions=library_versions(),
        timings=tuple(run.timings),
        cameras=cameras,
        alarms=tuple(find_alarms(run, cameras)),
        problems=tuple(_without_folders(run, problem) for problem in problems),
        notes=tuple(_without_folders(run, note) for note in [*run.plan.session.notes, *run.plan.notes, *taken_in(run)]),
        association=_association(run),
        learned=_learned(run),
        attack=_attack(run),
        cases=_cases(run),
    )


def _settings(run: RunContext) -> dict[str, Any]:
    settings = asdict(run.spec.config)
    if any(plan.camera.kind == "endoscope" for plan in run.plan.cameras):
        settings |= {f"endoscopy.{section}": values for section, values in asdict(run.spec.endoscopy).items()}
    return settings


def _association(run: RunContext) -> AssociationAudit | None:
    rooms = [plan for plan in run.plan.cameras if plan.camera.kind == "room"]
    if len(rooms) < 2:
        return None
    if any(run.is_current(plan.stage("place")) and run.facts(plan.stage("place")).get("associated") for plan in rooms):
        return AssociationAudit.from_facts(run.facts(ASSOCIATE.name)["association"])
    return AssociationAudit(notes=(ONE_BY_ONE,))


def _learned(run: RunContext) -> LearnedAudit | None:
    if run.spec.learned is None:
        return None
    cameras = []
    for plan in run.plan.cameras:
        if plan.camera.kind == "room" and FINISH.done(run, plan):
            outcomes = Counter[str]()
            for segment in plan.segments:
                outcomes.update(run.facts(plan.stage("render", segment))["result"]["outcomes"])
            cameras.append(DrawnHeads(camera=plan.camera.name, outcomes=dict(outcomes)))
    return LearnedAudit(
        modifier=run.spec.learned.weights[0].name,
        sees=run.spec.learned.facts.sees,
        cells=min(run.spec.learned.facts.cells, run.spec.config.operators.cells),
        codes=run.spec.learned.facts.codes,
        strict=run.spec.operator,
        cameras=tuple(cameras),
    )


def _attack(run: RunContext) -> AttackAudit | None:
    """What this run's attack found, or an earlier run's on this very output."""
    if not run.is_current(ATTACK.name):
        return None
    return AttackAudit.from_facts(run.facts(ATTACK.name)["result"])


def _cases(run: RunContext) -> tuple[Case, ...] | None:
    """What to review, as this run or, where it only renders again, the one before listed it."""
    noted = run.store.manifest.noted(CASES.file()) is not None
    return tuple(read_cases(run.store)) if noted else None


def frame_problems(run: RunContext, plan: CameraPlan) -> list[str]:
    """Sentences about a camera's frames that could not be treated like the others."""
    name = plan.camera.name
    problems: list[str] = []
    damaged = 0
    for segment in plan.segments:
        problems += run.facts(plan.stage("analyse", segment)).get("problems", [])
        rendering = plan.stage("render", segment)
        if run.is_current(rendering) or FINISH.done(run, plan):
            result = run.facts(rendering).get("result", {})
            problems += result.get("problems", [])
            damaged += len(result.get("damaged", []))
    if run.is_current(plan.stage("place")):
        problems += run.facts(plan.stage("place")).get("unheeded", [])
        for stage in followed_for(run, plan):
            problems += run.facts(stage).get("told", [])
        # The analysis looks more closely than rendering does.
        damaged = max(damaged, read_camera_audit(run.plan.store, plan)[0].corrupt_frames)
    if damaged:
        problems.append(f"{damaged} frames are damaged in the recording and covered whole.")
    problems = [f"{name}: {text}" for text in problems]
    if FINISH.done(run, plan):
        problems += [f"{name}: {sentence}" for sentence in run.facts(plan.stage("finish")).get("left_out", [])]
    if missing := run.missing(plan):
        problems.append(f"{name}: {len(missing)} frames could not be decoded and are not in the output.")
    return problems


def _input(run: RunContext, plan: CameraPlan, facts: StreamFacts) -> InputVideo:
    hashed = run.facts(plan.stage("hash"))
    return InputVideo(
        camera=plan.camera.name,
        name=plan.camera.source_name,
        sha256=hashed["sha256"],
        bytes=hashed["size"],
        frames=facts.n_frames,
        duration_s=facts.duration,
        width=facts.upright_size[0],
        height=facts.upright_size[1],
        codec=facts.codec,
        rotation=getattr(facts, "rotation", 0),
    )


def _output(run: RunContext, plan: CameraPlan, facts: StreamFacts) -> OutputVideo:
    done = run.facts(plan.stage("finish"))
    seal = run.store.files(plan.stage("finish"))[plan.output]
    parts = [run.facts(plan.stage("render", segment))["result"] for segment in plan.segments]
    frames, regions = sum(part["frames"] for part in parts), sum(part["regions"] for part in parts)
    notes = [*facts.notes, *([] if plan.encoding is None or plan.encoding.note is None else [plan.encoding.note])]
    return OutputVideo(
        camera=plan.camera.name,
        name=plan.destination.name,
        sha256=seal.sha256,
        bytes=seal.size,
        codec=plan.destination.suffix if plan.encoding is None else plan.encoding.codec,
        encoder="pictures" if plan.encoding is None else plan.encoding.encoder,
        verified=run.spec.method != "none",
        verification=f"{frames} frames decode, every timestamp is the input's, {_compared(run, regions)}.",
        notes=tuple([*notes, *done["notes"]]),
    )


def _compared(run: RunContext, regions: int) -> str:
    if run.spec.method == "none":
        return "nothing was covered"
    return f"{regions} covered regions were compared with what was drawn"


def _models(run: RunContext) -> tuple[ModelUsed, ...]:
    """The networks whose findings the outputs rest on, be they of this run or of an earlier one."""
    used: dict[tuple[str, str], ModelUsed] = {}
    for plan in (each for each in run.plan.cameras if run.is_current(each.stage("place"))):
        for weights in run.facts(plan.stage("place")).get("weights", []):
            analysed = [run.facts(plan.stage("analyse", segment)) for segment in plan.segments]
            providers = {facts["providers"].get(weights["role"], "") for facts in analysed}
            used[weights["role"], weights["sha256"]] = ModelUsed(
                role=weights["role"],
                name=weights["name"],
                sha256=weights["sha256"],
                licence=weights["licence"],
                provider=", ".join(sorted(providers)),
                precision=run.spec.precision,
            )
    for weights in run.spec.learned.weights if run.spec.learned is not None else ():
        draws = weights.role == ROLE
        used[weights.role, weights.sha256] = ModelUsed(
            role=weights.role,
            name=weights.name,
            sha256=weights.sha256,
            licence=weights.licence,
            provider=_drew(run) if draws else "",
            precision=run.spec.precision if draws else "f32",
        )
    return tuple(used.values())


def _drew(run: RunContext) -> str:
    """The engines that the modifier ran on."""
    rendered = [run.facts(plan.stage("render", segment)) for plan in run.plan.cameras for segment in plan.segments]
    return ", ".join(sorted({facts.get("provider", "") for facts in rendered} - {""}))


def _camera(run: RunContext, plan: CameraPlan, facts: StreamFacts) -> CameraAudit:
    summary, risks = read_camera_audit(run.store, plan)
    return CameraAudit(
        camera=plan.camera.name,
        offset_s=plan.camera.offset,
        start_s=plan.camera.offset + facts.start_time,
        duration_s=facts.duration,
        summary=summary,
        risks=risks,
    )


def _without_folders(run: RunContext, sentence: str) -> str:
    folders = {folder for camera in run.plan.session.cameras for folder in camera.source.parents if folder.name}
    for folder in sorted(folders, key=lambda folder: len(folder.parts), reverse=True):
        sentence = sentence.replace(f"{folder}/", "").replace(f"{folder}:", f"{folder.name}:")
    return sentence.replace(f"{run.plan.out}/", "")


def _plain(value: Any) -> Any:
    """Only the last part of paths: the folders above may name patients or people."""
    if isinstance(value, Path):
        return value.name
    return [_plain(item) for item in value] if isinstance(value, Sequence) and not isinstance(value, str) else value
