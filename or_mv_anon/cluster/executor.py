"""The executor of a Ray cluster: every job is a task of Ray Core, small records in, small records out.

Jobs read and write the run folder and the recordings on storage that all machines share; no frame passes through Ray.
As many jobs are in flight as keep every core busy. A job whose worker or machine is lost is done again; one whose
worker dies each time is given up, as on one machine, and costs what its stage says. A machine that cannot see the
files, or has other packages, is left out, with a sentence.
"""

from __future__ import annotations

import pickle
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from itertools import count
from types import ModuleType
from typing import Any, Self, TypeVar

from or_mv_anon.cluster.installation import installation
from or_mv_anon.cluster.ray_session import ray_session
from or_mv_anon.cluster.tasks import Tally, make_attempt
from or_mv_anon.cluster.worker import Terms
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.listening import current, tell
from or_mv_anon.core.lock import marks
from or_mv_anon.core.printable import printable
from or_mv_anon.core.workers import WORKER_DIED, Stopped

Job = TypeVar("Job")
Result = TypeVar("Result")

DEATHS = 3  # of its worker, after which a job is given up
LOSSES = 20  # of its machine
PER_CORE = 2  # jobs in flight: while one ends, the next is there
POLL_S, TALLY_S, NODES_S = 0.2, 1.0, 5.0
GB = 1 << 30
MEMORY = 1 * GB  # of a job, networks and decoded pictures included
MEMORY_WHOLE = 4 * GB  # of a job that holds a whole recording's boxes
MOST_OF_A_NODE = 0.9  # of its memory, so that a job fits on small machines, too
AGAIN = object()  # the answer of a job that is to be done once more
GPU_SHARE = 0.25  # of a job that runs networks on a GPU


@dataclass
class _Flight:
    """A job on its way."""

    number: int
    job: Any
    deaths: int = 0
    losses: int = 0


@dataclass
class _Nodes:
    """What the cluster can do now."""

    cores: int = 1
    memory: float = 0.0
    usable: frozenset[str] = frozenset()


class RayExecutor:
    """See `core.executor.Executor`.

    Args:
        address: see `ray_session`.
        workers: most jobs at a time; None for as many as there are cores.
        gpus: whether networks run on GPUs.
        patience: seconds that jobs have to end when the run is given up; after that they are killed.
    """

    def __init__(
        self, address: str | None = None, *, workers: int | None = None, gpus: bool = False, patience: float = 5.0
    ) -> None:
        self._address, self._workers, self._gpus, self._patience = address, workers, gpus, patience
        self._stack = ExitStack()
        self._in_flight: set[Any] = set()  # of all sessions
        self._unfit: set[str] = set()  # machines that do nothing for this run
        self._told: set[str] = set()
        self._nodes, self._looked = _Nodes(), 0.0
        self._runs = count()
        self._stopped = False
        self._ray: ModuleType
        self._attempt: Any
        self._tally: Any

    def __enter__(self) -> Self:
        self._ray = ray = self._stack.enter_context(ray_session(self._address, workers=self._workers))
        try:
            self._attempt = ray.remote(make_attempt())
            self._tally = ray.remote(Tally).options(num_cpus=0, max_restarts=-1).remote()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is not None:
                self._give_up()
        finally:
            self._stack.close()

    def stop(self) -> None:
        """Let every thread that waits for jobs go on no longer."""
        self._stopped = True

    def renew(self) -> None:
        """Workers are shared by all that runs on the cluster; what they keep is part of what a job asks for."""

    def run(
        self,
        function: Callable[[Job], Result],
        jobs: Sequence[Job],
        *,
        title: str,
        frames: int,
        at_once: int | None = None,
        networks: bool = False,
    ) -> Iterator[tuple[Job, Result | Exception]]:
        """See `Executor.run`.

        Raises:
            UserError: no machine of the cluster can do the jobs.
        """
        name = f"run {next(self._runs)}"
        terms = pickle.dumps(Terms(installation(), marks()))
        waiting = deque(_Flight(number, job) for number, job in enumerate(jobs))
        running: dict[Any, _Flight] = {}
        refusing: set[str] = set()  # machines that cannot do these jobs
        with closing(current().bar(printable(title), frames)) as bar:
            progress = _Progress(self._ray, self._tally, name, lambda done: bar.update(min(done, frames)))
            while waiting or running:
                if self._stopped:
                    raise Stopped
                self._look_at_nodes()
                while waiting and len(self._in_flight) < self._most:
                    flight = waiting.popleft()
                    options = self._options(refusing, whole=at_once is not None, networks=networks)
                    parcel = pickle.dumps((function, flight.job))
                    ref = self._attempt.options(**options).remote(terms, parcel, self._tally, name, flight.number)
                    running[ref] = flight
                    self._in_flight.add(ref)
                done = self._finished(list(running), POLL_S)
                progress.look()
                for ref in done:
                    flight = running.pop(ref)
                    answer = self._answer(ref, flight, refusing)
                    if answer is AGAIN:
                        waiting.append(flight)
                    else:
                        yield flight.job, answer
            self._tally.forget.remote(name)
            bar.update(frames)

    def _finished(self, refs: list[Any], timeout: float) -> list[Any]:
        if not refs:  # other sessions' jobs fill the cluster
            time.sleep(timeout)
            return []
        done, _ = self._ray.wait(refs, num_returns=1, timeout=timeout)
        self._in_flight.difference_update(done)
        return list(done)

    @property
    def _most(self) -> int:
        bound = self._workers if self._address is not None else None  # of one's own Ray it is the number of cores
        return bound or PER_CORE * self._nodes.cores

    def _options(self, refusing: set[str], *, whole: bool, networks: bool) -> dict[str, Any]:
        memory = min(MEMORY_WHOLE if whole else MEMORY, self._nodes.memory * MOST_OF_A_NODE)
        options: dict[str, Any] = {"num_cpus": 1, "memory": int(memory), "max_retries": 0}
        if networks and self._gpus:
            options["num_gpus"] = GPU_SHARE
        if left_out := self._unfit | refusing:
            options["label_selector"] = {"ray.io/node-id": f"!in({','.join(sorted(left_out))})"}
        return options

    def _answer(self, ref: Any, flight: _Flight, refusing: set[str]) -> Any:
        """What a job ended with, or `AGAIN`."""
        errors = self._ray.exceptions
        try:
            node, (kind, value) = self._ray.get(ref)
        except (errors.WorkerCrashedError, errors.OutOfMemoryError):
            flight.deaths += 1
            return RuntimeError(WORKER_DIED) if flight.deaths >= DEATHS else AGAIN
        except errors.RayTaskError as error:  # of Ray or this package itself: a job's own come as values
            return RuntimeError(f"{type(error).__name__}: {str(error).strip().splitlines()[-1]}")
        except errors.RayError as error:
            flight.losses += 1
            lost = f"its machine was lost {flight.losses} times, the last time with {type(error).__name__}"
            return RuntimeError(lost) if flight.losses >= LOSSES else AGAIN
        if kind in ("result", "error"):
            return value
        (self._unfit if kind == "unfit" else refusing).add(node)
        if self._nodes.usable <= self._unfit | refusing:
            raise UserError(f"No machine of the cluster can do this: {value}")
        self._tell_once(f"- {printable(value)} Its part is done by others.")
        return AGAIN

    def _tell_once(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            tell(sentence, problem=True)

    def _look_at_nodes(self) -> None:
        """Machines come and go."""
        if self._looked and time.monotonic() - self._looked < NODES_S:
            return
        self._looked = time.monotonic()
        nodes = {node["NodeID"]: node["Resources"] for node in self._ray.nodes() if node["Alive"]}
        usable = {node: each for node, each in nodes.items() if each.get("CPU", 0) >= 1 and node not in self._unfit}
        cores = sum(int(each["CPU"]) for each in usable.values())
        memory = max((each.get("memory", 0.0) for each in usable.values()), default=0.0)
        self._nodes = _Nodes(max(1, cores), memory, frozenset(usable))
        if not usable:
            self._tell_once("- The cluster has no machine with a core now; waiting for one.")

    def _give_up(self) -> None:
        """Ask what runs to stop, and kill what does not; finished work is kept in the run folder."""
        for force in (False, True):
            for ref in self._in_flight:
                with suppress(Exception):
                    self._ray.cancel(ref, force=force)
            deadline = time.monotonic() + self._patience
            while self._in_flight and (left := deadline - time.monotonic()) > 0:
                self._finished(list(self._in_flight), left)


class _Progress:
    """Asks the tally now and then, without waiting for it."""

    def __init__(self, ray: ModuleType, tally: Any, name: str, show: Callable[[int], object]) -> None:
        self._ray, self._tally, self._name, self._show = ray, tally, name, show
        self._asked: Any = None
        self._last = time.monotonic()

    def look(self) -> None:
        """Show what is known by now."""
        if self._asked is None and time.monotonic() - self._last >= TALLY_S:
            self._asked = self._tally.total.remote(self._name)
        if self._asked is not None and self._ray.wait([self._asked], timeout=0)[0]:
            with suppress(self._ray.exceptions.RayError):  # the tally's machine was lost; only the bar suffers
                self._show(self._ray.get(self._asked))
            self._asked, self._last = None, time.monotonic()
