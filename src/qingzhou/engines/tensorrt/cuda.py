"""The few calls of CUDA's runtime that TensorRT leaves to its caller: memory on the GPU, copies to and from it.

https://nvidia.github.io/cuda-python/cuda-bindings/latest/module/runtime.html
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from ...errors import EngineError, OptionError
from ...runtime.engine.package import package

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

INSTALL = 'pip install "qingzhou[tensorrt]"'


class Gpu:
    """One GPU, with a queue of its own; `device` is "gpu" or "gpu.1". What it gave out is freed with it.

    ExtraMissing without cuda-bindings, OptionError for another device, EngineError where CUDA refuses.
    """

    def __init__(self, device: str) -> None:
        self._runtime = package("cuda.bindings.runtime", "CUDA", INSTALL)
        self._number = _number(device)
        self.choose()
        properties = self._call("cudaGetDeviceProperties", self._number)
        self.name = bytes(properties.name).decode("utf-8", "replace").strip("\0")
        self.capability = f"{properties.major}.{properties.minor}"
        self.stream = int(self._call("cudaStreamCreate"))
        self._given: list[int] = []
        weakref.finalize(self, _free, self._runtime, self.stream, self._given)

    def choose(self) -> None:
        """Make it the one that the calling thread uses; a thread begins with the first."""
        self._call("cudaSetDevice", self._number)

    def memory(self, size: int) -> int:
        """The address of so many bytes on the GPU."""
        self._given.append(int(self._call("cudaMalloc", max(size, 1))))
        return self._given[-1]

    def put(self, array: Array, address: int) -> None:
        """Queue a copy to the GPU; the array must be contiguous, and stay until wait()."""
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._call("cudaMemcpyAsync", address, array.ctypes.data, array.nbytes, kind, self.stream)

    def get(self, address: int, array: Array) -> None:
        """Queue a copy from the GPU into an array, which must be contiguous."""
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._call("cudaMemcpyAsync", array.ctypes.data, address, array.nbytes, kind, self.stream)

    def wait(self) -> None:
        """Until all that was queued is done."""
        self._call("cudaStreamSynchronize", self.stream)

    def _call(self, name: str, *args: Any) -> Any:
        """What a call gives beside its status."""
        status, *found = getattr(self._runtime, name)(*args)
        if status != self._runtime.cudaError_t.cudaSuccess:
            why = self._runtime.cudaGetErrorString(status)[1].decode("utf-8", "replace")
            raise EngineError(
                en=f"The GPU cannot be used: {why} ({name}). TensorRT needs an NVIDIA GPU with a driver for this CUDA; "
                "look with nvidia-smi.",
                zh=f"无法使用 GPU：{why}（{name}）。TensorRT 需要 NVIDIA GPU 和支持此 CUDA 版本的驱动；"
                "请用 nvidia-smi 查看。",
            )
        return found[0] if found else None


def _number(device: str) -> int:
    """0 for "" and "gpu", 1 for "gpu.1"."""
    name, _, number = (device.lower() or "gpu").partition(".")
    if name != "gpu" or not (number.isdecimal() or not number):
        raise OptionError(
            en=f"TensorRT has no device {device}; it can be gpu, or gpu.1 for the second one. Leave it out.",
            zh=f"TensorRT 没有设备 {device}，可以是 gpu，第二块是 gpu.1。可以不写。",
        )
    return int(number or 0)


def _free(runtime: Any, stream: int, given: list[int]) -> None:
    for address in given:
        runtime.cudaFree(address)
    runtime.cudaStreamDestroy(stream)
