"""The networks of both kinds of cameras for looking before a run, loaded when the first camera needs them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.endoscopy.classifier import ROLE, OutOfBodyClassifier
from or_mv_anon.endoscopy.judging import judge_frames, recording_area
from or_mv_anon.pipeline.media import CameraPlan
from or_mv_anon.pipeline.spec import RunSpec
from or_mv_anon.pipeline.stages.endoscope import NetworkSettings, load_network
from or_mv_anon.pipeline.weights import network_files
from or_mv_anon.regions.networks import Networks, load_networks
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.source import Source


@dataclass(frozen=True)
class ProbeModels:
    """What looking at single frames takes.

    Attributes:
        spec: of the run.
        threads: of each network on a processor.
    """

    spec: RunSpec
    threads: int

    @property
    def room(self) -> Networks:
        """The networks for a room's cameras."""
        return load_networks(network_files(self.spec.weights, self.spec.engine(threads=self.threads)), self.spec.config)

    @property
    def scope(self) -> OutOfBodyClassifier:
        """The network for endoscopes."""
        path = next(Path(weights.path) for weights in self.spec.weights if weights.role == ROLE)
        return load_network(NetworkSettings(path, self.spec.device, self.spec.precision))

    def provider(self, plan: CameraPlan) -> str:
        """The engine that a camera's main network runs on."""
        return self.scope.provider if plan.camera.kind == "endoscope" else self.room.providers["detector"]

    def outside(self, frame: Frame, plan: CameraPlan, source: Source) -> Boxes:
        """The whole picture ``(1, 4)`` if an endoscope's frame alone may show the outside, else ``(0, 4)``."""
        judging = self.spec.endoscopy.judging
        area = recording_area(source, judging, first=plan.first, stop=plan.stop)
        (probability,) = judge_frames([frame], self.scope, area, judging).probabilities
        if probability < judging.doubt:
            return np.zeros((0, 4), np.float32)
        return np.array([[0, 0, *frame.upright_size]], np.float32)
