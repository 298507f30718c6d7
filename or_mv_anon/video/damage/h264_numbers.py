"""Whether pictures are missing before a packet of H.264, told by the numbers that its pictures carry (``frame_num``).

A picture that others refer to counts one up, so that a decoder knows when one is lost: a frame that is no IDR picture
has the number behind that of the last such picture (ITU-T H.264, 7.4.3). Read are the parameter sets as far as needed
(7.3.2.1.1, 7.3.2.2) and the beginning of slice headers (7.3.3).
"""

from __future__ import annotations

from typing import NamedTuple

from or_mv_anon.video.bits import Bits
from or_mv_anon.video.slices import SLICES, length_bytes, units

_IDR, _SEQUENCE, _PICTURE = 5, 7, 8  # NAL unit types, Table 7-1
_INTRA = (2, 4, 7, 9)  # slice types, Table 7-6
_HEADER = 32  # bytes that surely hold a slice header up to what is read
_HIGH = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)  # profiles with more in their headers
_COLOURS_APART = 3  # chroma_format_idc
_LISTS = 6  # of 16 factors, before those of 64


class _Sequence(NamedTuple):
    number_bits: int  # of frame_num
    colours_apart: bool
    frames_only: bool
    may_skip: bool  # numbers may be left out although nothing is lost


class H264Numbers:
    """Follows the numbers of one stream's pictures."""

    def __init__(self, extradata: bytes | None) -> None:
        self._lengths = length_bytes(extradata)
        self._sequences: dict[int, _Sequence] = {}
        self._pictures: dict[int, int] = {}  # from a picture's parameter set to its sequence's
        self._last: int | None = None  # number of the last picture that others refer to
        self._may_restart = False  # it may have been told to count as 0 (memory_management_control_operation 5)
        self._was_field = False
        for unit in _stored_sets(extradata) if self._lengths else _split(extradata or b"", 0):
            self._learn(unit)

    def __call__(self, packet: bytes) -> bool:
        """Whether a picture is missing that `packet` or what is stored after it may need."""
        return any([self._follow(unit) for unit in _split(packet, self._lengths)])

    def _follow(self, unit: bytes) -> bool:
        if unit[0] & 0x1F not in SLICES:
            self._learn(unit)
            return False
        bits = Bits.of_unit(unit[1:_HEADER])
        is_first, kind, picture = bits.exp_golomb() == 0, bits.exp_golomb(), bits.exp_golomb()
        sequence = self._sequences.get(self._pictures.get(picture, -1))
        if not is_first or sequence is None:
            return False
        bits.take(2 * sequence.colours_apart)
        number = bits.take(sequence.number_bits)
        is_field = not sequence.frames_only and bits.flag()
        is_idr = unit[0] & 0x1F == _IDR
        follows = is_idr or self._last is None or self._fits(number, sequence, is_field=is_field)
        if unit[0] & 0x60:  # others refer to it
            self._last, self._may_restart = number, kind in _INTRA and not is_idr
        elif not follows:
            self._last = (number - 1) % (1 << sequence.number_bits)
        self._was_field = is_field
        return not follows and not sequence.may_skip

    def _fits(self, number: int, sequence: _Sequence, *, is_field: bool) -> bool:
        assert self._last is not None
        if number == (self._last + 1) % (1 << sequence.number_bits):
            return True
        if is_field and self._was_field and number == self._last:
            return True  # the second field of a frame
        return self._may_restart and number <= 1

    def _learn(self, unit: bytes) -> None:
        kind, bits = unit[0] & 0x1F, Bits.of_unit(unit[1:])
        if kind == _PICTURE:
            picture = bits.exp_golomb()
            self._pictures[picture] = bits.exp_golomb()
        if kind == _SEQUENCE:
            profile = bits.take(8)
            bits.take(16)
            name = bits.exp_golomb()
            sequence = _sequence(bits, profile)
            if bits.left >= 0:
                self._sequences[name] = sequence


def _sequence(bits: Bits, profile: int) -> _Sequence:
    colours_apart = False
    if profile in _HIGH:
        chroma = bits.exp_golomb()
        colours_apart = chroma == _COLOURS_APART and bits.flag()
        bits.exp_golomb()  # bits of luma
        bits.exp_golomb()  # and of chroma
        bits.take(1)
        if bits.flag():
            for number in range(12 if chroma == _COLOURS_APART else 8):
                if bits.flag():
                    _skip_factors(bits, 16 if number < _LISTS else 64)
    number_bits = bits.exp_golomb() + 4
    order = bits.exp_golomb()
    if order == 0:
        bits.exp_golomb()
    elif order == 1:
        bits.take(1)
        bits.exp_golomb()
        bits.exp_golomb()
        for _ in range(min(255, bits.exp_golomb())):
            bits.exp_golomb()
    bits.exp_golomb()  # how many pictures are kept
    may_skip = bits.flag()
    bits.exp_golomb()  # width
    bits.exp_golomb()  # height
    return _Sequence(min(16, number_bits), colours_apart, bits.flag(), may_skip)


def _skip_factors(bits: Bits, count: int) -> None:
    last = following = 8
    for _ in range(count):
        if following:
            following = (last + bits.signed_exp_golomb()) % 256
        last = following or last


def _split(data: bytes, lengths: int) -> list[bytes]:
    """The NAL units of `data` that are not empty."""
    return [data[start:stop] for start, stop in units(data, lengths) if start < min(stop, len(data))]


def _stored_sets(extradata: bytes | None) -> list[bytes]:
    """The parameter sets of an ``avcC`` box, ISO/IEC 14496-15, 5.3.3.1."""
    data, found, place = extradata or b"", [], 5
    for mask in (0x1F, 0xFF):
        count = data[place] & mask if place < len(data) else 0
        place += 1
        for _ in range(count):
            stop = place + 2 + int.from_bytes(data[place : place + 2], "big")
            found += [data[place + 2 : stop]] if place + 2 < stop <= len(data) else []
            place = stop
    return found
