"""The heads of Ultralytics' networks, up to their predictions; all for one picture.

Source: ultralytics/nn/modules/head.py of version 8.4. What a file keeps of its last run (anchors, strides, shape) is
not looked at.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import OptionError, UnsupportedCheckpoint
from ...files.types import TensorRef
from ...graph.form import Array, Value
from ...graph.record import Recorder
from ...spelling import option
from ..torch.module import Module, integers, show
from .blocks import classes_of, joined, sub

MANY, ONE = "one2many", "one2one"  # as Ultralytics calls them: boxes for NMS, and boxes that need none
MOST_LEVELS, LARGEST_STRIDE, MOST_CLASSES = 16, 1 << 10, 1 << 16


@dataclass(frozen=True)
class Task:
    """What a head predicts, as Ultralytics calls it; extra: its layers for what there is beside boxes and scores."""

    name: str
    extra: str = ""


DETECT, CLASSIFY = Task("detect"), Task("classify")
SEGMENT, OBB = Task("segment", "cv4"), Task("obb", "cv4")
POSE, POSE26 = Task("pose", "cv4"), Task("pose", "cv4_kpts")
HEADS: Mapping[str, Task] = {
    "Detect": DETECT,
    "v10Detect": DETECT,
    "Segment": SEGMENT,
    "Segment26": SEGMENT,
    "Pose": POSE,
    "Pose26": POSE26,
    "OBB": OBB,
    "OBB26": OBB,
    "Classify": CLASSIFY,
}


@dataclass(frozen=True)
class Predictions:
    """What a head says of N positions, the levels one after the other, each row by row.

    corners   (1, 4, N) x1, y1, x2, y2 in pixels of the input; of rotated boxes centre, width and height
    scores    (1, classes, N) after the sigmoid
    extras    (1, E, N) coefficients of masks, keypoints in pixels, or angles; None where there are none
    masks     (1, coefficients, H / 4, W / 4), of which a mask is made
    """

    corners: Value
    scores: Value
    extras: Value | None = None
    masks: Value | None = None


@dataclass(frozen=True)
class Head:
    """A head with what its settings say, checked."""

    module: Module
    task: Task
    classes: int
    strides: tuple[int, ...]
    which: str
    keypoints: tuple[int, int] = (0, 0)

    @property
    def prefix(self) -> str:
        """Of the names of the layers of the head that was chosen."""
        return "one2one_" if self.which == ONE else ""


def task_of(head: Module) -> Task:
    """By the class of the last layer; UnsupportedCheckpoint for heads that are none of ours."""
    found = HEADS.get(head.kind) if head.name in classes_of("head", HEADS) else None
    if found is None:
        raise UnsupportedCheckpoint(
            en=f"The network ends in {head.name}, which cannot be converted; expected one of {', '.join(HEADS)}. "
            "Export it to ONNX with Ultralytics itself: yolo export format=onnx model=….pt",
            zh=f"网络的最后一层是 {head.name}，无法转换；应为 {'、'.join(HEADS)} 之一。"
            "请用 Ultralytics 导出 ONNX：yolo export format=onnx model=….pt",
        )
    return found


def held(module: Module) -> tuple[str, ...]:
    """Which of the two heads are there, the one without NMS first. A fused file has only one; its other is None, or
    Identities.
    """
    return tuple(which for which, name in ((ONE, "one2one_cv2"), (MANY, "cv2")) if _is_there(module, name))


def _is_there(module: Module, name: str) -> bool:
    branches = module.child(name).children() if module.has_child(name) else []
    return bool(branches) and branches[0].kind != "Identity"


def read_head(module: Module, asked: str | None) -> Head:
    """OptionError for a head that is not there."""
    task, there = task_of(module), held(module)
    if not there:
        raise module.refuse("it has no layers for boxes", "它没有预测框的网络层")
    if asked is not None and (asked not in there or (len(there) == 1 and ONE not in there and not _had_two(module))):
        raise _no_such_head(asked, there[0])
    keypoints = _keypoints(module) if task.name == "pose" else (0, 0)
    classes = module.whole("nc")
    if classes > MOST_CLASSES:
        raise module.refuse(f"it has {classes} classes", f"它有 {classes} 个类别")
    return Head(module, task, classes, _strides(module), asked or there[0], keypoints)


def _had_two(module: Module) -> bool:
    children = module.get("_modules")
    return isinstance(children, Mapping) and "one2one_cv2" in children


def _no_such_head(asked: str, there: str) -> OptionError:
    return OptionError(
        en=f"{option('head')} is {asked}, but the network has only one head, {there}. Leave the option out.",
        zh=f"{option('head')} 的值是 {asked}，但这个网络只有一个检测头 {there}。请去掉这个选项。",
    )


def _keypoints(module: Module) -> tuple[int, int]:
    """How many, and numbers of each: x, y, or x, y, visibility."""
    shape = integers(module.get("kpt_shape"))
    if len(shape) != 2 or not 1 <= shape[0] <= 1000 or shape[1] not in (2, 3):
        raise module.refuse(f"its keypoints are {shape}", f"关键点的形状是 {shape}")
    return shape[0], shape[1]


def _strides(module: Module) -> tuple[int, ...]:
    """Pixels between the positions of each level."""
    found, count = module.get("stride"), module.whole("nl")
    if not isinstance(found, TensorRef) or found.shape != (count,) or count > MOST_LEVELS:
        raise module.refuse("it does not say its strides", "没有写明各层的步长")
    numbers = [float(n) for n in found.load()]
    if not all(1 <= n <= LARGEST_STRIDE and n == int(n) for n in numbers):
        raise module.refuse(f"its strides are {numbers}", f"各层的步长是 {numbers}")
    return tuple(map(int, numbers))


# -- predictions -------------------------------------------------------------------------------------------------------


def predict(net: Recorder, head: Head, maps: Sequence[Value]) -> Predictions:
    """TensorMismatch and UnsupportedCheckpoint where the layers do not fit together."""
    m, bins = head.module, head.module.whole("reg_max")
    m.fits(len(maps), len(head.strides), "feature maps", "特征图")
    logits = _levels(net, head, "cv3", maps, head.classes)
    distances = _distances(net, m, _levels(net, head, "cv2", maps, 4 * bins), bins)
    grid = Grid.over(maps, head.strides)
    scores = net.act("sigmoid", logits, f"{m.path}.scores")
    extras = _extras(net, head, maps, grid)
    if head.task is OBB:
        assert extras is not None
        corners = _rotated(net, m, distances, extras, grid)
    else:
        corners = _corners(net, m, distances, grid)
    return Predictions(corners, scores, extras, _masks(net, m, maps) if head.task is SEGMENT else None)


def _levels(net: Recorder, head: Head, name: str, maps: Sequence[Value], channels: int) -> Value:
    """(1, channels, N): what the layers of a name make of each map, side by side."""
    m, whole = head.module, f"{head.prefix}{name}"
    rows = []
    for i, (layer, x) in enumerate(_beside(m, whole, maps)):
        y = layer.value(net, x)
        m.fits(y.channels, channels, f"channels from {whole}.{i}", f"通道（{whole}.{i}）")
        if y.shape[2:] != x.shape[2:]:
            raise m.refuse(f"{whole}.{i} changes the size of its map", f"{whole}.{i} 改变了特征图的大小")
        rows.append(net.flatten(y, f"{m.path}.{whole}.{i}.rows", 2))
    return joined(net, m, rows, 2)


def _beside(m: Module, name: str, maps: Sequence[Value]) -> list[tuple[Module, Value]]:
    layers = m.child(name).children()
    m.fits(len(layers), len(maps), "feature maps", "特征图")
    return list(zip(layers, maps, strict=True))


def _distances(net: Recorder, m: Module, x: Value, bins: int) -> Value:
    """(1, 4, N) left, top, right and bottom in strides: numbers, or the mean of a distribution (Li et al. 2020)."""
    if bins == 1:
        return x
    conv, count = m.child("dfl").child("conv"), x.shape[2]
    m.fits(conv.whole("in_channels"), bins, "bins", "个区间")
    x = net.reshape(x, (x.shape[0], 4, bins, count), f"{m.path}.sides")
    x = net.softmax(net.transpose(x, (0, 2, 1, 3), f"{m.path}.bins"), 1, f"{m.path}.likely")
    mean = conv.value(net, x)
    if mean.shape != (x.shape[0], 1, 4, count):
        raise m.refuse(f"its distances are {show(mean.shape)}", f"它的距离是 {show(mean.shape)}")
    return net.reshape(mean, (x.shape[0], 4, count), f"{m.path}.distances")


@dataclass(frozen=True)
class Grid:
    """The middles of all positions in strides of their level, (1, 2, N), and these strides in pixels, (1, 1, N)."""

    middles: Array
    strides: Array

    @classmethod
    def over(cls, maps: Sequence[Value], strides: Sequence[int]) -> Grid:
        """Row by row, the levels one after the other."""
        middles, steps = [], []
        for value, stride in zip(maps, strides, strict=True):
            height, width = value.shape[2:]
            assert isinstance(height, int) and isinstance(width, int)
            ys, xs = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
            middles.append(np.stack([xs.ravel(), ys.ravel()]) + 0.5)
            steps.append(np.full((1, height * width), stride))
        return cls(*(np.concatenate(part, 1)[None].astype(np.float32) for part in (middles, steps)))


def _with(net: Recorder, op: str, x: Value, name: str, array: Array, first: bool = False) -> Value:
    """x and known numbers, of which either may be first."""
    constant = net.constant(f"{name}/numbers", array)
    return net.op(op, name, [constant, x] if first else [x, constant], x.shape)


def _corners(net: Recorder, m: Module, distances: Value, grid: Grid) -> Value:
    """(1, 4, N) x1, y1, x2, y2 in pixels."""
    first, second = (net.slice(distances, 1, i, i + 2, f"{m.path}.{n}") for i, n in ((0, "before"), (2, "after")))
    start = _with(net, "Sub", first, f"{m.path}.start", grid.middles, first=True)
    end = _with(net, "Add", second, f"{m.path}.end", grid.middles)
    return _with(net, "Mul", net.concat([start, end], 1, f"{m.path}.corners"), f"{m.path}.boxes", grid.strides)


def _rotated(net: Recorder, m: Module, distances: Value, angle: Value, grid: Grid) -> Value:
    """(1, 4, N) centre, width and height in pixels: the distances are along the box's own sides."""
    before, after = (net.slice(distances, 1, i, i + 2, f"{m.path}.{n}") for i, n in ((0, "before"), (2, "after")))
    moved = net.op("Sub", f"{m.path}.moved", [after, before], after.shape)
    half = net.op("Mul", f"{m.path}.shift", [moved, net.number(0.5, m.path)], moved.shape)
    x, y = (net.slice(half, 1, i, i + 1, f"{m.path}.shift_{n}") for i, n in ((0, "x"), (1, "y")))
    cos, sin = (net.op(op, f"{m.path}.{op.lower()}", [angle], angle.shape) for op in ("Cos", "Sin"))
    across = net.op("Sub", f"{m.path}.across", [net.mul(x, cos), net.mul(y, sin)], x.shape)
    along = net.add(net.mul(x, sin), net.mul(y, cos), f"{m.path}.along")
    turned = net.concat([across, along], 1, f"{m.path}.turned")
    centre = _with(net, "Add", turned, f"{m.path}.centre", grid.middles)
    size = net.add(before, after, f"{m.path}.size")
    return _with(net, "Mul", net.concat([centre, size], 1, f"{m.path}.rotated"), f"{m.path}.boxes", grid.strides)


# -- beside the boxes --------------------------------------------------------------------------------------------------


def _extras(net: Recorder, head: Head, maps: Sequence[Value], grid: Grid) -> Value | None:
    m, task = head.module, head.task
    if task is SEGMENT:
        return _levels(net, head, task.extra, maps, m.whole("nm"))
    if task.name == "pose":
        return _keypoints_in_pixels(net, head, maps, grid)
    if task is not OBB:
        return None
    raw = _levels(net, head, task.extra, maps, 1)
    if m.kind == "OBB26":  # the number is the angle
        return raw
    shared = net.act("sigmoid", raw, f"{m.path}.turn")
    above = net.op("Sub", f"{m.path}.quarter", [shared, net.number(0.25, f"{m.path}.turn")], raw.shape)
    pi = net.constant(f"{m.path}.pi", np.array(math.pi, np.float32))
    return net.op("Mul", f"{m.path}.angle", [above, pi], raw.shape)


def _keypoints_in_pixels(net: Recorder, head: Head, maps: Sequence[Value], grid: Grid) -> Value:
    """(1, points * numbers, N): the number once from the cell's middle (26), or twice from its corner."""
    m, (points, numbers) = head.module, head.keypoints
    if head.task is POSE26:
        maps = [layer.value(net, x) for layer, x in _beside(m, f"{head.prefix}cv4", maps)]
    raw = _levels(net, head, head.task.extra, maps, points * numbers)
    count = raw.shape[2]
    each = net.reshape(raw, (1, points, numbers, count), f"{m.path}.points")
    place = net.slice(each, 2, 0, 2, f"{m.path}.places")
    middles = grid.middles[None]
    if head.task is not POSE26:
        place = net.op("Mul", f"{m.path}.twice", [place, net.number(2, m.path)], place.shape)
        middles = middles - np.float32(0.5)
    place = _with(net, "Add", place, f"{m.path}.moved", middles)
    place = _with(net, "Mul", place, f"{m.path}.pixels", grid.strides[None])
    if numbers == 3:
        seen = net.act("sigmoid", net.slice(each, 2, 2, 3, f"{m.path}.seen"), f"{m.path}.visible")
        place = net.concat([place, seen], 2, f"{m.path}.keypoints")
    return net.reshape(place, (1, points * numbers, count), f"{m.path}.points_flat")


def _masks(net: Recorder, m: Module, maps: Sequence[Value]) -> Value:
    """The prototypes: of the finest map, or of all (YOLO26)."""
    proto, x = m.child("proto"), maps[0]
    if proto.kind == "Proto26":
        for i, (layer, coarse) in enumerate(_beside(proto, "feat_refine", maps[1:])):
            y = layer.value(net, coarse)
            x = net.add(x, _enlarged(net, proto, y, 2 ** (i + 1), x), f"{proto.path}.refined")
        x = sub(net, proto, "feat_fuse", x)
    for name in ("cv1", "upsample", "cv2", "cv3"):
        x = sub(net, proto, name, x)
    m.fits(x.channels, m.whole("nm"), "channels of prototypes", "个原型通道")
    return x


def _enlarged(net: Recorder, m: Module, x: Value, factor: int, like: Value) -> Value:
    size = [n * factor for n in x.shape[2:] if isinstance(n, int)]
    if (x.channels, *size) != like.shape[1:]:
        raise m.refuse(f"{x.shape} cannot be enlarged to {like.shape}", f"{x.shape} 无法放大为 {like.shape}")
    return net.upsample(x, size, "nearest", False, f"{m.path}.larger")


def classify(net: Recorder, m: Module, maps: Sequence[Value]) -> Value:
    """(1, classes) probabilities."""
    y = sub(net, m, "pool", sub(net, m, "conv", joined(net, m, maps)))
    return net.softmax(sub(net, m, "linear", net.flatten(y, f"{m.path}.flat")), 1, f"{m.path}.probabilities")
