"""What runs a converted model: on the computer that converted it, and, copied beside the sample code, on the board.

Beside a program are only the modules that it needs.

Needs Python 3.7, numpy, Pillow and one engine, onnxruntime or ncnn, nothing else. Names are imported when they are
first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .start import begin

if TYPE_CHECKING:
    from .model.answers import Prediction
    from .model.card import Card
    from .model.detection import Detection
    from .predict import Predictor, load

try:
    from .bundle.place import use_bundle
except ImportError:  # it comes with bundles only
    pass
else:
    use_bundle()  # before numpy, which may be another Python's, or lie in the bundle
if __name__ == "qingzhou_runtime":  # a program's, not the library's
    begin()
__all__ = ["Card", "Detection", "Prediction", "Predictor", "load"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError("module %r has no attribute %r" % (__name__, name))
    from importlib import import_module

    place = {"Card": ".model.card", "Detection": ".model.detection"}.get(name, ".predict")
    return getattr(import_module(place, __name__), name)
