"""A .tflite that lies: offsets, counts and shapes that lead elsewhere are errors of ours, soon, in little memory."""

from __future__ import annotations

import contextlib
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qingzhou.errors import CheckpointDamaged, QingzhouError, UnsafeCheckpoint
from qingzhou.files.flatbuffer import VISITED, Buffer, schema
from qingzhou.graph.fold import simplify
from qingzhou.onnxfile.emit import emit
from qingzhou.sources.read import read_network
from tflite_files import flatbuffer

ORACLE = Path(__file__).parents[1] / "oracle" / "tflite"
SOUND = [(ORACLE / f"{name}.tflite").read_bytes() for name in ("int8", "lstm_fused", "labels", "float_residual")]
RELAXED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WORDS = [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\x01\0\0\0", b"\0\0\0\x80", b"\x10\0\0\0"]
LOOP = schema({"Model": "parts [Model], numbers [i4], one Model, name text"})


def survives(path: Path, data: bytes) -> None:
    """Everything is read, or it ends in one of our errors."""
    path.write_bytes(data)
    with contextlib.suppress(QingzhouError):
        made = emit(simplify(read_network(path).graph), 13, 8)
        for constant in made.constants.values():
            assert constant.load().shape == constant.shape


@RELAXED
@given(data=st.data(), which=st.integers(0, len(SOUND) - 1))
def test_words_that_were_changed(tmp_path: Path, data: st.DataObject, which: int) -> None:
    changed = bytearray(SOUND[which])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(changed) - 4))
        changed[place : place + 4] = data.draw(st.sampled_from(WORDS) | st.binary(min_size=1, max_size=4))
    survives(tmp_path / "x.tflite", bytes(changed))


@pytest.mark.parametrize("which", range(len(SOUND)))
def test_ends_too_early(tmp_path: Path, which: int) -> None:
    data = SOUND[which]
    for size in range(8, len(data), len(data) // 60):
        survives(tmp_path / "x.tflite", data[:size])


@RELAXED
@given(data=st.binary(max_size=200))
def test_random_bytes(tmp_path: Path, data: bytes) -> None:
    survives(tmp_path / "x.tflite", struct.pack("<I", 12) + b"TFL3" + data)


def test_every_offset_of_a_table_is_looked_at() -> None:
    """A table with one field, at each place and with each size that a vtable can have."""
    for vtable in range(0, 40, 2):
        for offset in (0, 1, 3, 4, 8, 40, 0xFFFF):
            data = struct.pack("<I4s", 20, b"TFL3") + struct.pack("<HHHHHH", 6, 8, offset, 6, 12, offset)
            data += struct.pack("<iI", 20 - vtable, 0xFFFFFFF0)
            with contextlib.suppress(QingzhouError):
                table = Buffer(data, LOOP).root("Model")
                for name in table.fields:
                    table[name]


def looped(rows: int) -> bytes:
    """A table whose row of tables has nothing but itself, many times."""
    data = bytearray(struct.pack("<I4s", 16, b"TFL3") + struct.pack("<HHHH", 6, 8, 4, 0))
    data += struct.pack("<iI", 8, 4) + struct.pack("<I", rows)
    for i in range(rows):
        data += struct.pack("<I", (16 - len(data)) & 0xFFFFFFFF) if i % 2 else struct.pack("<I", 0xFFFFFFFF)
    return bytes(data)


def test_offsets_do_not_lead_backwards() -> None:
    with pytest.raises(CheckpointDamaged, match="out of the file"):
        Buffer(looped(10), LOOP).root("Model")["parts"]


def test_a_file_whose_tables_are_shared_is_read_so_many_times(tmp_path: Path) -> None:
    """A thousand rows of the same thousand tables are a million: what is visited is counted, and each is read once."""
    count = 3000
    data = bytearray(struct.pack("<I4s", 16, b"TFL3") + struct.pack("<HHHH", 6, 8, 4, 0) + struct.pack("<iI", 8, 4))
    start = len(data)
    data += struct.pack("<I", count) + bytes(4 * count)
    inner = len(data) + 8
    data += struct.pack("<HHHH", 6, 8, 4, 0) + struct.pack("<iI", 8, 4) + struct.pack("<I", count) + bytes(4 * count)
    leaf = len(data) + 4
    data += struct.pack("<HH", 4, 4) + struct.pack("<i", 4)
    for row, target in ((start, inner), (inner + 8, leaf)):
        for i in range(count):
            struct.pack_into("<I", data, row + 4 + 4 * i, target - (row + 4 + 4 * i))
    buffer = Buffer(bytes(data), LOOP)
    with pytest.raises(UnsafeCheckpoint, match="without end"):
        [table["parts"] for table in buffer.root("Model")["parts"]]
    assert len(buffer.known) < 5 and buffer.left > -count - 1 and VISITED < 1 << 22


def test_many_tensors_of_the_same_numbers(tmp_path: Path) -> None:
    """A megabyte that five hundred tensors share would be written five hundred times."""
    tensor: dict[str, Any] = {"shape": [1, 1 << 18], "buffer": 1, "name": "w"}
    graph = {"tensors": [tensor] * 500, "inputs": [], "outputs": [0], "operators": []}
    content = {
        "version": 3,
        "operator_codes": [],
        "subgraphs": [graph],
        "buffers": [{}, {"data": np.zeros(1 << 20, np.uint8)}],
    }
    (tmp_path / "x.tflite").write_bytes(flatbuffer("Model", content))
    with pytest.raises(UnsafeCheckpoint, match="much larger than the file"):
        read_network(tmp_path / "x.tflite")


def test_memory_is_that_of_the_file(tmp_path: Path) -> None:
    """Counts of four milliards ask for nothing."""
    path = tmp_path / "x.tflite"
    changed = bytearray(SOUND[0])
    tracemalloc.start()
    try:
        for place in range(0, len(changed) - 4, 997):
            data = bytearray(changed)
            data[place : place + 4] = b"\xff\xff\xff\x7f"
            survives(path, bytes(data))
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()
