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

from or_mv_anon.video.damage.losses import LossWatcher
from or_mv_anon.video.damage.nal import Restarts

BEFORE_ALL = -1  # the chain of what is decoded before the first restart
RUN_UP = 32  # packets: an H.264 decoder keeps 16 frames at most, in up to two packets each
NEAR_S = 10.0  # seconds: flipped bits rarely come alone
_KEPT = 512  # restarts and damage remembered of a stream that never ends; frames are held back far less


@dataclass
class Chains:
    """Damage and restarts of one stream while it is decoded. Places are numbers of packets in decoding order.

    A frame depends on whatever was decoded since the restart before it. One that is decoded after a restart and shown
    before it (a leading picture of an open group) depends on the group before as well.
    """

    _restarts: list[int] = field(default_factory=list)
    _shown: list[int | None] = field(default_factory=list)  # when the restarts are shown
    _damage: list[int] = field(default_factory=list)

    def restart(self, number: int, shown: int | None) -> None:
        """Packet `number` depends on nothing before it; `shown` grows in display order, None if unknown."""
        self._restarts.append(number)
        self._shown.append(shown)
        if len(self._restarts) > 2 * _KEPT:
            del self._restarts[:_KEPT], self._shown[:_KEPT]

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

    def hits(self, number: int) -> bool:
        """Whether packet `number` itself is damaged."""
        place = bisect_left(self._damage, number)
        return place < len(self._damage) and self._damage[place] == number

    def reaches(self, number: int, shown: int | None) -> bool:
        """Whether damage reaches the frame of packet `number`; `shown` as for `restart`."""
        place = bisect_right(self._restarts, number) - 1
        if place >= 0 and _leads(shown, self._shown[place]) and self._restarts[place] != number:
            place -= 1
        start = self._restarts[place] if place >= 0 else BEFORE_ALL
        first = bisect_left(self._damage, start)
        return first < len(self._damage) and self._damage[first] <= number


def _leads(shown: int | None, restart: int | None) -> bool:
    return shown is None or restart is None or shown < restart


_ARRAYS = ("rank", "restarts", "broken", "resets")


@dataclass(frozen=True, eq=False)
class DecodingOrder:
    """In what order a file's frames are decoded, and what its packets say of damage. Frames count in display order."""

    rank: NDArray[np.int64]  # (N,) place of each frame in decoding order
    restarts: NDArray[np.int64]  # (R,) ranks of the frames that depend on nothing before them, sorted
    broken: NDArray[np.int64]  # (B,) ranks of the frames whose packets are known to be damaged, sorted
    # (S,) ranks of the restarts behind which nothing even mentions what came before, sorted
    resets: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def unknown(cls) -> DecodingOrder:
        """Of a file whose timestamps do not identify its frames."""
        return cls(*(np.zeros(0, np.int64) for _ in range(4)))

    @classmethod
    def of_packets(
        cls, carried: NDArray[np.int64], labels: Sequence[int | None], packets: Sequence[PacketFacts]
    ) -> DecodingOrder:
        """From a file's packets in decoding order.

        Args:
            carried: ``(N,)`` what each frame carries when it is decoded, in display order.
            labels: what each packet gives its frame to carry.
            packets: what is known of each. Damage of one that holds no frame of its own, such as a second field, counts
                to the frame before.
        """
        places = {label: number for number, label in enumerate(labels) if label is not None}
        rank = np.array([places.get(label, len(packets)) for label in carried.tolist()], np.int64)
        numbers = np.arange(len(packets))
        holds = np.isin(numbers, rank)
        frame = np.maximum.accumulate(np.where(holds, numbers, BEFORE_ALL))
        facts = np.array([(packet.restart, packet.broken, packet.reset) for packet in packets], bool).reshape(-1, 3)
        restarts, resets = (np.flatnonzero(holds & facts[:, column]) for column in (0, 2))
        return cls(rank, restarts, np.unique(frame[facts[:, 1]]), resets)

    @classmethod
    def joined(cls, parts: Sequence[DecodingOrder]) -> DecodingOrder:
        """Of files that follow one another, each decoded by itself."""
        starts = np.cumsum([0, *(int(part.rank.max(initial=0)) + 1 for part in parts)])[:-1]
        return cls(
            np.concatenate([part.rank + start for part, start in zip(parts, starts, strict=True)]),
            np.concatenate([np.union1d(part.restarts, [0]) + start for part, start in zip(parts, starts, strict=True)]),
            np.concatenate([part.broken + start for part, start in zip(parts, starts, strict=True)]),
            np.concatenate([part.resets + start for part, start in zip(parts, starts, strict=True)]),
        )

    @property
    def leading(self) -> int:
        """How many frames are shown before the first that is decoded.

        They need what came before the file, such as in one that was cut out of another, and nothing else needs them.
        """
        begins = np.flatnonzero(self.rank == 0)
        return int(begins[0]) if len(begins) and len(self.restarts) and self.restarts[0] == 0 else 0

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
            silent: whether damage may have gone unnoticed. Then it also reaches what is at most `NEAR_S` away in its
                chain and in those beside it, and everything between two damaged frames that are no farther apart.
        """
        part = slice(first, first + len(damaged))
        found_here, damaged = damaged, damaged & (np.arange(part.start, part.stop) >= self.leading)
        near = np.append(times[part][damaged], times[np.isin(self.rank, self.broken)])
        damaged = damaged | (doubtful & _is_near(times[part], np.sort(near)))
        if len(self.rank):
            rank, start = self.rank[part], self._starts(times)[part]
            found = np.append(np.union1d(rank[damaged], self.broken), np.iinfo(np.int64).max)
            damaged = damaged | (found[np.searchsorted(found, start)] <= rank)
        else:
            start = np.arange(len(damaged))
        if silent and damaged.any():
            damaged = damaged | _surroundings(times[part], damaged, start)
        return damaged | found_here

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

    def run_up(self, keyframes: NDArray[np.int64], position: int) -> int:
        """Where among `keyframes` (frame numbers, sorted) to begin in order to decode the one at `position`.

        Pictures of an open group, and the marks of H.264 that say which pictures are kept, mention what came before;
        a decoder that has not seen it calls that damage.
        """
        if not len(self.rank):
            return position
        ranks = self.rank[keyframes]
        while position > 0 and ranks[position] not in self.restarts:
            position -= 1  # a recovery point: its picture comes about bit by bit, from others before it
        for place in range(position, 0, -1):
            is_far = ranks[position] - ranks[place] >= RUN_UP and ranks[place] in self.restarts
            if is_far or ranks[place] in self.resets:
                return place
        return 0

    def to_json(self) -> dict[str, Any]:
        """Plain values that `from_json` reads back."""
        return {name: getattr(self, name).tolist() for name in _ARRAYS}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> DecodingOrder:
        """What `to_json` wrote."""
        return cls(*(np.array(values[name], np.int64) for name in _ARRAYS))


def _around(times: NDArray[np.float64], at: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each of `times` the last of the sorted times `at` up to it and the first from it on, infinite for none."""
    previous = np.append(-np.inf, at)[np.searchsorted(at, times, side="right")]
    return previous, np.append(at, np.inf)[np.searchsorted(at, times)]


def _is_near(times: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mask of the `times` that lie within `NEAR_S` of one of the sorted times `at`."""
    previous, following = _around(times, at)
    return (following - times <= NEAR_S) | (times - previous <= NEAR_S)


def _surroundings(
    times: NDArray[np.float64], damaged: NDArray[np.bool_], chain: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """What lies near damage in its chain or in one beside it, or between two damaged frames."""
    previous, following = _around(times, times[damaged])
    place = np.unique(chain, return_inverse=True)[1]
    beside = np.isin(place, (place[damaged][:, None] + (-1, 0, 1)).ravel())
    return (beside & _is_near(times, times[damaged])) | (following - previous <= NEAR_S)


@dataclass
class PacketFacts:
    """What one packet of the video says without being decoded."""

    restart: bool  # nothing decoded after it depends on what came before, but for what is shown before it
    broken: bool  # it is known to be damaged, or what was lost before it is needed
    position: int | None  # byte in the file
    reset: bool = False  # nothing decoded after it even mentions what came before


class BrokenWatcher:
    """Tells the packets that the container knows to be damaged.

    Where a parser cuts the packets out of a stream of bytes, as in transport streams, FFmpeg says it of the packet
    before the damaged one.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._is_cut = stream.container.format.name == "mpegts"
        self._previous = False

    def __call__(self, packet: av.Packet) -> bool:
        """Whether `packet` may be damaged."""
        previous, self._previous = self._previous, bool(packet.is_corrupt)
        return self._previous or (self._is_cut and previous)


class PacketWatcher:
    """Gathers what a stream's packets say, in their order."""

    def __init__(self, stream: VideoStream) -> None:
        self.packets: list[PacketFacts] = []
        self._restarts = Restarts(stream)
        self._broken = BrokenWatcher(stream)
        self._lost = LossWatcher(stream)

    def __call__(self, packet: av.Packet) -> None:
        restart, reset = self._restarts(packet), self._restarts.is_reset(packet)
        lost = self._lost(packet)
        if lost and restart and self.packets:  # it needs nothing itself, but what leads it does
            self.packets[-1].broken = True
        self.packets.append(PacketFacts(restart, self._broken(packet) or (lost and not restart), packet.pos, reset))


def mark_broken(packets: Iterable[PacketFacts], spans: Sequence[tuple[int, int]]) -> None:
    """Mark the packets that begin in one of the damaged `spans` (first byte, byte behind the last)."""
    for packet in packets:
        if packet.position is not None and any(first <= packet.position < stop for first, stop in spans):
            packet.broken = True
