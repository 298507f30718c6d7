"""A run that the page starts: how far it is, how it ended, and that it ends with the review."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

from or_mv_anon.review.rendering import Rendering, render_command

PATIENCE_S = 30


def run(script: str) -> tuple[Rendering, threading.Event]:
    ended = threading.Event()
    rendering = Rendering([sys.executable, "-c", script], ended.set)
    assert rendering.start()
    return rendering, ended


def test_progress_and_what_has_to_be_looked_at_are_heard():
    rendering, ended = run(
        "import json, sys\n"
        "print(json.dumps({'event': 'progress', 'title': 'morning: render', 'done': 3, 'total': 9}), flush=True)\n"
        "print('no json'); print(json.dumps({'event': 'said', 'problem': False, 'text': 'hello'}))\n"
        "print(json.dumps({'event': 'said', 'problem': True, 'text': 'A cover lies outside.'})); sys.exit(1)"
    )
    assert ended.wait(PATIENCE_S)
    state = rendering.state
    assert (state.title, state.done, state.total, state.code, state.error) == ("morning: render", 3, 9, 1, "")
    assert state.said == ("A cover lies outside.",)


def test_what_stopped_it_is_told():
    rendering, ended = run("import sys; print('error: The disk is full.', file=sys.stderr); sys.exit(2)")
    assert ended.wait(PATIENCE_S)
    assert (rendering.state.code, rendering.state.error) == (2, "The disk is full.")


def test_one_at_a_time_and_none_left_behind():
    rendering, ended = run("import time; time.sleep(600)")
    assert not rendering.start()
    rendering.stop()
    assert ended.wait(PATIENCE_S)
    limit = time.monotonic() + PATIENCE_S
    while rendering.state.running and time.monotonic() < limit:
        time.sleep(0.01)
    assert rendering.start()
    rendering.stop()


def test_the_command_is_the_documented_one():
    command = render_command(Path("anonymous"), Path("recordings"))
    assert command[1:] == [
        "-m", "or_mv_anon", "render", "anonymous", "--videos", "recordings", "--progress", "json",
    ]  # fmt: skip
