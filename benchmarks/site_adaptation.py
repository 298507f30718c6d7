"""What each step of the method gains on simulated sites: detection, tracking, association, transfer, adaptation.

For every seed a site is simulated, then judged against its exact ground truth, row by row:
  off-the-shelf detections at 0.5 and at 0.1; with tracking; with cross-view association by appearance, by epipolar
  geometry, by synchrony and by all of them; with transfer; then the same with the detector of every iteration of
  tools/adapt_site.py, with one that was plainly self-trained on detections of at least 0.6, with one that its own
  running average taught (mean teacher), and with the student.
Person figures are about boxes at IoU 0.5. Faces in these rows are covered by the person path alone; the last rows are
the whole anonymizer with its face detector, before and after. Also told: how right the pseudo-labels are by where they
come from, and how the label-free criterion ranks the iterations.

Everything is kept in --work; the same command goes on where it was stopped. Needs `make setup-sim setup-adapt`.

Example, one to two hours on two cores:
  python benchmarks/site_adaptation.py --work /tmp/adaptation --out site_adaptation.json
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.adaptation_pays import adapt, exposed
from benchmarks.adaptation_rows import People, cameras_of, detected, measure, recovered, tracked
from benchmarks.adaptation_tables import markdown
from benchmarks.mean_teacher import mean_teacher
from benchmarks.pseudo_labels import judge_labels
from benchmarks.simulated_sites import simulate
from or_mv_anon.adaptation.coco import LabelledImage, read_coco, write_coco
from or_mv_anon.adaptation.decode import decode_pictures
from or_mv_anon.adaptation.loop import START
from or_mv_anon.adaptation.pseudo_labels import PseudoLabels
from or_mv_anon.adaptation.settings import load_adaptation_config
from or_mv_anon.core.config import PipelineConfig, load_config
from or_mv_anon.core.pictures import PictureBank
from or_mv_anon.core.records import Provenance
from or_mv_anon.core.resources import resource
from or_mv_anon.core.truth import Truth, load_truth
from or_mv_anon.endoscopy.settings import load_endoscopy_config
from or_mv_anon.evaluation.run_directory import CameraRun
from or_mv_anon.models.detectors.families import kind_of
from or_mv_anon.models.registry import fetch, sha256
from or_mv_anon.openmmlab.detector_training import train_detector
from or_mv_anon.openmmlab.training_job import DetectorTraining
from or_mv_anon.pipeline.plan import plan_session
from or_mv_anon.pipeline.profiles import new_context, run_session
from or_mv_anon.pipeline.spec import RunSpec
from or_mv_anon.pipeline.weights import NetworkChoice, Weights, find_weights
from or_mv_anon.site import discover

LEARNED = ("synchrony", "all")  # ways that train a network on the session first
SELF_TRAINING_SCORE = 0.6
SELF_TRAINED, MEAN_TEACHER = "self-training at 0.6", "mean teacher"  # rows of the detector alone
POSE_S = 0.4  # between poses in the rows about people
NEVER_S = 1e6
WAYS = {  # of association: which evidence counts
    "appearance": {"use_appearance": True, "use_epipolar": False, "use_synchrony": False},
    "synchrony": {"use_appearance": False, "use_epipolar": False, "use_synchrony": True},
    "epipolar": {"use_appearance": False, "use_epipolar": True, "use_synchrony": False},
    "appearance and epipolar": {"use_appearance": True, "use_epipolar": True, "use_synchrony": False},
    "all": {"use_appearance": True, "use_epipolar": True, "use_synchrony": True},
}


@dataclasses.dataclass(frozen=True)
class Bench:
    """One site: where it lies, what is true of it, and how it is looked at."""

    folder: Path
    truth: Truth
    workers: int

    @property
    def recording(self) -> Path:
        """The videos."""
        return self.folder / "recording"

    def config(self, **association: bool) -> PipelineConfig:
        """The shipped settings, but for fewer poses and neither faces nor still heads: rows are about people."""
        overrides: dict[str, dict[str, Any]] = {
            "pose": {"interval_s": POSE_S},
            "face": {"interval_s": NEVER_S},
            "static_heads": {"interval_s": 0.0},
        }
        return load_config(None, overrides | ({"association": association} if association else {}))

    def look(self, name: str, detector: Path, config: PipelineConfig) -> Path:
        """The stages without rendering, with `detector`; what was done before is kept. Returns their folder."""
        out = self.folder / "looks" / name
        own = Weights("detector", detector.stem, str(detector), sha256(detector), "", kind_of(detector))
        weights = [own, *(entry for entry in find_weights(NetworkChoice(), {"room"}) if entry.role != "detector")]
        session = discover(self.recording).sessions[0]
        spec = specified(config, weights, self.workers)
        run = new_context(plan_session(session, out, spec), spec)
        run_session(run, render=False)
        if run.problems:
            raise SystemExit("; ".join(run.problems))
        return run.store.root

    def keep(self, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The figures of a row, measured once and kept."""
        path = self.folder / "rows.json"
        rows = json.loads(path.read_text()) if path.exists() else {}
        if name not in rows:
            rows[name] = make()
            path.write_text(json.dumps(rows, indent=1))
            print(f"{name}: {rows[name]}", flush=True)
        return rows[name]

    def row(self, stages: Path, config: PipelineConfig, people: Callable[[str, CameraRun], People]) -> dict[str, Any]:
        """One row of the table."""
        runs = cameras_of(stages, self.truth)
        return measure(self.truth, runs, {name: people(name, run) for name, run in runs.items()}, config)


def off_the_shelf(bench: Bench) -> None:
    """The rows before any training, without the slow ones."""
    start, config = fetch(START), bench.config()
    for score in (0.5, 0.1):
        bench.keep(
            f"off the shelf, {score}",
            lambda score=score: bench.row(
                bench.look("start", start, config), config, lambda _, run: detected(run, score=score)
            ),
        )
    bench.keep("+ tracking", lambda: bench.row(bench.look("start", start, config), config, lambda _, run: tracked(run)))
    for way in WAYS:
        if way not in LEARNED:
            associated(bench, way)
    bench.keep("+ transfer", lambda: everything(bench, bench.look("start", start, config), config))


def associated(bench: Bench, way: str) -> None:
    """The row of one way to associate."""

    def make() -> dict[str, Any]:
        config = bench.config(**WAYS[way])
        stages = bench.look("start", fetch(START), config)
        row = bench.row(stages, config, lambda name, run: recovered(stages, name, transfer=False))
        return row | association(stages)

    bench.keep(f"+ association: {way}", make)


def everything(bench: Bench, stages: Path, config: PipelineConfig) -> dict[str, Any]:
    """The row of the whole method on one detector."""
    return bench.row(stages, config, lambda name, run: recovered(stages, name, transfer=True))


def association(stages: Path) -> dict[str, Any]:
    """How many pairs of cameras have a geometry."""
    pairs = json.loads((stages / "geometry.json").read_text())["pairs"]
    return {"pairs": len(pairs), "pairs_with_geometry": sum(pair["matrix"] is not None for pair in pairs)}


def self_train(bench: Bench, model: Path) -> Path:
    """A detector trained like the first iteration, on the same pictures, with plain detections as labels."""
    out = bench.folder / "self-trained"
    if (out / "detector.onnx").exists():
        return out / "detector.onnx"
    config, start = load_adaptation_config(), fetch(START)
    images, pictures = first_pictures(bench, model, out)
    runs = cameras_of(bench.look("start", start, bench.config()), bench.truth)
    labels = out / "labels.json"
    write_coco([plain(image, runs[image.camera.split("/")[-1]]) for image in images], labels)
    trained = train_detector(
        DetectorTraining(
            config=resource("configs") / config.training.network, start=start, labels=labels,
            pictures=pictures, out=out, steps=config.training.steps,
            batch=config.training.batch, long_side=config.training.long_side,
            learning_rate=config.training.learning_rate, seed=1, device="auto", seconds=None, teacher=None,
            teacher_weight=0.0, frozen_stages=config.training.frozen_stages,
        )
    )  # fmt: skip
    return trained.onnx


def taught_by_average(bench: Bench, model: Path) -> Path:
    """A detector that its own running average taught, for as many steps and on the same pictures as one iteration."""
    out = bench.folder / "mean-teacher"
    images, pictures = first_pictures(bench, model, out)
    settings, start = load_adaptation_config().training, fetch(START)
    return mean_teacher(start=start, images=images, pictures=pictures, out=out, settings=settings, seed=1)


def specified(config: PipelineConfig, weights: Sequence[Weights], workers: int) -> RunSpec:
    """A run of the anonymizer's stages with these settings and networks."""
    return RunSpec(config=config, endoscopy=load_endoscopy_config(None), weights=tuple(weights), workers=workers)


def first_pictures(bench: Bench, model: Path, out: Path) -> tuple[list[LabelledImage], PictureBank]:
    """What the first iteration learned from: its labelled pictures, and their pixels."""
    images = read_coco(model / "work" / "iteration-1" / "labels.json")
    plan = plan_session(discover(bench.recording).sessions[0], out, specified(load_config(), (), bench.workers))
    cameras = {f"{plan.session.name}/{camera.camera.name}": camera for camera in plan.cameras}
    return images, decode_pictures(images, cameras, title="pictures")


def plain(image: LabelledImage, run: CameraRun) -> LabelledImage:
    """The picture with every sure detection as a label of full weight."""
    found = run.persons[(run.persons.frame == image.frame) & (run.persons.score >= SELF_TRAINING_SCORE)]
    scale = np.array([image.size[0] / run.size[0], image.size[1] / run.size[1]] * 2, np.float32)
    labels = PseudoLabels(
        frame=found.frame, box=found.box * scale, weight=np.ones(len(found)), evidence=np.ones(len(found)),
        score=found.score, provenance=np.full(len(found), Provenance.DETECTED), track=np.full(len(found), -1),
        identity=np.full(len(found), -1),
    )  # fmt: skip
    return dataclasses.replace(image, labels=labels)


def measure_site(seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """Everything about one site."""
    folder = options.work / f"site{seed}"
    simulate(seed, folder, options)
    bench = Bench(folder, load_truth(folder / "truth"), options.workers)
    off_the_shelf(bench)
    model = folder / "model"
    limits = ["--iterations", str(options.iterations), "--workers", str(options.workers)]
    minutes = adapt(bench.recording, model, limits)

    def anonymized(name: str, choice: NetworkChoice) -> dict[str, Any]:
        return exposed(folder, folder / "looks" / name, choice, fast=False, workers=options.workers)

    whole = {
        "as it comes": bench.keep("anonymizer as it comes", lambda: anonymized("whole-before", NetworkChoice())),
        "with the site model": bench.keep(
            "anonymizer with the model", lambda: anonymized("whole-after", NetworkChoice(model=model))
        ),
    }
    numbers = range(1, options.iterations + 1)
    makers: dict[str, Callable[[], Path]] = {
        f"iteration {n}": lambda n=n: model / "work" / f"iteration-{n}" / "detector.onnx" for n in reversed(numbers)
    }
    makers["student"] = lambda: next(iter(sorted(model.glob("student-*.onnx"))), model / "student.onnx")
    makers[SELF_TRAINED] = lambda: self_train(bench, model)
    makers[MEAN_TEACHER] = lambda: taught_by_average(bench, model)
    shipped = bench.config()
    smaller = dataclasses.replace(shipped.detection, input_long_side=load_adaptation_config().student.long_side)
    for name, make in makers.items():
        config = dataclasses.replace(shipped, detection=smaller) if name == "student" else shipped
        detector = make()
        if not detector.exists():  # an iteration that was not made, or a student that was left out
            continue
        stages = bench.look(name.replace(" ", "-"), detector, config)
        bench.keep(
            f"{name}, detector alone at 0.1",
            lambda stages=stages, config=config: bench.row(stages, config, lambda _, run: detected(run, score=0.1)),
        )
        if name not in (SELF_TRAINED, MEAN_TEACHER):
            bench.keep(f"{name}, everything", lambda stages=stages, config=config: everything(bench, stages, config))
    for way in LEARNED:
        associated(bench, way)
    rows = json.loads((folder / "rows.json").read_text())
    return {
        "seed": seed,
        "rows": {name: row for name, row in rows.items() if "recall" in row},
        "anonymizer": whole,
        "adaptation_minutes": minutes,
        "labels": {
            number: judge_labels(read_coco(path), bench.truth.cameras).as_dict()
            for number in numbers
            if (path := model / "work" / f"iteration-{number}" / "labels.json").exists()
        },
        "card": (model / "card.md").read_text(),
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--work", type=Path, required=True, metavar="DIR", help="where sites, models and stage outputs are kept")
    add("--out", type=Path, required=True, metavar="JSON", help="where the results go")
    add("--seeds", type=int, nargs="+", default=[7001, 7002], metavar="N", help="of the sites (default: 7001 7002)")
    add("--cameras", type=int, default=4, help="per site (default: 4)")
    add("--people", type=int, default=8, help="per site, the patient among them (default: 8)")
    add("--seconds", type=float, default=120.0, help="per site (default: 120)")
    add("--fps", type=int, default=5, help="frames per second (default: 5)")
    add("--size", default="640x360", help="of the pictures (default: 640x360)")
    add("--iterations", type=int, default=3, help="of the adaptation (default: 3)")
    add("--workers", type=int, default=2, help="processes (default: 2)")
    options = parser.parse_args()
    results: dict[str, Any] = {"settings": {name: str(value) for name, value in vars(options).items()}, "sites": []}
    for seed in options.seeds:
        results["sites"].append(measure_site(seed, options))
        options.out.write_text(json.dumps(results, indent=1) + "\n")
    print(f"\n{markdown(results)}")


if __name__ == "__main__":
    main()
