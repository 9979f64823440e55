"""LightGBM's text (microsoft/LightGBM, src/io/tree.cpp and src/boosting/gbdt_model_text.cpp): lines of key=value."""

from __future__ import annotations

import numpy as np

from ...graph.form import Array
from ...runtime.model import fields
from .boosters import Booster, as_array, unknown_objective
from .fitted import MOST_CLASSES, Fitted, fitting
from .refuse import garbled, refused
from .trees import Trees, tree

CATEGORY, LEFT = 1, 2  # bits of decision_type; the next two say what is missing
ZERO, NAN = 1, 2  # what is missing
TINY = float(np.float32(1e-35))  # kZeroThreshold of LightGBM's meta.h: numbers up to it count as 0
LINKS = {
    **dict.fromkeys(("binary", "cross_entropy", "xentropy", "multiclassova"), "sigmoid"),
    "multiclass": "softmax",
    **dict.fromkeys(("regression", "regression_l2", "regression_l1", "huber", "fair", "quantile", "mape"), "identity"),
    **dict.fromkeys(("lambdarank", "rank_xendcg"), "identity"),
    **dict.fromkeys(("poisson", "gamma", "tweedie"), "exp"),
}
CLASSIFIES = ("binary", "multiclass", "multiclassova")
Lines = dict[str, str]


def is_model(head: bytes) -> bool:
    """Whether a file begins as one."""
    return head.startswith((b"tree\n", b"tree\r\n"))


def _blocks(text: str) -> tuple[Lines, list[Lines], str]:
    """The lines before the trees, those of each tree, and what stands behind them."""
    head, _, rest = text.replace("\r\n", "\n").partition("\nTree=")
    body, _, tail = rest.partition("\nend of trees")
    return _lines(head), [_lines(one) for one in body.split("\nTree=")] if rest else [], tail


def _lines(text: str) -> Lines:
    found = {}
    for line in text.splitlines():
        key, equal, value = line.partition("=")
        found[key.strip()] = value.strip() if equal else ""
    return found


def classifies(text: str) -> bool:
    """Whether it answers with classes."""
    return _objective(_blocks(text)[0])[0] in CLASSIFIES


def _objective(head: Lines) -> tuple[str, dict[str, str]]:
    name, *settings = head.get("objective", "regression").split()
    return name, dict(one.partition(":")[::2] for one in settings)


def of_text(text: str, e: Fitted | None = None, best: int = 0) -> Booster:
    """UnsupportedCheckpoint for linear trees and zeros that are missing. best: iterations that count, 0 of all."""
    head, blocks, tail = _blocks(text)
    name, settings = _objective(head)
    if name not in LINKS:
        raise unknown_objective(name, "LightGBM")
    link, each = LINKS[name], _whole(head, "num_tree_per_iteration", 1)
    if name == "regression" and "sqrt" in settings:
        link = "square"
    columns = fitting(_whole(head, "max_feature_idx") + 1)
    blocks = blocks[: best * each] if best > 0 else blocks
    if not blocks or not 0 < each <= MOST_CLASSES or len(blocks) % each:
        raise garbled("the number of LightGBM's trees does not fit its classes", "LightGBM 的树数量与类别不符")
    parts = [_tree(one, columns) for one in blocks]
    groups = [parts[k::each] for k in range(each)]
    slope = _number(settings.get("sigmoid") or "1") if link == "sigmoid" else 1.0
    average = len(groups[0]) if "average_output" in head else 1
    texts = _texts(head, tail)
    return Booster(
        [Trees.joined([nodes for nodes, _ in group]) for group in groups],
        [np.concatenate([leaves for _, leaves in group]) for group in groups],
        np.zeros(each),
        link,
        _names(head, columns),
        scale=slope / average,
        classes=[str(i) for i in range(max(each, 2))] if name in CLASSIFIES and e is None else [],
        texts=texts,
    )


def _names(head: Lines, columns: int) -> list[str]:
    """Column_0, Column_1, … are none."""
    names = head.get("feature_names", "").split()
    if len(names) != columns or names == [f"Column_{i}" for i in range(columns)]:
        return [f"x{i}" for i in range(columns)]
    return names


def _texts(head: Lines, tail: str) -> dict[int, list[str]]:
    """pandas_categorical, of the columns whose feature_infos are lists of categories."""
    line = next((one for one in tail.splitlines() if one.startswith("pandas_categorical:")), "")
    try:
        found = fields.loads(line.partition(":")[2] or "[]")
    except (ValueError, RecursionError):
        raise garbled("LightGBM's pandas_categorical is garbled", "LightGBM 的 pandas_categorical 混乱") from None
    if not found:
        return {}
    infos = head.get("feature_infos", "").split()
    places = [i for i, one in enumerate(infos) if not one.startswith("[") and one != "none"]
    if not isinstance(found, list) or len(places) != len(found) or not all(isinstance(one, list) for one in found):
        raise refused("its LightGBM has columns of categories that cannot be told apart", "LightGBM 的类别列无法区分")
    return {place: [str(one) for one in some] for place, some in zip(places, found, strict=True)}


def _whole(lines: Lines, key: str, default: int | None = None) -> int:
    try:
        return fields.integer(lines.get(key, "" if default is None else str(default)))
    except ValueError:
        raise garbled(f"LightGBM's {key} is no number", f"LightGBM 的 {key} 不是数字") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise garbled("LightGBM's sigmoid is no number", "LightGBM 的 sigmoid 不是数字") from None


def _row(lines: Lines, key: str, count: int) -> Array:
    """So many numbers."""
    try:
        found = as_array([float(one) for one in lines.get(key, "").split()], key)
    except ValueError:
        raise garbled(f"LightGBM's {key} is no list of numbers", f"LightGBM 的 {key} 不是数字列表") from None
    if len(found) != count:
        raise garbled(f"LightGBM's {key} has {len(found)} numbers, not {count}", f"LightGBM 的 {key} 数量不符")
    return found


def _tree(lines: Lines, columns: int) -> tuple[Trees, Array]:
    """Nodes 0, 1, … and then the leaves, which are called -1, -2, …"""
    count = _whole(lines, "num_leaves")
    if _whole(lines, "is_linear", 0):
        raise refused("its LightGBM has linear trees", "LightGBM 使用了线性树")
    if not 1 <= count <= 1 << 20:
        raise garbled("a tree of LightGBM has no leaves", "LightGBM 的一棵树没有叶子")
    inner = count - 1
    leaves = _row(lines, "leaf_value", count)
    if inner == 0:
        one = np.array([-1])
        return tree(one, one, one, one, np.zeros(1, bool), columns), leaves
    column, threshold, kind = (_row(lines, key, inner) for key in ("split_feature", "threshold", "decision_type"))
    bits = kind.astype(np.int64)
    missing, category = bits >> 2 & 3, (bits & CATEGORY) > 0
    if np.any((missing == ZERO) & ~category):
        raise refused(
            "its LightGBM takes zeros for missing (zero_as_missing)", "LightGBM 把 0 当作缺失值（zero_as_missing）"
        )
    to_left = np.where(missing == NAN, (bits & LEFT) > 0, threshold >= 0) & ~category  # elsewhere NaN is a 0
    sides = [_row(lines, key, inner).astype(np.int64) for key in ("left_child", "right_child")]
    left, right = (np.where(one < 0, inner + ~one, one) for one in sides)
    end = np.full(count, -1)
    found = tree(
        np.concatenate([column, end]),
        np.concatenate([np.where(category, threshold, _around_zero(threshold)), end]),
        np.concatenate([left, end]),
        np.concatenate([right, end]),
        np.concatenate([to_left, end > 0]),
        columns,
        sets=_sets(lines, category, threshold),
    )
    return found, np.concatenate([np.zeros(inner), leaves])


def _around_zero(threshold: Array) -> Array:
    """Thresholds that send all numbers that count as 0 to the side of 0."""
    below, above = (threshold >= -TINY) & (threshold < 0), (threshold >= 0) & (threshold < TINY)
    return np.where(below, np.nextafter(-TINY, -1.0), np.where(above, TINY, threshold))


def _sets(lines: Lines, category: Array, threshold: Array) -> dict[int, Array] | None:
    """Of nodes that ask for a category: which go left, as bits of words of 32."""
    if not category.any():
        return None
    count = _whole(lines, "num_cat")
    ends = _row(lines, "cat_boundaries", count + 1).astype(np.int64)
    words = _row(lines, "cat_threshold", int(ends[-1])).astype(np.uint32)
    found = {}
    for node in np.flatnonzero(category).tolist():
        which = int(threshold[node])
        if not 0 <= which < count:
            raise garbled("a set of categories is not there", "类别集合缺失")
        some = words[ends[which] : ends[which + 1]]
        found[node] = np.flatnonzero(np.unpackbits(some.astype("<u4").view(np.uint8), bitorder="little"))
    return found
