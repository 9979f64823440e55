"""TensorRT: a model as an engine for one version of it and one kind of NVIDIA GPU. NOT RUN ON HARDWARE by its makers.

Written against the documented API of TensorRT 10 and 11, whose networks are strongly typed: every number has the type
that the .onnx says, so FP16 and INT8 are put into that before.
https://docs.nvidia.com/deeplearning/tensorrt/latest/_static/python-api/

Beside X.engine lies X.json: the card, and what built it. X.onnx is what it was built from, for other machines; X.timing
makes the next build faster.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import EngineError, QingzhouError, say
from ...runtime.engine.as_onnxruntime import Entry, OneByOne
from ...runtime.engine.package import package
from ...runtime.engine.session import open_session
from ...runtime.model.card import KEY, Card
from ..base import Engine, Settings, cannot_run, installed
from .cuda import INSTALL, Gpu
from .prepare import damaged, prepare, read_facts, takes, trtexec, write_facts

if TYPE_CHECKING:
    import numpy.typing as npt

    from ...runtime.typed import Session

    Array = npt.NDArray[Any]

OLDEST = 10  # the first whose networks can be strongly typed throughout
TYPES = {"float32": "float", "float64": "double", "float16": "float16"}


def version() -> str | None:
    """The installed version, or None. TensorRT itself is not imported."""
    return installed("tensorrt")


def gpus() -> list[str]:
    """The first GPU and its compute capability, ["NVIDIA Orin 8.7"]; [] without TensorRT, or where CUDA finds none."""
    try:
        gpu = Gpu("") if version() else None
    except QingzhouError:
        return []
    return [f"{gpu.name} {gpu.capability}"] if gpu else []


# -- compiling -------------------------------------------------------------------------------------------------------


def compile_model(source: Path, card: Card, out: Path, precision: str) -> None:
    """An engine for the first GPU here, its card and what built it, the model that it was built from, and timings."""
    trt = _package()
    prepared, timing = out.with_suffix(".onnx"), out.with_suffix(".timing")
    prepare(source, card, prepared, precision)
    gpu = Gpu("")
    old = timing.read_bytes() if timing.is_file() else b""
    plan, timings = _build(trt, source, prepared.read_bytes(), old)
    out.write_bytes(plan)
    timing.write_bytes(timings)
    built = {"tensorrt": trt.__version__, "gpu": gpu.name, "compute_capability": gpu.capability}
    write_facts(out.with_suffix(".json"), card, built)


def _build(trt: Any, source: Path, model: bytes, old_timings: bytes) -> tuple[Any, Any]:
    """The serialised engine, and the timings of what was tried for it."""
    said = _logger(trt)
    builder = _started(trt.Builder, said)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, said)
    if not parser.parse(model):
        raise cannot_run("TensorRT", source, RuntimeError(parser.get_error(0).desc()))
    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)  # FP32 with 10 bits of the numbers
    if not config.set_timing_cache(config.create_timing_cache(old_timings), False):  # of another version or GPU
        config.set_timing_cache(config.create_timing_cache(b""), False)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise cannot_run("TensorRT", source, said.reason())
    return plan, config.get_timing_cache().serialize()


def _package() -> Any:
    trt = package("tensorrt", "TensorRT", INSTALL)
    if int(trt.__version__.split(".")[0]) < OLDEST:
        raise EngineError(
            en=f"TensorRT {trt.__version__} is too old; {OLDEST} or later is needed. Install it: {INSTALL}",
            zh=f"TensorRT {trt.__version__} 版本太旧，需要 {OLDEST} 或更高版本。请安装：{INSTALL}",
        )
    return trt


def _logger(trt: Any) -> Any:
    """What TensorRT tells: errors are kept, for our own messages, and the rest is dropped."""
    severity = trt.ILogger.Severity

    class Logger(trt.ILogger):  # type: ignore[misc]
        """TensorRT's errors."""

        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.errors: list[str] = []

        def log(self, level: Any, text: str) -> None:
            """Called by TensorRT, for every message."""
            if level in (severity.INTERNAL_ERROR, severity.ERROR):
                self.errors.append(text)

        def reason(self) -> RuntimeError:
            """The first error, to which others are the consequence."""
            return RuntimeError(self.errors[0] if self.errors else "no reason given")

    return Logger()


def _started(kind: Any, said: Any) -> Any:
    """A Builder or a Runtime. TensorRT's bindings raise a TypeError where it finds no GPU or no driver."""
    try:
        return kind(said)
    except TypeError:
        raise EngineError(
            en=f"TensorRT does not start here: {said.reason()}. It needs an NVIDIA GPU and its driver; look with "
            "nvidia-smi.",
            zh=f"TensorRT 在这里无法启动：{said.reason()}。它需要 NVIDIA GPU 和驱动；请用 nvidia-smi 查看。",
        ) from None


# -- running ---------------------------------------------------------------------------------------------------------


class TensorRtSession(OneByOne):
    """An engine that is asked as an onnxruntime session is; its memory on the GPU is fixed when it is opened."""

    def __init__(self, trt: Any, engine: Any, context: Any, gpu: Gpu, metadata_map: dict[str, str]) -> None:
        names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
        entries = {name: _entry(trt, engine, name) for name in names}
        given = {name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT}
        super().__init__(
            [entry for name, entry in entries.items() if name in given],
            [entry for name, entry in entries.items() if name not in given],
            metadata_map,
        )
        self._context, self._gpu, self._engine = context, gpu, engine
        self._arrays = {
            name: np.zeros(tuple(engine.get_tensor_shape(name)), trt.nptype(engine.get_tensor_dtype(name)))
            for name in names
        }
        self._places = {name: gpu.memory(array.nbytes) for name, array in self._arrays.items()}
        for name, place in self._places.items():
            context.set_tensor_address(name, place)

    def _one(self, feed: dict[str, Array]) -> list[Array]:
        self._gpu.choose()
        for name, row in feed.items():
            self._arrays[name][0] = row
            self._gpu.put(self._arrays[name], self._places[name])
        if not self._context.execute_async_v3(self._gpu.stream):
            raise RuntimeError("TensorRT")
        for entry in self._outputs:
            self._gpu.get(self._places[entry.name], self._arrays[entry.name])
        self._gpu.wait()
        return [self._arrays[entry.name][0].copy() for entry in self._outputs]


def _entry(trt: Any, engine: Any, name: str) -> Entry:
    kind = np.dtype(trt.nptype(engine.get_tensor_dtype(name))).name
    return Entry(name, ["?", *tuple(engine.get_tensor_shape(name))[1:]], f"tensor({TYPES.get(kind, kind)})")


def open_model(path: Path, settings: Settings) -> Session:
    """A session on a GPU. An engine is a program: TensorRT checks that it is for this version and GPU, no more."""
    facts = read_facts(path)
    trt, gpu = _package(), Gpu(settings.device)
    if facts.get("tensorrt", trt.__version__) != trt.__version__:
        raise _built_elsewhere(path, facts, trt, gpu, "")
    said = _logger(trt)
    engine = _started(trt.Runtime, said).deserialize_cuda_engine(path.read_bytes())
    if engine is None:
        raise _built_elsewhere(path, facts, trt, gpu, str(said.reason()))
    context = engine.create_execution_context()
    if context is None:
        raise cannot_run("TensorRT", path, said.reason())
    shapes = [tuple(engine.get_tensor_shape(engine.get_tensor_name(i))) for i in range(engine.num_io_tensors)]
    if any(shape[:1] != (1,) or math.prod(shape) < 0 for shape in shapes):
        raise damaged(path, f"{shapes}")
    return TensorRtSession(trt, engine, context, gpu, {KEY: json.dumps(facts.get("card"), ensure_ascii=False)})


def _built_elsewhere(path: Path, facts: dict[str, Any], trt: Any, gpu: Gpu, why: str) -> EngineError:
    there = f"TensorRT {facts.get('tensorrt', '?')}, {facts.get('gpu', '?')} ({facts.get('compute_capability', '?')})"
    here = f"TensorRT {trt.__version__}, {gpu.name} ({gpu.capability})"
    tail = f": {why}" if why else ""
    return EngineError(
        en=f"{path.name} does not run here{tail}. It was built by {there}; here is {here}. An engine is for one "
        "version and kind of GPU: export the model again on this machine.",
        zh=f"{path.name} 无法在这里运行{tail}。它由 {there} 生成；这里是 {here}。引擎只适用于同一版本和同类 GPU："
        "请在这台机器上重新导出。",
    )


# -- what the user should know ---------------------------------------------------------------------------------------


def _advice(path: Path) -> tuple[str, ...]:
    line = trtexec(path)
    return (
        say(
            "Qingzhou's makers had no NVIDIA GPU: its engines for TensorRT were not run on hardware. Judge this one on "
            "data of your own: qingzhou evaluate",
            "轻舟的作者没有 NVIDIA GPU：TensorRT 引擎没有在硬件上运行过。请用自己的数据评估：qingzhou evaluate",
        ),
        say(
            f"An engine is for this version and kind of GPU. For another, copy the .onnx and the .json there: {line}",
            f"引擎只适用于这个版本和这类 GPU。其他机器请复制 .onnx 和 .json 后运行：{line}",
        ),
    )


def _advice_without(path: Path) -> tuple[str, ...]:
    line = trtexec(path)
    return (
        say(
            "TensorRT is not installed here, so there is no engine yet, and nothing has run on a GPU (nor did it at "
            f"Qingzhou's makers). Install it ({INSTALL}) and export again; or copy both files to the device and build "
            f"there, with TensorRT {OLDEST} or later: {line}",
            "这里没有安装 TensorRT，所以还没有生成引擎，也没有在 GPU 上运行过（轻舟的作者同样没有）。"
            f"请安装（{INSTALL}）后重新导出；或把两个文件复制到设备上，用 TensorRT {OLDEST} 或更高版本生成：{line}",
        ),
    )


def _open_prepared(path: Path, settings: Settings) -> Session:
    """Operator by operator: onnxruntime's own INT8 arithmetic overflows on some processors."""
    return open_session(path, settings.threads, once=True)


PREPARES = Engine(
    name="tensorrt",
    install=INSTALL,
    opens=(),
    suffix=".tensorrt.onnx",
    beside=(".json",),
    precisions=("fp32", "fp16"),
    boxes=False,
    int8="tensorrt",
    zero_points=False,
    version=version,
    takes=takes,
    compile=prepare,
    open=_open_prepared,
    advice=_advice_without,
)
ENGINE = replace(
    PREPARES,
    opens=(".engine",),
    suffix=".tensorrt.engine",
    compile=compile_model,
    open=open_model,
    kept=(".onnx", ".timing"),
    advice=_advice,
    instead=PREPARES,
    tried=False,
)
