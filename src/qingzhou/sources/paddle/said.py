"""What Paddle's suites write beside a model: how pictures are prepared, and what the classes are called.

inference.yml of PaddleClas, PaddleOCR and PaddleX (PreProcess, PostProcess), infer_cfg.yml of PaddleDetection
(Preprocess, label_list), deploy.yaml of PaddleSeg (Deploy); and lists of labels in files of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...errors import LabelError, ModelError, QingzhouError, say
from ...files.refusals import short
from ...labels import decode, read_labels
from ...nets.pictures import final_size, fitted
from ...nets.recorded import Wanted
from ...nets.settings import Picture
from ...runtime.model.card import Card
from ..network import Network
from ..packed import small
from ..recording.labels import numbered
from ..source import Opened
from .parts import Parts
from .refuse import refused


@dataclass(frozen=True)
class Said:
    """What is said; empty where nothing lies beside.

    place    the file that says it;  title: of the network;  picture: how pictures are prepared
    labels   of classes;  notes: what of it is not followed
    """

    place: str = ""
    title: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    picture: Picture = Picture()  # noqa: RUF009  # frozen
    labels: Sequence[str] | None = None
    notes: Sequence[str] = ()

    def sized(self, wanted: Wanted, dims: Sequence[int]) -> Wanted:
        """With the size of prepared pictures, where nobody asks for another and that of the network is free."""
        size = final_size(self.picture.steps)
        free = len(dims) == 4 and dims[2] < 0 and dims[3] < 0
        if wanted.input_size is not None or size is None or not free:
            return wanted
        return replace(wanted, input_size=tuple(size))

    def told(self, network: Network) -> Network:
        """The network with what is said of it."""
        card = network.card
        if card.input.kind == "image" and self.picture.steps:
            card = self._prepared(card)
        fits = self.labels is not None and len(self.labels) == network.classes and card.task == "classification"
        left = [] if self.labels is None or fits or card.task != "classification" else [self._other_labels(network)]
        card = replace(card, notes=[*card.notes, *left])
        return replace(network, card=card, named=list(self.labels) if fits and self.labels else network.named)

    def _prepared(self, card: Card) -> Card:
        entry, picture = card.input, self.picture
        steps, known = fitted(picture, entry.channels or 3)
        size, own = final_size(steps), list(entry.sides())
        if size is not None and None not in own and size != own:
            raise refused(
                f"{short(self.place)} beside it prepares pictures of {size[0]} x {size[1]}, and it takes "
                f"{own[0]} x {own[1]}",
                f"旁边的 {short(self.place)} 把图片处理成 {size[0]} x {size[1]}，而网络的输入是 {own[0]} x {own[1]}",
                "If that file is of another model, take it away; else export the network for its size, or set it "
                "right with --preprocess once it is away",
                "如果它属于另一个模型，请移走它；否则请按该尺寸重新导出，或移走后用 --preprocess 设置",
            )
        sizing = [step for step in entry.steps if step["op"] == "resize"] if size is None and None not in own else []
        whole = [*sizing, *(step for step in steps if size is not None or step["op"] == "normalize")]
        usual = [step for step in entry.steps if step["op"] == "normalize"]
        whole = whole if known and picture.values else [*(s for s in whole if s["op"] != "normalize"), *usual]
        color = "GRAY" if entry.channels == 1 else picture.color or entry.color
        found = {
            "resize": size is not None and picture.sizes,
            "normalize": known and picture.values,
            "color": picture.color is not None,
        }
        assumed = [name for name in card.assumed if not found.get(name)]
        return _checked(replace(card, input=replace(entry, steps=whole, color=color), assumed=assumed), card)

    def _other_labels(self, network: Network) -> str:
        count = len(self.labels or ())
        return say(
            en=f"The list of {count} labels beside it does not fit its {network.classes} answers, and was left out.",
            zh=f"旁边的标签有 {count} 个，与 {network.classes} 个输出不符，没有使用。",
        )


def _checked(card: Card, before: Card) -> Card:
    """The card, if it is one; else as it was, with a note."""
    try:
        Card.from_json(card.to_json())
    except ModelError:
        return replace(before, notes=[*before.notes, _unread("PreProcess")])
    return card


def _unread(name: str) -> str:
    return say(
        en=f"{short(name)} beside it could not be followed; how pictures are prepared is assumed.",
        zh=f"旁边的 {short(name)} 无法读取，图片的预处理方式为假设。",
    )


def said_of(opened: Opened, parts: Parts) -> Said:
    """All that lies beside; a file that cannot be read is told, and left out."""
    labels = _listed(opened, parts.labels)
    if not parts.settings:
        return Said(parts.labels, labels=labels)
    from ...files.yaml import LARGEST, read_yaml  # of most models nothing lies beside

    name = parts.settings.rpartition("/")[2]
    try:
        root = read_yaml(decode(small(opened, parts.settings, LARGEST)))
    except QingzhouError:
        return Said(name, labels=labels, notes=[_unread(name)])
    return _of(name, root if isinstance(root, Mapping) else {}, labels)


def _of(name: str, root: Mapping[Any, Any], labels: Sequence[str] | None) -> Said:
    from .pictures import Reading

    done = Reading()
    clas, det, seg = (_at(root, *path) for path in (("PreProcess", "transform_ops"), ("Preprocess",),
                                                    ("Deploy", "transforms")))  # fmt: skip
    for steps in (clas, det, seg):
        for step in steps if isinstance(steps, list) else []:
            done.read(step)
    title = _at(root, "Global", "model_name") or root.get("arch")
    own = _at(root, "PostProcess", "Topk", "label_list") or root.get("label_list")
    named = [str(one) for one in own] if isinstance(own, list) and own else None
    facts = {"model": short(title, 60)} if isinstance(title, str) and title else {}
    return Said(name, str(facts.get("model", "")), facts, done.picture(), named or labels, done.notes(name))


def _at(value: Any, *path: str) -> Any:
    """What lies there; None where nothing does."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _listed(opened: Opened, name: str) -> Sequence[str] | None:
    """A list of labels in a file of its own: one in each line, maybe with its number before it."""
    if not name:
        return None
    try:
        return list(read_labels(numbered(decode(small(opened, name, 1 << 20)))).names) or None
    except (LabelError, QingzhouError):
        return None
