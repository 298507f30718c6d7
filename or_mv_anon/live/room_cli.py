"""The command line of `anonymize_live.py` and of `or-mv-anon live`."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from or_mv_anon.core.option_types import THREADS, whole

if TYPE_CHECKING:
    from or_mv_anon.video.live.places import Place

LOG = "log"  # folder in that of the files
DESCRIPTION = """Cover every head in the pictures of all cameras of a room while they run, before they leave it.

--site names the cameras: where each picture comes from ('input') and where it goes ('output', or files with --out).
Every frame leaves a fixed delay after it was taken, with what was judged about it or covered whole; a lost signal is a
slate. Endoscopes of the same room are covered whole outside the body. Sound is never passed on. Ctrl-C ends cleanly.
"""
EXAMPLES = """examples:
  %(prog)s --site site.toml --out protected/                   files, one folder per camera
  %(prog)s --site site.toml --model room_model/ --delay 1.5    streams as site.toml names them, networks of this room
  CAM_PASSWORD=... %(prog)s --site site.toml --out protected/ --status-port 9108
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The tool's options."""
    parser.description, parser.epilog = DESCRIPTION, EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--site", type=Path, required=True, metavar="TOML", help="the room's site.toml (or its folder)")
    add("--out", type=Path, metavar="DIR", help="write files there, one folder per camera; made if missing")
    add("--model", type=Path, metavar="DIR",
        help="networks made for this room by `or-mv-anon adapt`; its smaller detector if it has one")  # fmt: skip
    add("--delay", type=float, default=1.0, metavar="SECONDS", help="from capture to output (default: 1.0)")
    add("--overview", metavar="WHERE", help="all cameras in one picture, too: an .mp4 or .mkv file, rtsp:// or udp://")
    add("--method", choices=["solid", "pixelate", "blur"], default="solid",
        help="how heads are covered (default: solid, the only one that withstands every attack tried)")  # fmt: skip
    add("--device", choices=["auto", "cpu", "cuda"], default="auto",
        help="where networks run (default: auto); cuda is an error if it is not there")  # fmt: skip
    add("--precision", choices=["auto", "f32", "bf16"], default="auto",
        help="arithmetic of the networks on a CPU (default: auto = bf16 where the processor has it)")  # fmt: skip
    add("--threads", type=whole(THREADS), default=_network_threads(os.cpu_count() or 1), metavar="N",
        help="CPU threads that look, each with networks of its own (default: half of the cores, 2 to 4)")  # fmt: skip
    add("--secrets", type=Path, metavar="FILE",
        help="private file of lines NAME=value for ${NAME} in addresses (default: the environment alone)")  # fmt: skip
    add("--max-seconds", type=float, default=math.inf, metavar="SECONDS", help="end after so much output")
    add("--keep-hours", type=float, metavar="H", help="remove files of --out that began longer ago (default: keep all)")
    add("--pace", choices=["live", "fast"], default="live",
        help="fast: files as quickly as they can be judged, every frame of them (default: live)")  # fmt: skip
    add("--config", type=Path, metavar="TOML", help="changes to configs/pipeline.toml: what finds and covers people")
    add("--live-config", type=Path, metavar="TOML", help="changes to configs/live.toml: cadence, delays, faults")
    add("--endoscope-config", type=Path, metavar="TOML", help="changes to configs/endoscopy.toml")
    add("--endoscope-weights", type=Path, metavar="ONNX", help="network of your own for endoscopes")
    add("--log", type=Path, metavar="DIR",
        help="status of every second and audit record of every minute go there (default: OUT/log)")  # fmt: skip
    add("--status-port", type=int, metavar="PORT",
        help="answer /metrics and /healthz on 127.0.0.1:PORT (default: nothing listens)")  # fmt: skip
    add("--progress", choices=["auto", "plain", "json"], default="auto",
        help="one line a second for people (default), or one JSON object a line")  # fmt: skip
    add("--weights-dir", type=Path, metavar="DIR", help="network weights for a machine without internet access")


def _network_threads(cores: int) -> int:
    """Decoding and encoding leave most of a second core idle in between, which looks can use."""
    return min(cores, max(2, min(4, cores // 2)))


def run(parsed: argparse.Namespace) -> int:
    """Run live; returns the exit code."""
    from contextlib import nullcontext

    from or_mv_anon.core.lock import hold

    with nullcontext() if parsed.out is None else hold(parsed.out):
        return _run(parsed)


def _run(parsed: argparse.Namespace) -> int:
    from or_mv_anon.live.room import RoomOptions
    from or_mv_anon.live.room_networks import WantedNetworks, ready_networks
    from or_mv_anon.live.room_session import run_room
    from or_mv_anon.live.room_site import load_live_site
    from or_mv_anon.live.secrets import read_secrets
    from or_mv_anon.live.settings import load_live_config

    secrets = read_secrets(parsed.secrets)
    options = RoomOptions(
        delay=parsed.delay,
        method=parsed.method,
        fast=parsed.pace == "fast",
        max_seconds=parsed.max_seconds,
        keep_s=None if parsed.keep_hours is None else 3600 * parsed.keep_hours,
        overview=None if parsed.overview is None else _overview(parsed.overview, secrets),
    )
    site = load_live_site(parsed.site, out=parsed.out, secrets=secrets)
    live = load_live_config(parsed.live_config)
    wanted = WantedNetworks(**{name: getattr(parsed, name) for name in WantedNetworks.__dataclass_fields__})
    ready = ready_networks(wanted, [camera.kind for camera in site.cameras])
    log = parsed.log or (None if parsed.out is None else parsed.out / LOG)
    return run_room(
        site, options, ready, live, log=log, status_port=parsed.status_port, as_json=parsed.progress == "json"
    )


def _overview(text: str, secrets: Mapping[str, str]) -> Place:
    from or_mv_anon.live.secrets import filled
    from or_mv_anon.video.live.places import parse_output

    return parse_output(filled(text, secrets, "--overview"), overwrite=False)
