"""Which frames damage reaches: everything decoded after it, up to the next frame that depends on nothing before."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from or_mv_anon.video.damage.nal import Restarts

BEFORE_ALL = -1  # the chain of what is decoded before the first restart
NEAR_S = 10.0  # seconds: flipped bits rarely come alone
_KEPT = 512  # restarts and damage remembered of a stream that never ends; frames are held back far less


@dataclass
class Chains:
    """Damage and restarts of one stream while it is decoded. Places are numbers of packets in decoding order.

    A frame depends on whatever was decoded since the restart before it. One that is decoded after a restart and shown
    before it (a leading picture of an open group) depends on the group before as well.
    """

    _restarts: list[int] = field(default_factory=list)
    _restart_pts: list[int | None] = field(default_factory=list)
    _damage: list[int] = field(default_factory=list)

    def restart(self, number: int, pts: int | None) -> None:
        """Packet `number`, shown at `pts`, depends on nothing before it."""
        self._restarts.append(number)
        self._restart_pts.append(pts)
        if len(self._restarts) > 2 * _KEPT:
            del self._restarts[:_KEPT], self._restart_pts[:_KEPT]

    def damage(self, number: int) -> None:
        """Packet `number` is damaged."""
        if not self._damage or number > self._damage[-1]:
            self._damage.append(number)
        elif self._damage[bisect_left(self._damage, number)] != number:
            insort(self._damage, number)
        if len(self._damage) > 2 * _KEPT:
            del self._damage[:_KEPT]

    @property
    def latest(self) -> int | None:
        """The last damaged packet."""
        return self._damage[-1] if self._damage else None

    def reaches(self, number: int, pts: int | None) -> bool:
        """Whether damage reaches the frame of packet `number`, shown at `pts`."""
        place = bisect_right(self._restarts, number) - 1
        if place >= 0 and _leads(pts, self._restart_pts[place]) and self._restarts[place] != number:
            place -= 1
        start = self._restarts[place] if place >= 0 else BEFORE_ALL
        first = bisect_left(self._damage, start)
        return first < len(self._damage) and self._damage[first] <= number


def _leads(pts: int | None, restart: int | None) -> bool:
    return pts is not None and restart is not None and pts < restart


@dataclass(frozen=True, eq=False)
class DecodingOrder:
    """In what order a file's frames are decoded, and what its packets say of damage. Frames count in display order."""

    rank: NDArray[np.int64]  # (N,) place of each frame in decoding order
    restarts: NDArray[np.int64]  # (R,) ranks of the frames that depend on nothing before them, sorted
    broken: NDArray[np.int64]  # (B,) ranks of the frames whose packets are known to be damaged, sorted

    @classmethod
    def unknown(cls) -> DecodingOrder:
        """Of a file whose timestamps do not identify its frames."""
        return cls(*(np.zeros(0, np.int64) for _ in range(3)))

    @classmethod
    def of_packets(
        cls, carried: NDArray[np.int64], labels: Sequence[int | None], packets: Sequence[PacketFacts]
    ) -> DecodingOrder:
        """From a file's packets in decoding order.

        Args:
            carried: ``(N,)`` what each frame carries when it is decoded, in display order.
            labels: what each packet gives its frame to carry.
            packets: what is known of each.
        """
        places = {label: number for number, label in enumerate(labels) if label is not None}
        rank = np.array([places.get(label, len(packets)) for label in carried.tolist()], np.int64)
        restarts = np.flatnonzero([packet.restart for packet in packets])
        broken = np.flatnonzero([packet.broken for packet in packets])
        return cls(rank, restarts.astype(np.int64), broken.astype(np.int64))

    @classmethod
    def joined(cls, parts: Sequence[DecodingOrder]) -> DecodingOrder:
        """Of files that follow one another, each decoded by itself."""
        starts = np.cumsum([0, *(int(part.rank.max(initial=0)) + 1 for part in parts)])[:-1]
        return cls(
            np.concatenate([part.rank + start for part, start in zip(parts, starts, strict=True)]),
            np.concatenate([np.union1d(part.restarts, [0]) + start for part, start in zip(parts, starts, strict=True)]),
            np.concatenate([part.broken + start for part, start in zip(parts, starts, strict=True)]),
        )

    def reached(
        self,
        times: NDArray[np.float64],
        damaged: NDArray[np.bool_],
        doubtful: NDArray[np.bool_],
        *,
        first: int = 0,
        silent: bool = False,
    ) -> NDArray[np.bool_]:
        """Mask ``(M,)`` of the frames that damage reaches, whatever part of the file it was found in.

        Args:
            times: seconds of all frames ``(N,)``.
            damaged: mask ``(M,)`` of the frames, from number `first` on, in which damage was found.
            doubtful: mask ``(M,)`` of those that count as damaged too within `NEAR_S` of damage.
            first: number of the first of them.
            silent: whether damage may have gone unnoticed. Then it also reaches what comes at most `NEAR_S` before it
                in its chain, and everything between two damaged frames that are no farther apart.
        """
        part = slice(first, first + len(damaged))
        near = np.append(times[part][damaged], times[np.isin(self.rank, self.broken)])
        damaged = damaged | (doubtful & _is_near(times[part], np.sort(near)))
        if len(self.rank):
            rank, start = self.rank[part], self._starts(times)[part]
            found = np.append(np.union1d(rank[damaged], self.broken), np.iinfo(np.int64).max)
            damaged = damaged | (found[np.searchsorted(found, start)] <= rank)
        else:
            start = np.arange(len(damaged))
        return damaged | _surroundings(times[part], damaged, start) if silent and damaged.any() else damaged

    def _starts(self, times: NDArray[np.float64]) -> NDArray[np.int64]:
        """Rank of the restart that each frame's chain begins at, ``(N,)``."""
        if not len(self.restarts):
            return np.full(len(self.rank), BEFORE_ALL, np.int64)
        shown = np.zeros(int(self.rank.max(initial=0)) + 1)
        shown[self.rank] = times
        place = np.searchsorted(self.restarts, self.rank, side="right") - 1
        leads = (place >= 0) & (times < shown[self.restarts[np.maximum(place, 0)]])
        place -= leads
        return np.where(place >= 0, self.restarts[np.maximum(place, 0)], BEFORE_ALL)

    def to_json(self) -> dict[str, Any]:
        """Plain values that `from_json` reads back."""
        return {name: getattr(self, name).tolist() for name in ("rank", "restarts", "broken")}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> DecodingOrder:
        """What `to_json` wrote."""
        return cls(*(np.array(values[name], np.int64) for name in ("rank", "restarts", "broken")))


def _is_near(times: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mask of the `times` that lie within `NEAR_S` of one of the sorted times `at`."""
    following = np.append(at, np.inf)[np.searchsorted(at, times)]
    previous = np.append(-np.inf, at)[np.searchsorted(at, times, side="right")]
    return (following - times <= NEAR_S) | (times - previous <= NEAR_S)


def _surroundings(
    times: NDArray[np.float64], damaged: NDArray[np.bool_], chain: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """What lies closely before damage in its chain, or between two damaged frames."""
    at = times[damaged]
    following = np.append(at, np.inf)[np.searchsorted(at, times)]
    previous = np.append(-np.inf, at)[np.searchsorted(at, times, side="right")]
    before = (following - times <= NEAR_S) & np.isin(chain, chain[damaged])
    return before | (following - previous <= NEAR_S)


@dataclass
class PacketFacts:
    """What one packet of the video says without being decoded."""

    restart: bool  # nothing decoded after it depends on what came before, but for what is shown before it
    broken: bool  # the container knows of damage
    position: int | None  # byte in the file


class PacketWatcher:
    """Gathers what a stream's packets say, in their order."""

    def __init__(self, stream: VideoStream) -> None:
        self.packets: list[PacketFacts] = []
        self._restarts = Restarts(stream)

    def __call__(self, packet: av.Packet) -> None:
        self.packets.append(PacketFacts(self._restarts(packet), packet.is_corrupt, packet.pos))


def mark_broken(packets: Iterable[PacketFacts], spans: Sequence[tuple[int, int]]) -> None:
    """Mark the packets that begin in one of the damaged `spans` (first byte, byte behind the last)."""
    for packet in packets:
        if packet.position is not None and any(first <= packet.position < stop for first, stop in spans):
            packet.broken = True
