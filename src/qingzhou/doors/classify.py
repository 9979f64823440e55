"""MMEdu's classes MMClassification and MMDetection, as far as converting goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from ..errors import ArchitectureMismatch
from ..model import Model
from ..nets.names import BACKBONES, DETECTORS, parse_name
from .common import OUT_FILE, Request, convert_checkpoint, hint, infers_not, pth_info, refuse_unknown, trains_not

__all__ = ["MMClassification", "MMDetection", "pth_info"]


class _Converter:
    """What both have: a network's name, and convert()."""

    names: ClassVar[tuple[str, ...]]  # of the networks of this class
    others: ClassVar[tuple[str, str]]  # the other class, and the usual name in lessons

    def __init__(
        self, backbone: str | None = None, num_classes: int = -1, dataset_path: str | None = None, **kwargs: Any
    ) -> None:
        """`backbone`: a name from sota(), or a config path; left out, the file decides."""
        refuse_unknown(kwargs, ("backbone", "num_classes", "dataset_path"))
        self.backbone, self.num_classes, self.dataset_path = self._known(backbone), num_classes, dataset_path

    @classmethod
    def sota(cls) -> list[str]:
        """The networks that can be converted."""
        return list(cls.names)

    def convert(
        self,
        checkpoint: str | Path | None = None,
        backend: Any = "ONNX",
        out_file: str | Path = OUT_FILE,
        opset_version: int | None = None,
        ir_version: int | None = None,
        class_path: Any = None,
        **kwargs: Any,
    ) -> Model:
        """Write `out_file` and a program beside it; ArchitectureMismatch if the file holds another backbone.

        class_path  a file with the class names, or the names; by default those in the checkpoint
        """
        kwargs.pop("device", None)  # the original detector's; nothing is run on a device here
        request = Request(checkpoint, out_file, backend, opset_version, ir_version, self.backbone, class_path)
        model = convert_checkpoint(request, kwargs)
        found = len(model.card.labels)
        if self.num_classes not in (-1, found):
            hint(
                en=f"num_classes={self.num_classes}, but the file has {found} classes; those of the file were used.",
                zh=f"num_classes={self.num_classes}，但文件里有 {found} 个类别，已以文件为准。",
            )
        return model

    @classmethod
    def _known(cls, backbone: object) -> str | None:
        """The name, if it is one of this class; ArchitectureMismatch at once for any other, as in the original."""
        if backbone is None:
            return None
        name = parse_name(backbone) if isinstance(backbone, str) else None
        if name is None or not isinstance(backbone, str):
            raise _unknown(backbone, cls.names)
        if (name.family in DETECTORS) != (cls.names is DETECTORS):
            raise _other_class(backbone, *cls.others)
        return backbone

    train = trains_not("MMEdu", "train")
    load_dataset = trains_not("MMEdu", "load_dataset")
    load_checkpoint = infers_not("MMEdu", "load_checkpoint", "mmedu")
    inference = infers_not("MMEdu", "inference", "mmedu")
    fast_inference = infers_not("MMEdu", "fast_inference", "mmedu")
    print_result = infers_not("MMEdu", "print_result", "mmedu")


class MMClassification(_Converter):
    """MMEdu's picture classifier, as far as converting goes.

    >>> from MMEdu import MMClassification as cls
    >>> model = cls(backbone="MobileNet")
    >>> model.convert(checkpoint="best.pth", out_file="cats.onnx")
    """

    names = BACKBONES
    others = ("MMDetection", "det")


class MMDetection(_Converter):
    """MMEdu's object detector, as far as converting goes.

    >>> from MMEdu import MMDetection as det
    >>> model = det(backbone="SSD_Lite")
    >>> model.convert(checkpoint="best.pth", out_file="cars.onnx")
    """

    names = DETECTORS
    others = ("MMClassification", "cls")


def _unknown(backbone: object, names: tuple[str, ...]) -> ArchitectureMismatch:
    known = ", ".join(names)
    return ArchitectureMismatch(
        en=f"backbone={backbone!r} is no network that Qingzhou knows; expected one of {known}. "
        "If you are not sure, leave backbone out: the file says what it holds.",
        zh=f"backbone={backbone!r} 不是轻舟认识的网络，应为 {known} 之一。不确定时可以不写 backbone，文件里有记录。",
    )


def _other_class(backbone: str, right: str, short: str) -> ArchitectureMismatch:
    return ArchitectureMismatch(
        en=f"backbone={backbone!r} belongs to {right}. Write: from MMEdu import {right} as {short}; "
        f"{short}(backbone={backbone!r}).convert(...)",
        zh=f"backbone={backbone!r} 属于 {right}。请写成：from MMEdu import {right} as {short}；"
        f"{short}(backbone={backbone!r}).convert(...)",
    )
