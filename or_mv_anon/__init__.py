"""Anonymize synchronized, uncalibrated multi-camera operating-room video.

Data flows ``Frame -> Detections -> Tracks -> Keypoints -> Regions -> Frame``; every arrow is a stage whose
output is stored (see ``records`` for the types, ``store`` for the files, ``anonymization.pipeline`` for the order).
"""

__version__ = "0.1.0"
