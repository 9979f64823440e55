"""Annotations of tools whose own format is not read: they are named, with what to export instead."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ..runtime.file import open_file
from .places import data_error

MOST, BEGINNING = 20, 1 << 20  # files that are looked at; bytes of each
# Words that stand in them together. labelme.io, robots.ox.ac.uk/~vgg/software/via, labelstud.io, docs.cvat.ai, Apple
TOOLS = {
    "labelme": (b'"shapes"', b'"imagePath"'),
    "VGG Image Annotator": (b'"region_attributes"', b'"shape_attributes"'),
    "Label Studio (JSON)": (b'"from_name"', b'"to_name"'),
    "Create ML": (b'"coordinates"', b'"annotations"'),
    "CVAT for images (XML)": (b"<annotations>", b"<image "),
}


def refuse_stranger(path: Path) -> None:
    """DataError if a file, or one in this folder or below, holds annotations of another tool."""
    for file in islice(_files(path), MOST):
        with open_file(file) as opened:
            start = opened.read(BEGINNING)
        for tool, words in TOOLS.items():
            if all(word in start for word in words):
                raise data_error(
                    en=f"{file} holds annotations in the format of {tool}, which is not read; expected COCO, YOLO or "
                    "VOC. Export them from the tool as one of these.",
                    zh=f"{file} 是 {tool} 格式的标注，无法读取；应为 COCO、YOLO 或 VOC 格式。"
                    "请在标注工具中导出为其中一种。",
                )


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    else:
        yield from (file for kind in ("*.json", "*.xml", "*/*.json", "*/*.xml") for file in sorted(path.glob(kind)))
