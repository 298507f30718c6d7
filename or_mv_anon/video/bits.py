"""Reads the numbers of a video stream's headers bit by bit."""

from __future__ import annotations

_ESCAPED = b"\0\0\3"  # ITU-T H.264, 7.4.1: the 3 is no part of the data


class Bits:
    """Bits of `data` from the first on; what lies behind the last reads as 0.

    Attributes:
        left: how many are left; below 0 where more was asked for.
    """

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self.left = 8 * len(data)

    @classmethod
    def of_unit(cls, data: bytes) -> Bits:
        """Of a NAL unit's body."""
        return cls(data.replace(_ESCAPED, _ESCAPED[:2]))

    def take(self, count: int) -> int:
        """The next `count` bits as an unsigned number."""
        self.left -= count
        return (self._value >> self.left) & ((1 << count) - 1) if self.left >= 0 else 0

    def flag(self) -> bool:
        """The next bit."""
        return self.take(1) == 1

    def exp_golomb(self) -> int:
        """An unsigned number, ITU-T H.264, 9.1; 0 where the data end."""
        zeros = 0
        while self.left > 0 and self.take(1) == 0:
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)

    def signed_exp_golomb(self) -> int:
        """A signed number, ITU-T H.264, 9.1.1."""
        code = self.exp_golomb()
        return (code + 1) // 2 if code % 2 else -(code // 2)
