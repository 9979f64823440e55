"""Random damage: whatever the bytes, the answer is a checkpoint or a QingzhouError, and soon."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from makers import Call, linear, module, pickled, write_archive, write_checkpoint
from qingzhou.errors import QingzhouError
from qingzhou.sources.torch.container import read_checkpoint

ORACLE = Path(__file__).resolve().parent.parent / "oracle"
RELAXED = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
A = np.arange(6, dtype=np.float32).reshape(2, 3)
OBJECT = {
    "meta": {"n": np.int64(3), "shape": Call("torch.Size", ((2, 3),)), "set": {1}, "bytes": b"\xff"},
    "state_dict": module("torch.nn.modules.container.Sequential", {"0": linear(A, A[:, 0])}),
}
OPCODES = b"()]}NRbstaeu0123QhqrjcX\x80\x81\x82\x85\x86\x87\x88\x89\x8a\x8b\x90\x91\x92\x93\x94K\x00\x01."


def survives(path: Path, data: bytes) -> None:
    """Reads everything, or ends in one of our errors."""
    path.write_bytes(data)
    with contextlib.suppress(QingzhouError):
        checkpoint = read_checkpoint(path)
        for key in checkpoint.tensors:
            assert checkpoint.tensors[key].shape == checkpoint.tensors.shapes[key]
        repr(checkpoint.root)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, bytes]:
    folder = tmp_path_factory.mktemp("sound")
    return {old: write_checkpoint(folder / "x.pth", OBJECT, old).read_bytes() for old in (False, True)}


@RELAXED
@given(data=st.binary(max_size=300), start=st.sampled_from([b"", b"PK\x03\x04", b"\x80\x02", b"\x20\0\0\0\0\0\0\0{"]))
def test_random_bytes(tmp_path: Path, data: bytes, start: bytes) -> None:
    survives(tmp_path / "x.pth", start + data)


@RELAXED
@given(data=st.lists(st.sampled_from([bytes([b]) for b in OPCODES] + [b"cos\nsystem\n", b"K\x01", b"h\x00", b"q\x00"])))
def test_random_opcodes(tmp_path: Path, data: list[bytes]) -> None:
    write_archive(tmp_path / "x.pth", {"data.pkl": b"\x80\x02" + b"".join(data) + b"."})
    survives(tmp_path / "x.pth", (tmp_path / "x.pth").read_bytes())


@RELAXED
@given(data=st.data(), old=st.booleans())
def test_flipped_bytes(tmp_path: Path, sound: dict[bool, bytes], data: st.DataObject, old: bool) -> None:
    changed = bytearray(sound[old])
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    survives(tmp_path / "x.pth", bytes(changed))


@RELAXED
@given(data=st.data())
def test_flipped_opcodes_with_a_good_checksum(tmp_path: Path, data: st.DataObject) -> None:
    pickle, storages = pickled(OBJECT)
    changed = bytearray(pickle)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255) | st.sampled_from(OPCODES))
    records = {"data.pkl": bytes(changed), **{f"data/{s.key}": s.array.tobytes() for s in storages}}
    write_archive(tmp_path / "x.pth", records)
    survives(tmp_path / "x.pth", (tmp_path / "x.pth").read_bytes())


@pytest.mark.parametrize("old", [False, True], ids=["zip", "legacy"])
def test_every_byte_once(tmp_path: Path, sound: dict[bool, bytes], old: bool) -> None:
    data = sound[old]
    for place in range(0, len(data), 2):
        survives(tmp_path / "x.pth", data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])


def test_real_checkpoint_flipped(tmp_path: Path) -> None:
    data = (ORACLE / "basenn" / "torch2.13" / "img_transform_obj" / "checkpoint.pth").read_bytes()
    for place in range(7, len(data), max(1, len(data) // 150)):
        survives(tmp_path / "x.pth", data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
