"""What people call a network: MMEdu's names, config paths and aliases, against what a file was found to hold."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..errors import ArchitectureMismatch

BACKBONES = (
    "LeNet",
    "MobileNet",
    "ResNet18",
    "ResNet50",
    "ResNeXt",
    "RegNet",
    "RepVGG",
    "ShuffleNet_v2",
    "VGG",
    "MobileNetV3",
)
DETECTORS = ("SSD_Lite", "FasterRCNN", "Mask_RCNN", "Yolov3")

_YOLO = r"(yolov?(?:5|6|8|9|10|11|12|26))([a-z]?u?)"  # Ultralytics' of each year, and how large

# Family, and how its names are written: MMEdu's short names and the file names of mmcls's configs, in lower case.
# Each group is a variant ("18", "bn", "small") that the title must also have.
_PATTERNS = {
    "LeNet": r"lenet[-_ ]?(5)?",
    "MobileNetV3": r"(tf)?[-_ ]?mobilenet[-_ ]?v3[-_ ]?(small|large)?[-_ ]?(minimal)?(?:[-_ ]?\d{3})?",
    "MobileNetV4": r"mobilenet[-_ ]?v4[-_ ]?(?:conv)?[-_ ]?(small|medium|large)?(?:[-_ ]?\d{3})?",
    "MobileNetV1": r"mobilenet[-_ ]?v1[-_ ]?(\d(?:\.\d+)?x)?",
    "MobileNet": r"mobilenet[-_ ]?(?:v2)?[-_ ]?(\d(?:\.\d+)?x)?",
    "ResNet": r"resnet[-_ ]?(\d+t?)?d?",
    "ResNeXt": r"resnext[-_ ]?(\d+)?[-_ ]?(\d+x\d+d)?",
    "RegNet": r"regnet[-_ ]?[xy]?[-_ ]?([\d._]+[mg]f)?",
    "RepVGG": r"repvgg[-_ ]?([abd]\d(?:g\d)?(?:se)?)?",
    "ShuffleNet_v2": r"shufflenet[-_ ]?v2[-_ ]?(\d(?:\.\d+)?x)?",
    "SqueezeNet": r"squeezenet[-_ ]?(\d[._]\d)?",
    "EfficientNet": r"(tf)?[-_ ]?efficientnet[-_ ]?(v2)?[-_ ]?(b\d|l2|lite\d|s|m|l|xl)?(?:[-_ ]?rw[-_ ]?[tsm])?"
    r"[-_ ]?(pruned)?",
    "MnasNet": r"(?:se)?mnasnet[-_ ]?(?:\d[._]\d+|\d{3}|a1|b1)?",
    "DenseNet": r"densenet[-_ ]?(\d+)?",
    "GoogLeNet": r"googlenet",
    "Inception": r"inception[-_ ]?(v3)?",
    "AlexNet": r"alexnet",
    "ConvNeXt": r"convnext[-_ ]?(tiny|small|base|large|xlarge|atto|femto|pico|nano)?",
    "ViT": r"(?:vit|deit)[-_ ]?(?:\w*)",
    "Swin": r"swin[-_ ]?(?:\w*)",
    "VGG": r"vgg[-_ ]?(\d+)?[-_ ]?(bn)?",
    "SSD_Lite": r"ssd[-_ ]?lite",
    "Yolov3": r"yolo[-_ ]?v3",
    "YOLO": rf"{_YOLO}(?:-(seg|pose|obb|cls))?",
    "FasterRCNN": r"faster[-_ ]?r-?cnn",
    "Mask_RCNN": r"mask[-_ ]?r-?cnn",
}
_LAYERED = {"basenn", "sequential", "pytorch"}  # names for a network built layer by layer


class Name(NamedTuple):
    """A family with the variants that were named: "resnext50-32x4d" is ("ResNeXt", ("50", "32x4d"))."""

    family: str
    variants: tuple[str, ...] = ()


def parse_name(asked: str) -> Name | None:
    """The network that a name or a config path means; None if no network of ours is called so."""
    stem, is_config = _stem(asked)
    if stem in _LAYERED:
        return Name("BaseNN")
    for family, pattern in _PATTERNS.items():
        if found := re.fullmatch(pattern + (r"(?:[-_].*)?" if is_config else ""), stem):
            return Name(family, tuple(_plain(text) for text in found.groups() if text))
    return None


def check_name(asked: str, family: str, title: str) -> None:
    """ArchitectureMismatch, naming both, unless `asked` means the network that was found: `family`, called `title`."""
    name = parse_name(asked)
    if name is None:
        raise _unknown(asked, title)
    same = name.family == (family if family in _PATTERNS else "BaseNN")
    if not same or not set(name.variants) <= _words(title):
        raise _different(asked, family, title)


def hub_name(family: str, title: str) -> str:
    """The `modelname` that XEduHub prepares pictures rightly for; "" (the input's own size) where it knows none.

    "RegNet" it does know, but feeds it detection's 1333 x 800, which a classifier refuses.
    """
    if family == "ResNet":
        depth = title.rpartition("-")[2]
        return f"ResNet{depth}" if depth in ("18", "50") else ""
    return (
        family if family in (*BACKBONES, *DETECTORS, "SqueezeNet") and family not in ("MobileNetV3", "RegNet") else ""
    )


def _stem(asked: str) -> tuple[str, bool]:
    """The name in lower case, and whether it was a config's path ("configs\\lenet\\lenet5_mnist.py")."""
    last = re.split(r"[\\/]", asked.strip())[-1].lower()
    is_config = last.endswith(".py")
    return (last[:-3] if is_config else last), is_config


def _plain(variant: str) -> str:
    """One spelling for widths and versions: "1.0x" is "1x", "1_1" is "1.1"."""
    return re.sub(r"\.0+x$", "x", variant.replace("_", "."))


def _words(title: str) -> set[str]:
    words = set(re.split(r"[-_ ]+", title.lower()))
    words |= {version for word in words for version in re.findall(r"v\d", word)}
    sized = (found for word in words if (found := re.fullmatch(_YOLO, word)))
    return words.union(*(found.groups() for found in sized))


def _unknown(asked: str, title: str) -> ArchitectureMismatch:
    known = ", ".join((*BACKBONES, *DETECTORS))
    return ArchitectureMismatch(
        en=f"backbone={asked!r} is no network that Qingzhou knows; the file holds {title}. "
        f"Leave the name out, or use one of: {known}.",
        zh=f"backbone={asked!r} 不是轻舟认识的网络；这个文件里是 {title}。可以不写网络名称，或改用其中之一：{known}。",
    )


def _different(asked: str, family: str, title: str) -> ArchitectureMismatch:
    if family not in _PATTERNS:
        return ArchitectureMismatch(
            en=f"backbone={asked!r} was asked for, but the file holds {title}, a network built layer by layer. "
            "Convert it with: from BaseNN import nn; nn().convert(checkpoint=...)",
            zh=f"指定的网络是 backbone={asked!r}，但文件里是 {title}，是逐层搭建的网络。"
            "请这样转换：from BaseNN import nn; nn().convert(checkpoint=...)",
        )
    right = title.replace("-", "") if family == "ResNet" else title if family == "YOLO" else family
    return ArchitectureMismatch(
        en=f"backbone={asked!r} was asked for, but the file holds {title}. "
        f"Use backbone={right!r}, or give the checkpoint that you meant.",
        zh=f"指定的网络是 backbone={asked!r}，但文件里是 {title}。"
        f"请改为 backbone={right!r}，或换成您要转换的权重文件。",
    )
