"""Trees of XGBoost, LightGBM and CatBoost that lie: lengths, circles, columns that are not there."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from qingzhou.errors import QingzhouError
from qingzhou.files.ubjson import read_ubjson
from qingzhou.nets.recorded import Wanted
from qingzhou.sources.table import open_source

ORACLE = Path(__file__).parents[1] / "oracle" / "sklearn"
UBJ = (ORACLE / "xgb_multi_unbalanced.ubj").read_bytes()
TEXT = (ORACLE / "lgbm_multi_missing.txt").read_bytes()
MODEL: dict[str, Any] = json.loads((ORACLE / "xgb_binary_early_stop.json").read_text("utf-8"))


def refused(data: bytes, folder: Path, ending: str) -> None:
    """Said in words of ours, or read as another model; never a crash."""
    path = folder / f"model{ending}"
    path.write_bytes(data)
    try:
        opened, source = open_source(path)
        source.read(opened, Wanted())
    except QingzhouError:
        return


@pytest.mark.parametrize(
    "data",
    [b"", b"[", b"{L" + struct.pack(">q", -1), b"{L" + struct.pack(">q", 1 << 60),
     b"[$d#L" + struct.pack(">q", 1 << 61),
     b"[$D#L" + struct.pack(">q", 1 << 40), b"[$T", b"[" * 500, b"SL" + struct.pack(">q", 5) + b"abc", b"x", b"i\1i",
     b"{i\1aTi\1aT}", b"[#d0000", b"[$[#l" + struct.pack(">i", 1 << 30)],
)  # fmt: skip
def test_ubjson_that_lies(data: bytes) -> None:
    with pytest.raises(QingzhouError):
        read_ubjson(data)


def test_many_of_nothing_are_bounded() -> None:
    """A count is never larger than the file, also of items that take no byte."""
    with pytest.raises(QingzhouError, match="larger than the file"):
        read_ubjson(b"[$Z#l" + struct.pack(">i", 1 << 30))


@pytest.mark.parametrize("place", range(2, len(UBJ), 311))
def test_ubjson_changed_or_cut(place: int, tmp_path: Path) -> None:
    refused(UBJ[:place], tmp_path, ".ubj")
    refused(UBJ[:place] + b"\xff" + UBJ[place + 1 :], tmp_path, ".ubj")


@pytest.mark.parametrize("place", range(5, len(TEXT), 397))
def test_text_changed_or_cut(place: int, tmp_path: Path) -> None:
    refused(TEXT[:place], tmp_path, ".txt")
    refused(TEXT[:place] + b"9" + TEXT[place + 1 :], tmp_path, ".txt")


def tree() -> dict[str, Any]:
    found: dict[str, Any] = MODEL["learner"]["gradient_booster"]["model"]["trees"][0]
    return found


LIES = {
    "a circle": {"left_children": [0, 3, -1, 5, -1, -1, -1]},
    "a node that is not there": {"left_children": [1, 3, -1, 99, -1, -1, -1]},
    "a column that is not there": {"split_indices": [300, 27, 0, 13, 0, 0, 0]},
    "a list that is short": {"split_conditions": [1.0]},
    "texts": {"split_conditions": ["a"] * 7},
    "lists in lists": {"split_conditions": [[1.0]] * 7},
    "categories": {"categories": [1, 2]},
}


@pytest.mark.parametrize("name", LIES)
def test_a_tree_that_lies(name: str, tmp_path: Path) -> None:
    model = json.loads(json.dumps(MODEL))
    model["learner"]["gradient_booster"]["model"]["trees"][0] = {**tree(), **LIES[name]}
    path = tmp_path / "model.json"
    path.write_text(json.dumps(model), "utf-8")
    opened, source = open_source(path)
    with pytest.raises(QingzhouError):
        source.read(opened, Wanted())
