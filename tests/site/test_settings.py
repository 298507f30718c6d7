"""`site.toml`: what it changes, and that a slip in it is an error that names file and key."""

from pathlib import Path

import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.site import Camera, discover


def session_of(folder: Path, toml: str, *names: str) -> list[Camera]:
    for name in names or ("cam1.mp4", "cam2.mp4", "cam3/0001.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "site.toml").write_text(toml)
    return list(discover(folder).sessions[0].cameras)


def test_everything_it_can_say(tmp_path: Path) -> None:
    toml = """
        name = "Theatre 4"
        [[camera]]
        name = "ceiling"
        file = "cam2"
        order = 1
        offset_s = -1.5
        always_cover = [[0, 0, 100.5, 50]]
        never_cover = [[10, 10, 20, 20], [30, 30, 40, 40]]
        [[camera]]
        name = "scope"
        file = "cam1.mp4"
        kind = "endoscope"
        [[camera]]
        name = "cam3"
        fps = 25
    """
    cameras = session_of(tmp_path, toml)
    assert discover(tmp_path).name == discover(tmp_path).sessions[0].name == "Theatre 4"
    assert [camera.name for camera in cameras] == ["ceiling", "cam3", "scope"]
    ceiling, pictures, scope = cameras
    assert ceiling.files == tmp_path / "cam2.mp4"
    assert ceiling.offset == -1.5
    assert ceiling.always == ((0, 0, 100.5, 50),)
    assert ceiling.never == ((10, 10, 20, 20), (30, 30, 40, 40))
    assert pictures.fps == 25
    assert (scope.kind, ceiling.kind) == ("endoscope", "room")


def test_order_comes_before_names(tmp_path: Path) -> None:
    toml = '[[camera]]\nname = "cam2"\norder = 2\n[[camera]]\nname = "cam3"\norder = 1'
    assert [camera.name for camera in session_of(tmp_path, toml)] == ["cam3", "cam2", "cam1"]


def test_names_resolve_a_clash_of_files(tmp_path: Path) -> None:
    toml = '[[camera]]\nname = "proxy"\nfile = "cam1.mkv"'
    assert [c.name for c in session_of(tmp_path, toml, "cam1.mp4", "cam1.mkv")] == ["cam1", "proxy"]


def test_names_can_be_swapped(tmp_path: Path) -> None:
    toml = '[[camera]]\nname = "cam1"\nfile = "cam2"\n[[camera]]\nname = "cam2"\nfile = "cam1"'
    cameras = session_of(tmp_path, toml, "cam1.mp4", "cam2.mp4")
    assert {camera.name: camera.source.name for camera in cameras} == {"cam1": "cam2.mp4", "cam2": "cam1.mp4"}


def test_a_session_overrides_its_site(tmp_path: Path) -> None:
    for day in ("day1", "day2"):
        session_of(tmp_path / day, "", "cam1.mp4", "cam2.mp4")
    zones = "always_cover = [[1, 2, 30, 40]]"
    (tmp_path / "site.toml").write_text(f'[[camera]]\nname = "door"\nfile = "cam1"\noffset_s = 1\n{zones}')
    (tmp_path / "day2" / "site.toml").write_text('name = "Tuesday"\n[[camera]]\nname = "door"\noffset_s = 7')
    sessions = {session.name: session.cameras for session in discover(tmp_path).sessions}
    assert list(sessions) == ["day1", "Tuesday"]
    assert [sessions[name][1].name for name in sessions] == ["door", "door"]
    assert [sessions[name][1].offset for name in sessions] == [1, 7]
    assert [sessions[name][1].always for name in sessions] == [((1, 2, 30, 40),)] * 2


def test_a_site_table_may_fit_only_some_sessions(tmp_path: Path) -> None:
    session_of(tmp_path / "day1", "", "cam1.mp4")
    session_of(tmp_path / "day2", "", "cam2.mp4")
    (tmp_path / "site.toml").write_text('[[camera]]\nname = "cam2"\nkind = "endoscope"')
    assert [session.cameras[0].kind for session in discover(tmp_path).sessions] == ["room", "endoscope"]


def test_two_sessions_of_one_name(tmp_path: Path) -> None:
    session_of(tmp_path / "day1", 'name = "day2"', "cam1.mp4")
    session_of(tmp_path / "day2", "", "cam1.mp4")
    with pytest.raises(UserError, match="Two sessions"):
        discover(tmp_path)


def test_zones_hold_for_a_video_passed_alone(tmp_path: Path) -> None:
    session_of(tmp_path, '[[camera]]\nname = "cam1"\nalways_cover = [[0, 0, 9, 9]]')
    assert discover(tmp_path / "cam1.mp4").sessions[0].cameras[0].always == ((0, 0, 9, 9),)
    assert discover(tmp_path / "cam2.mp4").sessions[0].cameras[0].always == ()


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("name = ", "not valid TOML"),
        ("nam = 'x'", "Unknown key 'nam'.*known are camera, name"),
        ("name = 4", "'name' in .*expected text"),
        ("name = 'a/b'", "path separators"),
        ("camera = 3", r"\[\[camera\]\]"),
        ("camera = [3]", r"\[\[camera\]\]"),
        ("[[camera]]\norder = 1", "neither 'name' nor 'file'"),
        ("[[camera]]\nname = 'cam9'", "'cam9', which is not there; found cam1.mp4, cam2.mp4, cam3"),
        ("[[camera]]\nname = 'x'\nfile = 'cam9.mp4'", "'cam9.mp4', which is not there"),
        ("[[camera]]\nname = 'cam1'\nalways = [[0, 0, 9, 9]]", "Unknown key 'always'"),
        ("[[camera]]\nname = ''", "expected text"),
        ("[[camera]]\nname = '../x'\nfile = 'cam1'", "path separators"),
        ("[[camera]]\nname = '.x'\nfile = 'cam1'", "leading dots"),
        ('[[camera]]\nname = "x\\n"\nfile = "cam1"', "plain name"),
        ("[[camera]]\nname = 'cam2'\nfile = 'cam1'", "named 'cam2'"),
        ("[[camera]]\nname = 'a'\nfile = 'cam1'\n[[camera]]\nname = 'A'\nfile = 'cam2'", "name 'a' twice"),
        ("[[camera]]\nname = 'a'\nfile = 'cam1'\n[[camera]]\nname = 'b'\nfile = 'cam1'", "file 'cam1' twice"),
        ("[[camera]]\nname = 'cam1'\norder = 1.5", "'order'.*whole number"),
        ("[[camera]]\nname = 'cam1'\norder = true", "'order'.*whole number"),
        ("[[camera]]\nname = 'cam1'\nkind = 'roof'", "'kind'.*room, endoscope"),
        ("[[camera]]\nname = 'cam1'\noffset_s = '1'", "'offset_s'.*expected a number"),
        ("[[camera]]\nname = 'cam1'\noffset_s = nan", "'offset_s'.*expected a number"),
        ("[[camera]]\nname = 'cam1'\nfps = 25", "'fps' for cam1, which is a video"),
        ("[[camera]]\nname = 'cam3'\nfps = 0", "expected 0.01 to 1000"),
        ("[[camera]]\nname = 'cam3'\nfps = 1e-9", "expected 0.01 to 1000"),
        (f"[[camera]]\nname = 'cam1'\noffset_s = 1{'0' * 400}", "expected a number"),
        ("[[camera]]\nname = 'cam1'\noffset_s = 1e9", "expected -1000000 to 1000000 .*different recordings"),
        (f"[[camera]]\nname = 'cam1'\nalways_cover = {[[0, 0, 9, 9]] * 101}", "101 boxes; at most 100"),
        (f"[[camera]]\nname = 'cam1'\nalways_cover = {'[' * 5000}{']' * 5000}", "nested too deeply"),
        (f"# {'x' * 2**20}", "longer than 1 MB"),
        ("[[camera]]\nname = 'Timing'\nfile = 'cam1'", "kept for files of the run"),
        ("[[camera]]\nname = 'cam1.partial'\nfile = 'cam1'", "kept for files of the run"),
        (f"[[camera]]\nname = '{'x' * 201}'\nfile = 'cam1'", "201 bytes"),
        ("[[camera]]\nname = 'cam1'\nalways_cover = [0, 0, 9, 9]", "list of boxes"),
        ("[[camera]]\nname = 'cam1'\nalways_cover = [[0, 0, 9]]", "list of boxes"),
        ("[[camera]]\nname = 'cam1'\nalways_cover = [[9, 0, 0, 9]]", "x1 < x2"),
        ("[[camera]]\nname = 'cam1'\nnever_cover = [[-1, 0, 9, 9]]", "0 <= x1"),
        ("[[camera]]\nname = 'cam1'\nalways_cover = [[0, 0, 0.5, 1]]", "fractions"),
        ("[[camera]]\nname = 'cam1'\nalways_cover = [[0, 0, inf, 9]]", "expected a number"),
    ],
)
def test_refused(tmp_path: Path, toml: str, message: str) -> None:
    with pytest.raises(UserError, match=f"(?s){message}") as raised:
        session_of(tmp_path, toml)
    assert "\n" not in str(raised.value).replace("\\n", "")
    assert "site.toml" in str(raised.value)


def test_the_settings_of_the_site_hold_for_a_session_passed_alone(tmp_path: Path) -> None:
    session_of(tmp_path / "day1", "", "cam1.mp4", "cam2.mp4")
    (tmp_path / "site.toml").write_text(
        '[[camera]]\nname = "cam1"\nalways_cover = [[0, 0, 9, 9]]\n[[camera]]\nname = "x"'
    )
    (session,) = discover(tmp_path / "day1").sessions
    assert session.cameras[0].always == ((0, 0, 9, 9),)
    assert "site.toml holds for this session, too" in session.notes[-1]
    (tmp_path / "site.toml").write_text('[[camera]]\nname = "cam9"\nalways_cover = [[0, 0, 9, 9]]')
    assert discover(tmp_path / "day1").sessions[0].notes == ()
