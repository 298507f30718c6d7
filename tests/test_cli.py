"""What the command line says of options that it does not have, and into streams that take nothing."""

import shlex
import subprocess
import sys

import pytest

from or_mv_anon.cli import main, tool


@pytest.mark.parametrize(
    ("arguments", "given", "meant", "usage"),
    [
        (["anonymize", "--metod", "solid"], "--metod", "--method", "or-mv-anon anonymize"),
        (["anonymize", "--vid", "x", "--out", "y"], "--vid", "--videos", "or-mv-anon anonymize"),
        (["evaluate", "--thruth=x"], "--thruth", "--truth", "or-mv-anon evaluate"),
        (["weights", "fetch", "--weight-dir", "x"], "--weight-dir", "--weights-dir", "or-mv-anon weights fetch"),
    ],
)
def test_a_mistyped_option_gets_the_nearest_name_and_its_own_usage(arguments, given, meant, usage, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    said = capsys.readouterr().err
    assert said.startswith(f"usage: {usage} ")
    assert said.endswith(f"there is no option {given}; did you mean {meant}?\n")


def test_a_script_says_the_same(capsys):
    with pytest.raises(SystemExit, match="2"):
        tool("or_mv_anon.adaptation.cli", ["--vidoes", "x"])
    assert capsys.readouterr().err.endswith("there is no option --vidoes; did you mean --videos?\n")


@pytest.mark.parametrize(
    ("redirected", "listing", "refusal"),
    [
        (">&-", 0, 2),
        ("2>&-", 0, 2),
        ("<&- >&- 2>&-", 0, 2),
        (">/dev/full", 2, 2),
        ("2>/dev/full", 0, 2),
    ],
)
def test_streams_that_are_closed_or_full(tmp_path, redirected, listing, refusal):
    tool = f"{shlex.quote(sys.executable)} -m or_mv_anon"
    for command, code in (("weights list", listing), (f"anonymize --videos {tmp_path}/none --out {tmp_path}", refusal)):
        done = subprocess.run(
            ["bash", "-c", f"{tool} {command} {redirected}"], capture_output=True, text=True, check=False
        )
        assert done.returncode == code
        assert "Traceback" not in done.stderr
        assert "Internal error" not in done.stderr
