"""Clocks that jump while a recording runs: transport streams put behind each other, encoders that were restarted.

Pictures keep their order and lose no time to a clock that goes back: what follows is spliced to what came before, as
FFmpeg does it (``ts_discontinuity_detect``). A clock that goes forward says that there was a pause, which is kept,
since the other cameras went on; only a leap no pause explains is another clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from or_mv_anon.video.demux import Packets

_BACK_S = 0.1  # a clock that goes back by more has jumped (FFmpeg's AV_TIME_BASE / 10)
_LEAP_S = 3600.0  # forward, in containers whose clock may jump at all
_PAUSE_S = 10.0  # worth a note from here on (FFmpeg's dts_delta_threshold)


@dataclass(frozen=True)
class Splice:
    """A place from which on the clock is another one."""

    packet: int  # its first packet of the video stream, counted from 0
    position: int  # bytes from the start of the file; what lies behind belongs to the other clock
    ticks: int  # to add to timestamps from here on
    seen: int  # the timestamp in the file


@dataclass(frozen=True)
class Pause:
    """A stretch in which nothing was recorded.

    Attributes:
        packet: the first one behind it, counted from 0.
        at: seconds at which the last picture before it begins.
        seconds: its length.
    """

    packet: int
    at: float
    seconds: float


def find_splices(
    packets: Packets, time_base: Fraction, *, may_jump: bool, rate: Fraction, reorders: bool = True
) -> tuple[Splice, ...]:
    """Where the decoding times of `packets` jump; a stream that keeps its order may give presentation times alone.

    Args:
        packets: of the video stream.
        time_base: seconds per tick.
        may_jump: the container is one whose clock may leap forward as well (FFmpeg's AVFMT_TS_DISCONT).
        rate: frames per second, for packets that do not say how long they last.
        reorders: pictures are stored in another order than shown.
    """
    usual = max(1, round(1 / (rate * time_base)))
    splices: list[Splice] = []
    added = 0
    last: int | None = None
    following = 0
    for number, (decoded, shown) in enumerate(zip(packets.dts, packets.pts, strict=True)):
        dts = shown if decoded is None and not reorders else decoded
        if dts is None:
            continue
        if last is not None:
            back = (last - dts) * time_base > _BACK_S
            leap = may_jump and (dts - following) * time_base > _LEAP_S
            if back or leap:
                added += following - dts
                splices.append(Splice(number, packets.position[number] or 0, added, dts))
        last, following = dts, dts + (packets.duration[number] or usual)
    return tuple(splices)


def spliced(packets: Packets, ticks: list[int | None], splices: tuple[Splice, ...]) -> list[int | None]:
    """The `ticks` of all packets on one clock that never goes back."""
    added = [0] * len(packets.pts)
    for splice in splices:
        added[splice.packet :] = [splice.ticks] * (len(added) - splice.packet)
    return [None if tick is None else tick + more for tick, more in zip(ticks, added, strict=True)]


def find_pauses(splices: tuple[Splice, ...], packets: Packets, time_base: Fraction) -> list[Pause]:
    """Where the clock says that nothing was recorded for long."""
    times = spliced(packets, packets.dts, splices)
    known = [
        (number, tick, length)
        for number, (tick, length) in enumerate(zip(times, packets.duration, strict=True))
        if tick is not None
    ]
    return [
        Pause(number, float(tick * time_base), seconds)
        for (_, tick, length), (number, later, _) in pairwise(known)
        if (seconds := float((later - tick - length) * time_base)) > _PAUSE_S
    ]


def clock_notes(splices: tuple[Splice, ...], packets: Packets, time_base: Fraction) -> list[str]:
    """Sentences about a clock that jumps, and about long pauses."""
    notes = []
    for splice in splices:
        seen, at = splice.seen * time_base, (splice.seen + splice.ticks) * time_base
        notes.append(
            f"Its clock jumps to {float(seen):.3f} s at {float(at):.3f} s; what follows is spliced to what came before."
        )
    notes += [
        f"It pauses for {pause.seconds:.1f} s at {pause.at:.3f} s; the pause is kept."
        for pause in find_pauses(splices, packets, time_base)
    ]
    return notes
