"""Runs one detector training through mmengine's Runner: composes model, draws and hooks, and resumes."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.hooks import EMAHook, Hook
from mmengine.runner import Runner
from torch.utils.data import DataLoader
from tqdm import tqdm

from or_mv_anon.core.errors import UserError
from or_mv_anon.models.torch_device import torch_device
from or_mv_anon.openmmlab.augmentation import Augmentation
from or_mv_anon.openmmlab.checkpoints import read_without_code
from or_mv_anon.openmmlab.detectors import build_detector, is_yolox
from or_mv_anon.openmmlab.devices import DeviceRunner
from or_mv_anon.openmmlab.draws import Draws, PictureLabels, read_labels
from or_mv_anon.openmmlab.export import export_yolox
from or_mv_anon.openmmlab.further_augmentation import Changes
from or_mv_anon.openmmlab.hooks import Checkpoint, FrozenNorms, Layout, LearningRate, Watch
from or_mv_anon.openmmlab.imitation import read_channels
from or_mv_anon.openmmlab.precision import has_bfloat16
from or_mv_anon.openmmlab.training_job import CHECKPOINT, DETECTOR, DetectorTraining, TrainedDetector

MOST_READERS = 4  # processes that prepare pictures for a GPU; a CPU has none to spare


def run_training(job: DetectorTraining, *, progress: Callable[[int, int], Any] | None) -> TrainedDetector:
    """See `detector_training.train_detector`."""
    config = Config.fromfile(job.config)
    classes = config.model.bbox_head.num_classes if is_yolox(config) else 1
    labels = read_labels(job.labels, job.pictures, classes=classes)
    config.model.backbone.frozen_stages = job.frozen_stages - 1  # mmdet counts from the stem, which is 0
    device = torch_device(job.device)
    torch.manual_seed(job.seed)
    model = build_detector(config, job.start).to(device)
    if job.teacher is not None and job.teacher_weight > 0:
        if not is_yolox(config):
            raise UserError("Only a YOLOX can have a teacher; set teacher_weight to 0 in the configuration.")
        model.teach(build_detector(config, job.teacher).to(device), job.teacher_weight, read_channels(job.start))
    job.out.mkdir(parents=True, exist_ok=True)
    path = job.out / CHECKPOINT
    same = _fingerprint(job, config)
    kept = _kept(path, same)
    with tempfile.TemporaryDirectory() as scratch, _bar(job, progress) as report:  # mmengine keeps its own logs
        watch = Watch(seconds=job.seconds, report=report, log=kept["log"], spent=kept["spent"])
        saving = Checkpoint(path, every_s=job.checkpoint_s, watch=watch, fingerprint=same)
        hooks = [*_hooks(job, config, watch), saving]
        if kept["iter"] < job.steps and not watch.is_over:
            runner = _runner(
                job, config, model, labels, device=device, hooks=hooks, done=kept["iter"], scratch=Path(scratch)
            )
            try:
                runner.train()
            finally:
                saving.release()
    averaged = read_without_code(str(path))["state_dict"]
    model.load_state_dict(averaged)
    onnx = None
    if is_yolox(config):
        onnx = job.out / DETECTOR
        export_yolox(model, onnx)
    return TrainedDetector(
        onnx=onnx,
        checkpoint=path,
        log=watch.log,
        steps=len(watch.log),
        seconds=watch.log[-1]["seconds"],
        stopped_by="time" if len(watch.log) < job.steps else "steps",
    )


def _fingerprint(job: DetectorTraining, config: Config) -> str:
    """Equal for trainings whose results are equal; the time limit and the device may change."""
    numbers = [job.steps, job.batch, job.long_side, job.learning_rate, job.seed, job.teacher_weight]
    digest = hashlib.sha256(json.dumps([config.to_dict(), numbers], default=str, sort_keys=True).encode())
    for path in (job.start, job.labels, *([job.teacher] if job.teacher else [])):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _kept(path: Path, fingerprint: str) -> dict[str, Any]:
    """What an earlier run of the same training left: log, seconds spent, steps done."""
    if path.exists():
        meta = read_without_code(str(path))["meta"]
        if meta.get("fingerprint") == fingerprint:
            return dict(meta)
    return {"log": [], "spent": 0.0, "iter": 0}


def _hooks(job: DetectorTraining, config: Config, watch: Watch) -> list[Hook]:
    rate = LearningRate(
        highest=job.learning_rate, watch=watch, warm_up_share=config.warm_up_share, final_rate=config.final_rate
    )
    average = EMAHook(ema_type="ExponentialMovingAverage", momentum=config.average_momentum, update_buffers=True)
    return [Layout(), *([FrozenNorms()] if config.frozen_norms else []), rate, average, watch]


def _runner(
    job: DetectorTraining,
    config: Config,
    model: Any,
    labels: list[PictureLabels],
    *,
    device: str,
    hooks: list[Hook],
    done: int,
    scratch: Path,
) -> Runner:
    draws = Draws(
        labels,
        job.pictures,
        length=job.steps * job.batch,
        long_side=job.long_side,
        augmentation=Augmentation(**config.augmentation),
        seed=job.seed,
        weighted=is_yolox(config),
        changes=Changes(**config.changes) if "changes" in config else None,
    )
    readers = min(MOST_READERS, (os.cpu_count() or 1) - 1) if device == "cuda" else 0
    loader = DataLoader(
        draws,
        batch_size=job.batch,
        sampler=range(done * job.batch, len(draws)),
        collate_fn=pseudo_collate,
        num_workers=readers,
    )
    exact = not (config.bfloat16 and has_bfloat16(device))
    wrapper = {"type": "OptimWrapper"} if exact else {"type": "BFloat16OptimWrapper", "device": device}
    resumed = {"load_from": str(job.out / CHECKPOINT), "resume": True} if done else {}
    return DeviceRunner(
        model=model,
        work_dir=str(scratch),
        train_dataloader=loader,
        train_cfg={"type": "NumberedDrawsLoop", "max_iters": job.steps},
        optim_wrapper={
            **wrapper,
            "optimizer": {"lr": job.learning_rate, **config.optimizer},
            "paramwise_cfg": {"bias_decay_mult": 0.0, "norm_decay_mult": 0.0, "bypass_duplicate": True},
            "clip_grad": {"max_norm": config.gradient_clip},
        },
        default_hooks=dict.fromkeys(("timer", "logger", "param_scheduler", "checkpoint", "sampler_seed")),
        custom_hooks=hooks,
        randomness={"seed": job.seed},
        log_level="ERROR",
        default_scope="mmdet",
        experiment_name=scratch.name,
        **resumed,
    )


@contextmanager
def _bar(job: DetectorTraining, progress: Callable[[int, int], Any] | None) -> Iterator[Callable[[int, int], Any]]:
    if progress is not None:
        yield progress
        return
    with tqdm(total=job.steps, desc="Training the detector", unit="step") as bar:
        yield lambda done, _: bar.update(done - bar.n)
