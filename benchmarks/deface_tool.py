"""deface (https://github.com/ORB-HD/deface), the anonymizer that others use, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

DEFACE_PACKAGES = ("deface==1.5.0", "onnx", "onnxruntime-openvino")
DEFACE_BACKENDS = {  # every way to run on a CPU that deface's README names
    "OpenCV": ["--backend", "opencv"],
    "ONNX Runtime CPU": ["--backend", "onnxrt", "--ep", "CPUExecutionProvider"],
    "ONNX Runtime OpenVINO": ["--backend", "onnxrt", "--ep", "OpenVINOExecutionProvider"],
}
DEFACE_ENVIRONMENT = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "or_mv_anon" / "deface-1.5.0"


def prepare_deface(folder: Path = DEFACE_ENVIRONMENT) -> Path:
    """The deface command in its own environment at `folder`, installed on first use."""
    command = folder / "bin" / "deface"
    if not command.exists():
        print(f"installing {', '.join(DEFACE_PACKAGES)} into {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", *DEFACE_PACKAGES], check=True)
    return command


def deface_command(command: Path, source: Path, destination: Path, *, crf: int, preset: str) -> list[str]:
    """deface with libx264 at the given quality and picture size; imageio's own settings would override them."""
    encoder = {"codec": "libx264", "quality": None, "macro_block_size": 1}
    encoder["ffmpeg_params"] = ["-crf", str(crf), "-preset", preset]
    return [str(command), str(source), "--output", str(destination), "--ffmpeg-config", json.dumps(encoder)]
