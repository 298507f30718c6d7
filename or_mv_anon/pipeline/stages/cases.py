"""What a person should look at: the doubts of all cameras of a session, grouped into cases and ranked."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from or_mv_anon.association.build import common_instants
from or_mv_anon.association.open_places import covered_heads, open_places
from or_mv_anon.association.stored_geometry import parse_geometry
from or_mv_anon.audit.cases import cases_json
from or_mv_anon.audit.cover_ends import cover_ends
from or_mv_anon.audit.evidence import CameraEvidence, Doubt
from or_mv_anon.audit.grouping import group_doubts
from or_mv_anon.audit.intervals import RiskInterval
from or_mv_anon.audit.open_candidates import open_candidates
from or_mv_anon.audit.told_risks import told_risks
from or_mv_anon.audit.whole_looks import whole_looks
from or_mv_anon.core.config import RiskConfig, config_hash
from or_mv_anon.core.run_layout import (
    CAMERA_AUDIT,
    CASES,
    FACES,
    FRAMES,
    GEOMETRY,
    HEADS,
    PERSONS,
    REGIONS,
    STATIC_HEADS,
)
from or_mv_anon.core.store import RunStore
from or_mv_anon.core.workers import count_frames
from or_mv_anon.corrections.log import Line
from or_mv_anon.corrections.persons import Persons, told_persons
from or_mv_anon.pipeline.artifacts import read_joined, session_offset, session_seconds
from or_mv_anon.pipeline.colourless import is_colourless
from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.corrected import persons_of
from or_mv_anon.pipeline.media import CameraPlan, open_camera, reached_by_damage
from or_mv_anon.pipeline.stage import ALL_CAMERAS, Stage, Task
from or_mv_anon.pipeline.stages.associate import ASSOCIATE
from or_mv_anon.pipeline.stages.place import Followed, read_camera_audit
from or_mv_anon.pipeline.stages.track import TRACK, analysed

RULES = 5  # of what is doubted and how it is ranked; a change makes the lists of earlier runs anew


@dataclass(frozen=True)
class CasesJob:
    """Look for doubts in a session.

    Attributes:
        plans: of the cameras in which regions were placed.
        associated: those whose people were compared with other cameras', by name.
        config: what is a risk.
        corrections: what reviewers decided about who is who.
        instant_s: seconds between the instants at which cameras were compared.
        colourless: cameras in whose pictures the networks are not to be trusted, by name.
    """

    plans: tuple[CameraPlan, ...]
    associated: frozenset[str]
    config: RiskConfig
    instant_s: float
    corrections: tuple[Line, ...] = ()
    colourless: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Found:
    """What a `CasesJob` reports; the list goes to the store.

    Attributes:
        seconds: of work.
        cases: in the list.
        unheeded: sentences about corrections that could not be taken as they were meant.
    """

    seconds: float
    cases: int
    unheeded: list[str] = field(default_factory=list)


def find_cases(job: CasesJob) -> Found:
    """Gather the doubts of all cameras and store them as cases."""
    started = time.perf_counter()
    store = RunStore(job.plans[0].store)
    doubts: list[Doubt] = []
    recorded = 0.0
    persons = persons_of(job.plans, job.associated, job.corrections)
    for plan in job.plans:
        evidence = read_evidence(plan, persons, associated=plan.camera.name in job.associated)
        recorded += evidence.clock.duration_s
        doubts += camera_doubts(evidence, read_camera_audit(store, plan)[1], job, room=plan.camera.kind == "room")
        count_frames(len(plan) // 2)
    doubts += cross_view_doubts(store, job, persons)
    cases = group_doubts(doubts, recorded_s=recorded)
    store.write_text(CASES.file(), cases_json(cases))
    count_frames(sum(len(plan) - len(plan) // 2 for plan in job.plans))
    return Found(time.perf_counter() - started, len(cases), list(persons.unheeded))


def camera_doubts(
    evidence: CameraEvidence, risks: Sequence[RiskInterval], job: CasesJob, *, room: bool
) -> Iterator[Doubt]:
    """What is in doubt in one camera by itself."""
    yield from told_risks(evidence, risks)
    if room:
        yield from cover_ends(evidence, border_px=job.config.border_px)
        yield from open_candidates(evidence)
    if evidence.name in job.colourless:
        yield from whole_looks(evidence)


def cross_view_doubts(store: RunStore, job: CasesJob, persons: Persons) -> Iterator[Doubt]:
    """Heads that other cameras place where nothing covers them; it takes two of them to place a head in a third."""
    plans = [plan for plan in job.plans if plan.camera.name in job.associated]
    if len(plans) < 3:
        return
    times = [session_seconds(plan, read_joined(plan, FRAMES)) for plan in plans]
    instants = common_instants(times, step_s=job.instant_s)
    geometry = parse_geometry(store.read_json(GEOMETRY.file()))
    sightings = {
        plan.camera.name: covered_heads(read_evidence(plan, persons, associated=True), instants) for plan in plans
    }
    for plan in plans:  # read again: all recordings at once would not fit into memory
        yield from open_places(read_evidence(plan, persons, associated=True), sightings, geometry, instants)


def read_evidence(plan: CameraPlan, persons: Persons, *, associated: bool) -> CameraEvidence:
    """What the stages left of one camera, with `persons` in place of the run's own where reviewers decided any."""
    evidence = CameraEvidence(
        name=plan.camera.name,
        size=open_camera(plan.camera, plan.store).upright_size,
        frames=reached_by_damage(plan, read_joined(plan, FRAMES)),
        offset=session_offset(plan),
        regions=read_joined(plan, REGIONS),
    )
    if plan.camera.kind != "room":
        return evidence
    followed = Followed.read(plan, associated=associated)
    return replace(
        evidence,
        tracks=followed.tracks,
        heads=followed.faces,
        identities=persons.of_camera(plan.camera.name, followed.identities) if persons.told else followed.identities,
        persons=read_joined(plan, PERSONS),
        candidates=read_joined(plan, STATIC_HEADS),
        upright=read_joined(plan, HEADS),
        faces=read_joined(plan, FACES),
        disagreements=followed.disagreements,
    )


class CasesStage(Stage):
    """Lists what a person should look at."""

    name = "cases"
    scope = "session"
    costs = "nothing"
    run = staticmethod(find_cases)
    reads = (FRAMES, REGIONS, CAMERA_AUDIT)  # of room cameras also what was found in them
    writes = (CASES,)

    def tasks(self, context: RunContext) -> list[Task]:
        """One for the session."""
        plans = tuple(plan for plan in context.healthy if context.is_current(plan.stage("place")))
        if not plans:
            return []
        associated = frozenset(
            plan.camera.name for plan in plans if context.facts(plan.stage("place")).get("associated")
        )
        config = context.spec.config.risk
        colourless = frozenset(plan.camera.name for plan in plans if is_colourless(context, plan))
        placed = [plan.stage("place") for plan in plans]
        corrections = tuple(told_persons(context.corrections))
        key = config_hash(
            RULES,
            [(plan.camera.name, plan.camera.offset, context.store.fingerprint(plan.stage("place"))) for plan in plans],
            config,
            sorted(colourless),
            *([[line.sha256 for line in corrections]] if corrections else []),
        )
        made_of = [*placed, *([ASSOCIATE.name] if associated else [])]
        for plan in plans:
            made_of += TRACK.followed(plan) if plan.camera.kind == "room" else analysed(plan)
        job = CasesJob(plans, associated, config, context.spec.config.association.instant_s, corrections, colourless)
        facts = {"corrections": [line.id for line in corrections]}
        return [Task(self.name, key, [CASES.file()], job, ALL_CAMERAS, sum(map(len, plans)), facts, made_of)]

    def failed(self, camera: str, text: str) -> str:
        """The sentence about a failure."""
        return f"There is no list of what to review first, because making it failed; look at everything. {text}"


LIST_CASES = CasesStage()
