"""The file that holds a session's decisions: lines are only ever added, each bound to the one before by its SHA-256.

A line that was given back by `append` is on the disk. What a killed save left behind is no line: it is put aside under
another name and reported. A line that was changed or removed breaks the chain, and then nothing of it is believed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import explained, sync
from or_mv_anon.core.listening import tell
from or_mv_anon.core.run_layout import CORRECTIONS
from or_mv_anon.corrections.actions import (
    Action,
    Withdraw,
    check_action,
    check_text,
    needs_reason,
    parse_action,
    plain_action,
)

SCHEMA = "or_mv_anon/correction/1"
START = "0" * 64  # what the first line names as the one before
_ABOUT = ("schema", "id", "previous", "written", "author", "reason")


@dataclass(frozen=True)
class Line:
    """One decision.

    Attributes:
        number: of the line, from 0; it stays the same for ever.
        id: by which later lines name it.
        written: ISO 8601, UTC.
        author: who decided.
        reason: why; may be empty.
        action: what.
        sha256: of the line as it stands in the file, without its end.
        previous: that of the line before.
    """

    number: int
    id: str
    written: str
    author: str
    reason: str
    action: Action
    sha256: str
    previous: str


def log_file(folder: Path) -> Path:
    """Where the decisions about the run in the output folder `folder` are."""
    return folder / CORRECTIONS


def append(folder: Path, action: Action, *, author: str, reason: str = "") -> Line:
    """Add a decision about the run in `folder`; when this returns it is on the disk.

    Args:
        folder: output folder of one session.
        action: the decision.
        author: who takes it.
        reason: why.

    Raises:
        UserError: it cannot be meant, the file is damaged, or it cannot be written. Nothing was added then.
    """
    check_action(action)
    check_text(author, "The author", empty=False)
    check_text(reason, "The reason", empty=True)
    if needs_reason(action) and not reason.strip():
        raise UserError(f"{action.name} against a face detector is taken only with a reason.")
    path = log_file(folder)
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder; expected the output folder of a run.")
    with explained(path), _opened(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, fcntl.LOCK_EX) as descriptor:
        lines, torn = _understood(path, _all_of(descriptor))
        if torn:
            _put_aside(path, descriptor, torn)
        if isinstance(action, Withdraw) and action.line not in {line.id for line in lines}:
            raise UserError(f"There is no correction {action.line!r} to withdraw in {path}.")
        content = {
            "schema": SCHEMA,
            "id": secrets.token_hex(6),
            "previous": lines[-1].sha256 if lines else START,
            "written": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "author": author,
            "reason": reason,
            **plain_action(action),
        }
        text = json.dumps(content, allow_nan=False).encode()
        before = os.fstat(descriptor).st_size
        try:
            if os.write(descriptor, text + b"\n") != len(text) + 1:
                raise OSError(28, "No space left on device")
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, before)
            raise
        sync(path.parent)
        return _line(path, len(lines), text, content["previous"])


def read(folder: Path) -> list[Line]:
    """All decisions about the run in `folder`, oldest first; a line that a killed save left unfinished is told of.

    Raises:
        UserError: the file cannot be read, or was changed other than by adding lines.
    """
    path = log_file(folder)
    if not path.exists():
        return []
    try:
        with _opened(path, os.O_RDONLY, fcntl.LOCK_SH) as descriptor:
            data = _all_of(descriptor)
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}.") from error
    lines, torn = _understood(path, data)
    if torn:
        tell(f"- The last line of {path} was not saved whole and does not count; it is kept aside.", problem=True)
        with suppress(OSError), _opened(path, os.O_RDWR | os.O_APPEND, fcntl.LOCK_EX) as descriptor:
            lines, torn = _understood(path, _all_of(descriptor))
            if torn:
                _put_aside(path, descriptor, torn)
    return lines


def standing(lines: Sequence[Line]) -> list[Line]:
    """The decisions that no later one has withdrawn, without the withdrawals themselves."""
    withdrawn: set[str] = set()
    kept = []
    for line in reversed(lines):
        if line.id in withdrawn:
            continue
        if isinstance(line.action, Withdraw):
            withdrawn.add(line.action.line)
        else:
            kept.append(line)
    return kept[::-1]


@contextmanager
def _opened(path: Path, flags: int, lock: int) -> Iterator[int]:
    descriptor = os.open(path, flags, 0o600)
    try:
        fcntl.flock(descriptor, lock)
        yield descriptor
    finally:
        os.close(descriptor)


def _all_of(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    parts = []
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def _understood(path: Path, data: bytes) -> tuple[list[Line], bytes]:
    """The lines, and what follows the last whole one."""
    *whole, torn = data.split(b"\n")
    lines: list[Line] = []
    for number, text in enumerate(whole):
        try:
            lines.append(_line(path, number, text, lines[-1].sha256 if lines else START))
        except UserError:
            if number == len(whole) - 1 and not torn and not _is_json(text):
                return lines, text + b"\n"  # a machine that lost its power may leave the end of a file like this
            raise
    return lines, torn


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _line(path: Path, number: int, text: bytes, previous: str) -> Line:
    where = f"Line {number + 1} of {path}"
    try:
        content: dict[str, Any] = json.loads(text)
        about = {name: content.pop(name) for name in _ABOUT}
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise UserError(f"{where} is no correction ({error}); put back the file as it was.") from error
    if about["schema"] != SCHEMA:
        raise UserError(f"{where} was written by another version ({about['schema']!r}, expected {SCHEMA!r}).")
    if about["previous"] != previous:
        raise UserError(f"{where} does not follow the line before it: the file was changed; put it back as it was.")
    try:
        action = parse_action(content)
        for name in ("id", "written", "author"):
            check_text(about[name], name, empty=False)
        check_text(about["reason"], "reason", empty=True)
    except UserError as error:
        raise UserError(f"{where}: {error}") from error
    digest = hashlib.sha256(text).hexdigest()
    return Line(number, about["id"], about["written"], about["author"], about["reason"], action, digest, previous)


def _put_aside(path: Path, descriptor: int, torn: bytes) -> None:
    """Keep what is no whole line in a file of its own, then cut it off."""
    number = 1
    while (aside := path.with_name(f"{path.stem}.torn-{number}{path.suffix}")).exists():
        number += 1
    kept = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(kept, torn)
        os.fsync(kept)
    finally:
        os.close(kept)
    sync(path.parent)
    os.ftruncate(descriptor, os.fstat(descriptor).st_size - len(torn))
    os.fsync(descriptor)
    tell(f"- What a save left unfinished in {path.name} is kept as {aside.name}; decide it again.", problem=True)
