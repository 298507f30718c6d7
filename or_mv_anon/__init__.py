"""Anonymize synchronized, uncalibrated multi-camera operating-room video.

Data flows ``Frame -> Detections -> Tracks -> Keypoints -> Regions -> Frame``; every arrow is a stage whose
output is stored (see ``records`` for the types, ``store`` for the files, ``anonymization.pipeline`` for the order).
"""

from or_mv_anon.models.engines import forbid_reports

__version__ = "0.1.0"

forbid_reports()  # before any library that would report its use is imported
