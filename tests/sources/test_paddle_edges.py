"""Where Paddle's numbers are not what one expects: each checked with the framework's own answers, written out here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_paddle_traps import pooled, ran

from paddle_files import Desc, Pir
from qingzhou.errors import UnsupportedCheckpoint
from qingzhou.sources.read import read_network

HALVES = np.array([[-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.25]], np.float32)


def counted(x: Any, start: int, end: int, windows: int) -> list[float]:
    """Means along one axis by 3 in steps of 2: so much is padded, and no more counts behind than before."""
    row, there = np.pad(x, (start, end)), np.zeros(start + len(x) + end)
    there[: start + len(x) + start] = 1
    return [row[2 * i : 2 * i + 3].sum() / there[2 * i : 2 * i + 3].sum() for i in range(windows)]


@pytest.mark.parametrize(
    ("attrs", "start", "end"),
    [({"padding_algorithm": "SAME"}, 0, 1), ({"paddings": [0, 1, 0, 1]}, 0, 1), ({"paddings": [1, 0, 1, 0]}, 1, 0)],
)
def test_padding_counts_at_the_end_as_at_the_start(attrs: dict[str, Any], start: int, end: int, tmp_path: Path) -> None:
    """AvgPool2D(exclusive=False) of 8 by 3 in steps of 2 with SAME: Paddle divides the last window by 2 of 3."""
    pir, y = pooled(8, exclusive=False, **attrs)
    x = np.outer(np.arange(1, 9), np.ones(8)).astype(np.float32)
    found = ran(pir.write(tmp_path, y), x[None, None])[0, 0]
    across = counted(np.ones(8), start, end, 4)
    assert np.allclose(found, np.outer(counted(x[:, 0], start, end, 4), across), atol=1e-5)


def test_unequal_padding_that_counts_needs_a_size(tmp_path: Path) -> None:
    pir = Pir()
    x = pir.data("x", (1, 1, -1, -1))
    attrs = {"strides": [1, 1], "paddings": [0, 0], "ceil_mode": False, "exclusive": False, "data_format": "NCHW"}
    more = {"pooling_type": "avg", "global_pooling": False, "adaptive": False, "padding_algorithm": "SAME"}
    y = pir.op("pool2d", [x, pir.ints(2, 2)], (1, 1, -1, -1), **attrs, **more)
    with pytest.raises(UnsupportedCheckpoint, match="unequal at both ends"):
        read_network(pir.write(tmp_path, y))


def test_lp_pooling_sums_what_is_there(tmp_path: Path) -> None:
    """Also in the windows that ceil_mode cuts."""
    pir = Pir()
    x = pir.data("x", (1, 1, 4, 4))
    attrs = {"strides": [3, 3], "paddings": [0, 0], "ceil_mode": True, "data_format": "NCHW", "norm_type": 1.0}
    y = pir.op("lp_pool2d", [x], (1, 1, 2, 2), kernel_size={"#": "1.a_intarray", "D": [3, 3]}, **attrs)
    found = ran(pir.write(tmp_path, y), np.ones((1, 1, 4, 4), np.float32))
    assert found[0, 0].tolist() == [[9, 3], [3, 1]]


def test_halves_are_rounded_to_even_numbers_since_paddle_3(tmp_path: Path) -> None:
    """What 3.3.1 and 2.6.2 give for the same numbers."""
    pir = Pir()
    y = pir.op("round", [pir.data("x", (1, 7))], (1, 7))
    assert ran(pir.write(tmp_path, y), HALVES).tolist() == [[-2, -2, 0, 0, 2, 2, 3]]
    desc = Desc()
    desc.op("round", {"X": [desc.data("x", (1, 7))]}, {"Out": [desc.var("y", (1, 7))]})
    (tmp_path / "old").mkdir()
    assert ran(desc.write(tmp_path / "old", "y"), HALVES).tolist() == [[-3, -2, -1, 1, 2, 3, 3]]


@pytest.mark.parametrize(("kind", "wanted"), [("int8", [-37, 113, 5, 127]), ("uint8", [219, 113, 5, 127])])
def test_whole_numbers_begin_again_at_the_other_end(kind: str, wanted: list[int], tmp_path: Path) -> None:
    pir = Pir()
    x = pir.data("x", (4,), "int64")
    small = pir.op("cast", [x], (4,), "uint8", dtype={"#": "1.a_dtype", "D": kind})
    y = pir.op("cast", [small], (4,), dtype={"#": "1.a_dtype", "D": "float32"})
    assert ran(pir.write(tmp_path, y), np.array([-293, -143, 261, 127])).tolist() == wanted


def test_a_result_that_is_not_computed_is_no_damage(tmp_path: Path) -> None:
    """The places of the largest numbers, which return_mask gives."""
    pir = Pir()
    x = pir.data("x", (1, 1, 4, 4))
    attrs = {"kernel_size": [2, 2], "strides": [2, 2], "paddings": [0, 0], "global_pooling": False, "adaptive": False}
    y = pir.op("max_pool2d_with_index", [x], (1, 1, 2, 2), **attrs, ceil_mode=False)
    pir.ops[-1]["O"].append(pir._new((1, 1, 2, 2), "int32"))
    with pytest.raises(UnsupportedCheckpoint, match="a result of max_pool2d_with_index is used"):
        read_network(pir.write(tmp_path, y, y + 1))


def test_tensors_that_are_broadcast_together(tmp_path: Path) -> None:
    """paddle.broadcast_tensors, and what `x[:, [0, 2], [1, 1]]` is written with."""
    desc = Desc()
    inputs = [desc.data("x", (3, 1)), desc.data("y", (4,), col=1)]
    desc.op("broadcast_tensors", {"X": inputs}, {"Out": [desc.var(name, (3, 4)) for name in ("a", "b")]})
    desc.op("elementwise_sub", {"X": ["a"], "Y": ["b"]}, {"Out": [desc.var("z", (3, 4))]}, axis=-1)
    x, y = np.array([[1], [2], [4]], np.float32), np.array([1, 3, 5, 7], np.float32)
    path = desc.write(tmp_path, "z", "a", "b")
    assert ran(path, x, y).tolist() == (x - y).tolist()
    shapes = [one.shape for one in read_network(path).graph.outputs]
    assert shapes == [(3, 4)] * 3
