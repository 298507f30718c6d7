"""What benchmarks/gpu.sh runs: every network on the GPU beside the CPU, then the main job on both.

Inputs of the room's networks are those that the main job gives them on the shipped simulated session; the others get
random numbers. The reference is OpenVINO in 32-bit floats. A GPU's output counts as equal where it differs by no more
than the provider's tolerance, as a share of the largest value in it.

`--provider CPUExecutionProvider` tries all of it without a GPU, with ONNX Runtime's CPU in the GPU's place.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import onnx
from numpy.typing import NDArray

from or_mv_anon.core.config import load_config
from or_mv_anon.core.resources import resource
from or_mv_anon.endoscopy.classifier import find_network
from or_mv_anon.models import engines, graphs
from or_mv_anon.models.network_file import Engine, NetworkFile
from or_mv_anon.models.registry import fetch
from or_mv_anon.models.runtime import OpenVinoModel
from or_mv_anon.operators.drawn.modifier_model import find_modifier
from or_mv_anon.pipeline.weights import built_in_networks
from or_mv_anon.regions.networks import NetworkFiles, load_networks
from or_mv_anon.regions.observe import observe_frames, plan_schedule
from or_mv_anon.video.index import index_video
from or_mv_anon.video.reader import VideoSource
from or_mv_anon.video.segments import Segment

Tensors = dict[str, NDArray[Any]]
SESSION = "data/simulated_session/recording"
FRAMES = 20  # that the room's networks look at
KEPT = 4  # inputs per network that are compared
BATCHES = (1, 4, 16)
RUNS, WARM = 10, 3
ENOUGH_S = 240.0  # after which nothing but the main job is begun any more
TOLERANCES = {"CPU f32": 1e-3, "CUDA f32": 1e-3, "CUDA TF32": 2e-2, "TensorRT f32": 2e-2, "TensorRT fp16": 6e-2}
APPEARANCE, FACES = "osnet-x1-msmt17", "sface-2021dec"


@dataclass
class Recorded:
    """A network as the CPU ran it."""

    name: str
    graph: bytes
    inputs: list[Tensors] = field(default_factory=list)
    outputs: list[Tensors] = field(default_factory=list)


@dataclass
class Compared:
    """A network on one provider beside the CPU; `equal` is None where there was no time to compare."""

    network: str
    provider: str
    largest_difference: float | None
    equal: bool | None
    ms_by_batch: dict[int, float]
    problem: str = ""


@contextmanager
def recording(found: dict[bytes, Recorded]) -> Iterator[None]:
    """Keep graphs, inputs and outputs of all that OpenVINO runs within the block."""
    begin, infer = OpenVinoModel.__init__, OpenVinoModel.infer

    def noted(self: OpenVinoModel, graph: bytes, **options: Any) -> None:
        begin(self, graph, **options)
        found[graph] = self.recorded = Recorded(f"network {len(found)}", graph)  # type: ignore[attr-defined]

    def kept(self: OpenVinoModel, inputs: Any) -> Tensors:
        outputs = infer(self, inputs)
        recorded: Recorded = self.recorded  # type: ignore[attr-defined]
        if len(recorded.inputs) < KEPT:
            named = inputs if isinstance(inputs, dict) else {self._input_names[0]: inputs}
            recorded.inputs.append({name: np.array(value) for name, value in named.items()})
            recorded.outputs.append(outputs)
        return outputs

    with mock.patch.object(OpenVinoModel, "__init__", noted), mock.patch.object(OpenVinoModel, "infer", kept):
        yield


def record_networks() -> list[Recorded]:
    """Every network of this project with what the CPU makes of its inputs."""
    found: dict[bytes, Recorded] = {}
    config = load_config()
    with recording(found):
        files = (*built_in_networks().files, ("embedder", NetworkFile("", fetch(APPEARANCE))))
        networks = load_networks(NetworkFiles(files, Engine(device="cpu", precision="f32")), config)
        source = VideoSource(index_video(resource(SESSION) / "cam1.mp4"), scrutiny="none")
        schedule = plan_schedule(source.times, config, first=0, stop=FRAMES)
        frames = source.frames(Segment(0, 0, FRAMES), wanted=schedule.any)
        observe_frames(islice(frames, FRAMES), networks, schedule, config)
        for role in ("detector", "pose", "face", "embedder"):
            model = vars(networks[role])["_model"]
            model.recorded.name = role
        for name, graph in (
            ("endoscope", find_network(None).read_bytes()),
            ("drawn heads", find_modifier(None).read_bytes()),
            ("SFace", graphs.sface(fetch(FACES))),
        ):
            model = OpenVinoModel(graph, precision="f32", threads=0)
            found[graph].name = name
            for _ in range(2):
                model.infer(random_inputs(graph))
    return [each for each in found.values() if each.inputs]


def random_inputs(graph: bytes, *, batch: int = 2, side: int = 64) -> Tensors:
    """Inputs of the shapes that a graph names; `batch` and `side` where it leaves a number open."""
    random = np.random.default_rng(0)
    found = {}
    for value in onnx.load_from_string(graph).graph.input:
        kind = value.type.tensor_type
        shape = [axis.dim_value or (batch if place == 0 else side) for place, axis in enumerate(kind.shape.dim)]
        if kind.elem_type == onnx.TensorProto.UINT8:
            found[value.name] = random.integers(0, 256, shape, dtype=np.uint8)
        else:
            found[value.name] = random.random(shape, dtype=np.float32)
    return found


def sessions(provider: str) -> dict[str, Callable[[bytes], Any]]:
    """Ways to run a graph by their names in `TOLERANCES`."""
    runtime = engines.onnxruntime()
    options = runtime.SessionOptions()
    options.log_severity_level = 4

    def opener(*providers: Any) -> Callable[[bytes], Any]:
        return lambda graph: runtime.InferenceSession(graph, options, providers=list(providers))

    if provider == "CPUExecutionProvider":
        return {"CPU f32": opener(provider)}
    found = {
        "CUDA f32": opener((provider, {"use_tf32": "0"})),
        "CUDA TF32": opener((provider, {"use_tf32": "1"})),
    }
    if "TensorrtExecutionProvider" in runtime.get_available_providers():
        for name, half in (("TensorRT f32", "0"), ("TensorRT fp16", "1")):
            found[name] = opener(("TensorrtExecutionProvider", {"trt_fp16_enable": half}), (provider, {}))
    return found


def compare(network: Recorded, name: str, open_session: Callable[[bytes], Any], wanted: str) -> Compared:
    """One network on one provider."""
    try:
        session = open_session(network.graph)
        if wanted not in (engine := session.get_providers()[0]):
            return Compared(network.name, name, None, False, {}, f"it runs on {engine}, not on {wanted}")
        names = [output.name for output in session.get_outputs()]
        worst = max(
            difference(dict(zip(names, session.run(names, inputs), strict=True)), expected)
            for inputs, expected in zip(network.inputs, network.outputs, strict=True)
        )
        open_batch = not isinstance(session.get_inputs()[0].shape[0], int)
        few = BATCHES if open_batch and not name.startswith("TensorRT") else BATCHES[:1]  # every shape builds an engine
        times = {batch: milliseconds(session, names, repeated(network.inputs[0], batch)) for batch in few}
    except Exception as error:
        return Compared(network.name, name, None, False, {}, f"{type(error).__name__}: {str(error).splitlines()[0]}")
    return Compared(network.name, name, worst, worst <= TOLERANCES[name], times)


def difference(found: Tensors, expected: Tensors) -> float:
    """The largest difference of any output as a share of the largest value in it; infinite for what is no number."""
    worst = 0.0
    for name, wanted in expected.items():
        got = found[name] if name in found else next(iter(found.values()))
        if got.shape != wanted.shape or not np.isfinite(got).all():
            return float("inf")
        scale = max(float(np.abs(wanted).max(initial=0)), 1e-6)
        worst = max(worst, float(np.abs(got.astype(np.float64) - wanted).max(initial=0)) / scale)
    return worst


def repeated(inputs: Tensors, batch: int) -> Tensors:
    """The first row of every input, `batch` times."""
    return {name: np.repeat(value[:1], batch, axis=0) for name, value in inputs.items()}


def milliseconds(session: Any, names: list[str], inputs: Tensors) -> float:
    """Median of some calls, after some that are not counted."""
    times = []
    for number in range(WARM + RUNS):
        started = time.perf_counter()
        session.run(names, inputs)
        if number >= WARM:
            times.append(time.perf_counter() - started)
    return 1000 * float(np.median(times))


def main_job(device: str) -> dict[str, Any]:
    """The main job on the shipped session: its stages, its networks and how many regions it places."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        command = [sys.executable, "-m", "or_mv_anon", "anonymize", "--device", device, "--out", str(out)]
        started = time.perf_counter()
        done = subprocess.run(
            [*command, "--videos", str(resource(SESSION))], capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - started
        if done.returncode != 0:
            return {"device": device, "code": done.returncode, "problem": done.stderr.strip().splitlines()[-1:]}
        audit = json.loads((out / "audit.json").read_text())
    return {
        "device": device,
        "code": 0,
        "seconds": seconds,
        "stages": audit["timings"],
        "networks": sorted({model["provider"] for model in audit["models"] if model["provider"]}),
        "regions": {camera["camera"]: camera["summary"]["regions_by_kind"] for camera in audit["cameras"]},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="JSON", help="where the figures go")
    parser.add_argument("--provider", default="CUDAExecutionProvider", help="of ONNX Runtime")
    parser.add_argument("--no-job", action="store_true", help="networks only")
    options = parser.parse_args()
    cuda = options.provider == "CUDAExecutionProvider"
    if cuda and (obstacle := engines.cuda_obstacle()) is not None:
        print(f"no CUDA here: {obstacle}")
        options.out.write_text(json.dumps({"cuda": False, "obstacle": obstacle}, indent=1))
        return 0
    started = time.monotonic()
    networks = record_networks()
    rows = []
    for name, opener in sessions(options.provider).items():
        for network in networks:
            if time.monotonic() - started > ENOUGH_S:
                rows.append(Compared(network.name, name, None, None, {}, "no time for it"))
                continue
            rows.append(compare(network, name, opener, "Tensorrt" if "RT" in name else options.provider))
            print(_told(rows[-1]), flush=True)
    jobs = [] if options.no_job else [main_job(device) for device in (["cuda", "cpu"] if cuda else ["cpu"])]
    for job in jobs:
        print(f"main job on {job['device']}: " + (f"{job['seconds']:.1f} s" if not job["code"] else str(job)))
    well = all(row.equal is not False for row in rows) and all(not job["code"] for job in jobs)
    found = {"cuda": cuda, "equal": well, "networks": [asdict(row) for row in rows], "jobs": jobs}
    options.out.write_text(json.dumps(found, indent=1))
    return 0 if well else 1


def _told(row: Compared) -> str:
    times = ", ".join(f"{ms:.1f} ms for {batch}" for batch, ms in row.ms_by_batch.items())
    off = "" if row.largest_difference is None else f"differs by {row.largest_difference:.1e}; "
    return f"{row.network} on {row.provider}: {'equal' if row.equal else 'NOT EQUAL'}; {off}{times}{row.problem}"


if __name__ == "__main__":
    sys.exit(main())
