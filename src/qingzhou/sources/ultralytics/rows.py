"""From the predictions of a head to what Ultralytics' own exports give: `output0`, and `output1` where there are masks.

Source: ultralytics/utils/nms.py and nn/modules/head.py (postprocess) of version 8.4.
"""

from __future__ import annotations

from ...graph.form import Graph, Value
from ...graph.record import Recorder
from ...nets.detection import Thresholds
from ...nets.detector import divide, gather, nms, padded, rotated_nms, top
from .heads import Predictions

APART = 7680.0  # pixels between the boxes of neighbouring classes, so that they cannot suppress each other
MASKS = ("output1",)  # as the network calls them, too
USUAL = Thresholds(score=0.25, most=300, iou=0.7)  # what Ultralytics predicts with


def raw(net: Recorder, found: Predictions, rotated: bool) -> Graph:
    """(1, 4 + classes + extras, N): cx, cy, w, h in pixels, scores, extras."""
    boxes = found.corners if rotated else _centred(net, found.corners)
    parts = [boxes, found.scores, *([] if found.extras is None else [found.extras])]
    return _frozen(net, net.concat(parts, 1, "predictions"), found)


def heads(net: Recorder, found: Predictions) -> Graph:
    """What both forms end with, for the comparison after writing."""
    parts = [found.corners, found.scores, *([] if found.extras is None else [found.extras])]
    names = [f"heads{i}" for i in range(len(parts))]
    masks = [] if found.masks is None else [found.masks]
    return net.freeze(*parts, *masks, names=[*names, *MASKS[: len(masks)]]).without_dead()


def rows_by_nms(net: Recorder, found: Predictions, how: Thresholds, rotated: bool) -> Graph:
    """(1, most, 6 + extras): x1, y1, x2, y2, score, class, extras; of each box the best class, chosen by NMS."""
    assert how.iou is not None
    count = found.scores.shape[2]
    best = net.op("ReduceMax", "best", [found.scores], (1, count), axes=(1,), keepdims=0)
    labels = net.op("ArgMax", "labels", [found.scores], (1, count), "int64", axis=1, keepdims=0)
    score, label = (net.reshape(value, (count,), f"{value.name}.row") for value in (best, labels))
    boxes = _by_row(net, found.corners)
    extras = None if found.extras is None else _by_row(net, found.extras)
    if rotated:
        assert extras is not None
        turned = net.concat([boxes, extras], 1, "turned")
        kept = rotated_nms(net, turned, score, label, how.iou, how.score, how.most, APART, "nms")
    else:
        kept = nms(net, boxes, score, label, how.iou, how.score, how.most, "nms", APART)
    return _rows(net, found, [gather(net, v, kept, f"{v.name}.kept") for v in (boxes, score, label)], kept, how.most)


def rows_by_score(net: Recorder, found: Predictions, most: int) -> Graph:
    """The same of heads that need no NMS: the best pairs of box and class, of the boxes with the best scores."""
    scores, classes = _by_row(net, found.scores), found.scores.channels
    best = net.op("ReduceMax", "best", [scores], scores.shape[:1], axes=(1,), keepdims=0)
    _, places = top(net, best, most, "likely")
    pairs = gather(net, scores, places, "pairs")
    count = pairs.shape[0]
    assert isinstance(count, int)
    score, order = top(net, net.reshape(pairs, (count * classes,), "pairs.row"), count, "best_pairs")
    row, label = divide(net, order, classes, "pair")
    kept = gather(net, places, row, "kept")
    return _rows(net, found, [gather(net, _by_row(net, found.corners), kept, "boxes.kept"), score, label], kept, 0)


def _by_row(net: Recorder, x: Value) -> Value:
    """(1, K, N) -> (N, K)."""
    turned = net.transpose(x, (0, 2, 1), f"{x.name}.turned")
    return net.reshape(turned, turned.shape[1:], f"{x.name}.rows")


def _rows(net: Recorder, found: Predictions, parts: list[Value], kept: Value, most: int) -> Graph:
    """boxes (n, 4), scores (n,) and labels (n,) beside each other, filled up with zeros to `most`, if that is given."""
    boxes, score, label = parts
    numbers = net.op("Cast", "numbers", [label], label.shape, to=1)
    columns = [boxes, *(net.unsqueeze(value, 1, f"{value.name}.column") for value in (score, numbers))]
    if found.extras is not None:
        columns.append(gather(net, _by_row(net, found.extras), kept, "extras.kept"))
    table = net.concat(columns, 1, "table")
    return _frozen(net, padded(net, table, most, "rows") if most else net.unsqueeze(table, 0, "rows"), found)


def _centred(net: Recorder, corners: Value) -> Value:
    """(1, 4, N) corners as centre, width and height."""
    start, end = (net.slice(corners, 1, i, i + 2, f"{corners.name}.{n}") for i, n in ((0, "from"), (2, "to")))
    total = net.add(start, end, "sums")
    centre = net.op("Mul", "centres", [total, net.number(0.5, "sums")], total.shape)
    return net.concat([centre, net.op("Sub", "sizes", [end, start], end.shape)], 1, "centred")


def _frozen(net: Recorder, table: Value, found: Predictions) -> Graph:
    if found.masks is None:
        return net.freeze(table, names=["output0"]).without_dead()
    return net.freeze(table, found.masks, names=["output0", *MASKS]).without_dead()
