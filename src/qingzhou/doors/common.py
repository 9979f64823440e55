"""What the doors share: the conversion with the originals' arguments, hints, and what Qingzhou does not do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from ..errors import CheckpointMissing, OptionError, QingzhouError, say
from ..model import Model
from ..runtime.text import line, lines

OUT_FILE = "convert_model.onnx"  # both originals write there unless told otherwise
OLDEST_OPSET = 11  # BaseNN's own default is 10


@dataclass(frozen=True)
class Request:
    """The arguments of a convert() call, in the originals' words."""

    checkpoint: Any
    out_file: Any
    backend: Any
    opset_version: int | None
    ir_version: int | None
    network: str | None = None
    class_path: Any = None


def tell(text: str) -> None:
    """Print, also where the console has no Chinese: what it cannot show becomes a question mark."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(lines(text).encode(encoding, "replace").decode(encoding))


def hint(en: str, zh: str) -> None:
    """Tell the user something that is not an error."""
    tell(line(say(en=f"[Qingzhou] {en}", zh=f"【轻舟】{zh}")))


def convert_checkpoint(request: Request, extra: Mapping[str, Any]) -> Model:
    """Convert as the originals' convert() was asked to; prints hints, and where the model went."""
    import qingzhou

    checkpoint, out_file = _checkpoint(request.checkpoint, extra), _out_file(request)
    asked = {
        "opset": _opset(request.opset_version),
        "ir_version": request.ir_version,
        "labels": request.class_path,
    }
    given: dict[str, Any] = {key: value for key, value in asked.items() if value is not None}
    model = qingzhou.convert(checkpoint, out_file, network=request.network, **given)
    for note in model.card.notes:
        hint(note, note)
    tell(line(say(en=f"Successfully exported ONNX model: {model.path}", zh=f"成功导出 ONNX 模型：{model.path}")))
    return model


def _checkpoint(given: Any, extra: Mapping[str, Any]) -> str | Path:
    """The checkpoint's path, also under a misspelt name such as `checkppint`."""
    extra = dict(extra)
    for name in get_close_matches("checkpoint", extra, n=1, cutoff=0.8) if given is None else ():
        given = extra.pop(name)
        hint(
            en=f"the parameter is called checkpoint, not {name}; it was understood all the same.",
            zh=f"参数名应为 checkpoint，您写的是 {name}，已按 checkpoint 处理。",
        )
    refuse_unknown(extra, ("checkpoint", "out_file", "backend", "opset_version", "ir_version"))
    if isinstance(given, (str, Path)) and str(given):
        return given
    raise CheckpointMissing(
        en=f"checkpoint is {given!r}; expected the path of a .pth file. Write convert(checkpoint='best.pth', ...).",
        zh=f"checkpoint 的值是 {given!r}，应为 .pth 权重文件的路径。请写成 convert(checkpoint='best.pth', ...)。",
    )


def _out_file(request: Request) -> str | Path:
    """The path to write; a path given where the backend belongs (the second argument) is taken as the path."""
    backend, out_file = request.backend, request.out_file
    if _is_onnx(backend):
        return out_file if isinstance(out_file, Path) else str(out_file or OUT_FILE)
    if _looks_like_path(backend) and (out_file == OUT_FILE or _is_onnx(out_file)):
        hint(
            en=f"{str(backend)!r} stands where the backend belongs; it was taken as out_file. "
            "Write convert(checkpoint=..., out_file=...).",
            zh=f"{str(backend)!r} 写在了 backend 的位置，已作为 out_file 处理。"
            "请写成 convert(checkpoint=..., out_file=...)。",
        )
        return backend if isinstance(backend, Path) else str(backend)
    raise OptionError(
        en=f"backend is {backend!r}; only 'ONNX' is supported. Leave backend out.",
        zh=f"backend 的值是 {backend!r}，目前只支持 'ONNX'。可以不写 backend。",
    )


def _is_onnx(backend: Any) -> bool:
    return backend is None or (isinstance(backend, str) and backend.strip().lower() == "onnx")


def _looks_like_path(value: Any) -> bool:
    return isinstance(value, Path) or (isinstance(value, str) and any(mark in value for mark in "./\\"))


def _opset(asked: int | None) -> int | None:
    """The opset asked for; 9 and 10, which old lessons name, become the oldest that Qingzhou writes."""
    if asked not in (9, 10):
        return asked
    hint(
        en=f"opset_version={asked} is older than Qingzhou writes; {OLDEST_OPSET} is used and runs in the same places.",
        zh=f"轻舟不再生成 opset_version={asked}，已改用 {OLDEST_OPSET}，能在同样的设备上运行。",
    )
    return OLDEST_OPSET


def refuse_unknown(extra: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """OptionError (-501) for a parameter that does not exist, with the nearest one that does."""
    for name in extra:
        near = (get_close_matches(name, known, n=1) or known[:1])[0]
        raise OptionError(
            en=f"There is no parameter {name}; expected {', '.join(known)}. Did you mean {near}?",
            zh=f"没有参数 {name}，可用的参数有：{'、'.join(known)}。您想写的是 {near} 吗？",
        )


def trains_not(tool: str, name: str) -> Callable[..., NoReturn]:
    """A method of the original that belongs to training: it says that Qingzhou converts."""

    def method(self: object, *args: Any, **kwargs: Any) -> NoReturn:
        raise QingzhouError(
            en=f"{name}() belongs to training, but this is Qingzhou's {tool}: it converts trained models and does not "
            f"train yet. Train where the original {tool} is installed, then convert the .pth file here.",
            zh=f"{name}() 是训练用的，而这里是轻舟提供的 {tool}：只转换训练好的模型，暂不支持训练。"
            f"请在安装了原版 {tool} 的电脑上训练，再在这里转换得到的 .pth 文件。",
        )

    method.__name__ = name
    return method


def infers_not(tool: str, name: str, task: str) -> Callable[..., NoReturn]:
    """A method of the original that runs a .pth: here the model is converted first, and run by the Workflow."""

    def method(self: object, *args: Any, **kwargs: Any) -> NoReturn:
        raise QingzhouError(
            en=f"{name}() runs a .pth file, but this is Qingzhou's {tool}, which expects a converted model. "
            f"First convert(checkpoint=..., out_file='best.onnx'), then "
            f"Workflow(task='{task}', checkpoint='best.onnx').inference(data=...).",
            zh=f"{name}() 直接运行 .pth 文件，而轻舟的 {tool} 使用转换后的模型。"
            f"请先 convert(checkpoint=..., out_file='best.onnx')，再用 "
            f"Workflow(task='{task}', checkpoint='best.onnx').inference(data=...)。",
        )

    method.__name__ = name
    return method


def pth_info(checkpoint: str | Path) -> None:
    """Print what a .pth file says of its training."""
    from ..sources.torch.container import read_checkpoint

    meta = dict(read_checkpoint(Path(checkpoint)).meta)
    tell(line(say(en=f"{checkpoint} says:", zh=f"{checkpoint} 相关信息如下：")))
    print(rule := "=" * (len(str(checkpoint)) + 9))
    first = [key for key in ("tool", "backbone", "device") if key in meta]
    for key in [*first, *(key for key in meta if key not in first)]:
        tell(line(f"{key} : {_short(meta[key])}"))
    print(rule)


def _short(value: object) -> str:
    """A value on one line; a long vocabulary is cut."""
    text = str(value)
    return text if len(text) <= 300 else text[:300] + "…"
