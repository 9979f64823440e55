"""The scenes: what each is for, which constants stand at its top, and which models it takes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from ..errors import OptionError
from ..runtime.model.card import Card


class Scene(NamedTuple):
    """One scene.

    en, zh     what it does, in half a line
    constants  the names at the top of its program, in their order
    kinds      of model that it takes, of kind_of(), whose inputs are of the kind `inputs`, of card.input.kind
    frames     in how many looks one after the other a thing must be seen before something happens
    """

    name: str
    en: str
    zh: str
    constants: tuple[str, ...]
    kinds: tuple[str, ...]
    inputs: tuple[str, ...]
    frames: int = 3

    @property
    def asks(self) -> bool:
        """Whether its model runs on another machine."""
        return "MODEL" not in self.constants

    @property
    def looks(self) -> bool:
        """Whether it gets one picture after another, in the simulator those of a folder."""
        return not {"CAMERA", "VIDEO"}.isdisjoint(self.constants) or self.name == "api"

    def takes(self, card: Card) -> bool:
        """Whether it can use such a model; sensors give rows of numbers, and no arrays of several."""
        rows = "SENSORS" not in self.constants or len(card.input.shape) == 2
        return kind_of(card) in self.kinds and card.input.kind in self.inputs and rows


def kind_of(card: Card) -> str:
    """Which kind of model this is, for the scenes, which take one class or several: card.kind without "named"."""
    return card.input.kind if card.kind == "named" else card.kind


def find(scene: str, card: Card) -> Scene:
    """The scene of this name; OptionError if there is none, or it is not for such a model."""
    if scene not in SCENES:
        raise OptionError(
            en=f"There is no scene {scene}; there are {', '.join(SCENES)}. Choose one of these.",
            zh=f"没有场景 {scene}，可选的有：{'、'.join(SCENES)}。请从中选择。",
        )
    found = SCENES[scene]
    if scene != "basic":
        refuse_several(card)
    if not found.takes(card):
        fitting = [name for name, other in SCENES.items() if other.takes(card)]
        raise OptionError(
            en=f"The scene {scene} ({found.en}) takes {' or '.join(found.inputs)} models for {', '.join(found.kinds)}; "
            f"this one is for {card.task} of {card.input.kind} {_sizes(card)}. Scenes for it: {', '.join(fitting)}.",
            zh=f"场景 {scene}（{found.zh}）适用于输入为 {'、'.join(found.inputs)}、用途为 {'、'.join(found.kinds)} "
            f"的模型，而这个模型的任务是 {card.task}，输入是 {card.input.kind} {_sizes(card)}。"
            f"适合它的场景：{'、'.join(fitting)}。",
        )
    return found


def refuse_several(card: Card) -> None:
    """OptionError for a model that takes several inputs at once: programs and pages have one thing at a time."""
    if card.others:
        names = ", ".join(entry.name for entry in card.inputs)
        raise OptionError(
            en=f"The model takes {len(card.inputs)} inputs at once ({names}), and our programs have one thing at a "
            "time. Ask it from Python: load(path).predict({name: data, …})",
            zh=f"这个模型一次需要 {len(card.inputs)} 个输入（{names}），而生成的程序一次只有一个。"
            "请在 Python 里使用：load(path).predict({名称: 数据, …})",
        )


def _sizes(card: Card) -> str:
    """Of one input: "3 x 224 x 224"."""
    return " x ".join(str(size or "N") for size in card.input.shape[1:])


_PICTURES = ("image", "detect", "values")
_ALL = (
    Scene("basic", "a file, a folder or one sample", "一个文件、一个文件夹或一个样本", ("MODEL",),
          ("image", "detect", "table", "array", "text", "values"), ("image", "table", "array", "tokens")),
    Scene("camera", "live recognition by a camera", "摄像头实时识别",
          ("MODEL", "CAMERA", "SIZE", "FULL_SCREEN", "ROTATE", "RULES"), _PICTURES, ("image",)),
    Scene("video", "a video, picture by picture, into a table", "逐帧识别视频，结果存成表格",
          ("MODEL", "VIDEO", "RESULT", "ROTATE", "RULES"), _PICTURES, ("image",)),
    Scene("web", "a page with the live picture and the result", "带实时画面和结果的网页",
          ("MODEL", "CAMERA", "SIZE", "PORT", "RULES"), _PICTURES, ("image",)),
    Scene("api", "answers pictures that other boards send", "识别其他设备发来的图片", ("MODEL", "PORT", "RULES"),
          _PICTURES, ("image",), frames=1),  # pictures of many boards, which have nothing to do with each other
    Scene("ask", "the camera here, the model on a stronger machine", "摄像头在这里，模型在更强的机器上",
          ("SERVER", "CAMERA", "SIZE", "FULL_SCREEN", "ROTATE", "RULES"), _PICTURES, ("image",)),
    Scene("listen", "sounds from the microphone", "识别麦克风听到的声音",
          ("MODEL", "SOUND", "SECONDS", "QUIET", "RULES"), ("image", "values"), ("image",),
          frames=1),  # a word is in the middle once or twice
    Scene("cascade", "a detector, and a classifier for each thing it finds", "先检测，再对每个目标分类",
          ("MODEL", "SECOND", "FIND", "CAMERA", "SIZE", "FULL_SCREEN", "ROTATE", "RULES"), ("detect",), ("image",)),
    Scene("sensor", "a row of numbers from sensors, again and again", "不断读取传感器的一行数值",
          ("MODEL", "SENSORS", "SECONDS", "RULES"), ("table", "array", "values"), ("table", "array"),
          frames=1),  # a row comes when the sensors have settled
)  # fmt: skip
SCENES: Mapping[str, Scene] = MappingProxyType({scene.name: scene for scene in _ALL})
