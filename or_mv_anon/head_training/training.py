"""The training loop of Ren, Lee and Ryoo (ECCV 2018): the modifier with the action detector, in turn with D.

Every batch is drawn from (seed, step), so that on the CPU a run that was killed and goes on writes the same bytes as
one that was not.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from or_mv_anon.core.budget import Budget
from or_mv_anon.core.config import config_hash
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import write_atomically
from or_mv_anon.head_training.action_judges import ActionJudge, CropJudge, FrameJudge
from or_mv_anon.head_training.actions import ActionNetwork
from or_mv_anon.head_training.adversary import FACE_SIDE
from or_mv_anon.head_training.batches import Batch
from or_mv_anon.head_training.codebook_modifier import CodedModifier
from or_mv_anon.head_training.curves import open_curves
from or_mv_anon.head_training.directions import shares_of_directions
from or_mv_anon.head_training.losses import away_from, critic_loss, flicker, sampled
from or_mv_anon.head_training.material import Material
from or_mv_anon.head_training.modifier import Modifier
from or_mv_anon.head_training.networks import Networks
from or_mv_anon.head_training.sampler import HeadSampler
from or_mv_anon.head_training.settings import LearnedTrainingConfig

CHECKPOINT, LOG = "checkpoint.pt", "log.jsonl"
LOGGED_EVERY = 20  # steps, whose losses are averaged
Losses = dict[str, float]


class ModifierTraining:
    """Trains the modifier.

    Args:
        material: heads.
        config: settings.
        folder: where `checkpoint.pt` and `log.jsonl` go; a checkpoint of the same settings is gone on from.
        device: of torch.
        weights_dir: see `or_mv_anon.models.registry.fetch`.
    """

    def __init__(
        self,
        material: Material,
        *,
        config: LearnedTrainingConfig,
        folder: Path,
        device: str = "cpu",
        weights_dir: Path | None = None,
    ) -> None:
        self._material, self._config, self._folder, self._device = material, config, folder, device
        self._sampler = HeadSampler(material, config=config, device=device)
        acting = any(head.person is not None for head in material.simulated)
        self.networks = Networks(
            config,
            people=len(self._sampler.people),
            actions=len(material.actions) if acting else 0,
            seed=config.material.seed,
            device=device,
            weights_dir=weights_dir,
        )
        sizes = [(len(heads), heads[0].source if heads else "") for heads in (material.real, material.simulated)]
        self._identity = config_hash(config, self._sampler.people, material.actions, sizes)
        self._judge = self._make_judge()
        self._warm_up = config.action.warm_up_steps if self._judge is not None else 0
        self._curves = open_curves(folder / "tensorboard")
        self.step = 0

    def run(self, budget: Budget) -> Modifier | CodedModifier:
        """Train until the configured steps are made or the budget is spent; returns the averaged modifier."""
        config = self._config
        self._resume()
        total = self._warm_up + config.training.steps
        interval = 1.0 if sys.stderr.isatty() else 30.0
        recent: list[Losses] = []
        with tqdm(total=total, initial=self.step, desc="training", unit="step", mininterval=interval) as bar:
            while self.step < total and budget.left > 0:
                warming = self.step < self._warm_up
                recent.append(self._warm_up_action() if warming else self._alternate(self.step - self._warm_up))
                self.step += 1
                bar.update()
                if self.step % LOGGED_EVERY == 0:
                    bar.set_postfix(self._log(recent), refresh=False)
                    recent.clear()
                if self.step % config.training.save_every == 0:
                    self._save()
        self._save()
        return self.networks.average

    @property
    def modifier_steps(self) -> int:
        """How many steps M was trained for."""
        return max(0, self.step - self._warm_up)

    def fine_tune_action(self) -> None:
        """Train A alone on people with modified heads, as the paper does in the end."""
        if self._judge is None:
            return
        count = self._config.action.batch
        for number in range(self._config.action.fine_tune_steps):
            with torch.no_grad():
                batch = self._sampler.acting(count, (number, 1))
                drawn = self.networks.average(batch.seen)
            loss = self._judge.modified(batch, drawn, self.networks.average, (7, number))
            if loss is not None:
                self.networks.step(loss, "action")

    def _alternate(self, step: int) -> Losses:
        training, weights = self._config.training, self._config.losses
        alone = step < training.alone_steps
        losses: Losses = {}
        for turn in range(0 if alone else training.adversary_steps):
            losses |= self._teach_adversaries(self._sampler.mixed((1, step, turn)))
        batch = self._sampler.mixed((2, step))
        with self.networks.computing():
            drawn = self.networks.modifier(batch.seen).float()
        parts = {"picture": functional.l1_loss(drawn, batch.picture)}
        if not alone and weights.consistency > 0:
            with self.networks.computing():
                displaced = self.networks.modifier(batch.seen_displaced).float()
            parts["consistency"] = flicker(drawn, displaced, batch.to_displaced)
        if not alone and self.networks.identity is not None and len(batch.known):
            cosines = self._cosines(drawn, batch)
            goal = self._config.identity.goal
            parts["identity"] = away_from(self.networks.identity.scale * cosines, batch.identity, goal)
        if not alone and weights.realism > 0:
            with self.networks.computing():
                parts["realism"] = -self.networks.critic(batch.seen, drawn).float().mean()
        if isinstance(self.networks.modifier, CodedModifier) and len(batch.turned):
            parts["direction"] = self._direction_loss(batch)
        learners = ["modifier"]
        if not alone and self._judge is not None:
            action = self._judge.modified(batch, drawn, self.networks.modifier, (8, step))
            if action is not None:
                parts["action"] = action
                learners.append("action")
        total = torch.stack([getattr(weights, name) * part for name, part in parts.items()]).sum()
        self.networks.step(total, *learners)
        self.networks.follow(step)
        return losses | {name: float(part.detach()) for name, part in parts.items()}

    def _teach_adversaries(self, batch: Batch) -> Losses:
        """One step of D on real and modified faces, and one of the critic."""
        losses: Losses = {}
        with torch.no_grad(), self.networks.computing():
            drawn = self.networks.modifier(batch.seen).float()
        if self.networks.identity is not None and len(batch.known):
            kind, margin = self._config.identity.margin_kind, self._config.identity.margin
            loss = torch.stack(
                [
                    self.networks.identity.loss(self._cosines(shown, batch), batch.identity, kind=kind, margin=margin)
                    for shown in (batch.picture, drawn)
                ]
            )
            self.networks.step(loss.sum(), "identity")
            losses["knows_real"], losses["knows_modified"] = loss.tolist()
        if self._config.losses.realism > 0:
            with self.networks.computing():
                judged = self.networks.critic(batch.seen, batch.picture), self.networks.critic(batch.seen, drawn)
            critic = critic_loss(judged[0].float(), judged[1].float())
            self.networks.step(critic, "critic")
            losses["critic"] = float(critic.detach())
        return losses

    def _warm_up_action(self) -> Losses:
        """A on clear people, so that what it asks of M means something."""
        assert self._judge is not None
        loss = self._judge.clear((self.step,))
        self.networks.step(loss, "action")
        return {"action": float(loss.detach())}

    def _make_judge(self) -> ActionJudge | None:
        action, config = self.networks.action, self._config.action
        if action is None:
            return None
        if isinstance(action, ActionNetwork):
            return CropJudge(action, self._sampler, batch=config.batch)
        frames, seed = self._material.frames, self._config.material.seed
        return FrameJudge(action, frames, self._sampler, batch=config.batch, seed=seed, device=self._device)

    def _cosines(self, shown: Tensor, batch: Batch) -> Tensor:
        assert self.networks.identity is not None
        faces, _ = sampled(shown[batch.known], batch.to_face, height=FACE_SIDE, width=FACE_SIDE)
        with self.networks.computing():
            cosines: Tensor = self.networks.identity(faces).float()
        return cosines

    def _direction_loss(self, batch: Batch) -> Tensor:
        """That the chosen drawing faces where the head does, for heads of which that is known."""
        assert isinstance(self.networks.modifier, CodedModifier)
        wanted = shares_of_directions(batch.facing.cpu().numpy(), self._config.modifier.codes)
        with self.networks.computing():
            logits = self.networks.modifier.read(batch.seen[batch.turned]).float()
        return functional.cross_entropy(logits, torch.from_numpy(wanted).to(self._device))

    def _log(self, recent: Sequence[Losses]) -> dict[str, str]:
        means = {
            name: float(np.mean([losses[name] for losses in recent if name in losses]))
            for name in sorted({name for losses in recent for name in losses})
        }
        self._curves.add(self.step, means)
        with (self._folder / LOG).open("a") as log:
            log.write(json.dumps({"step": self.step, **{name: round(mean, 5) for name, mean in means.items()}}) + "\n")
        return {name: f"{mean:.3f}" for name, mean in means.items()}

    def _save(self) -> None:
        state = {"identity": self._identity, "step": self.step, **self.networks.state()}
        write_atomically(self._folder / CHECKPOINT, lambda part: torch.save(state, part))

    def _resume(self) -> None:
        path = self._folder / CHECKPOINT
        if not path.exists():
            return
        try:
            state: dict[str, Any] = torch.load(path, map_location=self._device, weights_only=True)
        except Exception as error:
            raise UserError(f"{path} is damaged ({type(error).__name__}); delete it to start anew.") from error
        if state["identity"] != self._identity:
            raise UserError(f"{path} is of other settings or heads; delete it or choose another --out.")
        self.networks.load(state)
        self.step = int(state["step"])
