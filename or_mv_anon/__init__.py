"""Anonymize synchronized, uncalibrated multi-camera operating-room video.

Data flows ``Frame -> Observations -> Tracks -> Identities -> Regions -> Frame``; every arrow is a stage whose output is
stored (see ``core.records`` for the types, ``pipeline.profiles`` for the stages). From Python: `anonymize`, `adapt`,
`evaluate` and `Anonymizer`, see docs/python.md.
"""

import os
from typing import Any

__version__ = "0.1.0"

# Libraries that would report their use to their makers are told not to before any of them is imported. ONNX Runtime
# reads the first name, some versions of it the second; the third is a convention that others follow.
os.environ.update({"ORT_DISABLE_TELEMETRY": "1", "ORT_TELEMETRY_DISABLED": "1", "DO_NOT_TRACK": "1"})

# A small file can claim a picture larger than any memory: OpenCV, which reads this when it is loaded, refuses more.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 27))

_API = ("AnonymizeResult", "Anonymizer", "CameraResult", "SessionResult", "adapt", "anonymize", "evaluate")

__all__ = ["AnonymizeResult", "Anonymizer", "CameraResult", "SessionResult", "UserError", "__version__", "adapt",
           "anonymize", "evaluate"]  # fmt: skip


def __getattr__(name: str) -> Any:
    """The public functions, loaded when the first of them is asked for: the command line needs none of them."""
    if name in _API:
        from or_mv_anon import api

        return getattr(api, name)
    if name == "UserError":
        from or_mv_anon.core.errors import UserError

        return UserError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
