"""A TreeEnsembleRegressor of ai.onnx.ml as tables, one row for each node, which plain arithmetic walks through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...graph.form import Array, Node

MODES = {"BRANCH_LEQ": False, "BRANCH_LT": True}


@dataclass(frozen=True)
class Flat:
    """tables: column, limit (left where below it), sides (right and left of each node), missing, said, roots."""

    tables: dict[str, Array]
    depth: int


def flat(node: Node) -> Flat | str:
    """The trees of a node each of which answers for a target of its own, as sources/sklearn writes them; else a word on
    what is different.
    """
    attrs = node.attrs
    trees, numbers = (_row(attrs, f"nodes_{name}") for name in ("treeids", "nodeids"))
    modes = attrs.get("nodes_modes", ())
    kinds = {mode for mode in modes if mode != "LEAF"}
    if not len(trees) == len(numbers) == len(modes) or len(kinds) > 1 or not kinds <= MODES.keys():
        return "several kinds of comparisons" if len(kinds) > 1 else f"nodes {', '.join(sorted(kinds))[:60]}"
    if attrs.get("aggregate_function", "SUM") != "SUM" or attrs.get("post_transform", "NONE") != "NONE":
        return "another sum"
    if any(_row(attrs, "base_values")):
        return "base values"
    place = {key: i for i, key in enumerate(zip(trees.tolist(), numbers.tolist(), strict=True))}
    leaf = np.array([mode == "LEAF" for mode in modes])
    try:
        left, right = (_children(attrs, name, trees, leaf, place) for name in ("true", "false"))
        ends = [
            place[key]
            for key in zip(*(_row(attrs, f"target_{name}").tolist() for name in ("treeids", "nodeids")), strict=True)
        ]
    except KeyError:
        return "nodes that are not there"
    owners = _row(attrs, "target_treeids")
    if sorted(ends) != np.flatnonzero(leaf).tolist() or not np.array_equal(owners, _row(attrs, "target_ids")):
        return "several targets for a tree"
    said = np.zeros(len(trees), np.float32)
    said[ends] = _row(attrs, "target_weights", np.float32)
    roots = np.setdiff1d(np.arange(len(trees)), np.concatenate([left[~leaf], right[~leaf]]))
    depth = _depth(roots, left, right, leaf)
    if trees[roots].tolist() != list(range(int(attrs.get("n_targets", 1)))) or depth is None:
        return "trees that are none"
    limit = _row(attrs, "nodes_values", np.float32)
    if kinds != {"BRANCH_LT"}:  # x <= t is x < the next number
        limit = np.nextafter(limit, np.float32(np.inf))
    missing = _row(attrs, "nodes_missing_value_tracks_true").astype(bool)
    tables = {
        "column": _row(attrs, "nodes_featureids"),
        "limit": limit,
        "sides": np.stack([right, left], 1).ravel(),
        "missing": missing if len(missing) else np.zeros(len(trees), bool),
        "said": said,
        "roots": roots,
    }
    return Flat(tables, depth)


def _row(attrs: Any, name: str, dtype: Any = np.int64) -> Array:
    return np.asarray(attrs.get(name, ()), dtype)


def _children(attrs: Any, name: str, trees: Array, leaf: Array, place: dict[tuple[int, int], int]) -> Array:
    """Where each node goes; a leaf stays."""
    numbers = _row(attrs, f"nodes_{name}nodeids").tolist()
    return np.array(
        [
            i if end else place[tree, number]
            for i, (tree, number, end) in enumerate(zip(trees.tolist(), numbers, leaf.tolist(), strict=True))
        ]
    )


def _depth(roots: Array, left: Array, right: Array, leaf: Array) -> int | None:
    """Steps to the last leaf; None where a node is met twice."""
    now, steps, met = roots, 0, len(roots)
    while len(now := now[~leaf[now]]):
        now, steps = np.concatenate([left[now], right[now]]), steps + 1
        met += len(now)
        if met > len(leaf):
            return None
    return steps
