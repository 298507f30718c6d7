"""Lets mmdet and mmpose, which are no longer released, run on current torch with nothing compiled.

Call `prepare` before either is imported. What it puts in place steps aside where the real part is installed.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
import types
import warnings
from contextlib import redirect_stdout
from functools import cache
from importlib.machinery import ModuleSpec
from typing import Any

from or_mv_anon.core.errors import UserError

NEEDED = ("torch", "mmengine", "mmcv", "mmdet", "pycocotools")
PACKAGES = ("mmengine", "mmcv", "mmdet", "mmpose")


@cache
def prepare() -> None:
    """Makes the OpenMMLab packages importable, silent, and safe in what they load.

    Raises:
        UserError: a package that training needs is not installed.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f"Adapting to a site needs {', '.join(missing)}, not installed here; run `make setup-adapt` in a checkout, "
            "or pip install 'or_mv_anon[adapt,quantize]' and pip install --no-deps mmpose==1.3.2."
        )
    _silence()
    _provide_operators()
    _provide_masks()
    _provide_picture_conversion()
    from mmengine.logging import MMLogger
    from mmengine.runner.checkpoint import CheckpointLoader

    from or_mv_anon.openmmlab.checkpoints import read_without_code

    MMLogger.get_instance("mmengine", log_level="ERROR")
    CheckpointLoader.register_scheme(prefixes="", loader=read_without_code, force=True)
    with redirect_stdout(None):  # a package that mmdet looks for prints that it lacks another
        import mmdet.models  # noqa: F401  # fills the registries


def _silence() -> None:
    """Their warnings and reports concern their own developers; ours go through progress bars and errors."""
    for name in PACKAGES:
        logging.getLogger(name).setLevel(logging.ERROR)
        warnings.filterwarnings("ignore", module=rf"{name}\.")
    warnings.filterwarnings("ignore", message=".*torch.cuda.amp.*")
    warnings.filterwarnings("ignore", message=".*torch.meshgrid.*")
    warnings.filterwarnings("ignore", message=".*pkg_resources.*")


def _provide_operators() -> None:
    if "mmcv._ext" in sys.modules or importlib.util.find_spec("mmcv._ext") is not None:
        return
    from or_mv_anon.openmmlab.ops import OPERATORS

    extension = _Operators("mmcv._ext")
    extension.__spec__ = ModuleSpec("mmcv._ext", None)
    extension.__dict__.update(OPERATORS)
    sys.modules["mmcv._ext"] = extension


class _Operators(types.ModuleType):
    """mmcv asks at import for every operator by name; those that are not provided raise when they are called."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def missing(*_: Any, **__: Any) -> None:
            raise NotImplementedError(f"mmcv's operator {name} needs mmcv's compiled extension, which is not installed")

        return missing


def _provide_masks() -> None:
    """xtcocotools' wheel was compiled for numpy 1; pycocotools has the same module."""
    if importlib.util.find_spec("xtcocotools") is None:
        return
    try:
        import xtcocotools._mask
    except (ImportError, ValueError):
        import pycocotools._mask
        import xtcocotools

        sys.modules["xtcocotools._mask"] = xtcocotools._mask = pycocotools._mask


def _provide_picture_conversion() -> None:
    """mmpose's drawing, which we never call, imports one class of torchvision, which has no build for this torch."""
    if importlib.util.find_spec("torchvision") is not None:
        return
    package, transforms = types.ModuleType("torchvision"), types.ModuleType("torchvision.transforms")
    for module in (package, transforms):
        module.__spec__ = ModuleSpec(module.__name__, None)
    package.__dict__.update(__path__=[], __version__="0", transforms=transforms)
    transforms.__dict__["ToPILImage"] = type("ToPILImage", (), {})
    sys.modules.update({"torchvision": package, "torchvision.transforms": transforms})
