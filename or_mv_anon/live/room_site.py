"""What a room's `site.toml` says about running live: where each camera's picture comes from and goes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from or_mv_anon.core.errors import UserError
from or_mv_anon.live.secrets import filled
from or_mv_anon.site.layout import VIDEO_SUFFIXES
from or_mv_anon.site.settings import SETTINGS_NAME, CameraSettings, Kind, SiteSettings, Zone, settings_in
from or_mv_anon.video.live.places import Place, parse_input, parse_output

MOST_CAMERAS = 32


@dataclass(frozen=True, kw_only=True)
class LiveCamera:
    """One camera of a room.

    Attributes:
        name: the camera's.
        kind: room or endoscope.
        input: where its picture comes from.
        outputs: streams that it goes to.
        folder: of its files; None without.
        offset: seconds added to a file's clock to get session time.
        always, never: zones in pixels of the upright picture.
    """

    name: str
    kind: Kind
    input: Place
    outputs: tuple[Place, ...] = ()
    folder: Path | None = None
    offset: float = 0.0
    always: tuple[Zone, ...] = ()
    never: tuple[Zone, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LiveSite:
    """A room.

    Attributes:
        name: the room's.
        cameras: in the order of the file.
    """

    name: str
    cameras: tuple[LiveCamera, ...]


def load_live_site(path: Path, *, out: Path | None, secrets: Mapping[str, str]) -> LiveSite:
    """The room that the file at `path` describes; a camera without an `input` is the video of its name beside it.

    Args:
        path: a `site.toml`, or the folder that holds it.
        out: folder for files; None writes only streams.
        secrets: for addresses.

    Raises:
        UserError: it cannot be read, or a camera's input or output is none.
    """
    file = path / SETTINGS_NAME if path.is_dir() else path
    if not file.is_file():
        raise UserError(f"There is no file {file}; --site takes a site.toml that names the cameras.")
    settings = settings_in(file)
    if not 0 < len(settings.cameras) <= MOST_CAMERAS:
        raise UserError(f"{file} has {len(settings.cameras)} tables [[camera]]; expected 1 to {MOST_CAMERAS}.")
    cameras = tuple(_camera(table, settings, out, secrets) for table in settings.cameras)
    seen: dict[str, str] = {}
    for camera in cameras:
        if not camera.outputs and camera.folder is None:
            raise UserError(f"{file}: {camera.name} has no 'output'; give it one, or pass --out for files.")
        for place in camera.outputs:
            if place.address in seen:
                raise UserError(f"{file}: {seen[place.address]} and {camera.name} have the same output {place.shown}.")
            seen[place.address] = camera.name
            if place.address == camera.input.address:
                raise UserError(f"{file}: the output of {camera.name} is its input; choose another address.")
    return LiveSite(name=settings.name or file.absolute().parent.name, cameras=cameras)


def _camera(table: CameraSettings, settings: SiteSettings, out: Path | None, secrets: Mapping[str, str]) -> LiveCamera:
    name = table.name or Path(table.target).stem
    where = f"of {name} in {settings.path}"
    outputs = tuple(_output(text, f"'output' {where}", secrets) for text in table.output or ())
    return LiveCamera(
        name=name,
        kind=table.kind or "room",
        input=_input(table, settings, where, secrets),
        outputs=outputs,
        folder=None if out is None else out / name,
        offset=table.offset_s or 0.0,
        always=table.always_cover or (),
        never=table.never_cover or (),
    )


def _input(table: CameraSettings, settings: SiteSettings, where: str, secrets: Mapping[str, str]) -> Place:
    folder = settings.path.absolute().parent
    if table.input is None:
        found = [
            entry
            for entry in sorted(folder.iterdir())
            if entry.suffix.lower() in VIDEO_SUFFIXES and table.target in (entry.name, entry.stem)
        ]
        if len(found) != 1:
            raise UserError(f"'input' is missing {where}, and {len(found)} videos of that name lie beside the file.")
        return Place("file", str(found[0]))
    text = filled(table.input, secrets, f"'input' {where}")
    if "://" not in text and not text.startswith(("/dev/", "device:", "-")):
        text = str(folder / text)
    return parse_input(text)


def _output(text: str, where: str, secrets: Mapping[str, str]) -> Place:
    if "://" not in text:
        raise UserError(f"{where} is {text!r}; expected an address such as rtsp://HOST/NAME. For files pass --out.")
    return parse_output(filled(text, secrets, where), overwrite=False)
