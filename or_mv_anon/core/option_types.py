"""Numbers on a command line: how argparse reads and refuses them, with the same ranges as settings in files."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

from or_mv_anon.core.ranges import Range

WORKERS = Range(1, 256, "processes, each with its own memory")
ROUNDS = Range(1, 1000, "more take weeks")
SEED = Range(0, 2**31 - 1, "the generators take no others")
THREADS = Range(1, 256, "more win nothing")
MINUTES = Range(0.01, 1e6, "minutes; less is no time to learn in")


def whole(limits: Range) -> Callable[[str], int]:
    """Reads a whole number within `limits`."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or not limits.holds(value):
            raise argparse.ArgumentTypeError(
                f"expected a whole number, {limits} ({limits.reason}), found '{text[:40]}'"
            )
        return value

    return read


def number(limits: Range) -> Callable[[str], float]:
    """Reads a number within `limits`."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not limits.holds(value):
            raise argparse.ArgumentTypeError(f"expected a number, {limits} ({limits.reason}), found '{text[:40]}'")
        return value

    return read


def clock(text: str) -> float:
    """Reads 90, 1:30 and 0:01:30.5 as seconds."""
    value = 0.0
    try:
        for part in text.split(":"):
            value = value * 60 + float(part)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"expected seconds or h:mm:ss, found '{text[:40]}'")
    return value


def add_executor_arguments(parser: argparse.ArgumentParser) -> None:
    """``--executor`` and ``--address``."""
    add = parser.add_argument
    add("--executor", choices=["local", "ray"], default="local",
        help="where the work is done (default: local = processes of this machine); ray spreads it over a Ray cluster "
        "(needs the extra `cluster` and storage that all machines share)")  # fmt: skip
    add("--address", metavar="ADDRESS",
        help="with --executor ray: auto, HOST:PORT or ray://HOST:10001 of a running cluster; without it one is started "
        "on this machine alone")  # fmt: skip
