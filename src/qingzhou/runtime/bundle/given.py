"""The answer for a file that somebody names, whatever the model takes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Optional

if TYPE_CHECKING:
    from ..predict import Predictor
    from ..typed import FilePath


def predict_file(model: Predictor, path: FilePath, threshold: Optional[float] = None) -> Any:
    """predict() for a file of the kind that suits the model: a picture, a .csv or .npz, a text (or words); of several
    inputs an .npz with an array for each, by their names.
    """
    if model.card.others and str(path).lower().endswith(".npz"):
        from ..model.tables import read_arrays

        return model.predict(read_arrays(path))
    if model.card.input.kind != "tokens":
        return model.predict(path, threshold=threshold)
    if os.path.exists(path) and not os.path.isdir(path):
        from ..model.words import read_text

        return model.predict(read_text(path))
    return model.predict(str(path), threshold=threshold)
