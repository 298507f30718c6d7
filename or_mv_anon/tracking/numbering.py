"""Tracks of several origins as one set."""

from __future__ import annotations

from collections.abc import Iterable

from or_mv_anon.core.records import Tracks


def numbered_on(parts: Iterable[Tracks]) -> Tracks:
    """All parts, each numbered from 0 on, after one another; the numbers of each go on where the last ended."""
    numbered: list[Tracks] = []
    count = 0
    for part in parts:
        numbered.append(part.replace(track=part.track + count))
        count += int(part.track.max(initial=-1)) + 1
    return Tracks.concat(numbered)
