"""What a run leaves out for want of an extra is counted, whether whole files or single tests, in one process or two."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

WHOLE_FILE = """
import sys
import pytest
sys.modules["{package}"] = None  # as if it were not installed
pytest.importorskip("{package}")

def test_one():
    pass

class TestMore:
    def test_two(self):
        pass
"""
SINGLE = """
import sys
import pytest

def test_with():
    sys.modules["dlib"] = None
    pytest.importorskip("dlib")

def test_without():
    pass

def test_skipped_for_another_reason():
    pytest.skip("no camera is plugged in")
"""


@pytest.mark.parametrize("processes", [(), ("-n", "2")], ids=["alone", "two processes"])
def test_one_line_counts_what_extras_would_add(tmp_path: Path, processes: tuple[str, ...]) -> None:
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    for package in ("mmdet", "anny"):
        (tmp_path / f"test_{package}.py").write_text(WHOLE_FILE.format(package=package))
    (tmp_path / "test_single.py").write_text(SINGLE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *processes, tmp_path]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    lines = [line for line in ran.stdout.splitlines() if "need extras" in line]
    assert lines == [
        "5 tests need extras that are not installed (adapt 2, attack 1, sim 2): "
        "`make test-all` installs the extras and runs all tests."
    ]
