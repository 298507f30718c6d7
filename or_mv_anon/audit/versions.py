"""Versions of everything that shapes the result: an audit without them cannot be repeated."""

from __future__ import annotations

import platform
from importlib import metadata

from or_mv_anon import __version__

PACKAGES = {
    "av": "PyAV",
    "numpy": "NumPy",
    "opencv-python-headless": "OpenCV",
    "openvino": "OpenVINO",
    "onnx": "ONNX",
    "onnxruntime": "ONNX Runtime",
    "onnxruntime-gpu": "ONNX Runtime GPU",
    "pyarrow": "PyArrow",
    "scipy": "SciPy",
    "lap": "lap",
}
RIVALS = (  # packages that put their files into one folder: the one that was installed last is imported
    ("opencv-python", "opencv-python-headless"),
    ("onnxruntime", "onnxruntime-gpu"),
)
REQUIRED = ("PyAV", "NumPy", "OpenCV", "OpenVINO", "ONNX", "PyArrow", "SciPy", "lap")


def library_versions() -> dict[str, str]:
    """Name to version of Python, the libraries that are installed, and FFmpeg's parts as PyAV ships them."""
    found = {"or_mv_anon": __version__, "Python": platform.python_version(), "System": platform.platform()}
    found |= {name: version for package, name in PACKAGES.items() if (version := _installed(package))}
    return found | ffmpeg_versions()


def missing_libraries() -> list[str]:
    """Names of libraries that the tool cannot work without and that are not installed."""
    found = library_versions()
    return [name for name in REQUIRED if name not in found]


def rival_packages() -> list[tuple[str, ...]]:
    """Packages that are installed over one another."""
    return [names for names in RIVALS if all(map(_installed, names))]


def ffmpeg_versions() -> dict[str, str]:
    """Versions of FFmpeg and its libraries; empty without a working PyAV."""
    try:
        import av
    except ImportError:
        return {}
    parts = {name: ".".join(map(str, version)) for name, version in av.library_versions.items()}
    return {"FFmpeg": av.ffmpeg_version_info} | dict(sorted(parts.items()))


def _installed(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
