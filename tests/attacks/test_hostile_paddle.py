"""Programs and parameters of Paddle that lie: counts, offsets, depth and sizes end in errors of ours, soon."""

from __future__ import annotations

import contextlib
import json
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paddle_files import Desc, Pir, part, varint
from qingzhou.errors import CheckpointDamaged, QingzhouError, UnsafeCheckpoint, UnsupportedCheckpoint
from qingzhou.graph.fold import simplify
from qingzhou.onnxfile.emit import emit
from qingzhou.sources.read import read_network

ORACLE = Path(__file__).parents[1] / "oracle" / "paddle"
CASES = ("lenet_pdmodel26", "lstm_pdmodel26", "detector", "lstm", "vit", "unet_pdmodel26", "pools", "words")
RELAXED = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
BYTES = [b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\0", b"\xff\xff\xff\xff\x07", b"\x80\x80\x80\x80\x10", b"\x7f"]
NUMBERS = ["0", "-1", "1e999", "99999999999999999999", "-9223372036854775808", "null", "[]", '"x"', "{}", "true", "1.5"]


def halves(name: str) -> tuple[str, bytes, bytes]:
    """Ending of the program, itself, and the parameters."""
    folder = ORACLE / name
    path = next(folder / f"model{suffix}" for suffix in (".json", ".pdmodel") if (folder / f"model{suffix}").is_file())
    numbers = folder / "model.pdiparams"
    return path.suffix, path.read_bytes(), numbers.read_bytes() if numbers.is_file() else b""


SOUND = [halves(name) for name in CASES]


def survives(folder: Path, suffix: str, program: bytes, numbers: bytes) -> None:
    """Everything is read, or it ends in one of our errors."""
    (folder / "model.pdiparams").write_bytes(numbers)
    path = folder / f"model{suffix}"
    path.write_bytes(program)
    with contextlib.suppress(QingzhouError):
        made = emit(simplify(read_network(path).graph), 13, 8)
        for constant in made.constants.values():
            assert constant.load().shape == constant.shape
    path.unlink()


@RELAXED
@given(data=st.data(), which=st.integers(0, len(SOUND) - 1))
def test_bytes_that_were_changed(tmp_path: Path, data: st.DataObject, which: int) -> None:
    suffix, program, numbers = SOUND[which]
    changed, other = bytearray(program), bytearray(numbers)
    for target in (changed, other):
        for _ in range(data.draw(st.integers(0, 3)) if target else 0):
            place = data.draw(st.integers(0, len(target) - 1))
            new = data.draw(st.sampled_from(BYTES) | st.binary(min_size=1, max_size=4))
            target[place : place + len(new)] = new
    survives(tmp_path, suffix, bytes(changed), bytes(other))


@RELAXED
@given(data=st.data(), which=st.integers(0, len(SOUND) - 1))
def test_values_that_were_changed(tmp_path: Path, data: st.DataObject, which: int) -> None:
    """JSON that stays JSON: one value somewhere is another."""
    suffix, program, numbers = SOUND[which]
    if suffix != ".json":
        return
    whole = json.loads(program)
    ops = whole["program"]["regions"][0]["blocks"][0]["ops"]
    for _ in range(data.draw(st.integers(1, 3))):
        at: Any = ops[data.draw(st.integers(0, len(ops) - 1))]
        while True:
            keys = list(at) if isinstance(at, dict) else list(range(len(at)))
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            if isinstance(at[key], (dict, list)) and at[key] and data.draw(st.integers(0, 5)):
                at = at[key]
                continue
            at[key] = json.loads(data.draw(st.sampled_from(NUMBERS)))
            break
    survives(tmp_path, suffix, json.dumps(whole).encode(), numbers)


@pytest.mark.parametrize("which", range(len(SOUND)))
def test_ends_too_early(tmp_path: Path, which: int) -> None:
    suffix, program, numbers = SOUND[which]
    for size in range(0, len(program), max(len(program) // 30, 1)):
        survives(tmp_path, suffix, program[:size], numbers)
    for size in range(0, len(numbers), max(len(numbers) // 20, 1)):
        survives(tmp_path, suffix, program, numbers[:size])


@RELAXED
@given(data=st.binary(max_size=120))
def test_random_bytes(tmp_path: Path, data: bytes) -> None:
    survives(tmp_path, ".pdmodel", b"\x0a" + varint(len(data) + 4) + b"\x08\0\x10\0" + data, data)


def lying(change: Callable[[bytes], bytes]) -> tuple[bytes, bytes]:
    pir = Pir()
    x = pir.data("x", (-1, 2))
    y = pir.op("multiply", [x, pir.parameter("w", np.ones(2, np.float32))], (-1, 2))
    from paddle_files import parameters

    return pir.text(y), change(parameters(pir.arrays))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:16] + struct.pack("<i", -1) + data[20:],
        lambda data: data[:16] + struct.pack("<i", 1 << 30) + data[20:],
        lambda data: data[:20] + b"\x08\x05\x10" + varint(1 << 62) + bytes(8),
        lambda data: data[:16] + struct.pack("<i", 12) + b"\x08\x05\x10" + varint((1 << 64) - 2)[:9] + bytes(8),
        lambda data: data[:16] + struct.pack("<i", 200) + b"\x08\x05" + b"\x10\x01" * 99 + bytes(8),
    ],
)
def test_tensors_that_lie(change: Any, tmp_path: Path) -> None:
    program, numbers = lying(change)
    (tmp_path / "model.json").write_bytes(program)
    (tmp_path / "model.pdiparams").write_bytes(numbers)
    with pytest.raises((CheckpointDamaged, UnsafeCheckpoint, UnsupportedCheckpoint)):
        read_network(tmp_path / "model.json")


def test_json_of_any_depth(tmp_path: Path) -> None:
    start = b'{"base_code":{"magic":"pir","version":4},"program":'
    for deep in (b"[" * 200_000, b'{"a":' * 200_000, b'{"regions":' + b'[{"blocks":' * 100_000):
        (tmp_path / "model.json").write_bytes(start + deep)
        with pytest.raises(CheckpointDamaged):
            read_network(tmp_path / "model.json")


def test_attributes_of_any_depth(tmp_path: Path) -> None:
    """Arrays in arrays, and numbers with more digits than are read."""
    pir = Pir()
    x = pir.data("x", (-1, 2))
    inner: Any = {"#": "0.a_i32", "D": 1}
    for _ in range(400):
        inner = {"#": "0.a_array", "D": [inner]}
    y = pir.op("relu", [x], (-1, 2), odd=inner)
    survives(tmp_path, ".json", pir.text(y), b"")
    survives(tmp_path, ".json", pir.text(y).replace(b'"D": 1}', b'"D": ' + b"9" * 5000 + b"}"), b"")


def test_blocks_in_blocks_and_fields_without_end(tmp_path: Path) -> None:
    inner = b""
    for _ in range(300):
        inner = part(1, inner)
    survives(tmp_path, ".pdmodel", inner, b"")
    many = part(4, b"") * 100_000
    (tmp_path / "model.pdmodel").write_bytes(part(1, part(1, 0) + part(2, 0) + many))
    with pytest.raises(QingzhouError):
        read_network(tmp_path / "model.pdmodel")


def test_names_as_long_as_files(tmp_path: Path) -> None:
    desc = Desc()
    x = desc.data("x" * 5000, (-1, 2))
    (tmp_path / "model.pdmodel").write_bytes(desc.bytes(x))
    with pytest.raises(UnsafeCheckpoint, match="very long"):
        read_network(tmp_path / "model.pdmodel")


@pytest.mark.parametrize("name", ["full", "expand", "tile", "arange", "eye", "linspace", "pad3d", "bilinear_interp"])
def test_sizes_that_ask_for_memory(name: str, tmp_path: Path) -> None:
    """A milliard milliards of numbers, by one operator each."""
    big = 1 << 39
    pir = Pir()
    x = pir.data("x", (1, 1, 4, 4))
    rows = {
        "full": lambda: pir.op("full", [], (1,), shape=[big, big], value=1.0, dtype="float32"),
        "expand": lambda: pir.op("expand", [x, pir.ints(big, big, 4, 4)], (1,)),
        "tile": lambda: pir.op("tile", [x, pir.ints(big, big, 1, 1)], (1,)),
        "arange": lambda: pir.op("arange", [pir.number(0), pir.number(1e15), pir.number(1)], (1,), dtype="float32"),
        "eye": lambda: pir.op("eye", [pir.number(1e9), pir.number(1e9)], (1,), dtype="float32"),
        "linspace": lambda: pir.op("linspace", [pir.number(0), pir.number(1), pir.number(1e12)], (1,), dtype="float32"),
        "pad3d": lambda: pir.op("pad3d", [x, pir.ints(big, big, big, big)], (1,), mode="constant", pad_value=0.0),
        "bilinear_interp": lambda: pir.op(
            "bilinear_interp", [x, 0, 0, 0], (1,), out_h=60000, out_w=60000, interp_method="bilinear"
        ),
    }
    y = rows[name]()
    tracemalloc.start()
    try:
        with pytest.raises(QingzhouError):
            network = read_network(pir.write(tmp_path, y))
            emit(simplify(network.graph), 13, 8)
        assert tracemalloc.get_traced_memory()[1] < 256 << 20
    finally:
        tracemalloc.stop()


def test_memory_is_that_of_the_file(tmp_path: Path) -> None:
    """Counts of milliards ask for nothing."""
    tracemalloc.start()
    try:
        for suffix, program, numbers in SOUND[:4]:
            for place in range(0, len(program), max(len(program) // 40, 1)):
                changed = bytearray(program)
                changed[place : place + 5] = b"\xff\xff\xff\xff\x07"
                survives(tmp_path, suffix, bytes(changed), numbers)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()
