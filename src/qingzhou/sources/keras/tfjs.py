"""TF.js layers models: model.json with the settings, and shards with the numbers one after the other.

https://github.com/tensorflow/tfjs/blob/master/tfjs-core/src/io/types.ts (WeightsManifestConfig)
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ...files.file import CHUNK, File, Record
from ...files.hdf5 import Bytes, InFile
from ...files.limits import elements
from ...files.refusals import damaged, naming, short, unsafe
from ...files.types import TensorRef
from ...own_files import is_plain
from ..packed import member
from ..source import Opened
from .container import MOST_UNPACKED, Whole, parsed, text_of
from .parts import PAGE, inside
from .refuse import refused

if TYPE_CHECKING:
    from ...graph.form import Array

MOST_SHARDS = 10_000
DTYPES = {
    "float32": "<f4", "float16": "<f2", "int32": "<i4", "uint8": "u1", "uint16": "<u2", "bool": "?", "int8": "i1",
    "float64": "<f8", "int64": "<i8",
}  # fmt: skip


@dataclass(frozen=True)
class Joined:
    """Several runs of bytes as one."""

    parts: Sequence[Bytes]
    starts: Sequence[int]
    size: int

    @classmethod
    def of(cls, parts: Sequence[Bytes]) -> Joined:
        """In this order."""
        starts = [0]
        for part in parts:
            starts.append(starts[-1] + part.size)
        return cls(parts, starts, starts[-1])

    def read(self, start: int, size: int) -> bytes:
        """A tensor may lie across two files."""
        if start < 0 or size < 0 or start + size > self.size:
            raise damaged("its shards end too early", "权重分片不完整，提前结束")
        found, i = [], bisect.bisect_right(self.starts, start) - 1
        while size:
            inner = start - self.starts[i]
            count = min(size, self.parts[i].size - inner)
            found.append(self.parts[i].read(inner, count))
            start, size, i = start + count, size - count, i + 1
        return b"".join(found)

    def chunks(self, start: int, size: int) -> Iterator[memoryview]:
        """The same piece by piece."""
        return (memoryview(self.read(start + i, min(CHUNK, size - i))) for i in range(0, size, CHUNK))


def page_of(opened: Opened) -> Whole:
    """CheckpointDamaged, UnsafeCheckpoint, UnsupportedCheckpoint."""
    at = "" if opened.whole is not None and not opened.head.startswith(b"PK") else inside(opened.members, PAGE)
    about = parsed(_text(opened, at), PAGE)
    topology = about.get("modelTopology")
    if "modelTopology" not in about and "weightsManifest" not in about:
        raise refused("its model.json is not one of TF.js", "其中的 model.json 不是 TF.js 的模型文件")
    if about.get("format") == "graph-model" or not isinstance(topology, Mapping) or "node" in topology:
        raise refused(
            "it is a TF.js graph model: operators of TensorFlow, not layers of Keras",
            "它是 TF.js 的 graph model：由 TensorFlow 算子组成，而不是 Keras 的层",
            "Give the Keras model that it was made of (.keras, .h5 or SavedModel)",
            "请提供转换前的 Keras 模型（.keras、.h5 或 SavedModel）",
        )
    entry = topology.get("model_config", topology)
    entry = parsed(entry, "model_config") if isinstance(entry, str) else entry
    if not isinstance(entry, Mapping):
        raise damaged("its model_config is no object", "model_config 不是对象")
    tensors = _tensors(opened, at, about.get("weightsManifest"))
    version = str(topology.get("keras_version") or "2")
    labels, teachable = _of_machine(_metadata(opened, at))
    facts = {"keras": version[:40], **{k: str(about[k])[:80] for k in ("generatedBy", "convertedBy") if k in about}}
    return Whole("TF.js", version, entry, tensors, {"": list(tensors)}, labels, teachable, facts)


def _text(opened: Opened, at: str) -> str:
    if at:
        return text_of(opened, at)
    size = opened.file.size
    if size > MOST_UNPACKED // 16:
        raise unsafe(f"it has {size} bytes", f"文件有 {size} 字节")
    return opened.file.read(0, size).decode("utf-8-sig", "replace")


def _part(opened: Opened, at: str, name: str) -> Bytes | None:
    """A file beside model.json; None where there is none. UnsafeCheckpoint for a name that leads elsewhere."""
    if not name or "\\" in name or ":" in name or name.startswith("/") or ".." in name.split("/"):
        raise unsafe(f"its shard {short(name)} would lie elsewhere", f"分片 {short(name)} 指向别处")
    if at:
        folder = at.rpartition("/")[0]
        whole = f"{folder}/{name}" if folder else name
        return member(opened, whole, MOST_UNPACKED) if whole in opened.members else None
    path = opened.path.parent / name
    if not is_plain(path):
        return None
    with naming(path):
        file = File.at(path)
    return InFile(file, Record(0, file.size))


def _metadata(opened: Opened, at: str) -> Mapping[str, Any]:
    """Teachable Machine's."""
    found = _part(opened, at, "metadata.json")
    if found is None or found.size > 1 << 20:
        return {}
    return parsed(found.read(0, found.size).decode("utf-8-sig", "replace"), "metadata.json")


def _of_machine(about: Mapping[str, Any]) -> tuple[list[Any] | None, str]:
    """The names of its classes, and which project of Teachable Machine it is; None and "" of anything else."""
    sound = "tfjsSpeechCommandsVersion" in about
    labels = about.get("wordLabels" if sound else "labels")
    if not isinstance(labels, list) or not (sound or "tmVersion" in about or "packageName" in about):
        return None, ""
    return labels, "sound" if sound else "pose" if str(about.get("packageName")).endswith("/pose") else "image"


def _tensors(opened: Opened, at: str, manifest: Any) -> dict[str, TensorRef]:
    if not isinstance(manifest, list):
        raise damaged("it has no weightsManifest", "缺少 weightsManifest")
    found: dict[str, TensorRef] = {}
    shards = total = 0
    for group in manifest:
        paths, weights = (group.get(key) if isinstance(group, Mapping) else None for key in ("paths", "weights"))
        if not isinstance(paths, list) or not isinstance(weights, list):
            raise damaged("its weightsManifest is broken", "weightsManifest 已损坏")
        shards += len(paths)
        if shards > MOST_SHARDS or len(found) + len(weights) > opened.limits.tensors:
            raise unsafe("it has too many shards or weights", "分片或权重过多")
        joined = Joined.of([_shard(opened, at, str(path)) for path in paths])
        place = 0
        for weight in weights:
            name, ref, size = _tensor(weight, joined, place)
            if name in found:
                raise damaged(f"two weights are called {short(name)}", f"有两个权重都叫 {short(name)}")
            found[name], place = ref, place + size
            total += (elements(ref.shape) or 0) * ref.dtype.itemsize
        if place != joined.size:
            raise damaged(
                f"its shards have {joined.size} bytes, and its weights {place}: they are of another model",
                f"分片共 {joined.size} 字节，而权重只占 {place} 字节：分片属于另一个模型",
            )
        if total > max(opened.limits.spread * joined.size, opened.limits.spread_floor):
            raise unsafe("its weights are much larger than the file", "权重总量远大于文件")
    return found


def _shard(opened: Opened, at: str, name: str) -> Bytes:
    part = _part(opened, at, name)
    if part is None:
        raise refused(
            f"its weights {short(name)} do not lie beside it",
            f"权重文件 {short(name)} 不在它旁边",
            "Put all files of the model into one folder, and give that folder or model.json; on the page, choose all "
            "of them together",
            "请把模型的全部文件放进同一个文件夹，再指定该文件夹或 model.json；在网页上请把它们一起选中",
        )
    return part


def _tensor(weight: Any, source: Joined, place: int) -> tuple[str, TensorRef, int]:
    """One weight, and how many bytes it has there."""
    about = weight if isinstance(weight, Mapping) else {}
    name, shape, dtype, packed = (about.get(key) for key in ("name", "shape", "dtype", "quantization"))
    packed = packed if isinstance(packed, Mapping) else {}
    stored = DTYPES.get(str(packed.get("dtype", dtype)))
    fine = isinstance(name, str) and isinstance(shape, list) and all(type(n) is int and n >= 0 for n in shape)
    count = elements(shape, MOST_UNPACKED) if fine and isinstance(shape, list) else None
    if not isinstance(name, str) or not isinstance(shape, list) or stored is None or count is None:
        raise damaged(f"its weight {short(name)} is broken", f"权重 {short(name)} 已损坏")
    kind = np.dtype(stored)
    size = count * kind.itemsize
    if place + size > source.size:
        raise damaged("its shards end too early", "权重分片不完整，提前结束")
    scale, low = packed.get("scale"), packed.get("min")
    load = partial(_load, source, place, size, kind, tuple(shape), scale, low)
    plain = not packed and stored == "<f4"
    result = np.dtype("float32") if packed else kind.newbyteorder("=")
    return name, TensorRef(tuple(shape), result, name, load, _pieces(source, place, size) if plain else None), size


def _pieces(source: Joined, place: int, size: int) -> Any:
    return lambda: source.chunks(place, size)


def _load(
    source: Joined, place: int, size: int, kind: np.dtype[Any], shape: tuple[int, ...], scale: Any, low: Any
) -> Array:
    """q * scale + min in float32, where it is quantised."""
    found = np.frombuffer(source.read(place, size), kind).reshape(shape)
    if scale is None:
        return found.astype(np.float32 if kind.kind == "f" else kind.newbyteorder("="), copy=False)
    try:
        return (found.astype(np.float32) * np.float32(scale) + np.float32(low or 0)).astype(np.float32)
    except (TypeError, ValueError):
        raise damaged("the scale of a weight is no number", "权重的比例不是数字") from None
