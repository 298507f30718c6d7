"""The package from Python: whole jobs on folders, and a frame-by-frame anonymizer for those who bring their own video.

Nothing is printed; progress comes by callback. What the command line ends with exit code 2 is raised as `UserError`
here, and what it ends with exit code 1 is in the result's `problems`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.audit.document import verdict
from or_mv_anon.core.config import PipelineConfig, load_config
from or_mv_anon.core.listening import Caller, Progress, heard_by
from or_mv_anon.core.private import private_files
from or_mv_anon.models.runtime import Device

if TYPE_CHECKING:
    from or_mv_anon.audit.document import Audit
    from or_mv_anon.evaluation.evaluate import Evaluation
    from or_mv_anon.operators.cells import Method
    from or_mv_anon.pipeline.pipeline import SessionOutcome

Place = str | os.PathLike[str]
Picture = NDArray[np.uint8]
HOLD_FRAMES = 12  # for which a place stays covered after nothing was found there any more
_PATHS = {"videos", "out", "model", "weights_dir", "endoscope_weights", "config", "endoscope_config", "modifier"}


@dataclass(frozen=True)
class CameraResult:
    """One camera's part of an anonymized session.

    Attributes:
        name: of the camera.
        output: the anonymized file or folder of pictures; None where there is none.
        verified: whether every frame of it was checked.
    """

    name: str
    output: Path | None
    verified: bool


@dataclass(frozen=True)
class SessionResult:
    """One anonymized session.

    Attributes:
        name: of the session.
        out: folder of its results.
        cameras: one per input.
        problems: whole sentences; empty when all is well.
        audit: everything else that is known of it; None where it could not be made at all.
    """

    name: str
    out: Path
    cameras: tuple[CameraResult, ...]
    problems: tuple[str, ...]
    audit: Audit | None


@dataclass(frozen=True)
class AnonymizeResult:
    """What `anonymize` did.

    Attributes:
        sessions: in order.
    """

    sessions: tuple[SessionResult, ...]

    @property
    def ok(self) -> bool:
        """Whether every camera has a verified output and nothing needs a look; not that nobody was missed."""
        return all(not session.problems for session in self.sessions)


def anonymize(
    videos: Place, out: Place, *, progress: Callable[[Progress], None] | None = None, **options: Any
) -> AnonymizeResult:
    """Anonymize every session of a site, as ``or-mv-anon anonymize`` does; finished work is kept and not done again.

    Args:
        videos: site folder, or a single video.
        out: where the results go.
        progress: called now and then.
        options: of `pipeline.options.Options`, such as ``method="solid"``, ``model="room_model/"``, ``end=60.0``.

    Raises:
        UserError: nothing could be done.
        TypeError: an option is unknown.
    """
    from or_mv_anon.pipeline.options import Options
    from or_mv_anon.pipeline.pipeline import run_site

    asked = Options(**_as_paths({"videos": videos, "out": out, **options}))
    with private_files(), heard_by(Caller(progress)):
        return AnonymizeResult(tuple(_session_result(outcome) for outcome in run_site(asked)))


def adapt(videos: Place, out: Place, *, progress: Callable[[Progress], None] | None = None, **options: Any) -> Path:
    """Learn a room from its own recordings, as ``or-mv-anon adapt`` does; needs the extra `adapt`.

    Args:
        videos: site folder.
        out: where the site model goes.
        progress: called now and then.
        options: of `adaptation.options.AdaptOptions`, such as ``budget_minutes=60``.

    Returns:
        The site model's folder, for ``anonymize(..., model=...)``.

    Raises:
        UserError: nothing could be learned.
        TypeError: an option is unknown.
    """
    from or_mv_anon.adaptation.options import AdaptOptions
    from or_mv_anon.openmmlab.compatibility import prepare

    asked = AdaptOptions(**_as_paths({"videos": videos, "out": out, **options}, _PATHS | {"start"}))
    prepare()
    from or_mv_anon.adaptation.loop import adapt_site

    with private_files(), heard_by(Caller(progress)):
        adapt_site(asked)
    return asked.out


def evaluate(run: Place, truth: Place) -> Evaluation:
    """Judge the output of one anonymized session against exact ground truth, as ``or-mv-anon evaluate`` does.

    Args:
        run: the output folder of one session.
        truth: folder of the ground truth.

    Raises:
        UserError: the input cannot be judged.
    """
    from or_mv_anon.core.truth import load_truth
    from or_mv_anon.evaluation.evaluate import Rules, evaluate_run

    return evaluate_run(Path(run), load_truth(Path(truth)), Rules())


class Anonymizer:
    """Covers heads in pictures of one camera that come one after another, for those who bring their own video loop.

    Every candidate of the detectors is covered, and a place stays covered for `HOLD_FRAMES` frames after nothing was
    found there any more. It knows neither the future nor other cameras, so `anonymize` misses less and covers less; use
    it wherever there are files. A picture in which anything fails comes back black.

    Args:
        method: how heads are covered; ``none`` is not possible here.
        config: all thresholds; None for the shipped ones.
        device: where networks run.

    Raises:
        UserError: networks are not to be had.
    """

    def __init__(
        self, *, method: Method = "solid", config: PipelineConfig | None = None, device: Device = "cpu"
    ) -> None:
        from or_mv_anon.pipeline.weights import built_in_networks
        from or_mv_anon.regions.networks import load_networks

        if method == "none":
            raise ValueError("method none covers nothing; expected solid, pixelate or blur")
        self._method: Method = method
        self._config = config or load_config()
        self._networks = load_networks(built_in_networks(device=device), self._config)
        self._held: list[NDArray[np.float32]] = []
        self.problems: list[str] = []

    def cover(self, frames: Iterable[Picture]) -> Iterator[Picture]:
        """Covered copies of upright BGR pictures ``(h, w, 3)`` uint8, in order, one for each."""
        for number, picture in enumerate(frames):
            covered = np.array(picture, copy=True, order="C")
            try:
                self._cover(covered, number)
            except Exception as error:  # fail closed: what cannot be judged is not shown
                self.problems.append(f"frame {number}: covered whole ({type(error).__name__}: {error})")
                covered[...] = 0
            yield covered

    def _cover(self, picture: Picture, number: int) -> None:
        from or_mv_anon.operators.cells import cover
        from or_mv_anon.regions.single_picture import find_regions
        from or_mv_anon.video.frame import from_picture
        from or_mv_anon.video.pixels import planes_of_picture

        found = find_regions(from_picture(picture, number), self._networks, self._config)
        self._held = [*self._held, found][-(HOLD_FRAMES + 1) :]
        cover(planes_of_picture(picture), np.concatenate(self._held), self._method, self._config.operators)


def _session_result(outcome: SessionOutcome) -> SessionResult:
    audit = outcome.audit
    if audit is None:
        told = () if outcome.well else (outcome.error or "Some cameras cannot be used.",)
        return SessionResult(outcome.name, outcome.out, (), told, None)
    written = {output.camera: output for output in audit.outputs}
    cameras = tuple(
        CameraResult(
            video.camera,
            outcome.out / written[video.camera].name if video.camera in written else None,
            video.camera in written and written[video.camera].verified,
        )
        for video in audit.inputs
    )
    problems = () if outcome.well else (*audit.alarms, *audit.problems) or (verdict(audit).sentence,)
    return SessionResult(outcome.name, outcome.out, cameras, problems, audit)


def _as_paths(options: dict[str, Any], names: set[str] = _PATHS) -> dict[str, Any]:
    """Options with paths where text may stand for one."""
    return {
        name: Path(cast(str, value)) if name in names and isinstance(value, str | os.PathLike) else value
        for name, value in options.items()
    }
