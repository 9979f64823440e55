"""The scenes: what each is for, which constants stand at its top, and which models it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..errors import OptionError
from ..runtime.card import Card


@dataclass(frozen=True)
class Scene:
    """One scene.

    en, zh     what it does, in half a line
    constants  the names at the top of its program, in their order
    kinds      of model that it takes: of kind_of()
    """

    name: str
    en: str
    zh: str
    constants: tuple[str, ...]
    kinds: tuple[str, ...]


def kind_of(card: Card) -> str:
    """Which kind of model this is, for the programs: "image", "table" and "array" classify; "detect", "text", or
    "values" for all that answers with numbers."""
    if card.input.kind == "tokens":
        return "text"
    if card.task == "detection":
        return "detect"
    return card.input.kind if card.task == "classification" else "values"


def find(scene: str, card: Card) -> Scene:
    """The scene of this name; OptionError if there is none, or it is not for such a model."""
    if scene not in SCENES:
        raise OptionError(
            en=f"There is no scene {scene}; there are {', '.join(SCENES)}. Choose one of these.",
            zh=f"没有场景 {scene}，可选的有：{'、'.join(SCENES)}。请从中选择。",
        )
    found, kind = SCENES[scene], kind_of(card)
    if kind not in found.kinds:
        fitting = [name for name, other in SCENES.items() if kind in other.kinds]
        raise OptionError(
            en=f"The scene {scene} ({found.en}) takes models of the kind {', '.join(found.kinds)}; this model is "
            f"{kind}. Scenes for it: {', '.join(fitting)}.",
            zh=f"场景 {scene}（{found.zh}）适用的模型类型是 {'、'.join(found.kinds)}，而这个模型是 {kind}。"
            f"适合它的场景：{'、'.join(fitting)}。",
        )
    return found


_ALL = (
    Scene("basic", "a file, a folder or one sample", "一个文件、一个文件夹或一个样本", ("MODEL",),
          ("image", "detect", "table", "array", "text", "values")),
)  # fmt: skip
SCENES: Mapping[str, Scene] = MappingProxyType({scene.name: scene for scene in _ALL})
