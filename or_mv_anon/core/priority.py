"""How much of the processor a thread gets beside the others."""

from __future__ import annotations

import os
import threading
from contextlib import suppress


def lower_priority(niceness: int) -> None:
    """Let this thread, and no other of the process, stand back by so much; where a system cannot, nothing changes."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
