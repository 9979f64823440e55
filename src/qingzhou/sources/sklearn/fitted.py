"""An estimator as it was saved: its class and its attributes, each looked at when it is asked for."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...files.refusals import short
from ...files.types import Opaque
from ...files.values import RECONSTRUCT, Global
from ...graph.form import Array
from .refuse import garbled, own_class, refused
from .sparse import dense, is_sparse

MOST = 100_000  # estimators, or categories of one
MOST_CLASSES = 2048
MOST_COLUMNS = 1 << 18
LIBRARIES = ("sklearn", "xgboost", "lightgbm", "catboost")


@dataclass(frozen=True)
class Fitted:
    """A record of an estimator. name: "LogisticRegression";  module: "sklearn.linear_model._logistic"."""

    record: Opaque

    @classmethod
    def of(cls, value: object) -> Fitted:
        """UnsupportedCheckpoint for a class of somebody's own, CheckpointDamaged for what is no object."""
        if not isinstance(value, Opaque) or isinstance(value, Global):
            raise garbled(f"{_kind(value)} stands where an estimator is expected", f"应为估计器的位置是 {_kind(value)}")
        if value.name.partition(".")[0] not in LIBRARIES:
            raise own_class(value.name)
        return cls(value)

    @property
    def name(self) -> str:
        """Of its class."""
        return self.record.name.rpartition(".")[2]

    @property
    def state(self) -> dict[str, Any]:
        """Its attributes."""
        state = self.record.state
        return state if isinstance(state, dict) else {}

    @property
    def version(self) -> str:
        """Of the scikit-learn that saved it; "" where it is not said."""
        return str(self.state.get("_sklearn_version", ""))[:20]

    def at_least(self, *wanted: int) -> bool:
        """Whether that scikit-learn is of this version or a later one."""
        parts = [part for part in self.version.split(".")[:2] if part.isdigit()]
        return len(parts) == 2 and tuple(map(int, parts)) >= wanted

    # -- attributes --------------------------------------------------------------------------------------------------

    def has(self, key: str) -> bool:
        """Whether it has the attribute, and not as None."""
        return self.state.get(key) is not None

    def get(self, key: str, default: Any = None) -> Any:
        """An attribute as it is."""
        return self.state.get(key, default)

    def need(self, *keys: str) -> Any:
        """The first of these attributes that it has."""
        for key in keys:
            if self.has(key):
                return self.state[key]
        raise garbled(
            f"{self.name} has no {keys[0]}, so it was not trained", f"{self.name} 没有 {keys[0]}，可能还没有训练"
        )

    def numbers(self, *keys: str, rank: int | None = None) -> Array:
        """An attribute as float64, of so many axes."""
        found = self.need(*keys)
        if isinstance(found, (bool, int, float)):
            found = np.array(found)
        if isinstance(found, Opaque) and is_sparse(found):
            found = dense(found)
        if not isinstance(found, np.ndarray) or found.dtype.kind not in "biuf":
            raise self.odd(keys[0], found)
        if rank is not None and found.ndim != rank:
            raise self.odd(keys[0], found)
        return found.astype(np.float64)

    def whole(self, key: str, default: int | None = None) -> int:
        """An attribute that is a whole number."""
        found = self.get(key, default)
        if (
            isinstance(found, bool)
            or not isinstance(found, (int, float))
            or not math.isfinite(found)
            or found != int(found)
        ):
            raise self.odd(key, found)
        return int(found)

    def number(self, key: str, default: float | None = None) -> float:
        """An attribute that is a finite number."""
        found = self.get(key, default)
        if not isinstance(found, (int, float)) or not math.isfinite(found):
            raise self.odd(key, found)
        return float(found)

    def text(self, key: str, default: str = "") -> str:
        """A setting that is a word; OptionError-like refusals are the caller's."""
        found = self.get(key, default)
        if isinstance(found, Opaque):
            raise own_class(found.name)
        return found if isinstance(found, str) else default if found is None else str(found)[:40]

    def flag(self, key: str, default: bool = False) -> bool:
        """A setting that is yes or no."""
        return bool(self.get(key, default))

    def inner(self, *keys: str) -> Fitted:
        """An estimator inside."""
        return Fitted.of(self.need(*keys))

    def several(self, *keys: str) -> list[Fitted]:
        """Estimators inside, of lists and arrays."""
        return [Fitted.of(one) for one in listed(self.need(*keys))]

    def odd(self, key: str, found: object) -> Exception:
        """CheckpointDamaged: an attribute that cannot be what it is."""
        return garbled(f"{self.name}.{key} is {_kind(found)}", f"{self.name}.{key} 是 {_kind(found)}")

    def one_of(self, key: str, *allowed: str, default: str = "") -> str:
        """A setting that is one of these words; UnsupportedCheckpoint for any other."""
        found = self.text(key, default or allowed[0])
        if found not in allowed:
            raise refused(
                f"its {self.name} has {key}={short(found)!r}; known here: {', '.join(allowed)}",
                f"其中的 {self.name} 设置了 {key}={short(found)!r}，支持的是 {'、'.join(allowed)}",
            )
        return found

    def without(self, **settings: object) -> None:
        """UnsupportedCheckpoint where one of these settings is not what it usually is."""
        for key, usual in settings.items():
            found = self.get(key, usual)
            if found is not usual and found != usual:
                raise refused(
                    f"its {self.name} has {key}={short(found)}, which is not known here",
                    f"其中的 {self.name} 设置了 {key}={short(found)}，这里不支持",
                )

    # -- classes -----------------------------------------------------------------------------------------------------

    def classes(self) -> list[str]:
        """What its classes are called; UnsupportedCheckpoint where it answers several questions at once."""
        found = self.get("classes_")
        if found is None and self.has("_classes"):  # LightGBM's
            found = self.get("_classes")
        if found is None and isinstance(self.get("n_classes_"), int) and self.record.name.startswith("xgboost."):
            found = np.arange(min(self.whole("n_classes_"), MOST_CLASSES + 1))
        for key in ("_label_binarizer", "le_", "_label_encoder", "_le", "label_binarizer_"):
            inner = self.get(key)
            if not isinstance(inner, Opaque):
                continue
            if Fitted(inner).text("y_type_").startswith("multilabel"):
                raise self.several_questions()
            found = Fitted(inner).get("classes_") if found is None else found
        if found is None:
            raise garbled(
                f"{self.name} has no classes_, so it was not trained", f"{self.name} 没有 classes_，可能还没有训练"
            )
        if isinstance(found, list) or (isinstance(found, np.ndarray) and found.ndim != 1):
            raise self.several_questions()
        return named(listed(found))

    def several_questions(self) -> Exception:
        """UnsupportedCheckpoint: a row belongs to several classes, or each has a class of several kinds."""
        return refused(
            f"its {self.name} answers several questions at once", f"其中的 {self.name} 同时回答多个问题",
            "Train one model for each column of answers", "请为每一列答案各训练一个模型",
        )  # fmt: skip


def named(classes: list[Any]) -> list[str]:
    """What classes are called; UnsupportedCheckpoint where they are too many."""
    if len(classes) > MOST_CLASSES:
        raise refused(f"it knows {len(classes)} classes", f"它有 {len(classes)} 个类别")
    return [shown(one) for one in classes]


def shown(value: object) -> str:
    """A class or a category as text: 0.0 and 0 are both "0"."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if value is None or isinstance(value, (str, int, float)):
        return str(value)
    raise garbled(f"{_kind(value)} stands where a class is named", f"类别名称的位置是 {_kind(value)}")


def listed(value: object) -> list[Any]:
    """The items of a list, of an array, or of an array of objects, row by row."""
    found: Iterable[Any]
    if isinstance(value, np.ndarray):
        found = value.ravel().tolist() if value.dtype.names is None else ()
    elif isinstance(value, Opaque) and value.name == RECONSTRUCT and isinstance(value.state, tuple):
        found = _objects(value.state)
    elif isinstance(value, (list, tuple)):
        found = value
    else:
        raise garbled(f"{_kind(value)} stands where a list is expected", f"应为列表的位置是 {_kind(value)}")
    items = list(found)
    if len(items) > MOST:
        raise refused(f"one of its lists has {len(items)} items", f"其中一个列表有 {len(items)} 项")
    return items


def _objects(state: tuple[Any, ...]) -> list[Any]:
    """Of numpy's (version, shape, dtype, Fortran order, items)."""
    if len(state) != 5 or not isinstance(state[4], list) or not isinstance(state[1], tuple):
        raise garbled("one of its arrays is described wrongly", "一个数组的说明有误")
    shape, items = state[1], state[4]
    if not all(type(n) is int and n >= 0 for n in shape) or math.prod(shape) != len(items):
        raise garbled("the size of an array does not fit its data", "数组大小与数据不符")
    if state[3] and len(shape) > 1:
        order = np.arange(len(items)).reshape(shape[::-1]).transpose().ravel()
        return [items[i] for i in order]
    return items


def fitting(count: int) -> int:
    """How many columns a model says that it takes; UnsupportedCheckpoint where they are too many to name."""
    if not 0 < count <= MOST_COLUMNS:
        raise refused(f"it takes {count} columns", f"它的输入是 {count} 列")
    return count


def rows(value: object) -> int:
    """The first size of an array of objects, or the length of a list."""
    if isinstance(value, Opaque) and isinstance(value.state, tuple) and isinstance(value.state[1], tuple):
        return int(value.state[1][0]) if value.state[1] else 1
    return len(value) if isinstance(value, (list, tuple, np.ndarray)) else 0


def _kind(value: object) -> str:
    if isinstance(value, Opaque):
        return short(value.name)
    if isinstance(value, np.ndarray):
        return f"an array {list(value.shape)} of {value.dtype}"
    return short(value) if isinstance(value, (str, int, float)) else type(value).__name__
