"""onnxruntime: .onnx files on a provider chosen by name, and the .ort form that its small builds read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import EngineError, ExtraMissing, OptionError, QingzhouError
from ..runtime.engine.session import onnxruntime_package, open_session, start
from ..runtime.model.card import Card
from .base import Engine, Settings, any_model, cannot_run

if TYPE_CHECKING:
    from ..runtime.typed import Session

INSTALL = "pip install onnxruntime"
# The name, onnxruntime's own, and the package that brings it: https://onnxruntime.ai/docs/execution-providers/
PROVIDERS = {
    "cpu": ("CPUExecutionProvider", "onnxruntime"),
    "cuda": ("CUDAExecutionProvider", "onnxruntime-gpu"),
    "tensorrt": ("TensorrtExecutionProvider", "onnxruntime-gpu"),
    "directml": ("DmlExecutionProvider", "onnxruntime-directml"),
    "openvino": ("OpenVINOExecutionProvider", "onnxruntime-openvino"),
    "coreml": ("CoreMLExecutionProvider", "onnxruntime"),
}


def version() -> str | None:
    """The version of whichever build is installed, or None."""
    try:
        return str(onnxruntime_package().__version__)
    except QingzhouError:
        return None


def providers() -> list[str]:
    """Those of PROVIDERS that this build has; [] without onnxruntime. Whether the device is there, opening shows."""
    if version() is None:
        return []
    here = onnxruntime_package().get_available_providers()
    return [name for name, (provider, _) in PROVIDERS.items() if provider in here]


def open_model(path: Path, settings: Settings) -> Session:
    """A session on the provider asked for, never quietly on another."""
    provider = _provider(settings.device or "cpu")
    session: Any = open_session(path, settings.threads, [provider])
    if provider not in session.get_providers():
        raise EngineError(
            en=f"onnxruntime has {provider}, but it does not start here: its driver or its libraries are missing. "
            "Install them, or use the device cpu.",
            zh=f"onnxruntime 带有 {provider}，但在这台电脑上无法启动：缺少驱动或它的库。请安装，或使用 cpu。",
        )
    return session  # type: ignore[no-any-return]


def compile_model(source: Path, card: Card, out: Path, precision: str) -> None:
    """The .ort form of a model with its own metadata, the card among it; optimised only as suits every processor."""
    ort = onnxruntime_package()
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(out)
    options.add_session_config_entry("session.save_model_format", "ORT")
    try:
        start(str(source), options)
    except Exception as err:  # onnxruntime has a class of its own for every kind of refusal
        raise cannot_run("onnxruntime", source, err) from None


def _provider(name: str) -> str:
    """onnxruntime's name of a provider; OptionError for none of ours, ExtraMissing for one that this build has not."""
    if name not in PROVIDERS:
        raise OptionError(
            en=f"onnxruntime has no device {name}; it can be {', '.join(PROVIDERS)}. Here: {', '.join(providers())}.",
            zh=f"onnxruntime 没有设备 {name}，可以是 {'、'.join(PROVIDERS)}。这里可用：{'、'.join(providers())}。",
        )
    provider, wheel = PROVIDERS[name]
    if name not in providers():
        raise _not_in_this_build(name, wheel)
    return provider


def _not_in_this_build(name: str, wheel: str) -> ExtraMissing:
    here = providers()
    if wheel == "onnxruntime":
        en, zh = "Only onnxruntime for macOS has it.", "只有 macOS 版的 onnxruntime 才有。"
    else:  # two builds of onnxruntime overwrite each other's files
        line = f"pip uninstall onnxruntime && pip install {wheel}"
        en, zh = f"Install the build that has it: {line}", f"请安装带有它的版本：{line}"
    return ExtraMissing(
        en=f"This onnxruntime {version()} has no {name}; it has {', '.join(here)}. {en}",
        zh=f"这里的 onnxruntime {version()} 不带 {name}，只有 {'、'.join(here)}。{zh}",
    )


ENGINE = Engine(
    name="onnxruntime",
    install=INSTALL,
    opens=(".onnx", ".ort"),
    suffix=".ort",
    beside=(),
    precisions=("fp32",),
    boxes=True,
    int8="auto",
    version=version,
    takes=any_model,
    compile=compile_model,
    open=open_model,
)
