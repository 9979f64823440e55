"""Qingzhou: bring a trained model to the device it is meant for.

>>> import qingzhou
>>> model = qingzhou.convert("best.pth")
>>> model.predict("cat.jpg").label
'cat'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .version import __version__ as __version__

if TYPE_CHECKING:
    from .conversion import convert
    from .errors import QingzhouError, use_language
    from .model import Model, load
    from .quant import quantize
    from .runtime.model.card import Card
    from .teaching import teach

__all__ = ["Card", "Model", "QingzhouError", "convert", "load", "quantize", "teach", "use_language"]

_HOMES = {
    "convert": ".conversion",
    "load": ".model",
    "Model": ".model",
    "Card": ".runtime.model.card",
    "quantize": ".quant",
    "teach": ".teaching",
    "QingzhouError": ".errors",
    "use_language": ".errors",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `import qingzhou` and `qingzhou --help` load nothing heavy."""
    if name not in _HOMES:
        raise AttributeError(f"module 'qingzhou' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name], __name__), name)
    globals()[name] = value
    return value
