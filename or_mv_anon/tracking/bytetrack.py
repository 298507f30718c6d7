"""ByteTrack's association, one frame after another, for one camera and one direction of time.

Every detection counts: strong ones first, then weak ones for the people who are still without, because a weak box
where somebody was a moment ago is that somebody (Zhang et al., ECCV 2022). All tracks live in a few arrays.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as box_geometry
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import TrackingConfig
from or_mv_anon.tracking import kalman
from or_mv_anon.tracking.matching import Indices, best_pairs

_CONFIRMED: Final = 0
_UNCONFIRMED: Final = 1  # seen in one frame only
_LOST: Final = 2


class ByteTracker:
    """Follows the people of one camera; call `update` once per analysed frame.

    Unlike the original it tells a track's id from its first detection on, measures its buffer in seconds, and lets
    time steps vary. Nothing is shared between instances.
    """

    def __init__(self, config: TrackingConfig) -> None:
        self._config = config
        self._state = kalman.initiate(np.zeros((0, 4)))
        self._ids = np.zeros(0, np.int32)
        self._phase = np.zeros(0, np.int8)
        self._born = np.zeros(0)
        self._seen = np.zeros(0)
        self._time: float | None = None
        self._next_id = 0

    def update(self, boxes: Boxes, scores: NDArray[np.float32], time: float) -> NDArray[np.int32]:
        """Associates one frame's detections.

        Args:
            boxes: ``(N, 4)`` xyxy pixels; N may be 0.
            scores: ``(N,)`` in [0, 1].
            time: seconds; never less than the call before (for a backward pass, pass negated times).

        Returns:
            Track id of every detection ``(N,)``, -1 where no track took it.

        Raises:
            ValueError: time went back.
        """
        if self._time is not None and time < self._time:
            raise ValueError(f"expected frames in order of time, got {time} s after {self._time} s")
        first_frame = self._time is None
        elapsed = 0.0 if self._time is None else time - self._time
        self._time = time
        ids = np.full(len(boxes), -1, np.int32)
        high = scores >= self._config.high_score
        seen = kalman.measurements(boxes)
        if len(self._ids):
            kalman.predict(self._state, seconds=elapsed, lost=self._phase == _LOST)
            rows, columns = self._associate(boxes, scores, high)
            kalman.correct(self._state, rows, seen[columns])
            ids[columns] = self._ids[rows]
            self._settle(rows, time)
        born = np.flatnonzero(high & (ids < 0) & (scores >= self._config.new_track_score))
        if len(born):
            ids[born] = self._start(seen[born], time, _CONFIRMED if first_frame else _UNCONFIRMED)
        if (self._phase == _LOST).any():
            self._remove_duplicates()
        return ids

    def _associate(self, boxes: Boxes, scores: NDArray[np.float32], high: NDArray[np.bool_]) -> tuple[Indices, Indices]:
        """Matched track rows and detection columns of the three rounds together."""
        config = self._config
        overlap = box_geometry.iou(kalman.boxes(self._state), boxes)
        fused = overlap * (scores * high)
        unconfirmed = self._phase == _UNCONFIRMED
        any_unconfirmed = unconfirmed.any()
        known = fused * ~unconfirmed[:, None] if any_unconfirmed else fused
        rounds = [best_pairs(known, least=config.match_iou)]
        low = ~high & (scores >= config.low_score)
        if low.any():
            open_tracks = self._phase == _CONFIRMED
            open_tracks[rounds[0][0]] = False
            if open_tracks.any():
                rounds.append(best_pairs(overlap * low * open_tracks[:, None], least=config.second_match_iou))
        if any_unconfirmed:
            free = high.copy()
            free[rounds[0][1]] = False
            rounds.append(best_pairs(fused * free * unconfirmed[:, None], least=config.unconfirmed_match_iou))
        if len(rounds) == 1:
            return rounds[0]
        return np.concatenate([rows for rows, _ in rounds]), np.concatenate([columns for _, columns in rounds])

    def _settle(self, rows: Indices, time: float) -> None:
        """Confirms the matched tracks `rows`, loses or forgets the others."""
        was_unconfirmed = self._phase == _UNCONFIRMED
        self._phase[:] = _LOST
        self._phase[rows] = _CONFIRMED
        self._seen[rows] = time
        if len(rows) < len(self._ids):
            missed = self._phase == _LOST
            gone = missed & (was_unconfirmed | (time - self._seen > self._config.lost_buffer_s + kalman.SAME_TIME_S))
            if gone.any():
                self._keep(~gone)

    def _start(self, seen: kalman.Measurements, time: float, phase: int) -> NDArray[np.int32]:
        ids = np.arange(self._next_id, self._next_id + len(seen), dtype=np.int32)
        self._next_id += len(seen)
        self._state = np.concatenate([self._state, kalman.initiate(seen)], axis=1)
        self._ids = np.concatenate([self._ids, ids])
        self._phase = np.concatenate([self._phase, np.full(len(seen), phase, np.int8)])
        self._born = np.concatenate([self._born, np.full(len(seen), time)])
        self._seen = np.concatenate([self._seen, np.full(len(seen), time)])
        return ids

    def _remove_duplicates(self) -> None:
        """Of a followed and a lost track in one place, the one that lasted longer stays."""
        lost, followed = np.flatnonzero(self._phase == _LOST), np.flatnonzero(self._phase != _LOST)
        current = kalman.boxes(self._state)
        same = box_geometry.iou(current[followed], current[lost]) > self._config.duplicate_iou
        if not same.any():
            return
        age = self._seen - self._born
        followed_stays = age[followed][:, None] > age[lost][None, :]
        keep = np.ones(len(self._ids), bool)
        keep[lost[(same & followed_stays).any(axis=0)]] = False
        keep[followed[(same & ~followed_stays).any(axis=1)]] = False
        self._keep(keep)

    def _keep(self, mask: NDArray[np.bool_]) -> None:
        self._state = self._state[:, mask]
        self._ids, self._phase = self._ids[mask], self._phase[mask]
        self._born, self._seen = self._born[mask], self._seen[mask]
