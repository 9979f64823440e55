"""MMEdu's classes: MMClassification converts; MMDetection comes later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import ArchitectureMismatch, QingzhouError
from ..model import Model
from ..nets.names import BACKBONES, parse_name
from .common import OUT_FILE, Request, convert_checkpoint, hint, infers_not, pth_info, refuse_unknown, trains_not

__all__ = ["MMClassification", "MMDetection", "pth_info"]

DETECTORS = ("SSD_Lite", "FasterRCNN", "Mask_RCNN", "Yolov3")


class MMClassification:
    """MMEdu's picture classifier, as far as converting goes.

    >>> from MMEdu import MMClassification as cls
    >>> model = cls(backbone="MobileNet")
    >>> model.convert(checkpoint="best.pth", out_file="cats.onnx")
    """

    def __init__(
        self, backbone: str | None = None, num_classes: int = -1, dataset_path: str | None = None, **kwargs: Any
    ) -> None:
        """`backbone`: a name from sota(), or an mmcls config path; left out, the file decides."""
        refuse_unknown(kwargs, ("backbone", "num_classes", "dataset_path"))
        if backbone is not None:
            _check_known(backbone)
        self.backbone, self.num_classes, self.dataset_path = backbone, num_classes, dataset_path

    @staticmethod
    def sota() -> list[str]:
        """The networks that can be converted."""
        return list(BACKBONES)

    def convert(
        self, checkpoint: str | Path | None = None, backend: Any = "ONNX", out_file: str | Path = OUT_FILE,
        opset_version: int | None = None, ir_version: int | None = None, **kwargs: Any,
    ) -> Model:  # fmt: skip
        """Write `out_file` and a program beside it; ArchitectureMismatch if the file holds another backbone."""
        request = Request(checkpoint, out_file, backend, opset_version, ir_version, self.backbone)
        model = convert_checkpoint(request, kwargs)
        found = len(model.card.labels)
        if self.num_classes not in (-1, found):
            hint(
                en=f"num_classes={self.num_classes}, but the file has {found} classes; those of the file were used.",
                zh=f"num_classes={self.num_classes}，但文件里有 {found} 个类别，已以文件为准。",
            )
        return model

    train = trains_not("MMEdu", "train")
    load_dataset = trains_not("MMEdu", "load_dataset")
    load_checkpoint = infers_not("MMEdu", "load_checkpoint", "mmedu")
    inference = infers_not("MMEdu", "inference", "mmedu")
    fast_inference = infers_not("MMEdu", "fast_inference", "mmedu")
    print_result = infers_not("MMEdu", "print_result", "mmedu")


class MMDetection:
    """MMEdu's object detector: not in this version."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise _no_detection()

    @staticmethod
    def sota() -> list[str]:
        """The detectors that can be converted: none yet."""
        raise _no_detection()


def _no_detection() -> QingzhouError:
    return QingzhouError(
        en="MMDetection was called, but this version of Qingzhou converts classification models only; detection comes "
        "in a later version. Until then convert detectors with the original MMEdu.",
        zh="您使用了 MMDetection，但这个版本的轻舟只能转换图像分类模型；目标检测会在以后的版本提供。"
        "在此之前请用原版 MMEdu 转换检测模型。",
    )


def _check_known(backbone: object) -> None:
    """ArchitectureMismatch for a name that no network has, at once as in the original."""
    if isinstance(backbone, str) and backbone in DETECTORS:
        raise _no_detection()
    if not isinstance(backbone, str) or parse_name(backbone) is None:
        known = ", ".join(BACKBONES)
        raise ArchitectureMismatch(
            en=f"backbone={backbone!r} is no network that Qingzhou knows; expected one of {known}. "
            "If you are not sure, leave backbone out: the file says what it holds.",
            zh=f"backbone={backbone!r} 不是轻舟认识的网络，应为 {known} 之一。"
            "不确定时可以不写 backbone，文件里有记录。",
        )
