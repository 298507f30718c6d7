"""The house keeps its plan: no two files import each other, and no arrow runs upwards."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def house() -> ModuleType:
    spec = importlib.util.spec_from_file_location("draw_architecture", ROOT / "tools" / "draw_architecture.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_every_folder_is_a_room_of_the_plan(house: ModuleType) -> None:
    folders = {path.name for path in house.PACKAGE.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    assert folders == set(house.ORDER) - {"top"}


def test_no_arrow_runs_upwards(house: ModuleType) -> None:
    floor = {name: number for number, names in enumerate(house.FLOORS) for name in names}
    place = {name: number for number, name in enumerate(house.ORDER)}
    wrong = [
        f"{house.module(path)} -> {target}"
        for path in house.files()
        for target in house.imports(path)
        if (source := house.room(house.module(path))) != (goal := house.room(target))
        and (floor[goal], place[goal]) < (floor[source], place[source])
    ]
    assert wrong == []


def test_no_files_import_each_other_in_a_circle(house: ModuleType) -> None:
    graph = {house.module(path): house.imports(path) for path in house.files()}
    state: dict[str, int] = {}
    circles = []

    def visit(name: str, way: list[str]) -> None:
        state[name] = 1
        for target in sorted(graph.get(name, ())):
            if state.get(target) == 1:
                circles.append(" -> ".join([*way[way.index(target) :], target]) if target in way else target)
            elif target not in state:
                visit(target, [*way, target])
        state[name] = 2

    for name in sorted(graph):
        if name not in state:
            visit(name, [name])
    assert circles == []


def test_the_picture_is_of_this_code(house: ModuleType) -> None:
    assert (ROOT / "docs" / "images" / "architecture.svg").read_text() == house.draw()
