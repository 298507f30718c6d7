"""In which order and when a file's pictures are shown, and how each is recognized when it is decoded.

Most containers store when each picture is shown. Some do not (AVI, ASF and MXF, MP4 without its `ctts` box): FFmpeg
then makes timestamps up that rise in the order of decoding, although B-pictures are stored behind pictures that are
shown after them. There the decoder is asked: the pictures come in its order, at the times that the file has, sorted.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.video.clock import Splice, spliced
from or_mv_anon.video.demux import Packets, Span
from or_mv_anon.video.labels import Label, decoded_labels

_INVISIBLE_FRAMES = {"vp8"}  # codecs whose packets may hold a frame that is never shown
_FIELD_CODECS = {"h264", "mpeg2video", "vc1", "hevc"}  # whose packets may hold one field of an interlaced frame
_FIELD_TRIAL = 100  # packets
_MADE_UP_ANEW = ("asf",)  # timestamps differ after a seek, so they recognize nothing


@dataclass(frozen=True)
class StreamTraits:
    """What `show_order` needs to know of a stream besides its packets."""

    codec: str
    container: str  # FFmpeg's demuxer name
    reorders: bool  # pictures may be stored in another order than shown
    interlaced: bool
    rate: Fraction  # frames per second
    time_base: Fraction
    span: Span | None = None  # part of the file


@dataclass(frozen=True, eq=False)
class ShowOrder:
    """The pictures in the order in which they are shown.

    Attributes:
        pts: (N,) strictly increasing ticks.
        label: how frames are recognized.
        labels: (N,) what they carry; None where that is `pts`.
        keyframes: ticks of the frames that decoding can start at, sorted.
        seekable: whether labels are known after a seek.
        whole: every packet holds one frame.
        lost: packets whose picture the decoder never showed.
    """

    pts: NDArray[np.int64]
    label: Label
    labels: NDArray[np.int64] | None
    keyframes: NDArray[np.int64]
    seekable: bool
    whole: bool = True
    lost: int = 0

    @property
    def carried(self) -> NDArray[np.int64]:
        """(N,) what the frames carry when they are decoded."""
        return self.pts if self.labels is None else self.labels

    def labels_of(self, packets: Packets) -> list[int | None]:
        """What the frame of each packet carries."""
        return list(range(len(packets.pts))) if self.label == "number" else _of(packets, self.label)


def show_order(path: Path, packets: Packets, splices: tuple[Splice, ...], traits: StreamTraits) -> ShowOrder:
    """Find out, decoding the whole file only where its packets leave doubt."""
    packed = traits.codec == "mpeg4" and traits.container == "avi"  # times are those of packets with two pictures
    doubtful = traits.reorders and (packets.rising or packed)
    label = _label(packets, splices, traits, doubtful=doubtful)
    fields = traits.interlaced and traits.codec in _FIELD_CODECS and _holds_fields(path, traits)
    if label != "number" and not fields and not doubtful and traits.codec not in _INVISIBLE_FRAMES:
        return _told_by_packets(packets, label)
    decoded = decoded_labels(path, label, codec=traits.codec, span=traits.span)
    shown = np.array(list(dict.fromkeys(one for one in decoded if one is not None)), np.int64)
    hides = fields or traits.codec in _INVISIBLE_FRAMES
    lost = 0 if hides else len(packets.pts) - len(shown)
    if label == "number":
        times = _times_by_number(packets, splices, traits, doubtful=doubtful)[shown]
        if not (np.diff(times) > 0).all():
            times = _strictly_increasing(np.sort(times))
        return ShowOrder(times, label, shown, times[:1], seekable=False, whole=not hides, lost=lost)
    pts = np.sort(shown)
    keys = [_of(packets, label)[i] for i, is_key in enumerate(packets.is_key) if is_key]
    keyframes = np.sort(pts[np.isin(shown, np.array(keys, np.int64))])
    labels = None if (shown == pts).all() else shown
    return ShowOrder(pts, label, labels, keyframes, seekable=True, whole=not hides, lost=lost)


def _label(packets: Packets, splices: tuple[Splice, ...], traits: StreamTraits, *, doubtful: bool) -> Label:
    if not splices and traits.container == "avi" and _distinct(packets.dts):
        return "dts"  # the frame's number; presentation times are made up from it
    if splices or not packets.reliable or (doubtful and traits.container in _MADE_UP_ANEW):
        return "number"
    return "pts"


def _told_by_packets(packets: Packets, label: Label) -> ShowOrder:
    by_time = np.array(packets.pts if packets.reliable else packets.dts, np.int64)
    carried = np.array(_of(packets, label), np.int64)
    order = np.argsort(by_time)
    labels, pts = carried[order], np.sort(carried)
    is_key = np.array(packets.is_key, bool)[order]
    return ShowOrder(pts, label, None if (labels == pts).all() else labels, pts[is_key], seekable=True)


def _of(packets: Packets, label: Label) -> list[int | None]:
    return packets.dts if label == "dts" else packets.pts


def _holds_fields(path: Path, traits: StreamTraits) -> bool:
    """Whether a frame takes two packets, told by the first ones."""
    labels = decoded_labels(path, "number", codec=traits.codec, span=traits.span, most=_FIELD_TRIAL)
    return bool(labels) and len(labels) < 0.6 * (1 + max(label for label in labels if label is not None))


def _times_by_number(
    packets: Packets, splices: tuple[Splice, ...], traits: StreamTraits, *, doubtful: bool
) -> NDArray[np.int64]:
    """A tick for every packet: presentation times, or decoding times where those are not distinct or made up."""
    pts = spliced(packets, packets.pts, splices)
    dts = spliced(packets, packets.dts, splices)
    if (doubtful or not _distinct(pts)) and _distinct(dts):
        return np.array(dts, np.int64)
    known = np.array([number for number, tick in enumerate(pts) if tick is not None], np.int64)
    step = 1 / (traits.rate * traits.time_base)
    if not len(known):
        return np.array([round(number * step) for number in range(len(pts))], np.int64)
    ticks = np.array([tick for tick in pts if tick is not None], np.float64)
    numbers = np.arange(len(pts))
    filled = np.interp(numbers, known, ticks)
    filled += (np.minimum(numbers - known[0], 0) + np.maximum(numbers - known[-1], 0)) * float(step)
    return np.round(filled).astype(np.int64)


def _distinct(ticks: list[int | None]) -> bool:
    return None not in ticks and len(set(ticks)) == len(ticks)


def _strictly_increasing(pts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The nearest later ticks with no two alike: ``max over j <= i of (pts[j] + i - j)``."""
    steps = np.arange(len(pts))
    return np.maximum.accumulate(pts - steps) + steps
