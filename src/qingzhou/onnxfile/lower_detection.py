"""The operations of detectors -> ONNX, from opset 11 on. Everything is for one picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph.form import Array, Node, Value
from .lowering import Lowering

LARGEST_LOG = float(abs(np.log(16 / 1000)))  # mmdet's wh_ratio_clip: no box grows more than this from its anchor


def anchors(e: Lowering, node: Node) -> None:
    """Base boxes plus a grid: (H, 1, 1, 4) + (1, W, 1, 4) + (1, 1, A, 4). Engines add constants when they load; the
    sums would be a good part of a small INT8 file.
    """
    x, out = e.graph.values[node.inputs[0]], node.outputs[0]
    base, stride = np.array(node.attrs["base"], np.float32), node.attrs["stride"]
    ys, xs = (_shifts(e, x, axis, stride, f"{out}/{name}") for axis, name in ((2, "y"), (3, "x")))
    shift = e.node("Add", [ys, xs], [f"{out}/shift"])
    boxes = e.node("Add", [shift, e.constant(f"{out}/base", base.reshape(1, 1, -1, 4))], [f"{out}/boxes"])
    e.node("Reshape", [boxes, e.ints(f"{out}/rows", [-1, 4])], [out])


def _shifts(e: Lowering, x: Value, axis: int, stride: float, name: str) -> str:
    """What the positions along an axis of a feature map add to a box: a constant where its size is known."""
    size, on = x.shape[axis], np.array([0, 1, 0, 1] if axis == 2 else [1, 0, 1, 0], np.float32)
    if isinstance(size, int):
        steps = np.arange(size, dtype=np.float32).reshape(_along(axis)) * np.float32(stride)
        return e.constant(f"{name}/shift", steps * on)
    shape = e.node("Shape", [x.name], [f"{name}/shape"])
    return e.node("Mul", [_steps(e, shape, axis, stride, name), e.constant(f"{name}/on", on)], [f"{name}/shift"])


def _along(axis: int) -> list[int]:
    """The form of numbers along an axis."""
    return [-1, 1, 1, 1] if axis == 2 else [1, -1, 1, 1]


def _steps(e: Lowering, shape: str, axis: int, stride: float, name: str) -> str:
    """0, stride, 2 * stride … along an axis of a feature map, as (n, 1, 1, 1) or (1, n, 1, 1)."""
    size = e.node("Gather", [shape, e.constant(f"{name}/axis", np.array(axis, np.int64))], [f"{name}/size"])
    zero, one = (e.constant(f"{name}/{n}", np.array(n, np.int64)) for n in (0, 1))
    numbers = e.node("Range", [zero, size, one], [f"{name}/range"])
    floats = e.node("Cast", [numbers], [f"{name}/floats"], to=1)
    steps = e.node("Mul", [floats, e.constant(f"{name}/stride", np.array(stride, np.float32))], [f"{name}/steps"])
    return e.node("Reshape", [steps, e.ints(f"{name}/form", _along(axis))], [name])


def limits(e: Lowering, node: Node) -> None:
    """Width, height, width, height as floats."""
    x, out = e.graph.values[node.inputs[0]], node.outputs[0]
    height, width = x.shape[2:]
    if isinstance(height, int) and isinstance(width, int):
        e.node("Identity", [e.constant(f"{out}/size", np.array([width, height] * 2, np.float32))], [out])
        return
    shape = e.node("Shape", [x.name], [f"{out}/shape"])
    e.node("Cast", [e.node("Gather", [shape, e.ints(f"{out}/order", [3, 2, 3, 2])], [f"{out}/whole"])], [out], to=1)


def decode_deltas(e: Lowering, node: Node) -> None:
    """Centre and size of each box from its anchor's, on the last axis."""
    anchor, delta, *limit = node.inputs
    out, stds = node.outputs[0], np.array(node.attrs["stds"], np.float32)
    scaled = e.node("Mul", [delta, e.constant(f"{out}/stds", stds)], [f"{out}/scaled"])
    move, grow = _half(e, scaled, 0, f"{out}/move"), _half(e, scaled, 1, f"{out}/grow")
    bounds = [e.constant(f"{out}/{n}", np.array(v * LARGEST_LOG, np.float32)) for n, v in (("low", -1), ("high", 1))]
    growth = e.node("Exp", [e.node("Clip", [grow, *bounds], [f"{out}/clipped"])], [f"{out}/growth"])
    centre, size = _centre_and_size(e, anchor, out)
    centre = e.node("Add", [centre, e.node("Mul", [size, move], [f"{out}/moved"])], [f"{out}/centre"])
    boxes = _corners(e, centre, e.node("Mul", [size, growth], [f"{out}/grown"]), f"{out}/boxes" if limit else out)
    if limit:
        inside = e.node("Max", [boxes, e.constant(f"{out}/zero", np.zeros(1, np.float32))], [f"{out}/inside"])
        e.node("Min", [inside, limit[0]], [out])


def decode_yolo(e: Lowering, node: Node) -> None:
    """mmdet's YOLOBBoxCoder: the sigmoid minus a half, times the stride; the size times exp."""
    anchor, raw = node.inputs
    out, stride = node.outputs[0], float(node.attrs["stride"])
    near = e.node("Sigmoid", [_half(e, raw, 0, f"{out}/xy")], [f"{out}/near"])
    middle = e.node("Sub", [near, e.constant(f"{out}/half", np.array(0.5, np.float32))], [f"{out}/middle"])
    move = e.node("Mul", [middle, e.constant(f"{out}/stride", np.array(stride, np.float32))], [f"{out}/move"])
    growth = e.node("Exp", [_half(e, raw, 1, f"{out}/wh")], [f"{out}/growth"])
    centre, size = _centre_and_size(e, anchor, out)
    centre = e.node("Add", [centre, move], [f"{out}/centre"])
    _corners(e, centre, e.node("Mul", [size, growth], [f"{out}/grown"]), out)


def _half(e: Lowering, x: str, which: int, name: str) -> str:
    """The first or last two of the four numbers."""
    ends = [e.ints(f"{name}/{n}", [v]) for n, v in (("from", 2 * which), ("to", 2 * which + 2), ("axis", -1))]
    return e.node("Slice", [x, *ends], [name])


def _centre_and_size(e: Lowering, boxes: str, out: str) -> tuple[str, str]:
    start, end = _half(e, boxes, 0, f"{out}/start"), _half(e, boxes, 1, f"{out}/end")
    half = e.constant(f"{out}/0.5", np.array(0.5, np.float32))
    centre = e.node("Mul", [e.node("Add", [start, end], [f"{out}/sum"]), half], [f"{out}/anchor"])
    return centre, e.node("Sub", [end, start], [f"{out}/size"])


def _corners(e: Lowering, centre: str, size: str, out: str) -> str:
    half = e.node("Mul", [size, e.constant(f"{out}/two", np.array(0.5, np.float32))], [f"{out}/reach"])
    start, end = (e.node(op, [centre, half], [f"{out}/{op.lower()}"]) for op in ("Sub", "Add"))
    return e.node("Concat", [start, end], [out], axis=-1)


def top(e: Lowering, node: Node) -> None:
    """TopK, of all where there are fewer; Min knows whole numbers only since opset 12, so it is done in floats."""
    x, (values, places) = node.inputs[0], node.outputs
    size, count = e.graph.values[x].shape[0], node.attrs["count"]
    if isinstance(size, int):
        wanted = e.ints(f"{values}/count", [min(size, count)])
    else:
        there = e.node("Cast", [e.node("Shape", [x], [f"{values}/there"])], [f"{values}/size"], to=1)
        most = e.constant(f"{values}/most", np.array([count], np.float32))
        least = e.node("Min", [there, most], [f"{values}/least"])
        wanted = e.node("Cast", [least], [f"{values}/count"], to=7)
    e.node("TopK", [x, wanted], [values, places], axis=0)


def nms(e: Lowering, node: Node) -> None:
    """One NonMaxSuppression; groups are moved so far apart that their boxes cannot meet, as mmcv does it."""
    boxes, scores, *groups = node.inputs
    out, attrs = node.outputs[0], node.attrs
    if groups:
        far = _far_apart(e, boxes, attrs.get("apart", 0.0), out)
        moves = e.node("Mul", [e.node("Cast", groups, [f"{out}/groups"], to=1), far], [f"{out}/moves"])
        column = e.node("Reshape", [moves, e.ints(f"{out}/column", [-1, 1])], [f"{out}/apart"])
        boxes = e.node("Add", [boxes, column], [f"{out}/moved"])
    boxes = e.node("Reshape", [boxes, e.ints(f"{out}/boxes_form", [1, -1, 4])], [f"{out}/boxes"])
    scores = e.node("Reshape", [scores, e.ints(f"{out}/scores_form", [1, 1, -1])], [f"{out}/scores"])
    settings = [
        e.ints(f"{out}/most", [attrs["most"]]),
        e.constant(f"{out}/iou", np.array([attrs["iou"]], np.float32)),
        e.constant(f"{out}/score", np.array([attrs["score"]], np.float32)),
    ]
    kept = e.node("NonMaxSuppression", [boxes, scores, *settings], [f"{out}/kept"])
    e.node("Gather", [kept, e.constant(f"{out}/third", np.array(2, np.int64))], [out], axis=1)


def _far_apart(e: Lowering, boxes: str, said: float, out: str) -> str:
    """By how much groups are moved from each other: what is said, or more than the largest number of a box."""
    if said:
        return e.constant(f"{out}/far", np.array(said, np.float32))
    largest = e.node("ReduceMax", [boxes], [f"{out}/largest"], keepdims=0)
    return e.node("Add", [largest, e.number(1, out)], [f"{out}/far"])


def nms_by_class(e: Lowering, node: Node) -> None:
    """NonMaxSuppression does a class at a time; its (0, class, box) become places in (P, classes)."""
    boxes, scores = node.inputs
    out, attrs = node.outputs[0], node.attrs
    classes = e.graph.values[scores].shape[1]
    settings = [
        e.ints(f"{out}/most", [attrs["most"]]),
        e.constant(f"{out}/iou", np.array([attrs["iou"]], np.float32)),
        e.constant(f"{out}/score", np.zeros(1, np.float32)),
    ]
    wide = e.axes("Unsqueeze", e.node("Transpose", [scores], [f"{out}/turned"], perm=(1, 0)), f"{out}/scores", [0])
    boxes = e.axes("Unsqueeze", boxes, f"{out}/boxes", [0])
    kept = e.node("NonMaxSuppression", [boxes, wide, *settings], [f"{out}/kept"])
    steps = e.constant(f"{out}/steps", np.array([[0, 1, classes]], np.int64))
    e.axes("ReduceSum", e.node("Mul", [kept, steps], [f"{out}/parts"]), out, [1], keepdims=0)


def confident(e: Lowering, node: Node) -> None:
    """The product, or 0."""
    classes, objects = node.inputs
    out = node.outputs[0]
    likely = e.node("Greater", [classes, e.number(node.attrs["score"], out)], [f"{out}/likely"])
    least = e.constant(f"{out}/least", np.array(node.attrs["confidence"], np.float32))
    unsure = e.node("Less", [objects, least], [f"{out}/unsure"])
    both = e.node("And", [likely, e.node("Not", [unsure], [f"{out}/sure"])], [f"{out}/both"])
    product = e.node("Mul", [classes, objects], [f"{out}/product"])
    e.node("Where", [both, product, e.constant(f"{out}/none", np.zeros(1, np.float32))], [out])


def not_empty(e: Lowering, node: Node) -> None:
    """-1 where the smaller side is not above 0."""
    boxes, scores = node.inputs
    out = node.outputs[0]
    sides = e.node("Sub", [_half(e, boxes, 1, f"{out}/end"), _half(e, boxes, 0, f"{out}/start")], [f"{out}/sides"])
    least = e.axes("ReduceMin", sides, f"{out}/least", [1], keepdims=0)
    good = e.node("Greater", [least, e.constant(f"{out}/zero", np.zeros(1, np.float32))], [f"{out}/good"])
    e.node("Where", [good, scores, e.constant(f"{out}/none", np.full(1, -1, np.float32))], [out])


def group(e: Lowering, node: Node) -> None:
    """A number for every row."""
    out = node.outputs[0]
    shape = e.node("Shape", [node.inputs[0]], [f"{out}/shape"])
    rows = e.node("Slice", [shape, e.ints(f"{out}/from", [0]), e.ints(f"{out}/to", [1])], [f"{out}/rows"])
    e.node("Expand", [e.ints(f"{out}/number", [node.attrs["number"]]), rows], [out])


def class_numbers(e: Lowering, node: Node) -> None:
    """0 … classes - 1 for each row."""
    out = node.outputs[0]
    row = e.constant(f"{out}/row", np.arange(node.attrs["classes"], dtype=np.int64)[None])
    wide = e.node("Expand", [row, e.node("Shape", [node.inputs[0]], [f"{out}/shape"])], [f"{out}/wide"])
    e.node("Reshape", [wide, e.ints(f"{out}/flat", [-1])], [out])


def roi_align(e: Lowering, node: Node) -> None:
    """Each level does its own regions; then they are put back into the order in which they came."""
    rois, *features = node.inputs
    out, attrs = node.outputs[0], node.attrs
    level = _levels(e, rois, len(features), out)
    places, parts = [], []
    for i, (feature, stride) in enumerate(zip(features, attrs["strides"], strict=True)):
        mine = e.node("Equal", [level, e.constant(f"{out}/number{i}", np.array(i, np.int64))], [f"{out}/is{i}"])
        found = e.node("NonZero", [mine], [f"{out}/found{i}"])
        places.append(e.node("Reshape", [found, e.ints(f"{out}/flat", [-1])], [f"{out}/places{i}"]))
        chosen = e.node("Gather", [rois, places[-1]], [f"{out}/rois{i}"], axis=0)
        parts.append(_align(e, feature, chosen, stride, attrs["size"], f"{out}/part{i}"))
    order = e.node("Concat", places, [f"{out}/order"], axis=0)
    count = e.node("Shape", [order], [f"{out}/count"])
    back = f"{out}/back"
    e.node("TopK", [order, count], [f"{out}/sorted", back], axis=0, largest=0)
    e.node("Gather", [e.node("Concat", parts, [f"{out}/parts"], axis=0), back], [out], axis=0)


def _levels(e: Lowering, rois: str, count: int, out: str) -> str:
    """FPN's equation 1 as mmdet computes it: floor(log2(sqrt(area) / 56 + 1e-6)), 0 to the last level."""
    sides = e.node("Sub", [_half(e, rois, 1, f"{out}/end"), _half(e, rois, 0, f"{out}/start")], [f"{out}/sides"])
    area = e.axes("ReduceProd", sides, f"{out}/area", [1], keepdims=0)
    scale = e.node("Mul", [e.node("Sqrt", [area], [f"{out}/side"]), e.number(1 / 56, out)], [f"{out}/scale"])
    safe = e.node("Add", [scale, e.number(1e-6, out)], [f"{out}/safe"])
    power = e.node("Mul", [e.node("Log", [safe], [f"{out}/log"]), e.number(1 / np.log(2), out)], [f"{out}/power"])
    floor = e.node("Floor", [power], [f"{out}/floor"])
    level = e.node("Clip", [floor, e.number(0, out), e.number(count - 1, out)], [f"{out}/clipped"])
    return e.node("Cast", [level], [f"{out}/level"], to=7)


def _align(e: Lowering, feature: str, rois: str, stride: int, size: int, name: str) -> str:
    """RoiAlign as mmcv's with aligned=True: the half-pixel form, which ONNX has since opset 16."""
    if e.opset < 16:
        return _align_bins(e, feature, rois, stride, size, name)
    attrs = _pooling(size, 1 / stride)
    batch = _zeros(e, rois, name)
    return e.node("RoiAlign", [feature, rois, batch], [name], coordinate_transformation_mode="half_pixel", **attrs)


def _align_bins(e: Lowering, feature: str, rois: str, stride: int, size: int, name: str) -> str:
    """The same with the older RoiAlign, which makes every region at least one cell of the map wide, from its start.

    So each of a region's size * size bins is a region of its own. One narrower than a cell has its only sample in its
    middle: it starts half a cell before that, and RoiAlign makes it one cell wide.
    """
    channels = int(e.graph.values[feature].shape[1])
    cells = e.node("Mul", [rois, e.number(1 / stride, name)], [f"{name}/cells"])
    start = e.node("Sub", [_half(e, cells, 0, f"{name}/first"), e.number(0.5, name)], [f"{name}/start"])
    sides = e.node("Sub", [_half(e, cells, 1, f"{name}/last"), f"{name}/first"], [f"{name}/sides"])
    bins = e.axes(
        "Unsqueeze", e.node("Mul", [sides, e.number(1 / size, f"{name}/bin")], [f"{name}/bins"]), f"{name}/bin", [1]
    )
    narrow = e.node("Less", [bins, e.number(1, name)], [f"{name}/narrow"])
    # A hair shorter, so that the number of samples, its length rounded up, is that of the whole region.
    length = e.node("Mul", [bins, e.number(1 - 1e-5, name)], [f"{name}/length"])
    long = e.node("Where", [narrow, e.number(0.5, f"{name}/cell"), length], [f"{name}/long"])
    middle = e.node("Mul", [bins, e.number(0.5, f"{name}/bin")], [f"{name}/middle"])
    before = e.node("Sub", [middle, e.number(0.5, f"{name}/half")], [f"{name}/before"])
    shift = e.node("Where", [narrow, before, e.number(0, name)], [f"{name}/shift"])
    grid = np.array([(x, y) for y in range(size) for x in range(size)], np.float32)[None]
    steps = e.node("Mul", [bins, e.constant(f"{name}/grid", grid)], [f"{name}/steps"])
    origin = e.node("Add", [e.axes("Unsqueeze", start, f"{name}/corner", [1]), shift], [f"{name}/origin"])
    starts = e.node("Add", [origin, steps], [f"{name}/starts"])
    ends = e.node("Add", [starts, long], [f"{name}/ends"])
    boxes = e.node("Concat", [starts, ends], [f"{name}/boxes"], axis=2)
    parts = e.node("Reshape", [boxes, e.ints(f"{name}/four", [-1, 4])], [f"{name}/parts"])
    values = e.node(
        "RoiAlign", [feature, parts, _zeros(e, parts, f"{name}/parts")], [f"{name}/values"], **_pooling(1, 1.0)
    )
    apart = e.node("Reshape", [values, e.ints(f"{name}/by_bin", [-1, size, size, channels])], [f"{name}/apart"])
    return e.node("Transpose", [apart], [name], perm=(0, 3, 1, 2))


def _pooling(size: int, scale: float) -> dict[str, Any]:
    """RoiAlign's attributes: as many samples in each bin as there are cells in it."""
    return {"output_height": size, "output_width": size, "sampling_ratio": 0, "spatial_scale": scale}


def _zeros(e: Lowering, rois: str, name: str) -> str:
    """For each region the number of its picture: all are of the one there is."""
    return e.node("Cast", [_first_column(e, rois, name)], [f"{name}/zeros"], to=7)


def _first_column(e: Lowering, rois: str, name: str) -> str:
    """Zeros as floats, one for each region."""
    zero = e.constant(f"{name}/none", np.zeros((4, 1), np.float32))
    column = e.node("MatMul", [rois, zero], [f"{name}/column"])
    return e.node("Reshape", [column, e.ints(f"{name}/flat", [-1])], [f"{name}/row"])


def pick(e: Lowering, node: Node) -> None:
    """Row i * classes + label of the flattened array."""
    x, labels = node.inputs
    out, classes = node.outputs[0], node.attrs["classes"]
    size = e.node("Squeeze", [e.node("Shape", [labels], [f"{out}/shape"])], [f"{out}/size"])
    zero, one = (e.constant(f"{out}/{n}", np.array(n, np.int64)) for n in (0, 1))
    rows = e.node("Range", [zero, size, one], [f"{out}/rows"])
    first = e.node("Mul", [rows, e.constant(f"{out}/classes", np.array(classes, np.int64))], [f"{out}/first"])
    flat = e.reshape(x, f"{out}/flat", ("n", *e.graph.values[x].shape[2:]))
    e.node("Gather", [flat, e.node("Add", [first, labels], [f"{out}/places"])], [out], axis=0)


def padded(e: Lowering, node: Node) -> None:
    """Zeros up to a fixed number of rows."""
    shape = e.graph.values[node.outputs[0]].shape[1:]
    _padded(e, node.inputs[0], np.zeros(shape, np.float32), node.outputs[0])


def detections(e: Lowering, node: Node) -> None:
    """Rows of (x1, y1, x2, y2, score) and labels, with zeros up to the fixed number."""
    boxes, scores, labels = node.inputs
    dets, numbers = node.outputs
    most = node.attrs["most"]
    column = e.node("Reshape", [scores, e.ints(f"{dets}/column", [-1, 1])], [f"{dets}/scores"])
    rows = e.node("Concat", [boxes, column], [f"{dets}/rows"], axis=1)
    _padded(e, rows, np.zeros((most, 5), np.float32), dets)
    _padded(e, labels, np.zeros(most, np.int64), numbers)


def _padded(e: Lowering, rows: str, zeros: Array, out: str) -> None:
    longer = e.node("Concat", [rows, e.constant(f"{out}/zeros", zeros)], [f"{out}/longer"], axis=0)
    ends = [e.ints(f"{out}/{n}", [v]) for n, v in (("from", 0), ("to", len(zeros)), ("axis", 0))]
    e.axes("Unsqueeze", e.node("Slice", [longer, *ends], [f"{out}/cut"]), out, [0])


RULES: dict[str, Callable[[Lowering, Node], None]] = {
    "Anchors": anchors,
    "Limits": limits,
    "DecodeDeltas": decode_deltas,
    "DecodeYolo": decode_yolo,
    "Top": top,
    "Nms": nms,
    "NmsByClass": nms_by_class,
    "Confident": confident,
    "NotEmpty": not_empty,
    "Group": group,
    "ClassNumbers": class_numbers,
    "RegionAlign": roi_align,
    "Pick": pick,
    "Padded": padded,
    "Detections": detections,
}
