"""TensorRT and CUDA's runtime as far as we use them, without a GPU: the names, arguments and results are those of
TensorRT 11.4's and cuda-bindings 13.5's own Python bindings; an "engine" is the .onnx itself, computed by onnxruntime.

Stricter than the real ones: what was queued happens only when it is waited for; memory that nobody gave is an error.
"""

from __future__ import annotations

import ctypes
import enum
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime

MAGIC = b"engine:"


class Cuda:
    """cuda.bindings.runtime: every function gives a tuple, its status first."""

    class cudaError_t(enum.IntEnum):
        cudaSuccess = 0
        cudaErrorMemoryAllocation = 2
        cudaErrorInsufficientDriver = 35
        cudaErrorInvalidDevice = 101

    class cudaMemcpyKind(enum.IntEnum):
        cudaMemcpyHostToDevice = 1
        cudaMemcpyDeviceToHost = 2

    def __init__(self, gpus: int = 2) -> None:
        self.gpus, self.device = gpus, -1
        self.given: dict[int, Any] = {}
        self.queues: dict[int, list[Callable[[], None]]] = {}

    def cudaSetDevice(self, device: int, /) -> tuple[Any, ...]:
        self.device = device
        if not self.gpus:
            return (self.cudaError_t.cudaErrorInsufficientDriver,)
        return (self.cudaError_t.cudaSuccess if device < self.gpus else self.cudaError_t.cudaErrorInvalidDevice,)

    def cudaGetDeviceProperties(self, device: int, /) -> tuple[Any, ...]:
        properties = SimpleNamespace(name=b"NVIDIA Orin" + bytes(245), major=8, minor=7 + device)
        return self.cudaError_t.cudaSuccess, properties

    def cudaGetErrorString(self, error: cudaError_t, /) -> tuple[Any, ...]:
        return self.cudaError_t.cudaSuccess, error.name.encode()

    def cudaStreamCreate(self) -> tuple[Any, ...]:
        self.queues[len(self.queues) + 1] = []
        return self.cudaError_t.cudaSuccess, len(self.queues)

    def cudaStreamDestroy(self, stream: int, /) -> tuple[Any, ...]:
        del self.queues[stream]
        return (self.cudaError_t.cudaSuccess,)

    def cudaStreamSynchronize(self, stream: int, /) -> tuple[Any, ...]:
        for work in self.queues[stream]:
            work()
        self.queues[stream].clear()
        return (self.cudaError_t.cudaSuccess,)

    def cudaMalloc(self, size: int, /) -> tuple[Any, ...]:
        if size > 1 << 30:
            return self.cudaError_t.cudaErrorMemoryAllocation, None
        memory = ctypes.create_string_buffer(size)
        self.given[ctypes.addressof(memory)] = memory
        return self.cudaError_t.cudaSuccess, ctypes.addressof(memory)

    def cudaFree(self, address: int, /) -> tuple[Any, ...]:
        del self.given[address]
        return (self.cudaError_t.cudaSuccess,)

    def cudaMemcpyAsync(
        self, to: int, source: int, count: int, kind: cudaMemcpyKind, stream: int, /
    ) -> tuple[Any, ...]:
        on_gpu = to if kind is self.cudaMemcpyKind.cudaMemcpyHostToDevice else source
        assert len(self.given[on_gpu]) == count
        self.queues[stream].append(lambda: ctypes.memmove(to, source, count) and None)
        return (self.cudaError_t.cudaSuccess,)


class Logger:
    class Severity(enum.Enum):
        INTERNAL_ERROR = 0
        ERROR = 1
        WARNING = 2
        INFO = 3
        VERBOSE = 4

    def __init__(self) -> None:
        self.ready = True

    def log(self, severity: Severity, msg: str) -> None:
        raise NotImplementedError


def module(cuda: Cuda, version: str = "11.4.0.106") -> Any:
    """The module tensorrt of a machine with these GPUs."""

    class Started:
        def __init__(self, logger: Logger) -> None:
            assert logger.ready  # its __init__ was called
            self.logger = logger
            if not cuda.gpus:
                logger.log(Logger.Severity.ERROR, "CUDA initialization failure with error: 35")
                raise TypeError("pybind11::init(): factory function returned nullptr")

    class Network:
        model: onnx.ModelProto

    class Parser:
        def __init__(self, network: Network, logger: Logger) -> None:
            self.network = network

        def parse(self, model: bytes, path: str | None = None) -> bool:
            self.network.model = onnx.load_from_string(model)
            known = {node.op_type for node in self.network.model.graph.node} - {"NonMaxSuppression"}
            return known >= {node.op_type for node in self.network.model.graph.node}

        def get_error(self, index: int) -> Any:
            return SimpleNamespace(desc=lambda: f"no importer, error {index}")

    class TimingCache:
        def __init__(self, data: bytes) -> None:
            self.data = data

        def serialize(self) -> bytes:
            return self.data

    class Config:
        def __init__(self) -> None:
            self.flags, self.cache = {"TF32"}, TimingCache(b"")

        def clear_flag(self, flag: Any) -> None:
            self.flags.discard(flag.name)

        def create_timing_cache(self, serialized_timing_cache: bytes) -> TimingCache:
            return TimingCache(serialized_timing_cache)

        def set_timing_cache(self, cache: TimingCache, ignore_mismatch: bool) -> bool:
            if not ignore_mismatch and cache.data and not cache.data.startswith(version.encode()):
                return False
            self.cache = cache
            return True

        def get_timing_cache(self) -> TimingCache:
            return self.cache

    class Builder(Started):
        def create_network(self, flags: int = 0) -> Network:
            assert flags == 1 << int(NetworkDefinitionCreationFlag.STRONGLY_TYPED)
            return Network()

        def create_builder_config(self) -> Config:
            return Config()

        def build_serialized_network(self, network: Network, config: Config) -> bytes | None:
            if not _can_build(network.model):
                self.logger.log(Logger.Severity.WARNING, "slow")
                self.logger.log(Logger.Severity.INTERNAL_ERROR, "Could not find any implementation for node")
                return None
            assert not config.flags
            reused = b"|again" if config.cache.data else b"|first"
            config.cache.data = version.encode() + reused
            return MAGIC + version.encode() + b"\0" + network.model.SerializeToString()

    class Context:
        def __init__(self, engine: Engine) -> None:
            self.engine, self.places = engine, dict[str, int]()

        def set_tensor_address(self, name: str, memory: int, /) -> bool:
            assert memory in cuda.given
            self.places[name] = memory
            return True

        def execute_async_v3(self, stream_handle: int) -> bool:
            assert set(self.places) == set(self.engine.ports) and cuda.device >= 0
            cuda.queues[stream_handle].append(self.compute)
            return True

        def compute(self) -> None:
            session = self.engine.session
            feed = {
                entry.name: self.engine.array(entry.name, cuda.given[self.places[entry.name]])
                for entry in session.get_inputs()
            }
            for entry, found in zip(session.get_outputs(), session.run(None, feed), strict=True):
                ctypes.memmove(self.places[entry.name], found.ctypes.data, found.nbytes)

    class Engine:
        def __init__(self, model: bytes) -> None:
            self.session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
            inputs, outputs = self.session.get_inputs(), self.session.get_outputs()
            self.ports = {entry.name: entry for entry in (*inputs, *outputs)}
            self.given = {entry.name for entry in inputs}

        @property
        def num_io_tensors(self) -> int:
            return len(self.ports)

        def get_tensor_name(self, index: int) -> str:
            return list(self.ports)[index]

        def get_tensor_mode(self, name: str) -> TensorIOMode:
            return TensorIOMode.INPUT if name in self.given else TensorIOMode.OUTPUT

        def get_tensor_shape(self, name: str) -> Iterator[int]:
            return iter(self.ports[name].shape)

        def get_tensor_dtype(self, name: str) -> str:
            return {"tensor(float)": "FLOAT", "tensor(int64)": "INT64"}[self.ports[name].type]

        def create_execution_context(self) -> Context:
            return Context(self)

        def array(self, name: str, memory: Any) -> Any:
            return np.frombuffer(memory, nptype(self.get_tensor_dtype(name))).reshape(self.ports[name].shape)

    class Runtime(Started):
        def deserialize_cuda_engine(self, serialized_engine: bytes) -> Engine | None:
            head, _, model = serialized_engine.partition(b"\0")
            if head != MAGIC + version.encode():
                self.logger.log(Logger.Severity.ERROR, "Serialization assertion stdVersionRead failed")
                return None
            return Engine(model)

    class NetworkDefinitionCreationFlag(enum.IntEnum):
        STRONGLY_TYPED = 1

    class TensorIOMode(enum.Enum):
        NONE = 0
        INPUT = 1
        OUTPUT = 2

    def nptype(trt_type: str) -> type:
        return {"FLOAT": np.float32, "INT64": np.int64}[trt_type]

    return SimpleNamespace(
        __version__=version,
        ILogger=Logger,
        Builder=Builder,
        OnnxParser=Parser,
        Runtime=Runtime,
        nptype=nptype,
        NetworkDefinitionCreationFlag=NetworkDefinitionCreationFlag,
        TensorIOMode=TensorIOMode,
        BuilderFlag=enum.Enum("BuilderFlag", ["TF32"]),
    )


def _can_build(model: onnx.ModelProto) -> bool:
    """Not with int32 biases behind a DequantizeLinear, nor with zero points: onnx-tensorrt's docs/operators.md."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            kinds = {constants[name].data_type for name in node.input if name in constants}
            zeros = [onnx.numpy_helper.to_array(constants[name]) for name in node.input[2:]]
            if kinds - {onnx.TensorProto.FLOAT, onnx.TensorProto.INT8} or any(zero.any() for zero in zeros):
                return False
    return True
