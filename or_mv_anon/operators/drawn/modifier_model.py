"""The trained modifier as the main job runs it: an ONNX network that draws the head of nobody, and what it may see."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.models.own_network import own_or_shipped, read_file, read_header
from or_mv_anon.models.runtime import Device, Precision, load_model

ROLE = "face_modifier"  # the network's name in the audit
SHIPPED = "data/learned_modifier.onnx"
INPUT, OUTPUT = "seen", "modified"
SCHEMA = "1"
Sees = Literal["cells", "picture"]


@dataclass(frozen=True)
class ModifierFacts:
    """What a modifier's file says of itself.

    Attributes:
        sees: ``cells``: it is shown the region's mosaic alone; ``picture``: the head itself.
        cells: of that mosaic, at most, along the region's longer side; with 0 it is shown a plain grey.
        side: pixels of the pictures that it takes and gives.
        codes: of how many heads it can only choose one; 0 where it draws freely.
    """

    sees: Sees
    cells: int
    side: int
    codes: int

    @property
    def bounded(self) -> bool:
        """Whether what is drawn can tell next to nothing of a person by construction, whoever looks at it.

        Mosaics are not: attackers who train on them tell people apart by very few cells.
        """
        return self.codes > 0 or (self.sees == "cells" and self.cells == 0)


class ModifierModel:
    """Draws heads; not thread-safe.

    Attributes:
        facts: what the file says of it.
        provider: the engine that runs it.
    """

    def __init__(self, path: Path, *, device: Device = "auto", precision: Precision = "auto", threads: int = 0) -> None:
        """Loads the network of `path`.

        Raises:
            UserError: the file cannot be read or holds another kind of network, or the device is not there.
        """
        data = read_file(path)
        self.facts = _facts(data, path)
        self._model = load_model(data, device=device, precision=precision, threads=threads, fixed_shapes=2)
        self.provider = self._model.provider

    def draw(self, seen: NDArray[np.float32]) -> NDArray[np.float32]:
        """Modified heads ``(N, 3, side, side)`` for what is seen of them in the same shape, both RGB 0-1.

        Raises:
            FloatingPointError: the network gave something that is no picture.
        """
        # The only output, whatever the engine calls it after its own simplifications.
        (drawn,) = self._model.infer({INPUT: np.ascontiguousarray(seen, np.float32)}).values()
        if drawn.shape != seen.shape or not np.isfinite(drawn).all():
            raise FloatingPointError("the face modifier gave something that is no picture")
        return np.clip(drawn, 0, 1).astype(np.float32)


def find_modifier(path: Path | None) -> Path:
    """The network's file: `path`, or the shipped one, after a look at whether it is of this kind.

    Raises:
        UserError: it is not there, or holds something else.
    """
    path = own_or_shipped(path, SHIPPED, tool="train_learned.py")
    modifier_facts(path)
    return path


def modifier_facts(path: Path) -> ModifierFacts:
    """What the file says of itself.

    Raises:
        UserError: it cannot be read or holds another kind of network.
    """
    return _facts(read_file(path), path)


def _facts(data: bytes, path: Path) -> ModifierFacts:
    expected = f"expected an .onnx file with the input '{INPUT}' and the output '{OUTPUT}', as train_learned.py writes"
    header = read_header(data, path, expected=expected)
    if header.inputs != [INPUT] or header.outputs != [OUTPUT]:
        raise UserError(
            f"{path} is another kind of network (inputs {header.inputs}, outputs {header.outputs}); {expected}."
        )
    noted = header.noted
    sees = noted.get("sees")
    cells, side, codes = (_number(noted.get(name, "0")) for name in ("cells", "side", "codes"))
    if noted.get("schema") != SCHEMA or sees not in ("cells", "picture") or side < 1:
        raise UserError(f"{path} does not say what its network sees (schema, sees and side are {noted}); {expected}.")
    return ModifierFacts("cells" if sees == "cells" else "picture", cells, side, codes)


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
