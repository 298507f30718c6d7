"""One session's run as its stages see it: what is asked, what is planned, what is known so far, and what failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from or_mv_anon.audit.document import StageTiming
from or_mv_anon.core.config import config_hash
from or_mv_anon.core.records import SCHEMA_VERSION
from or_mv_anon.core.store import RunStore
from or_mv_anon.core.workers import available_cores, default_workers
from or_mv_anon.corrections.log import Line, read, standing
from or_mv_anon.corrections.persons import about_camera
from or_mv_anon.endoscopy.classifier import ROLE
from or_mv_anon.pipeline.media import CameraPlan
from or_mv_anon.pipeline.plan import SessionPlan
from or_mv_anon.pipeline.spec import RunSpec
from or_mv_anon.pipeline.weights import Weights, weights_for_session
from or_mv_anon.site import Kind

if TYPE_CHECKING:
    from or_mv_anon.pipeline.stage import Stage

Profiles = Mapping[Kind, Sequence["Stage"]]


class RunContext:
    """What the stages of one session share.

    Args:
        plan: of the session.
        spec: of the run.
        profiles: the stages that a camera of each kind goes through.
    """

    def __init__(self, plan: SessionPlan, spec: RunSpec, profiles: Profiles) -> None:
        self.plan = plan
        self.spec = spec
        self.profiles = profiles
        self.weights = weights_for_session(spec.weights, plan.session)
        self.problems = list(plan.problems)
        self.timings: list[StageTiming] = []
        self.workers = spec.workers or default_workers(len(plan.cameras))
        self.threads = 1 if spec.executor == "ray" else max(1, available_cores() // self.workers)
        self.corrections = standing(read(plan.out))
        self.failed: set[str] = set()
        self.current: set[str] = set()

    @property
    def store(self) -> RunStore:
        """The run folder."""
        return self.plan.store

    @property
    def healthy(self) -> list[CameraPlan]:
        """The cameras in which nothing has failed so far."""
        return [plan for plan in self.plan.cameras if plan.camera.name not in self.failed]

    def cameras(self, stage: Stage) -> list[CameraPlan]:
        """The healthy cameras that go through a stage."""
        return [plan for plan in self.healthy if stage in self.profiles[plan.camera.kind]]

    def facts(self, stage: str) -> dict[str, Any]:
        """What the stage noted in this run or an earlier one."""
        return self.store.facts(stage)

    def is_current(self, stage: str) -> bool:
        """Whether what `stage` noted is about this run's result, and not about one with other settings."""
        return stage in self.current

    def missing(self, plan: CameraPlan, stage: str = "render") -> tuple[int, ...]:
        """Timestamps of a camera's frames that `stage` could not decode; the analysis does not look at all frames."""
        parts = [self.facts(plan.stage(stage, segment)).get("missing", []) for segment in plan.segments]
        return tuple(sorted({pts for part in parts for pts in part}))

    def recording(self, plan: CameraPlan) -> str:
        """What the regions belong to: this very file, cut in this very way."""
        digest = self.facts(plan.stage("hash"))["sha256"]
        cut = [(segment.first, segment.stop) for segment in plan.segments]
        index = self.store.fingerprint(plan.stage("index"))
        return config_hash(SCHEMA_VERSION, digest, index, cut, plan.shift, plan.camera.fps)

    def corrections_of(self, plan: CameraPlan) -> tuple[Line, ...]:
        """What reviewers decided about what is covered in a camera, oldest first, without what they withdrew.

        What they drew elsewhere for all cameras is part of it, see `about_camera`.
        """
        return about_camera(self.corrections, plan.camera.name)

    def weights_for(self, plan: CameraPlan) -> list[Weights]:
        """The weights of the networks that look at a camera."""
        scoped = plan.camera.kind == "endoscope"
        return [weights for weights in self.weights if (weights.role == ROLE) == scoped]

    def note(self, sentence: str) -> None:
        """Keep a sentence for the report, once."""
        if sentence not in self.problems:
            self.problems.append(sentence)
