"""What happens around every training step: the learning rate, the log, the clock, the checkpoint, Ctrl-C."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.registry import LOOPS
from mmengine.runner import IterBasedTrainLoop, Runner
from torch.nn.modules.batchnorm import _BatchNorm

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import write_atomically

NO_MESSAGES: dict[str, dict[str, Any]] = {"log_scalars": {}, "runtime_info": {}, "resumed_keys": {}}

Report = Callable[[int, int], Any]  # told steps done and steps in all


@LOOPS.register_module()
class NumberedDrawsLoop(IterBasedTrainLoop):
    """mmengine's loop, but a resumed training does not draw again what it drew before: its loader goes on by number."""

    def run(self) -> Any:
        self.runner.call_hook("before_train")
        self.runner.call_hook("before_train_epoch")
        while self.iter < self.max_iters and not self.stop_training:
            self.runner.model.train()
            self.run_iter(next(self.dataloader_iterator))
        self.runner.call_hook("after_train_epoch")
        self.runner.call_hook("after_train")
        return self.runner.model


class Watch(Hook):
    """Keeps the log and the clock over interruptions, and ends the training when its time is over.

    Args:
        seconds: the training may take, all runs together; None for no limit.
        report: told after each step.
        log: of the steps before this run.
        spent: seconds before this run.
    """

    def __init__(
        self, *, seconds: float | None, report: Report | None, log: list[dict[str, float]], spent: float
    ) -> None:
        self.log = log
        self._seconds = seconds
        self._report = report
        self._spent = spent
        self._begin = time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether all the time has been spent, on at least one step."""
        return bool(self.log) and self._seconds is not None and self.elapsed >= self._seconds

    @property
    def elapsed(self) -> float:
        """Seconds of training so far."""
        return self._spent + time.monotonic() - self._begin

    def share(self, runner: Runner) -> float:
        """How much of the training is over, by steps or by time, whichever is more."""
        by_time = self.elapsed / self._seconds if self._seconds else 0.0
        return min(1.0, max(runner.iter / runner.max_iters, by_time))

    def before_train(self, runner: Runner) -> None:
        self._begin = time.monotonic()

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Mapping[str, Any] | None = None
    ) -> None:
        values = {name: float(value.detach()) for name, value in (outputs or {}).items()}
        if not math.isfinite(values["loss"]):
            raise UserError(f"The training diverged at step {runner.iter + 1}; use a lower learning rate.")
        step: dict[str, float] = {"step": runner.iter + 1, "seconds": round(self.elapsed, 3)}
        self.log.append(step | {"learning_rate": runner.optim_wrapper.get_lr()["lr"][0]} | values)
        if self._report is not None:
            self._report(runner.iter + 1, runner.max_iters)
        if self.is_over:
            runner.train_loop.stop_training = True


class LearningRate(Hook):
    """A linear rise, then half a cosine down (Loshchilov and Hutter 2017, without restarts), by share of training.

    Args:
        highest: learning rate.
        watch: knows the share.
        warm_up_share: of the training, in which it rises.
        final_rate: of the highest, at the end.
    """

    def __init__(self, *, highest: float, watch: Watch, warm_up_share: float, final_rate: float) -> None:
        self._highest = highest
        self._watch = watch
        self._warm_up_share = warm_up_share
        self._final_rate = final_rate

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        done = self._watch.share(runner)
        if done < self._warm_up_share:
            factor = (done + 1 / runner.max_iters) / (self._warm_up_share + 1 / runner.max_iters)
        else:
            falling = (1 + math.cos(math.pi * (done - self._warm_up_share) / (1 - self._warm_up_share))) / 2
            factor = self._final_rate + (1 - self._final_rate) * falling
        for group in runner.optim_wrapper.param_groups:
            group["lr"] = self._highest * factor


class Checkpoint(Hook):
    """Writes one whole checkpoint every so many seconds, at the end, and when the user presses Ctrl-C.

    Args:
        path: of the file, replaced each time.
        every_s: seconds between writes.
        watch: its log and clock are kept, too.
        fingerprint: of what is trained, so that nothing else is resumed from the file.
    """

    def __init__(self, path: Path, *, every_s: float, watch: Watch, fingerprint: str) -> None:
        self._path = path
        self._every_s = every_s
        self._watch = watch
        self._fingerprint = fingerprint
        self._written = time.monotonic()
        self._interrupt = threading.Event()
        self._before: Any = None

    def before_train(self, runner: Runner) -> None:
        self._written = time.monotonic()
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._note_interrupt)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Mapping[str, Any] | None = None
    ) -> None:
        last = runner.iter + 1 == runner.max_iters or runner.train_loop.stop_training
        if last or self._interrupt.is_set() or time.monotonic() - self._written >= self._every_s:
            write_atomically(self._path, lambda part: self._write(runner, part))
            self._written = time.monotonic()
        if self._interrupt.is_set():
            raise KeyboardInterrupt

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """mmengine's own log holds objects, which a safe reader refuses; ours is in `meta`."""
        checkpoint["message_hub"] = NO_MESSAGES

    def release(self) -> None:
        """Gives Ctrl-C back its meaning."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def _write(self, runner: Runner, part: Path) -> None:
        meta = {"fingerprint": self._fingerprint, "log": self._watch.log, "spent": self._watch.elapsed}
        runner.save_checkpoint(str(part.parent), part.name, by_epoch=False, meta=meta)

    def _note_interrupt(self, *_: Any) -> None:
        self._interrupt.set()
        self.release()  # a second Ctrl-C stops at once


class FrozenNorms(Hook):
    """Keeps the statistics of batch normalizations as they are: few pictures of one room would spoil them."""

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        for layer in runner.model.modules():
            if isinstance(layer, _BatchNorm):
                layer.eval()


class Layout(Hook):
    """Keeps pictures' channels together in memory, which convolutions on processors with bfloat16 are fastest with."""

    def before_run(self, runner: Runner) -> None:
        runner.model.to(memory_format=torch.channels_last)
