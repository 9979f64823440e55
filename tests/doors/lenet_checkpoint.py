"""A LeNet checkpoint as MMEdu saves it, written without torch: a zip with a protocol-2 pickle of plain opcodes."""

import struct
import sys
import zipfile
from pathlib import Path

import numpy as np

ORACLE = Path(__file__).parents[1] / "oracle"
sys.path.insert(0, str(ORACLE))
from rebuild import rebuild  # noqa: E402


def write_lenet(path: Path, classes: list[str] | None) -> str:
    """The oracle's LeNet (10 classes); `classes` None leaves CLASSES out."""
    meta: dict[str, object] = {"tool": "MMEdu0.1.28", "backbone": "LeNet"}
    if classes is not None:
        meta["CLASSES"] = classes
    arrays = rebuild(ORACLE / "mmedu" / "LeNet" / "manifest.json")
    write_checkpoint(path, {"meta": meta, "state_dict": dict(arrays)})
    return str(path)


def write_checkpoint(path: Path, value: object) -> None:
    """torch.save(value, path) for dicts, lists, strings, whole numbers and float32 / int64 arrays."""
    storages: list[np.ndarray] = []
    pickled = b"\x80\x02" + _pickled(value, storages) + b"."
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", "3\n")
        for i, array in enumerate(storages):
            archive.writestr(f"archive/data/{i}", np.ascontiguousarray(array).tobytes())


def _pickled(value: object, storages: list[np.ndarray]) -> bytes:
    match value:
        case bool():
            return b"\x88" if value else b"\x89"
        case int():
            return b"J" + struct.pack("<i", value)
        case str():
            text = value.encode("utf-8")
            return b"X" + struct.pack("<I", len(text)) + text
        case dict():
            pairs = b"".join(_pickled(k, storages) + _pickled(v, storages) for k, v in value.items())
            return b"}(" + pairs + b"u"
        case list():
            return b"](" + b"".join(_pickled(one, storages) for one in value) + b"e"
        case tuple():
            return b"(" + b"".join(_pickled(one, storages) for one in value) + b"t"
        case np.ndarray():
            return _tensor(value, storages)
    raise TypeError(type(value))


def _tensor(array: np.ndarray, storages: list[np.ndarray]) -> bytes:
    kind = {"float32": b"FloatStorage", "int64": b"LongStorage"}[str(array.dtype)]
    strides = tuple(n // array.itemsize for n in array.strides)
    parts = [_pickled(part, storages) for part in ("storage", str(len(storages)), "cpu", array.size)]
    parts.insert(1, b"ctorch\n" + kind + b"\n")
    storages.append(array)
    rest = b"".join(_pickled(part, storages) for part in (0, array.shape, strides, False))
    hooks = b"ccollections\nOrderedDict\n)R"
    return b"ctorch._utils\n_rebuild_tensor_v2\n((" + b"".join(parts) + b"tQ" + rest + hooks + b"tR"
