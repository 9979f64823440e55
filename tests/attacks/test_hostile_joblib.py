"""joblib's files that lie: bombs, arrays larger than the file, pickles in pickles, names that no model needs."""

from __future__ import annotations

import bz2
import gzip
import lzma
import pickle  # noqa: TID251  # of our own lists
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from qingzhou.errors import CheckpointDamaged, CheckpointTypeError, QingzhouError, UnsafeCheckpoint
from qingzhou.files import lz4
from qingzhou.files.joblib import read_joblib, unpacked
from qingzhou.files.limits import Limits
from qingzhou.nets.recorded import Wanted
from qingzhou.sources.table import open_source

ORACLE = Path(__file__).parents[1] / "oracle" / "sklearn"
PLAIN = (ORACLE / "linear_column_target.pkl").read_bytes()
SMALL = Limits(spread=4, spread_floor=1 << 16)
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "zlib": zlib.compress,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
}


def test_the_plain_file_is_read() -> None:
    found = read_joblib(PLAIN, Limits())
    assert found.name == "sklearn.linear_model._base.LinearRegression" and found.state["coef_"].shape == (1, 10)


@pytest.mark.parametrize("name", PACKERS)
def test_packed(name: str) -> None:
    packed = PACKERS[name](PLAIN)
    assert read_joblib(packed, Limits()).state["coef_"].tolist() == read_joblib(PLAIN, Limits()).state["coef_"].tolist()
    with pytest.raises(CheckpointDamaged):
        read_joblib(packed[:-20], Limits())


@pytest.mark.parametrize("name", PACKERS)
def test_a_bomb_is_not_unpacked(name: str) -> None:
    with pytest.raises(UnsafeCheckpoint, match="unpacks to more"):
        read_joblib(PACKERS[name](b"\x80\x04" + bytes(5_000_000)), SMALL)


FRAME = b"\x04\x22\x4d\x18\x60\x40\x82"  # of LZ4: version 1, independent blocks, no checksums; its own checksum


def blocks(*given: bytes, end: bytes = bytes(4)) -> bytes:
    return FRAME + b"".join(struct.pack("<I", len(one)) + one for one in given) + end


def test_lz4_by_hand() -> None:
    """Three letters, then nine bytes from three back, which run into themselves; and a block that is not packed."""
    assert lz4.unpacked(blocks(b"\x35abc\x03\0", b"\x10d"), 100) == b"abcabcabcabcd"
    assert lz4.unpacked(FRAME + struct.pack("<I", 2 | 1 << 31) + b"xy" + bytes(4), 100) == b"xy"


def test_an_lz4_bomb_is_not_unpacked() -> None:
    """One byte, and the same again 255 times as often as the file has bytes."""
    bomb = blocks(b"\x1fa\x01\0" + b"\xff" * 1_000_000 + b"\0")
    with pytest.raises(UnsafeCheckpoint, match="unpacks to more"):
        read_joblib(bomb, SMALL)
    told = FRAME[:4] + b"\x68\x40" + struct.pack("<Q", 1 << 62) + b"\0" + bytes(4)
    with pytest.raises(UnsafeCheckpoint, match="unpacks to more"):
        read_joblib(told, SMALL)


LZ4_LIES = {
    "nothing behind": FRAME,
    "no end": blocks(b"\x10a", end=b""),
    "more than there is": FRAME + struct.pack("<I", 1000) + b"\x10a" + bytes(4),
    "literals beyond": blocks(b"\xf0\x50a"),
    "a match before the start": blocks(b"\x10a\x02\0"),
    "a match of no distance": blocks(b"\x10a\0\0"),
    "a match cut off": blocks(b"\x10a\x01"),
    "a dictionary": b"\x04\x22\x4d\x18\x61" + FRAME[5:] + bytes(8),
    "another version": b"\x04\x22\x4d\x18\x20" + FRAME[5:] + bytes(8),
    "another size": b"\x04\x22\x4d\x18\x68\x40" + struct.pack("<Q", 9) + b"\0" + blocks(b"\x10a")[7:],
    "something behind": blocks(b"\x10a") + b"more",
}


@pytest.mark.parametrize("name", LZ4_LIES)
def test_lz4_that_lies(name: str) -> None:
    with pytest.raises(CheckpointDamaged):
        lz4.unpacked(LZ4_LIES[name], 1 << 20)


@pytest.mark.parametrize("name", ["tree_lz4.joblib", "tree_p0.pkl", "tree_p1.pkl", "tree_dill.pickle"])
def test_other_ways_to_save_cut_or_changed(name: str) -> None:
    """Whatever stands there, the reader says something of ours or reads on."""
    data, chance = (ORACLE / "ways" / name).read_bytes(), random.Random(name)
    for place in range(0, len(data) - 1, 11):
        with pytest.raises(QingzhouError):
            read_joblib(data[:place], Limits())
    for _ in range(300):
        changed = bytearray(data)
        changed[chance.randrange(len(data))] = chance.randrange(256)
        try:
            read_joblib(bytes(changed), Limits())
        except QingzhouError:
            continue


def test_a_number_of_many_digits_is_no_number() -> None:
    """LONG of protocol 0, whose digits take the square of their count."""
    with pytest.raises((CheckpointDamaged, UnsafeCheckpoint)):
        read_joblib(b"L" + b"9" * 1_000_000 + b"L\n.", Limits())
    with pytest.raises((CheckpointDamaged, UnsafeCheckpoint)):
        read_joblib(b"L" + b"9" * 4000 + b"L\n.", Limits())


@pytest.mark.parametrize("place", range(0, len(PLAIN), 7))
def test_cut_anywhere(place: int) -> None:
    with pytest.raises(QingzhouError):
        read_joblib(PLAIN[:place], Limits())


@pytest.mark.parametrize("value", [0, 1, 127, 255])
def test_a_changed_byte_is_an_error_or_another_number(value: int) -> None:
    """Never a crash: whatever stands there, the reader says something of ours or reads on."""
    for place in range(2, len(PLAIN), 3):
        changed = PLAIN[:place] + bytes([value]) + PLAIN[place + 1 :]
        try:
            read_joblib(changed, Limits())
        except QingzhouError:
            continue


def wrapped(shape: bytes, dtype: bytes, rest: bytes) -> bytes:
    """An array of joblib's by hand: protocol 2, and what stands behind its BUILD."""
    wrapper = b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}("
    state = b"X\x05\0\0\0shape" + shape + b"X\x05\0\0\0orderX\1\0\0\0CX\5\0\0\0dtype" + dtype + b"ub"
    return b"\x80\x02" + wrapper + state + rest


def kind(code: bytes) -> bytes:
    """numpy.dtype(code, False, True)"""
    return b"cnumpy\ndtype\n" + b"X" + struct.pack("<I", len(code)) + code + b"\x89\x88\x87R"


ONE = b"K\x01\x85"
LIES = {
    "more than there is": wrapped(b"J\xff\xff\xff\x7f\x85", kind(b"f8"), bytes(8) + b"."),
    "below zero": wrapped(b"J\xff\xff\xff\xff\x85", kind(b"f8"), bytes(8) + b"."),
    "no shape": wrapped(b"N", kind(b"f8"), bytes(8) + b"."),
    "too many axes": wrapped(b"(" + b"K\x01" * 40 + b"t", kind(b"f8"), bytes(8) + b"."),
    "a type that is none": wrapped(ONE, kind(b"zz"), bytes(8) + b"."),
    "nothing inside": wrapped(ONE, kind(b"O8"), b"."),
    "a list inside": wrapped(ONE, kind(b"O8"), b"\x80\x02]." + b"."),
    "something behind": wrapped(ONE, kind(b"f8"), bytes(8) + b"." + b"more"),
}


def test_the_hand_made_one_is_read() -> None:
    assert read_joblib(wrapped(ONE, kind(b"f8"), struct.pack("<d", 2.5) + b"."), Limits()).tolist() == [2.5]


@pytest.mark.parametrize("name", LIES)
def test_lies(name: str) -> None:
    with pytest.raises((CheckpointDamaged, UnsafeCheckpoint)):
        read_joblib(LIES[name], Limits())


def test_pickles_in_pickles_end() -> None:
    """An array of objects is a pickle of plain pickle's: there is no other array between its opcodes."""
    data = wrapped(ONE, kind(b"f8"), struct.pack("<d", 1.0) + b".")
    for _ in range(50):
        data = wrapped(ONE, kind(b"O8"), data + b".")
    with pytest.raises((CheckpointDamaged, UnsafeCheckpoint)):
        read_joblib(data, Limits())


def calling(module: str, name: str) -> bytes:
    """LinearRegression with an attribute that is module.name("x")."""
    head = b"csklearn.linear_model._base\nLinearRegression\n)\x81}(X\5\0\0\0coef_"
    return b"\x80\x02" + head + f"c{module}\n{name}\n".encode() + b"X\1\0\0\0x\x85Rub."


@pytest.mark.parametrize(
    ("module", "name"),
    [("os", "system"), ("posix", "mkdir"), ("builtins", "eval"), ("subprocess", "Popen"), ("ctypes", "CDLL"),
     ("importlib", "import_module"), ("runpy", "run_path"), ("builtins", "getattr"), ("pickle", "loads")],
)  # fmt: skip
def test_names_that_no_model_needs(module: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(calling(module, name))
    opened, source = open_source(path)
    with pytest.raises(UnsafeCheckpoint, match=name):
        source.look(opened)


def test_a_plain_pickle_is_none(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps([1, 2, 3]))
    opened, source = open_source(path)
    with pytest.raises(CheckpointTypeError, match="plain Python pickle"):
        source.look(opened)


@pytest.mark.parametrize("name", ["baseml_birch.pkl", "svc_multiclass_probability.pkl", "hist_boosting_categories.pkl"])
def test_whatever_an_estimator_says_of_itself(name: str, tmp_path: Path) -> None:
    """A hundred altered files of each: they are read as other numbers, or refused in words of ours; never a crash."""
    chance, path = random.Random(name), tmp_path / "model.pkl"
    whole = unpacked((ORACLE / name).read_bytes(), Limits())
    for _ in range(100):
        data = bytearray(whole)
        for _ in range(chance.choice([1, 2, 4])):
            data[chance.randrange(len(data))] = chance.choice([0, 1, 10, 255, chance.randrange(256)])
        path.write_bytes(data)
        try:
            opened, source = open_source(path)
            source.read(opened, Wanted())
        except QingzhouError:
            continue
