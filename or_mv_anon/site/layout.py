"""Tells what a folder is: a camera (numbered pictures), a session (cameras) or a site (sessions).

People lay recordings out in several ways (see `docs/site-layout.md`). Whatever is left out is named in a note, and a
folder that could be read in two ways is refused: a camera silently missed would stay unprotected.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.run_layout import AUDIT_RECORD, STORE_FOLDER
from or_mv_anon.site.cards import CARD_FOLDERS, by_size, card_clips, contents, human_size, is_system_folder
from or_mv_anon.site.names import shown
from or_mv_anon.site.part_names import looks_like_camera
from or_mv_anon.site.parts import PartsRule, group_parts
from or_mv_anon.site.settings import SETTINGS_NAME, load_settings

_VIDEO_NAMES = (
    "3g2 3gp apng asf av1 avi dav divx dv f4v flv gif gxf h264 h265 264 265 hevc ivf m1v m2t m2ts m2v m4v mj2 mjpeg "
    "mjpg mkv mod mov mp4 mpe mpeg mpg mpv mts mxf nut obu ogm ogv qt rm rmvb tod ts vob webm wmv wtv y4m"
)
VIDEO_SUFFIXES = frozenset(f".{name}" for name in _VIDEO_NAMES.split())
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp"})
_COLOUR_FOLDERS = frozenset({"color", "colour", "colorimage", "rgb"})  # 4D-OR and MVOR keep depth beside colour
_DEPTH_FOLDERS = frozenset({"depth", "depthimage"})
_CAMERA_PREFIX = re.compile(r"(cam(?:era)?[ _-]?[0-9]{1,3})(?![0-9])[^0-9]*[0-9]", re.IGNORECASE)
_MEANT_AS_SETTINGS = frozenset({SETTINGS_NAME, f"{SETTINGS_NAME}.txt", "site.tml", "sites.toml"})
_DEEPEST = 3  # site / session / camera / colour folder

Role = Literal["nothing", "camera", "session", "site"]


@dataclass(frozen=True)
class FoundCamera:
    """One camera as it lies on disk; `source` is its file or folder name, `name` the one without suffix.

    Several files are pictures, or consecutive parts of one video.
    """

    source: str
    name: str
    files: Path | tuple[Path, ...]

    @property
    def holds_pictures(self) -> bool:
        """Whether the files are pictures, and not videos."""
        return isinstance(self.files, tuple) and self.files[0].suffix.lower() in PICTURE_SUFFIXES


@dataclass(frozen=True)
class Folder:
    """What a folder turned out to be, with one note per thing left out."""

    path: Path
    role: Role
    cameras: tuple[FoundCamera, ...] = ()
    sessions: tuple[Folder, ...] = ()
    notes: tuple[str, ...] = ()


def natural_key(name: str) -> tuple[list[str | int], str]:
    """Sort key under which cam2 comes before cam10; names that differ have different keys."""
    parts = re.split("([0-9]+)", name.casefold())
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], name


def examine(path: Path, *, depth: int = 0, rule: PartsRule | None = None) -> Folder:
    """What the folder at `path` is, looking at most three levels below the site.

    `rule` is the folder above's word on parts; a `site.toml` in this one overrides it.

    Raises:
        UserError: it cannot be read, holds an unusable video, or can be read in two ways.
    """
    videos, pictures, folders, notes = _entries(path)
    rule = load_settings(path).parts or rule
    cards = [folder for folder in folders if folder.name.casefold() in CARD_FOLDERS]
    folders = [folder for folder in folders if folder not in cards]
    if depth == _DEEPEST:
        notes += [f"{folder}: not searched, too deep." for folder in folders]
        folders = []
    colour = [folder for folder in folders if folder.name.casefold() in _COLOUR_FOLDERS]
    if len(colour) == 1 and not videos:
        inner = examine(colour[0], depth=depth + 1, rule=rule)
        if inner.role in ("camera", "session"):
            return _lifted(inner, path, notes, [*(f for f in folders if f != colour[0]), *pictures[:1]])
    if videos and pictures:
        notes.append(f"{path}: ignored pictures that lie beside videos: {by_size(pictures)}.")
        pictures = []
    children = [examine(folder, depth=depth + 1, rule=rule) for folder in folders]
    found = [child for child in children if child.role != "nothing"]
    notes += [note for child in children if child.role in ("nothing", "camera") for note in child.notes]
    sequences = _by_camera(path, pictures)
    _refuse_ambiguity(path, videos, pictures, found)
    groups, about = group_parts(path, videos, rule)
    notes += about
    cameras = [
        FoundCamera(files[0].name, name, files[0]) if len(files) == 1 else FoundCamera(name, name, files)
        for name, files in ((group.name, group.files) for group in groups)
    ]
    cameras += sequences
    card = _card_camera(path, cards, notes)
    cameras += card
    for child in found:
        if child.role == "camera":
            cameras.append(replace(child.cameras[0], source=child.path.name, name=child.path.name))
    sessions = tuple(child for child in found if child.role != "camera")
    role: Role = "site" if sessions else "session" if cameras else "nothing"
    alone = len(cameras) == 1 and not found
    if role == "session" and alone and (sequences or card or _is_cameras_own(path, cameras[0])):
        role = "camera"
    if role == "nothing" and depth:
        notes.append(f"{path}: holds no video and no numbered pictures.")
    cameras.sort(key=lambda camera: natural_key(camera.name))
    return Folder(path, role, tuple(cameras), sessions, tuple(map(shown, notes)))


def is_own_output(path: Path) -> bool:
    """Whether an anonymization wrote the folder at `path`."""
    return os.path.exists(path / AUDIT_RECORD) or os.path.isdir(path / STORE_FOLDER)


def check_readable(video: Path) -> None:
    """Refuses a link to nothing, a device or a file without read permission.

    Raises:
        UserError: the file cannot be opened.
    """
    if not video.is_file():
        found = "a link whose target is missing" if video.is_symlink() else "not a regular file"
        raise UserError(f"{video} cannot be used: it is {found}. Restore it or move it out of the folder.")
    try:
        video.open("rb").close()
    except OSError as error:
        raise UserError(f"{video} cannot be read: {error.strerror}. Check its permissions and its disk.") from error


def _entries(path: Path) -> tuple[list[Path], list[Path], list[Path], list[str]]:
    try:
        with os.scandir(path) as listing:
            entries = sorted((entry.name, entry.is_dir()) for entry in listing)
    except OSError as error:
        raise UserError(f"Cannot read the folder {path}: {error.strerror}.") from error
    videos, pictures, folders, others, notes = [], [], [], [], []
    for name, is_folder in sorted(entries, key=lambda entry: natural_key(entry[0])):
        entry = path / name
        suffix = entry.suffix.lower()
        if (name.startswith(".") and not (is_folder and is_system_folder(name))) or name == SETTINGS_NAME:
            continue
        if name.casefold() in _MEANT_AS_SETTINGS:
            raise UserError(f"{entry} is not read, and its zones would not hold; name it {SETTINGS_NAME}.")
        if is_folder and is_own_output(entry):
            notes.append(f"{entry}: skipped, it is an output of this tool.")
        elif is_folder and is_system_folder(name):
            count, size = contents(entry)
            notes.append(f"{entry}: skipped, the system keeps it for itself ({count} files, {human_size(size)}).")
        elif is_folder and name.casefold() in _DEPTH_FOLDERS:
            notes.append(f"{entry}: skipped, depth pictures are not anonymized.")
        elif is_folder:
            folders.append(entry)
        elif suffix in VIDEO_SUFFIXES:
            check_readable(entry)
            videos.append(entry)
        elif suffix in PICTURE_SUFFIXES and re.search("[0-9]", entry.stem):
            pictures.append(entry)
        else:
            others.append(entry)
    if others:
        notes.append(f"{path}: ignored, as neither video nor numbered picture: {by_size(others)}.")
    for entry in (*videos, *pictures):
        if not entry.name.isprintable():
            raise UserError(
                f"{path} holds a recording named '{shown(entry.name)}', with characters that cannot be printed or are "
                "no valid UTF-8; rename it."
            )
    return videos, pictures, folders, notes


def _by_camera(path: Path, pictures: list[Path]) -> list[FoundCamera]:
    """One sequence, or several where every name starts with its camera (``camera01_colorimage-000123.jpg``)."""
    if not pictures:
        return []
    check_readable(pictures[0])
    prefixes = [match[1] if (match := _CAMERA_PREFIX.match(picture.stem)) else "" for picture in pictures]
    groups: dict[str, list[Path]] = {}
    for picture, prefix in zip(pictures, prefixes, strict=True):
        groups.setdefault(prefix if all(prefixes) else path.name, []).append(picture)
    for files in groups.values():
        twice = [stem for stem, count in Counter(file.stem for file in files).items() if count > 1]
        if twice:
            raise UserError(f"{path} holds two pictures named {twice[0]} with different suffixes; keep one of each.")
    return [FoundCamera(name, name, tuple(files)) for name, files in groups.items()]


def _is_cameras_own(path: Path, camera: FoundCamera) -> bool:
    """Whether a folder holds the parts of one camera's recording and is named after the camera."""
    joined = isinstance(camera.files, tuple)
    return joined and (looks_like_camera(path.name) or camera.name.casefold() == path.name.casefold())


def _card_camera(path: Path, cards: list[Path], notes: list[str]) -> list[FoundCamera]:
    """The camera whose memory card was copied to `path`, if there is one."""
    clips: list[Path] = []
    for card in cards:
        found, others = card_clips(card, VIDEO_SUFFIXES)
        clips += found
        if others:
            notes.append(f"{card}: ignored beside the card's clips: {by_size(others)}.")
        if not found:
            notes.append(f"{card}: holds no video.")
    if not clips:
        return []
    for clip in clips:
        check_readable(clip)
    if twice := [name for name, count in Counter(clip.name for clip in clips).items() if count > 1]:
        raise UserError(f"{path}: its memory card holds two clips named {twice[0]}; rename one.")
    if len(clips) > 1:
        notes.append(f"{path}: the {len(clips)} clips of its memory card are joined in the order of their names.")
    return [FoundCamera(path.name, path.name, tuple(clips) if len(clips) > 1 else clips[0])]


def _lifted(inner: Folder, path: Path, notes: list[str], ignored: list[Path]) -> Folder:
    """A session or camera that keeps its pictures one level down, in a colour folder."""
    notes = [*notes, *inner.notes, *(f"{entry}: ignored, pictures are taken from {inner.path}." for entry in ignored)]
    if inner.role == "camera" and inner.cameras[0].name == inner.path.name:
        camera = replace(inner.cameras[0], source=path.name, name=path.name)
        return Folder(path, "camera", (camera,), notes=tuple(notes))
    return Folder(path, "session", inner.cameras, notes=tuple(notes))


def _refuse_ambiguity(path: Path, videos: list[Path], pictures: list[Path], found: list[Folder]) -> None:
    nested = [child for child in found if child.role != "camera"]
    own = videos or pictures or [child.path for child in found if child.role == "camera"]
    if nested and own:
        raise UserError(
            f"{path} holds both cameras ({own[0].name}) and session folders ({nested[0].path.name}); "
            "give every session its own folder, or move what does not belong elsewhere."
        )
    if pictures and found:
        raise UserError(
            f"{path} holds numbered pictures ({pictures[0].name}) beside folders with recordings "
            f"({found[0].path.name}); keep the pictures of each camera in their own folder."
        )
    deep = next((child for child in nested if child.role == "site"), None)
    if deep is not None:
        raise UserError(f"{deep.path} holds session folders of its own; pass --videos {deep.path} instead.")
