"""A forest of 100 trees on scikit-learn's digits: `sklearn_forest.py make FOLDER`, and what skl2onnx takes for it:
`sklearn_forest.py convert FOREST.joblib OUT.onnx`; `sklearn_forest.py ask FOREST.joblib OUT.json` times one row.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def make(folder: str) -> None:
    """Writes forest.joblib and svm.joblib, a row of digits beside them."""
    import joblib  # it is the original that writes here
    from sklearn.datasets import load_digits
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    x, y = load_digits(return_X_y=True)
    joblib.dump(RandomForestClassifier(100, random_state=0).fit(x, y), Path(folder, "forest.joblib"), compress=3)
    scaled = make_pipeline(StandardScaler(), SVC(probability=True, random_state=0))
    joblib.dump(scaled.fit(x, y), Path(folder, "svm.joblib"), compress=3)


def convert(source: str, target: str) -> None:
    """As its documentation does it."""
    import joblib
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    found = to_onnx(joblib.load(source), initial_types=[("input", FloatTensorType([None, 64]))])
    Path(target).write_bytes(found.SerializeToString())


def ask(source: str, target: str) -> None:
    """Seconds of one row by predict_proba."""
    import joblib
    import numpy as np

    model, row = joblib.load(source), np.arange(64.0)[None] % 17
    model.predict_proba(row)
    start = time.process_time()
    for _ in range(100):
        model.predict_proba(row)
    Path(target).write_text(json.dumps((time.process_time() - start) / 100), "utf-8")


if __name__ == "__main__":
    {"make": make, "convert": convert, "ask": ask}[sys.argv[1]](*sys.argv[2:])
