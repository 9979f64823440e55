"""File: bytes of a checkpoint by position. Opened for each reading, or held for many: nothing stays locked."""

from __future__ import annotations

import io
import mmap
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread, local
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt

from ..errors import CheckpointMissing, QingzhouError
from ..runtime.file import open_file
from .refusals import damaged, naming, wrong_type

CHUNK = 1 << 20  # read, checksum and copy while it is still in the processor's cache

Bytes = npt.NDArray[np.uint8]


class Record(NamedTuple):
    """A run of bytes in the file. crc: of exactly these bytes; None where the format has none."""

    offset: int
    size: int
    crc: int | None = None


@dataclass(frozen=True)
class File:
    """A file on disk that must not change while it is in use."""

    path: Path
    size: int
    modified: int
    verified: set[Record] = field(default_factory=set, compare=False, repr=False)
    _mine: local = field(default_factory=local, compare=False, repr=False)  # what a thread holds

    @classmethod
    def at(cls, path: Path) -> File:
        """CheckpointMissing if nothing is there, CheckpointTypeError if it is not a file."""
        try:
            found = path.stat()
        except (OSError, ValueError):
            raise _missing(path) from None
        with naming(path):
            if stat.S_ISDIR(found.st_mode):
                raise wrong_type("a folder", "一个文件夹", "Give the file inside it", "请给出其中的文件")
            if not stat.S_ISREG(found.st_mode):
                raise wrong_type("a device or pipe", "设备或管道，不是普通文件")
        return cls(path, found.st_size, found.st_mtime_ns)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Opened once for all that this thread reads in the block: a network has hundreds of tensors."""
        with self.open() as file:
            self._mine.file = file
            try:
                yield
            finally:
                del self._mine.file

    def open(self) -> AbstractContextManager[io.FileIO]:
        """Unbuffered: every reading here is either large or one of a few. Where it stands is not known."""
        held: io.FileIO | None = getattr(self._mine, "file", None)
        try:
            file = held or cast(io.FileIO, open_file(self.path, buffering=0))
        except OSError as err:
            raise _unreadable(self.path, err) from None
        now = os.fstat(file.fileno())
        if (now.st_size, now.st_mtime_ns) != (self.size, self.modified):
            if held is None:
                file.close()
            raise damaged("the file changed while it was being read", "文件在读取过程中被修改")
        return file if held is None else nullcontext(held)

    @contextmanager
    def mapped(self) -> Iterator[memoryview]:
        """All of it as memory that the system fills where it is looked at; valid inside the block."""
        with self.open() as file:
            if not self.size:
                yield memoryview(b"")
                return
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                view = memoryview(mapped)
                try:
                    yield view
                finally:
                    view.release()

    def read(self, offset: int, size: int) -> bytes:
        """Exactly these bytes."""
        return self._fill(Record(offset, size)).tobytes()

    def load(self, record: Record, start: int, size: int) -> Bytes:
        """Bytes [start, start + size) of a record, in memory of their own; the record's checksum is verified once."""
        if record.crc is None or record in self.verified:
            return self._fill(Record(record.offset + start, size))
        if size == record.size:
            loaded = self._fill(record)
        else:
            self._verify(record)
            loaded = self._fill(Record(record.offset + start, size))
        self.verified.add(record)
        return loaded

    def chunks(self, record: Record, start: int, size: int) -> Iterator[memoryview]:
        """load() piece by piece, each forgotten when the next is asked for. Only the end is proof: a checksum that does
        not match is known after the last piece.
        """
        whole = size == record.size and record not in self.verified
        if not whole and record.crc is not None and record not in self.verified:
            self._verify(record)
        yield from self._pieces(record if whole else Record(record.offset + start, size))
        self.verified.add(record)

    def digest_ahead(self) -> Callable[[], str]:
        """Start on sha256() beside everything else, since it takes longer than the rest; the result waits for it."""
        found: list[str | QingzhouError] = []

        def work() -> None:
            try:
                found.append(self.sha256())
            except QingzhouError as err:
                found.append(err)

        def wait() -> str:
            thread.join()
            if isinstance(found[0], QingzhouError):
                raise found[0]
            return found[0]

        thread = Thread(target=work, daemon=True)
        thread.start()
        return wait

    def sha256(self) -> str:
        """Of the whole file, hexadecimal."""
        import hashlib  # a hundredth of a second, which those need not who only look

        digest, chunk = hashlib.sha256(), bytearray(CHUNK)
        with self.open() as file:
            file.seek(0)
            while count := file.readinto(chunk):
                digest.update(memoryview(chunk)[:count])
        return digest.hexdigest()

    def _fill(self, record: Record) -> Bytes:
        """A record into fresh memory; its checksum, if it has one, is computed on the way."""
        self._inside(record)
        memory: Bytes = np.empty(record.size, np.uint8)
        view, crc = memory.data, 0
        with self.open() as file:
            file.seek(record.offset)
            for start in range(0, record.size, CHUNK):
                crc = self._next(file, view[start : start + CHUNK], crc, record.crc is not None)
        _compare(record, crc)
        return memory

    def _verify(self, record: Record) -> None:
        """The checksum of a record, without keeping it."""
        for _ in self._pieces(record):
            pass

    def _pieces(self, record: Record) -> Iterator[memoryview]:
        """A record in pieces of the same memory; its checksum, if it has one, is compared after the last."""
        self._inside(record)
        chunk, crc = memoryview(bytearray(min(CHUNK, record.size))), 0
        with self.open() as file:
            for start in range(0, record.size, CHUNK):
                file.seek(record.offset + start)  # whoever got the piece before may have read elsewhere
                piece = chunk[: record.size - start]
                crc = self._next(file, piece, crc, record.crc is not None)
                yield piece
        _compare(record, crc)

    @staticmethod
    def _next(file: io.FileIO, target: memoryview, crc: int, sum_up: bool) -> int:
        done = 0
        while done < len(target):
            count = file.readinto(target[done:])
            if not count:
                raise damaged("it ends too early", "文件不完整，提前结束")
            done += count
        return zlib.crc32(target, crc) if sum_up else 0

    def _inside(self, record: Record) -> None:
        if record.offset < 0 or record.size < 0 or record.offset + record.size > self.size:
            raise damaged("it ends too early", "文件不完整，提前结束")


def _compare(record: Record, crc: int) -> None:
    if record.crc is not None and crc != record.crc:
        raise damaged("a checksum does not match its data", "校验和与数据不符")


def _missing(path: Path) -> CheckpointMissing:
    return CheckpointMissing(
        en=f"There is no file {path}. A checkpoint was expected there. Check the name, and the folder you are in: "
        f"{_here()}.",
        zh=f"没有找到文件 {path}。该位置应有模型权重文件。请检查文件名和当前文件夹：{_here()}。",
    )


def _unreadable(path: Path, err: OSError) -> CheckpointMissing:
    return CheckpointMissing(
        en=f"The file {path} cannot be opened: {err.strerror}. A readable file was expected. Close the programs that "
        "use it, or copy it to a folder of yours.",
        zh=f"无法打开文件 {path}：{err.strerror}。需要可读取的文件。请关闭正在使用它的程序，或把它复制到自己的文件夹。",
    )


def _here() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "?"
