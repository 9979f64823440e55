"""Options: what a user may ask of a conversion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral

from .errors import OptionError
from .nets.preprocess import read_preprocess
from .nets.recorded import Wanted
from .nets.said import read_said
from .nets.settings import Settings
from .spelling import option

OPSETS, IR_VERSIONS = range(11, 22), range(4, 11)
DEFAULT_OPSET, DEFAULT_IR = 13, 8
WAYS = ("float32", "uint8")  # in which a network takes pictures
HEADS = ("one2one", "one2many")  # of YOLOv10 and YOLO26


def _are_sides(size: object) -> bool:
    """Whether it is some positive whole numbers; not one number alone, not a text."""
    sides = list(size) if isinstance(size, Iterable) else []
    return bool(sides) and all(isinstance(n, Integral) and int(n) >= 1 for n in sides)


@dataclass(frozen=True)
class Options:
    """What a user may ask of a conversion; see convert(). Built once, where the user says it, and passed on whole."""

    labels: object = None
    input_size: Sequence[int] | None = None
    opset: int | None = None
    ir_version: int | None = None
    network: str | None = None
    check: bool = True
    xeduhub: bool = False
    form: str = "boxes"
    score_threshold: float | None = None
    iou_threshold: float | None = None
    max_detections: int | None = None
    preprocess: object = None
    details: object = ()
    input_type: str = "float32"
    head: str | None = None

    def refuse_impossible(self) -> None:
        """OptionError for a value that cannot be."""
        for name, value, allowed in (
            ("opset", self.written_opset, OPSETS),
            ("ir_version", self.written_ir, IR_VERSIONS),
        ):
            if value not in allowed:
                raise _not_allowed(name, value, f"{allowed[0]}", f"{allowed[-1]}")
        for name, share in (("score_threshold", self.score_threshold), ("iou_threshold", self.iou_threshold)):
            if share is not None and not 0 <= share <= 1:
                raise _not_allowed(name, share, "0", "1")
        if self.max_detections is not None and not 1 <= self.max_detections <= 10_000:
            raise _not_allowed("max_detections", self.max_detections, "1", "10000")
        if self.form not in ("boxes", "raw"):
            raise OptionError(
                en=f"{option('form')} is {self.form}; it can be boxes or raw.",
                zh=f"{option('form')} 的值是 {self.form}，应为 boxes 或 raw。",
            )
        if self.input_type not in WAYS:
            raise OptionError(
                en=f"{option('input_type')} is {self.input_type}; it can be {' or '.join(WAYS)}.",
                zh=f"{option('input_type')} 的值是 {self.input_type}，应为 {' 或 '.join(WAYS)}。",
            )
        if self.head not in (None, *HEADS):
            raise OptionError(
                en=f"{option('head')} is {self.head}; it can be {' or '.join(HEADS)}.",
                zh=f"{option('head')} 的值是 {self.head}，应为 {' 或 '.join(HEADS)}。",
            )
        if self.input_type == "uint8" and self.xeduhub:
            one, other = option("input_type", "uint8"), option("xeduhub")
            raise OptionError(
                en=f"{one} and {other} were both given, but the original XEduHub feeds float32. Leave one out.",
                zh=f"同时给了 {one} 和 {other}，而原版 XEduHub 输入的是 float32。请去掉一个。",
            )
        size = self.input_size
        if size is not None and not _are_sides(size):
            raise OptionError(
                en=f"{option('input_size')} is {size}; expected positive numbers such as 224,224 (height,width).",
                zh=f"{option('input_size')} 的值是 {size}，应为正整数，例如 224,224（高,宽）。",
            )

    @property
    def written_opset(self) -> int:
        """The opset of the file that is written."""
        return DEFAULT_OPSET if self.opset is None else self.opset

    @property
    def written_ir(self) -> int:
        """The IR version of the file that is written."""
        return DEFAULT_IR if self.ir_version is None else self.ir_version

    def refuse_rewriting(self) -> None:
        """OptionError for what would change a model that is ONNX already, and is adopted as it is."""
        given = {
            "xeduhub": self.xeduhub,
            "input_type": self.input_type != "float32",
            "form": self.form != "boxes",
            "network": self.network is not None,
            "details": bool(self.details),
        }
        for name in (name for name, is_given in given.items() if is_given):
            raise OptionError(
                en=f"{option(name)} changes how a network is written, but a file that is ONNX already is taken as it "
                "is. Leave it out.",
                zh=f"{option(name)} 会改变网络的写法，而已经是 ONNX 的文件会保持原样。请去掉这个选项。",
            )

    def refuse_those_of_detectors(self, title: str) -> None:
        """OptionError for options that mean nothing to the network that was found."""
        given = {
            "form": self.form != "boxes",
            "score_threshold": self.score_threshold is not None,
            "iou_threshold": self.iou_threshold is not None,
            "max_detections": self.max_detections is not None,
        }
        for name in (name for name, is_given in given.items() if is_given):
            raise OptionError(
                en=f"{option(name)} is for object detectors, but the file holds {title}. Leave it out.",
                zh=f"{option(name)} 只用于目标检测，而文件里是 {title}。请去掉这个选项。",
            )

    def refuse_head(self, title: str) -> None:
        """OptionError where one is chosen of a network that has no two."""
        if self.head is not None:
            raise OptionError(
                en=f"{option('head')} is for networks with two heads (YOLOv10, YOLO26), but the file holds {title}. "
                "Leave it out.",
                zh=f"{option('head')} 用于有两个检测头的网络（YOLOv10、YOLO26），而文件里是 {title}。请去掉这个选项。",
            )

    @property
    def wanted(self) -> Wanted:
        """What of it concerns the network; OptionError, FileMissing."""
        asked = read_preprocess(self.preprocess)
        size = None if self.input_size is None else tuple(self.input_size)
        said = asked and asked.size
        if said and size and (size[-2:][0], size[-1]) != said:
            one, other = option("input_size"), option("preprocess")
            raise OptionError(
                en=f"{one} is {list(size)}, but {other} ends at {list(said)}. Leave one of them out.",
                zh=f"{one} 的值是 {list(size)}，而 {other} 得到 {list(said)}。请只写其中一个。",
            )
        told = Settings(network=(self.network or "").strip().lower(), said=read_said(self.details))
        return Wanted(
            size or said or None,
            self.form,
            self.score_threshold,
            self.iou_threshold,
            self.max_detections,
            asked,
            settings=told,
            head=self.head,
        )


def _not_allowed(name: str, value: object, first: str, last: str) -> OptionError:
    return OptionError(
        en=f"{option(name)} is {value}; it can be {first} to {last}. Leave it out if in doubt.",
        zh=f"{option(name)} 的值是 {value}，应为 {first} 到 {last}。不确定时可以不写。",
    )
