"""Run where scikit-learn is: trains every kind of estimator with a seed, and keeps what each answers to 10,000 rows.

python make_models.py FOLDER SEED      writes NAME.joblib and NAME.npz: x (float32), predict, proba, transform
                                       and near, slack (chance.py)
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import chance
import joblib  # noqa: TID251  # it is the original that writes here
import numpy as np
from estimators import ESTIMATORS, TEXTED
from every import EVERY
from refused import REFUSED
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine

try:
    from boosters import BOOSTERS
except ImportError:  # of older versions scikit-learn alone is compared
    BOOSTERS = {}
warnings.filterwarnings("ignore")
DATA = {
    "iris": load_iris(return_X_y=True),
    "wine": load_wine(return_X_y=True),
    "digits": load_digits(return_X_y=True),
    "diabetes": load_diabetes(return_X_y=True),
    "cancer": load_breast_cancer(return_X_y=True),
}
ROWS = 10_000


TEXTS = [
    "the cat sat on the mat",
    "a dog barked at the cat",
    "rain and snow",
    "Snow fell; rain fell",
    "cat and dog",
    "sun",
]


def of_texts(name: str, seed: int, folder: Path) -> None:
    rng = np.random.default_rng([seed, *map(ord, name)])
    words = np.array([*" ".join(TEXTS).split(), "unknown", "I", "wind", "的", "天气 很 好"])
    texts = np.array([*TEXTS, *(" ".join(rng.choice(words, rng.integers(1, 12))) for _ in range(300))])
    labels = np.array(["animal", "weather"])[[int("rain" in one or "snow" in one.lower()) for one in texts]]
    model = TEXTED[name](seed).fit(texts[:60], labels[:60])
    answers = {"x": texts, "predict": model.predict(texts), "proba": model.predict_proba(texts)}
    joblib.dump(model, folder / f"{name}.joblib")
    np.savez(folder / f"{name}.npz", **answers)


def thresholds(model: Any, found: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """(column, threshold) of the splits of every tree inside that sees the input's own columns."""
    tree = getattr(model, "tree_", None)
    if tree is not None:
        found += [(int(f), float(t)) for f, t in zip(tree.feature, tree.threshold, strict=True) if f >= 0]
    for one in np.ravel(np.array(getattr(model, "estimators_", []), dtype=object))[:20]:
        thresholds(one, found)
    for row in getattr(model, "_predictors", [])[:20]:
        for one in row:
            inner = one.nodes[one.nodes["is_leaf"] == 0]
            found += [(int(f), float(t)) for f, t in zip(inner["feature_idx"], inner["num_threshold"], strict=True)]
    return found


def rows_for(model: Any, data: Any, rng: np.random.Generator) -> Any:
    """Rows of the training, others about as far from each other, and some that stand on a split or next to it."""
    x = np.concatenate([
        data[rng.integers(len(data), size=ROWS // 4)],
        data.mean(0) + data.std(0) * rng.normal(size=(ROWS // 2, data.shape[1])) * 1.5,
        data[rng.integers(len(data), size=ROWS // 4)],
    ]).astype(np.float32)  # fmt: skip
    splits = [(f, t) for f, t in thresholds(model, []) if np.isfinite(t) and f < data.shape[1]]
    for i in range(len(x) - ROWS // 4, len(x)) if splits else ():
        column, at = splits[rng.integers(len(splits))]
        single = np.float32(at)
        steps = (single, np.nextafter(single, np.float32(np.inf)), np.nextafter(single, np.float32(-np.inf)))
        x[i, column] = steps[rng.integers(3)]
    return x


def made(name: str, seed: int, folder: Path) -> None:
    dataset, build, how = {**ESTIMATORS, **EVERY, **BOOSTERS}[name]
    rng = np.random.default_rng([seed, *map(ord, name)])
    x, y = DATA[dataset]
    if how.get("two"):
        x, y = x[y < 2], y[y < 2]
    chosen = rng.permutation(len(x))[: int(0.8 * len(x))]
    x, y = how.get("before", lambda x: x)(x[chosen]), y[chosen]
    y = how["answers"](y) if "answers" in how else y
    y = np.array(["red", "green", "blue", *"defghij"])[y] if how.get("texts") else y
    model = build(seed)
    model.fit(x, y)
    rows = how.get("before", lambda x: x)(rows_for(model, x, rng))
    if how.get("shaken"):
        rows += rng.normal(size=rows.shape).astype(rows.dtype) / 100
    if how.get("missing"):
        rows[rng.random(rows.shape) < 0.1] = np.nan
    answers = {"x": rows}
    wide = rows.astype(np.float64)
    for key, method in (("predict", "predict"), ("proba", "predict_proba"), ("transform", "transform")):
        if key == "transform" and (hasattr(model, "predict") or "predict" in answers):
            continue
        try:
            found = getattr(model, method)(wide)
        except AttributeError:
            continue
        if isinstance(found, list):  # of several questions at once
            continue
        found = found.toarray() if hasattr(found, "toarray") else np.asarray(found)
        answers[key] = found.astype(str) if found.dtype.kind in "OU" else found
    answers |= chance.of(model, wide)
    if "ending" in how:
        how["save"](model, str(folder / f"{name}.{how['ending']}"))
    else:
        joblib.dump(model, folder / f"{name}.joblib", compress=int(rng.integers(0, 4)))
    np.savez(folder / f"{name}.npz", **answers)


def to_be_refused(name: str, seed: int, folder: Path) -> None:
    x, y = DATA["iris"]
    joblib.dump(REFUSED[name](x, y), folder / f"{name}.joblib")


if __name__ == "__main__":
    for each in sys.argv[3:] or [*ESTIMATORS, *EVERY, *BOOSTERS, *TEXTED, *REFUSED]:
        try:
            (of_texts if each in TEXTED else to_be_refused if each in REFUSED else made)(
                each, int(sys.argv[2]), Path(sys.argv[1])
            )
        except Exception as err:  # the test says which
            print(f"{each}: {type(err).__name__}: {err}", file=sys.stderr)
