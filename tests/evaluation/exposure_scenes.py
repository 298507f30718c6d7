"""Made-up ground truth with rectangular faces, run folders that cover chosen boxes, and videos painted with them."""

import json
import shutil
from dataclasses import dataclass

import numpy as np

from or_mv_anon.core.config import load_config
from or_mv_anon.core.records import Detections, FrameFlag, Frames, Keypoints, RegionKind, Regions, Tracks
from or_mv_anon.core.store import RunStore
from or_mv_anon.core.truth import CameraTruth, FaceMasks, Truth, TruthFrames, TruthPeople, encode_runs, save_truth
from or_mv_anon.operators.cells import cover
from or_mv_anon.video.encoding import choose_encoder
from or_mv_anon.video.index import index_video
from or_mv_anon.video.reader import VideoSource
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.writer import SegmentWriter
from tests.clips import write_clip
from tests.vouching import vouch

SIZE = (64, 48)
RATE = 10
ALL_FLAGS = int(FrameFlag.PERSONS | FrameFlag.POSE | FrameFlag.FACES)


@dataclass(frozen=True)
class Face:
    """A face whose visible pixels fill `box`; `of` pixels would show if nothing hid it."""

    frame: int
    person: int = 1
    box: tuple = (8, 8, 20, 20)
    of: int | None = None
    angle: float = 0.0
    mask: int = 0
    bare_box: tuple | None = None
    body: tuple | None = None


def rectangle(box, size=SIZE):
    mask = np.zeros((size[1], size[0]), bool)
    x1, y1, x2, y2 = box
    mask[y1:y2, x1:x2] = True
    return mask


def camera_truth(faces, *, frames=1, size=SIZE, instants=None, times=None, rate=RATE):
    instants = np.arange(frames) if instants is None else np.asarray(instants)
    times = instants / rate if times is None else np.asarray(times)
    count = len(faces)
    shown = [rectangle(face.box, size) for face in faces]
    bare = [rectangle(face.bare_box or face.box, size) for face in faces]
    boxes = np.array([face.box for face in faces], np.float32).reshape(-1, 4)
    bodies = np.array([face.body or face.box for face in faces], np.float32).reshape(-1, 4)
    visible = np.array([mask.sum() for mask in shown], int)
    people = TruthPeople(
        frame=np.array([face.frame for face in faces], int),
        person=np.array([face.person for face in faces], int),
        amodal_box=bodies,
        visible_box=bodies,
        visible_fraction=np.ones(count),
        head_box=boxes,
        face_box=boxes,
        face_angle=np.array([face.angle for face in faces]),
        face_pixels=np.array([face.of or pixels for face, pixels in zip(faces, visible, strict=True)], int),
        face_visible=visible,
        bare_visible=np.array([mask.sum() for mask in bare], int),
        keypoints=np.zeros((count, 26, 3)),
        action=np.zeros(count),
        mask=np.array([face.mask for face in faces], int),
    )
    masks = FaceMasks(
        people.frame, people.person, [encode_runs(mask) for mask in shown], [encode_runs(mask) for mask in bare]
    )
    shown_frames = TruthFrames(frame=np.arange(len(instants)), instant=instants, time=times)
    return CameraTruth(*size, rate, shown_frames, people, masks)


def regions(covered):
    """Regions from {frame: boxes}."""
    rows = [(frame, box) for frame, boxes in sorted(covered.items()) for box in boxes]
    count = len(rows)
    return Regions(
        frame=np.array([frame for frame, _ in rows], int),
        box=np.array([box for _, box in rows], np.float32).reshape(-1, 4),
        kind=np.full(count, RegionKind.HEAD),
        track=np.zeros(count),
        uncertainty=np.zeros(count),
    )


def write_run(folder, cameras, *, size=SIZE, method="pixelate", start=None, rotation=None, blanked=(), segments=1):
    """A finished run's folder; `cameras` maps a name to (frames' times, covered boxes by frame)."""
    shutil.rmtree(folder / "stages", ignore_errors=True)
    store = RunStore.open(folder / "stages")
    for name, (times, covered) in cameras.items():
        frames = Frames(
            frame=np.arange(len(times)),
            pts=np.arange(len(times)),
            time=np.asarray(times, float),
            flags=np.full(len(times), ALL_FLAGS),
        )
        placed = [f"{name}/tracks.parquet", f"{name}/face_tracks.parquet"]
        for number, rows in enumerate(np.array_split(np.arange(len(times)), segments)):
            part = f"{number:05d}"
            here = regions(covered)
            write_part(store, name, part, frames[rows], here[np.isin(here.frame, rows)])
            placed.append(f"{name}/regions-{part}.parquet")
            store.finish(
                f"{name}/render/{part}",
                "x",
                files=[],
                facts={"result": {"damaged": [], "blanked": [b for b in blanked if b in rows]}},
            )
        store.write(f"{name}/tracks.parquet", Tracks.empty())
        store.write(f"{name}/face_tracks.parquet", Tracks.empty())
        store.finish(f"{name}/place", "x", files=placed)
        if rotation is not None:
            (folder / "stages" / name / "index.json").write_text(json.dumps({"rotation": rotation, "flip": False}))
        (folder / f"{name}.mp4").write_bytes(b"video")
    vouch(store)
    audit = {
        "options": {"method": method, "start": start},
        "inputs": [{"camera": name, "width": size[0], "height": size[1]} for name in cameras],
        "outputs": [{"camera": name, "name": f"{name}.mp4"} for name in cameras],
    }
    (folder / "audit.json").write_text(json.dumps(audit))
    return folder


def write_part(store, name, part, frames, covered):
    persons = Detections(frame=frames.frame, box=np.tile((0, 0, 9, 9), (len(frames), 1)), score=np.ones(len(frames)))
    points = Keypoints(
        detection=np.arange(len(frames)), points=np.zeros((len(frames), 26, 2)), score=np.ones((len(frames), 26))
    )
    for kind, record in (("frames", frames), ("persons", persons), ("keypoints", points), ("faces", Detections.empty()),
                         ("regions", covered)):  # fmt: skip
        store.write(f"{name}/{kind}-{part}.parquet", record)


def write_pair(original, output, covered, *, frames=10, size=SIZE, crf=20, rate=RATE, gone=(), **clip):
    """A clip, and the same with `covered` boxes painted black by the product's own operator and writer.

    Frames in `gone` are left out of the output.
    """
    for folder in (original.parent, output.parent):
        folder.mkdir(parents=True, exist_ok=True)
    write_clip(original, frames=frames, size=size, rate=rate, **clip)
    index = index_video(original)
    source = VideoSource(index)
    settings = load_config().operators
    with SegmentWriter(output, index, choose_encoder(index), crf=crf, preset="veryfast") as writer:
        for frame in source.frames(Segment(0, 0, source.n_frames)):
            boxes = np.array(covered.get(frame.index, ()), np.float32).reshape(-1, 4)
            cover(frame.planes(), frame.to_coded(boxes), "solid", settings)
            if frame.index not in gone:
                writer.write(frame)


def write_truth(folder, **cameras):
    truth = Truth(cameras, source={"made": "up"})
    save_truth(folder, truth)
    return truth
