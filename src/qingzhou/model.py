"""Model: a file of an engine, .onnx most of the time, with its card."""

from __future__ import annotations

import shutil
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .runtime.model.card import Card

if TYPE_CHECKING:
    import onnx

    from .engines import Settings
    from .runtime.predict import Predictor


class Model:
    """A converted model on disk. Nothing of it is loaded before it is needed.

    >>> model = qingzhou.load("best.onnx")
    >>> model.predict("cat.jpg")
    Prediction(label='cat', index=0, confidence=0.98, ...)
    """

    def __init__(self, path: str | Path, card: Card | None = None, settings: Settings | None = None) -> None:
        self.path = Path(path)
        self._settings = settings
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
        """The engine's session with the model's own pre- and post-processing."""
        from .engines import open_predictor

        return open_predictor(self.path, self._settings)

    @property
    def proto(self) -> onnx.ModelProto:
        """The whole model, read from disk at each access."""
        import onnx

        return onnx.load(self.path, load_external_data=False)

    def predict(self, data: Any) -> Any:
        """The Prediction for a picture (path, array or PIL image), a table row or an array; a list for several."""
        return self.predictor.predict(data)

    def check(self) -> float:
        """Run the card's own sample: the largest difference from the recorded output, or SelfTestFailed."""
        return self.predictor.check()

    def save(self, path: str | Path) -> Model:
        """Copy the model to another place, with what belongs beside it."""
        from .engines.table import engine_for
        from .whole_file import replacing

        files = engine_for(self.path).files
        for source, place in zip(files(self.path), files(Path(path)), strict=True):
            with replacing(place) as target:
                shutil.copyfile(source, target)
        return Model(path, self.card, self._settings)


def load(
    path: str | Path,
    device: str = "",
    threads: int | None = None,
    cache: str | Path | None = None,
    exact: bool | None = None,
) -> Model:
    """Open a converted model (.onnx), or what an engine made of one (.ort, .xml, .param, .engine, .npz); FileMissing or
    ModelError.

    device   a provider of onnxruntime (cpu, cuda, tensorrt, directml, openvino, coreml), or a device of OpenVINO (cpu,
             gpu, npu), ncnn (cpu) or TensorRT (gpu, gpu.1, …); by default the first of them. ExtraMissing, EngineError
             or OptionError where it is not to be had
    threads  processor cores; by default all
    cache    of OpenVINO: a folder that keeps what was prepared for the processor, for a faster start the next time
    exact    never decode a JPEG smaller than it is; by default what the environment variable QINGZHOU_EXACT says
    """
    from .engines import Settings

    model = Model(path, settings=Settings(device, threads, None if cache is None else Path(cache)))
    model.predictor.exact = exact
    return model
