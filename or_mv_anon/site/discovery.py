"""Finds the sessions and cameras of a site folder and applies `site.toml` to them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from or_mv_anon.core.errors import UserError
from or_mv_anon.site.layout import Folder, FoundCamera, check_readable, examine, is_own_output, natural_key
from or_mv_anon.site.model import DEFAULT_PICTURE_RATE, Camera, Session, Site
from or_mv_anon.site.names import check_output_name, same_name, shown
from or_mv_anon.site.settings import CameraSettings, SiteSettings, load_settings
from or_mv_anon.site.starts import started_by_name


def discover(site_dir: Path) -> Site:
    """The sessions and cameras in `site_dir`: one session, one folder per session, or a single video file.

    Layouts and `site.toml` are described in `docs/site-layout.md`. No video is opened.

    Raises:
        UserError: nothing usable is there, it is unreadable or ambiguous, camera names repeat, or `site.toml` is wrong.
    """
    path = site_dir.expanduser().absolute()
    if ".." in path.parts:
        path = path.resolve()  # outputs are named after the folder
    if path.is_dir():
        return _discover_folder(path)
    if not os.path.lexists(path):
        raise UserError(f"{site_dir} does not exist; expected a folder of videos or one video.")
    check_readable(path)
    settings = load_settings(path.parent)
    if settings.cameras:
        return _one_of(_discover_folder(path.parent), path)
    found = FoundCamera(path.name, path.stem, path)
    return Site(path=path, name=path.stem, sessions=(_session(path.stem, (found,), ()),))


def _discover_folder(path: Path) -> Site:
    if is_own_output(path):
        raise UserError(f"{path} is an output of this tool; pass the folder of the recordings.")
    settings = load_settings(path)
    folder = examine(path)
    if folder.role == "nothing":
        raise UserError(" ".join([f"No videos and no numbered pictures in {path}.", *folder.notes]))
    site_name = settings.name or path.resolve().name or "site"
    if folder.role != "site":
        _refuse_strangers(settings, [folder])
        layers, notes = _with_settings_above(settings, folder)
        session = _session(site_name, folder.cameras, notes, *layers)
        return Site(path=path, name=site_name, sessions=(session,))
    _refuse_strangers(settings, folder.sessions)
    sessions = []
    for part in folder.sessions:
        own = load_settings(part.path)
        name = own.name or part.path.name
        sessions.append(_session(name, part.cameras, part.notes, settings, own))
        _refuse_strangers(own, [part], known=[camera.name for camera in sessions[-1].cameras])
    _refuse_repeats([session.name for session in sessions], f"sessions of {path}")
    sessions.sort(key=lambda session: natural_key(session.name))
    return Site(path=path, name=site_name, sessions=tuple(sessions), notes=folder.notes)


def _with_settings_above(settings: SiteSettings, folder: Folder) -> tuple[list[SiteSettings], tuple[str, ...]]:
    """For one session of a site: the site's own settings hold, too, or its zones would be passed over unnoticed."""
    above = load_settings(folder.path.parent)
    if folder.path.parent == folder.path or not any(
        _concerns(table, camera) for table in above.cameras for camera in folder.cameras
    ):
        return [settings], folder.notes
    return [above, settings], (*folder.notes, f"{shown(str(above.path))} holds for this session, too.")


def _session(name: str, found: Sequence[FoundCamera], notes: Sequence[str], *settings: SiteSettings) -> Session:
    """The cameras with each `site.toml` applied in turn, listed ones in their order, then the others by name."""
    cameras = []
    for one in found:
        camera = Camera(name=one.name, files=one.files)
        if one.holds_pictures:
            camera = replace(camera, fps=DEFAULT_PICTURE_RATE)
        order = None
        for layer in settings:
            for table in layer.cameras:
                if _concerns(table, one) or (table.file is None and table.name == camera.name):
                    camera = _apply(camera, table, layer)
                    order = table.order if table.order is not None else order
        cameras.append((order is None, order or 0, natural_key(camera.name), camera))
    ordered = [row[-1] for row in sorted(cameras, key=lambda row: row[:3])]
    check_output_name(name, "The session")
    for camera in ordered:
        check_output_name(camera.name, f"The camera {shown(camera.source.name)}")
    _refuse_repeats([camera.name for camera in ordered], f"cameras of the session {name}")
    given = {camera.name for camera in ordered if camera.offset}
    ordered, about = started_by_name(ordered, keep=given)
    return Session(name=name, cameras=tuple(ordered), notes=(*notes, *about))


def _concerns(table: CameraSettings, found: FoundCamera) -> bool:
    return table.target in (found.source, found.name)


def _apply(camera: Camera, table: CameraSettings, settings: SiteSettings) -> Camera:
    if table.fps is not None and camera.fps is None:
        raise UserError(
            f"{settings.path} gives 'fps' for {table.target}, which is a video with timestamps of its own; "
            "remove it, 'fps' is for folders of pictures."
        )
    changes: dict[str, Any] = {
        "name": table.name,
        "kind": table.kind,
        "offset": table.offset_s,
        "always": table.always_cover,
        "never": table.never_cover,
        "fps": table.fps,
    }
    return replace(camera, **{key: value for key, value in changes.items() if value is not None})


def _one_of(site: Site, video: Path) -> Site:
    """The single camera `video` of a site whose `site.toml` has a say in it."""
    for session in site.sessions:
        for camera in session.cameras:
            if camera.files == video or (isinstance(camera.files, tuple) and video in camera.files):
                alone = Session(name=video.stem, cameras=(replace(camera, files=video),))
                return Site(path=video, name=video.stem, sessions=(alone,))
    raise UserError(f"{video} is not recognized as a video by its name; known suffixes are in docs/site-layout.md.")


def _refuse_strangers(settings: SiteSettings, folders: Sequence[Folder], known: Sequence[str] = ()) -> None:
    """A table that fits no camera is a mistake: its zones would protect nothing."""
    found = [camera for folder in folders for camera in folder.cameras]
    for table in settings.cameras:
        if not any(_concerns(table, camera) for camera in found) and table.target not in known:
            there = ", ".join(sorted({camera.source for camera in found}, key=natural_key))
            raise UserError(
                f"{settings.path} speaks of the camera '{table.target}', which is not there; found {there}."
            )


def _refuse_repeats(names: Sequence[str], where: str) -> None:
    folded = [same_name(name) for name in names]
    for name, key in zip(names, folded, strict=True):
        if folded.count(key) > 1:
            raise UserError(
                f"Two {where} are named '{name}' (capitals do not count, outputs would overwrite each other); "
                "rename a file, or give one a name in site.toml with 'file' and 'name'."
            )
