"""The originals are trained; what a model of ours answers to the rows that they answered, and where the two differ."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

import qingzhou

TIES = ("knn_chebyshev",)  # equal largest differences: which row is the last of the nearest is chance there
SEED = os.environ.get("QINGZHOU_SEED", "20261201")


def train(python: Path, folder: Path) -> str:
    """Writes every model that this Python's scikit-learn can train, and its answers; what it said of the others."""
    argv = [python, Path(__file__).with_name("make_models.py"), folder, SEED]
    alone = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}  # small models: threads only wait
    done = subprocess.run(argv, capture_output=True, text=True, timeout=3000, env={**os.environ, **alone})
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stderr


def difference(trained: Path, name: str, out: Path) -> str:
    """How it answers otherwise than the original, in words; "" where it does not."""
    known = np.load(trained / f"{name}.npz")
    (file,) = (path for path in trained.glob(f"{name}.*") if path.suffix != ".npz")
    model = qingzhou.convert(file, out)
    answers = model.predict(known["x"] if known["x"].dtype.kind == "f" else known["x"].tolist())
    if model.card.output.scores == "sigmoids":
        named = [sorted(one.index for one in answer.named or ()) for answer in answers]
        return _wrong([a != np.flatnonzero(b).tolist() for a, b in zip(named, known["predict"], strict=True)])
    scores = np.array([one.scores for one in answers], np.float64)
    if model.card.task != "classification":
        wanted = known["predict" if "predict" in known else "transform"]
        off = np.abs(scores.reshape(wanted.shape) - wanted).max() / np.abs(wanted).max()
        return "" if off <= 1e-6 else f"{off:.2g} off"
    off = np.abs(scores - known["proba"]) if "proba" in known else np.zeros(scores.shape)
    sure = np.where(np.isnan(off), 0.0, off).max(axis=1)  # up to 1.7 SGDClassifier's shares of nothing are no numbers
    if name in TIES:
        return "" if (sure > 1e-6).mean() < 0.002 else "more than ties"
    texts = [one if isinstance(one, str) else str(int(one)) for one in known["predict"].ravel().tolist()]
    if "near" in known:
        return _among(answers, texts, known["near"])
    wrong = _wrong([one.label != text for one, text in zip(answers, texts, strict=True)])
    slack = known["slack"] if "slack" in known else np.zeros(len(sure))
    if (slack > 1e-6).mean() > 0.05:
        return f"{(slack > 1e-6).sum()} rows rest on a last digit"
    over = sure - slack
    return wrong or ("" if over.max() <= 1e-6 else f"probabilities {over.max():.2g} off")


def _among(answers: list[Any], texts: list[str], near: Any) -> str:
    """The label is the original's where one code is the nearest; of several as near (chance.py) any is right."""
    tied = near.sum(axis=1) > 1
    if tied.mean() > 0.01:
        return f"{tied.sum()} rows have no nearest code"
    rows = zip(answers, texts, near, tied, strict=True)
    return _wrong([not right[one.index] if open_ else one.label != text for one, text, right, open_ in rows])


def _wrong(rows: list[bool]) -> str:
    return f"{sum(rows)} labels differ, the first in row {rows.index(True)}" if any(rows) else ""
