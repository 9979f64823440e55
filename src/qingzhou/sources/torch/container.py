"""The three containers of checkpoints, and the one verb of this room."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

from ...errors import QingzhouError
from ...files.archive import read_archive
from ...files.file import File, Record
from ...files.limits import Limits
from ...files.opcodes import Tape
from ...files.refusals import damaged, naming, short, unsafe, unsupported, wrong_type
from ...files.sniff import HEAD, sniff, something_else
from ...files.types import Checkpoint, Opaque, Origin, TensorRef, Tensors
from ...files.unpickle import read_pickle
from ...runtime.model import fields
from ..source import Opened
from .statedict import choose
from .tensors import Storages

MAGIC = 0x1950A86A20F9469CFC6C  # torch/serialization.py
SAFE_DTYPES = {
    "F64": "f8",
    "F32": "f4",
    "F16": "f2",
    "BF16": "bfloat16",
    "I64": "i8",
    "I32": "i4",
    "I16": "i2",
    "I8": "i1",
    "U64": "u8",
    "U32": "u4",
    "U16": "u2",
    "U8": "u1",
    "BOOL": "?",
}


def read_checkpoint(path: str | Path, limits: Limits | None = None) -> Checkpoint:
    """Read a .pth (either container of torch) or .safetensors; nothing in it is executed, no weight is read yet.

    Raises CheckpointMissing, CheckpointTypeError, CheckpointDamaged, UnsafeCheckpoint or UnsupportedCheckpoint.

    >>> checkpoint = read_checkpoint("best.pth")
    >>> checkpoint.tensors["head.fc.weight"].shape
    (10, 1280)
    """
    file = File.at(Path(path))
    with naming(file.path):
        return _read(file, file.read(0, min(HEAD, file.size)), limits or Limits())


def checkpoint_in(opened: Opened) -> Checkpoint:
    """The same of a file that is open already."""
    return _read(opened.file, opened.head, opened.limits)


def _read(file: File, head: bytes, limits: Limits) -> Checkpoint:
    kind = sniff(head, file.size)
    if not kind:
        raise something_else(head, file.size)
    name, read = READERS[kind]
    root, meta = read(file, limits)
    chosen = choose(root, file.size, limits)
    origin = Origin(file.path, file.size, name, file.digest_ahead)
    return Checkpoint(Tensors(chosen.tensors), meta, root, chosen.module, origin, chosen.ignored, tuple(chosen.notes))


def _kept(root: object) -> object:
    """What is needed of a Learner of fastai; all else as it is."""
    if not isinstance(root, Opaque) or not root.name.startswith("fastai."):
        return root
    from .learner import kept

    return kept(root)


def _meta(root: object) -> dict[str, object]:
    """The file's own `meta`, as far as its keys are text."""
    meta = root.get("meta") if isinstance(root, Mapping) else None
    return {key: value for key, value in meta.items() if isinstance(key, str)} if isinstance(meta, Mapping) else {}


# -- torch >= 1.6: a zip ----------------------------------------------------------------------------------------------


def _read_zip(file: File, limits: Limits) -> tuple[object, dict[str, object]]:
    records = read_archive(file, limits)
    storages = Storages(file, limits)
    storages.records = {name[5:]: record for name, record in records.items() if name.startswith("data/")}
    storages.big_endian = _byte_order(file, records.get("byteorder")) == b"big"
    tape = Tape(_whole(file, records["data.pkl"], limits))
    root = read_pickle(tape, limits, storages.load, storages.rebuild, _kept)
    if tape.read(1):
        raise unsafe("something follows its pickle", "pickle 之后还有内容")
    storages.check()
    return root, _meta(root)


def _whole(file: File, record: Record, limits: Limits) -> bytes:
    if record.size > limits.pickle_bytes:
        raise unsafe(f"its table of contents has {record.size} bytes", f"目录部分有 {record.size} 字节")
    return file.load(record, 0, record.size).tobytes()


def _byte_order(file: File, record: Record | None) -> bytes:
    if record is None:
        return b"little"
    order = file.load(record, 0, record.size).tobytes() if record.size < HEAD else b""
    if order not in (b"little", b"big"):
        raise damaged(f"its byte order is {short(order)}", f"字节序为 {short(order)}")
    return order


# -- torch < 1.6, or _use_new_zipfile_serialization=False: five pickles, then the storages -----------------------------


def _read_legacy(file: File, limits: Limits) -> tuple[object, dict[str, object]]:
    tape = Tape(file.read(0, min(file.size, limits.pickle_bytes)))
    storages = Storages(file, limits)
    first = _first(tape, limits)
    if not isinstance(first, int) or first != MAGIC:
        raise _plain_pickle(first)
    version, system = read_pickle(tape, limits), read_pickle(tape, limits)
    if version != 1001 or not isinstance(system, dict):
        raise damaged("its version is unknown", "版本未知")
    storages.big_endian = system.get("little_endian") is False
    root = read_pickle(tape, limits, storages.load, storages.rebuild, _kept)
    storages.records = _legacy_records(file, read_pickle(tape, limits), tape.tell(), storages)
    storages.check()
    return root, _meta(root)


def _first(tape: Tape, limits: Limits) -> object:
    """The magic number; of any other pickle what can be read of it, for the message (joblib puts raw bytes in it)."""
    torch = tape.getvalue()[2:4] == b"\x8a\x0a"
    try:
        return read_pickle(tape, limits, load=lambda pid: None)
    except QingzhouError:
        if torch:
            raise
        return Opaque("?")


def _plain_pickle(first: object) -> QingzhouError:
    kind = short(first.name if isinstance(first, Opaque) else type(first).__name__)
    return wrong_type(
        f"a plain Python pickle (of: {kind}), such as scikit-learn and BaseML save, and none of torch",
        f"普通 Python pickle 文件（内容：{kind}），例如 scikit-learn 或 BaseML 保存的文件，不是 torch 模型",
        "Save a torch model with torch.save",
        "torch 模型请用 torch.save 保存",
    )


def _legacy_records(file: File, keys: object, place: int, storages: Storages) -> dict[str, Record]:
    """After the pickles: for each key an int64 element count, then the elements."""
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys) or len(set(keys)) != len(keys):
        raise damaged("its list of parts is garbled", "数据块列表混乱")
    order, records = ">q" if storages.big_endian else "<q", {}
    for key in keys:
        count, size = storages.bytes(key)
        if struct.unpack(order, file.read(place, 8)) != (count,):
            raise damaged(f"its part {short(key)} has the wrong size", f"数据块 {short(key)} 大小不符")
        records[key] = Record(place + 8, size)
        place += 8 + size
    if place > file.size:
        raise damaged("it ends too early", "文件不完整，提前结束")
    return records


# -- safetensors: https://github.com/huggingface/safetensors#format  ----


def _read_safetensors(file: File, limits: Limits) -> tuple[object, dict[str, object]]:
    size = int.from_bytes(file.read(0, 8), "little")
    if size > limits.header_bytes:
        raise unsafe(f"its header has {size} bytes", f"文件头有 {size} 字节")
    header = _json(file.read(8, size))
    meta = header.pop("__metadata__", {})
    if not isinstance(meta, dict) or not all(isinstance(value, str) for value in meta.values()):
        raise damaged("its metadata is not text", "元数据不是文本")
    if len(header) > limits.tensors:
        raise unsafe(f"it has more than {limits.tensors} tensors", f"张量超过 {limits.tensors} 个")
    storages, end = Storages(file, limits), 8 + size
    root = {key: _safe_tensor(storages, key, entry, 8 + size) for key, entry in header.items()}
    for start, stop in sorted((r.offset, r.offset + r.size) for r in storages.records.values()):
        if start != end:
            raise damaged("its tensors overlap or leave holes", "张量数据重叠或有空洞")
        end = stop
    if end != file.size:
        raise damaged("its size is not what its header says", "文件大小与文件头不符")
    storages.check()
    return root, dict(meta)


def _json(text: bytes) -> dict[str, object]:
    try:
        header = fields.loads(text.decode("utf-8"), _unique)
    except (ValueError, RecursionError):
        raise damaged("its header is garbled", "文件头混乱") from None
    if not isinstance(header, dict):
        raise damaged("its header is garbled", "文件头混乱")
    return header


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise unsafe("two of its tensors have the same name", "有重名的张量")
    return found


def _safe_tensor(storages: Storages, key: str, entry: object, base: int) -> TensorRef | Opaque:
    """One line of the header; a record for types that are none of ours, refused if the network needs them."""
    fields = entry if isinstance(entry, dict) else {}
    shape, offsets = fields.get("shape", 0), fields.get("data_offsets", 0)
    whole = all(isinstance(part, list) and all(type(n) is int and n >= 0 for n in part) for part in (shape, offsets))
    if not whole or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise damaged(f"its tensor {short(key)} is described wrongly", f"张量 {short(key)} 的说明有误")
    kind = SAFE_DTYPES.get(str(fields.get("dtype")))
    record = Record(base + offsets[0], offsets[1] - offsets[0])
    storages.records[key] = record
    if kind is None:
        raise unsupported(
            f"its tensor {short(key)} is of type {short(fields.get('dtype'))}", f"张量 {short(key)} 类型不支持"
        )
    return storages.contiguous(key, kind, tuple(shape))


READERS = {
    "zip": ("torch zip", _read_zip),
    "pickle": ("torch legacy", _read_legacy),
    "safetensors": ("safetensors", _read_safetensors),
}
