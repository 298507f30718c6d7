"""The training loop: balanced batches, a moving average of the weights, checkpoints that a killed run goes on from.

Every example is drawn from (seed, step, place in the batch), so that a resumed run equals an uninterrupted one.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from or_mv_anon.core.config import config_hash
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import write_atomically
from or_mv_anon.endoscopy.borders import find_picture_area, prepare
from or_mv_anon.endoscopy.measures import roc_auc
from or_mv_anon.endoscopy.training.augmentation import example
from or_mv_anon.endoscopy.training.calibration import log_loss
from or_mv_anon.endoscopy.training.material import Sample
from or_mv_anon.endoscopy.training.network import OutOfBodyNetwork
from or_mv_anon.endoscopy.training.settings import LearningConfig

LONGEST_SIDE = 640  # pixels; larger pictures are kept in memory at this size
LOOKS = 2  # changed versions of every calibration picture, beside the picture as it is
CALIBRATION_SEED = 1_000_003
GRADIENT_NORM = 5.0


@dataclass(frozen=True)
class Look:
    """What one look at the calibration pictures found."""

    step: int
    loss: float
    auc: float


class Learner:
    """Trains one network.

    Args:
        network: starts from its present weights.
        train: samples to learn from.
        calibrate: samples to choose the best weights on.
        config: optimization.
        seed: of everything drawn.
        folder: where `checkpoint.pt` and `log.jsonl` go; a checkpoint of the same settings is gone on from.
        device: of torch.
    """

    def __init__(
        self,
        network: OutOfBodyNetwork,
        *,
        train: Sequence[Sample],
        calibrate: Sequence[Sample],
        config: LearningConfig,
        seed: int,
        folder: Path,
        device: str = "cpu",
    ) -> None:
        self._config, self._seed, self._folder, self._device = config, seed, folder, device
        self._pictures = {
            outside: [_reduced(sample.read()) for sample in train if sample.outside == outside]
            for outside in (False, True)
        }
        self.calibration, self.calibration_outside = looked_at(calibrate, seed=CALIBRATION_SEED)
        self._network = network.to(device)
        self._average = {name: value.detach().clone() for name, value in network.state_dict().items()}
        self._frozen = list(network.features.children())[: config.frozen_stages]
        for stage in self._frozen:
            stage.requires_grad_(requires_grad=False)
        learned = [p for p in network.parameters() if p.requires_grad]
        self._optimizer = torch.optim.AdamW(learned, lr=config.learning_rate, weight_decay=config.weight_decay)
        self._loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(config.outside_weight, device=device))
        names = sorted((str(sample.path), sample.outside) for sample in [*train, *calibrate])
        self._identity = config_hash(config, seed, names)
        self.looks: list[Look] = []
        self._best: dict[str, Tensor] = self._average

    def run(self, *, title: str = "training") -> OutOfBodyNetwork:
        """Train to the end and return the network with the best averaged weights."""
        config = self._config
        step = self._resume()
        interval = 1.0 if sys.stderr.isatty() else 30.0
        with (
            ThreadPoolExecutor(max_workers=1) as threads,
            tqdm(total=config.steps, initial=step, desc=title, unit="step", mininterval=interval) as bar,
        ):
            upcoming = threads.submit(self._batch, step)
            while step < config.steps and not self._exhausted():
                pictures, labels = upcoming.result()
                upcoming = threads.submit(self._batch, step + 1)
                bar.set_postfix(loss=f"{self._learn(step, pictures, labels):.3f}", refresh=False)
                step += 1
                bar.update()
                if step % config.check_every == 0 or step == config.steps:
                    self._look(step)
                    self._save(step)
        self._network.load_state_dict(self._best)
        return self._network.eval()

    def _batch(self, step: int) -> tuple[Tensor, Tensor]:
        pictures, labels = [], []
        for place in range(self._config.batch):
            rng = np.random.default_rng((self._seed, step, place))
            outside = place % 2 == 1
            choice = self._pictures[outside]
            pictures.append(example(choice[int(rng.integers(len(choice)))], outside=outside, rng=rng))
            labels.append(float(outside))
        return torch.from_numpy(np.stack(pictures)), torch.tensor(labels)

    def _learn(self, step: int, pictures: Tensor, labels: Tensor) -> float:
        config = self._config
        network = self._network.train()
        for stage in self._frozen:
            stage.eval()
        warming = step < config.warm_up_steps
        progress = max(0, step - config.warm_up_steps) / max(1, config.steps - config.warm_up_steps)
        for group in self._optimizer.param_groups:
            group["lr"] = config.learning_rate * (1 + math.cos(math.pi * progress)) / 2
        torch.manual_seed(self._seed * 1_000_003 + step)  # dropout
        targets = labels * (1 - config.label_smoothing) + config.label_smoothing / 2
        loss: Tensor = self._loss(network(pictures.to(self._device))[:, 0], targets.to(self._device))
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if warming:
            for parameter in network.features.parameters():
                parameter.grad = None
        nn.utils.clip_grad_norm_(network.parameters(), GRADIENT_NORM)
        self._optimizer.step()
        decay = min(config.average, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, value in network.state_dict().items():
                mean = self._average[name]
                if mean.is_floating_point():
                    mean.lerp_(value, 1 - decay)
                else:
                    mean.copy_(value)
        return float(loss.detach())

    def _look(self, step: int) -> None:
        present = {name: value.clone() for name, value in self._network.state_dict().items()}
        self._network.load_state_dict(self._average)
        logits = logits_of(self._network, self.calibration, device=self._device)
        self._network.load_state_dict(present)
        look = Look(step, log_loss(logits, self.calibration_outside), roc_auc(logits, self.calibration_outside))
        if not self.looks or look.loss < min(past.loss for past in self.looks):
            self._best = {name: value.clone() for name, value in self._average.items()}
        self.looks.append(look)
        with (self._folder / "log.jsonl").open("a") as log:
            log.write(json.dumps({"step": look.step, "loss": look.loss, "auc": look.auc}) + "\n")

    def _exhausted(self) -> bool:
        """Whether the last looks brought nothing better."""
        losses = [look.loss for look in self.looks]
        return len(losses) - 1 - int(np.argmin(losses)) >= self._config.patience if losses else False

    def _save(self, step: int) -> None:
        state = {
            "identity": self._identity,
            "step": step,
            "network": self._network.state_dict(),
            "average": self._average,
            "best": self._best,
            "optimizer": self._optimizer.state_dict(),
            "looks": [(look.step, look.loss, look.auc) for look in self.looks],
        }
        write_atomically(self._folder / "checkpoint.pt", lambda part: torch.save(state, part))

    def _resume(self) -> int:
        path = self._folder / "checkpoint.pt"
        if not path.exists():
            return 0
        try:
            state: dict[str, Any] = torch.load(path, map_location=self._device, weights_only=True)
        except Exception as error:
            raise UserError(f"{path} is damaged ({type(error).__name__}); delete it to start anew.") from error
        if state["identity"] != self._identity:
            raise UserError(f"{path} is of other settings or pictures; delete it or choose another --out.")
        self._network.load_state_dict(state["network"])
        self._average, self._best = state["average"], state["best"]
        self._optimizer.load_state_dict(state["optimizer"])
        self.looks = [Look(*entry) for entry in state["looks"]]
        return int(state["step"])


def logits_of(network: OutOfBodyNetwork, inputs: NDArray[np.float32], *, device: str = "cpu") -> NDArray[np.float64]:
    """The network's logits (N,) for inputs (N, 3, 224, 224), in evaluation mode."""
    network.eval()
    with torch.no_grad():
        parts = [
            network(torch.from_numpy(inputs[i : i + 32]).to(device))[:, 0].cpu() for i in range(0, len(inputs), 32)
        ]
    return torch.cat(parts).numpy().astype(np.float64)


def looked_at(samples: Sequence[Sample], *, seed: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Every sample as it is and in `LOOKS` changed versions, always the same: inputs and whether each is outside."""
    inputs, outside = [], []
    for number, sample in enumerate(samples):
        picture = _reduced(sample.read())
        inputs.append(prepare(picture, find_picture_area([picture])))
        for look in range(LOOKS):
            rng = np.random.default_rng((seed, number, look))
            inputs.append(example(picture, outside=sample.outside, rng=rng))
        outside += [sample.outside] * (1 + LOOKS)
    return np.stack(inputs), np.array(outside)


def _reduced(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:

    scale = LONGEST_SIDE / max(picture.shape[:2])
    if scale >= 1:
        return picture
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
