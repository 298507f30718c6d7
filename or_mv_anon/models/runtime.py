"""One small interface over the two inference engines: OpenVINO on the CPU, ONNX Runtime on NVIDIA GPUs.

Which engine, device and precision run is never silent: `Model.provider` says it, to be printed and stored.
"""

from __future__ import annotations

import functools
import importlib.util
import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.models import engines

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "f32", "bf16"]
Tensors = dict[str, NDArray[Any]]

INSTALL_CUDA = "install it with: pip install 'or_mv_anon[cuda]' (an NVIDIA driver is needed too), or use --device cpu"


class Model(ABC):
    """A loaded network. Not thread-safe: each process or thread loads its own."""

    @property
    @abstractmethod
    def provider(self) -> str:
        """Engine, version, device and precision, such as "OpenVINO 2026.4.1 CPU bf16, 1 thread"."""

    @property
    @abstractmethod
    def on_cpu(self) -> bool:
        """Whether the processor computes it; known before the first call, unlike `provider`."""

    @abstractmethod
    def infer(self, inputs: Tensors | NDArray[Any]) -> Tensors:
        """Runs the network on named inputs, or on a lone array for its only input; the results are the caller's own."""


@dataclass(frozen=True, kw_only=True)
class DeviceReport:
    """One engine on this machine, for `doctor`."""

    name: str
    usable: bool
    detail: str


def load_model(
    model: bytes | Path,
    *,
    device: Device = "auto",
    precision: Precision = "auto",
    threads: int = 0,
    fixed_shapes: int = 0,
) -> Model:
    """Loads an ONNX graph.

    Args:
        model: the graph, or a file that holds it.
        device: `auto` takes CUDA where ONNX Runtime can open a session on it, else the CPU.
        precision: on the CPU, `auto` is what OpenVINO prefers (bf16 where the processor computes in it, else f32). On
            CUDA, `auto` lets the GPU use TF32 and `f32` forbids it. `bf16` is for the CPU alone.
        threads: CPU threads; 0 leaves the number to the engine.
        fixed_shapes: the first so many input shapes get a graph compiled for just them, a little faster on the CPU;
            later shapes share one graph for all shapes.

    Raises:
        UserError: the device or the precision is not to be had here, or the graph cannot be loaded.
    """
    graph = model if isinstance(model, bytes) else model.read_bytes()
    if device == "cuda" and precision == "bf16":
        raise UserError("--precision bf16 is for the CPU; on CUDA use auto or f32.")
    if device == "cuda" or (device == "auto" and precision != "bf16" and engines.cuda_obstacle() is None):
        try:
            return OnnxRuntimeModel(graph, precision=precision)
        except UserError:
            if device == "cuda":
                raise
    return OpenVinoModel(graph, precision=precision, threads=threads, fixed_shapes=fixed_shapes)


class OpenVinoModel(Model):
    """OpenVINO on the CPU, tuned for the latency of single calls."""

    def __init__(self, graph: bytes, *, precision: Precision, threads: int, fixed_shapes: int = 0) -> None:
        openvino = engines.openvino()
        self._core = engines.openvino_core()
        capabilities = self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if precision == "bf16" and "BF16" not in capabilities:
            raise UserError("This processor does not compute in bf16; use --precision f32 or auto.")
        # Unpinned: pinned, the networks of all worker processes would share the first core.
        self._options: dict[str, Any] = {
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "ENABLE_CPU_PINNING": False,
        }
        if threads:
            self._options["INFERENCE_NUM_THREADS"] = threads
        if precision != "auto":
            self._options["INFERENCE_PRECISION_HINT"] = precision
        try:
            self._model = self._core.read_model(graph)
        except RuntimeError as error:
            raise _not_loaded(error) from error
        self._version = openvino.__version__.split("-")[0]
        self._by_shape: dict[tuple[tuple[int, ...], ...], Any] = {}
        self._fixed_shapes = fixed_shapes
        self._input_names = [port.get_any_name() for port in self._model.inputs]
        self._output_names = [port.get_any_name() for port in self._model.outputs]
        if not fixed_shapes:  # otherwise it may never be needed, and compiling it takes as long as a fixed one
            _ = self._any_shape

    @functools.cached_property
    def _any_shape(self) -> Any:
        return self._compile(self._model)

    @property
    def provider(self) -> str:
        request = next(iter(self._by_shape.values())) if self._by_shape else self._any_shape
        compiled = request.get_compiled_model()
        chosen = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        used = compiled.get_property("INFERENCE_NUM_THREADS")
        return f"OpenVINO {self._version} CPU {chosen}, {used} thread{'s' if used != 1 else ''}"

    @property
    def on_cpu(self) -> bool:
        return True

    def infer(self, inputs: Tensors | NDArray[Any]) -> Tensors:
        named = _named(inputs, self._input_names)
        request = self._request(named)
        request.infer(named, share_inputs=True)
        return {name: np.array(request.get_tensor(name).data) for name in self._output_names}

    def _compile(self, model: Any) -> Any:
        """A request to a compiled graph."""
        try:
            return self._core.compile_model(model, "CPU", self._options).create_infer_request()
        except RuntimeError as error:
            raise _not_loaded(error) from error

    def _request(self, named: Tensors) -> Any:
        shapes = tuple(named[name].shape for name in self._input_names)
        if shapes not in self._by_shape:
            if len(self._by_shape) >= self._fixed_shapes:
                return self._any_shape
            fixed = self._model.clone()
            fixed.reshape({name: list(named[name].shape) for name in self._input_names})
            self._by_shape[shapes] = self._compile(fixed)
        return self._by_shape[shapes]


class OnnxRuntimeModel(Model):
    """ONNX Runtime on an NVIDIA GPU, through TensorRT where that is installed."""

    def __init__(self, graph: bytes, *, precision: Precision) -> None:
        require_device("cuda")
        runtime = engines.onnxruntime()
        providers: list[Any] = [("CUDAExecutionProvider", {"use_tf32": "0" if precision == "f32" else "1"})]
        if importlib.util.find_spec("tensorrt") and "TensorrtExecutionProvider" in runtime.get_available_providers():
            providers.insert(0, "TensorrtExecutionProvider")
        options = runtime.SessionOptions()
        options.log_severity_level = 4  # a provider that fails to start is reported by us, as one sentence
        try:
            self._session = runtime.InferenceSession(graph, options, providers=providers)
        except Exception as error:  # the package's exceptions share no public base class
            raise UserError(f"ONNX Runtime cannot load the model: {_first_line(error)}.") from error
        engine = self._session.get_providers()[0].removesuffix("ExecutionProvider")
        if engine == "CPU":
            raise UserError(f"CUDA was asked for, but ONNX Runtime cannot start it here; {INSTALL_CUDA}.")
        self._input_names = [value.name for value in self._session.get_inputs()]
        self._output_names = [value.name for value in self._session.get_outputs()]
        tf32 = "f32" if precision == "f32" else "f32 (TF32 allowed)"
        self._provider = f"ONNX Runtime {runtime.__version__} {'TensorRT' if engine == 'Tensorrt' else engine} {tf32}"

    @property
    def provider(self) -> str:
        return self._provider

    @property
    def on_cpu(self) -> bool:
        return False

    def infer(self, inputs: Tensors | NDArray[Any]) -> Tensors:
        values = self._session.run(self._output_names, _named(inputs, self._input_names))
        return dict(zip(self._output_names, values, strict=True))


def require_device(device: Device) -> None:
    """Look early whether a device that is asked for can be there at all.

    Raises:
        UserError: it cannot.
    """
    if device == "cuda" and (obstacle := engines.cuda_obstacle()):
        raise UserError(f"CUDA was asked for, but {obstacle}; {INSTALL_CUDA}.")


def describe_devices() -> list[DeviceReport]:
    """What this machine can infer on: the CPU, and CUDA with the reason where it is not usable."""
    openvino = engines.openvino()
    core = engines.openvino_core()
    precisions = [p for p in ("FP32", "BF16", "INT8") if p in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")]
    processor = core.get_property("CPU", "FULL_DEVICE_NAME")
    version = openvino.__version__.split("-")[0]
    detail = f"OpenVINO {version} on {processor}, {os.cpu_count()} cores, computes in {', '.join(precisions)}"
    obstacle = engines.cuda_obstacle()
    cuda = f"ONNX Runtime {engines.onnxruntime().__version__}" if obstacle is None else f"{obstacle}; {INSTALL_CUDA}"
    return [
        DeviceReport(name="cpu", usable=True, detail=detail),
        DeviceReport(name="cuda", usable=obstacle is None, detail=cuda),
    ]


def _named(inputs: Tensors | NDArray[Any], names: list[str]) -> Tensors:
    if isinstance(inputs, np.ndarray):
        if len(names) != 1:
            raise ValueError(f"expected a dict with the inputs {names}, got a lone array")
        return {names[0]: inputs}
    return inputs


def _not_loaded(error: Exception) -> UserError:
    return UserError(f"OpenVINO cannot load the model: {_first_line(error)}.")


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else type(error).__name__
