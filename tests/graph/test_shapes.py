"""Shape rules against onnx's own inference, and against what onnxruntime computes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from onnx_cases import Case, f
from shape_cases import CASES, MICROSOFT, ONLY_ONNXRUNTIME

from qingzhou.graph.form import Value


def test_the_table_is_wide() -> None:
    assert len(CASES) >= 150 and len({case.op for case in CASES}) >= 90


@pytest.mark.parametrize("case", CASES, ids=str)
def test_as_onnx_infers(case: Case) -> None:
    ours, theirs = case.ours(), case.onnx()
    assert ours is not None
    for mine, one in zip(ours, theirs, strict=True):
        if one is not None:
            assert mine[1] == one[1] and len(mine[0]) == len(one[0])
            assert all(b in ("?", a) for a, b in zip(mine[0], one[0], strict=True)), f"{mine} {one}"
    if case.gives is not None:
        assert ours[0][0] == case.gives


@pytest.mark.parametrize("case", [*CASES, *ONLY_ONNXRUNTIME, *MICROSOFT], ids=str)
def test_as_onnxruntime_computes(case: Case) -> None:
    case = sized(case)
    ours, theirs = case.ours(), case.computed()
    assert ours is not None
    for mine, one in zip(ours, theirs, strict=True):
        assert mine[1] == one[1] and len(mine[0]) == len(one[0])
        assert all(a in ("?", b) for a, b in zip(mine[0], one[0], strict=True)), f"{mine} {one}"


@pytest.mark.parametrize("op", ["If", "Loop", "SequenceAt", "qingzhou:Linear", "ai.onnx.ml:ZipMap", "odd.domain:Conv"])
def test_what_is_no_tensor_or_none_of_these_is_not_known(op: str) -> None:
    assert Case(op, [f(1, 3, 4, 4)]).ours() is None


def sized(case: Case) -> Case:
    """With 2 in the place of each free size."""
    return replace(case, given=[_sized(g) if isinstance(g, Value) else g for g in case.given])


def _sized(value: Value) -> Value:
    return replace(value, shape=tuple(2 if isinstance(n, str) else n for n in value.shape))
