"""What is to be done, resolved once: nothing further inside knows the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from or_mv_anon.core.config import PipelineConfig, load_config
from or_mv_anon.endoscopy.settings import EndoscopyConfig, load_endoscopy_config
from or_mv_anon.models.network_file import Engine
from or_mv_anon.models.runtime import Device, Precision, require_device
from or_mv_anon.operators.cells import Method
from or_mv_anon.pipeline.learned_method import Learned, find_learned
from or_mv_anon.pipeline.options import ExecutorName, MethodChoice, Options
from or_mv_anon.pipeline.weights import (
    NetworkChoice,
    Weights,
    find_weights,
    knows_heads,
    require_attackers,
    with_embedder,
)
from or_mv_anon.site import Session
from or_mv_anon.video.encoding import encoder_options


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """One run over the sessions of a site.

    Attributes:
        config, endoscopy: all thresholds.
        weights: of every network that looks at pictures.
        method: how regions are covered.
        learned: the networks of drawn heads; None unless `method` is learned.
        device, precision: where and how networks run.
        audio: keep the sound.
        start, end: the part that is processed, in seconds of session time; None for all.
        workers: processes; None for a number that fits the machine.
        executor: where jobs run: processes of this machine, or tasks of a Ray cluster.
        address: of the cluster; None starts one on this machine alone.
        attack: let recognizers try the output.
        weights_dir: where weights lie on a machine without internet access.
        model: the site model that is used, if any.
        asked: how the run was asked for, for the audit.
    """

    config: PipelineConfig
    endoscopy: EndoscopyConfig
    weights: tuple[Weights, ...] = ()
    method: MethodChoice = "solid"
    learned: Learned | None = None
    device: Device = "auto"
    precision: Precision = "auto"
    audio: bool = False
    start: float | None = None
    end: float | None = None
    workers: int | None = None
    executor: ExecutorName = "local"
    address: str | None = None
    attack: bool = False
    weights_dir: Path | None = None
    model: Path | None = None
    asked: Mapping[str, Any] = field(default_factory=dict)

    @property
    def operator(self) -> Method:
        """What covers regions wherever no head is drawn over them."""
        return self.config.learned.strict if self.method == "learned" else self.method

    def engine(self, *, threads: int) -> Engine:
        """Where networks run, with so many threads each on a processor."""
        return Engine(device=self.device, precision=self.precision, threads=threads)


def resolve(options: Options, config: PipelineConfig, sessions: Sequence[Session]) -> RunSpec:
    """Everything that the options mean for these sessions: files read, weights fetched, impossible wishes refused.

    Args:
        options: what was asked for.
        config: of `effective_config`.
        sessions: of the site.

    Raises:
        UserError: something that is asked for is not to be had.
    """
    weights: list[Weights] = []
    if not options.render_only:
        weights, config = networks_of(options.networks, config, sessions)
    if options.executor == "local":  # elsewhere the machines that do the work say what they have
        require_device(options.device)
    learned = find_learned(options, config)
    if options.attack:
        require_attackers(config.attack, weights_dir=options.weights_dir)
    return RunSpec(
        config=config,
        endoscopy=load_endoscopy_config(options.endoscope_config),
        weights=tuple(weights),
        method=options.method,
        learned=learned,
        device=options.device,
        precision=options.precision,
        audio=options.audio,
        start=options.start,
        end=options.end,
        workers=options.workers,
        executor=options.executor,
        address=options.address,
        attack=options.attack,
        weights_dir=options.weights_dir,
        model=None if options.render_only else options.model,
        asked=asdict(options),
    )


def networks_of(
    choice: NetworkChoice, config: PipelineConfig, sessions: Sequence[Session]
) -> tuple[list[Weights], PipelineConfig]:
    """The weights of all networks that the sessions' cameras need, and the settings as these networks want them.

    Raises:
        UserError: they cannot be had, or the site model is damaged.
    """
    kinds = {camera.kind for session in sessions for camera in session.cameras}
    weights = with_embedder(find_weights(choice, kinds), sessions, choice, config)
    if knows_heads(weights):
        config = replace(config, heads=replace(config.heads, interval_s=0.0))  # they come with every look for people
    return weights, config


def effective_config(options: Options) -> PipelineConfig:
    """The configuration file with the options' changes.

    Raises:
        UserError: see `load_config`.
    """
    overrides = video_overrides(codec=options.codec, crf=options.crf, preset=options.preset)
    if options.detect_every is not None:
        overrides["detection"] = {"interval_s": options.detect_every}
    model = {} if options.render_only else options.networks.thresholds()
    return load_config(options.config, overrides, model=model, fast=options.fast)


def video_overrides(*, codec: str | None, crf: int | None, preset: str | None) -> dict[str, dict[str, Any]]:
    """Changes to the configuration's section about the output video; None keeps what is there.

    Raises:
        UserError: there is no such preset.
    """
    if preset is not None:
        encoder_options("libx264", crf=0, preset=preset, threads=1)  # refuses unknown ones
    wanted = {"codec": codec, "crf": crf, "preset": preset}
    return {"video": {name: value for name, value in wanted.items() if value is not None}}
