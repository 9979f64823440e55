"""Decision trees, forests and what boosts them, as scikit-learn saves them."""

from __future__ import annotations

import numpy as np

from ...files.types import Opaque
from ...graph.form import Array, Value
from .fitted import Fitted, listed
from .refuse import garbled, refused
from .trees import Trees, narrow, said, summed, tree
from .work import Answer, Classifier, Rows, Work, once

TREE = "sklearn.tree._tree.Tree"
TREES = ("DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor")


def nodes_of(e: Fitted) -> tuple[Trees, Array]:
    """A tree's nodes, and what they say: (M, answers · classes), classes of each answer side by side; (M, answers)."""
    found = e.need("tree_")
    state = found.state if isinstance(found, Opaque) and found.name == TREE else None
    nodes, values = (state.get("nodes"), state.get("values")) if isinstance(state, dict) else (None, None)
    if not isinstance(nodes, np.ndarray) or nodes.dtype.names is None or not isinstance(values, np.ndarray):
        raise garbled(f"the tree of a {e.name} is none", f"{e.name} 的决策树无法读取")
    if not {"left_child", "right_child", "feature", "threshold"} <= set(nodes.dtype.names):
        raise garbled(f"the nodes of a {e.name} have other columns", f"{e.name} 的节点字段不符")
    if values.ndim != 3 or len(values) != len(nodes):
        raise garbled(f"the answers of a {e.name} do not fit its nodes", f"{e.name} 的节点与答案不符")
    columns = found.args[0] if found.args and isinstance(found.args[0], int) else 0
    names = nodes.dtype.names
    missing = nodes["missing_go_to_left"] if "missing_go_to_left" in names else np.zeros(len(nodes), bool)
    column, threshold, left, right = (nodes[name] for name in ("feature", "threshold", "left_child", "right_child"))
    said_of = values.reshape(len(values), -1).astype(np.float64, copy=False)
    return tree(column, threshold, left, right, missing, columns), said_of


def shares_in(values: Array) -> Array:
    """Counts up to 1.2, shares from then on: as shares, which stay to their last digit."""
    total = values.sum(axis=1, keepdims=True)
    return np.asarray(values / np.where((np.abs(total - 1) < 1e-6) | (total == 0), 1.0, total))


def joined(estimators: list[Fitted]) -> tuple[Trees, Array]:
    """Several trees as one table."""
    if not estimators:
        raise garbled("an ensemble has no trees", "集成模型里没有决策树")
    for one in estimators:
        if one.name not in TREES:
            raise refused(f"a {one.name} stands where a tree is expected", f"应为决策树的位置是 {one.name}")
    parts = [nodes_of(one) for one in estimators]
    if len({values.shape[1] for _, values in parts}) > 1:
        raise refused("its trees know different classes", "各决策树的类别不同")
    return Trees.joined([one for one, _ in parts]), np.concatenate([values for _, values in parts])


def note_missing(w: Work, x: Rows, trees: Trees) -> None:
    """Whether a column may be empty, as it was in training."""
    if trees.missing.any():
        w.may_be_empty(x)


def _forest_proba(w: Work, e: Fitted, x: Rows) -> Value:
    """The mean of all trees' shares, which are summed one after the other."""
    e.classes()
    inner = [e] if e.name in TREES else e.several("estimators_")
    trees, values = joined(inner)
    note_missing(w, x, trees)
    found = summed(w, said(w, trees, narrow(w, x.value), shares_in(values)))
    return found if len(inner) == 1 else w.div(found, float(len(inner)))


def _forest_values(w: Work, e: Fitted, x: Rows) -> Value:
    inner = [e] if e.name in TREES else e.several("estimators_")
    trees, values = joined(inner)
    note_missing(w, x, trees)
    found = summed(w, said(w, trees, narrow(w, x.value), values))
    return found if len(inner) == 1 else w.div(found, float(len(inner)))


FORESTS = ("RandomForestClassifier", "ExtraTreesClassifier", "DecisionTreeClassifier", "ExtraTreeClassifier")
CLASSIFIERS: dict[str, Classifier] = dict.fromkeys(FORESTS, Classifier(proba=_forest_proba))
REGRESSORS: dict[str, Answer] = dict.fromkeys(
    ("RandomForestRegressor", "ExtraTreesRegressor", "DecisionTreeRegressor", "ExtraTreeRegressor"), _forest_values
)


# -- gradient boosting -------------------------------------------------------------------------------------------------


def _raw(w: Work, e: Fitted, x: Rows, start: Array) -> Value:
    """(N, K): the start, and learning_rate times what each tree says; the trees stand stage by stage."""
    k = len(start)
    inner = e.several("estimators_")
    if len(inner) % k:
        raise garbled("the number of trees does not fit the classes", "决策树的数量与类别不符")
    single_x, rate = narrow(w, x.value), e.number("learning_rate", 0.1)
    parts = []
    for one in range(k):
        trees, values = joined(inner[one::k])
        note_missing(w, x, trees)
        parts.append(summed(w, said(w, trees, single_x, rate * values), start[one : one + 1]))
    return w.concat(parts)


def _from_zero(e: Fitted) -> bool:
    """init="zero"; UnsupportedCheckpoint where it begins with a model of somebody's choice."""
    if isinstance(e.get("init"), Opaque):
        raise refused(f"its {e.name} begins with another model (init=)", f"其中的 {e.name} 以另一个模型为起点（init=）")
    return e.text("init", "") == "zero"


def _prior(e: Fitted, k: int) -> Array:
    """Where boosting begins: log odds or log shares of the classes in training (sklearn/ensemble/_gb.py)."""
    if _from_zero(e):
        return np.zeros(k)
    first = e.inner("init_")
    if first.name != "DummyClassifier" or first.text("strategy", "prior") != "prior":
        raise refused(f"its {e.name} begins with a {first.name}", f"其中的 {e.name} 以 {first.name} 为起点")
    eps = float(np.finfo(np.float32).eps)
    shares = np.clip(first.numbers("class_prior_", rank=1), eps, 1 - eps)
    loss = e.text("loss", "log_loss")
    if k == 1:
        scale = 0.5 if loss == "exponential" else 1.0
        return np.array([scale * np.log(shares[1] / (1 - shares[1]))])
    found = np.log(shares)
    return np.asarray(found - found.mean()) if e.at_least(1, 4) else found


@once
def _boosted(w: Work, e: Fitted, x: Rows) -> Value:
    count = len(e.classes())
    return _raw(w, e, x, _prior(e, 1 if count == 2 else count))


def _boosted_proba(w: Work, e: Fitted, x: Rows) -> Value:
    raw = _boosted(w, e, x)
    if raw.shape[1] != 1:
        return w.softmax(raw)
    return w.two(w.sigmoid(w.mul(raw, 2.0) if e.text("loss") == "exponential" else raw))


def _boosted_label(w: Work, e: Fitted, x: Rows) -> Value:
    raw = _boosted(w, e, x)
    return w.argmax(raw) if raw.shape[1] != 1 else w.flat(w.cast(w.op("Not", w.op("Less", raw, 0.0)), "int64"))


def _boosted_values(w: Work, e: Fitted, x: Rows) -> Value:
    start = np.zeros(1)
    if not _from_zero(e):
        start = e.inner("init_").numbers("constant_").ravel()[:1]
    return _raw(w, e, x, start)


CLASSIFIERS["GradientBoostingClassifier"] = Classifier(_boosted, _boosted_proba, _boosted_label)
REGRESSORS["GradientBoostingRegressor"] = _boosted_values


# -- histograms --------------------------------------------------------------------------------------------------------


def _predictors(e: Fitted) -> list[list[Fitted]]:
    """Of each iteration, a tree for each class."""
    found = listed(e.need("_predictors"))
    return [[Fitted.of(one) for one in listed(row)] for row in found]


def _histogram(e: Fitted, columns: int) -> tuple[Trees, Array]:
    nodes, bits = e.need("nodes"), e.get("raw_left_cat_bitsets")
    names = nodes.dtype.names if isinstance(nodes, np.ndarray) else None
    wanted = {"value", "feature_idx", "num_threshold", "missing_go_to_left", "left", "right", "is_leaf"}
    if names is None or not wanted <= set(names):
        raise garbled("the nodes of a histogram's tree have other columns", "直方图决策树的节点字段不符")
    leaf = nodes["is_leaf"].astype(bool)
    left, right = (np.where(leaf, -1, nodes[side].astype(np.int64)) for side in ("left", "right"))
    sets: dict[int, Array] = {}
    if "is_categorical" in names and isinstance(bits, np.ndarray):
        for node in np.flatnonzero(nodes["is_categorical"].astype(bool) & ~leaf).tolist():
            sets[node] = _members(bits, int(nodes["bitset_idx"][node]))
    found = tree(
        nodes["feature_idx"],
        nodes["num_threshold"],
        left,
        right,
        nodes["missing_go_to_left"],
        columns,
        sets=sets or None,
    )
    return found, nodes["value"].astype(np.float64)[:, None]


def _members(bits: Array, row: int) -> Array:
    """The numbers whose bits are set, of 8 words of 32."""
    if bits.ndim != 2 or not 0 <= row < len(bits) or bits.dtype != np.uint32:
        raise garbled("a set of categories is not there", "类别集合缺失")
    return np.flatnonzero(np.unpackbits(bits[row].view(np.uint8), bitorder="little"))


@once
def _histograms(w: Work, e: Fitted, x: Rows) -> Value:
    """(N, K) raw predictions: baseline + Σ value; compared in float64, so thresholds are, too, unless x is float32."""
    value = _ordered(w, e, x)
    iterations = _predictors(e)
    if not iterations:
        raise garbled("an ensemble has no trees", "集成模型里没有决策树")
    base = np.atleast_1d(e.numbers("_baseline_prediction")).ravel()
    w.may_be_empty(x)
    parts = []
    given: Value = w.narrow.get(value.name, value)
    for k in range(len(iterations[0])):
        trees = [_histogram(row[k], x.width) for row in iterations]
        values = np.concatenate([one for _, one in trees])
        start = base[k : k + 1] if len(base) > 1 else base
        parts.append(summed(w, said(w, _unknown_as_missing(trees), given, values), start))
    return w.concat(parts)


def _unknown_as_missing(parts: list[tuple[Trees, Array]]) -> Trees:
    """A category that was not there in training is one that is missing: it goes where `missing` says."""
    return Trees.joined([one for one, _ in parts])


def _ordered(w: Work, e: Fitted, x: Rows) -> Value:
    """Columns as the trees count them: categories first, their texts as their numbers (`_preprocessor`)."""
    marks = e.get("is_categorical_")
    if not isinstance(marks, np.ndarray) or not marks.any():
        return x.value
    before = e.get("_preprocessor")
    places = [*np.flatnonzero(marks).tolist(), *np.flatnonzero(~marks.astype(bool)).tolist()]
    if len(marks) != x.width:
        raise garbled("its categories do not fit its columns", "类别标记与列数不符")
    if not isinstance(before, Opaque):
        raise refused(
            f"its {e.name} has columns of categories that are numbers already (scikit-learn {e.version})",
            f"其中的 {e.name} 含有已编码的类别列（scikit-learn {e.version}）",
        )
    encoder = next(
        (Fitted.of(one[1]) for one in listed(Fitted.of(before).need("transformers_")) if one[0] == "encoder"), None
    )
    if encoder is None or encoder.name != "OrdinalEncoder":
        raise garbled("its encoder of categories is missing", "缺少类别编码器")
    front = Rows(
        w.columns_of(x.value, places[: int(marks.sum())]), tuple(x.origin[i] for i in places[: int(marks.sum())])
    )
    codes = w.transform(encoder, front).value
    rest = places[int(marks.sum()) :]
    return w.concat([codes, w.columns_of(x.value, rest)]) if rest else codes


def _histogram_proba(w: Work, e: Fitted, x: Rows) -> Value:
    raw = _histograms(w, e, x)
    return w.softmax(raw) if raw.shape[1] != 1 else w.two(w.sigmoid(raw))


def _histogram_values(w: Work, e: Fitted, x: Rows) -> Value:
    """Of squared and absolute errors and quantiles as they are; of the others by their logarithm."""
    raw, loss = _histograms(w, e, x), e.text("loss", "squared_error")
    return w.exp(raw) if loss in ("poisson", "gamma") else raw


CLASSIFIERS["HistGradientBoostingClassifier"] = Classifier(_histograms, _histogram_proba)
REGRESSORS["HistGradientBoostingRegressor"] = _histogram_values
