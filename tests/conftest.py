"""Settings of all tests; counts those that an extra which is not installed would add.

A test or a whole file asks for an extra with `pytest.importorskip`, before it imports anything that needs it. The last
line of a run then says how many were left out for want of which extra.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("any machine", deadline=None)  # how fast a machine is says nothing about the code
settings.load_profile("any machine")

EXTRAS = {  # package -> the extra of pyproject.toml that brings it
    "anny": "sim",
    "dlib": "attack",
    "mmcv": "adapt",
    "mmdet": "adapt",
    "mmengine": "adapt",
    "mmpose": "adapt",
    "moderngl": "sim",
    "ray": "cluster",
    "starlette": "review",
    "torch": "train",
    "uvicorn": "review",
}
MISSING = re.compile(r"could not import '(\w+)")


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one line on the tests that an extra would have added, if there are any."""
    left_out: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", ()):
        missing = MISSING.search(str(report.longrepr))
        if missing and missing[1] in EXTRAS:
            whole_file = isinstance(report, pytest.CollectReport)
            left_out[EXTRAS[missing[1]]] += _tests_in(Path(report.longrepr[0])) if whole_file else 1
    if left_out:
        counts = ", ".join(f"{extra} {number}" for extra, number in sorted(left_out.items()))
        terminalreporter.write_line(
            f"{left_out.total()} tests need extras that are not installed ({counts}): "
            "`make test-all` installs the extras and runs all tests."
        )


def _tests_in(path: Path) -> int:
    """How many test functions a file defines; what parameters make of them is known only where it can be imported."""
    tree = ast.walk(ast.parse(path.read_text()))
    return sum(isinstance(node, ast.FunctionDef) and node.name.startswith("test") for node in tree)
