"""HDF5 as Keras writes it: groups, attributes and plain arrays, of which only the descriptions are read here.

The format: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html. Its structures are read by pyfive,
which is Python throughout: a file that lies makes an exception there, and never harms the process, as it may the C
library. It sees the file through a Meter, which counts what is read. Links to elsewhere are not followed, nothing is
unpacked, no array is read: where one lies is all that is asked for.
"""

from __future__ import annotations

import functools
import struct
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..errors import QingzhouError, UnsupportedCheckpoint
from .file import CHUNK, File, Record
from .limits import Limits, elements
from .refusals import damaged, short, unsafe
from .types import TensorRef

Array = np.ndarray[Any, Any]
HEAD = b"\x89HDF\r\n\x1a\n"
READS = 1 << 18  # of pyfive, in all: a network of 20,000 tensors has half of them
BYTES, SHARE = 24 << 20, 4  # ... and so many, plus a quarter of the file
MESSAGES, HEADER = 500, 1 << 20  # of one object: Keras' have a dozen
MOST_TEXTS = 1 << 16
PAGE, PAGES = 1 << 12, 64  # bytes that are read at once, and how many such are kept
NONE = 0xFFFFFFFFFFFFFFFF
KINDS = "fiub"
BFLOAT16 = np.dtype("V2")  # as h5py writes ml_dtypes' kind; Keras says so in an attribute beside it


class Bytes(Protocol):
    """A run of bytes: of a file, or in memory."""

    @property
    def size(self) -> int:
        """How many."""

    def read(self, start: int, size: int) -> bytes:
        """Exactly these."""

    def numbers(self, start: int, size: int) -> Array:
        """The same as uint8."""

    def chunks(self, start: int, size: int) -> Iterator[memoryview]:
        """The same piece by piece."""


@dataclass(frozen=True)
class InFile:
    """A part of a file as it lies there, such as a stored member of a zip."""

    file: File
    record: Record

    @property
    def size(self) -> int:
        """Bytes."""
        return self.record.size

    def _check(self, start: int, size: int) -> None:
        if start < 0 or size < 0 or start + size > self.record.size:
            raise damaged("it ends too early", "文件不完整，提前结束")

    def read(self, start: int, size: int) -> bytes:
        """CheckpointDamaged where there are fewer."""
        return self.numbers(start, size).tobytes()

    def numbers(self, start: int, size: int) -> Array:
        """The same as uint8, which a large array need not be copied from."""
        self._check(start, size)
        return self.file.load(self.record, start, size)

    def chunks(self, start: int, size: int) -> Iterator[memoryview]:
        """Each forgotten when the next is asked for."""
        self._check(start, size)
        return self.file.chunks(self.record, start, size)


@dataclass(frozen=True)
class InMemory:
    """What was packed."""

    data: bytes

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data)

    def read(self, start: int, size: int) -> bytes:
        """CheckpointDamaged where there are fewer."""
        if start < 0 or size < 0 or start + size > len(self.data):
            raise damaged("it ends too early", "文件不完整，提前结束")
        return self.data[start : start + size]

    def numbers(self, start: int, size: int) -> Array:
        """The same as uint8."""
        return np.frombuffer(self.read(start, size), np.uint8)

    def chunks(self, start: int, size: int) -> Iterator[memoryview]:
        """The same piece by piece."""
        view = memoryview(self.read(start, size))
        return (view[i : i + CHUNK] for i in range(0, size, CHUNK))


@dataclass(frozen=True)
class Hdf5:
    """What a file holds. tensors, attributes: by the paths of arrays and of groups ("" is the root), in their order."""

    tensors: Mapping[str, TensorRef]
    attributes: Mapping[str, Mapping[str, Any]]
    groups: Mapping[str, tuple[str, ...]]


def read_hdf5(source: Bytes, limits: Limits, skip: Callable[[str], bool] = lambda path: False) -> Hdf5:
    """Everything but the groups that `skip` names; HDF5Missing where pyfive is not installed, CheckpointDamaged,
    UnsafeCheckpoint.
    """
    try:
        import pyfive  # noqa: F401
    except ImportError:
        raise _missing() from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _Reading(Meter(source), source, limits, skip).all()
        except QingzhouError:
            raise
        except RecursionError:
            raise damaged("it is nested too deeply", "嵌套过深") from None
        except MemoryError:
            raise unsafe("it asks for more memory than there is", "它要求的内存超出可用内存") from None
        except Exception as err:  # whatever a reader of lies may raise
            raise damaged(f"its HDF5 structure is broken ({short(type(err).__name__)})", "HDF5 结构已损坏") from None


def _missing() -> UnsupportedCheckpoint:
    return UnsupportedCheckpoint(
        en="The file holds HDF5, and the package that reads it is not installed. pyfive was expected (0.6 MB, plain "
        'Python). Install it with: pip install "qingzhou[keras]"',
        zh="文件中包含 HDF5 数据，但读取它的软件包没有安装。需要 pyfive（0.6 MB，纯 Python）。请安装："
        'pip install "qingzhou[keras]"',
    )


class Meter:
    """The file as pyfive sees it: every reading is counted. It asks for a few bytes at a time, one behind the other."""

    def __init__(self, source: Bytes) -> None:
        self.source, self.place = source, 0
        self.pages: dict[int, bytes] = {}
        self.heaps: dict[int, dict[int, bytes]] = {}
        self.reads, self.bytes = READS, BYTES + min(source.size // SHARE, BYTES * 3)

    def seek(self, place: int, whence: int = 0) -> int:
        """As a file's."""
        self.place = place + (self.place if whence == 1 else self.source.size if whence == 2 else 0)
        return self.place

    def tell(self) -> int:
        """As a file's."""
        return self.place

    def read(self, size: int = -1) -> bytes:
        """As a file's; UnsafeCheckpoint once too much was read."""
        left = self.source.size - self.place
        size = left if size < 0 else min(size, left)
        self.reads, self.bytes = self.reads - 1, self.bytes - max(size, 0)
        if self.reads < 0 or self.bytes < 0:
            raise unsafe("its directory has no end, or reads itself", "其目录没有尽头，或循环引用自身")
        if size <= 0 or self.place < 0:
            return b""
        number, start = divmod(self.place, PAGE)
        inside = start + size <= PAGE
        found = self._page(number)[start : start + size] if inside else self.source.read(self.place, size)
        self.place += size
        return found

    def _page(self, number: int) -> bytes:
        if number not in self.pages:
            if len(self.pages) == PAGES:
                self.pages.clear()
            start = number * PAGE
            self.pages[number] = self.source.read(start, min(PAGE, self.source.size - start))
        return self.pages[number]


class _Reading:
    """One reading of a whole file."""

    def __init__(self, meter: Meter, source: Bytes, limits: Limits, skip: Callable[[str], bool]) -> None:
        from pyfive.misc_low_level import SuperBlock

        self.meter, self.source, self.limits, self.skip = meter, source, limits, skip
        self.tensors: dict[str, TensorRef] = {}
        self.attributes: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, tuple[str, ...]] = {}
        self.open = {SuperBlock(meter, 0).offset_to_dataobjects}
        self.total = 0
        self.most = max(limits.spread * source.size, limits.spread_floor)

    def all(self) -> Hdf5:
        """From the root on, group by group."""
        queue = [("", one) for one in self.open]
        while queue:
            path, place = queue.pop()
            queue += reversed(self._group(path, self._objects(place)))
        return Hdf5(self.tensors, self.attributes, self.groups)

    def _objects(self, place: int) -> Any:
        if not 0 <= place < self.source.size:
            raise damaged("a part of it lies beyond its end", "其中一部分位于文件之外")
        return _counted_objects()(self.meter, place)

    def _group(self, path: str, objects: Any) -> list[tuple[str, int]]:
        """Its arrays are noted; the groups inside are given back."""
        self.attributes[path] = {str(key): _text(value) for key, value in objects.get_attributes().items()}
        inside, names = [], []
        for name, place in objects.iter_links():
            name = name.decode("utf-8") if isinstance(name, bytes) else name
            below = f"{path}/{name}" if path else name
            if self.skip(below):
                continue
            if not isinstance(place, int):
                raise unsafe(f"{short(below)} is a link to elsewhere", f"{short(below)} 是指向别处的链接")
            names.append(name)
            child = self._objects(place)
            if child.is_dataset:
                self._tensor(below, child)
                continue
            if place in self.open:
                raise unsafe(f"{short(below)} is a group inside itself", f"{short(below)} 循环引用")
            self.open.add(place)
            inside.append((below, place))
            if len(self.open) > self.limits.records:
                raise unsafe("it has too many groups", "其中的组过多")
        self.groups[path] = tuple(names)
        return inside

    def _tensor(self, path: str, objects: Any) -> None:
        if len(self.tensors) >= self.limits.tensors:
            raise unsafe(f"it has more than {self.limits.tensors} arrays", f"其中的数组超过 {self.limits.tensors} 个")
        shape = objects.shape
        dtype = np.dtype(objects.ptype.dtype) if not isinstance(objects.ptype.dtype, tuple) else np.dtype(object)
        brief = dtype == BFLOAT16 and _text(objects.get_attributes().get("dtype")) == "bfloat16"
        if shape is None or not (brief or (dtype.kind in KINDS and dtype.itemsize <= 8)):
            return  # text, or nothing at all: no network has it among its numbers
        shape = tuple(int(n) for n in shape)
        count = elements(shape, self.most)
        if count is None:
            raise unsafe(f"{short(path)} has the shape {list(shape)[:8]}", f"{short(path)} 的形状是 {list(shape)[:8]}")
        self.total += count * dtype.itemsize
        if self.total > self.most:
            raise unsafe("its arrays are much larger than the file", "数组总量远大于文件")
        self.tensors[path] = self._where(path, objects, shape, dtype, count * dtype.itemsize)

    def _where(self, path: str, objects: Any, shape: tuple[int, ...], dtype: np.dtype[Any], size: int) -> TensorRef:
        """Of an array that lies in one piece; of a small one in its own description."""
        _, layout, at = objects.get_id_storage_params()
        filters = objects.find_msg_type(0x000B)
        if layout == 0 and not filters:
            (stored,) = struct.unpack_from("<H", objects.msg_data, at)
            data = bytes(objects.msg_data[at + 2 : at + 2 + stored])
            return _ref(path, shape, dtype, InMemory(data), 0, size)
        if layout != 1 or filters:
            raise UnsupportedCheckpoint(
                en=f"The file was read, but {short(path)} lies in it in pieces, or compressed. Arrays in one piece, as "
                "Keras writes them, were expected. Load the model and save it again.",
                zh=f"文件已读取，但 {short(path)} 分块存放或经过压缩。需要 Keras 写出的连续数组。"
                "请加载模型后重新保存。",
            )
        (place,) = struct.unpack_from("<Q", objects.msg_data, at)
        if place == NONE:  # never written: its fill value, which Keras leaves 0
            native = _native(dtype)
            return TensorRef(shape, native, path, lambda: np.zeros(shape, native))
        if place + size > self.source.size:
            raise damaged(f"{short(path)} lies beyond its end", f"{short(path)} 位于文件之外")
        return _ref(path, shape, dtype, self.source, place, size)


def _ref(path: str, shape: tuple[int, ...], dtype: np.dtype[Any], source: Bytes, place: int, size: int) -> TensorRef:
    native = _native(dtype)

    def load() -> Array:
        if dtype == BFLOAT16:  # the first half of a float32
            halves = source.numbers(place, size).view("<u2").astype("<u4") << 16
            return halves.view("<f4").astype(native, copy=False).reshape(shape)
        return source.numbers(place, size).view(dtype).astype(native, copy=False).reshape(shape)

    straight = dtype == np.dtype("<f4")
    return TensorRef(shape, native, path, load, (lambda: source.chunks(place, size)) if straight else None)


def _native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """What load() gives."""
    return np.dtype(np.float32) if dtype == BFLOAT16 else dtype.newbyteorder("=")


def _text(value: Any) -> Any:
    """Texts as str, also inside lists."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray):
        return [_text(one) for one in value.reshape(-1).tolist()]
    return value


@functools.cache
def _counted_objects() -> Any:
    """pyfive's reader of one object, which looks at how much there is before it reads it."""
    from pyfive.dataobjects import DataObjects

    class Objects(DataObjects):  # type: ignore[misc]
        """One group or array."""

        @staticmethod
        def _parse_v1_objects(fh: Any) -> Any:
            place = fh.tell()
            _, _, messages, _, size = struct.unpack("<BBHII", fh.read(12))
            if messages > MESSAGES or size > HEADER:
                raise unsafe("one of its objects has too long a description", "其中一个对象的描述过长")
            fh.seek(place)
            return DataObjects._parse_v1_objects(_Short(fh))

        def _parse_v2_objects(self, fh: Any) -> Any:
            return super()._parse_v2_objects(_Short(fh))

        def _attr_value(self, ptype: Any, buf: Any, count: int, offset: int) -> Any:
            if count > len(buf):
                raise unsafe("an attribute is longer than it can be", "一个属性的长度异常")
            return super()._attr_value(ptype, buf, count, offset)

        def _vlen_size_and_data(self, buf: Any, offset: int) -> tuple[int, bytes]:
            """pyfive's own stumbles over a heap that is full to less than 16 bytes, as Keras' files have."""
            size, place, index = struct.unpack_from("<IQI", buf, offset)
            heaps = self.fh.heaps  # of the whole file: hundreds of objects have their texts in one
            if place not in heaps:
                heaps[place] = _heap(self.fh, place)
            return size, heaps[place].get(index, b"")[:size]

    return Objects


def _heap(fh: Meter, place: int) -> dict[int, bytes]:
    """The texts of a global heap (III.E of the format), by their numbers."""
    fh.seek(place)
    magic, version, size = struct.unpack("<4sB3xQ", fh.read(16))
    if magic != b"GCOL" or version != 1 or size > fh.source.size:
        raise damaged("a heap of texts in it is broken", "其中的文本堆已损坏")
    data, at, found = fh.read(size - 16), 0, dict[int, bytes]()
    while at + 16 <= len(data) and len(found) < MOST_TEXTS:
        index, _, length = struct.unpack_from("<HH4xQ", data, at)
        if index == 0 or at + 16 + length > len(data):
            break
        found[index] = data[at + 16 : at + 16 + length]
        at += 16 + (length + 7) // 8 * 8
    return found


class _Short:
    """The description of one object, which is never long."""

    def __init__(self, meter: Meter) -> None:
        self.meter, self.left = meter, HEADER

    def read(self, size: int = -1) -> bytes:
        """UnsafeCheckpoint for more than a description may have."""
        found = self.meter.read(size)
        self.left -= len(found)
        if self.left < 0:
            raise unsafe("one of its objects has too long a description", "其中一个对象的描述过长")
        return found

    def seek(self, place: int, whence: int = 0) -> int:
        """As a file's."""
        return self.meter.seek(place, whence)

    def tell(self) -> int:
        """As a file's."""
        return self.meter.tell()
