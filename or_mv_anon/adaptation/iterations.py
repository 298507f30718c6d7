"""The iterations of an adaptation: see, label, train, compare.

An iteration labels the recordings with the detector of the one before, by the anonymizer's own stages, and trains on
that from the starting network. Every step is kept when it is finished and skipped when it is asked for again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from or_mv_anon.adaptation.analysis import analyse_windows, labelling_config, site_detector
from or_mv_anon.adaptation.coco import LabelledImage, read_coco, write_coco
from or_mv_anon.adaptation.cover_trial import ReferenceHeads, reference_heads
from or_mv_anon.adaptation.decided import Decided
from or_mv_anon.adaptation.decode import decode_pictures
from or_mv_anon.adaptation.labelling import Labelling, held_out_seed
from or_mv_anon.adaptation.material import Window
from or_mv_anon.adaptation.results import CameraResults, camera_name
from or_mv_anon.adaptation.sampling import held_out_stretches
from or_mv_anon.adaptation.selection import Comparison, DetectorCurves
from or_mv_anon.adaptation.settings import AdaptationConfig
from or_mv_anon.adaptation.training import Trainings
from or_mv_anon.adaptation.work import WorkFolder
from or_mv_anon.core.budget import Budget
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.listening import tell
from or_mv_anon.core.pictures import PictureBank
from or_mv_anon.core.run_layout import GEOMETRY, STORE_FOLDER
from or_mv_anon.models.detectors.families import kind_of
from or_mv_anon.models.network_file import NetworkFile
from or_mv_anon.pipeline.spec import RunSpec
from or_mv_anon.pipeline.weights import Weights, knows_heads
from or_mv_anon.regions.sources.head import HEAD_NETWORK, KNOWS_HEADS

ANALYSIS_SHARE = 0.2  # of a limited budget that the first look may take


class Iterations:
    """One site's iterations.

    Args:
        windows: of the recordings, to be looked at.
        start: the detector to begin with.
        weights: of the networks that are not adapted.
        spec: of the anonymizer's stages.
        config: the adaptation's settings.
        work: where everything is kept.
        budget: the user's time.
        seed: of every draw.
        teacher: a stronger detector of the user's own, which labels for the first iteration; empty for none.
        reserve_s: seconds of the budget that are needed afterwards.
        decided: what reviewers decided about the recordings.
    """

    def __init__(
        self,
        windows: Sequence[Window],
        *,
        start: Path,
        weights: Sequence[Weights],
        spec: RunSpec,
        config: AdaptationConfig,
        work: WorkFolder,
        budget: Budget,
        seed: int,
        reserve_s: float,
        teacher: Sequence[Weights] = (),
        decided: Decided | None = None,
    ) -> None:
        self._decided = decided or {}
        self._windows = list(windows)
        self._teacher = list(teacher)
        self._start = start
        self._weights = weights
        self._spec = spec
        self._config = config
        self._work = work
        self._budget = budget
        self._seed = seed
        self._trainings = Trainings(
            start,
            lambda number: self.images(number)[1],
            config=config.training,
            work=work,
            budget=budget,
            reserve_s=reserve_s,
            device=spec.device,
            seed=seed,
        )
        self._cameras = {
            camera_name(window.recording.session.name, plan): plan
            for window in windows
            for plan in window.recording.cameras
        }
        self._bank: tuple[int, PictureBank] | None = None
        self._comparison: Comparison | None = None

    def detector(self, number: int) -> Path:
        """The network that an iteration ended with; 0 for the starting one."""
        return self._start if number == 0 else self._work.detector(number)

    def finish(self, number: int, *, wished: int) -> bool:
        """Do what is left of an iteration, counted from 1; False when the time does not suffice.

        Args:
            number: which one; those before it are finished.
            wished: iterations in all.

        Raises:
            UserError: nobody was found, so that there is nothing to learn from.
        """
        if not self._work.labels(number).exists():
            if not self._trainings.affords(number):
                tell("There is no time left to look at the recordings again.")
                return False
            self._label(number)
        if self._work.get("finished", str(number)) is None:
            plan = self._trainings.plan(number, wished)
            if plan.iterations == 0:
                tell("There is no time left for another training.")
                return False
            tell(f"Iteration {number}: training of {plan.steps} steps; {plan.iterations} still to make.")
            self._trainings.train(number, plan.steps)
        return True

    def images(self, number: int) -> tuple[list[LabelledImage], PictureBank]:
        """The labelled pictures that an iteration trains on."""
        images = read_coco(self._work.labels(number))
        if self._bank is None or self._bank[0] != number:
            self._bank = None  # two banks at a time would not fit into memory
            self._bank = number, decode_pictures(images, self._cameras, title=f"iteration {number}: pictures")
        return images, self._bank[1]

    @property
    def windows(self) -> list[Window]:
        """Those that were looked at."""
        known = self._work.get("windows", "looked_at") or []
        return [window for window in self._windows if window.number in known]

    def geometry(self) -> Path | None:
        """The cameras' geometry as the first iteration found it in the first window, if there is any."""
        places = [self._work.iteration(1) / STORE_FOLDER / window.name / GEOMETRY.file() for window in self.windows]
        return next((place for place in places if place.exists()), None)

    def findings(self, number: int) -> dict[int, list[CameraResults]]:
        """What the detector of the iteration before found in every window."""
        folder = self._work.iteration(number) / STORE_FOLDER
        if not self.windows:
            self._work.note("windows", {"looked_at": self._affordable_windows(number)})
        return self._analyse(number, self.windows, folder)

    def compare(self, last: int) -> list[DetectorCurves]:
        """Figures of every detector on the held-out pictures, from the starting one to that of iteration `last`."""
        curves = self.comparison(last).curves()
        return [curves[str(number)] for number in range(last + 1)]

    def comparison(self, last: int) -> Comparison:
        """The held-out pictures with the labels and detections of the iterations up to `last`.

        An iteration for whose training the time did not suffice has labels and no detector.
        """
        if self._comparison is None:
            pictures = decode_pictures(read_coco(self._work.held_out(1)), self._cameras, title="held-out pictures")
            self._comparison = Comparison(pictures, self._config.criterion, device=self._spec.device)
        for number in range(last + 1):
            path = self.detector(number)
            if str(number) not in self._comparison.names and path.exists():
                network = NetworkFile(kind_of(path), path)
                self._comparison.add_detector(str(number), network, self._spec.config.detection)
        for number in range(self._comparison.labelled + 1, max(1, last) + 1):  # the start is judged by the first labels
            self._comparison.add_labels(read_coco(self._work.held_out(number)))
        return self._comparison

    def trial_windows(self, most_s: float) -> list[Window]:
        """Windows around held-out stretches, a little longer, as tracks need time to begin and to end.

        Args:
            most_s: seconds of all together; of more, some are left out evenly, but one is always kept.
        """
        config, lead = self._config.sampling, self._config.release.lead_s
        found: list[Window] = []
        for window in self.windows:
            seed = held_out_seed(self._seed, window)
            for start, end in held_out_stretches(start=window.start, end=window.end, config=config, seed=seed):
                first, last = max(window.start, start - lead), min(window.end, end + lead)
                found.append(replace(window, number=len(found), start=first, end=last))
        seconds = sum(window.end - window.start for window in found)
        count = len(found) if seconds <= most_s else max(1, int(len(found) * most_s / seconds))
        places = np.linspace(0, len(found) - 1, count).astype(int)
        return [found[place] for place in sorted({*places.tolist()})]

    def reference_heads(self, last: int) -> dict[int, ReferenceHeads]:
        """The heads of the held-out pictures that the labels of iterations up to `last` know."""
        labelled = [read_coco(self._work.held_out(number)) for number in range(1, last + 1)]
        sizes = {
            camera_name(window.recording.session.name, plan): facts.upright_size
            for window in self.windows
            for plan, facts in zip(window.recording.cameras, window.recording.facts, strict=True)
        }
        return reference_heads(labelled, sizes, least_iou=self._config.release.same_head_iou)

    def _analyse(self, number: int, windows: Sequence[Window], folder: Path) -> dict[int, list[CameraResults]]:
        taught = number == 1 and self._teacher
        detector = self._teacher if taught else site_detector(self.detector(number - 1))
        if taught and kind_of(self._start) == KNOWS_HEADS and not knows_heads(detector):
            detector = [*detector, *site_detector(self._start, role=HEAD_NETWORK)]
        return analyse_windows(
            windows,
            folder,
            detector=detector,
            original=self._work.iteration(1) / STORE_FOLDER,
            weights=self._weights,
            spec=replace(self._spec, config=labelling_config(self._spec.config, self._config.material)),
        )

    def _affordable_windows(self, number: int) -> list[int]:
        """All windows, or as many as a limited budget allows, judged by the first one."""
        everything = [window.number for window in self._windows]
        left = self._budget.left
        if not np.isfinite(left) or len(everything) == 1:
            return everything
        started = time.monotonic()
        self._analyse(number, self._windows[:1], self._work.iteration(number) / STORE_FOLDER)
        count = int(ANALYSIS_SHARE * left / max(1e-3, time.monotonic() - started))
        if count >= len(everything):
            return everything
        kept = np.unique(np.linspace(0, len(everything) - 1, max(1, count)).astype(int))
        tell(f"The time allows looking at {len(kept)} of {len(everything)} stretches of the recordings.")
        return [everything[place] for place in kept]

    def _label(self, number: int) -> None:
        started = time.monotonic()
        findings = self.findings(number)
        config = self._config
        labelling = Labelling(
            self.windows, findings, labels=config.labels, heads=config.heads, pipeline=self._spec.config,
            sampling=config.sampling, seed=self._seed, decided=self._decided,
        )  # fmt: skip
        if labelling.people == 0:
            raise UserError(
                "Nobody was found in the recordings beyond doubt, so there is nothing to learn from; check that they "
                "show people, or look at more of them ([material] in configs/adaptation.toml)."
            )
        chosen = None if number == 1 else read_coco(self._work.held_out(1))
        write_coco(labelling.held_out_images(chosen), self._work.held_out(number))
        write_coco(labelling.training_images(number), self._work.labels(number))
        self._work.note("analysis_s", {str(number): time.monotonic() - started})
