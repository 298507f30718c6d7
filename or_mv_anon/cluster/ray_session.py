"""Ray started on this machine alone, or a running cluster joined: without reports of use, without a dashboard.

A Ray of one's own listens on the loopback interface only, keeps its logs and its token in a private folder that is
removed afterwards, and has no room for pictures in its object store.
"""

from __future__ import annotations

import importlib
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.stopping import SIGNALS
from or_mv_anon.core.workers import available_cores

STORE_BYTES = 80 << 20  # the least that Ray takes: jobs and results are small records
LONGEST_FOLDER = 40  # characters; the names of Ray's sockets have to fit into 107 with it
ENDING_S = 5.0  # that Ray's processes have to end by themselves
SILENT = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_enable_metrics_collection": "false"}
QUIET: dict[str, Any] = {"log_to_driver": False, "configure_logging": False, "logging_level": "critical"}


@contextmanager
def ray_session(address: str | None, *, workers: int | None = None) -> Iterator[ModuleType]:
    """Ray, connected for the length of the block.

    Args:
        address: of a running cluster (``auto``, ``host:port`` or ``ray://host:port``); None starts one here.
        workers: processor cores of the one that is started here; None for all.

    Raises:
        UserError: Ray is not installed, or the cluster does not answer.
    """
    with _environment(SILENT), _own(workers) if address is None else _joined(address) as ray:
        yield ray


def _imported() -> ModuleType:
    """Ray, told of the environment as it is now.

    Raises:
        UserError: it is not installed.
    """
    try:
        importlib.import_module("psutil")
        ray = importlib.import_module("ray")
    except ImportError as error:
        raise UserError(
            f"--executor ray needs Ray ({error.name} is missing). Install it with: pip install 'or_mv_anon[cluster]'."
        ) from error
    _read_environment()  # it may have been imported, and used, earlier
    return ray


def _read_environment() -> None:
    """Let Ray forget what it read before; the mode first, for its threads look for a token as long as there is one."""
    compiled: Any = importlib.import_module("ray._raylet")
    compiled.Config.initialize("")
    compiled.AuthenticationTokenLoader.instance().reset_cache()


@contextmanager
def _joined(address: str) -> Iterator[ModuleType]:
    ray = _imported()
    with _signals_kept(), _unnamed():
        try:
            ray.init(address=address, **QUIET)
        except Exception as error:
            sentence = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise UserError(
                f"No Ray cluster answers at --address {address} ({sentence}). Start one with `ray start --head` and "
                "give its address; ray:// addresses need: pip install 'ray[client]'."
            ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


@contextmanager
def _own(workers: int | None) -> Iterator[ModuleType]:
    parent = tempfile.gettempdir()
    folder = Path(tempfile.mkdtemp(prefix="or-mv-", dir=parent if len(parent) <= LONGEST_FOLDER else "/tmp"))  # noqa: S108
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text(secrets.token_hex(32))
    try:
        with _environment({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)}, without=("RAY_AUTH_TOKEN",)):
            ray = _imported()
            import psutil

            others = psutil.Process().children()
            with _signals_kept(), _unnamed(), _loopback_only():
                ray.init(
                    address="local",
                    num_cpus=workers or available_cores(),
                    include_dashboard=False,
                    object_store_memory=STORE_BYTES,
                    _temp_dir=str(folder / "ray"),
                    _node_ip_address="127.0.0.1",
                    **QUIET,
                )
            started = [process for process in psutil.Process().children() if process not in others]
            try:
                yield ray
            finally:
                family = [*started]
                for process in started:
                    with suppress(psutil.NoSuchProcess):
                        family += process.children(recursive=True)
                ray.shutdown()
                _see_off(family)
        _read_environment()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _see_off(family: list[Any]) -> None:
    """Return when none of these processes runs: workers outlive the process that started them by a moment, or longer.

    Args:
        family: `psutil.Process` each, noted before they were asked to end.
    """
    import psutil

    _, left = psutil.wait_procs(family, timeout=ENDING_S)
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=ENDING_S)


@contextmanager
def _loopback_only() -> Iterator[None]:
    """Let Ray take 127.0.0.1 for this machine's address, as it does where it never forms clusters.

    It would otherwise look for an address that others can reach, and listen on all of them.
    """
    with _replaced("ray._private.ray_constants", "ENABLE_RAY_CLUSTER", False):
        yield


@contextmanager
def _unnamed() -> Iterator[None]:
    """Keep the command line, in which folders may be named after patients, out of Ray's list of jobs and its logs."""
    with _replaced("ray._private.utils", "get_entrypoint_name", lambda: "or-mv-anon"):
        yield


@contextmanager
def _replaced(module: str, name: str, value: object) -> Iterator[None]:
    place = importlib.import_module(module)
    before = getattr(place, name)
    setattr(place, name, value)
    try:
        yield
    finally:
        setattr(place, name, before)


@contextmanager
def _environment(values: dict[str, str], *, without: tuple[str, ...] = ()) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in (*values, *without)}
    for name in without:
        os.environ.pop(name, None)
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Undo what Ray does to the signals that ask to stop."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        with suppress(ValueError):  # only the main thread may, and only there Ray did anything
            for number, handler in before.items():
                if handler is not None:
                    signal.signal(number, handler)
