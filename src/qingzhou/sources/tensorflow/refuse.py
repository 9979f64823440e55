"""What cannot be done with TensorFlow's own files, and the ways out."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from ...errors import ExtraMissing, QingzhouError, UnsupportedCheckpoint
from ...files.refusals import short
from ...runtime.errors import spaced
from ..recording.words import Words
from .parts import Parts

PACKAGES = ("tensorflow", "tf2onnx")
INSTALL = 'pip install "qingzhou[tensorflow]"'
KERAS = "model.save('model.keras')"
TFLITE = "open('model.tflite', 'wb').write(tf.lite.TFLiteConverter.from_saved_model('{}').convert())"
OTHER_EN = f"Save the model itself in the program that made it, with {KERAS}, and convert that"
OTHER_ZH = f"请在原程序中用 {KERAS} 保存模型本身，再转换该文件"

WORDS = Words(
    expected=(
        "A SavedModel whose signature takes and gives plain tensors was expected",
        "需要签名的输入输出均为普通张量的 SavedModel",
    ),
    todo=(OTHER_EN, OTHER_ZH),
    whole=("A file as TensorFlow writes it was expected", "需要由 TensorFlow 写出的完整文件"),
    again=("Copy the whole folder again, or save the model again", "请重新复制整个文件夹，或重新保存模型"),
    sized=("The model was saved for inputs of {}", "模型保存时的输入尺寸是 {}"),
    other_size=("Leave it out, or save the model for that size", "请去掉这个选项，或按该尺寸重新保存模型"),
    batch=(
        "The batch is fixed at {}, as the model was saved",
        "批量大小固定为 {}（保存模型时如此）",
    ),
)


def told(parts: Parts) -> tuple[str, str]:
    """What it holds, in one sentence."""
    shown = "; ".join(
        f"{short(name, 40)}: {one}" if name else str(one) for name, one in list(parts.signatures.items())[:3]
    )
    layers_en = f", {len(parts.keras)} Keras layers ({', '.join(parts.keras[:3])} …)" if parts.keras else ""
    layers_zh = f"，{len(parts.keras)} 个 Keras 层（{'、'.join(parts.keras[:3])}……）" if parts.keras else ""
    return (
        f"a {parts.container} of {parts.tool} with {len(parts.nodes)} operators{layers_en}; {shown or 'no signature'}",
        f"{parts.tool} 的 {parts.container}，共 {len(parts.nodes)} 个算子{spaced(layers_zh)}；{shown or '没有签名'}",
    )


def missing(parts: Parts, folder: str, packages: str) -> ExtraMissing:
    """TensorFlow is not installed: what the file is, and the two ways out."""
    en, zh = told(parts)
    lite = "" if parts.frozen else f", or with {TFLITE.format(folder)}"
    lite_zh = "" if parts.frozen else f"，或用 {TFLITE.format(folder)}"
    return ExtraMissing(
        en=f"It holds {en}. That is a program for TensorFlow, and holds no layers that could be read without it; "
        f"{packages} must be installed for that. Two ways out: where the model was made, save it as a file of layers, "
        f"with {KERAS} (.h5 will do){lite}, and convert that. Or let TensorFlow itself run and convert this one, in a "
        f"process of its own, if you trust the file: {INSTALL}",
        zh=f"文件里是{spaced(zh)}。它是供 TensorFlow 运行的程序，没有可以直接读取的层；为此需要安装 {packages}。"
        f"有两个办法：在制作模型的地方用 {KERAS}（也可以是 .h5）把它保存为由层组成的文件{spaced(lite_zh)}，"
        f"再转换该文件；"
        f"如果信任这个文件，也可以让 TensorFlow 在独立的进程中运行并转换它：{INSTALL}",
    )


def away() -> list[str]:
    """The packages of the extra that are not installed."""
    return [name for name in PACKAGES if getattr(find_spec(name), "origin", None) is None]  # a folder has none


def unseen(parts: Parts, path: Path) -> QingzhouError:
    """Why no more is said without running it, which only a conversion does."""
    lacking = away()
    if lacking:
        return missing(parts, path.stem or "folder", " and ".join(lacking))
    en, zh = told(parts)
    return UnsupportedCheckpoint(
        en=f"It holds {en}. Which network that is, is known when TensorFlow has run it, which is not done to look at "
        "it. Convert it, if you trust the file: qingzhou convert",
        zh=f"文件里是{spaced(zh)}。只有 TensorFlow 运行之后才知道是什么网络，查看时不会运行。"
        "如果信任这个文件，请用 qingzhou convert 转换",
    )


def failed(en: str, zh: str, todo_en: str = "", todo_zh: str = "") -> UnsupportedCheckpoint:
    """What happened in the isolated process; nothing was written."""
    return UnsupportedCheckpoint(
        en=f"TensorFlow was asked to convert the file in a process of its own, but {en}. An ONNX file that answers as "
        f"the original does was expected; nothing was written. {todo_en or OTHER_EN}.",
        zh=f"已在独立的进程中请 TensorFlow 转换，但{spaced(zh)}。结果必须与原模型的输出一致；没有写出任何文件。"
        f"{todo_zh or OTHER_ZH}。",
    )
