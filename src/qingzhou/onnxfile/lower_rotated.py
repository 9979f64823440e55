"""NMS of rotated boxes -> ONNX, from opset 11 on: as Ultralytics does it.

Boxes are taken for normal distributions, of which the Hellinger distance is known (Murrugarra-Llerena et al. 2021,
"Gaussian Bounding Boxes and Probabilistic Intersection-over-Union", equations 7 to 9); source of the small numbers that
keep it finite: batch_probiou in ultralytics/utils/metrics.py.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..graph.form import Node
from .lowering import Lowering

CANDIDATES = 2000  # boxes that are compared with each other: with more, the tables would not fit into a board's memory
SMALL = 1e-7


def rotated_nms(e: Lowering, node: Node) -> None:
    """Of the boxes that score more than `score`, best first, those that overlap no better one by more than `iou`."""
    boxes, scores, groups = node.inputs
    out, attrs = node.outputs[0], node.attrs
    order = _candidates(e, scores, attrs["score"], out)
    chosen = e.node("Gather", [boxes, order], [f"{out}/chosen"], axis=0)
    group = e.node("Cast", [e.node("Gather", [groups, order], [f"{out}/their_groups"], axis=0)], [f"{out}/group"], to=1)
    apart = e.node("Mul", [group, e.constant(f"{out}/apart", np.array(attrs["apart"], np.float32))], [f"{out}/moves"])
    overlap = _Pairs(e, out).overlap(chosen, apart)
    above = e.node("Greater", [overlap, e.constant(f"{out}/iou", np.array(attrs["iou"], np.float32))], [f"{out}/above"])
    worse = e.node("And", [above, _is_later(e, order, out)], [f"{out}/suppressed"])
    times = e.axes("ReduceMax", e.node("Cast", [worse], [f"{out}/times"], to=1), f"{out}/any", [0], keepdims=0)
    stays = e.node("Less", [times, e.number(0.5, out)], [f"{out}/stays"])
    places = e.node(
        "Reshape", [e.node("NonZero", [stays], [f"{out}/found"]), e.ints(f"{out}/flat", [-1])], [f"{out}/places"]
    )
    ends = [e.ints(f"{out}/{name}", [value]) for name, value in (("from", 0), ("to", attrs["most"]), ("axis", 0))]
    e.node("Gather", [order, e.node("Slice", [places, *ends], [f"{out}/first"])], [out], axis=0)


def _candidates(e: Lowering, scores: str, least: float, out: str) -> str:
    """Places of the scores above `least`, best first."""
    likely = e.node("Greater", [scores, e.constant(f"{out}/least", np.array(least, np.float32))], [f"{out}/likely"])
    # Min knows whole numbers only since opset 12, so they are counted in floats.
    ones = e.node("Cast", [likely], [f"{out}/ones"], to=1)
    count = e.node("ReduceSum", [ones], [f"{out}/there"], keepdims=1)
    least_of = e.node(
        "Min", [count, e.constant(f"{out}/candidates", np.array([CANDIDATES], np.float32))], [f"{out}/fewer"]
    )
    wanted = e.node("Cast", [least_of], [f"{out}/count"], to=7)
    masked = e.node("Mul", [scores, ones], [f"{out}/masked"])
    e.node("TopK", [masked, wanted], [f"{out}/best", f"{out}/order"], axis=0)
    return f"{out}/order"


def _is_later(e: Lowering, order: str, out: str) -> str:
    """(n, n): whether the column's box comes after the row's."""
    shape = e.node("Shape", [order], [f"{out}/shape"])
    size = e.node("Gather", [shape, e.constant(f"{out}/0", np.array(0, np.int64))], [f"{out}/size"])
    limits = [e.constant(f"{out}/{name}", np.array(n, np.int64)) for name, n in (("zero", 0), ("one", 1))]
    row = e.node("Range", [limits[0], size, limits[1]], [f"{out}/numbers"])
    column = e.axes("Unsqueeze", row, f"{out}/column", [1])
    return e.node("Less", [column, row], [f"{out}/later"])


class _Pairs:
    """Arithmetic on columns of numbers, (n, 1), and tables of all pairs, (n, n)."""

    def __init__(self, e: Lowering, out: str) -> None:
        self.e, self.out, self.count = e, f"{out}/pairs", 0

    def do(self, op: str, *inputs: str | float) -> str:
        """One operation; numbers become constants."""
        self.count += 1
        names = [
            x if isinstance(x, str) else self.e.constant(f"{self.out}/{x:g}", np.array(x, np.float32)) for x in inputs
        ]
        return self.e.node(op, names, [f"{self.out}/step{self.count}"])

    def column(self, boxes: str, i: int) -> str:
        """One of the five numbers of each box."""
        ends = [self.e.ints(f"{self.out}/{name}{n}", [n]) for name, n in (("from", i), ("to", i + 1), ("axis", 1))]
        return self.do("Slice", boxes, *ends)

    def with_all(self, op: str, column: str) -> str:
        """Each with each."""
        return self.do(op, column, self.e.node("Transpose", [column], [f"{column}/row"], perm=(1, 0)))

    def overlap(self, boxes: str, moves: str) -> str:
        """(n, n) from 0 to 1."""
        moved = self.e.axes("Unsqueeze", moves, f"{self.out}/moves", [1])
        x, y = (self.do("Add", self.column(boxes, i), moved) for i in (0, 1))
        a, b, c = self.covariance(*(self.column(boxes, i) for i in (2, 3, 4)))
        sums = [self.with_all("Add", part) for part in (a, b, c)]
        dx, dy = self.with_all("Sub", x), self.with_all("Sub", y)
        area = self.do("Sub", self.do("Mul", sums[0], sums[1]), self.do("Mul", sums[2], sums[2]))
        safe = self.do("Add", area, SMALL)
        far = self.do("Add", self.times(sums[0], dy, dy), self.times(sums[1], dx, dx))
        skew = self.times(sums[2], self.do("Neg", dx), dy)
        near = self.do(
            "Add", self.do("Mul", self.do("Div", far, safe), 0.25), self.do("Mul", self.do("Div", skew, safe), 0.5)
        )
        return self.likeness(self.do("Add", near, self.form(a, b, c, area)))

    def covariance(self, width: str, height: str, angle: str) -> tuple[str, str, str]:
        """Of a uniform box that is turned: [[a, c], [c, b]]."""
        w, h = (self.do("Div", self.do("Mul", side, side), 12.0) for side in (width, height))
        cos, sin = self.do("Cos", angle), self.do("Sin", angle)
        cos2, sin2 = self.do("Mul", cos, cos), self.do("Mul", sin, sin)
        a = self.do("Add", self.do("Mul", w, cos2), self.do("Mul", h, sin2))
        b = self.do("Add", self.do("Mul", w, sin2), self.do("Mul", h, cos2))
        return a, b, self.times(self.do("Sub", w, h), cos, sin)

    def form(self, a: str, b: str, c: str, area: str) -> str:
        """What differs in size and angle: half the logarithm of a ratio of areas."""
        own = self.do("Relu", self.do("Sub", self.do("Mul", a, b), self.do("Mul", c, c)))
        root = self.do("Sqrt", self.with_all("Mul", own))
        ratio = self.do("Div", area, self.do("Add", self.do("Mul", root, 4.0), SMALL))
        return self.do("Mul", self.do("Log", self.do("Add", ratio, SMALL)), 0.5)

    def likeness(self, distance: str) -> str:
        """One minus Hellinger's distance, from Bhattacharyya's."""
        kept = self.do("Min", self.do("Max", distance, SMALL), 100.0)
        far = self.do("Add", self.do("Sub", 1.0, self.do("Exp", self.do("Neg", kept))), SMALL)
        return self.do("Sub", 1.0, self.do("Sqrt", far))

    def times(self, *factors: str) -> str:
        """The product of three."""
        first, second, third = factors
        return self.do("Mul", self.do("Mul", first, second), third)


RULES: dict[str, Callable[[Lowering, Node], None]] = {"RotatedNms": rotated_nms}
