"""A folder of pictures and a backbone in, one checked .onnx with its card out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..conversion import Conversion
from ..errors import OptionError, say
from ..evaluate.classify import wilson
from ..graph.count import macs, parameters
from ..graph.form import Array
from ..labels import Labels
from ..making import write_network
from ..options import Options
from ..progress import Tell, silent
from ..runtime.model.card import Output
from ..scenes import told_of
from ..sources.network import Network
from ..whole_file import made_for
from .backbone import Backbone, open_backbone
from .head import Head, fit
from .pictures import Pictures, Seen, look_at, pictures_in
from .taught import OUTPUT, with_head

UNKNOWN = ("unknown", "不认识")


@dataclass(frozen=True)
class Taught:
    """What was taught, and how well.

    conversion  the model, as of any conversion;  backbone: the file that the features come from
    pictures    of each class;  left: those that could not be read, with why
    right, interval   named rightly by heads that had not seen the picture, and Wilson's 95 % interval of that share
    confusion   (K, K + 1): a row for each class, what it was called by these heads; the last column is "unknown"
    stranger    share of a class that was not taught called unknown; None where that was not tried
    seconds     for the features, and for all of it
    """

    conversion: Conversion
    backbone: Path
    classes: Sequence[str]
    pictures: Sequence[int]
    left: Sequence[tuple[Path, Exception]]
    right: int
    confusion: Array
    stranger: float | None
    looked: float
    fitted: float
    seconds: float

    @property
    def count(self) -> int:
        """Pictures that were taught."""
        return sum(self.pictures)

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share that was named rightly."""
        return wilson(self.right, self.count)

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for --json."""
        return {
            **self.conversion.as_dict(),
            "source": str(self.backbone),
            "pictures": dict(zip(self.classes, self.pictures, strict=True)),
            "left_out": [str(path) for path, _ in self.left],
            "cross_validation": {
                "right": self.right,
                "judged": self.count,
                "accuracy": self.right / self.count,
                "interval": self.interval,
                "confusion": self.confusion.tolist(),
                "strangers_called_unknown": self.stranger,
            },
            "seconds": {"features": self.looked, "fit": self.fitted, "all": self.seconds},
        }


def teach(
    data: str | Path,
    backbone: str | Path,
    out: str | Path | None = None,
    *,
    unknown: bool = True,
    options: Options = Options(),  # noqa: B008  # frozen
    tell: Tell = silent,
) -> Taught:
    """Teach a model the classes of a folder: DATA/cat/*.jpg, DATA/dog/*.jpg.

    backbone  any classifier of pictures that can be converted, or an .onnx: its features are used, not its classes
    out       where the model goes; by default beside the data, called like them
    unknown   one more class, for what is far from all that was taught
    options   opset, ir_version, input_size and preprocess, as for a conversion

    Every user error is a QingzhouError; nothing half-written is left behind.

    >>> taught = teach("fruit", "mobilenet.onnx")
    >>> taught.conversion.model.predict("apple.jpg").label
    'apple'
    """
    start = time.perf_counter()
    options.refuse_impossible()
    pictures = pictures_in(Path(data))
    names = _names(pictures.classes, unknown)
    network = open_backbone(Path(backbone), options)
    place = Path(data).resolve()
    with made_for(Path(backbone), place.with_name(f"{place.name}.onnx") if out is None else out, ".onnx") as target:
        begun = time.perf_counter()
        seen = look_at(network, pictures, options.written_opset, options.written_ir, tell)
        looked = time.perf_counter() - begun
        tell(say("fitting", "拟合"))
        head = fit(seen.features, seen.truths, len(names) > len(pictures.classes))
        fitted = time.perf_counter() - begun - looked
        made = _network(network, head, names, pictures, seen)
        model, program, checks = write_network(made, options, network.file, network.file.digest_ahead(), target)
    counts = parameters(made.graph), macs(made.graph)
    seconds = time.perf_counter() - start
    told = told_of(model.path, program)
    conversion = Conversion(
        Path(backbone), model, program, *counts, options.written_opset, options.written_ir, checks, seconds, told
    )
    return Taught(
        conversion,
        Path(backbone),
        pictures.classes,
        np.bincount(seen.truths).tolist(),
        seen.left,
        head.right,
        _confusion(head, seen.truths, len(pictures.classes)),
        head.stranger,
        looked,
        fitted,
        seconds,
    )


def _names(classes: Sequence[str], unknown: bool) -> list[str]:
    """The labels: with one for what is unknown, unless a folder is called so. OptionError for one class alone."""
    if any(name.lower() in UNKNOWN for name in classes):
        unknown = False
    if len(classes) < 2 and not unknown:
        raise OptionError(
            en=f"There is one class, {classes[0]}, and nothing to tell it from. Add a folder of something else, or "
            "leave --no-unknown out.",
            zh=f"只有一个类别 {classes[0]}，没有可以区分的内容。请再加一个类别的文件夹，或去掉 --no-unknown。",
        )
    return [*classes, *([say(*UNKNOWN)] if unknown else [])]


def _network(backbone: Backbone, head: Head, names: Sequence[str], pictures: Pictures, seen: Seen) -> Network:
    """The backbone with the head, and a card that says who taught it what."""
    graph = with_head(backbone, head)
    before, shown, several = backbone.card, f"{len(seen.truths)}", "es" if len(pictures.classes) > 1 else ""
    note = say(
        en=f"Taught with {shown} pictures of {len(pictures.classes)} class{several}; the features are those of "
        f"{before.network}, whose own classes are forgotten.",
        zh=f"用 {shown} 张图片教了 {len(pictures.classes)} 个类别；特征来自 {before.network}，它原来的类别不再使用。",
    )
    card = replace(
        before,
        task="classification",
        output=Output(OUTPUT, "probabilities"),
        labels=[],
        vocabulary={},
        thresholds=None,
        decoding=None,
        sample=None,
        notes=[note, *backbone.notes],
        assumed=[name for name in before.assumed if name != "labels"],
        pictures=seen.looks,
        origin={
            **before.origin,
            "taught": {"pictures": len(seen.truths), "right": head.right, "shrinking": head.shrinking},
        },
    )
    heads = backbone.graph  # compared in its features: the drawn sample is "unknown", whatever else it is made
    return Network(graph, card, before.network, len(names), heads=heads).labelled(Labels(tuple(names)))


def _confusion(head: Head, truths: Array, classes: int) -> Array:
    found = np.zeros((classes, classes + 1), np.int64)
    np.add.at(found, (truths, head.named), 1)
    return found
