"""No reader takes more steps than its bytes deserve. Steps are counted, never timed: calls, comparisons, keys, axes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from scaled import KINDS

from qingzhou.errors import LabelError, ModelError, QingzhouError, UnsafeCheckpoint
from qingzhou.evaluate.coco import _key
from qingzhou.files.keys import Keys
from qingzhou.files.limits import MOST_AXES, Limits, elements
from qingzhou.files.types import Opaque
from qingzhou.graph.infer import inferred
from qingzhou.graph.record import Recorder
from qingzhou.info import read_info
from qingzhou.labels import read_labels
from qingzhou.labels.text import parse
from qingzhou.nets.shapes import MOST_CHILDREN, agreed, children
from qingzhou.onnxfile.read import read_graph
from qingzhou.report.merge import MOST_DEVICES, MOST_LINES, merge, table_of_speeds
from qingzhou.report.read import BARE, read_report
from qingzhou.runtime.model import fields
from qingzhou.sources.openmmlab.config_text import MOST_TOKENS, Unreadable
from qingzhou.sources.openmmlab.config_text import parse as parse_config

SMALL, LARGE = 1 << 14, 1 << 15  # bytes
MOST_PER_BYTE = 45  # calls of functions, Python's and C's
ALWAYS = 60_000  # those that any reading takes: what is imported late, messages


# -- every kind of very many -----------------------------------------------------------------------------------------


def calls_of(path: Path) -> int:
    """How many functions reading a file calls; it ends in an answer or in one of our errors."""
    calls = 0

    def count(frame: object, event: str, arg: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        read_info(path)
    except QingzhouError:
        pass
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("kind", KINDS)
def test_twice_the_bytes_are_at_most_twice_the_work(kind: str, tmp_path: Path) -> None:
    found = []
    for size in (SMALL, SMALL, LARGE):  # the first fills caches
        name, data = KINDS[kind](size)
        (tmp_path / name).write_bytes(data)
        found.append(calls_of(tmp_path / name))
        assert found[-1] <= ALWAYS + MOST_PER_BYTE * max(size, len(data))
    assert found[2] <= 2.2 * found[1] + ALWAYS


# -- keys ------------------------------------------------------------------------------------------------------------


class Meets(int):
    """A number whose hash is that of all others, and that counts with how many it is compared."""

    compared = 0

    def __hash__(self) -> int:
        return 7

    def __eq__(self, other: object) -> bool:
        Meets.compared += 1
        return int(self) == int(other)  # type: ignore[call-overload]


@pytest.mark.parametrize("put", ["update", "set_of"])
def test_keys_that_all_meet_are_stopped_by_their_number(put: str) -> None:
    keys, Meets.compared = Keys(Limits(key_steps=10_000)), 0
    numbers = [Meets(n) for n in range(1000, 3000)]
    with pytest.raises(UnsafeCheckpoint, match="numbers as keys"):
        keys.set_of(numbers) if put == "set_of" else keys.update({}, [(number, None) for number in numbers])
    assert 0 < Meets.compared <= 20_000  # a set may look twice


FREE = {
    "numbers in order": range(200_000),
    "counted from 1": range(1, 200_000),
    "texts": [f"{i:x}" for i in range(100_000)],
    "texts in tuples": [(f"{i:x}", "a") for i in range(20_000)],
    "bytes": [b"%d" % i for i in range(20_000)],
    "records": [Opaque("a") for _ in range(20_000)],
    "some numbers": [7 * i * i for i in range(2, 5000)],
    "some pairs": [(i, i) for i in range(1000)],
    "some fractions": [i + 0.5 for i in range(5000)],
}
REFUSED: dict[str, list[Any]] = {
    "numbers": [7 * i for i in range(2, 6000)],
    "backwards": list(range(20_000, 0, -1)),
    "below zero": list(range(-6000, 0)),
    "fractions": [i + 0.5 for i in range(6000)],
    "pairs": [(i, i) for i in range(2000)],
    "a number beside a text": [("a", i) for i in range(2000)],
    "long tuples": [(i,) * 60 for i in range(400)],
}


@pytest.mark.parametrize("what", FREE)
def test_keys_that_cannot_meet_or_are_few_are_free(what: str) -> None:
    assert len(Keys(Limits()).set_of(FREE[what])) == len(FREE[what])


@pytest.mark.parametrize("what", REFUSED)
def test_too_many_keys_that_could_meet(what: str) -> None:
    with pytest.raises(UnsafeCheckpoint):
        Keys(Limits()).set_of(REFUSED[what])


def test_numbers_in_order_are_not_made_free_by_others_that_stand_twice() -> None:
    """What may be in order is told by how many are there, not by how many were put."""
    keys = Keys(Limits())
    keys.set_of([*[0] * 1000, 900])
    assert keys.steps == 1


def test_the_keys_of_all_containers_count_together() -> None:
    keys = Keys(Limits(key_steps=1000))
    with pytest.raises(UnsafeCheckpoint):
        for _ in range(10):
            keys.set_of([10 * i for i in range(2, 30)])


# -- products and axes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "product"),
    [
        ((), 1),
        ((2, 3), 6),
        ((0, 5), 0),
        ((1 << 61, 2), 1 << 62),
        ((1 << 61, 3), None),
        ((-1,), None),
        ((1,) * MOST_AXES, 1),
        ((1,) * (MOST_AXES + 1), None),
    ],
)
def test_a_product_is_bounded(shape: tuple[int, ...], product: int | None) -> None:
    assert elements(shape) == product


def test_a_product_ends_where_it_is_too_large() -> None:
    """The rest is not even looked at."""
    sizes = iter([1 << 40, 1 << 40, *[2] * 1000])
    assert elements(sizes) is None and len(list(sizes)) == 1000


def node(kind: str, inputs: list[str], output: str, **attributes: object) -> onnx.NodeProto:
    return helper.make_node(kind, inputs, [output], **attributes)


def model(*nodes: onnx.NodeProto, x: tuple[int, ...] = (2, 2), kind: int = TensorProto.FLOAT) -> onnx.ModelProto:
    """One input x, one output y, constants "vector" of 40 numbers and "pair" of two."""
    ends = [helper.make_tensor_value_info("x", kind, x)], [helper.make_tensor_value_info("y", 1, None)]
    held = [numpy_helper.from_array(np.ones(n, np.int64), name) for name, n in (("vector", 40), ("pair", 2))]
    return helper.make_model(helper.make_graph(list(nodes), "g", *ends, held))


def doubled(kind: str, times: int, **attributes: object) -> list[onnx.NodeProto]:
    """Each reads the one before twice."""
    return [node(kind, [f"{i}" if i else "x"] * 2, f"{i + 1}", **attributes) for i in range(times)]


def inside(*nodes: onnx.NodeProto) -> onnx.NodeProto:
    """Nodes in both branches of an If."""
    graph = helper.make_graph(list(nodes), "g", [], [helper.make_tensor_value_info("y", 1, None)])
    return node("If", ["x"], "z", then_branch=graph, else_branch=graph)


UNBOUNDED: dict[str, Callable[[], onnx.ModelProto]] = {
    "many axes": lambda: model(node("Relu", ["x"], "y"), x=(1,) * 33),
    "a shape of many": lambda: model(node("Reshape", ["x", "vector"], "y")),
    "expanded to many": lambda: model(node("Expand", ["x", "vector"], "y")),
    "filled": lambda: model(node("ConstantOfShape", ["vector"], "y")),
    "inserted": lambda: model(node("Unsqueeze", ["x", "vector"], "y")),
    "inserted by an attribute": lambda: model(node("Unsqueeze", ["x"], "y", axes=[0] * 40)),
    "a shape that is an input": lambda: model(node("ConstantOfShape", ["x"], "y"), x=(40,), kind=TensorProto.INT64),
    "a shape that is computed": lambda: model(node("Flatten", ["x"], "f"), node("ConstantOfShape", ["f"], "y")),
    "a shape put together": lambda: model(
        node("Concat", ["vector", "pair"], "c", axis=0), node("Reshape", ["x", "c"], "y")
    ),
    "random": lambda: model(node("RandomNormal", [], "y", shape=[1] * 40)),
    "gathered": lambda: model(*doubled("Gather", 5)),
    "lists that double": lambda: model(*doubled("Concat", 6, axis=0), x=(40,)),
    "inside": lambda: model(inside(node("Reshape", ["x", "vector"], "y"))),
    "an operator of tomorrow": lambda: model(node("Tomorrow", ["x"], "y")),
}
BOUNDED: dict[str, Callable[[], onnx.ModelProto]] = {
    "elementwise": lambda: model(*doubled("Add", 50)),
    "reshaped": lambda: model(*[node("Reshape", [f"{i}" if i else "x", "pair"], f"{i + 1}") for i in range(50)]),
    "a computed shape": lambda: model(
        node("Shape", ["x"], "s"),
        node("Gather", ["s", "pair"], "g"),
        node("Concat", ["g", "pair"], "c", axis=0),
        node("Reshape", ["x", "c"], "y"),
    ),
    "joined": lambda: model(*doubled("Concat", 20, axis=1)),
    "of another domain": lambda: model(helper.make_node("Fused", ["x"], ["y"], domain="com.microsoft")),
    "inside": lambda: model(inside(node("Relu", ["x"], "y"))),
}


@pytest.mark.parametrize("what", [*UNBOUNDED, *BOUNDED])
def test_what_might_grow_does_not(what: str, tmp_path: Path) -> None:
    """A value has so many axes, or nothing is known of it."""
    proto = (UNBOUNDED | BOUNDED)[what]()
    (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
    found = read_info(tmp_path / "m.onnx")
    assert found.macs == 0 and {part.kind for part in found.parts} <= {node.op_type for node in proto.graph.node}
    try:
        values = inferred(read_graph(tmp_path / "m.onnx")).values
    except ModelError as err:
        assert err.en != err.zh
        return
    assert all(len(value.shape) <= MOST_AXES for value in values.values())


# -- names, numbers, names of names -----------------------------------------------------------------------------------


def test_blocks_are_counted_as_far_as_networks_have_them() -> None:
    shapes = {f"a.{i}.w": (i + 1,) for i in range(3 * MOST_CHILDREN)} | {f"a.{'9' * 5000}.w": (1,)}
    assert children(shapes, "a.") == list(range(MOST_CHILDREN))


def test_the_size_that_most_have() -> None:
    shapes = {"a": (3,), "b": (2,), "c": (2,), "d": (3,)}
    assert agreed(shapes, *((key, 0) for key in "abcdx")) == 3  # the first of equals


def test_layers_of_one_name_are_numbered_on() -> None:
    net = Recorder()
    x = net.input("x", (1, 2))
    names = [net.act("relu", x, "same").name for _ in range(4)]
    assert names == ["same.relu", "same.relu_2", "same.relu_3", "same.relu_4"]


class Counted(dict):  # type: ignore[type-arg]
    """A dict that counts how often it is asked."""

    asked = 0

    def __contains__(self, key: object) -> bool:
        Counted.asked += 1
        return super().__contains__(key)


def test_the_next_free_name_is_not_searched_for_from_the_start() -> None:
    net = Recorder()
    x, net.values, Counted.asked = net.input("x", (1, 2)), Counted(net.values), 0
    for _ in range(500):
        net.act("relu", x, "same")
    assert Counted.asked <= 1500


def test_names_in_names_in_names() -> None:
    value: Any = ["cat", "dog"]
    for _ in range(30):
        value = {"classes": value, "names": value}
    assert read_labels({"classes": {"names": ["cat", "dog"]}}).names == ("cat", "dog")
    assert read_labels(value).names == ()


def test_more_names_than_any_network_has_classes() -> None:
    with pytest.raises(LabelError, match="at most 65536"):
        read_labels(["a"] * 65_537)


def test_numbers_far_apart_are_no_classes() -> None:
    with pytest.raises(LabelError, match="missing: 1, 2"):
        read_labels({f"{i}": i << 40 for i in range(4)})


TEXTS: dict[str, tuple[str, object]] = {
    "blank lines": ("a" + "\n" * 30_000 + "b", ["a", "b"]),
    "items without an end": ("item {\n" * 20_000, ["item {"] * 20_000),
    "an item": (
        "item {\n id: 1\n name: 'cat' }\nitem { id: 2 name: 'dog' }",
        [{"id": "1", "name": "cat"}, {"id": "2", "name": "dog"}],
    ),
    "a long word in an item": ("item {" + "a" * 50_000 + "}", [{}]),
    "blanks before a number": ("cat" + " " * 900 + "x\ndog 1", ["cat" + " " * 900 + "x", "dog 1"]),
    "numbers behind": ("cat: 0\ndog:\t1", {"cat": 0, "dog": 1}),
    "numbers in quotes": ('cat "0"\ndog "1"', {"cat": 0, "dog": 1}),
    "long numbers behind": ("cat 1234567\ndog 1", ["cat 1234567", "dog 1"]),
    "a number with nothing between": ("cat0\ndog1", ["cat0", "dog1"]),
    "quotes in YAML": ("names: [" + "'" * 30_001 + "]", None),
    "escaped quotes in YAML": ('names: ["' + '\\"' * 20_000 + "]", None),
    "doubled quotes in YAML": ("names: ['it''s', 'a, b']", ["it's", "a, b"]),
    "a comment behind quotes": ("names: ['a # b', c] # d", ["a # b", "c"]),
    "blanks in YAML": ("names:\n  0: a" + " " * 30_000 + "b\n", {"0": "a" + " " * 30_000 + "b"}),
    "blanks before a colon": ("names:\n  a" + " " * 20_000 + "b: 0\n", {"a" + " " * 20_000 + "b": "0"}),
    "a rule and blank lines in YAML": ("nc: 1\n---" + "\n" * 20_000 + "x", None),
}


@pytest.mark.parametrize("what", TEXTS)
def test_texts_are_read_in_one_go(what: str) -> None:
    text, expected = TEXTS[what]
    try:
        found = parse(text)
    except LabelError:
        found = None
    assert expected is None or found == expected


@pytest.mark.parametrize(
    "text",
    [
        "{" + ", ".join(f"{7 * i}.5: 'a'" for i in range(9000)) + "}",
        "{" + ", ".join(f"({i}, {i}): 'a'" for i in range(10)) + "}",
        "[" + "9" * 30 + "]" + "'",
    ],
)
def test_literals_with_such_keys_are_refused(text: str) -> None:
    with pytest.raises(LabelError, match="no complete"):
        parse(text)


# -- other readers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, 1.0, True),
        (1, "1", False),
        (1, True, True),
        (0.5, 0.5, True),
        (None, "None", False),
        ("a", "a", True),
        (float("inf"), 1, False),
        (2**70, 2**70, True),
    ],
)
def test_ids_of_pictures_become_texts(one: object, other: object, same: bool) -> None:
    assert (_key(one) == _key(other)) is same and type(_key(one)) is str


@pytest.mark.parametrize("number", [[], {}, [1]])
def test_what_is_no_id(number: object) -> None:
    with pytest.raises(TypeError):
        _key(number)


def test_whole_numbers_have_a_sensible_length(tmp_path: Path) -> None:
    assert fields.loads("[1234567890123456789012345]") == [1234567890123456789012345]
    with pytest.raises(ValueError, match="26 digits"):
        fields.loads("[" + "9" * 26 + "]")
    (tmp_path / "r.json").write_text('{"pairs": [], "machine": {}, "rows": [{"memory_bytes": %s}]}' % ("9" * 400))
    assert read_report(tmp_path / "r.json")[1][0].reason


def test_the_table_of_speeds_is_cut() -> None:
    """A thousand models on a thousand devices would be a million cells."""
    import dataclasses

    rows = [dataclasses.replace(BARE, model=f"m{i:04}", network="", device=f"d{i:04}", fps=1.0) for i in range(1200)]
    devices, lines = table_of_speeds(merge(rows))
    assert len(devices) == MOST_DEVICES and len(lines) == MOST_LINES
    assert [line[2][i] is not None for i, line in enumerate(lines[:MOST_DEVICES])] == [True] * MOST_DEVICES


def test_the_words_of_a_config_are_counted() -> None:
    line = "a = [" + "1, " * 1000 + "]\n"
    assert parse_config(line * (MOST_TOKENS // 2100))
    with pytest.raises(Unreadable):
        parse_config(line * (MOST_TOKENS // 1900))


def test_a_table_of_contents_of_a_million_axes(tmp_path: Path) -> None:
    """Refused by their number, before any product."""
    head = json.dumps({"a": {"dtype": "F32", "shape": [2] * 100_000, "data_offsets": [0, 4]}}).encode()
    (tmp_path / "x.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + bytes(4))
    with pytest.raises(UnsafeCheckpoint, match="impossible shape"):
        read_info(tmp_path / "x.safetensors")
