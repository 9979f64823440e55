"""Layer: what the file says of one layer, its numbers, and how the functions of the table see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...errors import UnsupportedCheckpoint
from ...files.refusals import short
from ...graph.form import Value
from ..recording.net import Net
from .refuse import KERAS_WORDS, garbled, of_layer
from .weights import Place, Weights

MOST = 1 << 24  # of a setting that is a size


class KerasNet(Net):
    """A Net that knows which values have a mask, and what was read of the file.

    masks  the name of a value -> the bool mask that Keras would carry with it, (N, T)
    kept   the key of a tensor -> its constant: a layer that is called twice has its numbers once
    version  (major, minor) of the Keras that wrote the file: what a mask does differs between them
    stateful  layers that would remember what came before;  notes: what else the card says
    theano  whether convolutions turn their kernels by half a turn, and pad as Theano does
    planner  the Planner that read the settings: it knows where numbers are
    run_layer, run_model  (layer, x) and (plan, inputs, path): for wrappers, from the Walk that is on its way
    """

    def __init__(
        self, weights: Weights, age: int, reserved: Sequence[str] = (), version: tuple[int, int] | None = None
    ) -> None:
        super().__init__(KERAS_WORDS, reserved)
        self.weights, self.age = weights, age
        self.version = version or ((2, 15) if age == 2 else (3, 15))
        self.stateful: list[str] = []
        self.notes: list[str] = []
        self.theano = False
        self.planner: Any = None
        self.run_layer: Callable[[Layer, Any], Any]
        self.run_model: Callable[[Any, Sequence[Value], str], list[Value]]
        self.masks: dict[str, Value] = {}
        self.kept: dict[str, Value] = {}
        self.found: dict[tuple[Place, tuple[str, ...]], list[Value]] = {}

    def told_stateful(self, name: str) -> None:
        """A layer starts from zeros here, whatever came before: the card says so."""
        if name not in self.stateful:
            self.stateful.append(name)


@dataclass(frozen=True)
class Layer:
    """One layer of the file.

    kind    its class;  config: its settings, as the file has them;  age: 2 or 3, of the Keras that trained it
    place   where its numbers are;  call, more: the named and further arguments of this call, with Values in them
    """

    kind: str
    name: str
    config: Mapping[str, Any]
    age: int
    place: Place
    call: Mapping[str, Any] = field(default_factory=dict)
    more: Sequence[Any] = ()

    # -- settings ----------------------------------------------------------------------------------------------------

    def get(self, key: str, usual: Any = None) -> Any:
        """A setting as it stands there; `usual` where it is missing or null."""
        found = self.config.get(key)
        return usual if found is None else found

    def flag(self, key: str, usual: bool = False) -> bool:
        """True or false."""
        return bool(self.get(key, usual))

    def whole(self, key: str, usual: int | None = None, low: int = 1) -> int:
        """A whole number; CheckpointDamaged."""
        found = self.get(key, usual)
        if isinstance(found, float) and found.is_integer():
            found = int(found)
        if type(found) is not int or not low <= found <= MOST:
            raise self.garbled(key)
        return found

    def number(self, key: str, usual: float | None = None) -> float:
        """A number; CheckpointDamaged. Keras 3 keeps some as {"class_name": "__numpy__" …}."""
        found = self.get(key, usual)
        if isinstance(found, Mapping):
            found = plain_value(found)
        if isinstance(found, bool) or not isinstance(found, (int, float)):
            raise self.garbled(key)
        return float(found)

    def text(self, key: str, usual: str = "") -> str:
        """A word; CheckpointDamaged."""
        found = self.get(key, usual)
        if not isinstance(found, str):
            raise self.garbled(key)
        return found

    def sizes(self, key: str, dims: int, usual: int | None = None, low: int = 1) -> tuple[int, ...]:
        """One whole number for each axis; CheckpointDamaged."""
        found = self.get(key, usual)
        row = [found] * dims if type(found) is int else found
        fine = isinstance(row, (list, tuple)) and len(row) == dims
        if not fine or not all(type(n) is int and low <= n <= MOST for n in row):
            raise self.garbled(key)
        return tuple(row)

    @property
    def first(self) -> bool:
        """Whether channels come first."""
        return bool(self.get("data_format", "channels_last") == "channels_first")

    # -- numbers -----------------------------------------------------------------------------------------------------

    def tensors(self, t: KerasNet, *roles: str, at: str = "", dtype: str = "") -> list[Value]:
        """Its numbers as constants, in float32, in Keras' own order: ("kernel", "bias").

        at     a part of it: "cell", "query_dense"; for wrapped layers see inner()
        dtype  in which whole numbers are wanted that are no int64
        """
        place = self.place if t.planner is None else t.planner.where(self)
        place = place.inner(at) if at else place
        if (place, roles) not in t.found:
            found = t.weights.find(place, roles)
            if not dtype and any(ref.dtype in (np.int8, np.uint8) for _, ref in found):
                raise self.quantised("int8")
            t.found[place, roles] = [
                t.kept[key] if key in t.kept else t.kept.setdefault(key, t.tensor(key, ref, dtype))
                for key, ref in found
            ]
        return t.found[place, roles]

    def inner(self, entry: Mapping[str, Any], at: str) -> Layer:
        """The layer that this one wraps, from {"class_name", "config"} of its settings."""
        kind, config = entry.get("class_name"), entry.get("config")
        if not isinstance(kind, str) or not isinstance(config, Mapping):
            raise self.garbled(at)
        return Layer(kind, str(config.get("name", self.name)), config, self.age, self.place.inner(at))

    def called(self, call: Mapping[str, Any], more: Sequence[Any]) -> Layer:
        """With the arguments of a call."""
        return replace(self, call=call, more=more)

    # -- refusals ----------------------------------------------------------------------------------------------------

    def refuse(self, en: str, zh: str, todo_en: str = "", todo_zh: str = "") -> UnsupportedCheckpoint:
        """What it does is not known here; without full stops."""
        return of_layer(self.kind, self.name, en, zh, todo_en, todo_zh)

    def quantised(self, how: str) -> UnsupportedCheckpoint:
        """Its numbers are whole ones, whose scales are not read here."""
        return self.refuse(
            f"its weights are quantised as {short(how, 20)}",
            f"权重以 {short(how, 20)} 方式量化",
            "Save the model as it was before model.quantize(), and make it INT8 with qingzhou quantize",
            "请保存 model.quantize() 之前的模型，再用 qingzhou quantize 转为 INT8",
        )

    def garbled(self, key: str) -> Exception:
        """A setting is not what it should be."""
        return garbled(f"layer '{self.name[:60]}' has no proper {key}", f"层 '{self.name[:60]}' 的 {key} 不正常")


def plain_value(found: Mapping[str, Any]) -> Any:
    """What Keras 3 wraps: {"class_name": "__numpy__", "config": {"value": …}} and the like."""
    config = found.get("config")
    return config.get("value") if isinstance(config, Mapping) else config


Function = Callable[[Any, Layer, Any], Any]


@dataclass(frozen=True)
class Kind:
    """A class of Keras and what it does.

    run   (net, layer, x) -> Value, or a tuple of several; x is a Value, or a list of them as Keras calls it
    mask  what a mask that comes in does: "pass": the result has it; "drop": it ends here, as in Keras; "own": `run`
          reads and writes t.masks itself; "merge" and "join": those of several are made one, as of Add and of
          Concatenate; "new": "pass" in Keras 3, "drop" in Keras 2; "three": "pass" in Keras 3, "refuse" in Keras 2;
          "refuse": no rule is known, so that it is refused by the layer's name
    """

    run: Function
    mask: str = "refuse"
