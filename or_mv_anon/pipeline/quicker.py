"""Whether a smaller person detector is quicker than the usual one on this very processor, by trying.

Eight-bit networks are: much on some processors, not at all on others, which have units for bf16.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from or_mv_anon.core.config import load_config
from or_mv_anon.core.listening import tell
from or_mv_anon.models.catalogue import weights_named
from or_mv_anon.models.detectors.families import open_detector
from or_mv_anon.models.detectors.protocol import Detector
from or_mv_anon.models.network_file import Engine, NetworkFile
from or_mv_anon.models.registry import fetch
from or_mv_anon.models.site_model import SiteModel, load_site_model
from or_mv_anon.pipeline.weights import QUICKER
from or_mv_anon.regions.networks import DETECTOR
from or_mv_anon.regions.registry import needed_weights

STUDENT = "student"
FRAME = (1920, 1080)  # px; only the picture's shape counts
ROUNDS = 7  # whose median counts
WORTH_IT = 0.9  # of the usual one's time, from which on down the smaller detector is taken


def smaller_is_quicker(folder: Path | None, engine: Engine, *, weights_dir: Path | None = None) -> bool:
    """Whether the smaller detector of a site model, or the built-in one in 8 bits, is worth taking here; says so.

    Args:
        folder: of the site model; None for the built-in networks.
        engine: where the networks are to run.
        weights_dir: where weights lie on a machine without internet access.

    Raises:
        UserError: the site model is damaged or missing, weights or the device are not to be had.
    """
    site = SiteModel(folder=Path()) if folder is None else load_site_model(folder)
    if site.student is None and site.detector is not None:
        tell(f"- {folder} has no smaller detector; its usual one looks less often.")
        return False
    pair = [_opened(site, role, engine, weights_dir) for role in (STUDENT, DETECTOR)]
    times = [[seconds_of_a_look(detector) for detector in pair] for _ in range(ROUNDS + 1)][1:]
    smaller, usual = np.median(times, axis=0)
    taken = bool(smaller <= WORTH_IT * usual)
    tell(
        f"- On this processor the smaller detector takes {smaller / usual:.2f} times what the usual one does; "
        f"it is {'' if taken else 'not '}taken."
    )
    return taken


def seconds_of_a_look(detector: Detector) -> float:
    """At one picture; on a processor only its own time counts, for other work may keep it waiting."""
    clock = time.process_time if detector.on_cpu else time.perf_counter
    width, height = detector.input_size(*FRAME)
    picture = np.full((height, width, 3), 114, np.uint8)
    started = clock()
    detector.detect([picture], size=FRAME)
    return clock() - started


def _opened(site: SiteModel, role: str, engine: Engine, weights_dir: Path | None) -> Detector:
    """A person detector at the size at which it runs; a built-in one where the site model has none."""
    config = load_config(model=site.thresholds.get(role, {})).detection
    path = getattr(site, role)
    if path is not None:
        return open_detector(NetworkFile(site.kinds[role], path), config, engine)
    name = needed_weights()[DETECTOR]
    name = QUICKER[name] if role == STUDENT else name
    return open_detector(NetworkFile(weights_named(name).kind, fetch(name, weights_dir=weights_dir)), config, engine)
