"""The networks of both kinds of cameras for looks before a run, loaded when the first camera needs them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.endoscopy.classifier import ROLE, OutOfBodyClassifier
from or_mv_anon.endoscopy.judging import judge_frames, recording_area
from or_mv_anon.endoscopy.settings import EndoscopyConfig
from or_mv_anon.pipeline.media import CameraPlan
from or_mv_anon.pipeline.options import Options
from or_mv_anon.pipeline.plan import Weights, model_settings
from or_mv_anon.pipeline.stages.analyse import Networks, load_networks
from or_mv_anon.pipeline.stages.endoscope import NetworkSettings, load_network
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.source import Source


@dataclass(frozen=True)
class Looks:
    """What looking at single frames takes."""

    weights: list[Weights]
    options: Options
    config: PipelineConfig
    endoscopy: EndoscopyConfig
    threads: int

    @property
    def room(self) -> Networks:
        """The networks for a room's cameras."""
        return load_networks(model_settings(self.weights, self.options, threads=self.threads), self.config)

    @property
    def scope(self) -> OutOfBodyClassifier:
        """The network for endoscopes."""
        path = next(Path(weights.path) for weights in self.weights if weights.role == ROLE)
        return load_network(NetworkSettings(path, self.options.device, self.options.precision))

    def provider(self, plan: CameraPlan) -> str:
        """The engine that a camera's main network runs on."""
        return self.scope.provider if plan.camera.kind == "endoscope" else self.room.providers["detector"]

    def outside(self, frame: Frame, plan: CameraPlan, source: Source) -> Boxes:
        """The whole picture ``(1, 4)`` if an endoscope's frame alone may show the outside, else ``(0, 4)``."""
        judging = self.endoscopy.judging
        area = recording_area(source, judging, first=plan.first, stop=plan.stop)
        (probability,) = judge_frames([frame], self.scope, area, judging).probabilities
        if probability < judging.doubt:
            return np.zeros((0, 4), np.float32)
        return np.array([[0, 0, *frame.upright_size]], np.float32)
