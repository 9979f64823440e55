"""What a user says of a network that neither the names nor the shapes of its tensors show: --set eps=0.001."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ..errors import OptionError
from ..spelling import option

# The way out where tensors do not tell enough: in the program that has the network's code
TAKEN = "qingzhou.convert(model.eval(), sample=torch.rand(2, 3, 224, 224))"
WORDS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True)
class Said:
    """None where nothing is said.

    eps              of all BatchNorms and LayerNorms
    padding          "same" (TensorFlow's) or "torch", of timm's EfficientNets and MobileNets
    heads            of the attention
    transform_input  whether GoogLeNet and Inception v3 turn ImageNet's normalisation into their own (torchvision)
    trees            "tensors": of scikit-learn's large forests plain operators, too, which every engine has
    part             "model", or "scaler+model" of what runs one after the other: of a pickle that holds several objects
    answer           "classes" or "columns": what a LinearDiscriminantAnalysis is for, which its file does not say
    """

    eps: float | None = None
    padding: str | None = None
    heads: int | None = None
    transform_input: bool | None = None
    part: str | None = None
    trees: str | None = None
    answer: str | None = None


def read_said(given: object) -> Said:
    """Of a dict, or of texts "key=value"; OptionError."""
    pairs = (
        given.items() if isinstance(given, Mapping) else map(_pair, given if isinstance(given, Iterable) else [given])
    )
    found: dict[str, object] = {}
    for key, value in pairs:
        if key not in READERS:
            raise _wrong(str(key), value, "/".join(READERS))
        read, expected = READERS[key]
        made = read(value)
        if made is None:
            raise _wrong(str(key), value, expected)
        found[str(key)] = made
    return Said(**found)  # type: ignore[arg-type]


def _pair(text: object) -> tuple[str, object]:
    key, equals, value = str(text).partition("=")
    return key.strip(), value.strip() if equals else ""


def _eps(value: object) -> float | None:
    number = _number(value)
    return number if number is not None and 0 < number < 1 else None


def _heads(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number in range(1, 257) else None


def _number(value: object) -> float | None:
    try:
        return None if isinstance(value, bool) else float(str(value))
    except ValueError:
        return None


READERS: Mapping[str, tuple[Callable[[object], object], str]] = {
    "eps": (_eps, "0.001"),
    "padding": (lambda value: value if value in ("same", "torch") else None, "same, torch"),
    "heads": (_heads, "1 … 256"),
    "transform_input": (lambda value: WORDS.get(str(value).lower()), "yes, no"),
    "trees": (lambda value: value if value in ("tensors", "one") else None, "tensors, one"),
    "part": (lambda value: str(value) if 0 < len(str(value)) <= 400 else None, "model, scaler+model"),
    "answer": (lambda value: value if value in ("classes", "columns") else None, "classes, columns"),
}


def _wrong(key: str, found: object, expected: str) -> OptionError:
    name = option("details", key)
    return OptionError(
        en=f"{name} is {str(found)[:60]!r}; expected {expected}.",
        zh=f"{name} 的值是 {str(found)[:60]!r}，应为 {expected}。",
    )
