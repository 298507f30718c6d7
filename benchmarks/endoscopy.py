"""How well the out-of-body network tells outside from inside, on held-out pictures and on composed clips.

Asks for the table that the network was trained on (columns path, label, group, split): only its test groups are used,
so no source is in training and test. Clips are composed from these pictures (`endoscopy_clips.py`) and judged frame by
frame as they are made; with --work they are written there as videos, too, and labelled by the tool itself.
--leave-one-out trains further networks, each without one family of inside pictures and one source of outside ones.

Example, about six minutes on two cores:
  python benchmarks/endoscopy.py --csv all.csv --network trained/endoscopy_oob.onnx --out endoscopy/
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.endoscopy_clips import RATE, Clip
from benchmarks.endoscopy_report import write_report
from or_mv_anon.core.errors import UserError
from or_mv_anon.endoscopy.borders import find_picture_area, prepare
from or_mv_anon.endoscopy.classifier import OutOfBodyClassifier
from or_mv_anon.endoscopy.judging import BORDER_LOOKS
from or_mv_anon.endoscopy.measures import leaks, outside_recall, roc_auc
from or_mv_anon.endoscopy.settings import SmoothingConfig, load_endoscopy_config
from or_mv_anon.endoscopy.smoothing import OnlineSmoother, TwoStateSmoother
from or_mv_anon.endoscopy.training.augmentation import example
from or_mv_anon.endoscopy.training.material import Sample, draw_splits, load_material, of_split
from or_mv_anon.endoscopy.training.settings import load_training_config
from or_mv_anon.evaluation.average_precision import stepwise

BATCH = 8
LOOKS = 2  # changed versions of every held-out picture
LOOK_SEED, CLIP_SEED = 3_000_003, 4_000_003
PICTURES_PER_CLIP = 6
LIVE_DELAY = 0.5  # seconds, the live tool's default
DECISION = 0.5  # a single frame's probability from which it counts as outside, before smoothing


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--csv", type=Path, required=True, help="the table that the network was trained on")
    add("--network", type=Path, help="the trained .onnx (default: the one that ships)")
    add("--training-config", type=Path, metavar="TOML", help="of that training; it draws splits the table leaves open")
    add("--config", type=Path, metavar="TOML", help="settings other than the shipped configs/endoscopy.toml")
    add("--skip", default="", metavar="A,B", help="test groups of a source that was trained on under other names")
    add("--clips", type=int, default=10, help="how many to compose (default: 10)")
    add("--work", type=Path, metavar="DIR", help="write the clips there and have the tool label them")
    add("--device", choices=["auto", "cpu", "cuda"], default="auto", help="where networks run and are trained")
    add("--leave-one-out", action="store_true", help="train without each family in turn; needs torch")
    add("--together", action="append", default=[], metavar="A,B", help="groups that --leave-one-out leaves out as one")
    add("--steps", type=int, default=300, help="of each of these trainings (default: 300)")
    add("--backbone", type=Path, metavar="PTH", help="torchvision's MobileNetV2 weights (default: fetched by hash)")
    add("--out", type=Path, required=True, metavar="DIR", help="gets endoscopy.json and endoscopy.md")
    options = parser.parse_args()
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        result = measure(options)
    except UserError as error:
        sys.exit(f"error: {error}")
    (options.out / "endoscopy.json").write_text(json.dumps(result, indent=1) + "\n")
    print(write_report(options.out / "endoscopy.md", result))


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All figures, as plain values."""
    samples = split(options.csv, options.training_config)
    classifier = OutOfBodyClassifier(options.network, device=options.device)
    smoothing = load_endoscopy_config(options.config).smoothing
    held_out = measurable(samples, options.skip)
    result: dict[str, Any] = {
        "network": classifier.path.name,
        "provider": classifier.provider,
        "smoothing": asdict(smoothing),
        "trained_groups": sorted({sample.group for sample in samples if sample.split != "test"}),
        "pictures": pictures_measured(held_out, classifier),
    }
    clips = compose(held_out, options.clips)
    result["clips"] = clips_measured(clips, classifier, smoothing)
    if options.work:
        from benchmarks.endoscopy_tool import labelled_by_the_tool

        result["clips"]["leaks"]["offline tool"] = labelled_by_the_tool(clips, options)
    if options.leave_one_out:
        from benchmarks.endoscopy_folds import leave_one_out

        result["leave_one_out"] = leave_one_out(samples, options)
    return result


def split(table: Path, training_config: Path | None) -> list[Sample]:
    """The samples in the splits of the training."""
    data = load_training_config(training_config).data
    shares = {
        "train": 1 - data.calibrate_share - data.test_share,
        "calibrate": data.calibrate_share,
        "test": data.test_share,
    }
    return draw_splits(load_material(table, families=data.families), shares, seed=data.seed)


def measurable(samples: Sequence[Sample], skip: str) -> list[Sample]:
    """The test pictures without the groups named in `skip`, both labels among them.

    Raises:
        UserError: a label or a named group is missing there.
    """
    every = of_split(samples, "test")
    named = set(filter(None, skip.split(",")))
    if unknown := named - {sample.group for sample in every}:
        raise UserError(f"--skip: {', '.join(sorted(unknown))} is no group of the split 'test'.")
    held_out = [sample for sample in every if sample.group not in named]
    if {sample.outside for sample in held_out} != {False, True}:
        raise UserError("The split 'test' needs groups of inside and of outside pictures.")
    return held_out


def pictures_measured(samples: Sequence[Sample], classifier: OutOfBodyClassifier) -> dict[str, Any]:
    """Measures on held-out pictures: as they are, in changed versions, and per group."""
    outside = np.array([sample.outside for sample in samples])
    views = [
        judge(_views(samples, look), classifier, total=len(samples), title=f"pictures {look + 1}/{LOOKS + 1}")
        for look in range(LOOKS + 1)
    ]
    groups = Counter((sample.group, sample.outside) for sample in samples)
    return {
        "groups": [
            {
                "group": group,
                "label": "outside" if label else "inside",
                "pictures": count,
                "called_outside": float(
                    np.mean([p >= DECISION for p, s in zip(views[0], samples, strict=True) if s.group == group])
                ),
            }
            for (group, label), count in sorted(groups.items())
        ],
        "as they are": ranked(views[0], outside),
        "changed": ranked(np.concatenate(views[1:]), np.tile(outside, LOOKS)),
    }


def ranked(probabilities: NDArray[np.float64], outside: NDArray[np.bool_]) -> dict[str, Any]:
    """The measures that depend on the order of the probabilities alone."""
    return {
        "inside": int((~outside).sum()),
        "outside": int(outside.sum()),
        "roc_auc": roc_auc(probabilities, outside),
        "average_precision": stepwise(probabilities, outside),
        "outside_recall_at_99_inside": outside_recall(probabilities, outside)[0],
    }


def compose(samples: Sequence[Sample], count: int) -> list[Clip]:
    """Clips of the held-out pictures, each of one inside and one outside source, all sources in turn.

    Pictures of a stay inside follow each other in the order of their names, which is that of the recording.
    """
    groups: dict[bool, dict[str, list[Sample]]] = {False: {}, True: {}}
    for sample in samples:
        groups[sample.outside].setdefault(sample.group, []).append(sample)
    clips = []
    for number in range(count):
        rng = np.random.default_rng((CLIP_SEED, number))
        inside, rooms = sorted(groups[False]), sorted(groups[True])
        turn = number + number // len(inside)  # so that each outside source meets several inside ones
        names = inside[number % len(inside)], rooms[turn % len(rooms)]
        chosen = []
        for label, name in zip((False, True), names, strict=True):
            ordered = sorted(groups[label][name], key=lambda sample: str(sample.path))
            start = int(rng.integers(len(ordered)))
            chosen.append([ordered[(start + i) % len(ordered)].read() for i in range(PICTURES_PER_CLIP)])
        clips.append(Clip(chosen[0], chosen[1], seed=CLIP_SEED + number, name=" and ".join(names)))
    return clips


def clips_measured(
    clips: Sequence[Clip], classifier: OutOfBodyClassifier, smoothing: SmoothingConfig
) -> dict[str, Any]:
    """Frame-wise measures and leaks over all clips, before and after smoothing."""
    raw, offline, live = [], [], []
    for clip in tqdm(clips, desc="clips", unit="clip"):
        looks = np.unique(np.linspace(0, len(clip) - 1, BORDER_LOOKS).astype(int))
        area = find_picture_area(clip.frame(number) for number in looks.tolist())
        inputs = (prepare(clip.frame(number), area) for number in range(len(clip)))
        found = judge(inputs, classifier, total=len(clip), title="frames")
        raw.append(found)
        offline.append(TwoStateSmoother(smoothing)(found, clip.times).covered)
        online = OnlineSmoother(smoothing, delay=LIVE_DELAY)
        decisions = [d for time, p in zip(clip.times, found, strict=True) for d in online.push(float(time), float(p))]
        live.append(np.array([decision.covered for decision in [*decisions, *online.flush()]]))
    outside = np.concatenate([clip.outside for clip in clips])  # clips begin and end inside: exits stay apart
    probabilities = np.concatenate(raw)
    decided = {
        "single frames": ~(probabilities < DECISION),
        "offline smoothing": np.concatenate(offline),
        f"live smoothing, {LIVE_DELAY:g} s": np.concatenate(live),
    }
    return {
        "clips": len(clips),
        "seconds": len(outside) / RATE,
        "frames": ranked(probabilities, outside),
        "each": [
            {"sources": clip.name, "length_s": len(clip) / RATE} | asdict(leaks(covered, clip.outside, rate=RATE))
            for clip, covered in zip(clips, offline, strict=True)
        ],
        "leaks": {name: asdict(leaks(covered, outside, rate=RATE)) for name, covered in decided.items()},
    }


def judge(
    inputs: Iterable[NDArray[np.float32]], classifier: OutOfBodyClassifier, *, total: int, title: str
) -> NDArray[np.float64]:
    """Probabilities (N,) of being outside for prepared pictures, in batches."""
    found: list[float] = []
    with tqdm(total=total, desc=title, unit="picture", leave=False) as bar:
        remaining = iter(inputs)
        while batch := list(islice(remaining, BATCH)):
            found += classifier.probabilities(np.stack(batch)).tolist()
            bar.update(len(batch))
    return np.array(found)


def _views(samples: Sequence[Sample], look: int) -> Iterable[NDArray[np.float32]]:
    """Look 0 is the pictures as they are, the others are changed versions, always the same."""
    for number, sample in enumerate(samples):
        picture = sample.read()
        if look == 0:
            yield prepare(picture, find_picture_area([picture]))
        else:
            yield example(picture, outside=sample.outside, rng=np.random.default_rng((LOOK_SEED, number, look)))


if __name__ == "__main__":
    main()
