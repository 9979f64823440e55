"""Trees as operators: where every tree ends for a row, and what its leaves say.

All trees of an ensemble lie in one table of nodes. Small ones go down step by step with plain operators, which every
engine has; large ones are TreeEnsembleRegressors of ai.onnx.ml, whose every tree answers with what its leaf says, as
the number of a row. What the leaves say is looked up in float64 and summed one tree after the other, as the originals
do it: so a tie between two classes is a tie here.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...graph.form import ML, Array, Value
from .refuse import garbled, refused
from .work import Work

DOUBLES = "trees behind arithmetic"  # or with categories, or thresholds of float64
ARITHMETIC = frozenset(("Add", "Sub", "Mul", "Div", "MatMul", "Gemm", "Pow", "Sqrt", "Exp", "Log", "ReduceSum"))

LARGE = 1 << 12  # nodes, from which on trees are operators of their own
PIECE = 1 << 13  # nodes of one of these
DEEPEST = 64  # steps that are written down one by one
MOST_NODES = 1 << 24  # whose numbers float32 can tell apart


@dataclass(frozen=True)
class Trees:
    """Nodes of all trees, one after the other; of a leaf, `left` and `right` are the node itself.

    column     (M) which column is compared
    threshold  (M) float64; left where x <= threshold, or x < threshold where `below`
    missing    (M) whether a row without a number goes left
    roots      (T) the first node of each tree
    sets       node -> the numbers (whole, from 0) that go left there, of nodes that compare with none
    """

    column: Array
    threshold: Array
    left: Array
    right: Array
    missing: Array
    roots: Array
    below: bool = False
    sets: dict[int, Array] | None = None

    @property
    def leaves(self) -> Array:
        """(M) whether a node is one."""
        return np.asarray(self.left == np.arange(len(self.left)))

    def part(self, start: int, end: int) -> Trees:
        """Those whose nodes are from `start` to before `end`; without sets."""
        inside = (self.roots >= start) & (self.roots < end)
        return Trees(
            self.column[start:end],
            self.threshold[start:end],
            self.left[start:end] - start,
            self.right[start:end] - start,
            self.missing[start:end],
            self.roots[inside] - start,
            self.below,
        )

    @classmethod
    def joined(cls, parts: Sequence[Trees]) -> Trees:
        """All of these as one."""
        starts = np.cumsum([0, *(len(one.left) for one in parts)])
        moved = [(one, int(start)) for one, start in zip(parts, starts, strict=False)]
        sets = {node + start: found for one, start in moved for node, found in (one.sets or {}).items()}
        return cls(
            np.concatenate([one.column for one in parts]),
            np.concatenate([one.threshold for one in parts]),
            np.concatenate([one.left + start for one, start in moved]),
            np.concatenate([one.right + start for one, start in moved]),
            np.concatenate([one.missing for one in parts]),
            np.concatenate([one.roots + start for one, start in moved]),
            parts[0].below,
            sets or None,
        )

    def depth(self) -> int:
        """Steps from a root to the last leaf; CheckpointDamaged where a node is met twice."""
        now, steps, met = self.roots, 0, len(self.roots)
        while True:
            inner = now[~self.leaves[now]]
            if not len(inner):
                return steps
            now, steps = np.concatenate([self.left[inner], self.right[inner]]), steps + 1
            met += len(now)
            if met > len(self.left) or steps > 1 << 16:
                raise garbled("the nodes of a tree go in circles", "决策树的节点成环")


def tree(column: Array, threshold: Array, left: Array, right: Array, missing: Array, columns: int, below: bool = False,
         sets: dict[int, Array] | None = None) -> Trees:  # fmt: skip
    """One tree whose leaves have left < 0; CheckpointDamaged where it names what is not there."""
    count = len(left)
    own = np.arange(count)
    leaf = left < 0
    left, right = np.where(leaf, own, left).astype(np.int64), np.where(leaf, own, right).astype(np.int64)
    column = np.where(leaf, 0, column).astype(np.int64)
    sides = np.concatenate([left, right])
    if np.any(~leaf & ((left == own) | (right == own))):
        raise garbled("the nodes of a tree go in circles", "决策树的节点成环")
    if not count or sides.min() < 0 or sides.max() >= count or column.min() < 0 or column.max() >= max(columns, 1):
        raise garbled("a tree names nodes or columns that are not there", "决策树引用了不存在的节点或列")
    threshold = np.where(leaf, 0.0, threshold.astype(np.float64))
    return Trees(column, threshold, left, right, missing.astype(bool), np.zeros(1, np.int64), below, sets)


def _takes_one(w: Work, trees: Trees, x: Value) -> bool:
    """Whether all of them are one operator for a row; UnsupportedCheckpoint where they are too many or too deep."""
    depth, count = trees.depth(), len(trees.left)
    if count > MOST_NODES:
        raise refused(f"its trees have {count} nodes", f"决策树共有 {count} 个节点")
    if w.large and (count > LARGE or depth > DEEPEST) and trees.sets is None and x.dtype == "float32":
        return True
    if depth > 1 << 10:
        raise refused(f"its trees are {depth} deep", f"决策树的深度是 {depth}")
    return False


def single(threshold: Array, below: bool) -> Array:
    """float32 thresholds with which a float32 compares as with these: rounded down for <=, up for <."""
    with np.errstate(over="ignore"):
        found = threshold.astype(np.float32)
    away = found.astype(np.float64)
    if below:
        return np.where(away < threshold, np.nextafter(found, np.float32(np.inf)), found)
    return np.where(away > threshold, np.nextafter(found, np.float32(-np.inf)), found)


def _below(trees: Trees, dtype: str) -> Array:
    """Thresholds with which x < t asks the same: x <= t is x < the next number (LessOrEqual came with opset 12)."""
    found = single(trees.threshold, trees.below) if dtype == "float32" else trees.threshold
    return found if trees.below else np.nextafter(found, found.dtype.type(np.inf))


def _step_by_step(w: Work, trees: Trees, x: Value, depth: int) -> Value:
    """Which node each tree is at: its number times 2, plus 1 for the left, is a place in the table of nodes."""
    net = w.net
    children = w.of(np.stack([trees.right, trees.left], 1).ravel(), "int64")
    columns, thresholds = w.of(trees.column, "int64"), w.of(_below(trees, x.dtype), x.dtype)
    missing = w.of(trees.missing, "int64") if trees.missing.any() else None
    sets = _sets(w, trees)
    empty = w.is_empty(x) if missing is not None else None
    at = w.of(np.broadcast_to(trees.roots, (1, len(trees.roots))), "int64")
    rows = net.emit("Concat", [net.as_row(net.size(x, 0)), net.whole(len(trees.roots))], axis=0)
    node = net.emit("Expand", [at, rows], (x.shape[0], len(trees.roots)))
    for _ in range(depth):
        column = net.emit("Gather", [columns, node], axis=0)
        value = net.emit("GatherElements", [x, column], axis=1)
        limit = net.emit("Gather", [thresholds, node], axis=0)
        left = w.cast(net.emit("Less", [value, limit]), "int64")
        if sets is not None:
            left = sets.decide(w, node, value, left)
        if missing is not None and empty is not None:
            void = net.emit("GatherElements", [empty, column], axis=1)
            left = net.emit("Where", [void, net.emit("Gather", [missing, node], axis=0), left])
        place = w.add(w.add(node, node), left)
        node = net.emit("Gather", [children, place], axis=0)
    return node


@dataclass(frozen=True)
class _Sets:
    """Which numbers go left at nodes that compare with none: one table of truths for all of them."""

    row: Value  # (M) of each node, its first place in the table; -1 of those that compare
    truths: Value  # flat, 1 and 0
    most: int  # numbers of each

    def decide(self, w: Work, node: Value, value: Value, left: Value) -> Value:
        """(N, T) 1 where it goes left; a number that is in no set, or none, does not."""
        net = w.net
        row = net.emit("Gather", [self.row, node], axis=0)
        number = w.op("Min", w.op("Max", value, -1.0), float(self.most))  # NaN is asked for before
        number = w.where(w.is_empty(number), -1.0, number)
        place = w.add(w.cast(w.op("Floor", number), "int64"), 1)
        compares = w.op("Less", row, 0)
        found = net.emit("Gather", [self.truths, w.add(w.where(compares, 0, row), place)], axis=0)
        return net.emit("Where", [compares, left, found])


def _sets(w: Work, trees: Trees) -> _Sets | None:
    if not trees.sets:
        return None
    most = max(int(found.max(initial=0)) for found in trees.sets.values()) + 1
    if most * len(trees.sets) > 1 << 22:
        raise refused("its trees have too many categories", "决策树的类别太多")
    truths = np.zeros((len(trees.sets), most + 2), bool)  # of -1, the numbers, and of what is larger than all
    row = np.full(len(trees.left), -1, np.int64)
    for i, (node, found) in enumerate(trees.sets.items()):
        truths[i, found.astype(np.int64) + 1] = True
        row[node] = i * (most + 2)
    return _Sets(w.of(row, "int64"), w.of(truths.ravel(), "int64"), most)


def _few_operators(w: Work, trees: Trees, x: Value, weights: Array) -> Value:
    """(N, T) int64: what the leaf at which each tree ends weighs; whole numbers that float32 can tell apart.

    Several operators one beside the other: onnxruntime copies all nodes of one while it opens it.
    """
    count = len(trees.roots)
    ends = [*trees.roots.tolist(), len(trees.left)]
    groups = np.split(np.arange(count), np.flatnonzero(np.diff(trees.roots // PIECE)) + 1)
    leaf = np.append(0, np.cumsum(trees.leaves))
    parts = []
    for group in groups:
        start, end = ends[group[0]], ends[group[-1] + 1]
        parts.append(_one_operator(w, trees.part(start, end), x, weights[leaf[start] : leaf[end]]))
    return w.cast(w.concat(parts), "int64")


def _one_operator(w: Work, trees: Trees, x: Value, weights: Array) -> Value:
    """(N, T) float32: TreeEnsembleRegressor (ai.onnx.ml 1) with a target for each tree."""
    count, total = len(trees.roots), len(trees.left)
    sizes = np.diff([*trees.roots.tolist(), total])
    owner = np.repeat(np.arange(count), sizes)
    start = np.repeat(trees.roots, sizes)
    number = np.arange(total) - start
    leaf = trees.leaves
    missing = {"nodes_missing_value_tracks_true": _many(trees.missing)} if trees.missing.any() else {}
    return w.net.op(
        "TreeEnsembleRegressor",
        w.net.here,
        [x],
        (x.shape[0], count),
        "float32",
        ML,
        nodes_treeids=_many(owner),
        nodes_nodeids=_many(number),
        nodes_featureids=_many(trees.column),
        nodes_truenodeids=_many(np.where(leaf, 0, trees.left - start)),
        nodes_falsenodeids=_many(np.where(leaf, 0, trees.right - start)),
        nodes_modes=tuple(map(("BRANCH_LT" if trees.below else "BRANCH_LEQ", "LEAF").__getitem__, leaf.tolist())),
        nodes_values=_many(single(trees.threshold, trees.below), "f"),
        target_treeids=_many(owner[leaf]),
        target_nodeids=_many(number[leaf]),
        target_ids=_many(owner[leaf]),
        target_weights=_many(weights, "f"),
        n_targets=count,
        post_transform="NONE",
        aggregate_function="SUM",
        **missing,
    )


def _many(values: Array, kind: str = "i") -> array[Any]:
    """As an attribute: whole numbers, of which none is large, or "f", float32."""
    return array(kind, values.astype(kind).tobytes())


def said(w: Work, trees: Trees, x: Value, leaves: Array, dtype: str = "float64") -> Value:
    """What each tree says of x (N, C) float32 or float64: leaves (M, K) -> (N, T, K)."""
    if DOUBLES not in w.doubles and (trees.sets is not None or x.dtype == "float64" or _reckoned(w, x)):
        w.doubles.append(DOUBLES)
    if not _takes_one(w, trees, x):
        return w.take(np.ascontiguousarray(leaves), _step_by_step(w, trees, x, trees.depth()), dtype)
    table, places = _different(leaves[trees.leaves])
    return w.take(table, _few_operators(w, trees, x, places), dtype)


def _reckoned(w: Work, x: Value) -> bool:
    """Whether numbers that are compared were computed before: in float32 some come to lie beyond a threshold."""
    makers = {name: node for node in w.net.nodes for name in node.outputs}
    left, seen = [x.name], set[str]()
    while left:
        node = makers.get(left.pop())
        if node is not None and node.outputs[0] not in seen:
            if node.op in ARITHMETIC:
                return True
            seen.add(node.outputs[0])
            left += node.inputs
    return False


def _different(rows: Array) -> tuple[Array, Array]:
    """Each row once, and for each where it stands: what most leaves of a forest say, many others say, too."""
    places: dict[bytes, int] = {}
    each = np.ascontiguousarray(rows).view(f"V{rows.shape[1] * rows.itemsize}")[:, 0].tolist()
    found: Array = np.fromiter((places.setdefault(row, len(places)) for row in each), np.int64, len(each))
    first = np.unique(found, return_index=True)[1]
    return rows[first], found


def summed(w: Work, found: Value, start: Array | None = None) -> Value:
    """(N, T, K) -> (N, K), one tree after the other, from `start` (K) on."""
    count, size = found.shape[1], found.shape[2]
    assert isinstance(count, int) and isinstance(size, int)
    if start is not None and np.any(start):
        first = w.mul(w.net.emit("Slice", [found, *(w.net.whole(n) for n in (0, 1, 1))]), 0.0)
        found, count = w.concat([w.add(first, w.of(np.asarray(start), found.dtype)), found]), count + 1
    if count == 1:
        return w.flat(found)
    running = w.net.emit("CumSum", [found, w.net.array(np.array(1, np.int64))])
    last = w.net.emit("Slice", [running, *(w.net.whole(n) for n in (count - 1, count, 1))])
    return w.flat(last)


def narrow(w: Work, x: Value) -> Value:
    """As scikit-learn's trees see it: float32."""
    return w.cast(x, "float32")
