"""One iteration's training: how many steps fit into the time, and what is trained on what."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from or_mv_anon.adaptation.settings import TrainingConfig
from or_mv_anon.adaptation.work import WorkFolder
from or_mv_anon.core.budget import Budget, IterationPlan, affords_iteration, plan_iterations
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.pictures import PictureBank
from or_mv_anon.core.resources import resource
from or_mv_anon.models.detectors.families import kind_of
from or_mv_anon.models.runtime import Device
from or_mv_anon.openmmlab.detector_training import train_detector
from or_mv_anon.openmmlab.training_job import DetectorTraining
from or_mv_anon.regions.sources.head import KNOWS_HEADS

PROBE_STEPS = 4  # of a training that only measures the speed


class Trainings:
    """The trainings of an adaptation.

    Args:
        start: the detector to begin with, who is the teacher, too.
        pictures: gives the pictures that an iteration trains on.
        config: settings.
        work: where everything is kept.
        budget: the user's time.
        reserve_s: seconds of it that are needed afterwards.
        device: to train on.
        seed: of every draw.
    """

    def __init__(
        self,
        start: Path,
        pictures: Callable[[int], PictureBank],
        *,
        config: TrainingConfig,
        work: WorkFolder,
        budget: Budget,
        reserve_s: float,
        device: Device,
        seed: int,
    ) -> None:
        self._start = start
        self._pictures = pictures
        self._config = config
        self._work = work
        self._budget = budget
        self._reserve_s = reserve_s
        self._device: Device = device
        self._seed = seed

    def affords(self, number: int) -> bool:
        """Whether there is time to label and train once more, going by the iteration before `number`."""
        before = self._work.get("finished", str(number - 1))
        if before is None:
            return True
        return affords_iteration(
            self._budget.left - self._reserve_s,
            analysis_s=self._work.get("analysis_s", str(number - 1)) or 0.0,
            step_s=float(before["seconds"]) / max(1, before["steps"]),
            least_steps=min(self._config.least_steps, self._config.steps),
        )

    def plan(self, number: int, wished: int) -> IterationPlan:
        """Iterations from `number` on, of `wished` in all, and their steps; what was planned once stays."""
        left = wished - number + 1
        planned = self._work.get("planned_steps", str(number))
        if planned is not None:
            return IterationPlan(left, planned)
        plan = plan_iterations(
            self._budget.left - self._reserve_s,
            left,
            analysis_s=self._work.get("analysis_s", str(number)) or 0.0,
            step_s=self._step_seconds(number),
            steps=self._config.steps,
            least_steps=self._config.least_steps,
        )
        if plan.iterations:
            self._work.note("planned_steps", {str(number): plan.steps})
        return plan

    def train(self, number: int, steps: int) -> None:
        """Train the detector of an iteration, or go on with it.

        Raises:
            UserError: the configured network is none that the anonymizer can run, or the training failed.
        """
        trained = train_detector(self._job(number, steps, self._work.iteration(number) / "training"))
        if trained.onnx is None:
            raise UserError(
                "The configuration that [training] names gives no network that the anonymizer can run; choose one of "
                "the YOLOX in configs/detector/."
            )
        shutil.copyfile(trained.onnx, self._work.detector(number))
        self._work.note("finished", {str(number): {"steps": trained.steps, "seconds": trained.seconds}})

    def _step_seconds(self, number: int) -> float:
        """Seconds of a training step, as an earlier iteration or a short trial took."""
        if not np.isfinite(self._budget.left):
            return 0.0
        before = self._work.get("finished", str(number - 1))
        if before is not None:
            return float(before["seconds"]) / max(1, before["steps"])
        if self._budget.left <= self._reserve_s:
            return np.inf
        folder = self._work.root / "trial"
        shutil.rmtree(folder, ignore_errors=True)
        trained = train_detector(self._job(number, PROBE_STEPS, folder))
        shutil.rmtree(folder, ignore_errors=True)
        return trained.seconds / max(1, trained.steps)

    def _job(self, number: int, steps: int, out: Path) -> DetectorTraining:
        config, limit = self._config, self._budget.limit
        before = self._work.detector(number - 1) if number > 1 else self._start
        network = config.network_with_heads if kind_of(self._start) == KNOWS_HEADS else config.network
        return DetectorTraining(
            config=resource("configs") / network,
            start=before if config.continue_training else self._start,
            labels=self._work.labels(number),
            pictures=self._pictures(number),
            out=out,
            steps=steps,
            batch=config.batch,
            long_side=config.long_side,
            learning_rate=config.learning_rate,
            seed=self._seed + number,
            device=self._device,
            seconds=None if limit is None else max(1.0, limit - self._reserve_s),
            teacher=self._start,
            teacher_weight=config.teacher_weight,
            frozen_stages=config.frozen_stages,
        )
