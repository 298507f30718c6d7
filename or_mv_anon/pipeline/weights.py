"""The weights of every network that a run needs: the built-in ones, a site model's, or the user's own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from or_mv_anon.core.config import AttackConfig, PipelineConfig
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.listening import tell
from or_mv_anon.endoscopy.classifier import ROLE as ENDOSCOPE_ROLE
from or_mv_anon.endoscopy.classifier import find_network
from or_mv_anon.models import landmarks
from or_mv_anon.models.catalogue import Asset, known_weights, weights_named
from or_mv_anon.models.detectors.families import PERSON_KINDS, kind_of
from or_mv_anon.models.network_file import Engine, NetworkFile
from or_mv_anon.models.recognizers import open_recognizers
from or_mv_anon.models.registry import fetch, sha256
from or_mv_anon.models.runtime import Device
from or_mv_anon.models.site_model import SiteModel, load_site_model
from or_mv_anon.models.site_thresholds import Thresholds
from or_mv_anon.operators.drawn.release_check import chosen
from or_mv_anon.regions.networks import MMDET, NetworkFiles
from or_mv_anon.regions.registry import needed_weights
from or_mv_anon.regions.sources.appearance import EMBEDDER as EMBEDDER_ROLE
from or_mv_anon.regions.sources.head import HEAD_NETWORK, KNOWS_HEADS
from or_mv_anon.site import Kind, Session

EMBEDDER = "osnet-x1-msmt17"
QUICKER = {"people-and-heads": "people-and-heads-8bit"}
"""Built-in detectors that have a smaller one, and which."""
FINDING = ("detector", "face")  # roles of networks that find whom no other finds
DETECTOR_CONFIG_ROLE = "detector_config"
MMDET_ENDINGS = [(".py",), (".pth", ".pt")]  # of a configuration and its checkpoint
OWN_DETECTOR = (
    "an ONNX file (YOLOX, RF-DETR, D-FINE, RT-DETR), the name of a registered person detector, or an mmdet "
    "configuration (.py) and checkpoint (.pth)"
)


@dataclass(frozen=True)
class Weights:
    """One network's weights: registered ones, or those of a site model.

    Attributes:
        kind: of a detector: the family that reads it, see `models.detectors.families`.
    """

    role: str
    name: str
    path: str
    sha256: str
    licence: str
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class NetworkChoice:
    """Which networks a user wants in the place of the built-in ones.

    Attributes:
        model: a site model's folder.
        fast: take its smaller person detector, or the smaller built-in one if it has none of its own.
        detector: a person detector of the user's choice: an ONNX file, the name of a registered one, or an mmdet
            configuration and a checkpoint.
        weights_dir: where weights lie on a machine without internet access.
        endoscope_weights: of a network of the user's own.
    """

    model: Path | None = None
    fast: bool = False
    detector: tuple[Path, ...] | None = None
    weights_dir: Path | None = None
    endoscope_weights: Path | None = None

    @property
    def detector_role(self) -> str:
        """The role in the site model of the network that finds people."""
        return "student" if self.fast else "detector"

    def thresholds(self) -> Thresholds:
        """The settings that come with the site model's person detector.

        Raises:
            UserError: the site model is damaged or missing.
        """
        if self.model is None:
            return {}
        return load_site_model(self.model).thresholds.get(self.detector_role, {})


def find_weights(choice: NetworkChoice, kinds: Collection[Kind]) -> list[Weights]:
    """The weights of every network that cameras of these `kinds` need, fetched if need be.

    Raises:
        UserError: they cannot be had, or the site model is damaged.
    """
    rooms = _room_weights(choice) if "room" in kinds else []
    return rooms + (_endoscope_weights(choice) if "endoscope" in kinds else [])


def with_embedder(
    weights: list[Weights], sessions: Sequence[Session], choice: NetworkChoice, config: PipelineConfig
) -> list[Weights]:
    """`weights` and, if people are to be compared in any of `sessions`, those of the network that does it.

    Where they cannot be had, this is printed: everything else works without.
    """
    if not config.association.use_appearance or not any(map(_shows_room_twice, sessions)):
        return weights
    try:
        path = fetch(EMBEDDER, weights_dir=choice.weights_dir)
    except UserError as error:
        tell(f"- People are not compared by their looks, only by where they stand. {error}")
        return weights
    asset = weights_named(EMBEDDER)
    return [*weights, Weights(EMBEDDER_ROLE, EMBEDDER, str(path), asset.sha256, asset.licence)]


def weights_for_session(weights: Sequence[Weights], session: Session) -> list[Weights]:
    """Without the embedder where there is nobody to compare: fewer than two cameras show the room."""
    return [entry for entry in weights if entry.role != EMBEDDER_ROLE or _shows_room_twice(session)]


def _shows_room_twice(session: Session) -> bool:
    return sum(camera.kind == "room" for camera in session.cameras) >= 2


def _endoscope_weights(choice: NetworkChoice) -> list[Weights]:
    path = find_network(choice.endoscope_weights)
    licence = "the project's own" if choice.endoscope_weights is None else "the user's own"
    return [Weights(ENDOSCOPE_ROLE, path.stem, str(path), sha256(path), licence)]


def _room_weights(choice: NetworkChoice) -> list[Weights]:
    site = load_site_model(choice.model) if choice.model else SiteModel(folder=Path())
    found = []
    if choice.detector is not None:
        found += _own_detector(choice.detector, site, choice.weights_dir)
    for role, name in needed_weights().items():
        if any(entry.role == role for entry in found) or (role == HEAD_NETWORK and knows_heads(found)):
            continue
        own = getattr(site, choice.detector_role if role == "detector" else role, None)
        if own is not None:
            kind = site.kinds[choice.detector_role if role == "detector" else role]
            found.append(Weights(role, f"{site.folder.name}/{own.name}", str(own), sha256(own), "the site's own", kind))
        else:
            name = QUICKER.get(name, name) if choice.fast and role == "detector" else name
            asset = weights_named(name)
            path = fetch(name, weights_dir=choice.weights_dir)
            found.append(Weights(role, name, str(path), asset.sha256, asset.licence, asset.kind))
    return found


def knows_heads(weights: Sequence[Weights]) -> bool:
    """Whether the person detector finds heads in the same pass, so that nothing else has to."""
    return any(entry.role == "detector" and entry.kind == KNOWS_HEADS for entry in weights)


def finds_people(weights: Sequence[Weights], site: Path) -> bool:
    """Whether the site model in the folder `site` brought any of the networks that find whom no other finds."""
    folder = site.resolve()
    return any(each.role in FINDING and Path(each.path).resolve().is_relative_to(folder) for each in weights)


def _own_detector(files: tuple[Path, ...], site: SiteModel, weights_dir: Path | None) -> list[Weights]:
    if site.detector is not None:
        raise UserError(f"--detector: {site.folder} names a person detector, too; leave out --detector or --model.")
    return own_detector(files, option="--detector", weights_dir=weights_dir)


def own_detector(files: tuple[Path, ...], *, option: str, weights_dir: Path | None = None) -> list[Weights]:
    """The weights of a person detector of the user's choice; see `NetworkChoice.detector`.

    Args:
        files: as the command line has them.
        option: that named them, for the error.
        weights_dir: where registered weights lie on a machine without internet access.

    Raises:
        UserError: they are no such files.
    """
    if len(files) == 1 and (asset := _registered(files[0])) is not None:
        path = fetch(asset.name, weights_dir=weights_dir)
        return [Weights("detector", asset.name, str(path), asset.sha256, asset.licence, asset.kind)]
    if len(files) > len(MMDET_ENDINGS):
        raise UserError(f"{option} takes {OWN_DETECTOR}; {len(files)} files were given.")
    for path, suffixes in zip(files, [(".onnx",)] if len(files) == 1 else MMDET_ENDINGS, strict=True):
        if path.suffix not in suffixes or not path.is_file():
            raise UserError(f"{option} takes {OWN_DETECTOR}; {path} is no such file.")
    if len(files) == 1:
        (path,) = files
        name, digest = path.name, sha256(path)
        return [Weights("detector", name, str(path.absolute()), digest, "the user's own", kind_of(path))]
    return [
        Weights(role, path.name, str(path.absolute()), sha256(path), "the user's own", MMDET)
        for role, path in zip((DETECTOR_CONFIG_ROLE, "detector"), files, strict=True)
    ]


def _registered(path: Path) -> Asset | None:
    """The registered person detector that is called so, if `path` is no file."""
    asset = known_weights().get(path.name)
    return None if path.exists() or asset is None or asset.kind not in PERSON_KINDS else asset


def network_files(weights: Sequence[Weights], engine: Engine) -> NetworkFiles:
    """The networks as the workers load them."""
    config = next((Path(entry.path) for entry in weights if entry.role == DETECTOR_CONFIG_ROLE), None)
    files = tuple(
        (entry.role, NetworkFile(entry.kind, Path(entry.path), config if entry.kind == MMDET else None))
        for entry in weights
        if entry.role != DETECTOR_CONFIG_ROLE
    )
    return NetworkFiles(files, engine)


def built_in_networks(*, device: Device = "cpu") -> NetworkFiles:
    """The networks that come with the tool, outside any run; fetched if need be.

    Raises:
        UserError: they cannot be had.
    """
    files = tuple((role, NetworkFile(weights_named(name).kind, fetch(name))) for role, name in needed_weights().items())
    return NetworkFiles(files, Engine(device=device))


def require_attackers(config: AttackConfig, *, weights_dir: Path | None) -> None:
    """Look before a job whether an attack on its output can be made after it.

    Raises:
        UserError: a recognizer's package or weights are not to be had.
    """
    fetch(landmarks.WEIGHTS, weights_dir=weights_dir)
    open_recognizers(chosen(config.recognizers), weights_dir=weights_dir)
