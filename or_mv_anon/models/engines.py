"""The inference engines as this project imports them: without the parts that report their use to their makers.

ONNX Runtime writes a device id and contacts its maker while it is being imported, before any call could forbid it; only
an environment variable that is there earlier keeps it silent. This package's own `__init__` sets it, so that worker
processes, and libraries that import the engine on their own, inherit it.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

_CUDA_LIBRARY = "capi/*onnxruntime_providers_cuda*"
_DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"


def onnxruntime() -> ModuleType:
    """ONNX Runtime, imported at the first call.

    Raises:
        ImportError: it is not installed.
    """
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # where the variables are unknown, as on Windows
    with contextlib.suppress(Exception):  # it only helps finding CUDA libraries that came as wheels
        onnxruntime.preload_dlls()
    return onnxruntime


def openvino() -> ModuleType:
    """OpenVINO, imported at the first call."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # it reports usage over the network
    import openvino

    return openvino


@functools.cache
def openvino_core() -> Any:
    """OpenVINO's core, one for as long as the process lives.

    Its CPU plugin gives this thread a stack for signals and unmaps it when it goes. With a core for every network, the
    first of two that went left the thread with a stack that was not there any more: the next Ctrl-C was a crash.
    """
    return openvino().Core()


def cuda_obstacle() -> str | None:
    """Why ONNX Runtime has no CUDA here, or None; a session may still fail to open. Nothing is imported for it."""
    found = importlib.util.find_spec("onnxruntime")
    if found is None or not found.submodule_search_locations:
        return "onnxruntime-gpu is not installed"
    if not any(any(Path(place).glob(_CUDA_LIBRARY)) for place in found.submodule_search_locations):
        return "the installed onnxruntime has no CUDA (onnxruntime-gpu has)"
    try:
        ctypes.CDLL(_DRIVER)
    except OSError:
        return f"there is no NVIDIA driver ({_DRIVER})"
    return None
