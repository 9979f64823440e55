"""Source: one kind of trained model, and Opened: a file, a folder or several files that may be one."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

from ..files.file import File, Record
from ..files.limits import Limits
from ..files.refusals import naming, unsafe
from ..files.sniff import HEAD, sniff
from ..own_files import is_plain

if TYPE_CHECKING:  # the machinery is light: what a source needs is imported when it reads
    from ..errors import QingzhouError
    from ..nets.recorded import Wanted
    from ..runtime.model.card import Card
    from .network import Network

Read = TypeVar("Read")


class Member(NamedTuple):
    """A part of a model: a run of bytes in a file."""

    file: File
    record: Record

    def bytes(self) -> bytes:
        """All of it; CheckpointDamaged."""
        return self.file.load(self.record, 0, self.record.size).tobytes()


@dataclass(frozen=True)
class Opened:
    """What the user named, before anybody knows what it is. Nothing but its first bytes is read yet.

    head     its first bytes; b"" of a folder
    whole    the file; None of a folder
    beside   files that may belong to it: endings of the same name (".pdiparams" beside ".pdmodel"), or whole names
    """

    path: Path
    head: bytes
    whole: File | None
    beside: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    _read: dict[object, object] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def at(cls, path: Path, beside: tuple[str, ...] = ()) -> Opened:
        """CheckpointMissing, or CheckpointTypeError for what is neither a file nor a folder."""
        if path.is_dir():
            return cls(path, b"", None, beside)
        file = File.at(path)
        with naming(path):
            return cls(path, file.read(0, min(HEAD, file.size)), file, beside)

    @property
    def file(self) -> File:
        """The file itself; CheckpointTypeError for a folder."""
        return self.whole or File.at(self.path)

    @property
    def main(self) -> File:
        """The file, or of a folder its largest, which has the numbers: what a result says that it was made of."""
        if self.whole is not None or not self.path.is_dir():
            return self.file
        found = [member().file for member in self.members.values()]
        return max(found, key=lambda file: file.size, default=None) or self.file

    @cached_property
    def members(self) -> Mapping[str, Callable[[], Member]]:
        """What it consists of, by name: of a zip or a folder, or with the files that lie beside it; {} of one alone.

        CheckpointDamaged and UnsafeCheckpoint for a zip that is none. Links and pipes in a folder are not in it.
        """
        if self.whole is None:
            return {path.relative_to(self.path).as_posix(): _a_file(path) for path in _inside(self.path, self.limits)}
        if sniff(self.head, self.whole.size) == "zip":
            return _in_zip(self.whole, self.limits)
        others = [self.path.with_suffix(n) if n.startswith(".") else self.path.with_name(n) for n in self.beside]
        found = [path for path in others if path != self.path and is_plain(path)]
        return {path.name: _a_file(path) for path in (self.path, *found)} if found else {}

    @cached_property
    def names(self) -> Sequence[str]:
        """By which a source knows it: of a zip all parts, of a folder what lies in it itself. A model further down is
        one of its own, and the folder a place where models lie.
        """
        if self.whole is not None:
            return list(self.members)
        return sorted(path.name for path in self.path.iterdir() if is_plain(path))

    def content(self, read: Callable[[Opened], Read]) -> Read:
        """What a reader finds in it: a pickle, a header, a table of contents. Read once, whoever asks."""
        if read not in self._read:
            self._read[read] = read(self)
        return cast(Read, self._read[read])

    def forget(self) -> None:
        """Nothing of that is asked for again."""
        self._read.clear()


def _a_file(path: Path) -> Callable[[], Member]:
    def member() -> Member:
        file = File.at(path)
        return Member(file, Record(0, file.size))

    return member


def _inside(folder: Path, limits: Limits) -> list[Path]:
    """The plain files below a folder; UnsafeCheckpoint where there are too many."""
    found: list[Path] = []
    for place, _, names in os.walk(folder):
        found += [path for path in (Path(place, name) for name in names) if is_plain(path)]
        if len(found) > limits.records:
            raise unsafe(f"it holds more than {limits.records} files", f"其中的文件超过 {limits.records} 个")
    return sorted(found)


def _in_zip(file: File, limits: Limits) -> dict[str, Callable[[], Member]]:
    from ..files.archive import directory, record

    found: dict[str, Callable[[], Member]] = {}
    for entry in directory(file, limits):
        if entry.name in found:
            raise unsafe("two of its parts have the same name", "其中有重名的数据块")
        found[entry.name] = lambda entry=entry: Member(file, record(file, entry))  # type: ignore[misc]
    return found


class Part(NamedTuple):
    """One tensor or operator: its dotted name, what it is, and its shape."""

    name: str
    kind: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True)
class Contents:
    """What a file says that it holds, also where it cannot be converted.

    facts    of the training, or what other tools wrote, in short plain values
    card     which a model of ours carries
    problem  why nothing more can be said, where that is known without reading on
    inputs, outputs   of a model without a card: names, and what they are: "float32 [1, 3, 224, 224]"
    domains  of operators, with their versions, where there are others than ONNX's own
    labels   what the classes are called, as far as other tools wrote it
    notes    what is to be known of it, in the user's language
    """

    container: str
    size: int
    parts: Sequence[Part]
    tool: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    opset: int = 0
    ir_version: int = 0
    parameters: int = 0
    macs: int = 0
    card: Card | None = None
    problem: QingzhouError | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    domains: Mapping[str, int] = field(default_factory=dict)
    labels: Sequence[str] = ()
    notes: Sequence[str] = ()


class Source(NamedTuple):
    """One kind of trained model. Its reader is imported when it is first needed.

    title     for people: "networks saved whole (BaseNN, torch.save(model))"
    suffixes  as most of its files are called: for folders that are searched, and for uploads
    halves    as files are called that are one of its models only with another of `suffixes`: for uploads alone
    beside    the endings, or the names, of files that belong to one of these
    zipped    whether a zip with parts of these names is one of these
    claims    whether it is one of these: by bytes and members, never by its name alone
    read      the network in it; QingzhouError says what was found, expected, and what to do
    look      what it holds, also where read() refuses
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    claims: Callable[[Opened], bool]
    read: Callable[[Opened, Wanted], Network]
    look: Callable[[Opened], Contents]
    beside: tuple[str, ...] = ()
    zipped: Callable[[Collection[str]], bool] = lambda names: False
    halves: tuple[str, ...] = ()
