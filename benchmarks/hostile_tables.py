"""Stored results that were damaged or edited: they are refused or made again, never believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.hostile_tool import Case, Verdict
from benchmarks.hostile_world import World

Edit = Callable[[pa.Table], pa.Table]


def _boxes(change: Callable[[np.ndarray], np.ndarray]) -> Edit:
    def edit(table: pa.Table) -> pa.Table:
        place = table.schema.get_field_index("box")
        if place < 0:
            return table
        values = change(np.array(table["box"].to_pylist(), np.float32).reshape(-1, 4))
        column = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), 4)
        return table.set_column(place, table.schema.field(place), column.cast(table.schema.field(place).type))

    return edit


def _frames(change: Callable[[np.ndarray], np.ndarray]) -> Edit:
    def edit(table: pa.Table) -> pa.Table:
        place = table.schema.get_field_index("frame")
        if place < 0:
            return table
        return table.set_column(
            place, table.schema.field(place), pa.array(change(np.array(table["frame"])), pa.int32())
        )

    return edit


EDITS: dict[str, Edit] = {
    "no rows": lambda table: table.slice(0, 0),
    "inverted boxes": _boxes(lambda boxes: boxes[:, [2, 3, 0, 1]]),
    "absurd frame numbers": _frames(lambda frames: frames + 1_000_000),
    "negative frame numbers": _frames(lambda frames: -1 - frames),
    "reversed order": lambda table: table.take(list(range(table.num_rows - 1, -1, -1))),
    "every second row": lambda table: table.take(list(range(0, table.num_rows, 2))),
    "boxes that are not numbers": _boxes(lambda boxes: boxes * np.float32(np.nan)),
    "boxes far outside": _boxes(lambda boxes: boxes + np.float32(1e6)),
    "tiny boxes": _boxes(lambda boxes: boxes[:, [0, 1, 0, 1]]),
}
TABLES = ("regions-*", "tracks", "persons-*", "keypoints-*", "frames-*", "recovered")
RERENDER, REPLACE = ("--render-only",), ()


def edited_tables(world: World) -> Iterator[Case]:
    """A table is edited and the videos are gone, so that the tool must go on from what is stored."""
    for table in TABLES:
        for name, edit in EDITS.items():
            for options in (REPLACE, RERENDER):

                def attempt(
                    folder: Path, table: str = table, edit: Edit = edit, options: tuple[str, ...] = options
                ) -> Verdict:
                    videos, out = world.copy(folder)
                    for file in out.glob(f"stages/**/{table}.parquet"):
                        pq.write_table(edit(pq.read_table(file)), file, compression="zstd")
                    return _made_again(world, videos, out, *options)

                yield Case("edited tables", f"{table}: {name}{''.join(f', {o}' for o in options)}", attempt)


def _made_again(world: World, videos: Path, out: Path, *options: str) -> Verdict:
    (out / "cam1.mp4").unlink(missing_ok=True)
    ran = world.tool.anonymize(videos, out, *options)
    return world.judge_same(ran, out)


def flipped_bits(world: World) -> Iterator[Case]:
    """Bits flip, or a file loses its end, in everything that a run stores; the videos are gone."""
    draws = world.draws("bits")
    names = sorted(str(path.relative_to(world.clean)) for path in world.clean.glob("stages/**/*") if path.is_file())
    names += ["audit.json"]
    for number in range(world.limit):
        name = draws.choice(names)
        cut, place, bit = draws.random() < 0.2, draws.random(), draws.randrange(8)

        def attempt(folder: Path, name: str = name, cut: bool = cut, place: float = place, bit: int = bit) -> Verdict:
            videos, out = world.copy(folder)
            content = bytearray((out / name).read_bytes())
            at = min(int(place * len(content)), len(content) - 1)
            if cut:
                del content[at:]
            else:
                content[at] ^= 1 << bit
            (out / name).write_bytes(content)
            return _made_again(world, videos, out)

        what = "cut" if cut else f"bit {bit} flipped"
        yield Case("flipped bits", f"{number}: {name} {what} at {place:.1%}", attempt)


def damaged_notes(world: World) -> Iterator[Case]:
    """The manifest or an audit is not what it should be."""
    contents = {
        "empty": b"",
        "a list": b"[]",
        "null": b"null",
        "no stages": b'{"schema": 1}',
        "stages as a list": b'{"schema": 1, "stages": []}',
        "a stage as a number": b'{"schema": 1, "stages": {"cam1/analyse/00000": 7}}',
        "a stage without files": b'{"schema": 1, "stages": {"cam1/place": {"fingerprint": "0"}}}',
        "a schema of the future": b'{"schema": 1000000, "stages": {}}',
        "not UTF-8": b"\xff\xfe\x00{",
        "deep": b"[" * 100_000,
    }
    for file in ("stages/manifest.json", "audit.json", "stages/cam1/index.json", "stages/cam1/audit.json"):
        for name, content in contents.items():

            def attempt(folder: Path, file: str = file, content: bytes = content) -> Verdict:
                videos, out = world.copy(folder)
                (out / file).write_bytes(content)
                ran = world.tool.anonymize(videos, out)
                return world.judge_same(ran, out)

            yield Case("damaged notes", f"{file}: {name}", attempt)
