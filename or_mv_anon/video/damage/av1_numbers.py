"""Whether pictures are missing before a packet of AV1, told by the place that its pictures have in order of display.

Encoders give every shown picture the number behind that of the one shown before (``OrderHint``), so a number that is
left out is a packet that was lost; what comes up to the next keyframe may need it. Read are sequence headers (5.5) and
the beginning of frame headers (5.9.2) of the AV1 Bitstream & Decoding Process Specification.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from or_mv_anon.video.bits import Bits

_SEQUENCE, _HEADER, _FRAME = 1, 3, 6  # OBU types
_KEY, _INTRA_ONLY, _SWITCH = 0, 2, 3  # frame types
_SELECT = 2  # each frame says for itself
_BOX = 4  # bytes of an av1C box before its OBUs
_LARGEST = 64  # bytes that surely hold what is read of a frame header
_SLOTS = 8
_LEVELS_WITH_TIERS = 7


@dataclass
class _Sequence:
    order_bits: int = 0
    order_of_frames: bool = False  # pictures say when they are shown (temporal_point_info)
    presentation_bits: int = 0
    has_decoder_model: bool = False
    screen_content: int = _SELECT
    integer_motion: int = _SELECT
    id_bits: int = 0
    modelled: list[tuple[int, bool]] = field(default_factory=list)  # operating points: (idc, has a model)
    removal_bits: int = 0


class Av1Numbers:
    """Follows the order of one stream's shown pictures."""

    def __init__(self, extradata: bytes | None) -> None:
        self._sequence: _Sequence | None = None
        self._slots: list[int | None] = [None] * _SLOTS  # the numbers of the pictures that are kept
        self._last: int | None = None  # number of the last shown picture
        if extradata and extradata[0] == 0x81:
            self(extradata[_BOX:])

    def __call__(self, packet: bytes) -> bool:
        """Whether a picture is missing before the one that `packet` shows."""
        shown: list[tuple[int | None, bool]] = []
        for kind, layer, body in _units(packet):
            if kind == _SEQUENCE:
                self._sequence = _sequence(Bits(body))
            elif kind in (_HEADER, _FRAME) and self._sequence is not None and self._sequence.order_bits:
                found = self._frame(Bits(body[:_LARGEST]), self._sequence, layer)
                shown += [found] if found is not None else []
        if not shown or self._sequence is None:
            return False
        number, is_key = shown[-1]
        before, self._last = self._last, number
        if is_key or number is None or before is None:
            return False
        return number != (before + 1) % (1 << self._sequence.order_bits)

    def _frame(self, bits: Bits, sequence: _Sequence, layer: tuple[int, int] | None) -> tuple[int | None, bool] | None:
        """What a frame header shows: the number and whether it is a keyframe; None where it shows nothing."""
        if bits.flag():  # a picture that was kept
            return self._slots[bits.take(3)], False
        kind, is_shown = bits.take(2), bits.flag()
        if is_shown and sequence.order_of_frames:
            bits.take(sequence.presentation_bits)
        if not is_shown:
            bits.take(1)
        is_key = kind == _KEY and is_shown
        is_resilient = kind == _SWITCH or is_key or bits.flag()
        bits.take(1)
        tools = bits.take(1) if sequence.screen_content == _SELECT else sequence.screen_content
        if tools and sequence.integer_motion == _SELECT:
            bits.take(1)
        bits.take(sequence.id_bits)
        if kind != _SWITCH:
            bits.take(1)
        number = bits.take(sequence.order_bits)
        if kind not in (_KEY, _INTRA_ONLY) and not is_resilient:
            bits.take(3)
        if sequence.has_decoder_model and bits.flag():
            for idc, has_model in sequence.modelled:
                in_layer = layer is None or ((idc >> layer[0]) & 1 and (idc >> (layer[1] + 8)) & 1)
                bits.take(sequence.removal_bits * (has_model and (idc == 0 or bool(in_layer))))
        kept = (1 << _SLOTS) - 1 if kind == _SWITCH or is_key else bits.take(_SLOTS)
        self._slots = [number if (kept >> place) & 1 else old for place, old in enumerate(self._slots)]
        return (number, is_key) if is_shown else None


def _sequence(bits: Bits) -> _Sequence:
    found = _Sequence()
    bits.take(4)
    if bits.flag():  # a still picture with nothing but itself
        return found
    delay_bits = 0
    if bits.flag():  # times
        bits.take(64)
        equal = bits.flag()
        if equal:
            bits.exp_golomb()
        found.has_decoder_model = bits.flag()
        if found.has_decoder_model:
            delay_bits = bits.take(5) + 1
            bits.take(32)
            found.removal_bits, found.presentation_bits = bits.take(5) + 1, bits.take(5) + 1
            found.order_of_frames = not equal
    has_delays = bits.flag()
    for _ in range(bits.take(5) + 1):
        idc, level = bits.take(12), bits.take(5)
        bits.take(int(level > _LEVELS_WITH_TIERS))
        has_model = found.has_decoder_model and bits.flag()
        bits.take((2 * delay_bits + 1) * has_model)
        found.modelled.append((idc, has_model))
        if has_delays and bits.flag():
            bits.take(4)
    across, down = bits.take(4) + 1, bits.take(4) + 1
    bits.take(across + down)
    if bits.flag():
        found.id_bits = bits.take(4) + 2
        found.id_bits += bits.take(3) + 1
    bits.take(7)
    has_order = bits.flag()
    bits.take(2 * has_order)
    found.screen_content = _SELECT if bits.flag() else bits.take(1)
    if found.screen_content:
        found.integer_motion = _SELECT if bits.flag() else bits.take(1)
    found.order_bits = bits.take(3) + 1 if has_order else 0
    return found


def _units(data: bytes) -> Iterator[tuple[int, tuple[int, int] | None, bytes]]:
    """Type, (temporal, spatial) layer and body of every OBU, 5.3."""
    place = 0
    while place < len(data):
        head = data[place]
        place += 1
        layer = None
        if head & 4:
            layer = (data[place] >> 5, (data[place] >> 3) & 3) if place < len(data) else None
            place += 1
        size, shift = len(data) - place, 0
        if head & 2:
            size = 0
            while place < len(data) and shift < 56:
                size |= (data[place] & 0x7F) << shift
                shift, place = shift + 7, place + 1
                if not data[place - 1] & 0x80:
                    break
        yield (head >> 3) & 15, layer, data[place : place + size]
        place += size
