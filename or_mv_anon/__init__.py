"""Anonymize synchronized, uncalibrated multi-camera operating-room video.

Data flows ``Frame -> Detections -> Tracks -> Keypoints -> Regions -> Frame``; every arrow is a stage whose
output is stored (see ``core.records`` for the types, ``core.store`` for the files, ``pipeline.pipeline`` for the
order).
"""

import os

__version__ = "0.1.0"

# Libraries that would report their use to their makers are told not to before any of them is imported. ONNX Runtime
# reads the first name, some versions of it the second; the third is a convention that others follow.
os.environ.update({"ORT_DISABLE_TELEMETRY": "1", "ORT_TELEMETRY_DISABLED": "1", "DO_NOT_TRACK": "1"})

# A small file can claim a picture larger than any memory: OpenCV, which reads this when it is loaded, refuses more.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 27))
