"""The networks of a live room, found and loaded before the first frame needs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from or_mv_anon.association.known_geometry import Geometry, load_geometry
from or_mv_anon.core.config import PipelineConfig, load_config
from or_mv_anon.endoscopy.classifier import OutOfBodyClassifier
from or_mv_anon.endoscopy.settings import EndoscopyConfig, load_endoscopy_config
from or_mv_anon.live.warm import ready_classifier
from or_mv_anon.models.network_file import Engine
from or_mv_anon.models.runtime import Device, Precision, require_device
from or_mv_anon.models.site_model import SiteModel, load_site_model
from or_mv_anon.pipeline.quicker import smaller_is_quicker
from or_mv_anon.pipeline.weights import NetworkChoice, Weights, find_weights, finds_people, network_files
from or_mv_anon.regions.networks import Networks, open_networks
from or_mv_anon.site import Kind


@dataclass(frozen=True, kw_only=True)
class WantedNetworks:
    """Which networks are asked for, and where they run.

    Attributes:
        model: a site model's folder; its smaller detector is taken if it has one, without a detector of its own the
            built-in one in 8 bits where that is quicker.
        weights_dir: where weights lie on a machine without internet access.
        endoscope_weights: of a network of the user's own.
        device, precision: where and how networks run.
        threads: of the processor that look, each with networks of its own; of a GPU there is one.
        config, endoscope_config: changes to the shipped settings.
    """

    model: Path | None = None
    weights_dir: Path | None = None
    endoscope_weights: Path | None = None
    device: Device = "auto"
    precision: Precision = "auto"
    threads: int = 1
    config: Path | None = None
    endoscope_config: Path | None = None


@dataclass(frozen=True, kw_only=True)
class ReadyNetworks:
    """Loaded networks and all settings that go with them.

    Attributes:
        networks: of room cameras, as many sets as look side by side; empty where there is no such camera.
        classifier: of endoscopes; None where there is none.
        site_model: that was asked for.
        geometry: of its cameras, if it has any.
        weights: of every network.
    """

    config: PipelineConfig
    endoscopy: EndoscopyConfig
    networks: tuple[Networks, ...]
    classifier: OutOfBodyClassifier | None
    site_model: SiteModel | None
    weights: tuple[Weights, ...]
    geometry: Geometry | None = None

    @property
    def knows_room(self) -> bool:
        """Whether networks that learned the room find people, and no smaller detector in their place."""
        site = self.site_model
        return site is not None and site.student is None and finds_people(self.weights, site.folder)


def ready_networks(wanted: WantedNetworks, kinds: Sequence[Kind]) -> ReadyNetworks:
    """Everything that cameras need, of which each is one of `kinds`; no more look side by side than there are.

    Raises:
        UserError: a network or the device is not to be had, or a setting is out of its range.
    """
    require_device(wanted.device)
    site_model = None if wanted.model is None else load_site_model(wanted.model)
    engine = Engine(device=wanted.device, precision=wanted.precision, threads=1)
    has_student = site_model is not None and site_model.student is not None
    choice = NetworkChoice(
        model=wanted.model,
        fast=has_student
        or ("room" in kinds and smaller_is_quicker(wanted.model, engine, weights_dir=wanted.weights_dir)),
        weights_dir=wanted.weights_dir,
        endoscope_weights=wanted.endoscope_weights,
    )
    config = load_config(wanted.config, model=choice.thresholds())
    endoscopy = load_endoscopy_config(wanted.endoscope_config)
    weights = find_weights(choice, kinds)
    networks, classifier = [], None
    if "room" in kinds:
        files = network_files([entry for entry in weights if entry.role in ("detector", "pose", "face")], engine)
        networks.append(open_networks(files, config))
        if networks[0].batch == 1:
            networks += [open_networks(files, config) for _ in range(min(wanted.threads, kinds.count("room")) - 1)]
    if "endoscope" in kinds:
        classifier = ready_classifier(
            wanted.endoscope_weights, device=wanted.device, precision=wanted.precision, threads=wanted.threads
        )
    return ReadyNetworks(
        config=config, endoscopy=endoscopy, networks=tuple(networks), classifier=classifier, site_model=site_model,
        weights=tuple(weights),
        geometry=None if site_model is None or site_model.geometry is None else load_geometry(site_model.geometry),
    )  # fmt: skip
