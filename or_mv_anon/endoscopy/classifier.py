"""The network that says of a prepared picture how likely it was taken outside the body.

It reads ONNX and nothing else: a pickled network could run code when it is loaded.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.endoscopy.borders import INPUT_SIZE
from or_mv_anon.models.own_network import own_or_shipped, read_file, read_header
from or_mv_anon.models.runtime import Device, Precision, load_model

ROLE = "out_of_body"  # the network's name in the audit
SHIPPED = "data/endoscopy_oob.onnx"
INPUT, OUTPUT, TEMPERATURE = "image", "logit", "temperature"


class OutOfBodyClassifier:
    """Judges prepared pictures; see `or_mv_anon.endoscopy.borders.prepare`. Not thread-safe."""

    def __init__(
        self,
        path: Path | None = None,
        *,
        device: Device = "auto",
        precision: Precision = "auto",
        threads: int = 0,
    ) -> None:
        """Loads the network of `path`, None for the one that comes with the package.

        `threads` is for the CPU, 0 leaves the number to the engine.

        Raises:
            UserError: the file cannot be read or holds another kind of network, or the device is not there.
        """
        self.path = find_network(path)
        data = read_file(self.path)
        self._temperature = _temperature(data, self.path)
        self._model = load_model(data, device=device, precision=precision, threads=threads, fixed_shapes=2)
        self.provider = self._model.provider

    def probabilities(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Calibrated probabilities (N,) of being outside the body, for prepared pictures (N, 3, 224, 224).

        A picture that the network gives no number for comes back as NaN, which counts as outside.
        """
        if batch.shape[1:] != (3, INPUT_SIZE, INPUT_SIZE):
            raise ValueError(f"expected (N, 3, {INPUT_SIZE}, {INPUT_SIZE}), got {batch.shape}")
        if not len(batch):
            return np.zeros(0, np.float32)
        logits = self._model.infer({INPUT: batch})[OUTPUT].reshape(-1).astype(np.float64)
        if logits.shape != (len(batch),):
            raise RuntimeError(f"the network gave {len(logits)} answers for {len(batch)} pictures")
        # tanh does not overflow, whatever the logit
        return (0.5 + 0.5 * np.tanh(logits / self._temperature / 2)).astype(np.float32)


def find_network(path: Path | None) -> Path:
    """The network's file: `path`, or the shipped one, after a look at whether it is of this kind.

    Raises:
        UserError: it is not there, or holds something else.
    """
    path = own_or_shipped(path, SHIPPED, tool="train_endoscopy.py")
    _temperature(read_file(path), path)
    return path


def _temperature(data: bytes, path: Path) -> float:
    expected = (
        f"expected an .onnx file with the input '{INPUT}', the output '{OUTPUT}' and a '{TEMPERATURE}', as "
        "train_endoscopy.py writes it"
    )
    header = read_header(data, path, expected=expected)
    noted = header.noted
    if INPUT not in header.inputs or header.outputs != [OUTPUT] or TEMPERATURE not in noted:
        raise UserError(
            f"{path} is another kind of network (inputs {header.inputs}, outputs {header.outputs}); {expected}."
        )
    try:
        temperature = float(noted[TEMPERATURE])
    except ValueError:
        temperature = float("nan")
    if not 0 < temperature < np.inf:
        raise UserError(f"{path} has the temperature '{noted[TEMPERATURE]}'; expected a number above 0.")
    return temperature
