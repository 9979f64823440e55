"""Where a `.mindir` and its numbers are: one file, or `NAME_graph.mindir` with the folder `NAME_variables` beside it;
in a folder or a zip, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...errors import LabelError
from ...files.archive import directory, inflated, record
from ...files.file import File, Record
from ...files.refusals import naming, short, unsafe
from ...labels.decode import decode
from ...own_files import is_folder, is_plain
from ..recording.labels import numbered
from ..source import Opened
from .numbers import ENCRYPTED, Numbers, Run, encrypted
from .parts import AIR, LABELS, inside, is_mindir
from .refuse import EXPORT, refused

LONGEST_LIST = 1 << 20  # bytes of a list of labels
LARGEST = 1 << 32  # bytes of a part of a zip that is unpacked into memory


@contextmanager
def numbers_of(opened: Opened) -> Iterator[tuple[memoryview, Numbers]]:
    """The bytes of the model, while they are looked at, and what reads numbers later."""
    at = "" if opened.whole is not None and not opened.head.startswith(b"PK") else inside(opened.names)
    own = _run(opened, at) if at else Run(opened.file, Record(0, opened.file.size))
    if opened.path.suffix == AIR and not is_mindir(opened.head):
        raise refused(
            "it is an AIR model, which is compiled for Ascend processors alone",
            "它是 AIR 模型，只用于昇腾处理器",
            f"Export a MindIR instead: {EXPORT}",
            f"请改为导出 MindIR：{EXPORT}",
        )
    if own.load(0, min(4, own.size)).tobytes() == ENCRYPTED:
        raise encrypted()
    numbers = Numbers(own, lambda name: beside(opened, at, name), opened.limits)
    if own.file is None:
        yield memoryview(own.packed), numbers
        return
    with own.file.mapped() as data, data[own.record.offset : own.record.offset + own.size] as part:
        yield part, numbers


def labels_in(opened: Opened) -> list[str] | None:
    """The lines of a labels.txt beside it, or in the same folder or zip; None where there is none that can be read."""
    found = [name for name in opened.members if name.rpartition("/")[2] == LABELS]
    if not found:
        return None
    packed = opened.head.startswith(b"PK")
    name = min(found, key=len)
    run = _run(opened, name) if packed else Run(opened.members[name]().file, opened.members[name]().record)
    try:
        return numbered(decode(run.load(0, run.size).tobytes())) if run.size <= LONGEST_LIST else None
    except LabelError:
        return None


def beside(opened: Opened, at: str, name: str) -> Run:
    """A file of the data folder; UnsafeCheckpoint for a name that leads elsewhere, UnsupportedCheckpoint without it."""
    parts = name.split("/")
    if not name or "\\" in name or ":" in name or name.startswith("/") or {"", ".", ".."} & {*parts} or len(parts) > 2:
        raise unsafe(f"its numbers would lie elsewhere ({short(name)})", f"其中的数值指向别处（{short(name)}）")
    if at:
        folder = at.rpartition("/")[0]
        whole = f"{folder}/{name}" if folder else name
        if whole not in opened.members:
            raise _missing(name)
        return _run(opened, whole)
    path = opened.path.parent.joinpath(*parts)
    if not is_plain(path) or not all(is_folder(one) for one in list(path.parents)[: len(parts) - 1]):
        raise _missing(name)
    with naming(path):
        file = File.at(path)
    return Run(file, Record(0, file.size))


def _run(opened: Opened, name: str) -> Run:
    """A part of a folder or zip; a packed one is unpacked into memory."""
    if opened.whole is None:
        member = opened.members[name]()
        return Run(member.file, member.record)
    entry = next(one for one in directory(opened.file, opened.limits) if one.name == name)
    if entry.method == 0:
        return Run(opened.file, record(opened.file, entry))
    most = min(max(opened.limits.spread * opened.file.size, opened.limits.spread_floor), LARGEST)
    data = inflated(opened.file, entry, most)
    return Run(None, Record(0, len(data)), data)


def _missing(name: str) -> Exception:
    folder = short(name.rpartition("/")[0])
    return refused(
        f"its numbers lie in another file, {short(name)}, which is not there",
        f"它的数值在另一个文件 {short(name)} 中，但没有找到",
        f"Give the folder, or a zip of it, in which the .mindir and {folder or short(name)} lie side by side; do not "
        "rename them",
        f"请提供 .mindir 与 {folder or short(name)} 所在的整个文件夹（或其 zip），不要改名",
    )
