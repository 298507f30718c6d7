"""A live room with everything around it: who is told, what is written down, and what answers."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from or_mv_anon import __version__
from or_mv_anon.core.config import config_hash
from or_mv_anon.live.journal import Journal
from or_mv_anon.live.output import say
from or_mv_anon.live.room import RoomOptions, RoomRun
from or_mv_anon.live.room_networks import ReadyNetworks
from or_mv_anon.live.room_site import LiveSite
from or_mv_anon.live.settings import LiveConfig
from or_mv_anon.live.status import RoomStatus, line
from or_mv_anon.live.status_server import answering

SWITCH_S = 0.002  # the judge waits for other threads so long at most; Python's own 5 ms add up


def run_room(
    site: LiveSite, options: RoomOptions, ready: ReadyNetworks, live: LiveConfig, *, log: Path | None,
    status_port: int | None = None, as_json: bool = False,
) -> int:  # fmt: skip
    """Run to the end, and tell of it once a second; returns the exit code.

    Args:
        site: the room.
        options: what is asked for.
        ready: its networks.
        live: thresholds.
        log: folder of the journal; None for none.
        status_port: of /metrics and /healthz; None for none.
        as_json: tell machines instead of people.

    Raises:
        UserError: a place cannot be written, or no camera ever showed a picture.
    """
    sys.setswitchinterval(SWITCH_S)
    with ExitStack() as around:
        run = RoomRun(
            site, options, config=ready.config, live=live, networks=ready.networks, endoscopy=ready.endoscopy,
            classifier=ready.classifier, say=say, geometry=ready.geometry, beside=not options.fast,
            known_room=ready.knows_room,
        )  # fmt: skip
        status = RoomStatus(run)
        latest = status.read()
        if status_port is not None:
            port = around.enter_context(answering(status_port, lambda: latest))
            say(f"Answers on http://127.0.0.1:{port}/metrics and /healthz.")
        journal = None if log is None else Journal(log, _about(site, options, ready, live), say)
        if journal is not None:
            run.finished = journal.note_file
        for camera in site.cameras:
            files = [] if camera.folder is None else [str(camera.folder)]
            targets = [*(place.shown for place in camera.outputs), *files]
            say(f"{camera.name}: {camera.input.shown} -> {', '.join(targets)}, {options.delay:g} s behind.")

        def report() -> None:
            nonlocal latest
            latest = status.read()
            print(json.dumps(latest) if as_json else line(latest), flush=True)
            if journal is not None:
                journal.note(latest)

        code = run.run(report=report)
        if journal is not None:
            journal.close(latest)
        if as_json:
            print(json.dumps({"event": "end", "code": code, "stages": run.stages.summary()}), flush=True)
        else:
            print(f"Done: {line(latest)}", file=sys.stdout, flush=True)
        return code


def _about(site: LiveSite, options: RoomOptions, ready: ReadyNetworks, live: LiveConfig) -> dict[str, object]:
    """The run, without any address."""
    return {
        "version": __version__,
        "room": site.name,
        "cameras": {camera.name: camera.kind for camera in site.cameras},
        "delay_s": options.delay,
        "method": options.method,
        "networks": [{"role": each.role, "name": each.name, "sha256": each.sha256} for each in ready.weights],
        "settings": config_hash(ready.config, ready.endoscopy, live),
        "zones": {camera.name: [camera.always, camera.never] for camera in site.cameras},
        "live": asdict(live),
    }
