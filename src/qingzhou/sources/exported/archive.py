"""The parts of a `.pt2`: JSON and raw bytes. The only pickle among them holds the author's sample; it is never read.

https://docs.pytorch.org/docs/stable/export/pt2_archive.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import QingzhouError
from ...files.refusals import damaged, short, unsafe
from ...files.types import TensorRef
from ...runtime.model import fields
from ..aten.refuse import refused
from ..source import Member, Opened
from ..torch.tensors import Storage, Storages

# torch/_export/serde/schema.py: ScalarType; those that are no plain numbers are left out
from .parts import OLD, root_of

DTYPES = {
    1: "u1", 2: "i1", 3: "i2", 4: "i4", 5: "i8", 6: "f2", 7: "f4", 8: "f8", 12: "?", 13: "bfloat16", 28: "u2",
}  # fmt: skip
NAMES = {
    1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32", 8: "float64", 12: "bool",
    13: "bfloat16",
}  # fmt: skip
STRIDED = 7
MODEL = re.compile(r"models/[^/]+\.json")


@dataclass(frozen=True)
class Archive:
    """What a `.pt2` says: its network as JSON, and its tensors by the names that the network has for them."""

    program: Mapping[str, Any]
    tensors: Mapping[str, TensorRef]


def read_archive(opened: Opened) -> Archive:
    """CheckpointDamaged, UnsafeCheckpoint, or UnsupportedCheckpoint for what other versions write."""
    names = list(opened.members)
    root = root_of(names)
    own = {name.removeprefix(root): name for name in names}
    if any(name in own for name in OLD):
        raise _old()
    if any("aotinductor" in name for name in own):
        raise _compiled()
    if _text(opened, own, "archive_format") != "pt2":
        raise damaged("its format is not pt2", "格式不是 pt2")
    if _text(opened, own, "byteorder") not in ("little", ""):
        raise damaged("its byte order is unknown", "字节序未知")
    models = [name for name in own if MODEL.fullmatch(name)]
    if not models:
        raise damaged("its network is missing (models/model.json)", "缺少网络部分（models/model.json）")
    if len(models) > 1:
        raise refused(
            f"it holds {len(models)} networks: {', '.join(short(name, 40) for name in models[:4])}",
            f"其中有 {len(models)} 个网络",
            "Save each with a call of its own of torch.export.save",
            "请分别用 torch.export.save 保存",
        )
    model = models[0].removeprefix("models/").removesuffix(".json")
    program = _json(opened, own, models[0])
    storages = Storages(opened.file, opened.limits)
    tensors: dict[str, TensorRef] = {}
    for folder, kind in (("weights", "weights"), ("constants", "constants")):
        config = f"data/{folder}/{model}_{kind}_config.json"
        if config in own:
            _add(opened, own, storages, folder, _json(opened, own, config), tensors)
    return Archive(program, tensors)


def _member(opened: Opened, own: Mapping[str, str], name: str, most: int) -> bytes:
    if name not in own:
        raise damaged(f"its part {short(name)} is missing", f"缺少数据块 {short(name)}")
    member: Member = opened.members[own[name]]()
    if member.record.size > most:
        raise unsafe(f"its part {short(name)} has {member.record.size} bytes", f"数据块 {short(name)} 过大")
    return member.bytes()


def _text(opened: Opened, own: Mapping[str, str], name: str) -> str:
    return _member(opened, own, name, 64).decode("ascii", "replace").strip() if name in own else ""


def _json(opened: Opened, own: Mapping[str, str], name: str) -> Mapping[str, Any]:
    data = _member(opened, own, name, opened.limits.pickle_bytes)
    try:
        found = fields.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise damaged(f"its part {short(name)} is garbled", f"数据块 {short(name)} 混乱") from None
    if not isinstance(found, dict):
        raise damaged(f"its part {short(name)} is garbled", f"数据块 {short(name)} 混乱")
    return found


def _add(
    opened: Opened,
    own: Mapping[str, str],
    storages: Storages,
    folder: str,
    config: Mapping[str, Any],
    tensors: dict[str, TensorRef],
) -> None:
    """The tensors of one configuration: each a view of one part; several may be of the same."""
    entries = config.get("config", {})
    if not isinstance(entries, dict) or len(entries) > opened.limits.tensors:
        raise damaged("its list of tensors is garbled", "张量列表混乱")
    for name, entry in entries.items():
        if name in tensors or not isinstance(entry, dict):
            raise damaged(f"its tensor {short(name)} is described wrongly", f"张量 {short(name)} 的说明有误")
        if entry.get("use_pickle") is not False:
            raise refused(
                f"its tensor {short(name)} is of a class of its own, which is pickled",
                f"张量 {short(name)} 是自定义类型（用 pickle 保存）",
                "Turn it into an ordinary tensor before exporting",
                "请在导出前把它转换成普通张量",
            )
        tensors[name] = _tensor(opened, own, storages, folder, name, entry)


def _tensor(
    opened: Opened, own: Mapping[str, str], storages: Storages, folder: str, name: str, entry: Mapping[str, Any]
) -> TensorRef:
    meta = entry.get("tensor_meta")
    path = entry.get("path_name")
    if not isinstance(meta, dict) or not isinstance(path, str):
        raise damaged(f"its tensor {short(name)} is described wrongly", f"张量 {short(name)} 的说明有误")
    number = meta.get("dtype")
    kind = DTYPES.get(number) if isinstance(number, int) else None
    if kind is None or meta.get("layout") != STRIDED:
        raise refused(
            f"its tensor {short(name)} is none of plain numbers (sparse, complex or quantised)",
            f"张量 {short(name)} 不是普通数值（稀疏、复数或量化）",
            "Export the network with ordinary float weights",
            "请用普通浮点权重导出网络",
        )
    rows = (meta.get("sizes"), meta.get("strides"), [meta.get("storage_offset")])
    sizes, strides, (offset,) = (_wholes(row, name) for row in rows)
    place = f"data/{folder}/{path}"
    if place not in own:
        if 0 in sizes:
            kept = np.dtype("f4" if kind == "bfloat16" else kind)
            return TensorRef(sizes, kept, place, lambda: np.zeros(sizes, kept))
        raise damaged(f"its part {short(place)} is missing", f"缺少数据块 {short(place)}")
    if place not in storages.records:
        storages.records[place] = opened.members[own[place]]().record
    width = 2 if kind == "bfloat16" else int(kind[1:]) if kind != "?" else 1
    count = storages.records[place].size // width
    return storages.tensor(Storage("pt2", key=place, kind=kind, count=count), kind, offset, sizes, strides)


def _wholes(row: object, name: str) -> tuple[int, ...]:
    """The numbers in [{"as_int": 3}, …]."""
    if not isinstance(row, list):
        raise damaged(f"its tensor {short(name)} is described wrongly", f"张量 {short(name)} 的说明有误")
    found = [one.get("as_int") if isinstance(one, dict) else None for one in row]
    if not all(type(n) is int for n in found):
        raise damaged(f"its tensor {short(name)} is described wrongly", f"张量 {short(name)} 的说明有误")
    return tuple(n for n in found if isinstance(n, int))


def _old() -> QingzhouError:
    return refused(
        "it was exported by torch 2.6 or older, whose weights are a pickle in the archive",
        "它由 torch 2.6 或更早版本导出，其中的权重是 pickle",
        "Export it again with torch 2.8 or newer: "
        "torch.export.save(torch.export.export(model, (sample,)), 'model.pt2')",
        "请用 torch 2.8 或更新版本重新导出：torch.export.save(torch.export.export(model, (sample,)), 'model.pt2')",
    )


def _compiled() -> QingzhouError:
    return refused(
        "it is a package of AOTInductor: machine code for one processor, not a network",
        "它是 AOTInductor 编译的程序包：只含某种处理器的机器码，没有网络",
        "Save the exported program itself: torch.export.save(program, 'model.pt2')",
        "请保存导出的程序本身：torch.export.save(program, 'model.pt2')",
    )
