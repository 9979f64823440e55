"""The parts of a TorchScript archive: code, tensors, and two pickles that hold only plain values and tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...files.archive import Entry, directory, inflated, record
from ...files.opcodes import Tape
from ...files.refusals import damaged, short, unsafe
from ...files.types import Opaque, TensorRef
from ...files.unpickle import read_pickle
from ..source import Opened
from ..torch.tensors import Storages
from .code import LONGEST, Code

ROUND_OFF = 64  # bytes of a part that is a word
ALL_CODE = 32 << 20


@dataclass(frozen=True)
class Script:
    """What a TorchScript archive says.

    root       the network: Opaque of its class, with its attributes as `state`
    constants  CONSTANTS.c0, c1 … of the code
    samples    shape and dtype of what it was traced with, by the position of the input; () where it was not
    tensors    all that belong to the network, by their dotted names
    """

    root: Opaque
    code: Code
    constants: tuple[Any, ...]
    samples: tuple[TensorRef | None, ...]
    tensors: Mapping[str, TensorRef]


def read_script(opened: Opened) -> Script:
    """CheckpointDamaged, UnsafeCheckpoint."""
    entries = list(directory(opened.file, opened.limits))
    root = next(entry.name for entry in entries if entry.name.endswith("/constants.pkl")).removesuffix("constants.pkl")
    if root.count("/") != 1 or not all(entry.name.startswith(root) for entry in entries):
        raise unsafe("it holds more than one archive", "其中有不止一个存档")
    own = {entry.name.removeprefix(root): entry for entry in entries}
    if len(own) != len(entries):
        raise unsafe("two of its parts have the same name", "其中有重名的数据块")
    if sum(entry.packed for entry in entries) > opened.file.size:
        raise unsafe("its parts overlap each other", "其中的数据块互相重叠")
    left = [ALL_CODE]
    code = Code(frozenset(own), lambda name: _code(opened, own[name], left))
    found = _unpickled(opened, own, "data.pkl", "data/")
    if not isinstance(found, Opaque):
        raise damaged("it holds no network", "其中没有网络")
    constants = _unpickled(opened, own, "constants.pkl", "constants/")
    items = tuple(constants) if isinstance(constants, (tuple, list)) else ()
    tensors = dict(_named(found, "", 0, [opened.limits.tensors]))
    tensors |= {f"CONSTANTS.c{i}": one for i, one in enumerate(items) if isinstance(one, TensorRef)}
    _check_total(opened, tensors)
    return Script(found, code, items, _samples(opened, own), tensors)


def _code(opened: Opened, entry: Entry, left: list[int]) -> bytes:
    left[0] -= entry.size
    if left[0] < 0:
        raise unsafe("its program is too long", "其中的程序过长")
    return inflated(opened.file, entry, LONGEST)


def _unpickled(opened: Opened, own: Mapping[str, Entry], name: str, folder: str, check: bool = True) -> Any:
    """A pickle with tensors whose numbers lie in a folder of the archive; objects stay records."""
    if name not in own:
        raise damaged(f"its part {short(name)} is missing", f"缺少数据块 {short(name)}")
    storages = Storages(opened.file, opened.limits)
    records = {key: entry for key, entry in own.items() if key.startswith(folder)}
    for key, entry in records.items():
        name_of = key.removeprefix(folder)
        storages.records[name_of] = storages.records[name_of.removesuffix(".storage")] = record(opened.file, entry)
    if "byteorder" in own and inflated(opened.file, own["byteorder"], ROUND_OFF) == b"big":
        storages.big_endian = True
    tape = Tape(inflated(opened.file, own[name], opened.limits.pickle_bytes))
    found = read_pickle(tape, opened.limits, storages.load, storages.rebuild)
    if tape.read(1):
        raise unsafe("something follows its pickle", "pickle 之后还有内容")
    if check:
        storages.check()
    return found


def _named(module: Opaque, path: str, depth: int, left: list[int]) -> list[tuple[str, TensorRef]]:
    """The tensors below a module, by their dotted names."""
    found: list[tuple[str, TensorRef]] = []
    state = module.state if isinstance(module.state, dict) else {}
    for key, value in state.items():
        left[0] -= 1
        if left[0] < 0 or depth > 60:
            raise unsafe("it has too many parts", "其中的组成部分过多")
        name = f"{path}.{key}" if path else str(key)
        if isinstance(value, TensorRef):
            found.append((name, value))
        elif isinstance(value, Opaque) and value.name.startswith("__torch__"):
            found += _named(value, name, depth + 1, left)
    return found


def _check_total(opened: Opened, tensors: Mapping[str, TensorRef]) -> None:
    most, total = max(opened.limits.spread * opened.file.size, opened.limits.spread_floor), 0
    for ref in tensors.values():
        size = ref.dtype.itemsize
        for n in ref.shape:
            size *= n
        total += size
    if total > most:
        raise unsafe("its tensors are much larger than the file", "张量总量远大于文件")


def _samples(opened: Opened, own: Mapping[str, Entry]) -> tuple[TensorRef | None, ...]:
    """Of what the network was traced with the shapes are kept, and no numbers."""
    if "traced_inputs.pkl" not in own:
        return ()
    found = plain(_unpickled(opened, own, "traced_inputs.pkl", "traced_inputs/", check=False))
    given = plain(found.get("forward")) if isinstance(found, dict) else None
    return tuple(one if isinstance(one, TensorRef) else None for one in given) if isinstance(given, list) else ()


def plain(value: Any) -> Any:
    """A value without the record of its type: restore_type_tag(value, "List[Any]"), build_intlist([1, 2])."""
    if isinstance(value, Opaque) and value.name.startswith("torch.jit._pickle.") and value.args:
        return plain(value.args[0])
    return value
