"""The sender's wall clock comes from its reports, and counts only where it can be true."""

from __future__ import annotations

import struct

import pytest

from or_mv_anon.live.relay import Replies
from or_mv_anon.live.sender_clock import NTP_EPOCH, SenderClock
from or_mv_anon.video.live.timeline import LARGEST_JITTER, Timeline

PLAY = b"RTSP/1.0 200 OK\r\nRTP-Info: url=rtsp://h/a/stream=0;seq=7;rtptime=4294967000\r\n\r\n"


def report(wall: float, ticks: int) -> bytes:
    """A sender report, and a source description behind it."""
    whole = int(wall)
    body = struct.pack(">IIIIII", 1, whole + NTP_EPOCH, int((wall - whole) * 2**32), ticks % 2**32, 5, 6)
    return b"\x80\xc8\x00\x06" + body + b"\x81\xca\x00\x02" + b"\0" * 8


def packet(channel: int, data: bytes) -> bytes:
    return b"$" + bytes([channel]) + len(data).to_bytes(2, "big") + data


@pytest.mark.parametrize("size", [1, 9, 10_000])
def test_a_report_tells_when_a_picture_was_taken_however_it_comes(size: int) -> None:
    clock = SenderClock()
    replies = Replies(clock)
    pictures = packet(0, b"\x80\x60\0\1" + (4294967000).to_bytes(4, "big") + b"\0" * 60)
    stream = PLAY + pictures + packet(1, report(1_700_000_010.25, 4294967000 + 10 * 90_000)) + pictures
    passed = b"".join(replies.passed(stream[start : start + size]) for start in range(0, len(stream), size))
    assert passed == stream
    assert clock.wall(12.0) == pytest.approx(1_700_000_012.25, abs=1e-4)


def test_without_a_report_or_with_sound_first_nothing_is_told() -> None:
    clock = SenderClock()
    clock.packet(0, b"\x80\x60\0\1" + b"\0" * 8)
    assert clock.wall(1.0) is None
    clock.packet(1, b"\x80\xc8\x00\x06")
    clock.packet(1, b"")
    assert clock.wall(1.0) is None
    clock.packet(1, report(1000.0, 0))
    assert clock.wall(1.0) == pytest.approx(1001.0)
    clock.reply(b"RTSP/1.0 200 OK\r\n\r\nm=audio 0 RTP/AVP 97\r\nm=video 0 RTP/AVP 96\r\n")
    assert clock.wall(1.0) is None


def test_a_sender_whose_clock_is_wrong_is_not_believed() -> None:
    timeline = Timeline()
    for n in range(10):
        assert timeline.taken(n / 10, 100 + n / 10, 99.9 + n / 10) == pytest.approx(99.9 + n / 10)
    assert timeline.by_sender
    assert timeline.taken(1.0, 101.0, 101.0 - LARGEST_JITTER - 1) == pytest.approx(101.0)
    assert not timeline.by_sender
    assert timeline.taken(1.1, 101.1, 105.0) <= 101.1
