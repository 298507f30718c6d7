"""No user name, password or token of a stream's address is shown, however it is written."""

from __future__ import annotations

import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.redaction import redacted, redacted_address

ADDRESSES = [
    ("rtsp://10.0.0.7/scope", "rtsp://10.0.0.7/scope"),
    ("rtsp://10.0.0.7:8554", "rtsp://10.0.0.7:8554"),
    ("rtsp://[fd00::1]:554/scope", "rtsp://[fd00::1]:554/scope"),
    ("https://example.org/a/b-1.2_x86%20y~z", "https://example.org/..."),
    ("rtsp://anna:SECRET@10.0.0.7/scope", "rtsp://10.0.0.7/scope"),
    ("rtsp://SECRET@10.0.0.7/scope", "rtsp://10.0.0.7/scope"),
    ("rtsp://10.0.0.7/scope?user=SECRET&password=SECRET", "rtsp://10.0.0.7/scope?..."),
    ("rtsp://10.0.0.7/scope#SECRET", "rtsp://10.0.0.7/scope?..."),
    ("rtsp://10.0.0.7:554/user=admin&password=SECRET&channel=1", "rtsp://10.0.0.7:554/..."),
    ("rtsp://10.0.0.7/scope;token=SECRET", "rtsp://10.0.0.7/..."),
    ("rtsp://anna:SEC@RET@10.0.0.7/scope", "rtsp://10.0.0.7/scope"),
    ("rtsp://anna:SEC/RET@10.0.0.7/scope", "rtsp://..."),
    ("rtsp://anna:SEC?RET@10.0.0.7/scope", "rtsp://..."),
    ("rtsp://anna:SEC#RET@10.0.0.7/scope", "rtsp://..."),
    ("rtsp://10.0.0.7/scope?password=SEC@RET", "rtsp://..."),
    ("rtsp://10.0.0.7:SECRET", "rtsp://10.0.0.7:..."),
    ("udp://0.0.0.0:5000?pkt_size=1316", "udp://0.0.0.0:5000?..."),
]


@pytest.mark.parametrize(("address", "shown"), ADDRESSES)
def test_an_address_alone_and_in_a_sentence(address: str, shown: str) -> None:
    assert redacted_address(address) == shown
    assert redacted(f"[rtsp @ 0x55] Cannot open '{address}'. No.") == f"[rtsp @ 0x55] Cannot open '{shown}'. No."
    assert redacted(f"No signal from {address}; again.").startswith(f"No signal from {shown}")
    said = str(UserError(f"See {address}, please."))
    for part in ("SECRET", "SEC", "RET", "anna", "admin"):
        assert part not in said


def test_other_text_stays() -> None:
    text = "cam1: 12 frames -> out/cam1.mp4 (a: b, c@d)"
    assert redacted(text) == text
