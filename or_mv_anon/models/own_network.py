"""ONNX files of the project's own networks: the one that ships or the user's, and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.resources import resource


@dataclass(frozen=True)
class Header:
    """Names of a graph's inputs and outputs, and its metadata."""

    inputs: list[str]
    outputs: list[str]
    noted: dict[str, str]


def own_or_shipped(path: Path | None, shipped: str, *, tool: str) -> Path:
    """`path`, or the resource `shipped` where there is none.

    Args:
        path: the user's own file.
        shipped: name of the one that comes with the package.
        tool: that writes such files.

    Raises:
        UserError: there is no such file.
    """
    if path is None:
        return resource(shipped)
    if not path.is_file():
        raise UserError(f"There is no network file {path}; pass the .onnx file that {tool} wrote.")
    return path


def read_file(path: Path) -> bytes:
    """The file's bytes.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"Cannot read the network {path}: {error.strerror}.") from error


def read_header(data: bytes, path: Path, *, expected: str) -> Header:
    """What the bytes of `path` say of themselves.

    Raises:
        UserError: they are no ONNX network; `expected` ends the sentence.
    """
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise UserError(f"{path} is no ONNX network; {expected}.") from error
    return Header(
        inputs=[value.name for value in model.graph.input],
        outputs=[value.name for value in model.graph.output],
        noted={entry.key: entry.value for entry in model.metadata_props},
    )
