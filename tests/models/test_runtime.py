"""The runtime: same numbers from both engines, honest about what runs, clear about what cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.models import graphs, runtime
from tests.models.reference_inputs import generated_picture
from tests.models.tiny_networks import write_tiny_yolox


@pytest.fixture
def graph(tmp_path: Path) -> bytes:
    return graphs.yolox(write_tiny_yolox(tmp_path / "tiny.onnx"))


def test_openvino_equals_onnx_runtime(graph: bytes) -> None:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    model = runtime.load_model(graph, device="cpu", precision="f32", threads=1, fixed_shapes=1)
    for width, height in ((64, 96), (128, 64), (64, 96)):  # a fixed shape, the graph for all shapes, the fixed one
        picture = generated_picture(width, height)[None]
        expected = session.run(["reg_8", "cls_32"], {"picture": picture})
        found = model.infer(picture)
        assert set(found) == {f"{kind}_{stride}" for kind in ("cls", "reg", "obj") for stride in (8, 16, 32)}
        np.testing.assert_allclose(found["reg_8"], expected[0], atol=1e-3)
        np.testing.assert_allclose(found["cls_32"], expected[1], atol=1e-3)


def test_results_survive_the_next_call(graph: bytes) -> None:
    model = runtime.load_model(graph, device="cpu", precision="f32", threads=1)
    first = model.infer(generated_picture(64, 64)[None])
    kept = first["reg_8"].copy()
    model.infer(np.zeros((1, 64, 64, 3), np.uint8))
    np.testing.assert_array_equal(first["reg_8"], kept)


def test_provider_names_engine_device_precision_and_threads(graph: bytes) -> None:
    model = runtime.load_model(graph, device="cpu", precision="f32", threads=1)
    assert model.provider.startswith("OpenVINO 20")
    assert model.provider.endswith(" CPU f32, 1 thread")


def test_bf16_runs_or_is_refused_by_the_processor(graph: bytes) -> None:
    cpu = next(report for report in runtime.describe_devices() if report.name == "cpu")
    if "BF16" in cpu.detail:
        assert "bf16" in runtime.load_model(graph, device="cpu", precision="bf16", threads=1).provider
    else:
        with pytest.raises(UserError, match="bf16"):
            runtime.load_model(graph, device="cpu", precision="bf16")


@pytest.mark.skipif(
    "CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="this machine may have CUDA"
)
def test_cuda_asked_for_and_missing_is_an_error_that_says_what_to_install(graph: bytes) -> None:
    with pytest.raises(UserError, match=r"or_mv_anon\[cuda\].*--device cpu"):
        runtime.load_model(graph, device="cuda")
    assert "OpenVINO" in runtime.load_model(graph, device="auto").provider
    cuda = next(report for report in runtime.describe_devices() if report.name == "cuda")
    assert not cuda.usable


def test_bf16_on_cuda_is_refused(graph: bytes) -> None:
    with pytest.raises(UserError, match="bf16 is for the CPU"):
        runtime.load_model(graph, device="cuda", precision="bf16")


def test_a_broken_graph_is_one_clear_sentence() -> None:
    with pytest.raises(UserError, match="cannot load the model"):
        runtime.load_model(b"no graph", device="cpu")


@pytest.mark.parametrize("first", [0, 1])
def test_networks_that_are_gone_leave_signals_as_they_were(graph: bytes, tmp_path: Path, first: int) -> None:
    (tmp_path / "graph.onnx").write_bytes(graph)
    script = (
        "import gc, os, pathlib, signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a job in the background ignores it
        "from or_mv_anon.models.runtime import load_model\n"
        f"graph = pathlib.Path({str(tmp_path / 'graph.onnx')!r}).read_bytes()\n"
        "networks = [load_model(graph, device='cpu', threads=1) for _ in range(2)]\n"
        f"for number in ({first}, 0): del networks[number]; gc.collect()\n"
        "try: os.kill(os.getpid(), signal.SIGINT)\n"
        "except KeyboardInterrupt: print('interrupted')\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "interrupted\n")


def test_openvino_does_not_report_its_use():
    """Its telemetry package, if loaded, calls home: on a hospital's network nothing may."""
    program = (
        "import sys; from or_mv_anon.models.runtime import describe_devices; describe_devices(); "
        "sys.exit(sys.modules.get('openvino_telemetry') is not None)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
