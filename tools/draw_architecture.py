#!/usr/bin/env python
"""Draws the rooms of the package and the arrows between them, from the code's own imports.

Writes docs/images/architecture.svg. Run it after moving anything; a test holds the picture against the code.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "or_mv_anon"
FLOORS = (  # from the top; a room imports rooms of its own floor to the right of it, and of floors below
    ("top",),
    ("adaptation", "review", "live"),
    ("pipeline",),
    ("endoscopy", "head_training", "detector_training", "attack"),
    ("association",),
    ("regions",),
    ("openmmlab", "simulation", "evaluation", "audit", "operators"),
    ("tracking", "models"),
    ("video", "site", "corrections", "cluster"),
    ("core",),
)
ORDER = [room for floor in FLOORS for room in floor]
WIDTH, HEIGHT, GAP = 190, 44, 34  # px of a room, and between floors


@cache
def files() -> tuple[Path, ...]:
    """Every file of the package."""
    return tuple(sorted(PACKAGE.rglob("*.py")))


@cache
def known() -> frozenset[str]:
    """Every module of the package."""
    return frozenset(map(module, files()))


def module(path: Path) -> str:
    """Its dotted name without the package's."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def room(name: str) -> str:
    """The room of a module; the files at the top of the package are one."""
    first = name.split(".")[0]
    return first if first in ORDER else "top"


@cache
def imports(path: Path) -> set[str]:
    """Modules of the package that a file imports when it runs; those for type checkers alone are left out."""
    found: set[str] = set()
    for node in _running(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        inside = [name.removeprefix("or_mv_anon.") for name in names if name.startswith("or_mv_anon.")]
        best = [name for name in inside if name in known()]
        found |= {max(best, key=len)} if isinstance(node, ast.ImportFrom) and best else set(best)
    return found - {module(path)}


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from _running(node)


def room_arrows() -> Counter[tuple[str, str]]:
    """How many imports lead from one room to another."""
    arrows: Counter[tuple[str, str]] = Counter()
    for path in files():
        for target in imports(path):
            if room(module(path)) != room(target):
                arrows[room(module(path)), room(target)] += 1
    return arrows


def draw() -> str:
    """The picture as SVG."""
    places = {}
    width = max(map(len, FLOORS)) * (WIDTH + GAP) + GAP
    for row, floor in enumerate(FLOORS):
        left = (width - len(floor) * (WIDTH + GAP) + GAP) / 2
        for column, name in enumerate(floor):
            places[name] = left + column * (WIDTH + GAP), GAP + row * (HEIGHT + GAP)
    sizes = Counter(room(module(path)) for path in files())
    height = GAP + len(FLOORS) * (HEIGHT + GAP)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="14">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for (source, target), count in sorted(room_arrows().items()):
        x1, y1 = places[source][0] + WIDTH / 2, places[source][1] + HEIGHT
        x2, y2 = places[target][0] + WIDTH / 2, places[target][1]
        thickness = min(4.0, 0.6 + count / 15)
        lines.append(
            f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#5b7ea4" stroke-opacity="0.35" '
            f'stroke-width="{thickness:.1f}"><title>{source} to {target}: {count} imports</title></line>'
        )
    for name, (x, y) in places.items():
        shown = "command line, API" if name == "top" else name
        lines += [
            f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#eef3f8" stroke="#30506f"/>',
            f'<text x="{x + WIDTH / 2}" y="{y + 19}" text-anchor="middle" font-weight="bold">{shown}</text>',
            f'<text x="{x + WIDTH / 2}" y="{y + 36}" text-anchor="middle" fill="#555" '
            f'font-size="12">{sizes[name]} files</text>',
        ]
    return "\n".join([*lines, "</svg>"]) + "\n"


if __name__ == "__main__":
    target = PACKAGE.parent / "docs" / "images" / "architecture.svg"
    target.write_text(draw())
    sys.stdout.write(f"{target}\n")
