"""OpenVINO: a model as its IR, two files (.xml, .bin) with the card in the first, run on Intel's and other processors.

ONNX is read by openvino.Core, in C++; openvino's converter in Python, which reports its use to Intel, is never called.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import EngineError, ExtraMissing, FileMissing, ModelError
from ..runtime.engine.as_onnxruntime import EngineSession, Entry
from ..runtime.engine.package import package
from ..runtime.model.card import KEY, Card
from .base import Engine, Settings, cannot_run, foreign, installed, needs_double, reason

if TYPE_CHECKING:
    import numpy.typing as npt

    from ..onnxfile.facts import Facts
    from ..runtime.typed import Session

    Array = npt.NDArray[Any]

INSTALL = 'pip install "qingzhou[openvino]"'
PLACE = ["qingzhou", "card"]  # of the card in the IR's rt_info
# Operators besides ONNX's own: https://github.com/openvinotoolkit/openvino/tree/master/src/frontends/onnx
DOMAINS = ("com.microsoft", "org.openvinotoolkit", "org.pytorch.aten", "mmdeploy")
# OpenVINO computes in bfloat16 or float16 where the processor has them, unless told otherwise; answers then differ.
EXACT = {"INFERENCE_PRECISION_HINT": "f32"}


def version() -> str | None:
    """The installed version, or None. OpenVINO itself is not imported."""
    return installed("openvino")


def devices_and_abilities() -> tuple[list[str], list[str]]:
    """What OpenVINO finds here (["cpu", "gpu.0"]), and what it says that the processor computes in (["FP32", "INT8"]).

    Both are empty where it is missing or does not start.
    """
    try:
        core = _package().Core() if version() else None
    except ExtraMissing:  # installed, but a library that it needs is not
        core = None
    if core is None:
        return [], []
    abilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return [name.lower() for name in core.available_devices], list(abilities)


class OpenVinoSession(EngineSession):
    """A compiled model that is asked as an onnxruntime session is. Names are those of the model as it was read: where a
    float64 becomes a float32, what is compiled calls the end of a network by the name of what stood before, too.
    """

    def __init__(self, compiled: Any, model: Any, metadata_map: dict[str, str]) -> None:
        super().__init__(
            [_entry(port) for port in model.inputs], [_entry(port) for port in model.outputs], metadata_map
        )
        self._request = compiled.create_infer_request()
        self._singly = _singly(metadata_map)

    def run(self, names: None, feed: dict[str, Array]) -> list[Array]:
        """All outputs, as arrays of their own."""
        with self._lock:
            if not self._singly or len(feed) != 1:
                return self._answers(feed)
            ((name, rows),) = feed.items()
            found = [self._answers({name: rows[i : i + 1]}) for i in range(len(rows))]
            return [np.concatenate(parts) for parts in zip(*found, strict=True)] if found else self._answers(feed)

    def _answers(self, feed: dict[str, Array]) -> list[Array]:
        return [np.array(array) for array in self._request.infer(feed).to_tuple()]


def open_model(path: Path, settings: Settings) -> Session:
    """A session that computes in float32 on a device of OpenVINO; parses the file and runs nothing that it names."""
    weights = path.with_suffix(".bin")
    for part in (path, weights):
        if not part.is_file():
            raise _no_file(part)
    core = _package().Core()
    try:
        model = core.read_model(path.read_bytes(), weights.read_bytes())  # it takes no name that is not Unicode
    except Exception as err:  # RuntimeError of many kinds
        raise _damaged(path, err) from None
    device = _device(core, settings.device or "cpu")
    try:
        return OpenVinoSession(core.compile_model(model, device, _config(settings)), model, _metadata(model))
    except Exception as err:
        raise cannot_run("OpenVINO", path, err) from None


def takes(facts: Facts) -> EngineError | None:
    """Why OpenVINO cannot run a model: operators of ai.onnx.ml, and of other tools; answers that need float64, which it
    makes float32.
    """
    return foreign("OpenVINO", facts, DOMAINS) or needs_double("OpenVINO", facts)


def compile_model(source: Path, card: Card, out: Path, precision: str) -> None:
    """The IR of an ONNX model (FP32 or with quantised parts) with its card; weights in FP16 if so asked."""
    openvino = _package()
    try:
        model = _read_onnx(openvino.Core(), source, card.input.kind == "tokens")
        model.set_rt_info(card.to_json(), PLACE)
        openvino.save_model(model, out, compress_to_fp16=precision == "fp16")
    except Exception as err:  # RuntimeError of many kinds
        raise cannot_run("OpenVINO", source, err) from None


def _package() -> Any:
    """openvino, imported without openvino_telemetry, by which the import alone reports itself to Intel."""
    with _hidden("openvino_telemetry"):
        return package("openvino", "OpenVINO", INSTALL)


@contextlib.contextmanager
def _hidden(name: str) -> Iterator[None]:
    """Within the block a package seems not to be installed, unless it was imported before."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # importlib's way to say that there is none
    try:
        yield
    finally:
        del sys.modules[name]


def _read_onnx(core: Any, source: Path, stateful: bool) -> Any:
    """OpenVINO's form of an ONNX model, its inputs and outputs under their own names.

    Inputs with a value of their own become constants. The state of networks that generate text stays an input, without
    its value.
    """
    import onnx

    proto = onnx.load(source, load_external_data=False)
    names = {entry.name for entry in proto.graph.input} if stateful else set()
    fixed = [tensor for tensor in proto.graph.initializer if tensor.name not in names]
    if len(fixed) < len(proto.graph.initializer):
        del proto.graph.initializer[:]
        proto.graph.initializer.extend(fixed)
    del proto.metadata_props[:]  # what other tools wrote would stand in the .xml as it is; the card is added, as ASCII
    model = core.read_model(proto.SerializeToString())
    for port, entry in zip(model.outputs, proto.graph.output, strict=True):
        port.get_tensor().set_names({entry.name})
    return model


def _entry(port: Any) -> Entry:
    shape = [size.get_length() if size.is_static else "?" for size in port.partial_shape]
    kind = port.element_type.to_dtype().name
    return Entry(port.any_name, shape, f"tensor({'float' if kind == 'float32' else kind})")


def _metadata(model: Any) -> dict[str, str]:
    """The card's text, unparsed; what is no text becomes an empty one, which is no card."""
    if not model.has_rt_info(PLACE):
        return {}
    value = model.get_rt_info(PLACE).value
    return {KEY: value if isinstance(value, str) else ""}


def _singly(metadata: dict[str, str]) -> bool:
    """Whether rows are asked one after the other: of networks made of estimators OpenVINO 2026.4 leaves some rows of a
    batch out (votes, isotonic lines), differently each time; one row alone it answers rightly.
    """
    try:
        card = Card.from_json(metadata.get(KEY, ""))
    except ModelError:
        return False
    return card.input.kind == "table" and card.origin.get("container") == "joblib"


def _config(settings: Settings) -> dict[str, Any]:
    config: dict[str, Any] = dict(EXACT)
    if settings.threads:
        config["INFERENCE_NUM_THREADS"] = settings.threads
    if settings.cache is not None:
        config["CACHE_DIR"] = str(settings.cache)
    return config


def _device(core: Any, name: str) -> str:
    """OpenVINO's name of a device that is there; EngineError otherwise."""
    here = [device.lower() for device in core.available_devices]
    if name.lower() not in {part for device in here for part in (device, device.partition(".")[0])}:
        raise EngineError(
            en=f"OpenVINO finds no device {name} here; it has {', '.join(here)}. Install the device's driver, or use "
            "the device cpu.",
            zh=f"OpenVINO 在这里没有找到设备 {name}，只有 {'、'.join(here)}。请安装设备驱动，或使用 cpu。",
        )
    return name.upper()


def _no_file(path: Path) -> FileMissing:
    return FileMissing(
        en=f"There is no file {path}; a model for OpenVINO is an .xml and a .bin of one name in one folder. Check the "
        "name, or copy both.",
        zh=f"文件 {path} 不存在；OpenVINO 模型由同一文件夹里同名的 .xml 和 .bin 组成。请检查文件名，或复制两个文件。",
    )


def _damaged(path: Path, err: Exception) -> ModelError:
    return ModelError(
        en=f"{path.name} cannot be opened as a model for OpenVINO: {reason(err)}. Export it again, or copy both "
        "files again.",
        zh=f"{path.name} 无法作为 OpenVINO 模型打开：{reason(err)}。请重新导出，或重新复制两个文件。",
    )


ENGINE = Engine(
    name="openvino",
    install=INSTALL,
    opens=(".xml",),
    suffix=".openvino.xml",
    beside=(".bin",),
    precisions=("fp32", "fp16"),
    boxes=True,
    int8="auto",
    version=version,
    takes=takes,
    compile=compile_model,
    open=open_model,
    without_amx=(("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_VNNI"),),
)
