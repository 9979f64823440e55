"""What every engine gives: a version or none, a compiler, and sessions that speak as onnxruntime's do."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import EngineError, OptionError

if TYPE_CHECKING:
    import numpy.typing as npt

    from ..onnxfile.facts import Facts
    from ..runtime.model.card import Card
    from ..runtime.typed import Session

    Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Settings:
    """How a model is run.

    device   a provider of onnxruntime (cpu, cuda, …); a device of OpenVINO (cpu, gpu, npu) or of TensorRT (gpu, gpu.1);
             of ncnn, LiteRT and MNN cpu; "" for the first of each
    threads  processor cores; None for all
    cache    a folder where the engine may keep what it prepared, so that it starts faster the next time; of OpenVINO
    """

    device: str = ""
    threads: int | None = None
    cache: Path | None = None


def any_model(facts: Facts) -> EngineError | None:
    """Engine.takes of one that is asked by opening or compiling: it says itself what it does not know."""
    return None


@dataclass(frozen=True, kw_only=True)
class Engine:
    """One engine.

    install     the line that installs it
    opens       suffixes of the files that it runs
    suffix      what takes the place of ".onnx" in the name of a file that it compiles
    beside      suffixes of the files without which that one is nothing; they have its name and lie beside it
    precisions  of the weights that it can store
    boxes       whether it runs detectors that make their boxes inside the network
    int8        the target for which quantize() makes the models INT8 that it takes: "auto" for that of any processor
                it runs on; "" if it takes none
    zero_points whether it knows those of INT8's activations
    arithmetic  its name, if it computes INT8 otherwise than onnxruntime: the promise is then judged by it, too; else ""
    version     the installed version, or None
    takes       why it cannot run a model, as far as its file tells; None where nothing speaks against it. It is asked
                before anything is compiled, needs no installed engine, and names the operator or shape; ModelError
    compile     (source.onnx, card, out, precision) writes `out` and what belongs beside it; EngineError
    open        a session; FileMissing, ModelError, EngineError, ExtraMissing
    kept        suffixes of files that compile leaves for the next time and for other machines; nobody needs them to run
    advice      what the user should know of a file that it compiled
    instead     what prepares models where it is not installed
    tried       whether its makers ran it on hardware
    int8_helps  whether INT8 is worth having there without being asked for
    own         whether a file with one of these suffixes is one that it compiled, and no model of another tool
    offered     whether it is taken where nobody asked for it
    without_amx (name, value) of the environment in which it leaves AMX of x86 alone; () where there is no such
    """

    name: str
    install: str
    opens: tuple[str, ...]
    suffix: str
    beside: tuple[str, ...]
    precisions: tuple[str, ...]
    boxes: bool
    int8: str
    version: Callable[[], str | None]
    takes: Callable[[Facts], EngineError | None]
    compile: Callable[[Path, Card, Path, str], None]
    open: Callable[[Path, Settings], Session]
    kept: tuple[str, ...] = ()
    advice: Callable[[Path], tuple[str, ...]] = lambda path: ()
    instead: Engine | None = None
    tried: bool = True
    int8_helps: bool = True
    own: Callable[[Path], bool] = lambda path: True
    without_amx: tuple[tuple[str, str], ...] = ()
    zero_points: bool = True
    offered: bool = True
    arithmetic: str = ""

    def files(self, path: Path) -> tuple[Path, ...]:
        """A model's files, the one to open first."""
        return path, *(path.with_suffix(suffix) for suffix in self.beside)


def installed(name: str) -> str | None:
    """The version of an engine's package, or None. The package itself is not imported."""
    from importlib import metadata  # here: it brings the e-mail parser, for which no answer should wait

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def reason(err: Exception) -> str:
    """Why, in one line: without the places in the engine's own source ("….cpp:84:") that precede it."""
    text = " ".join(re.split(r"\S+\.cpp:\d+:", str(err))[-1].split())
    return text[:200].rstrip(". ")


def boxes_inside(title: str, engine: str, facts: Facts) -> EngineError | None:
    """Why a detector that makes its boxes inside the network cannot run, where an engine is only given others."""
    if facts.card is None or not facts.boxes:
        return None
    path = facts.path
    if facts.two_stages:
        return two_stages(title, path, facts.card.network)
    return EngineError(
        en=f"{path.name} makes its boxes inside the network, which {title} cannot. Export the checkpoint: qingzhou "
        f"export best.pth --engine {engine}. Or convert it in the other form: qingzhou convert best.pth --form raw",
        zh=f"{path.name} 在网络内部生成检测框，{title} 做不到。请直接导出权重文件："
        f"qingzhou export best.pth --engine {engine}；或转换成另一种形式：qingzhou convert best.pth --form raw",
    )


def bytes_inside(title: str, engine: str, facts: Facts) -> EngineError | None:
    """Why a network that takes uint8 cannot run where an engine is given float32 only."""
    if facts.card is None or facts.card.input.dtype == "float32":
        return None
    name = facts.path.name
    return EngineError(
        en=f"{name} takes pixels as uint8, which {title} is not given. Export the checkpoint: qingzhou export best.pth "
        f"--engine {engine}. Or convert it without --input uint8.",
        zh=f"{name} 的输入是 uint8 像素，{title} 不支持。请直接导出权重文件："
        f"qingzhou export best.pth --engine {engine}；或不带 --input uint8 重新转换。",
    )


def two_stages(title: str, path: Path, network: str) -> EngineError:
    """The error for a detector whose second stage an engine cannot run."""
    return EngineError(
        en=f"{path.name} is a two-stage detector ({network}), which {title} cannot run: its second stage needs boxes "
        "inside the network. Use onnxruntime or openvino, or train a one-stage detector (SSD_Lite, Yolov3).",
        zh=f"{path.name} 是两阶段检测网络（{network}），{title} 无法运行：第二阶段需要在网络内部得到候选框。"
        "请使用 onnxruntime 或 openvino，或改为训练单阶段检测网络（SSD_Lite、Yolov3）。",
    )


def zero_points(title: str, path: Path, target: str) -> EngineError:
    """The error for an INT8 model that has them, where an engine does not know them."""
    return EngineError(
        en=f"{path.name} is INT8 with zero points, which {title} does not know. Make another from the model before "
        f"that: qingzhou quantize best.onnx --data folder --target {target}",
        zh=f"{path.name} 是带零点的 INT8 模型，{title} 不支持。请用量化前的模型重新生成："
        f"qingzhou quantize best.onnx --data 文件夹 --target {target}",
    )


TENSORS = (
    " Or convert the original file once more with --set trees=tensors, in plain operators: larger and slower.",
    "也可以用 --set trees=tensors 重新转换原文件，只用普通算子（更大、更慢）。",
)


def only_cpu(title: str, settings: Settings) -> None:
    """OptionError for another device than the processor, of an engine that runs on that alone."""
    if settings.device.lower() not in ("", "cpu"):
        raise OptionError(
            en=f"{title} has no device {settings.device} here; it can be cpu. Leave it out.",
            zh=f"{title} 在这里没有设备 {settings.device}，只能是 cpu。可以不写。",
        )


def foreign(title: str, facts: Facts, domains: Collection[str]) -> EngineError | None:
    """Why a model with operators that are not ONNX's own cannot run, but for those of the domains that are known."""
    own = facts.file.functions > 0  # then operators are defined in the file itself
    nodes = (node for node in facts.file.graph.nodes if not own and node.domain not in ("", *domains))
    names = ", ".join(dict.fromkeys(f"{node.domain}.{node.op}"[:80] for node in nodes))
    return unknown_to(title, facts.path, names) if names else None


def needs_double(title: str, facts: Facts) -> EngineError | None:
    """Why an engine that has float32 alone would answer otherwise."""
    what = facts.doubles
    if not what:
        return None
    return EngineError(
        en=f"{facts.path.name} holds {what}, whose numbers lie closer together than float32 tells apart, and {title} "
        "computes in float32: its classes would be others. Use onnxruntime or numpy; or train it anew: trees "
        "without scaling before them, GaussianNB with scaled columns and a larger var_smoothing, sigmoid calibration.",
        zh=f"{facts.path.name} 中的 {what} 含有 float32 无法区分的数，而 {title} 只用 float32 计算，类别会出错。"
        "请使用 onnxruntime 或 numpy；或重新训练：决策树之前不做缩放，GaussianNB 先缩放各列并加大 var_smoothing，"
        "校准改用 sigmoid。",
    )


def unknown_to(title: str, path: Path, names: str) -> EngineError:
    """The error for a model with operations that an engine does not know; a forest can be written without them."""
    anew = ("", "") if "TreeEnsemble" not in names else TENSORS
    return EngineError(
        en=f"{title} cannot take {path.name}: it does not know {names}. Run the .onnx with onnxruntime, or choose "
        f"another engine.{anew[0]}",
        zh=f"{title} 无法使用 {path.name}：它不支持 {names}。请用 onnxruntime 运行 .onnx，或换一个引擎。{anew[1]}",
    )


def cannot_run(title: str, path: Path, err: Exception) -> EngineError:
    """The error for a model that an engine refuses."""
    return EngineError(
        en=f"{title} cannot take {path.name}: {reason(err)}. Run the .onnx with onnxruntime, or choose another engine.",
        zh=f"{title} 无法使用 {path.name}：{reason(err)}。请用 onnxruntime 运行 .onnx，或换一个引擎。",
    )
