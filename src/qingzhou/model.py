"""Model: an .onnx file with its card."""

from __future__ import annotations

import shutil
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .runtime.card import Card

if TYPE_CHECKING:
    import onnx

    from .runtime.predict import Predictor


class Model:
    """A converted model on disk. Nothing of it is loaded before it is needed.

    >>> model = qingzhou.load("best.onnx")
    >>> model.predict("cat.jpg")
    Prediction(label='cat', index=0, confidence=0.98, ...)
    """

    def __init__(self, path: str | Path, card: Card | None = None) -> None:
        self.path = Path(path)
        if card is not None:
            self.card = card

    def __repr__(self) -> str:
        return f"Model({str(self.path)!r}, {self.card.network}, {len(self.card.labels)} labels)"

    @cached_property
    def card(self) -> Card:
        """What the model needs to be used rightly; ModelError if the file has no card."""
        return self.predictor.card

    @cached_property
    def predictor(self) -> Predictor:
        """The onnxruntime session with the model's own pre- and post-processing."""
        from .runtime.predict import load

        return load(self.path)

    @property
    def proto(self) -> onnx.ModelProto:
        """The whole model, read from disk at each access."""
        import onnx

        return onnx.load(self.path)

    def predict(self, data: Any) -> Any:
        """The Prediction for a picture (path, array or PIL image), a table row or an array; a list for several."""
        return self.predictor.predict(data)

    def check(self) -> float:
        """Run the card's own sample: the largest difference from the recorded output, or SelfTestFailed."""
        return self.predictor.check()

    def save(self, path: str | Path) -> Model:
        """Copy the model to another place."""
        from .whole_file import replacing

        with replacing(Path(path)) as target:
            shutil.copyfile(self.path, target)
        return Model(path, self.card)


def load(path: str | Path) -> Model:
    """Open a converted model: FileMissing or ModelError if it cannot be used."""
    model = Model(path)
    _ = model.predictor
    return model
