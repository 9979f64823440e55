"""Whole models of Keras 1 in the words of Keras 2: settings, names of numbers, and kernels in Keras' order of today.

Keras 2's own rules: https://github.com/keras-team/keras/blob/2.2.4/keras/legacy/interfaces.py (settings) and
https://github.com/keras-team/keras/blob/2.2.4/keras/engine/saving.py (preprocess_weights_for_loading). Where Keras 1
itself computes otherwise than they say, it is followed: tests/oracle/keras/make/make_keras1.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...files.types import TensorRef
from .keras1_arrays import Old, translated
from .refuse import custom_layer, garbled, lambda_layer, of_layer

CLASSES = {
    "Convolution1D": "Conv1D", "Convolution2D": "Conv2D", "Convolution3D": "Conv3D", "AtrousConvolution1D": "Conv1D",
    "AtrousConvolution2D": "Conv2D", "Deconvolution2D": "Conv2DTranspose", "SeparableConvolution2D": "SeparableConv2D",
    "TimeDistributedDense": "Dense",
}  # fmt: skip
MERGED = {"sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum", "concat": "Concatenate", "dot": "Dot"}
SETTINGS = {
    "output_dim": "units", "nb_filter": "filters", "border_mode": "padding", "subsample": "strides", "bias": "use_bias",
    "subsample_length": "strides", "filter_length": "kernel_size", "inner_activation": "recurrent_activation",
    "atrous_rate": "dilation_rate", "pool_length": "pool_size", "stride": "strides", "length": "size", "p": "rate",
    "sigma": "stddev", "input_dtype": "dtype",
}  # fmt: skip
KERNELS = (("nb_row", "nb_col"), ("kernel_dim1", "kernel_dim2", "kernel_dim3"))
ORDERS = {"th": "channels_first", "tf": "channels_last"}
UNSAID = re.compile(r"(UpSampling|ZeroPadding|Cropping)[23]D")  # whose files leave out where channels are
PADS = (("top_pad", "bottom_pad", "left_pad", "right_pad"), ("left_pad", "right_pad"))
MOST_DEPTH = 30


@dataclass(frozen=True)
class Translated:
    """entry: the model's settings;  tensors: by names as Keras 2 gives them;  theano: who computed with it."""

    entry: Mapping[str, Any]
    tensors: Mapping[str, TensorRef]
    theano: bool


def in_new_words(
    entry: Mapping[str, Any], tensors: Mapping[str, TensorRef], groups: Mapping[str, Sequence[str]]
) -> Translated:
    """UnsupportedCheckpoint names a layer that Keras 2 no longer has; CheckpointDamaged."""
    orders = {str(one["dim_ordering"]) for _, one in _settings(entry) if one.get("dim_ordering") in ORDERS}
    words = _Words(orders.pop() if len(orders) == 1 else "", {})
    new = words.model(entry, (), 0)
    keys = [key for names in groups.values() for key in names if key in tensors]
    theano = bool(keys) and not any(key.endswith(":0") for key in keys)  # TensorFlow numbers what a variable gives
    found: dict[str, TensorRef] = {}
    for names in groups.values():
        found |= _renamed({key: tensors[key] for key in names if key in tensors}, words.owners)
    return Translated(new, found, theano)


def _settings(value: Any, depth: int = 0) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every class with its settings, however deep."""
    if depth > 4 * MOST_DEPTH:
        raise garbled("its models are nested too deeply", "模型嵌套过深")
    if isinstance(value, Mapping):
        if isinstance(value.get("class_name"), str) and isinstance(value.get("config"), Mapping):
            yield value["class_name"], value["config"]
        for one in value.values():
            yield from _settings(one, depth + 1)
    elif isinstance(value, list):
        for one in value:
            yield from _settings(one, depth + 1)


@dataclass
class _Words:
    """order: "th" or "tf", if all layers that say it say the same;  owners: how a layer's numbers are called so far."""

    order: str
    owners: dict[str, Old]

    def model(self, entry: Mapping[str, Any], path: tuple[str, ...], depth: int) -> dict[str, Any]:
        """A Model, or a Sequential, whose settings are a list."""
        config = entry.get("config")
        layers = config.get("layers") if isinstance(config, Mapping) else config
        if depth > MOST_DEPTH or not isinstance(layers, list):
            raise garbled("one of its models has no layers", "其中一个模型没有层")
        kind, name = str(entry.get("class_name")), str(entry.get("name") or kind_name(config, entry))
        if (
            kind == "Sequential"
            and layers
            and isinstance(layers[0], Mapping)
            and layers[0].get("class_name") == "Merge"
        ):
            return {**entry, **self._branched(layers, name, path, depth)}
        new = [self.layer(one, path, depth + 1) for one in layers]
        settings = {**config, "layers": new} if isinstance(config, Mapping) else {"name": name, "layers": new}
        return {**entry, "config": settings}

    def layer(self, entry: Any, path: tuple[str, ...], depth: int) -> dict[str, Any]:
        """A layer, a wrapper or a model."""
        if not isinstance(entry, Mapping) or not isinstance(entry.get("class_name"), str):
            raise garbled("one of its layers is none", "其中一个层不正常")
        kind, config = entry["class_name"], entry.get("config")
        if kind in ("Model", "Sequential"):
            return self.model(entry, path, depth)
        if not isinstance(config, Mapping):
            raise garbled("one of its layers has no settings", "其中一个层没有配置")
        name = str(config.get("name", kind))
        inner = config.get("layer")
        if isinstance(inner, Mapping):
            return {**entry, "config": {**config, "layer": self._inner(kind, name, inner, (*path, name), depth + 1)}}
        self.owners.setdefault(name, Old(kind, config, (*path, name)))
        return {**entry, **self._renamed(kind, name, config)}

    def _inner(
        self, kind: str, name: str, inner: Mapping[str, Any], path: tuple[str, ...], depth: int
    ) -> dict[str, Any]:
        if depth > MOST_DEPTH:
            raise garbled("its models are nested too deeply", "模型嵌套过深")
        found, config = self.layer(inner, path, depth), inner.get("config")
        if kind == "Bidirectional" and isinstance(config, Mapping):
            for way in ("forward_", "backward_"):
                own = f"{way}{config.get('name')}"
                self.owners[own] = Old(str(inner["class_name"]), config, (*path, own))
        return found

    def _renamed(self, kind: str, name: str, config: Mapping[str, Any]) -> dict[str, Any]:
        """{"class_name", "config"} of a layer."""
        if kind == "Merge":
            return _merge(name, config)
        if kind == "BatchNormalization" and config.get("mode", 0) != 0:
            raise of_layer(
                kind, name, f"mode={config['mode']} normalises by the sample or the batch, which no later Keras does",
                f"mode={config['mode']} 按样本或按批归一化，后来的 Keras 已不支持",
            )  # fmt: skip
        if config.get("border_mode") == "full":
            raise of_layer(kind, name, "border_mode 'full' is not known here", "这里不支持 border_mode 'full'")
        new = {key: one for key, one in config.items() if key not in SETTINGS or kind == "Embedding"}
        if kind != "Embedding":
            new |= {SETTINGS[key]: one for key, one in config.items() if key in SETTINGS}
        for sizes in KERNELS:
            if all(key in config for key in sizes):
                new["kernel_size"] = [config[key] for key in sizes]
        order = config.get("dim_ordering") or (self.order if UNSAID.fullmatch(kind) else None)
        if order == "" and UNSAID.fullmatch(kind):
            raise of_layer(
                kind, name, "its file does not say on which axis channels are", "文件没有说明通道在哪一个轴上"
            )
        new |= {"data_format": ORDERS[order]} if order in ORDERS else {}
        if kind.startswith("ZeroPadding"):
            new["padding"] = _padding(config.get("padding"))
        return {"class_name": CLASSES.get(kind, kind), "config": new}

    def _branched(self, layers: list[Any], name: str, path: tuple[str, ...], depth: int) -> dict[str, Any]:
        """A Sequential that begins with a Merge of other models: as a Model of several inputs."""
        merge = layers[0].get("config")
        given = merge.get("layers") if isinstance(merge, Mapping) else None
        if not isinstance(given, list) or len(given) < 2:
            raise garbled("its Merge has no layers", "Merge 层中没有层")
        entries: list[dict[str, Any]] = []
        inputs: list[list[Any]] = []
        ends: list[list[Any]] = []
        for i, one in enumerate(given):
            new = self.layer(one, path, depth + 1)
            called = str(new.get("name") or f"{name}_branch_{i + 1}")
            shapes = _shapes(new)
            here = [f"{called}_input_{j + 1}" if len(shapes) > 1 else f"{called}_input" for j in range(len(shapes))]
            for entry, shape in zip(here, shapes, strict=True):
                entries.append({"class_name": "InputLayer", "name": entry, "inbound_nodes": [],
                                "config": {**shape, "name": entry}})  # fmt: skip
            entries.append({**new, "name": called, "inbound_nodes": [[[entry, 0, 0] for entry in here]]})
            inputs += [[entry, 0, 0] for entry in here]
            ends.append([called, 0, 0])
        for one in [{"class_name": "Merge", "config": {k: v for k, v in merge.items() if k != "layers"}}, *layers[1:]]:
            new = self.layer(one, path, depth + 1)
            called = str(new.get("name") or kind_name(new.get("config"), new))
            entries.append({**new, "name": called, "inbound_nodes": [ends]})
            ends = [[called, 0, 0]]
        config = {"name": name, "layers": entries, "input_layers": inputs, "output_layers": ends}
        return {"class_name": "Model", "config": config}


def kind_name(config: Any, entry: Mapping[str, Any]) -> str:
    """How a layer is called."""
    found = config.get("name") if isinstance(config, Mapping) else None
    return str(found or str(entry.get("class_name")).lower())


def _shapes(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What goes into a translated branch: {"batch_input_shape", "dtype"} each."""
    config: Any = entry.get("config")
    layers = config.get("layers") if isinstance(config, Mapping) else None
    if isinstance(layers, list) and entry.get("class_name") == "Model":
        named = {str(one.get("name")): one for one in layers if isinstance(one, Mapping)}
        ends = config.get("input_layers")
        names = [str(one[0]) for one in ends if isinstance(one, list) and one] if isinstance(ends, list) else []
        return [shape for name in names if name in named for shape in _shapes(named[name])]
    if isinstance(layers, list) and layers and isinstance(layers[0], Mapping):
        return _shapes(layers[0])
    if isinstance(config, Mapping) and isinstance(config.get("batch_input_shape"), list):
        words = {"dtype": "int32"} if entry.get("class_name") == "Embedding" else {}
        return [{key: config[key] for key in ("batch_input_shape", "dtype") if key in config} | words]
    raise garbled("one of its branches does not say what goes in", "其中一个分支没有说明输入的形状")


def _merge(name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    mode, how = config.get("mode"), config.get("mode_type", "raw")
    if how == "lambda":
        raise lambda_layer(name)
    if how != "raw":
        raise custom_layer(name, f"Merge({mode})")
    if mode not in MERGED:
        raise of_layer(
            "Merge", name, f"mode '{str(mode)[:20]}' is not known here", f"这里不支持 mode '{str(mode)[:20]}'"
        )
    more = {"concat": {"axis": config.get("concat_axis", -1)}, "dot": {"axes": config.get("dot_axes", -1)}}
    return {"class_name": MERGED[mode], "config": {"name": name, **more.get(mode, {})}}


def _padding(found: Any) -> Any:
    """As Keras 2 writes it: four numbers, or a dict of them, in two pairs."""
    if isinstance(found, Mapping):
        names = PADS[0] if set(found) & set(PADS[0][:2]) else PADS[1]
        found = [found.get(key, 0) for key in names]
    return [found[:2], found[2:]] if isinstance(found, list) and len(found) == 4 else found


# -- numbers ---------------------------------------------------------------------------------------------------------


def _renamed(tensors: Mapping[str, TensorRef], owners: Mapping[str, Old]) -> dict[str, TensorRef]:
    """Those of one group: dense_1_W:0 -> dense_1/kernel; what nobody owns keeps its name."""
    own: dict[tuple[str, int], dict[str, TensorRef]] = {}
    found: dict[str, TensorRef] = {}
    for key, ref in tensors.items():
        name, role = _owner(key, owners)
        if not name:
            found[key] = ref
            continue
        turn = next(i for i in range(len(tensors)) if role not in own.get((name, i), {}))
        own.setdefault((name, turn), {})[role] = ref
    group = next(iter(tensors), "/").split("/")[1]
    for (name, turn), refs in own.items():
        old = owners[name]
        at = "/".join([group, *([f"again_{turn}"] if turn else []), *(one for one in old.path if one != group)])
        found |= {f"{at}/{role}": ref for role, ref in translated(old, name, refs).items()}
    return found


def _owner(key: str, owners: Mapping[str, Old]) -> tuple[str, str]:
    """(layer, role) of model_weights/dense_1/dense_1_W:0; TensorFlow adds a number where it knew the name."""
    leaf = key.rpartition("/")[2].removesuffix(":0")
    names = [leaf[:i] for i, letter in enumerate(leaf) if letter == "_" and leaf[:i] in owners]
    if not names:
        return "", ""
    return names[-1], re.sub(r"_\d+$", "", leaf[len(names[-1]) + 1 :])
