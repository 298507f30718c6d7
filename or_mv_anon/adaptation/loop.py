"""The adaptation to a site as a whole: plan, iterate, choose the best detector, and put everything into one bundle.

The bundle is renewed after every iteration, so that there is a usable one whenever the run ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from or_mv_anon.adaptation.bundle import BundleParts, refuse_strangers, write_bundle
from or_mv_anon.adaptation.card import CardFacts, IterationFacts, write_card
from or_mv_anon.adaptation.coco import read_coco
from or_mv_anon.adaptation.decided import read_decided
from or_mv_anon.adaptation.iterations import Iterations
from or_mv_anon.adaptation.material import MINUTE, plan_recordings, plan_windows
from or_mv_anon.adaptation.options import AdaptOptions
from or_mv_anon.adaptation.postprocess import Afterwards, Extras
from or_mv_anon.adaptation.release import Release, Released, only
from or_mv_anon.adaptation.selection import DetectorCurves, best_iteration, best_trained, room_thresholds
from or_mv_anon.adaptation.settings import load_adaptation_config
from or_mv_anon.adaptation.work import RECORDINGS, WORK, WorkFolder, discard_work
from or_mv_anon.core.budget import Budget
from or_mv_anon.core.config import config_hash, load_config
from or_mv_anon.core.listening import tell
from or_mv_anon.core.lock import hold
from or_mv_anon.endoscopy.settings import load_endoscopy_config
from or_mv_anon.models.detectors.families import kind_of
from or_mv_anon.models.graphs import yolox
from or_mv_anon.models.registry import fetch, sha256
from or_mv_anon.models.runtime import require_device
from or_mv_anon.pipeline.executors import located
from or_mv_anon.pipeline.plan import refuse_recordings_folder
from or_mv_anon.pipeline.spec import RunSpec
from or_mv_anon.pipeline.weights import NetworkChoice, find_weights, own_detector, with_embedder
from or_mv_anon.regions.networks import DETECTOR
from or_mv_anon.regions.sources.head import HEAD_NETWORK
from or_mv_anon.site import describe, discover

START = "people-and-heads"
LAST_SECONDS = 30.0  # of a limited budget, for comparing and writing
AFTERWARDS_SHARE = 0.25  # of a limited budget, for the student and the pose network
TRIALS_SHARE = 0.1  # of a limited budget, for trying out what was made
MOST_TRIALS = 5  # built-in networks, detector, pose network, face detector, smaller detector
LEAST_WINDOW_S = 20.0
SHORT_WINDOW_SHARE = 0.1  # of a limited budget, for the length of a window: seeing it may take several times as long
TRIALS = "trials"  # folder of the work
UNTRIED = "Not tried out yet: whether heads are covered better with it is found out at the end."
ONE_CAMERA = "There is one camera only: what it misses, no other camera can tell it; tracking alone finds labels."


def adapt_site(options: AdaptOptions) -> int:
    """Adapt to the site in ``options.videos`` and write the bundle to ``options.out``.

    Returns:
        The exit code, 0.

    Raises:
        UserError: nothing could be learned, or a file or setting is not what it must be.
    """
    options = located(options)
    with hold(options.out):
        return SiteAdaptation(options).run()


class SiteAdaptation:
    """One run of the command."""

    def __init__(self, options: AdaptOptions) -> None:
        self._options = options
        self._budget = Budget(options.budget_minutes)
        self._config = load_adaptation_config(options.config)
        self._pipeline = load_config()
        require_device(options.device)
        site = discover(options.videos)
        for session in site.sessions:
            refuse_recordings_folder(session, options.out)
        refuse_strangers(options.out, options.out / WORK, overwrite=options.overwrite)
        if options.overwrite:
            discard_work(options.out / WORK)
        choice = NetworkChoice(weights_dir=options.weights_dir)
        found = with_embedder(find_weights(choice, {"room"}), site.sessions, choice, self._pipeline)
        self._weights = [entry for entry in found if entry.role not in (DETECTOR, HEAD_NETWORK)]
        self._start = options.start or fetch(START, weights_dir=options.weights_dir)
        yolox(self._start)  # refuses files that are no such network
        self._teacher = own_detector(options.teacher, option="--teacher") if options.teacher else []
        self._spec = spec = RunSpec(
            config=self._pipeline,
            endoscopy=load_endoscopy_config(None),
            device=options.device,
            workers=options.workers,
            executor=options.executor,
            address=options.address,
            weights_dir=options.weights_dir,
        )
        self._recordings = plan_recordings(site, options.out / WORK / RECORDINGS, spec)
        names = [plan.session.name for plan in self._recordings]
        self._decided = {} if options.corrections is None else read_decided(options.corrections, names)
        self._work = WorkFolder(options.out / WORK, made_from=self._made_from())
        windows = plan_windows(
            self._recordings, window_s=self._window_seconds(), most_s=self._config.material.most_minutes * MINUTE
        )
        share = (AFTERWARDS_SHARE + TRIALS_SHARE) * self._budget.left if options.budget_minutes else 0.0
        self._iterations = Iterations(
            windows,
            start=self._start,
            weights=self._weights,
            spec=spec,
            config=self._config,
            work=self._work,
            budget=self._budget,
            seed=options.seed,
            teacher=self._teacher,
            reserve_s=LAST_SECONDS + share,
            decided=self._decided,
        )
        self._afterwards = Afterwards(
            self._iterations,
            {entry.role: Path(entry.path) for entry in self._weights},
            config=self._config,
            pipeline=self._pipeline,
            work=self._work,
            budget=self._budget,
            device=options.device,
            seed=options.seed,
        )

    def run(self) -> int:
        """Iterate and finish; finished work is skipped."""
        for plan in self._recordings:
            tell(describe(plan.usable, plan.facts))
        if len(self._layout) == 1:
            tell(f"- {ONE_CAMERA}")
        curves, best = self._iterate()
        extras = self._extras(curves, best)
        tried = best or best_trained(curves)
        released = self._released(curves, tried, extras, preferred=best > 0)
        self._write(curves, tried if "detector" in released.roles else best, extras, released)
        tell(f"Wrote the site model to {self._options.out}; use it with --model {self._options.out}.")
        return 0

    def _iterate(self) -> tuple[list[DetectorCurves], int]:
        """Iterate until the wished number, the budget or the gain is at its end; the figures and the best one."""
        wished = self._options.iterations
        for number in range(1, wished + 1):
            if not self._iterations.finish(number, wished=wished):
                wished = number - 1
                break
            curves = self._iterations.compare(number)
            best, worthwhile = best_iteration(curves, self._config.criterion)
            if number < wished:
                self._write(curves, best, Extras(), _untried(best))
            told = ", ".join(f"{i}: {entry.criterion:.4f}" for i, entry in enumerate(curves))
            tell(f"Criterion by iteration (0 is the start): {told}. The best is {best}.")
            if not worthwhile and number < wished:
                tell("The last iteration gained nothing; no further one is made.")
                return curves, best
        curves = self._iterations.compare(wished)
        best = best_iteration(curves, self._config.criterion)[0]
        self._write(curves, best, Extras(), _untried(best))
        return curves, best

    def _extras(self, curves: Sequence[DetectorCurves], best: int) -> Extras:
        extras = Extras()
        last = max(1, len(curves) - 1)
        if self._options.student:
            self._afterwards.make_student(best, last, curves[0], extras)
        self._afterwards.refine(last, extras)
        return extras

    def _released(self, curves: Sequence[DetectorCurves], tried: int, extras: Extras, *, preferred: bool) -> Released:
        """What of all that was made covers heads better than what the tool comes with.

        A detector is tried that was trained, even if the start is better by the criterion: that sees boxes of people,
        too, and counts one that nothing confirms as nobody's. The trial sees which heads are covered and how much else;
        neither sees heads that no detector knows, so one that is not `preferred` must cover more of those that are.
        """
        last = max(1, len(curves) - 1)
        release = Release(
            self._iterations.trial_windows(self._trial_seconds()),
            self._iterations.reference_heads(last),
            self._spec,
            self._work.root / TRIALS,
            self._config.release,
            weights_dir=self._options.weights_dir,
        )
        adapted = tried > 0 or self._options.start is not None
        return release.choose(self._parts(curves, tried, extras), adapted=adapted, preferred=preferred or tried == 0)

    def _trial_seconds(self) -> float:
        """How much of the held-out time is looked at with each choice of networks: less where there is little time."""
        config, most = self._config.release, self._config.release.most_minutes * MINUTE
        analysed = self._work.get("analysis_s", "1")
        seen = sum(window.end - window.start for window in self._iterations.windows)
        if self._options.budget_minutes is None or not analysed or not seen:
            return most
        looks = self._config.material.detect_every_s / config.detect_every_s  # to one of the analysis
        share = TRIALS_SHARE * self._options.budget_minutes * MINUTE / MOST_TRIALS
        return min(most, share / (looks * analysed / seen))

    def _parts(self, curves: Sequence[DetectorCurves], best: int, extras: Extras) -> BundleParts:
        """All that was made."""
        thresholds = dict(extras.thresholds)
        if best:
            changed = room_thresholds(curves[0], curves[best], self._pipeline.tracking, self._config.thresholds)
            thresholds["detector"] = {"tracking": changed}
        files = {"detector": self._iterations.detector(best), **extras.files}
        if (geometry := self._iterations.geometry()) is not None:
            files["geometry"] = geometry
        kinds = {"detector": kind_of(files["detector"]), **extras.kinds}
        return BundleParts(files=files, kinds=kinds, thresholds=thresholds, layout=self._layout)

    def _write(self, curves: Sequence[DetectorCurves], best: int, extras: Extras, released: Released) -> None:
        """Renew the bundle and its card."""
        out = self._options.out
        parts = only(self._parts(curves, best, extras), {*released.roles, "geometry"})
        write_bundle(out, parts)
        write_card(
            out,
            CardFacts(
                iterations=[self._facts(number, entry) for number, entry in enumerate(curves)],
                chosen=best,
                scores=self._config.criterion.scores,
                held_out=len(self._iterations.comparison(len(curves) - 1).pictures),
                layout=self._layout,
                minutes=sum(window.end - window.start for window in self._iterations.windows) / MINUTE,
                thresholds=parts.thresholds,
                notes=[*([ONE_CAMERA] if len(self._layout) == 1 else []), *extras.notes, *released.notes],
            ),
        )

    def _facts(self, number: int, curves: DetectorCurves) -> IterationFacts:
        if number == 0:
            return IterationFacts(number=0, curves=curves)
        trained = self._work.get("finished", str(number))
        images = read_coco(self._work.labels(number))
        return IterationFacts(number=number, curves=curves, images=images, **trained)

    @property
    def _layout(self) -> dict[str, tuple[int, int]]:
        """Picture sizes by camera; of cameras that several sessions share, the last one's."""
        return {
            camera.camera.name: facts.upright_size
            for plan in self._recordings
            for camera, facts in zip(plan.cameras, plan.facts, strict=True)
        }

    def _window_seconds(self) -> float:
        """How long windows are: shorter where there is little time, and as they were when work is resumed."""
        known = self._work.get("windows", "seconds")
        if known is None:
            affordable = max(LEAST_WINDOW_S, SHORT_WINDOW_SHARE * self._budget.left)
            known = min(self._config.material.window_s, affordable)
            self._work.note("windows", {"seconds": known})
        return float(known)

    def _made_from(self) -> str:
        """What the work depends on: the recordings, the starting network and the settings."""
        files = [
            (camera.camera.name, camera.camera.source_name, facts.n_frames, facts.duration)
            for plan in self._recordings
            for camera, facts in zip(plan.cameras, plan.facts, strict=True)
        ]
        config = self._config
        return config_hash(
            files,
            sha256(self._start),
            [entry.sha256 for entry in self._teacher],
            self._options.seed,
            [config.material, config.labels, config.heads, config.sampling, config.training],
            self._pipeline,
            *[[name, [line.sha256 for line in lines]] for name, lines in self._decided.items()],
        )


def _untried(best: int) -> Released:
    """What a model holds before anything was tried out."""
    return Released({"detector"} if best else set(), [UNTRIED])
