"""Cards for .onnx files that the original MMEdu and BaseNN exported: what their metadata say, parsed, never evaluated.

The originals record no pre-processing, so it is that of their training (MMEdu 0.1.28's test pipelines by model name;
BaseNN 2.0 reads pictures with OpenCV as BGR and divides by 255).
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...errors import LabelError, ModelError, QingzhouError, say
from ...labels import read_labels, wrong_number
from ...nets.architecture import imagenet_input
from ...nets.lenet import grey_input
from ...nets.names import parse_name
from ...nets.pictures import MEAN, STD
from ...runtime.model.card import Card, Input, Output

LONGEST = 1 << 20  # characters of metadata that are parsed
KINDS = {"img": "image", "tab": "table", "npz": "array", "other": "array"}


@dataclass(frozen=True)
class Port:
    """The name and shape of a network's input or output; a free size is None."""

    name: str
    shape: tuple[int | None, ...]


def original_card(metadata: Mapping[str, str], entry: Port, out: Port) -> Card:
    """The card that an original export would have had; ModelError if it comes from neither tool."""
    if "MODEL_INFO" in metadata:
        return _mmedu(_model_info(metadata["MODEL_INFO"]), entry, out)
    if "input_size" in metadata and "dataset_type" in metadata:
        return _basenn(metadata, entry, out)
    raise ModelError(
        en="The .onnx file has neither Qingzhou's card nor the metadata of MMEdu or BaseNN, so it is not known how to "
        "feed it. Convert the checkpoint with Qingzhou, or use Workflow(task='custom') with your own preprocess.",
        zh="这个 .onnx 文件里既没有轻舟的说明卡，也没有 MMEdu 或 BaseNN 的信息，无法知道如何处理输入。"
        "请用轻舟重新转换权重文件，或用 Workflow(task='custom') 并自己写 preprocess。",
    )


def _mmedu(info: Mapping[str, Any], entry: Port, out: Port) -> Card:
    codebase = info.get("codebase", "MMCls")
    if codebase == "MMDet":
        return _mmdet(info, entry, out)
    if codebase != "MMCls":
        raise QingzhouError(
            en=f"This model was made with {codebase}; classification (MMCls) and detection (MMDet) can be run here. "
            "Use the original XEduHub for it.",
            zh=f"这个模型来自 {codebase}，这里只能运行图像分类（MMCls）和目标检测（MMDet）模型。请使用原版 XEduHub。",
        )
    title = str(info.get("modelname") or "")
    name, classes = parse_name(title), info.get("classes")
    labels, notes = _labels(classes, out.shape[-1] if out.shape else None)
    notes += [] if name else [_unnamed(title)]
    found = mmedu_input(name.family if name else "")
    shape = list(entry.shape) if len(entry.shape) == 4 else found.shape
    network = replace(found, name=entry.name, shape=shape)
    return Card(
        "classification", title or "?", "MMEdu", network, Output(out.name, "probabilities"), labels, notes=notes
    )


def _mmdet(info: Mapping[str, Any], entry: Port, out: Port) -> Card:
    """A detector as MMEdu exported it: dets and labels, and a fixed input, in which pictures keep their ratio."""
    title, classes = str(info.get("modelname") or ""), info.get("classes")
    if len(entry.shape) != 4 or None in entry.shape[1:] or out.name != "dets":
        raise _damaged("MODEL_INFO", title)
    size = [n or 1 for n in entry.shape[2:]]
    fit = "size" if title == "SSD_Lite" else "inside"  # SSD is trained on squashed pictures
    steps: list[dict[str, Any]] = [
        {"op": "resize", fit: size, "interpolation": "cv2"},
        {"op": "normalize", "mean": MEAN, "std": STD},
        *([] if fit == "size" else [{"op": "pad_to", "size": size}]),
    ]
    network = Input(entry.name, "image", list(entry.shape), "RGB", steps)
    labels, notes = _labels(classes, None)
    return Card(
        "detection",
        title or "?",
        "MMEdu",
        network,
        Output(out.name, "boxes"),
        labels,
        notes=notes,
        thresholds={"score": 0.0, "iou": 0.5, "most": out.shape[1] or 100},
    )


def _labels(classes: object, outputs: int | None) -> tuple[list[str], list[str]]:
    """The names in MODEL_INFO and notes on them; a list is kept where it does not fit the network, other forms not."""
    try:
        labels = read_labels(classes)
    except LabelError as err:
        return [], [str(err)]
    names, notes = list(labels.names), list(labels.notes)
    if names and outputs not in (None, len(names)):
        return names if isinstance(classes, list) else [], [*notes, str(wrong_number(names, outputs or 0))]
    return names, notes


def mmedu_input(family: str) -> Input:
    """How MMEdu prepares pictures for a family of networks."""
    if family == "LeNet":
        return grey_input()
    cv2 = family in ("ResNet", "RegNet")
    return imagenet_input("cv2" if cv2 else "pillow", bgr=family == "RegNet")


def _unnamed(title: str) -> str:
    return say(
        en=f"The file calls its network {title!r}, which is not known; pictures are prepared as for most of MMEdu's "
        "networks. Converting the checkpoint with Qingzhou records what is right.",
        zh=f"文件里的网络名称是 {title!r}，轻舟不认识；图片按 MMEdu 大多数网络的方式处理。"
        "用轻舟重新转换权重文件，就会记录正确的处理方式。",
    )


def _model_info(text: str) -> dict[str, Any]:
    """MODEL_INFO as the original reads it: JSON, its escapes doubled in some versions."""
    for form in (text, text.encode("ascii", "backslashreplace").decode("unicode_escape", "replace")):
        try:
            info = json.loads(form) if len(text) <= LONGEST else None
        except (ValueError, RecursionError):
            continue
        if isinstance(info, dict):
            return info
    raise _damaged("MODEL_INFO", text)


def _basenn(metadata: Mapping[str, str], entry: Port, out: Port) -> Card:
    shape, kind = _input_size(metadata["input_size"]), KINDS.get(metadata["dataset_type"])
    vocabulary = _vocabulary(metadata["word2idx"]) if "word2idx" in metadata else {}
    if kind is None:
        raise _damaged("dataset_type", metadata["dataset_type"])
    network = Input(entry.name, "tokens" if vocabulary else kind, [None, *shape[1:]])
    notes: list[str] = []
    if kind == "image" and len(shape) == 4:
        network, notes = _picture(network, shape), [_untransformed()]
    task = "generation" if vocabulary else "classification"
    return Card(task, "Sequential", "BaseNN", network, Output(out.name, "values"), [], vocabulary, notes=notes)


def _picture(entry: Input, shape: Sequence[int]) -> Input:
    """BaseNN's pictures: OpenCV's BGR or grey, resized to the input, divided by 255."""
    channels, size = shape[1], list(shape[2:])
    steps = [
        {"op": "resize", "size": size, "interpolation": "cv2"},
        {"op": "normalize", "mean": [0.0] * channels, "std": [255.0] * channels},
    ]
    return replace(entry, shape=[1, channels, *size], color="GRAY" if channels == 1 else "BGR", steps=steps)


def _untransformed() -> str:
    return say(
        en="This file does not record the transform it was trained with; only the division by 255 is done. "
        "Converting the checkpoint with Qingzhou records all of it.",
        zh="这个文件没有记录训练时的 transform，只做除以 255 的处理。用轻舟重新转换权重文件，就会全部记录下来。",
    )


def _input_size(text: str) -> list[int]:
    """A list of sizes from "[1, 3, 20, 20]"."""
    value = _literal("input_size", text)
    sizes = list(value) if isinstance(value, (list, tuple)) else []
    if not sizes or not all(type(n) is int and 0 < n < 1 << 31 for n in sizes):
        raise _damaged("input_size", text)
    return sizes


def _vocabulary(text: str) -> dict[str, int]:
    value = _literal("word2idx", text)
    if not isinstance(value, dict) or not all(isinstance(k, str) and type(n) is int for k, n in value.items()):
        raise _damaged("word2idx", text)
    return value


def _literal(field: str, text: str) -> object:
    """A Python literal, and nothing that could run."""
    try:
        if len(text) <= LONGEST:
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        pass
    raise _damaged(field, text)


def _damaged(field: str, text: str) -> ModelError:
    return ModelError(
        en=f"The model's metadata {field} is {text[:60]!r}, which is damaged or not of MMEdu or BaseNN. "
        "Convert the checkpoint again.",
        zh=f"模型里的 {field} 是 {text[:60]!r}，已损坏，或不是 MMEdu、BaseNN 写的。请重新转换权重文件。",
    )
