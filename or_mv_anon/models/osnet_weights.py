"""Reads the numbers of a PyTorch state dict without PyTorch, and without trusting the file.

Such a file is a pickle, which may call any function. Here it may name ordered dictionaries, tensors and the numbers
behind them; anything else is refused before it runs.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError

MAGIC = 0x1950A86A20F9469CFC6C  # of torch.save before version 1.6
PROTOCOL = 1001
DTYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}
COUNT_BYTES = 8  # in front of each storage's numbers


def read_state_dict(path: Path) -> dict[str, NDArray[Any]]:
    """The tensors of a state dict that PyTorch saved in its format before version 1.6.

    The file is a row of pickles (magic number, protocol, the writing machine, the dictionary, the storages' keys)
    and, in the order of these keys, the storages' numbers (PyTorch's `torch/serialization.py`, `_legacy_save`).

    Raises:
        UserError: the file cannot be read, has another format, or holds anything but tensors.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except OSError as error:
        raise UserError(f"Cannot read the weights {path}: {error.strerror}.") from error
    except Exception as error:  # a damaged pickle may raise anything
        raise UserError(f"{path} is not a plain PyTorch state dict: {error or type(error).__name__}.") from error


def _read(file: IO[bytes]) -> dict[str, NDArray[Any]]:
    magic, protocol, _ = (_Unpickler(file).load() for _ in range(3))
    if (magic, protocol) != (MAGIC, PROTOCOL):
        raise ValueError("it has another format")
    tensors = _Unpickler(file).load()
    if not isinstance(tensors, OrderedDict) or not all(isinstance(value, _Tensor) for value in tensors.values()):
        raise ValueError("it holds more than tensors")
    kinds = {tensor.storage.key: np.dtype(tensor.storage.dtype) for tensor in tensors.values()}
    numbers = {}
    for key in _Unpickler(file).load():
        count = int.from_bytes(file.read(COUNT_BYTES), "little")
        numbers[key] = np.frombuffer(file.read(count * kinds[key].itemsize), kinds[key], count)
    return {name: tensor.of(numbers[tensor.storage.key]) for name, tensor in tensors.items()}


@dataclass(frozen=True)
class _Storage:
    dtype: str
    key: str


@dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    offset: int
    size: tuple[int, ...]

    @classmethod
    def rebuild(
        cls, storage: _Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any
    ) -> _Tensor:
        """Stands in for `torch._utils._rebuild_tensor_v2`; the numbers come later in the file."""
        if tuple(stride) != tuple(int(np.prod(size[axis + 1 :])) for axis in range(len(size))):
            raise ValueError("a tensor is not contiguous")
        return cls(storage, offset, tuple(size))

    def of(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """The tensor, given all numbers of its storage."""
        return numbers[self.offset : self.offset + int(np.prod(self.size))].reshape(self.size)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Tensor.rebuild
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, *_ = pid
        if kind != "storage" or dtype not in DTYPES.values():
            raise pickle.UnpicklingError("it refers to something outside")
        return _Storage(dtype, key)
