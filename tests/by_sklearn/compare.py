"""What a model of ours answers to the rows that the original answered, and where the two differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import qingzhou

TIES = ("knn_chebyshev",)  # equal largest differences: which row is the last of the nearest is chance there


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
    sure = np.abs(scores - known["proba"]).max(axis=1) if "proba" in known else np.zeros(len(scores))
    if name in TIES:
        return "" if (sure > 1e-6).mean() < 0.002 else "more than ties"
    texts = [one if isinstance(one, str) else str(int(one)) for one in known["predict"].ravel().tolist()]
    wrong = _wrong([one.label != text for one, text in zip(answers, texts, strict=True)])
    return wrong or ("" if sure.max() <= 1e-6 else f"probabilities {sure.max():.2g} off")


def _wrong(rows: list[bool]) -> str:
    return f"{sum(rows)} labels differ, the first in row {rows.index(True)}" if any(rows) else ""
