"""Writes trackers_parity.json: what the public `trackers` package (Apache-2.0, PyPI) makes of generated detections.

Run it where that package is installed: ``python tests/tracking/record_trackers_parity.py``. The test next to it reads
the file, so that it needs no package, and calls `trackers_ids` when the package is there.
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np

from or_mv_anon.core.config import TrackingConfig, load_config
from or_mv_anon.core.records import Detections
from tests.tracking.tracking_scenes import crowd

FIXTURE = Path(__file__).parent / "trackers_parity.json"
SCENE = {"seed": 42, "count": 150, "people": 5}
RATE = 30.0


def trackers_ids(detections: Detections, count: int, config: TrackingConfig) -> np.ndarray:
    """Ids ``(D,)`` that `trackers.ByteTrackTracker` gives to detections ordered by frame, -1 for none."""
    import supervision
    from trackers import ByteTrackTracker

    tracker = ByteTrackTracker(
        lost_track_buffer=round(config.lost_buffer_s * RATE),
        frame_rate=RATE,
        track_activation_threshold=config.new_track_score,
        minimum_consecutive_frames=2,
        minimum_iou_threshold=config.match_iou,
        high_conf_det_threshold=config.high_score,
    )
    ids = np.full(len(detections), -1)
    for frame in range(count):
        rows = np.flatnonzero(detections.frame == frame)
        found = tracker.update(
            supervision.Detections(
                xyxy=detections.box[rows].astype(float), confidence=detections.score[rows], data={"row": rows}
            )
        )
        if len(found):
            ids[found.data["row"]] = found.tracker_id
    return ids


def main() -> None:
    detections, frames = crowd(SCENE["seed"], count=SCENE["count"], people=SCENE["people"])
    detections = detections[np.argsort(detections.frame, kind="stable")]
    detections = detections.replace(box=detections.box.round(1), score=detections.score.round(3))
    ids = trackers_ids(detections, len(frames), load_config().tracking)
    rows = [
        [int(frame), *(round(float(side), 1) for side in box), round(float(score), 3), int(number)]
        for frame, box, score, number in zip(detections.frame, detections.box, detections.score, ids, strict=True)
    ]
    record = {
        "package": f"trackers {version('trackers')} (Apache-2.0), ByteTrackTracker",
        "columns": ["frame", "x1", "y1", "x2", "y2", "score", "id"],
        "frames": len(frames),
        "rate": RATE,
    }
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    FIXTURE.write_text(json.dumps(record, indent=1)[:-2] + ',\n "rows": [\n' + lines + "\n]}\n")


if __name__ == "__main__":
    main()
