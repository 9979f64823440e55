"""What an Ultralytics file says beside its layers: which network it is, its training, its classes, its input."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import PureWindowsPath

from ...files.types import LONGEST_FACT, MOST_FACTS, Checkpoint, Opaque
from ..torch.module import entries, integers

SUFFIXES = {"segment": "-seg", "pose": "-pose", "obb": "-obb", "classify": "-cls"}
PUBLISHED = re.compile(r"yolo(v?)(\d+)([a-z]?)(u?)((?:-[a-z0-9]+)*)")  # yolo11n-seg, yolov5nu, yolov8x-pose-p6
# The newest network that has a class: what a file without a name is most like.
BY_CLASS = {
    "v10Detect": "YOLOv10",
    "A2C2f": "YOLO12",
    "RepNCSPELAN4": "YOLOv9",
    "Segment26": "YOLO26",
    "Pose26": "YOLO26",
    "OBB26": "YOLO26",
    "C3k2": "YOLO11",
    "C2f": "YOLOv8",
    "C3": "YOLOv5",
}
FACTS = ("version", "date", "license", "docs", "best_fitness")  # of the file itself
ARGS = ("task", "model", "data", "epochs", "batch", "imgsz", "single_cls", "optimizer", "seed")  # of the training
USUAL = {"classify": 224}
LARGEST, DEFAULT = 1 << 13, 640


def attributes(value: object) -> Mapping[str, object]:
    """Of a dict, or of an object of settings."""
    return entries(value.state if isinstance(value, Opaque) and value.state is not None else value)


def arguments(checkpoint: Checkpoint) -> Mapping[str, object]:
    """What the training was started with: as the file has it, else as the network does."""
    root = checkpoint.root if isinstance(checkpoint.root, Mapping) else {}
    module = checkpoint.module
    own = attributes(module.state.get("args")) if module is not None else {}
    return {**own, **attributes(root.get("train_args"))}


def training(checkpoint: Checkpoint) -> dict[str, object]:
    """The file's own facts and the training's, short and plain; of paths only the last part."""
    root = checkpoint.root if isinstance(checkpoint.root, Mapping) else {}
    given = arguments(checkpoint)
    pairs = [*((name, root.get(name)) for name in FACTS), *((name, _last(given.get(name))) for name in ARGS)]
    short = ((name, value) for name, value in pairs if _is_short(value))
    return dict(islice(short, MOST_FACTS))


def _is_short(value: object) -> bool:
    return isinstance(value, (str, int, float)) and len(str(value)) <= LONGEST_FACT


def _last(value: object) -> object:
    """A path's last part; several numbers as text."""
    if isinstance(value, str):
        return PureWindowsPath(value).name
    numbers = integers(value) if isinstance(value, (list, tuple)) else ()
    return str(list(numbers)) if numbers else value


def classes_in(module: Opaque, most: int = 10_000) -> Iterator[str]:
    """The classes of all layers, by their last names."""
    todo, seen = [module], 0
    while todo and seen < most:
        current = todo.pop()
        seen += 1
        yield current.name.rpartition(".")[2]
        todo += [
            child for child in entries(entries(current.state).get("_modules")).values() if isinstance(child, Opaque)
        ]


def title(checkpoint: Checkpoint, task: str) -> str:
    """ "YOLO11n-seg" where the file says so, else "YOLO11-seg" by the classes of its layers."""
    assert checkpoint.module is not None
    yaml = entries(checkpoint.module.state.get("yaml"))
    for said in (yaml.get("yaml_file"), arguments(checkpoint).get("model")):
        found = PUBLISHED.fullmatch(PureWindowsPath(str(said)).stem.lower())
        if found:
            return _published(found, str(yaml.get("scale") or ""), task)
    there = set(classes_in(checkpoint.module))
    family = next((family for name, family in BY_CLASS.items() if name in there), "YOLO")
    return f"{family}{SUFFIXES.get(task, '')}"


def _published(found: re.Match[str], scale: str, task: str) -> str:
    v, number, size, u, rest = found.groups()
    size = size or (scale if re.fullmatch("[a-z]", scale) else "")
    suffix = rest if rest or not SUFFIXES.get(task) else SUFFIXES[task]
    return f"YOLO{v}{number}{size}{u or ('u' if number == '5' else '')}{suffix}"


def image_size(checkpoint: Checkpoint, task: str) -> tuple[tuple[int, int], bool]:
    """(height, width) of the training's pictures, and whether nobody said it."""
    sides = integers(arguments(checkpoint).get("imgsz"))
    if len(sides) not in (1, 2) or not all(1 <= n <= LARGEST for n in sides):
        side = USUAL.get(task, DEFAULT)
        return (side, side), True
    return (sides[0], sides[-1]), False


def channels(module: Opaque) -> int:
    """What the first convolution takes; 0 where there is none."""
    todo = [module]
    while todo:
        current = todo.pop()
        state = entries(current.state)
        found = integers(state.get("in_channels"))
        if len(found) == 1:
            return found[0]
        inside: Iterable[object] = entries(state.get("_modules")).values()
        todo += [child for child in reversed(list(inside)) if isinstance(child, Opaque)][:1000]
    return 0
