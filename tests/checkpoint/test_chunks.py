"""Tensors that leave the file piece by piece: the same bytes as the array's, and damage is found all the same."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import qingzhou
from lenets import write_lenet
from makers import Storage, Tensor, write_checkpoint
from qingzhou.errors import CheckpointDamaged
from qingzhou.files.file import CHUNK, File
from qingzhou.files.types import Tensors
from qingzhou.sources.torch.container import read_checkpoint

A = np.arange(24, dtype=np.float32)
LARGE = np.random.Generator(np.random.PCG64(1)).normal(size=CHUNK // 4 * 2 + 5).astype(np.float32)

# name -> the tensor, and whether it can be written as it lies
CASES: dict[str, tuple[Any, bool]] = {
    "whole": (A.reshape(2, 3, 4), True),
    "several pieces": (LARGE, True),
    "scalar": (Tensor(Storage(A), (), (), 3), True),
    "part of a storage": (Tensor(Storage(A), (3, 4), (4, 1), 8), True),
    "sides of one have any stride": (Tensor(Storage(A), (1, 4, 1), (9, 1, 7), 0), True),
    "transposed": (Tensor(Storage(A), (4, 3), (1, 4), 0), False),
    "with gaps": (Tensor(Storage(A), (3, 2), (4, 1), 0), False),
    "repeated": (Tensor(Storage(A), (5, 4), (0, 1), 0), False),
    "half": (A.astype(np.float16), False),
    "double": (A.astype(np.float64), False),
    "empty": (np.zeros((0, 4), np.float32), False),
}


def tensors(path: Path, obj: object, legacy: bool = False) -> Tensors:
    return read_checkpoint(write_checkpoint(path, obj, legacy)).tensors


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(("value", "plain"), CASES.values(), ids=CASES)
def test_the_pieces_are_the_array(value: object, plain: bool, legacy: bool, tmp_path: Path) -> None:
    found = tensors(tmp_path / "x.pth", {"w": value}, legacy)
    chunks = found.chunks("w")
    assert (chunks is not None) == plain
    if chunks is not None:
        assert b"".join(map(bytes, chunks)) == found["w"].tobytes()


@pytest.mark.parametrize("part", [True, False], ids=["part", "whole"])
def test_damage_is_found_at_the_end(part: bool, tmp_path: Path) -> None:
    """Of a part of a record before the first piece, since its own bytes prove nothing; also when it is read again."""
    storage = Storage(LARGE)
    tensor = Tensor(storage, (4,), (1,), 8) if part else Tensor(storage, LARGE.shape, (1,), 0)
    path = write_checkpoint(tmp_path / "x.pth", {"w": tensor})
    spoil(path, LARGE[-3:].tobytes())
    found = read_checkpoint(path).tensors
    for _ in range(2):
        chunks = found.chunks("w")
        assert chunks is not None
        seen = []
        with pytest.raises(CheckpointDamaged):
            seen.extend(bytes(chunk) for chunk in chunks)
        assert len(seen) == (0 if part else 3)


def test_pieces_that_were_not_all_read_prove_nothing(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "x.pth", {"w": LARGE})
    spoil(path, LARGE[-3:].tobytes())
    found = read_checkpoint(path).tensors
    chunks = found.chunks("w")
    assert chunks is not None and len(next(chunks)) == CHUNK
    del chunks
    with pytest.raises(CheckpointDamaged):
        found["w"]


def test_a_damaged_weight_leaves_no_model(tmp_path: Path) -> None:
    path = write_lenet(tmp_path / "net.pth")
    weights = read_checkpoint(path).tensors
    last = [key for key in weights if key.endswith("weight")][-1]
    spoil(path, weights[last].tobytes()[-16:])
    with pytest.raises(CheckpointDamaged):
        qingzhou.convert(path, tmp_path / "net.onnx", check=False)
    assert list(tmp_path.iterdir()) == [path]


def spoil(path: Path, data: bytes) -> None:
    """Flip a bit of these bytes, which are in the file once."""
    content = bytearray(path.read_bytes())
    assert content.count(data) == 1
    content[content.index(data)] ^= 1
    path.write_bytes(content)


def test_a_file_that_is_held_open_is_read_alike_and_watched(tmp_path: Path) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(bytes(range(200)))
    file = File.at(path)
    with file.held():
        assert [file.read(start, 3) for start in (7, 0, 190)] == [b"\x07\x08\x09", b"\0\1\2", bytes([190, 191, 192])]
        assert file.sha256() == hashlib.sha256(bytes(range(200))).hexdigest()
        assert file.read(10, 1) == b"\x0a"
        with path.open("ab") as changed:
            changed.write(b"more")
        with pytest.raises(CheckpointDamaged):
            file.read(7, 3)
