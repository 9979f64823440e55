"""A model's settings as a plan: its layers, how they are called, and what goes in and comes out.

Keras 3: https://github.com/keras-team/keras/blob/v3.15.0/keras/src/models/functional.py (functional_from_config)
Keras 2: https://github.com/keras-team/keras/blob/v2.15.0/keras/engine/functional.py (reconstruct_from_config)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .layer import Layer
from .ops import OPERATORS
from .refuse import custom_layer, garbled, lambda_layer, refused, subclassed
from .weights import Place, Weights, snake

MODELS = ("Functional", "Model", "Sequential")
STRINGS = ("TextVectorization", "StringLookup", "Hashing")
MOST_LAYERS, MOST_DEPTH = 10_000, 30
OWN = ("keras", "tf_keras", "keras_core")  # whose modules are Keras' own
OTHERWISE = {"GroupQueryAttention": "GroupedQueryAttention"}  # classes that Keras calls so in its files' paths
WRAPPED = ("layer", "forward_layer", "backward_layer", "cell")  # settings that hold a layer
PLACES = (".ops.", ".operations.")
WITH_DTYPE = ("Cast", "ConvertToTensor", "ZerosLike", "OnesLike")  # operators that have one among their settings
LAMBDAS = ("TFOpLambda", "SlicingOpLambda")


@dataclass(frozen=True)
class Ref:
    """A tensor: result `tensor` of call `node` of a layer."""

    layer: str
    node: int
    tensor: int


@dataclass(frozen=True)
class Call:
    """One call of a layer: Refs stand anywhere inside its arguments."""

    args: Sequence[Any]
    kwargs: Mapping[str, Any]


@dataclass
class Item:
    """A layer, a nested model or an operator, and its calls."""

    layer: Layer
    calls: list[Call]
    model: Plan | None = None
    operator: bool = False


@dataclass
class Plan:
    """A model. sequential: one after the other; else by the calls; names: of outputs, where a dict gave them."""

    name: str
    items: dict[str, Item]
    inputs: list[Ref] = field(default_factory=list)
    outputs: list[Ref] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    sequential: bool = False

    @property
    def first(self) -> bool:
        """Whether a layer for pictures has its channels first, also in a model inside."""
        return any(
            item.model.first if item.model is not None else item.layer.first and item.layer.kind.endswith("2D")
            for item in self.items.values()
        )


class Planner:
    """Reads one file's settings; nested models are counted together."""

    def __init__(self, weights: Weights, age: int) -> None:
        self.weights, self.age = weights, age
        self.count = 0
        self.seen: dict[tuple[str, str, str], list[Place]] = {}

    def plan(self, entry: Mapping[str, Any], place: Place | None = None, depth: int = 0) -> Plan:
        """A model from {"class_name", "config"}; UnsupportedCheckpoint, CheckpointDamaged."""
        kind, config = entry.get("class_name"), entry.get("config")
        if isinstance(kind, str) and depth == 0:
            _check_model(entry, kind)
        if isinstance(config, list):  # Keras 1 and the first Keras 2: a Sequential's config is its layers
            config = {"name": "sequential", "layers": config}
        if not isinstance(kind, str) or not isinstance(config, Mapping) or not isinstance(config.get("layers"), list):
            raise subclassed(str(entry.get("registered_name") or kind))
        if depth > MOST_DEPTH:
            raise garbled("its models are nested too deeply", "模型嵌套过深")
        at = place or Place("", ())
        name = str(config.get("name", kind))
        items = self._items(config["layers"], at, depth)
        if kind == "Sequential":
            return Plan(name, items, sequential=True)
        inputs, _ = _refs_of(config.get("input_layers"))
        outputs, names = _refs_of(config.get("output_layers"))
        if not inputs or not outputs:
            raise garbled(f"model '{name[:60]}' has no inputs or outputs", f"模型 '{name[:60]}' 没有输入或输出")
        plan = Plan(name, items, inputs, outputs, names)
        if self.age == 2:
            _count_calls_from_0(plan)
        else:
            _count_ends_from_0(plan)
        return plan

    def _items(self, entries: Sequence[Any], place: Place, depth: int) -> dict[str, Item]:
        counts: dict[str, int] = {}
        again: dict[str, int] = {}
        found: dict[str, Item] = {}
        for entry in entries:
            self.count += 1
            if self.count > MOST_LAYERS:
                raise refused(f"it has more than {MOST_LAYERS} layers", f"它的层数超过 {MOST_LAYERS}")
            if not isinstance(entry, Mapping) or not isinstance(entry.get("class_name"), str):
                raise garbled("one of its layers is none", "其中一个层不正常")
            item = self._item(entry, place, counts, depth)
            name = item.layer.name
            again[name] = again.get(name, 0) + 1  # a Sequential may name two alike, which nobody calls by name
            found[name if again[name] == 1 else f"{name}+{again[name]}+{len(found)}"] = item
        return found

    def _item(self, entry: Mapping[str, Any], place: Place, counts: dict[str, int], depth: int) -> Item:
        kind = entry["class_name"].rpartition(">")[2]
        config = entry.get("config")
        settings = config if isinstance(config, Mapping) else {}
        name = str(entry.get("name") or settings.get("name") or kind)
        operator = _check_trust(entry, kind, name, settings)
        key = snake(OTHERWISE.get(kind, kind))
        if not operator:
            counts[key] = counts.get(key, -1) + 1
            key = f"{key}_{counts[key]}" if counts[key] else key
        below = Place(f"{place.path}/layers/{key}".lstrip("/"), (*place.names, name))
        layer = Layer(kind, name, settings, self.age, below)
        calls = [] if operator and not entry.get("inbound_nodes") else _calls(entry.get("inbound_nodes"))
        self._see(layer)
        if kind in MODELS:
            return Item(layer, calls, self.plan(entry, self.where(layer), depth + 1))
        return Item(layer, calls, operator=operator)

    def _see(self, layer: Layer, depth: int = 0) -> None:
        """Notes where the numbers of a layer would be, and of those that it wraps."""
        self.seen.setdefault(_same(layer), []).append(layer.place)
        for at in WRAPPED if depth < MOST_DEPTH else ():
            entry = layer.config.get(at)
            if isinstance(entry, Mapping) and isinstance(entry.get("config"), Mapping) and entry.get("class_name"):
                self._see(layer.inner(entry, at), depth + 1)

    def where(self, layer: Layer) -> Place:
        """Where its numbers are: a .keras has those of a layer in several places (by itself, and in a wrapper) once."""
        if self.weights.has_group(layer.place):
            return layer.place
        return next((one for one in self.seen.get(_same(layer), ()) if self.weights.has_group(one)), layer.place)

    def inner(self, layer: Layer, entry: Mapping[str, Any]) -> Plan:
        """A model that a layer wraps."""
        return self.plan(entry, self.where(layer), 1)


def _same(layer: Layer) -> tuple[str, str, str]:
    """What two entries of one layer have in common: Keras numbers objects only where they are inside others."""
    said = json.dumps(layer.config, sort_keys=True, default=str)
    return layer.kind, layer.name, re.sub(r', "shared_object_id": -?\d+|"shared_object_id": -?\d+, ', "", said)


def _check_model(entry: Mapping[str, Any], kind: str) -> None:
    """UnsupportedCheckpoint for a class of the author's own, which may call its layers as it likes."""
    module, registered = str(entry.get("module") or "keras"), entry.get("registered_name")
    named = isinstance(registered, str) and ">" in registered
    if kind not in MODELS or named or module.split(".")[0] not in OWN:
        raise subclassed(str(registered if named else kind))


def _check_trust(entry: Mapping[str, Any], kind: str, name: str, settings: Mapping[str, Any]) -> bool:
    """Whether it is an operator; UnsupportedCheckpoint for what is not Keras' own, or holds a program."""
    module, registered = str(entry.get("module") or ""), entry.get("registered_name")
    if kind == "Lambda":
        raise lambda_layer(name)
    own = not module or module.split(".")[0] in OWN or module.startswith("tensorflow.keras.")
    if not own or (isinstance(registered, str) and ">" in registered) or ">" in entry["class_name"]:
        cls = registered if isinstance(registered, str) and registered else entry["class_name"]
        if isinstance(entry.get("config"), Mapping) and "layers" in settings and kind not in MODELS:
            raise subclassed(str(cls))
        raise custom_layer(name, str(cls))
    if kind in STRINGS:
        raise refused(
            f"layer '{name[:60]}' ({kind}) works on strings: its vocabulary is in assets/, and no board feeds text",
            f"层 '{name[:60]}'（{kind}）处理的是字符串：词表在 assets/ 中，板子上无法输入文本",
            "Turn text into whole numbers outside of the model, and save the part behind that layer",
            "请在模型之外把文本转换为整数，只保存该层之后的部分",
        )
    for found in _lambdas(settings, 0):
        raise lambda_layer(found)
    return any(part in f"{module}." for part in PLACES) or kind in LAMBDAS or (not module and _is_operator(entry))


def _is_operator(entry: Mapping[str, Any]) -> bool:
    """In an .h5 of Keras 3, which names no modules: what is called so, and has nothing that a layer has."""
    nodes, config = entry.get("inbound_nodes"), entry.get("config")
    called = isinstance(nodes, list) and bool(nodes) and isinstance(nodes[0], Mapping)
    kind = entry["class_name"]
    layers_own = {"trainable", "layers"} if kind in WITH_DTYPE else {"trainable", "layers", "dtype"}
    return kind in OPERATORS and called and isinstance(config, Mapping) and not layers_own & config.keys()


def _lambdas(value: Any, depth: int) -> Iterator[str]:
    """The names of Lambda layers inside the settings of a wrapper."""
    if depth > 100:
        raise garbled("its settings are nested too deeply", "配置嵌套过深")
    if isinstance(value, Mapping):
        if value.get("class_name") in ("Lambda", "__lambda__"):
            config = value.get("config")
            yield str(config.get("name", "lambda") if isinstance(config, Mapping) else "lambda")
        for one in value.values():
            yield from _lambdas(one, depth + 1)
    elif isinstance(value, list):
        for one in value:
            yield from _lambdas(one, depth + 1)


# -- calls ------------------------------------------------------------------------------------------------------------


def _calls(nodes: Any) -> list[Call]:
    """The calls of a layer, in the words of either Keras."""
    if not isinstance(nodes, list):
        return []
    return [_call3(node) if isinstance(node, Mapping) else _call2(node) for node in nodes]


def _call3(node: Mapping[str, Any]) -> Call:
    args, kwargs = node.get("args", []), node.get("kwargs", {})
    if not isinstance(args, list) or not isinstance(kwargs, Mapping):
        raise garbled("a call has no arguments", "一次调用缺少参数")
    return Call([_argument(one) for one in args], {str(key): _argument(one) for key, one in kwargs.items()})


def _argument(value: Any, depth: int = 0) -> Any:
    """With Refs and slices in the place of what stands for them."""
    if depth > 20:
        raise garbled("its arguments are nested too deeply", "参数嵌套过深")
    if isinstance(value, Mapping):
        kind, config = value.get("class_name"), value.get("config")
        if kind == "__keras_tensor__" and isinstance(config, Mapping):
            return _ref(config.get("keras_history"))
        if kind == "__slice__" and isinstance(config, Mapping):
            return slice(*(_argument(config.get(key), depth + 1) for key in ("start", "stop", "step")))
        if kind == "__ellipsis__":
            return ...
        if kind in ("__numpy__", "__tensor__") and isinstance(config, Mapping):
            return config.get("value")
        if kind == "__tuple__" and isinstance(config, Mapping):
            return _argument(config.get("value", []), depth + 1)
        return {str(key): _argument(one, depth + 1) for key, one in value.items()}
    return [_argument(one, depth + 1) for one in value] if isinstance(value, list) else value


def _ref(history: Any) -> Ref:
    fine = isinstance(history, (list, tuple)) and len(history) >= 3 and isinstance(history[0], str)
    if not fine or not all(type(n) is int and 0 <= n < 1 << 20 for n in history[1:3]):
        raise garbled("a connection between layers is broken", "层之间的连接信息已损坏")
    return Ref(history[0], history[1], history[2])


def _call2(node: Any) -> Call:
    """[[layer, node, tensor, kwargs], …]; of an operator, one of these with the rest in kwargs."""
    if not isinstance(node, list):
        raise garbled("a connection between layers is broken", "层之间的连接信息已损坏")
    rows = [node] if node and isinstance(node[0], str) else node
    refs: list[Any] = []
    kwargs: dict[str, Any] = {}
    for row in rows:
        if isinstance(row, list) and len(row) > 3 and row[0] == "_CONSTANT_VALUE":
            refs.append(row[2])
            kwargs |= _kwargs2(row[3])
            continue
        refs.append(_ref(row))
        kwargs |= _kwargs2(row[3]) if len(row) > 3 else {}
    return Call([refs[0] if len(refs) == 1 else refs] if refs else [], kwargs)


def _kwargs2(given: Any) -> dict[str, Any]:
    return {str(key): _argument2(one) for key, one in given.items()} if isinstance(given, Mapping) else {}


def _argument2(value: Any, depth: int = 0) -> Any:
    """A list that looks like a connection is one: [layer, node, tensor]."""
    if depth > 20:
        raise garbled("its arguments are nested too deeply", "参数嵌套过深")
    if isinstance(value, list):
        tensor = len(value) in (3, 4) and isinstance(value[0], str) and all(type(n) is int for n in value[1:3])
        if tensor and value[0] != "_CONSTANT_VALUE":
            return _ref(value)
        if len(value) > 2 and value[0] == "_CONSTANT_VALUE":
            return value[2]
        return [_argument2(one, depth + 1) for one in value]
    if isinstance(value, Mapping):
        if set(value) >= {"start", "stop", "step"}:
            return slice(*(_argument2(value[key], depth + 1) for key in ("start", "stop", "step")))
        return {str(key): _argument2(one, depth + 1) for key, one in value.items()}
    return value


def _refs_of(found: Any) -> tuple[list[Ref], list[str]]:
    """The ends of a model: one triple, a list of them, or a dict whose keys name them."""
    if isinstance(found, list) and len(found) == 3 and isinstance(found[0], str):
        return [_ref(found)], []
    if isinstance(found, Mapping):
        pairs = [(str(key), ref) for key, one in found.items() for ref in _refs_of(one)[0]]
        return [ref for _, ref in pairs], [key for key, _ in pairs]
    if isinstance(found, list):
        return [ref for one in found for ref in _refs_of(one)[0]], []
    raise garbled("its inputs or outputs are not said", "没有说明输入或输出")


def refs_in(value: Any) -> Iterator[Ref]:
    """All tensors inside arguments."""
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, slice):
        yield from (one for part in (value.start, value.stop, value.step) for one in refs_in(part))
    elif isinstance(value, (list, tuple)):
        yield from (one for part in value for one in refs_in(part))
    elif isinstance(value, Mapping):
        yield from (one for part in value.values() for one in refs_in(part))


def _count_ends_from_0(plan: Plan) -> None:
    """Keras 3 counts the calls of a nested Functional from 1 among the outputs, and from 0 elsewhere (functional.py,
    get_tensor of functional_from_config).
    """
    plan.outputs = [
        Ref(ref.layer, ref.node - 1, ref.tensor)
        if ref.node and ref.layer in plan.items and plan.items[ref.layer].layer.kind in ("Functional", "Model")
        else ref
        for ref in plan.outputs
    ]


def _count_calls_from_0(plan: Plan) -> None:
    """Keras 2 counts the calls of a nested model from 1, since 0 is its own making."""
    all_refs = [ref for item in plan.items.values() for call in item.calls for ref in refs_in([call.args, call.kwargs])]
    least: dict[str, int] = {}
    for ref in (*all_refs, *plan.outputs):
        least[ref.layer] = min(ref.node, least.get(ref.layer, ref.node))
    late = {name for name, item in plan.items.items() if item.model and least.get(name, 0) >= 1 and item.calls}
    if not late:
        return

    def less(value: Any) -> Any:
        if isinstance(value, Ref):
            return Ref(value.layer, value.node - 1, value.tensor) if value.layer in late else value
        if isinstance(value, slice):
            return slice(less(value.start), less(value.stop), less(value.step))
        if isinstance(value, list):
            return [less(one) for one in value]
        return {key: less(one) for key, one in value.items()} if isinstance(value, dict) else value

    for item in plan.items.values():
        item.calls = [Call(less(list(call.args)), less(dict(call.kwargs))) for call in item.calls]
    plan.outputs = [less(ref) for ref in plan.outputs]
