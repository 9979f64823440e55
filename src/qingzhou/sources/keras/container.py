"""Whole: a model's settings and numbers, whatever file they came in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...errors import LabelError, UnsupportedCheckpoint
from ...files.file import Record
from ...files.hdf5 import Bytes, Hdf5, InFile, read_hdf5
from ...files.refusals import damaged
from ...files.types import TensorRef
from ...labels.decode import decode
from ..packed import member, small
from ..source import Opened
from .parts import CONFIG, LABELS, META, NUMBERS, SHARDED, WHOLE, inside, keras_folder, whole_h5
from .refuse import garbled, refused, weights_only
from .weights import Found, Named, Paths, Weights

if TYPE_CHECKING:
    from .applications.known import Known

CHECKPOINT = "_layer_checkpoint_dependencies"  # as Keras 2 calls the layers in a .weights.h5
VARS = re.compile(rf"(?:layers|{CHECKPOINT})/([^/]+)/vars/(\d{{1,6}})")
MOST_JSON = 64 << 20
MOST_UNPACKED = 1 << 30  # of a packed .h5, which has to lie in memory


@dataclass(frozen=True)
class Whole:
    """container: what the file is;  version: of the Keras that wrote it;  entry: {"class_name", "config"};
    labels: a text with the names of classes, or a list of them, or None;  teachable: "image", "sound" or "pose", of a
    project of Teachable Machine;  known: of weights alone, the network of keras.applications that they fit
    """

    container: str
    version: str
    entry: Mapping[str, Any]
    tensors: Mapping[str, TensorRef]
    groups: Mapping[str, list[str]] | None = None  # of an .h5: what each outermost layer has; {"": …} of TF.js
    labels: Any = None
    teachable: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    known: Known | None = None
    theano: bool = False  # who computed with it: its convolutions turn their kernels, and pad otherwise

    @property
    def age(self) -> int:
        """2 or 3. Keras 1 and TF.js compute as Keras 2 does; known networks are described in Keras 3's words."""
        if self.known is not None:
            return 3
        major = self.version.split(".")[0]
        return 3 if major.isdigit() and int(major) >= 3 else 2

    @property
    def minor(self) -> tuple[int, int]:
        """Major and minor; of TF.js and of Keras 1 as the last Keras 2."""
        parts = re.findall(r"\d+", self.version)[:2] if self.version[:1].isdigit() else []
        return (
            (int(parts[0]), int(parts[1]))
            if len(parts) == 2 and parts[0] != "1"
            else (2, 15)
            if self.age == 2
            else (3, 15)
        )

    def weights(self) -> Weights:
        """By the rules of the file."""
        if self.known is not None:
            return self.known.weights
        if self.groups is None:
            return Paths.of(self.tensors)
        groups = {
            name: [(key, self.tensors[key]) for key in keys if key in self.tensors]
            for name, keys in self.groups.items()
        }
        return Named(groups, one="" in groups)


def whole_of(opened: Opened) -> Whole:
    """A .keras, an .h5, or what Teachable Machine gives; CheckpointDamaged, UnsafeCheckpoint, UnsupportedCheckpoint."""
    if opened.whole is not None and opened.head.startswith(b"\x89HDF"):
        source = InFile(opened.file, Record(0, opened.file.size))
        labels = _beside(opened) if opened.path.name == WHOLE else None
        return _of_h5(opened, source, labels)
    names = list(opened.members)
    at = keras_folder(names)
    if at is not None:
        return _of_keras(opened, at)
    name = whole_h5(names)
    labels = inside(names, LABELS)
    return _of_h5(opened, member(opened, name, MOST_UNPACKED), labels_in(opened, labels) if labels else None, name)


def tensors_of(opened: Opened) -> Mapping[str, TensorRef]:
    """All arrays of an .h5, also where there is no network; {} where they cannot be read."""
    if opened.whole is None or not opened.head.startswith(b"\x89HDF"):
        return {}
    try:
        return read_hdf5(InFile(opened.file, Record(0, opened.file.size)), opened.limits).tensors
    except UnsupportedCheckpoint:
        return {}


def _beside(opened: Opened) -> str | None:
    return labels_in(opened, LABELS) if LABELS in opened.members else None


def text_of(opened: Opened, name: str) -> str:
    """A part as text; UnsafeCheckpoint for one that is too long."""
    return small(opened, name, MOST_JSON).decode("utf-8-sig", "replace")


def labels_in(opened: Opened, name: str) -> str:
    """Names of classes, which people write with any editor; what is no text is refused where the names are read."""
    data = small(opened, name, MOST_JSON)
    try:
        return decode(data)
    except LabelError:
        return data.decode("utf-8-sig", "replace")


def parsed(text: str, what: str) -> Mapping[str, Any]:
    """JSON that is an object; CheckpointDamaged."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise damaged(f"its {what} is no proper JSON", f"{what} 不是正常的 JSON") from None
    if not isinstance(found, dict):
        raise damaged(f"its {what} is no object", f"{what} 不是对象")
    return found


def _of_keras(opened: Opened, at: str) -> Whole:
    entry = parsed(text_of(opened, at + CONFIG), CONFIG)
    about = parsed(text_of(opened, at + META), META) if at + META in opened.members else {}
    if at + NUMBERS not in opened.members:
        if at + SHARDED in opened.members:
            raise refused(
                "its weights are spread over several files (model.weights.json)",
                "权重分散在多个文件中（model.weights.json）",
                "Load it and save it again with model.save('model.keras')",
                "请加载后用 model.save('model.keras') 重新保存",
            )
        raise damaged(f"{NUMBERS} is missing", f"缺少 {NUMBERS}")
    numbers = read_hdf5(
        member(opened, at + NUMBERS, MOST_UNPACKED), opened.limits, lambda path: path.split("/")[0] == "optimizer"
    )
    version = str(about.get("keras_version", "3"))
    facts = {"keras": version[:40], "saved": str(about.get("date_saved", ""))[:40]}
    return Whole(".keras", version, entry, numbers.tensors, facts=facts)


def _of_h5(opened: Opened, source: Bytes, labels: Any, name: str = "") -> Whole:
    found = read_hdf5(source, opened.limits, lambda path: path.split("/")[0] == "optimizer_weights")
    root = found.attributes.get("", {})
    config = root.get("model_config")
    if not isinstance(config, str):
        return _of_weights(found, labels)
    version = str(root.get("keras_version", "1" if "keras_version" not in root else ""))
    groups = {one: _weight_names(found, one) for one in found.groups.get("model_weights", ())}
    own = labels is not None and (name or opened.path.name).rpartition("/")[2] == WHOLE
    entry, theano = parsed(config, "model_config"), root.get("backend") == "theano"
    if version.split(".")[0] == "1":
        from .keras1 import in_new_words

        new = in_new_words(entry, found.tensors, groups)
        facts = {"keras": version[:40], "backend": "Theano" if new.theano else "TensorFlow"}
        return Whole(
            ".h5", version, new.entry, new.tensors, {"": list(new.tensors)}, labels, facts=facts, theano=new.theano,
        )  # fmt: skip
    return Whole(
        ".h5", version, entry, found.tensors, groups, labels, "image" * own, {"keras": version[:40]}, theano=theano
    )


def _of_weights(found: Hdf5, labels: Any) -> Whole:
    """Weights alone, where they are those of a network of keras.applications; UnsupportedCheckpoint of all others."""
    root = found.attributes.get("", {})
    old = "layer_names" in root or "layer_names0" in root
    if not old and not {"layers", "vars", CHECKPOINT} & set(found.groups.get("", ())):
        raise refused("it is an HDF5 file without a Keras model", "它是 HDF5 文件，但其中没有 Keras 模型")
    from .applications.known import recognised

    layers = _in_order(found) if old else _by_key(found)
    known = recognised(layers, by_key=not old)
    if known is None:
        raise weights_only(
            "there is no model_config" if old else "a .weights.h5 has no config",
            "没有 model_config" if old else ".weights.h5 中没有配置",
        )
    version = str(root.get("keras_version", "2" if old else "3"))
    return Whole(
        "weights of Keras", version, known.entry(), found.tensors, labels=labels, facts={"keras": version[:40]},
        known=known, theano=root.get("backend") == "theano",
    )  # fmt: skip


def _in_order(found: Hdf5) -> dict[str, list[Found]]:
    """Layers with weights, as Keras 2's save_weights('….h5') lists them."""
    names = _names_in(found.attributes.get("", {}), "layer_names") or []
    layers = {name: _weight_names(found, name, "") for name in names if isinstance(name, str)}
    return {
        name: [(key, found.tensors[key]) for key in keys if key in found.tensors]
        for name, keys in layers.items()
        if keys
    }


def _by_key(found: Hdf5) -> dict[str, list[Found]]:
    """layers/conv2d_1/vars/0 -> conv2d_1."""
    layers: dict[str, dict[int, Found]] = {}
    for key, ref in found.tensors.items():
        matched = VARS.fullmatch(key)
        if matched:
            layers.setdefault(matched[1], {})[int(matched[2])] = (key, ref)
    return {name: [numbered[i] for i in sorted(numbered)] for name, numbered in layers.items()}


def _weight_names(found: Hdf5, layer: str, root: str = "model_weights/") -> list[str]:
    """The paths of a layer's arrays in their order."""
    at = f"{root}{layer}"
    names = _names_in(found.attributes.get(at, {}), "weight_names")
    if names is None:
        raise garbled(f"the weights of layer '{layer[:60]}' have no names", f"层 '{layer[:60]}' 的权重没有名称")
    return [f"{at}/{one}" for one in names]


def _names_in(attributes: Mapping[str, Any], key: str) -> list[Any] | None:
    """A list of names; a long one is split into weight_names0, 1, …"""
    names = attributes.get(key)
    if names is None:
        names, i = [], 0
        while f"{key}{i}" in attributes:
            part = attributes[f"{key}{i}"]
            names, i = names + (part if isinstance(part, list) else []), i + 1
    return names if isinstance(names, list) else None
