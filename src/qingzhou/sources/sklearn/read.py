"""A file of joblib or pickle as a network: the estimator in it, its columns and classes, and its card."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...errors import QingzhouError, say
from ...files.joblib import read_joblib
from ...files.refusals import naming, short, unsafe, wrong_type
from ...files.types import Opaque
from ...files.ubjson import is_ubjson, read_ubjson
from ...graph.form import ML, OPSET, Graph, Value
from ...nets.recorded import Wanted
from ...nets.said import Said
from ...runtime.model import fields
from ...runtime.model.card import Card, Input, Output
from ..network import Network, origin
from ..recording.finish import finished
from ..recording.net import Net
from ..source import Contents, Opened, Part
from . import catboost_file, lightgbm_file, wrapped, xgboost_file
from .boosters import record
from .fitted import LIBRARIES, Fitted, fitting, listed
from .points import clusters_of
from .refuse import SKLEARN, garbled, own_class, refused, unknown
from .table import RULES
from .words import COUNTERS, counts_of
from .work import Column, Rows, Work, steps

BATCH = "batch"
MOST_TEXT = 1 << 28  # bytes of JSON
BOOSTERS = {*wrapped.CLASSIFIERS, *wrapped.REGRESSORS}
SCORES, LABEL, DECISION, VALUES = "scores", "label", "decision", "values"
ALLOWED = {*LIBRARIES, "numpy", "scipy", "joblib", "collections", "functools", "copyreg", "_codecs", "pandas"}
HARMLESS = {"builtins.slice", "builtins.set", "builtins.frozenset", "builtins.list", "builtins.dict", "builtins.tuple",
            "builtins.int", "builtins.float", "builtins.str", "builtins.bool", "builtins.object", "builtins.complex",
            "builtins.bytearray", "builtins.bytes"}  # fmt: skip
CIRCLES = {"sklearn.cluster._birch.Birch": ("root_", "dummy_leaf_")}  # its tree is a list linked both ways


@dataclass(frozen=True)
class Saved:
    """What a file holds. estimators: in a row, where BaseML keeps a list; tool: who wrote it."""

    root: Any
    estimators: list[Fitted]
    tool: str = "scikit-learn"
    demo: Any = None
    notes: list[str] = field(default_factory=list)


# -- the file --------------------------------------------------------------------------------------------------------


def saved_in(opened: Opened) -> Saved:
    """CheckpointDamaged, UnsafeCheckpoint, CheckpointTypeError, UnsupportedCheckpoint."""
    with naming(opened.path):
        file = opened.file
        if file.size > opened.limits.unpacked_bytes:
            raise unsafe(f"it has {file.size} bytes", f"文件有 {file.size} 字节")
        data = file.read(0, file.size)
        of = boosted(data)
        if of is not None:
            return Saved(of[1], [Fitted(of[1])], of[0])
        root = read_joblib(data, opened.limits, _without_circles)
        check_names(root)
        return _saved(root)


def boosted(data: bytes) -> tuple[str, Opaque] | None:
    """The tool, and the booster as its wrapper would hold it, of a file of XGBoost, LightGBM or CatBoost."""
    if lightgbm_file.is_model(data[:8]):
        if len(data) > MOST_TEXT:
            raise unsafe(f"it has {len(data)} bytes", f"文件有 {len(data)} 字节")
        text = data.decode("utf-8", "replace")
        kind = "Classifier" if lightgbm_file.classifies(text) else "Regressor"
        return "LightGBM", record("LightGBM", kind, lightgbm_file.of_text(text))
    model = read_ubjson(data) if is_ubjson(data[:16]) else _json(data) if data[:64].lstrip()[:1] == b"{" else None
    if xgboost_file.is_model(model):
        kind = "Classifier" if xgboost_file.classifies(model) else "Regressor"
        return "XGBoost", record("XGBoost", kind, xgboost_file.booster_in(model))
    if isinstance(model, dict) and catboost_file.is_model(model):
        kind = "Classifier" if catboost_file.classifies(model) else "Regressor"
        return "CatBoost", record("CatBoost", kind, catboost_file.booster_in(model))
    if model is not None:
        raise garbled("it is no model of XGBoost or CatBoost", "不是 XGBoost 或 CatBoost 的模型")
    return None


def _json(data: bytes) -> Any:
    if len(data) > MOST_TEXT:
        raise unsafe(f"it has {len(data)} bytes", f"文件有 {len(data)} 字节")
    try:
        return fields.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise garbled("its JSON is garbled", "JSON 内容混乱") from None


def _without_circles(root: Any) -> Any:
    for one in records(root):
        if one.name in CIRCLES and isinstance(one.state, dict):
            for key in CIRCLES[one.name]:
                one.state.pop(key, None)
    return root


def records(root: Any) -> Iterator[Opaque]:
    """Every record in it, once, whatever shape it has."""
    known, todo = set[int](), [root]
    while todo:
        value = todo.pop()
        if id(value) in known or isinstance(value, (str, bytes, int, float)):
            continue
        known.add(id(value))
        if isinstance(value, Opaque):
            yield value
            todo += [value.args, value.state, value.items]
        elif isinstance(value, dict):
            todo += [*value, *value.values()]
        elif isinstance(value, (list, tuple, set)):
            todo += value


def check_names(root: Any) -> None:
    """UnsafeCheckpoint where it names what no library of models is: os.system, say; UnsupportedCheckpoint for what
    somebody wrote himself.
    """
    for one in records(root):
        name = one.name.removesuffix("()")
        module = name.partition(".")[0]
        if module in ALLOWED or name in HARMLESS:
            continue
        if module in sys.stdlib_module_names and module != "__main__":
            raise unsafe(f"it names {short(name)}, which no model needs", f"它引用了模型不需要的 {short(name)}")
        raise own_class(name)


def _saved(root: Any) -> Saved:
    if isinstance(root, dict) and "model" in root and set(root) <= {"model", "input_shape", "demo_input"}:
        inside = root["model"]
        models = [Fitted.of(one) for one in inside] if isinstance(inside, list) else [Fitted.of(inside)]
        return Saved(root, models, "BaseML", root.get("demo_input"))
    if isinstance(root, Opaque):
        return Saved(root, [Fitted.of(root)])
    kind = type(root).__name__
    raise wrong_type(
        f"a plain Python pickle (of: {kind})",
        f"普通 Python pickle 文件（内容：{kind}）",
        "Give a model: a torch model as torch.save writes it, or an estimator of scikit-learn as joblib.dump does",
        "请给出模型：torch 模型用 torch.save 保存，scikit-learn 模型用 joblib.dump 保存",
    )


def contents(opened: Opened) -> Contents:
    """Its estimators, also where one of them cannot be converted."""
    saved = opened.content(saved_in)
    parts = [Part(f"{i}", one.name, ()) for i, one in enumerate(each_in(saved.estimators))]
    problem: QingzhouError | None = None
    try:
        work_of(saved)
    except QingzhouError as err:
        problem = err
    facts = facts_of(saved)
    return Contents("joblib", opened.file.size, parts, saved.tool, facts, problem=problem)


def each_in(estimators: list[Fitted]) -> Iterator[Fitted]:
    """All that stand in a row, in the order in which they run."""
    for one in estimators:
        if one.name == "Pipeline":
            yield from each_in(steps(one))
        else:
            yield one


def facts_of(saved: Saved) -> dict[str, object]:
    """What it says of its making."""
    version = next((one.version for one in saved.estimators if one.version), "")
    facts: dict[str, object] = {"estimator": " + ".join(one.name for one in each_in(saved.estimators))}
    return {**facts, **({"scikit-learn": version} if version else {})}


# -- columns ---------------------------------------------------------------------------------------------------------


def columns_of(estimators: list[Fitted]) -> list[Column]:
    """What it was trained with: names where a table with names was given, else x0, x1, … as scikit-learn calls them."""
    first = next(each_in(estimators))
    if first.name in BOOSTERS:
        b = wrapped.booster_of(first)
        return [Column(name, list(b.texts.get(i, []))) for i, name in enumerate(b.names)]
    if first.name in COUNTERS:
        return [Column("text", counts=counts_of(first))]
    names = _first(first, "feature_names_in_")
    if names is not None:
        return [Column(str(name)) for name in listed(names)]
    count = _first(first, "n_features_in_")
    if not isinstance(count, int):
        count = _counted(first)
    return [Column(f"x{i}") for i in range(fitting(count))]


def _first(e: Fitted, key: str) -> Any:
    """An attribute, or that of the first estimator inside."""
    for _ in range(20):
        if e.has(key):
            return e.get(key)
        inner = [e.get(name) for name in ("best_estimator_", "estimator_", "regressor_", "estimator", "base_estimator")]
        lists = [e.get(name) for name in ("steps", "estimators_", "transformer_list")]
        inside = next((one for one in inner if isinstance(one, Opaque)), None)
        if inside is None:
            row = next((listed(one) for one in lists if one is not None), None)
            if not row:
                return None
            inside = row[0][1] if isinstance(row[0], tuple) and len(row[0]) == 2 else row[0]
        if not isinstance(inside, Opaque):
            return None
        e = Fitted.of(inside)
    return None


def _counted(e: Fitted) -> int:
    for key in ("coef_", "cluster_centers_", "components_", "theta_", "mean_", "scale_", "X_thresholds_"):
        found = e.get(key)
        if isinstance(found, np.ndarray) and found.ndim:
            return 1 if key == "X_thresholds_" else int(found.shape[-1])
    if not any(e.name in table for table in (RULES.transforms, RULES.classifiers, RULES.regressors, RULES.clusters)):
        raise unknown(e.name)
    if any(one.name.rpartition(".")[2] in COUNTERS for one in records(e.record)):
        raise refused(
            f"texts are counted inside its {e.name}, and not as the first step",
            f"文本在 {e.name} 里面而不是第一步计数",
            "Begin the pipeline with CountVectorizer or TfidfVectorizer itself",
            "请让流水线直接以 CountVectorizer 或 TfidfVectorizer 开头",
        )  # fmt: skip
    raise garbled(f"{e.name} does not say how many columns it takes", f"{e.name} 没有说明输入的列数")


# -- the network -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Made:
    """The finished graph, what it answers and its columns."""

    graph: Graph
    task: str
    scores: str
    columns: list[Column]
    classes: list[str]
    notes: list[str]


def work_of(saved: Saved, said: Said = Said()) -> Made:  # noqa: B008  # frozen
    """The operators of an estimator; UnsupportedCheckpoint names the one that has no rule here, CheckpointDamaged where
    its attributes do not fit each other, which numpy notices in a dozen ways.
    """
    try:
        with np.errstate(all="ignore"):
            return _work_of(saved, said)
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as err:
        raise garbled(
            f"what it knows does not fit together ({err!s:.80})", f"各项内容互相矛盾（{err!s:.80}）"
        ) from None


def _work_of(saved: Saved, said: Said) -> Made:
    columns = columns_of(saved.estimators)
    net = Net(SKLEARN, [SCORES, LABEL, DECISION, VALUES])
    work = Work(net, RULES, columns, large=said.trees != "tensors")
    width = sum(one.width for one in columns)
    given = net.input("input", (BATCH, width), "float32")
    net.here = "input"
    x = Rows(work.cast(given, "float64"), tuple(range(width)))
    *before, last = saved.estimators
    for one in before:
        x = work.transform(one, x)
    kind = work.kind(last)
    if kind == "transform" or (kind == "classifier" and _reduces(saved, work.end(last), said)):
        return _finished(work, "values", "values", [work.transform(last, x).value])
    if kind == "regressor":
        return _finished(work, "regression", "values", [_column(work, work.values(last, x))])
    return _classified(work, last, x)


def _reduces(saved: Saved, e: Fitted, said: Said) -> bool:
    """BaseML's lesson of fewer dimensions saves LinearDiscriminantAnalysis as the one of classes does."""
    if e.name != "LinearDiscriminantAnalysis":
        return False
    if said.answer is not None:
        return said.answer == "columns"
    return saved.tool == "BaseML" and e.has("n_components")


def _column(w: Work, x: Value) -> Value:
    return x if len(x.shape) == 2 else w.wider(x, 1)


def _classified(w: Work, e: Fitted, x: Rows) -> Made:
    end = w.end(e)
    classes = end.classes() if end.name in RULES.classifiers else [str(i) for i in range(clusters_of(end))]
    label = w.label(e, x)
    proba = w.proba(e, x)
    if proba is not None:
        return _finished(w, "classification", "probabilities", [proba, label], classes)
    w.notes.append(
        say(
            en=f"{end.name} gives no probabilities: its answer counts as sure (100 %), every other class as 0. What "
            "it decides by is the output decision, where it has one.",
            zh=f"{end.name} 不给出概率：回答的类别记为 100%，其他类别记为 0。判定值在输出 decision 中（如果有）。",
        )
    )
    sure, decision = w.one_hot(label, len(classes)), w.decision(e, x)
    more = [] if decision is None else [decision]
    return _finished(w, "classification", "probabilities", [sure, label, *more], classes)


def _finished(w: Work, task: str, scores: str, outputs: list[Value], classes: list[str] | None = None) -> Made:
    single = [one if one.dtype == "int64" else w.cast(one, "float32") for one in outputs]
    names = [SCORES, LABEL, DECISION][: len(outputs)] if task == "classification" else [VALUES]
    graph = finished(w.net, single, names)
    used = {node.domain for node in graph.nodes}
    if ML in used:
        graph = Graph(graph.inputs, graph.outputs, graph.nodes, graph.values, graph.constants, graph.optional,
                      {"": OPSET, ML: 1})  # fmt: skip
    return Made(graph, task, scores, w.columns, classes or [], w.notes)


def read_saved(opened: Opened, wanted: Wanted) -> Network:
    """UnsupportedCheckpoint, CheckpointDamaged, UnsafeCheckpoint."""
    saved = opened.content(saved_in)
    made = work_of(saved, wanted.settings.said)
    entry = Input("input", "table", [None, sum(one.width for one in made.columns)], columns=described(made.columns))
    output = Output(made.graph.outputs[0].name, made.scores, label=LABEL if made.task == "classification" else "")
    title = next(reversed(list(each_in(saved.estimators)))).name
    card = Card(made.task, title, saved.tool, entry, output, origin=origin(opened.path, "joblib", facts_of(saved)),
                notes=[*saved.notes, *made.notes, *notes_of(saved)])  # fmt: skip
    return Network(made.graph, card, title, len(made.classes), made.classes or None)


def described(columns: list[Column]) -> list[dict[str, Any]]:
    """As a card has them."""
    found = []
    for one in columns:
        entry: dict[str, Any] = {"name": one.name}
        if one.texts:
            entry["texts"] = list(one.texts)
        if one.counts:
            entry["counts"] = one.counts
        if one.missing:
            entry["missing"] = True
        found.append(entry)
    return found


def notes_of(saved: Saved) -> list[str]:
    """What pupils fall over."""
    notes = []
    if saved.tool == "BaseML" and saved.estimators[-1].name == "LinearDiscriminantAnalysis":
        notes.append(
            say(
                en="The file holds a LinearDiscriminantAnalysis, which can name classes or make fewer columns, and "
                "does not say which lesson it is of. --set answer=classes or --set answer=columns chooses.",
                zh="文件里是 LinearDiscriminantAnalysis，既能分类也能降维，而文件没有说明用途。"
                "可用 --set answer=classes（分类）或 --set answer=columns（降维）指定。",
            )
        )
    if saved.tool == "BaseML" and _scaled(saved.demo):
        notes.append(
            say(
                en="BaseML does not save how it scaled the table (scale=True): the example in the file lies between 0 "
                "and 1 in every column. Give rows that are scaled the same way; raw ones are answered wrongly.",
                zh="BaseML 不会保存数据缩放方式（scale=True）：文件中的示例每列都在 0 到 1 之间。"
                "请输入按同样方式缩放后的数据，直接输入原始数据会得到错误结果。",
            )
        )
    return notes


def _scaled(demo: Any) -> bool:
    fine = isinstance(demo, np.ndarray) and demo.dtype.kind == "f" and demo.size > 1
    return bool(fine and demo.min() >= 0 and demo.max() <= 1 and np.any(demo != np.round(demo)))
