"""What a file of joblib or pickle, of XGBoost, LightGBM or CatBoost holds: estimators, and nothing that runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ...files.joblib import read_joblib
from ...files.refusals import naming, short, unsafe, wrong_type
from ...files.types import Opaque
from ...files.ubjson import is_ubjson, read_ubjson
from ...files.values import Global
from ...runtime.model import fields
from ..source import Opened
from . import catboost_file, lightgbm_file, xgboost_file
from .boosters import record
from .fitted import LIBRARIES, Fitted
from .refuse import garbled, own_class
from .work import steps

MOST_PARTS = 1000
MOST_TEXT = 1 << 28  # bytes of JSON
ALLOWED = {*LIBRARIES, "numpy", "scipy", "joblib", "collections", "functools", "copyreg", "_codecs", "pandas"}
HARMLESS = {"builtins.slice", "builtins.set", "builtins.frozenset", "builtins.list", "builtins.dict", "builtins.tuple",
            "builtins.int", "builtins.float", "builtins.str", "builtins.bool", "builtins.object", "builtins.complex",
            "builtins.bytearray", "builtins.bytes"}  # fmt: skip
LOSSES = ("_loss.__pyx_unpickle_Cy", "_loss.Cy")  # of scikit-learn 1.4 to 1.7, whose compiled part says its name short
CIRCLES = {"sklearn.cluster._birch.Birch": ("root_", "dummy_leaf_")}  # its tree is a list linked both ways


@dataclass(frozen=True)
class Saved:
    """What a file holds. estimators: in a row, where BaseML keeps a list; tool: who wrote it; parts: of a dict, list
    or tuple all estimators by their keys or numbers, of which parts.py chooses.
    """

    root: Any
    estimators: list[Fitted]
    tool: str = "scikit-learn"
    demo: Any = None
    parts: dict[str, Fitted] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


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
        if module in ALLOWED or name in HARMLESS or name.startswith(LOSSES):
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
    items = list(root.items()) if isinstance(root, dict) else list(enumerate(root)) if _is_row(root) else []
    parts = {str(key)[:60]: Fitted(one) for key, one in items if is_estimator(one)}
    if parts:
        return Saved(root, list(parts.values()), parts=parts)
    kind = type(root).__name__
    raise wrong_type(
        f"a plain Python pickle (of: {kind})",
        f"普通 Python pickle 文件（内容：{kind}）",
        "Give a model: a torch model as torch.save writes it, or an estimator of scikit-learn as joblib.dump does",
        "请给出模型：torch 模型用 torch.save 保存，scikit-learn 模型用 joblib.dump 保存",
    )


def _is_row(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) <= MOST_PARTS


def is_estimator(value: Any) -> bool:
    """Whether it is an object of a library of models, and no array or table."""
    known = isinstance(value, Opaque) and not isinstance(value, Global)
    return known and value.name.partition(".")[0] in LIBRARIES and isinstance(value.state, dict)


def each_in(estimators: list[Fitted]) -> Iterator[Fitted]:
    """All that stand in a row, in the order in which they run."""
    for one in estimators:
        if one.name == "Pipeline":
            yield from each_in(steps(one))
        else:
            yield one
