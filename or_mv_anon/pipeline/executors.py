"""Where a command's jobs run, from its options to the executor: on this machine, or on a cluster."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.executor import Executor
from or_mv_anon.pipeline.spec import RunSpec

Options = TypeVar("Options", bound=Any)


def located(options: Options) -> Options:
    """A command's options with paths that mean the same on every machine, where several do the work.

    Raises:
        UserError: an option is of no use without another one.
    """
    if options.executor == "local":
        if options.address is not None:
            raise UserError("--address names a Ray cluster; expected --executor ray with it.")
        return options
    absolute = {field.name: _absolute(getattr(options, field.name)) for field in fields(options)}
    return replace(options, **absolute)


def open_executor(spec: RunSpec) -> AbstractContextManager[Executor | None]:
    """The cluster; None for processes of this machine, which every session starts for itself."""
    if spec.executor == "local":
        return nullcontext()
    from or_mv_anon.cluster.executor import RayExecutor

    return RayExecutor(spec.address, workers=spec.workers, gpus=spec.device == "cuda")


def _absolute(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_absolute, value))
    return value.absolute() if isinstance(value, Path) else value
