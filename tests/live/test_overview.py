"""All cameras in one picture: nothing but what left covered."""

from __future__ import annotations

from pathlib import Path

import av

from or_mv_anon.video.live.places import parse_output
from tests.live.room_rig import fake_networks, room, shows_face, write_room_clip


def test_the_overview_shows_both_cameras_and_no_face(tmp_path: Path) -> None:
    clip = write_room_clip(tmp_path / "a.mp4", frames=45)
    place = parse_output(str(tmp_path / "all.mkv"), overwrite=False)
    run, said = room(tmp_path, [clip, clip], fake_networks(), delay=2.0, overview=place)
    assert run.run() == 0, said
    with av.open(place.address) as container:
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert shown
    assert not any(map(shows_face, shown))
    magenta = [((picture[..., 0] > 150) & (picture[..., 1] < 90) & (picture[..., 2] > 150)) for picture in shown]
    assert any(seen[:, :640].sum() > 500 and seen[:, 640:].sum() > 500 for seen in magenta)
