"""`or-mv-anon doctor`: tries what a run needs, on this machine, before hours of video depend on it.

Each check does the thing itself where that is cheap (encodes a frame, writes a file) instead of trusting a version.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from or_mv_anon.audit.versions import library_versions, missing_libraries, rival_packages
from or_mv_anon.core.errors import UserError

Level = Literal["OK", "WARN", "FAIL"]

ENCODERS = {"h264": "libx264", "hevc": "libx265", "av1": "libsvtav1", "vp9": "libvpx-vp9"}
CPU_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
SCARCE_BYTES = 10_000_000_000  # an hour of four 1080p cameras takes about this much
FULL_BYTES = 500_000_000


@dataclass(frozen=True)
class Check:
    """One line of the doctor's answer; `advice` says what to do where `level` is not OK."""

    level: Level
    subject: str
    finding: str
    advice: str = ""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "doctor",
        help="check this machine: versions, devices, codecs, weights, disk",
        description="Check what a run needs on this machine. Exit code 1 when something is missing.",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="also check this output folder")
    parser.add_argument("--weights-dir", type=Path, metavar="DIR", help="look for network weights here first")
    parser.set_defaults(func=lambda options: run(out=options.out, weights_dir=options.weights_dir))


def run(*, out: Path | None = None, weights_dir: Path | None = None) -> int:
    """Prints one line per check; 1 if anything fails, else 0."""
    failed = False
    for check in examine(out=out, weights_dir=weights_dir):
        failed |= check.level == "FAIL"
        print(f"{check.level:<4}  {check.subject}: {check.finding}", flush=True)
        if check.advice:
            print(f"      {check.advice}", flush=True)
    print("Something is missing: see the FAIL lines." if failed else "Ready.")
    return int(failed)


def examine(*, out: Path | None = None, weights_dir: Path | None = None) -> Iterator[Check]:
    """Every check, one after another. One that breaks is a failure of its own and does not stop the others."""
    groups: list[tuple[str, Callable[[], Iterator[Check]]]] = [
        ("versions", check_versions),
        ("processor", check_processor),
        ("devices", check_devices),
        ("codecs", check_codecs),
        ("weights", lambda: check_weights(weights_dir)),
        ("cache", check_cache),
    ]
    if out is not None:
        groups.append(("output", lambda: check_folder("output", out)))
    for subject, group in groups:
        try:
            yield from group()
        except UserError as error:
            yield Check("FAIL", subject, str(error))
        except ImportError as error:
            yield Check("FAIL", subject, f"cannot be checked: {error}", "Install or_mv_anon again.")
        except Exception as error:
            yield Check("FAIL", subject, f"cannot be checked: {type(error).__name__}: {error}")


def check_versions() -> Iterator[Check]:
    """Python, the libraries, FFmpeg."""
    found = library_versions()
    system = f"or_mv_anon {found['or_mv_anon']}, Python {found['Python']}, {found['System']}"
    yield Check("OK" if sys.version_info >= (3, 11) else "FAIL", "versions", system)
    libraries = [
        f"{name} {version}" for name, version in found.items() if name not in ("or_mv_anon", "Python", "System")
    ]
    yield Check("OK", "libraries", ", ".join(libraries))
    if missing := missing_libraries():
        yield Check("FAIL", "libraries", f"missing: {', '.join(missing)}", "Install or_mv_anon again.")
    for unwanted, wanted in rival_packages():
        yield Check(
            "WARN",
            "libraries",
            f"{unwanted} and {wanted} lie in one folder",
            f"Keep one: pip uninstall {unwanted} {wanted}, then pip install --no-deps {wanted}.",
        )


def check_processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> Iterator[Check]:
    """Cores, and the instructions that decide how fast networks run."""
    cores = f"{os.cpu_count()} cores"
    if not cpuinfo.exists():
        yield Check("OK", "processor", f"{platform.machine()}, {cores}, instructions unknown on this system")
        return
    flags = {
        flag
        for line in cpuinfo.read_text(errors="replace").splitlines()
        if line.startswith(("flags", "Features"))
        for flag in line.partition(":")[2].split()
    }
    known = [flag for flag in CPU_FLAGS if flag in flags]
    finding = f"{platform.machine()}, {cores}, {', '.join(known) or 'no wide vector instructions'}"
    if {"avx512_bf16", "amx_bf16"} & flags:
        yield Check("OK", "processor", f"{finding}: computes in bf16")
    elif "avx2" in flags or platform.machine() not in ("x86_64", "AMD64"):
        yield Check("OK", "processor", f"{finding}: computes in f32, no bf16")
    else:
        yield Check("WARN", "processor", finding, "Without AVX2 networks run several times slower.")


def check_devices() -> Iterator[Check]:
    """What networks can run on. A machine without an NVIDIA card is fine."""
    from or_mv_anon.models.runtime import describe_devices

    card = shutil.which("nvidia-smi") is not None or Path("/dev/nvidia0").exists()
    for device in describe_devices():
        subject = f"device {device.name}"
        if device.usable:
            yield Check("OK", subject, device.detail)
        elif device.name == "cpu":
            yield Check("FAIL", subject, f"not usable: {device.detail}", "Install or_mv_anon again.")
        elif card:
            yield Check("WARN", subject, f"not usable: {device.detail}", "There is an NVIDIA card that goes unused.")
        else:
            yield Check("OK", subject, f"not here, networks run on the CPU ({device.detail})")


def check_codecs() -> Iterator[Check]:
    """Encodes and decodes one picture with every codec family."""
    for family, encoder in ENCODERS.items():
        try:
            decoder = round_trip(encoder)
        except Exception as error:  # FFmpeg raises many kinds; each means that this codec does not work here
            finding = f"{encoder} does not work here ({type(error).__name__}: {error})"
            if family == "h264":
                advice = "Every fallback needs it: install the av package from PyPI, which brings its own FFmpeg."
                yield Check("FAIL", f"codec {family}", finding, advice)
            else:
                yield Check("WARN", f"codec {family}", finding, f"Videos in {family} will be written as h264.")
        else:
            yield Check("OK", f"codec {family}", f"encodes with {encoder}, decodes with {decoder}")


def round_trip(encoder: str) -> str:
    """Encodes one grey picture into a file in memory and decodes it again; returns the decoder's name.

    Raises:
        av.FFmpegError: one of the two does not work.
        ValueError: no picture came back.
    """
    import av
    import numpy as np

    os.environ.setdefault("SVT_LOG", "1")  # errors only: the AV1 encoder greets on stderr otherwise
    quiet = {"x265-params": "log-level=none"} if encoder == "libx265" else {}
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream: Any = container.add_stream(encoder, rate=25, options=quiet)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.full((144, 128), 128, np.uint8), format="yuv420p")
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as reader:
        if next(reader.decode(video=0), None) is None:
            raise ValueError("nothing came back from the decoder")
        return str(reader.streams.video[0].codec_context.codec.name)


def check_weights(weights_dir: Path | None) -> Iterator[Check]:
    """Whether the networks' weights are here, whole and the registered ones."""
    from or_mv_anon.models import catalogue, registry

    for name, asset in catalogue.known_weights().items():
        if asset.optional:
            continue
        try:
            found = registry.find_local(asset, weights_dir=weights_dir)
        except UserError as error:
            yield Check("FAIL", f"weights {name}", str(error))
            continue
        if found is None:
            finding = f"not here yet ({asset.size / 1e6:.1f} MB), fetched at first use"
            advice = "Without internet access: bring a folder made by `or-mv-anon weights bundle`, pass --weights-dir."
            yield Check("WARN", f"weights {name}", finding, advice)
        else:
            yield Check("OK", f"weights {name}", f"{asset.role}, {found}")


def check_cache() -> Iterator[Check]:
    """The folder that weights are fetched into."""
    from or_mv_anon.models.registry import cache_dir

    yield from check_folder("cache", cache_dir())


def check_folder(subject: str, folder: Path) -> Iterator[Check]:
    """Write permission and free space of a folder, or of the nearest parent that exists; leaves nothing behind."""
    place = next(path for path in [folder.absolute(), *folder.absolute().parents] if path.exists())
    if not place.is_dir():
        yield Check("FAIL", subject, f"{place} is a file", "Name a folder.")
        return
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"x")
            file.flush()
    except OSError as error:
        yield Check("FAIL", subject, f"{place} cannot be written: {error.strerror}", "Choose another folder.")
        return
    free = shutil.disk_usage(place).free
    finding = f"{folder} can be written, {free / 1e9:.1f} GB free"
    if free < FULL_BYTES:
        yield Check("FAIL", subject, finding, "Make room: not even a short recording fits.")
    elif free < SCARCE_BYTES:
        yield Check("WARN", subject, finding, "Check that the outputs fit; --dry-run estimates their size.")
    else:
        yield Check("OK", subject, finding)
