"""Names from outside are shown, never obeyed: no control character of theirs reaches a terminal or a report."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import cast

import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.printable import OutputClosed, PrintableStream, json_printable, printable, printable_lines
from tests.clips import write_clip

NASTY = "a\x1b]0;owned\x07\x1b[2J\x9b31m\r\nerror: forged\u202egpj\udcff\x7fz"
TOOL = Path(__file__).resolve().parents[2] / "tools" / "anonymize_multiview.py"


def dangerous(text: str, *, allowed: str = "") -> list[str]:
    return [
        char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") and char not in allowed
    ]


def test_every_control_character_is_written_out() -> None:
    shown = printable(NASTY)
    assert dangerous(shown) == []
    assert "\\x1b]0;owned\\x07" in shown
    assert "\\r\\nerror: forged" in shown
    assert "\\u202e" in shown
    assert printable("Kamera Süd 2 \N{EM DASH} 手術室") == "Kamera Süd 2 \N{EM DASH} 手術室"
    assert dangerous(printable_lines(NASTY), allowed="\n\r\t") == []


def test_json_keeps_its_values() -> None:
    values = {"name": NASTY.replace("\udcff", ""), "list": [1, "\u2028"]}
    text = json_printable(json.dumps(values, ensure_ascii=False, indent=1))
    assert dangerous(text, allowed="\n") == []
    assert json.loads(text) == values


def test_a_sentence_for_the_user_is_one_line() -> None:
    assert dangerous(str(UserError(f"Cannot read {NASTY}."))) == []


def test_a_stream_passes_nothing_that_a_terminal_obeys() -> None:
    below = io.StringIO()
    stream = PrintableStream(below)
    print(f"one {NASTY}", "two\t|\r", file=cast(io.StringIO, stream))
    assert dangerous(below.getvalue(), allowed="\n\r\t") == []
    assert not stream.isatty()


def test_a_stream_that_nobody_reads_is_told_apart_from_other_broken_pipes() -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with pytest.raises(OutputClosed):
        PrintableStream(Closed()).write("text")


def test_files_with_such_names(tmp_path: Path) -> None:
    """Through the whole program: the notes, the table, the error."""
    site = tmp_path / "site"
    site.mkdir()
    write_clip(site / "cam1.mp4", frames=3)
    (site / "note\x1b]0;x\x07\n.txt").write_text("")
    arguments = ["--videos", site, "--out", tmp_path / "out\x1b[0m", "--dry-run", "--workers", "1"]
    for expected in ("note\\x1b]0;x\\x07\\n.txt", "broken\\x1b[31m"):
        done = subprocess.run([sys.executable, TOOL, *arguments], capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        assert expected in said
        assert dangerous(said, allowed="\n\r\t") == []
        (site / "broken\x1b[31m.mp4").write_text("no video")
