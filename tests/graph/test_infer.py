"""Shapes of whole networks: what is computed from shapes, free sizes, and what is not known."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from chains import CHAINS, ONE, ZERO, network
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_cases import f, held, model_of, n, run, s, t

from qingzhou.errors import ModelError
from qingzhou.graph import infer as module
from qingzhou.graph import shapes
from qingzhou.graph.form import BLOCK, Array, Constant, Graph, Node, Value
from qingzhou.graph.infer import inferred
from qingzhou.graph.shapes import RULES


@pytest.mark.parametrize("name", CHAINS)
def test_numbers_that_shapes_are_made_of(name: str) -> None:
    text, x, constants, expected = CHAINS[name]
    assert inferred(network(text, x, **constants)).outputs[0].shape == expected


@pytest.mark.parametrize("name", [name for name in CHAINS if "not known" not in name])
def test_with_sizes_fixed_as_onnxruntime_computes(name: str) -> None:
    text, x, constants, _ = CHAINS[name]
    made = inferred(network(text, x, **constants), {"n": 2, "t": 5})
    names = [output for node in made.nodes for output in node.outputs]
    ours = [(made.values[output].shape, made.values[output].dtype) for output in names]
    assert dict(zip(names, ours, strict=True)) == dict(
        zip(names, run(model_of(made), {"x": made.inputs[0]}), strict=True)
    )


def test_what_has_no_rule_keeps_what_is_stated() -> None:
    text = f"""a = {BLOCK}:Linear x
    b = Relu a
    c = test.domain:Odd b
    d = Relu c"""
    graph = network(text, f("n", 4))
    stated = {**graph.values, "a": Value("a", ("n", 8))}
    found = inferred(replace(graph, values=stated, outputs=(Value("d", ("n", 2)),)))
    assert (found.values["b"].shape, found.values.get("c"), found.outputs) == (("n", 8), None, (Value("d", ("n", 2)),))
    assert inferred(replace(graph, values=stated), {"n": 3}).values["b"].shape == (3, 8)


def test_what_is_inferred_goes_before_what_is_stated() -> None:
    graph = network("a = NonZero x\nb = Relu x", f("n", 4))
    stated = {**graph.values, "a": Value("a", (2, "found"), "int64"), "b": Value("b", (1, 4))}
    found = inferred(replace(graph, values=stated)).values
    assert found["a"].shape == (2, "found") and found["b"].shape == ("n", 4)


def test_a_size_below_0_is_not_known() -> None:
    found = inferred(network("y = Conv x w", f(-1, 3, 8, -1), w=np.ones((4, 3, 3, 3), np.float32)))
    assert found.inputs[0].shape == ("?", 3, 8, "?") and found.outputs[0].shape == ("?", 4, 6, "?")


def test_an_optional_input_counts_as_what_it_is() -> None:
    graph = network("y = Reshape x wish", f(2, 6), wish=n(3, 4))
    inputs = (*graph.inputs, Value("wish", (2,), "int64"))
    assert inferred(replace(graph, inputs=inputs, optional=frozenset({"wish"}))).outputs[0].shape == (3, 4)


# -- budgets ---------------------------------------------------------------------------------------------------------


def never() -> Array:
    raise AssertionError("loaded")


@pytest.mark.parametrize(("op", "shape"), [("Reshape", (4097,)), ("Add", (64, 65)), ("Concat", (4097,))])
def test_large_constants_are_not_loaded(op: str, shape: tuple[int, ...]) -> None:
    inferred(network(f"y = {op} a a -- axis=0", f(1), a=Constant(shape, "int64", never)))


def test_weights_are_not_loaded() -> None:
    weights = {"w": Constant((8, 3, 3, 3), "float32", never), "b": Constant((8,), "float32", never)}
    text = """a = Conv x w b -- pads=1,1,1,1
    c = BatchNormalization a b b b b
    y = Mul c b"""
    assert inferred(network(text, f("n", 3, 4, 8), **weights)).outputs[0].shape == ("n", 8, 4, 8)


@pytest.mark.parametrize(
    "text",
    [
        "a = ConstantOfShape many\nb = Cast a -- to=7\ny = ConstantOfShape b",
        "a = Expand one many\ny = ConstantOfShape a",
        "a = Tile one many\ny = ConstantOfShape a",
        "a = Range zero big step\ny = ConstantOfShape a",
    ],
)
def test_large_arrays_are_not_computed(text: str) -> None:
    text += "\nz = Relu x"
    made = network(text, f(1), many=n(4097), one=ONE, zero=np.int64(0), big=np.int64(2**62), step=np.int64(1))
    assert "y" not in inferred(made).values


def test_only_so_many_numbers_are_computed_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = 0

    def counting(*given: object) -> Any:
        nonlocal counted
        arrays = propagate(*given)
        counted += sum(array.size for array in arrays or [])
        return arrays

    propagate = module.propagate
    monkeypatch.setattr(module, "propagate", counting)
    monkeypatch.setattr(module, "MOST", 10_000)
    inferred(network("\n".join(f"y{k} = Neg x0" for k in range(50)), f(1), x0=np.zeros(4096, np.int64)))
    assert 10_000 <= counted <= 10_000 + 4096


@pytest.mark.parametrize("dims", [(2**62,), (2**40, 2**40), (0, 2**63 - 1)])
def test_sizes_beyond_all_memory_are_only_numbers(dims: tuple[int, ...]) -> None:
    text = """a = Flatten x -- axis=0
    b = Concat x x x -- axis=0
    c = Reshape x minus
    d = Size x
    y = Shape b"""
    sizes = {
        n for value in inferred(network(text, t("int64", *dims), minus=n(-1))).values.values() for n in value.shape
    }
    assert all(isinstance(n, str) or 0 <= n < 2**63 for n in sizes)


# -- contradictions --------------------------------------------------------------------------------------------------

WRONG = {
    "y = Add x w": ("(2, 3), (2, 4) do not go together", "不能一起广播"),
    "y = MatMul x w": ("3 and 2", "内侧尺寸不同：3 和 2"),
    "y = Conv x w": ("a weight of (2, 4) for an input of (2, 3)", "权重的形状是 (2, 4)"),
    "y = Concat x w -- axis=0": ("3 and 4", "拼接的形状不同：3 和 4"),
    "y = Concat x w -- axis=2": ("axis 2 is none of 2 dimensions", "第 2 轴不存在"),
    "y = Reshape x four": ("(2, 3) cannot become (4,)", "(2, 3) 不能变成 (4,)"),
    "y = Transpose x -- perm=0,0": ("perm (0, 0)", "perm (0, 0)"),
    "y = Squeeze x one": ("3 and 1", "尺寸不是 1：3 和 1"),
    "y z = Split x -- axis=1": ("3 cannot be split into 2", "3 不能平均分成 2 段"),
    "y = Tile x four": ("1 repeats for (2, 3)", "需要 2 个重复数"),
    "y = Relu -": ("its input 0 is missing", "缺少第 0 个输入"),
    "y = MaxPool x": ("it has no kernel_shape", "缺少 kernel_shape"),
    "y = DepthToSpace x -- blocksize=2": ("where 4 dimensions are needed", "需要 4 维"),
    "y = Cast x -- to=99": ("its attribute to is 99", "属性 to 是 99"),
    "s = Shape x\ny = Gather s four": ("it takes number 4 of 2", "要从 2 个数中取第 4 个"),
    "y = Pad x minus": ("its result would be of (-4, 3)", "结果的形状会是 (-4, 3)"),
    "y = Slice x one one one zero": ("a step of 0", "步长为 0"),
}


@pytest.mark.parametrize("text", WRONG)
def test_inputs_that_contradict_the_operator(text: str) -> None:
    made = network(text, f(2, 3), w=np.ones((2, 4), np.float32), four=n(4), one=ONE, zero=ZERO, minus=n(-6, 0, 0, 0))
    with pytest.raises(ModelError) as caught:
        inferred(made)
    en, zh = WRONG[text]
    assert en in caught.value.en and zh in caught.value.zh
    assert "(y" in caught.value.en and "export it again" in caught.value.en and "请重新导出" in caught.value.zh


ODD: Any = st.one_of(
    st.integers(-3, 9),
    st.text(max_size=2),
    st.floats(),
    st.tuples(),
    st.tuples(st.integers(-2, 5), st.integers(-2, 2**63)),
    st.lists(st.integers(0, 3), max_size=5).map(tuple),
    st.just(held(np.ones(2, np.float32))),
    st.just(("a", "b")),
)
NAMES = [
    "axis", "axes", "pads", "strides", "dilations", "kernel_shape", "group", "to", "perm", "equation", "split", "start",
    "end", "value", "value_int", "value_ints", "value_float", "blocksize", "keepdims", "hidden_size", "layout",
    "scales",
    "output_shape", "output_padding", "auto_pad", "starts", "ends", "sizes", "k", "dtype", "num_outputs", "batch_dims",
    "keep_aspect_ratio_policy", "shape", "classlabels_int64s", "values_tensor", "inputdimensions", "stash_type",
]  # fmt: skip
ODD_SHAPES = st.lists(st.sampled_from([0, 1, 2, 3, 5, 2**40, 2**63 - 1, "n", "?"]), max_size=5).map(tuple)
ODD_NUMBERS = st.sampled_from(
    [
        n(),
        n(0),
        n(-1),
        n(2, 2**62),
        n(-(2**63)),
        n(5, 6, 7, 8),
        s(float("nan"), 1),
        s(float("inf"), -1, 0, 1),
        n(1, 1, 1),
        np.array(2),
        np.array(["n", 2], object),
        np.array(["?"], object),
        np.array(3.5, np.float32),
        np.array([[True, False]]),
    ]
)


@pytest.mark.parametrize("group", range(4))
def test_whatever_a_file_says_is_refused_in_words(group: int) -> None:
    """Never another error, and never a shape that cannot be."""
    rules = sorted(RULES)[group::4]

    @settings(max_examples=250, derandomize=True, database=None, deadline=None)
    @given(st.data())
    def holds(data: Any) -> None:
        domain, op = data.draw(st.sampled_from(rules))
        given = data.draw(st.lists(st.one_of(st.none(), ODD_SHAPES, ODD_NUMBERS), max_size=6))
        attrs = data.draw(st.dictionaries(st.sampled_from(NAMES), ODD, max_size=3))
        graph = odd_network(domain, op, given, attrs)
        try:
            found = inferred(graph).values
        except ModelError:
            return
        assert all(isinstance(n, str) or 0 <= n < 2**63 for value in found.values() for n in value.shape)

    holds()


def odd_network(domain: str, op: str, given: list[Any], attrs: dict[str, Any]) -> Graph:
    """One node of these, with its numbers as constants; names among the numbers come from a Shape."""
    values, constants, nodes, names = {}, {}, [], []
    for k, one in enumerate(given):
        names.append("" if one is None else f"x{k}")
        if isinstance(one, np.ndarray) and one.dtype == object:
            values[f"v{k}"] = Value(f"v{k}", tuple(one))
            nodes.append(Node("Shape", (f"v{k}",), (f"x{k}",)))
        elif isinstance(one, np.ndarray):
            constants[f"x{k}"] = held(one)
        elif one is not None:
            values[f"x{k}"] = Value(f"x{k}", one)
    nodes.append(Node(op, tuple(names), ("y", "z", "w"), attrs, domain))
    return Graph(tuple(values.values()), (), tuple(nodes), values, constants)


# -- the room --------------------------------------------------------------------------------------------------------


def test_neither_onnx_nor_onnxruntime_is_imported() -> None:
    code = "import sys, qingzhou.graph.infer; print(sorted({'onnx', 'onnxruntime'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_each_node_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network of n nodes costs n rules, whatever reads what."""
    asked = 0

    def counting(call: Any) -> Any:
        nonlocal asked
        asked += 1
        return shapes.answer(call)

    monkeypatch.setattr(module, "answer", counting)
    text = "a0 = Relu x\n" + "\n".join(f"a{k + 1} = Add a{k} a{k}" for k in range(100))
    assert math.prod(inferred(network(text, f(2, 3))).outputs[0].shape) == 6 and asked == 101  # type: ignore[arg-type]
