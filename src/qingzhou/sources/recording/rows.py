"""Whether a network that was recorded with a free batch treats each sample by itself: then any number may go in.

Of each value it is known along which axis the samples lie, each with as many rows of its own, one sample after the
other. An operator that may mix them, or is none of these, shows nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from ...graph.form import BLOCK, Graph, Node, Shape, Value

SIZES = -1  # instead of an axis: numbers that are reckoned from how many samples there are


class _Mixed(Exception):
    """It is not known to keep samples apart; never leaves this module."""


def by_itself(graph: Graph, whole: Mapping[str, Value], count: int) -> bool:
    """Whether each row of each output is of one sample alone, for inputs whose samples lie along their first axis.

    whole  the same values for `count` samples, all of whose sizes are numbers
    """
    rows = _Rows(graph, whole, count)
    try:
        for node in graph.nodes:
            rows.step(node)
    except (_Mixed, LookupError, TypeError, ValueError):
        return False
    return all(rows.axes.get(one.name) == 0 for one in graph.outputs)


class _Rows:
    def __init__(self, graph: Graph, whole: Mapping[str, Value], count: int) -> None:
        self.graph, self.whole, self.count = graph, whole, count
        self.axes: dict[str, int] = {value.name: 0 for value in graph.inputs}

    def step(self, node: Node) -> None:
        """One operator; _Mixed."""
        given = [name for name in node.inputs if name in self.axes]
        if not given:
            return  # of constants alone
        if node.op == "Shape" or all(self.axes[name] == SIZES for name in given):
            self.need(node.op in OF_SIZES)
            axis: int | None = SIZES if node.op != "Expand" else self._free(node.outputs[0])
        else:
            rule = RULES.get(("" if node.domain == "" else BLOCK, node.op))
            self.need(rule is not None)
            assert rule is not None
            axis = rule(self, node)
        for name in node.outputs:
            if axis is not None and name:
                self.axes[name] = axis
                self.need(axis == SIZES or self._many(name, axis))

    def _many(self, name: str, axis: int) -> bool:
        """Whether the axis holds as many rows for each sample."""
        size = self.whole[name].shape[axis]
        return isinstance(size, int) and size % self.count == 0

    def _free(self, name: str) -> int:
        free = [i for i, n in enumerate(self.shape(name)) if isinstance(n, str)]
        self.need(len(free) == 1)
        return free[0]

    # -- what rules ask ----------------------------------------------------------------------------------------------

    def need(self, fine: bool) -> None:
        """_Mixed where something is not so."""
        if not fine:
            raise _Mixed

    def fixed(self, *names: str) -> None:
        """None of these depends on the samples."""
        self.need(not any(name in self.axes for name in names))

    def axis(self, node: Node, i: int = 0) -> int:
        """Along which the samples of input i lie."""
        found = self.axes.get(node.inputs[i])
        self.need(found is not None and found >= 0)
        return int(found or 0)

    def shape(self, name: str) -> Shape:
        """Of a value or constant."""
        return self.graph.values[name].shape if name in self.graph.values else self.graph.constants[name].shape

    def rank(self, node: Node, i: int = 0) -> int:
        """How many axes input i has."""
        return len(self.shape(node.inputs[i]))

    def numbers(self, node: Node, i: int, name: str = "") -> list[int]:
        """The whole numbers of an attribute, or of a constant input."""
        if name in node.attrs:
            found = node.attrs[name]
            return [int(found)] if isinstance(found, int) else [int(n) for n in found]
        return [int(n) for n in self.graph.constants[node.inputs[i]].load().reshape(-1)]


Rule = Callable[[_Rows, Node], int]


def _together(r: _Rows, node: Node) -> int:
    """Number by number, broadcast: counted from the end, all have their samples at the same place."""
    rank = max(len(r.shape(name)) for name in node.inputs if name)
    places = {r.axes[name] + rank - len(r.shape(name)) for name in node.inputs if name in r.axes}
    sizes = {r.shape(name)[r.axes[name]] for name in node.inputs if name in r.axes}
    r.need(len(places) == 1 and len(sizes) == 1 and min(places) >= 0)
    (place,) = places
    for name in node.inputs:
        if name and name not in r.axes:
            at = place - (rank - len(r.shape(name)))
            r.need(at < 0 or r.shape(name)[at] == 1)
            r.need(not _is_count(r, name))
    return place


def _is_count(r: _Rows, name: str) -> bool:
    """A single number that may have been reckoned from how many samples there were."""
    constant = r.graph.constants.get(name)
    if r.count == 1 or constant is None or math.prod(constant.shape) != 1:
        return False
    return any(math.isclose(abs(float(constant.load().reshape(()))), n, rel_tol=1e-6) for n in (r.count, 1 / r.count))


def _first(r: _Rows, node: Node) -> int:
    """A layer whose samples lie along the first axis."""
    r.fixed(*node.inputs[1:])
    r.need(r.axis(node) == 0 and r.rank(node) >= 2)
    return 0


def _linear(r: _Rows, node: Node) -> int:
    r.fixed(*node.inputs[1:])
    r.need(r.axis(node) < r.rank(node) - 1)
    return r.axis(node)


def _product(r: _Rows, node: Node) -> int:
    """MatMul: samples among the matrices, or among the rows of the first one."""
    a, b = node.inputs
    ranks = r.rank(node, 0), r.rank(node, 1)
    rank = max(ranks)
    r.need(min(ranks) >= 2)
    if a in r.axes and b in r.axes:
        place = _together(r, node)
        r.need(place < rank - 2)
        return place
    which = 0 if a in r.axes else 1
    place = r.axis(node, which) + rank - ranks[which]
    r.need(place < rank - (1 if which == 0 else 2))
    other = place - (rank - ranks[1 - which])
    r.need(place == rank - 2 or other < 0 or r.shape(node.inputs[1 - which])[other] == 1)
    return place


def _along(r: _Rows, node: Node) -> int:
    """Over one other axis, which stays."""
    axis = node.attrs.get("axis", -1) if node.op != "CumSum" else r.numbers(node, 1)[0]
    r.need(axis % r.rank(node) != r.axis(node))
    return r.axis(node)


def _behind(r: _Rows, node: Node) -> int:
    """LayerNormalization: over all axes from one on."""
    r.fixed(*node.inputs[1:])
    r.need(node.attrs.get("axis", -1) % r.rank(node) > r.axis(node))
    return r.axis(node)


def _reduced(r: _Rows, node: Node) -> int:
    rank = r.rank(node)
    name = "axis" if node.op.startswith("Arg") else "axes"
    axes = {n % rank for n in r.numbers(node, 1, name)}
    r.need(bool(axes) and r.axis(node) not in axes)
    return r.axis(node) - (0 if node.attrs.get("keepdims", 1) else sum(n < r.axis(node) for n in axes))


def _reshaped(r: _Rows, node: Node) -> int:
    """What lies before the samples is as much as it was, in whatever axes."""
    before, new = r.shape(node.inputs[0])[: r.axis(node)], r.shape(node.outputs[0])
    at = r._free(node.outputs[0])
    r.need(all(isinstance(n, int) for n in before))
    r.need(math.prod(n for n in before if isinstance(n, int)) == math.prod(n for n in new[:at] if isinstance(n, int)))
    return at


def _flattened(r: _Rows, node: Node) -> int:
    r.need(node.attrs.get("axis", 1) == 1 and r.axis(node) == 0)
    return 0


def _turned(r: _Rows, node: Node) -> int:
    return list(node.attrs["perm"]).index(r.axis(node))


def _wider(r: _Rows, node: Node) -> int:
    rank = r.rank(node) + len(r.numbers(node, 1))
    new = sorted(n % rank for n in r.numbers(node, 1))
    kept = [i for i in range(rank) if i not in new]
    return kept[r.axis(node)]


def _narrower(r: _Rows, node: Node) -> int:
    gone = {n % r.rank(node) for n in r.numbers(node, 1)}
    r.need(r.axis(node) not in gone)
    return r.axis(node) - sum(n < r.axis(node) for n in gone)


def _joined(r: _Rows, node: Node) -> int:
    axes = {r.axis(node, i) for i in range(len(node.inputs))}
    r.need(len(axes) == 1 and node.attrs["axis"] % r.rank(node) not in axes)
    return axes.pop()


def _cut(r: _Rows, node: Node) -> int:
    r.fixed(*node.inputs[1:])
    r.need(r.axis(node) not in {n % r.rank(node) for n in r.numbers(node, 3)})
    return r.axis(node)


def _gathered(r: _Rows, node: Node) -> int:
    axis = node.attrs.get("axis", 0) % r.rank(node)
    if node.inputs[0] in r.axes:
        r.fixed(node.inputs[1])
        at = r.axis(node)
        r.need(at != axis)
        return at if at < axis else at - 1 + r.rank(node, 1)
    return int(axis) + r.axis(node, 1)


def _gathered_along(r: _Rows, node: Node) -> int:
    r.need(r.axis(node) == r.axis(node, 1) != node.attrs.get("axis", 0) % r.rank(node))
    return r.axis(node)


def _gathered_within(r: _Rows, node: Node) -> int:
    r.need(node.attrs.get("batch_dims", 0) == 1 and r.axis(node) == r.axis(node, 1) == 0)
    return 0


def _repeated(r: _Rows, node: Node) -> int:
    """Expand and Tile: along other axes than that of the samples."""
    rank = len(r.shape(node.outputs[0]))
    place = r.axis(node) + rank - r.rank(node)
    if node.op == "Tile":
        r.need(r.numbers(node, 1)[place] == 1)
    r.need(r.shape(node.outputs[0])[place] == r.shape(node.inputs[0])[r.axis(node)])
    return place


def _padded(r: _Rows, node: Node) -> int:
    r.fixed(*node.inputs[1:])
    pads, axis = r.numbers(node, 1), r.axis(node)
    r.need(pads[axis] == 0 == pads[axis + r.rank(node)])
    return axis


def _counted(r: _Rows, node: Node) -> int:
    r.fixed(*node.inputs[1:])
    r.need(node.attrs.get("axis", -1) == -1)
    return r.axis(node)


def _recurrent(r: _Rows, node: Node) -> int:
    """Lstm: (T, N, C), and a state that is of the samples, too, or zero."""
    r.need(r.axis(node) == 1)
    r.need(all(not name or r.axes.get(name) == 1 for name in node.inputs[1:3]))
    r.fixed(*node.inputs[3:])
    return 1


def _split(r: _Rows, node: Node) -> int:
    r.need(node.attrs.get("axis", 0) % r.rank(node) != r.axis(node))
    return r.axis(node)


def _all(names: str, rule: Rule, domain: str = "") -> Mapping[tuple[str, str], Rule]:
    return {(domain, name): rule for name in names.split()}


OF_SIZES: Sequence[str] = (
    "Shape",
    "Gather",
    "Concat",
    "Mul",
    "Add",
    "Sub",
    "Div",
    "Cast",
    "Expand",
    "Reshape",
    "Squeeze",
)
RULES: Mapping[tuple[str, str], Rule] = {
    **_all(
        "Abs Acos Acosh Add And Asin Asinh Atan Atanh Cast Ceil Celu Clip Cos Cosh Div Elu Equal Erf Exp Floor Greater "
        "HardSigmoid HardSwish Identity IsInf IsNaN LeakyRelu Less Log Max Min Mod Mul Neg Not Or Pow PRelu Reciprocal "
        "Relu Round Selu Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Sub Tan Tanh Where Xor",
        _together,
    ),
    **_all("Silu Gelu", _together, BLOCK),
    **_all(
        "Conv ConvTranspose BatchNormalization InstanceNormalization MaxPool AveragePool GlobalAveragePool "
        "GlobalMaxPool Resize LRN DepthToSpace SpaceToDepth",
        _first,
    ),
    **_all("GroupNorm", _first, BLOCK), **_all("Linear", _linear, BLOCK), **_all("Lstm", _recurrent, BLOCK),
    **_all("MatMul", _product), **_all("Softmax LogSoftmax TopK CumSum", _along), **_all("LayerNormalization", _behind),
    **_all("ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSumExp", _reduced),
    **_all("ArgMax ArgMin", _reduced),
    **_all("Reshape", _reshaped), **_all("Flatten", _flattened), **_all("Transpose", _turned),
    **_all("Unsqueeze", _wider),
    **_all("Squeeze", _narrower), **_all("Concat", _joined), **_all("Slice", _cut), **_all("Gather", _gathered),
    **_all("GatherElements", _gathered_along), **_all("GatherND", _gathered_within), **_all("Expand Tile", _repeated),
    **_all("Pad", _padded), **_all("OneHot", _counted), **_all("Split", _split),
}  # fmt: skip
