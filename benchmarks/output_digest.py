"""Digests of what finished runs say and show, to prove that two versions of the code do the same.

Example:
  python benchmarks/output_digest.py before/ after/

Decoded pictures (not file bytes: encoders differ by the number of threads), timestamps, regions and the audit's
figures, each as one SHA-256 per camera. Two runs are equal where the digests are.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import av
import pyarrow.parquet as pq

from or_mv_anon.core.run_layout import CAMERA_AUDIT, REGIONS, STORE_FOLDER, Table

VOLATILE = {"seconds", "sha256", "size", "modified", "timings", "created", "version", "command", "host", "duration_s"}


def pictures(path: Path) -> str:
    """SHA-256 over every decoded picture of a video and its timestamp."""
    digest = hashlib.sha256()
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            digest.update(str((frame.pts, frame.width, frame.height, frame.format.name)).encode())
            for plane in frame.planes:
                data = memoryview(plane)
                for row in range(plane.height):  # without the padding behind each row
                    start = row * plane.line_size
                    digest.update(data[start : start + plane.width * (2 if "10" in frame.format.name else 1)])
    return digest.hexdigest()


def rows(folder: Path, table: Table[Any]) -> str:
    """SHA-256 over the rows of all of a camera's tables of one kind, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob(f"{table.name}-*{table.suffix}")):
        content = pq.read_table(path)
        for name in sorted(content.column_names):
            digest.update(name.encode())
            digest.update(json.dumps(content.column(name).to_pylist()).encode())
    return digest.hexdigest()


def steady(content: Any) -> Any:
    """`content` without what differs from run to run."""
    if isinstance(content, dict):
        return {key: steady(value) for key, value in content.items() if key not in VOLATILE}
    return [steady(value) for value in content] if isinstance(content, list) else content


def digests(out: Path) -> dict[str, dict[str, str]]:
    """Digests of every camera of one finished run."""
    found = {}
    for kept in sorted((out / STORE_FOLDER).glob(CAMERA_AUDIT.file("*"))):
        name, audit = kept.parent.name, json.loads(kept.read_text())
        video = next((path for path in out.glob(f"{name}.*") if path.suffix != ".json"), None)
        found[name] = {
            "pictures": pictures(video) if video is not None else "no video",
            "regions": rows(kept.parent, REGIONS),
            "audit": hashlib.sha256(json.dumps(steady(audit), sort_keys=True).encode()).hexdigest(),
        }
    return found


def main() -> None:
    """Print the digests of the given output folders as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, nargs="+", help="folder of a finished run")
    print(json.dumps({str(out): digests(out) for out in parser.parse_args().out}, indent=1))


if __name__ == "__main__":
    main()
