"""What is no checkpoint is named for what it is; each message says what was found, expected, and what to do."""

from __future__ import annotations

import io
import os
import pickle  # noqa: TID251 - to write what must be refused
import re
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from makers import Instance, pickled, write_archive, write_checkpoint
from qingzhou.errors import (
    CheckpointDamaged,
    CheckpointMissing,
    CheckpointTypeError,
    QingzhouError,
    UnsafeCheckpoint,
    UnsupportedCheckpoint,
    use_language,
)
from qingzhou.files.limits import Limits
from qingzhou.sources.torch.container import read_checkpoint

A = np.ones((2, 2), np.float32)


def archive(names: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, data in names.items():
            file.writestr(name, data)
    return buffer.getvalue()


def tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        file.addfile(tarfile.TarInfo("x"), io.BytesIO())
    return buffer.getvalue()


ONNX = bytes.fromhex("0808120771696e677a686f753a10")
WRONG = [
    ("one byte of ONNX", b"\x08", "no file that we know"),
    ("web page", b"\n<!DOCTYPE html><html><body>404", "web page"),
    ("git-lfs", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n", "git lfs pull"),
    ("tar", tar(), "tar"),
    ("gzip", b"\x1f\x8b\x08\0\0\0", "gzip"),
    ("onnx", ONNX, "ONNX"),
    ("text", b"hello", "text file"),
    ("picture", b"\x89PNG\r\n", "PNG"),
    ("keras", b"\x89HDF\r\n", "Keras"),
    ("noise", b"\xfe\xdc\xba\x98\x76", "fe dc ba"),
    ("plain pickle", pickle.dumps({"a": 1}), "scikit-learn"),
    ("joblib", pickle.dumps({"a": 1})[:-3] + b"\xff\xff\xff\xff", "scikit-learn"),
    ("TorchScript", archive({"m/data.pkl": b"x", "m/constants.pkl": b"x"}), "TorchScript"),
    ("zip", archive({"best.pth": b"x"}), "best.pth"),
    ("npz", archive({"a.npy": b"x"}), "ordinary zip"),
]


@pytest.mark.parametrize(("data", "word"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_wrong_type(tmp_path: Path, data: bytes, word: str) -> None:
    path = tmp_path / "best.pth"
    path.write_bytes(data)
    use_language("en")
    with pytest.raises(CheckpointTypeError, match=word) as caught:
        read_checkpoint(path)
    use_language(None)
    assert "best.pth" in caught.value.en and "expected" in caught.value.en and "需要" in caught.value.zh


def test_missing_folder_empty_pipe(tmp_path: Path) -> None:
    with pytest.raises(CheckpointMissing):
        read_checkpoint(tmp_path / "none.pth")
    with pytest.raises(CheckpointMissing):
        read_checkpoint("\0")
    with pytest.raises(CheckpointTypeError, match=re.escape(tmp_path.name)):
        read_checkpoint(tmp_path)
    with pytest.raises(CheckpointTypeError, match=r"^\."):
        read_checkpoint(".")
    (tmp_path / "empty.pth").touch()
    with pytest.raises(CheckpointDamaged):
        read_checkpoint(tmp_path / "empty.pth")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pth")
    with pytest.raises(CheckpointTypeError, match=r"pipe\.pth"):
        read_checkpoint(tmp_path / "pipe.pth")


NO_NETWORK = [
    {"optimizer": {"state": {0: {"m": A}}}},
    {"state": {0: {"m": A}}, "param_groups": []},
    {},
    [1, 2],
    3,
    None,
    A,
    {"state_dict": {}},
    {"meta": {}},
    Instance("sklearn.svm.SVC", {"a": 1}),
    {0: A},
]


@pytest.mark.parametrize("obj", NO_NETWORK, ids=range(len(NO_NETWORK)))
def test_no_network(tmp_path: Path, obj: object) -> None:
    with pytest.raises(UnsupportedCheckpoint):
        read_checkpoint(write_checkpoint(tmp_path / "x.pth", obj))


def records(**change: object) -> dict[str, Any]:
    data, _ = pickled({"a": A})
    found = {"data.pkl": data, "version": b"3\n", "data/0": A.tobytes()} | change
    return {name: value for name, value in found.items() if value is not None}


def patched(data: bytes, signature: bytes, offset: int, value: bytes, which: int = -1) -> bytes:
    """`data` with bytes of its first (0) or last (-1) header of this kind replaced."""
    place = (data.find(signature) if which == 0 else data.rfind(signature)) + offset
    return data[:place] + value + data[place + len(value) :]


def whole(**change: object) -> bytes:
    buffer = io.BytesIO()
    write_archive(buffer, records(**change))
    return buffer.getvalue()


CENTRAL, LOCAL, END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"
ZIPS = [
    ("a missing record", whole(**{"data/0": None}), CheckpointDamaged),
    ("a short record", whole(**{"data/0": bytes(15)}), CheckpointDamaged),
    ("a long record", whole(**{"data/0": bytes(17)}), CheckpointDamaged),
    ("a strange byte order", whole(byteorder=b"middle"), CheckpointDamaged),
    ("encrypted", patched(whole(), CENTRAL, 8, b"\x01\0"), UnsafeCheckpoint),
    ("encrypted inside", patched(whole(), LOCAL, 6, b"\x01\0"), UnsafeCheckpoint),
    ("another name inside", patched(whole(), LOCAL, 30, b"z"), UnsafeCheckpoint),
    ("another method inside", patched(whole(), LOCAL, 8, b"\x08"), UnsafeCheckpoint),
    ("another size inside", patched(whole(), LOCAL, 18, b"\x01"), UnsafeCheckpoint),
    ("compressed", archive({"m/data.pkl": records()["data.pkl"] * 9}, zipfile.ZIP_DEFLATED), UnsafeCheckpoint),
    ("a bomb", archive({"m/data.pkl": bytes(10_000_000)}, zipfile.ZIP_DEFLATED), UnsafeCheckpoint),
    ("wrong checksum", patched(whole(), b"\x80\x02}", 3, b"]", 0), CheckpointDamaged),
    ("no end", whole()[:-22], CheckpointDamaged),
    ("something behind", whole() + b"x", CheckpointDamaged),
    ("something before", LOCAL + whole(), CheckpointDamaged),
    ("a count too large", patched(whole(), END, 10, b"\xff\x7f"), CheckpointDamaged),
    ("two roots", archive({"a/data.pkl": b"x", "b/data.pkl": b"x"}), UnsafeCheckpoint),
    ("a file beside the root", archive({"a/data.pkl": b"x", "b": b"x"}), UnsafeCheckpoint),
    ("something after the pickle", whole(**{"data.pkl": records()["data.pkl"] + b"x"}), UnsafeCheckpoint),
]


@pytest.mark.parametrize(("data", "error"), [z[1:] for z in ZIPS], ids=[z[0] for z in ZIPS])
def test_zip_tricks(tmp_path: Path, data: bytes, error: type[QingzhouError]) -> None:
    (tmp_path / "x.pth").write_bytes(data)
    with pytest.raises(error):
        read_checkpoint(tmp_path / "x.pth")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_parts_of_one_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.pth", "w") as file:
        for data in (b"1", b"2"):
            file.writestr("a/data.pkl", data)
    with pytest.raises(UnsafeCheckpoint):
        read_checkpoint(tmp_path / "x.pth")


@pytest.mark.parametrize(
    "limits",
    [
        Limits(opcodes=5),
        Limits(memo=2),
        Limits(stack=2),
        Limits(records=1),
        Limits(depth=1),
        Limits(pickle_bytes=9),
        Limits(name=3),
        Limits(repeats=0, repeats_floor=3),
    ],
)
def test_every_budget_counts(tmp_path: Path, limits: Limits) -> None:
    path = write_checkpoint(tmp_path / "x.pth", {"state_dict": {"weight": A}})
    read_checkpoint(path)
    with pytest.raises(UnsafeCheckpoint):
        read_checkpoint(path, limits)


def test_legacy_sizes_must_agree(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "x.pth", {"a": A}, legacy=True)
    data = path.read_bytes()
    path.write_bytes(data[: -16 - 8] + struct.pack("<q", 3) + data[-16:])
    with pytest.raises(CheckpointDamaged):
        read_checkpoint(path)
