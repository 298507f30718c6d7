"""Everything that is trained, in one place: the modifier, its moving average, and its adversaries."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from or_mv_anon.head_training.actions import ActionNetwork
from or_mv_anon.head_training.adversary import IdentityAdversary, SmallFaceNetwork
from or_mv_anon.head_training.codebook_modifier import CodedModifier
from or_mv_anon.head_training.critic import PatchCritic
from or_mv_anon.head_training.directions import draw_heads
from or_mv_anon.head_training.modifier import Modifier
from or_mv_anon.head_training.settings import LearnedTrainingConfig
from or_mv_anon.models.recognizers import SFACE, WEIGHTS
from or_mv_anon.models.registry import fetch

if TYPE_CHECKING:
    from or_mv_anon.openmmlab.frame_actions import FasterRcnnActions

FINE_TUNING = 0.1  # a backbone that knows faces already learns at this share of the rate
SFACE_OUTPUT = "fc1"  # of the published graph


def make_modifier(config: LearnedTrainingConfig) -> Modifier | CodedModifier:
    """An untrained modifier, weights from torch's generator.

    Raises:
        UserError: heads are to be drawn and the extra `sim` or OpenGL is missing.
    """
    wanted = config.modifier
    if not wanted.codes:
        return Modifier(width=wanted.width, blocks=wanted.blocks)
    margin = config.material.head_margin
    return CodedModifier(draw_heads(wanted.codes, person=wanted.drawn_person, side=wanted.side, margin=margin))


def make_action_detector(config: LearnedTrainingConfig, actions: int) -> ActionNetwork | FasterRcnnActions | None:
    """An untrained action detector, or None where there are no actions or none is wanted."""
    if not actions or config.action.detector == "none":
        return None
    if config.action.detector == "crops":
        return ActionNetwork(actions)
    from or_mv_anon.openmmlab.frame_actions import FasterRcnnActions

    return FasterRcnnActions(actions)


class SFaceNetwork(nn.Module):
    """SFace with its own weights, which train on: faces (N, 3, 112, 112), RGB 0-1, to features (N, 128)."""

    def __init__(self, path: Path) -> None:
        from or_mv_anon.openmmlab.trainable_graph import TrainableGraph

        super().__init__()
        self.graph = TrainableGraph(path.read_bytes())

    def forward(self, faces: Tensor) -> Tensor:
        """Features that are not yet of unit length."""
        vector: Tensor = self.graph(255 * faces)[SFACE_OUTPUT]
        return vector


class Networks:
    """The modifier M and those it is trained against.

    Attributes:
        modifier: M.
        average: the moving average of M's weights, which is what ships.
        identity: D, or None where fewer than two people are known.
        critic: of realism.
        action: A, or None where no actions are known.
    """

    def __init__(
        self,
        config: LearnedTrainingConfig,
        *,
        people: int,
        actions: int,
        seed: int,
        device: str,
        weights_dir: Path | None = None,
    ) -> None:
        torch.manual_seed(seed)
        self._config, self._device = config, device
        self.modifier = make_modifier(config)
        self.critic = PatchCritic()
        self.identity: IdentityAdversary | None = None
        if people > 1 and config.losses.identity > 0:
            self.identity = IdentityAdversary(
                self._face_network(weights_dir), people=people, scale=config.identity.scale
            )
        self.action = make_action_detector(config, actions)
        for network in self._all().values():
            network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = deepcopy(self.modifier).requires_grad_(requires_grad=False).eval()
        learning = config.training
        betas = (learning.beta1, learning.beta2)
        self.optimizers = {"modifier": torch.optim.Adam(self.modifier.parameters(), learning.learning_rate, betas)}
        self.optimizers["critic"] = torch.optim.Adam(self.critic.parameters(), learning.learning_rate, betas)
        if self.identity is not None:
            share = FINE_TUNING if config.identity.backbone == "sface" else 1.0
            rates: list[dict[str, Any]] = [
                {"params": self.identity.backbone.parameters(), "lr": config.identity.learning_rate * share},
                {"params": [self.identity.people]},
            ]
            self.optimizers["identity"] = torch.optim.Adam(rates, config.identity.learning_rate, betas)
        if self.action is not None:
            self.optimizers["action"] = torch.optim.Adam(self.action.parameters(), config.action.learning_rate)

    def computing(self) -> AbstractContextManager[Any]:
        """The precision in which networks are run."""
        return torch.autocast(self._device, torch.bfloat16, enabled=self._config.training.mixed_precision)

    def step(self, loss: Tensor, *names: str) -> None:
        """One step of the optimizers `names` down the gradient of `loss`; the others' weights stay."""
        for optimizer in self.optimizers.values():
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for name in names:
            optimizer = self.optimizers[name]
            learned: Iterable[Tensor] = [p for group in optimizer.param_groups for p in group["params"]]
            nn.utils.clip_grad_norm_(learned, self._config.training.gradient_norm)
            optimizer.step()

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Let the average follow the modifier."""
        decay = min(self._config.training.average, (1 + step) / (10 + step))
        for mean, value in zip(self.average.parameters(), self.modifier.parameters(), strict=True):
            mean.lerp_(value, 1 - decay)

    def state(self) -> dict[str, Any]:
        """Everything that a checkpoint needs."""
        networks = {name: network.state_dict() for name, network in self._all().items()}
        optimizers = {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()}
        return {"networks": networks, "average": self.average.state_dict(), "optimizers": optimizers}

    def load(self, state: dict[str, Any]) -> None:
        """Take over what `state` returned."""
        for name, network in self._all().items():
            network.load_state_dict(state["networks"][name])
        self.average.load_state_dict(state["average"])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])

    def _face_network(self, weights_dir: Path | None) -> nn.Module:
        if self._config.identity.backbone == "small":
            return SmallFaceNetwork()
        return SFaceNetwork(fetch(WEIGHTS[SFACE], weights_dir=weights_dir))

    def _all(self) -> dict[str, nn.Module]:
        optional = {"identity": self.identity, "action": self.action}
        return {"modifier": self.modifier, "critic": self.critic} | {n: m for n, m in optional.items() if m is not None}
