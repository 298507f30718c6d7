"""Anonymize synchronized, uncalibrated multi-camera operating-room video.

Data flows ``Frame -> Detections -> Tracks -> Keypoints -> Regions -> Frame``; every arrow is a stage whose
output is stored (see ``records`` for the types, ``store`` for the files, ``anonymization.pipeline`` for the order).
"""

import os

__version__ = "0.1.0"

# A small file can claim a picture larger than any memory: OpenCV, which reads this when it is loaded, refuses more.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 27))
