"""After the iterations: a smaller detector for real time, and pose and face networks of the site.

Every one is optional, judged on held-out material, and made once: what was decided is noted in the work folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from or_mv_anon.adaptation.configuration import AdaptationConfig
from or_mv_anon.adaptation.criterion import DetectorCurves
from or_mv_anon.adaptation.distill import distill
from or_mv_anon.adaptation.iterations import Iterations
from or_mv_anon.adaptation.quantize import quantize
from or_mv_anon.adaptation.refine import Refined, Refinement
from or_mv_anon.adaptation.thresholds import room_thresholds
from or_mv_anon.adaptation.work import WorkFolder
from or_mv_anon.core.budget import Budget
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.files import explained
from or_mv_anon.models.runtime import Device
from or_mv_anon.models.site_thresholds import Thresholds

STUDENT, QUANTIZED = "student", "quantized"
LEAST_SECONDS = 60.0  # less time than this is not worth beginning with a student or a pose network
FACE_SECONDS = 180.0  # what a face detector takes at most on two cores; its training has no limit of its own


@dataclass
class Extras:
    """What is added to the bundle: networks and thresholds by role, and sentences for the card."""

    files: dict[str, Path] = field(default_factory=dict)
    thresholds: dict[str, Thresholds] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Afterwards:
    """What is made once the best iteration is known.

    Args:
        iterations: that were made.
        networks: built-in networks by role.
        config: the adaptation's settings.
        pipeline: the anonymizer's settings.
        work: where everything is kept.
        budget: the user's time.
        device: to train on.
        seed: of every draw.
    """

    def __init__(
        self,
        iterations: Iterations,
        networks: Mapping[str, Path],
        *,
        config: AdaptationConfig,
        pipeline: PipelineConfig,
        work: WorkFolder,
        budget: Budget,
        device: Device,
        seed: int,
    ) -> None:
        self._iterations = iterations
        self._networks = networks
        self._config = config
        self._pipeline = pipeline
        self._work = work
        self._budget = budget
        self._device: Device = device
        self._seed = seed

    def make_student(self, best: int, last: int, start: DetectorCurves, extras: Extras) -> None:
        """Add a smaller detector that learned from the best one.

        Args:
            best: iteration that teaches it.
            last: iteration whose labels it learns from, besides.
            start: figures of the starting detector, for the thresholds.
            extras: what is added to.
        """
        if not self._enough(LEAST_SECONDS, "a faster detector", extras):
            return
        config = self._config
        pictures = self._iterations.images(last)[1]
        folder = self._folder(STUDENT)
        student = distill(
            teacher=self._iterations.detector(best),
            labels=self._work.labels(last),
            pictures=pictures,
            out=folder,
            settings=config.student,
            device=self._device,
            seed=self._seed,
            seconds=self._budget.limit,
        )
        detection = replace(self._pipeline.detection, input_long_side=config.student.long_side)
        comparison = self._iterations.comparison(last)
        rounded = quantize(
            model=student,
            pictures=pictures,
            held_out=comparison.pictures,
            labels=self._work.held_out(last),
            out=folder / f"{QUANTIZED}.onnx",
            detection=detection,
            settings=config.quantization,
            criterion=config.criterion,
            seed=self._seed,
        )
        comparison.add_detector(STUDENT, rounded or student, detection)
        every = comparison.curves()
        curves, taught_by = every[STUDENT], every[str(best)]
        if curves.criterion < taught_by.criterion - config.criterion.most_lost_by_student:
            extras.notes.append(
                f"The student was left out: its criterion is {curves.criterion:.4f}, its teacher's "
                f"{taught_by.criterion:.4f}; more [student] steps may help."
            )
            return
        tracking = room_thresholds(start, curves, self._pipeline.tracking, config.thresholds)
        extras.files[STUDENT] = rounded or student
        extras.thresholds[STUDENT] = {"detection": {"input_long_side": config.student.long_side}, "tracking": tracking}
        kind = "8-bit" if rounded else "32-bit"
        extras.notes.append(f"student: {kind}, {config.student.long_side} px, criterion {curves.criterion:.4f}")

    def refine(self, last: int, extras: Extras) -> None:
        """Add pose and face networks that do better here than the built-in ones."""
        missing = [role for role in ("pose", "face") if self._work.get("refined", role) is None]
        if missing:
            refinement = Refinement(
                self._iterations.findings(last),
                self._folder("refined"),
                config=self._config,
                pipeline=self._pipeline,
                device=self._device,
                seed=self._seed,
            )
            if "pose" in missing and self._enough(LEAST_SECONDS, "a pose network", extras):
                self._note("pose", refinement.pose(self._networks["pose"], seconds=self._budget.limit))
            if "face" in missing and self._enough(FACE_SECONDS, "a face detector", extras):
                self._note("face", refinement.face(self._networks["face"]))
        for role in ("pose", "face"):
            if (noted := self._work.get("refined", role)) is not None:
                extras.notes.append(noted["note"])
                if noted["network"] is not None:
                    extras.files[role] = self._work.root / noted["network"]

    def _enough(self, seconds: float, what: str, extras: Extras) -> bool:
        if self._budget.left >= seconds:
            return True
        extras.notes.append(f"No time was left for {what} of this site.")
        return False

    def _note(self, role: str, refined: Refined) -> None:
        network = None if refined.network is None else str(refined.network.relative_to(self._work.root))
        self._work.note("refined", {role: {"network": network, "note": refined.note}})

    def _folder(self, name: str) -> Path:
        folder = self._work.root / name
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
        return folder
