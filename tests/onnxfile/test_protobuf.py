"""What is written by hand is what onnx itself would write; and what is wrong with a model is found without onnx."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import ModelProto, helper

from qingzhou.errors import ModelError
from qingzhou.files import protobuf
from qingzhou.graph.record import Recorder
from qingzhou.onnxfile import verify
from qingzhou.onnxfile.emit import Emitted
from qingzhou.onnxfile.lowering import Lowering
from qingzhou.runtime.engine.session import open_session

ATTRIBUTES: dict[str, Any] = {
    "float": 0.1,
    "int": 3,
    "negative": -1,
    "large": 1 << 62,
    "no": 0,
    "yes": True,
    "text": "half_pixel",
    "ints": [1, -1, 1 << 40],
    "tuple": (2, 2),
    "floats": [0.5, 2.0],
}


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_a_node_is_as_onnx_writes_it(name: str) -> None:
    ours = onnx.NodeProto.FromString(protobuf.node("Op", ["a", "", "b"], ["c"], "Op:c", {name: ATTRIBUTES[name]}))
    assert ours == helper.make_node("Op", ["a", "", "b"], ["c"], name="Op:c", **{name: ATTRIBUTES[name]})


@pytest.mark.parametrize("shape", [(1, 3, 8, 8), (), ("batch", 10), (0, 1 << 20), ("高", "宽")])
def test_an_input_is_as_onnx_writes_it(shape: tuple[Any, ...]) -> None:
    ours = onnx.ValueInfoProto.FromString(protobuf.value_info("图", protobuf.INT64, shape))
    assert ours == helper.make_tensor_value_info("图", protobuf.INT64, shape)


def test_a_model_is_as_onnx_writes_it() -> None:
    ours = ModelProto.FromString(protobuf.model(17, 8, "qingzhou", "1.2") + protobuf.metadata({"键": "值", "b": ""}))
    wanted = helper.make_model(onnx.GraphProto(), opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    wanted.producer_name, wanted.producer_version = "qingzhou", "1.2"
    wanted.ClearField("graph")
    helper.set_model_props(wanted, {"键": "值", "b": ""})
    assert ours == wanted


def model() -> ModelProto:
    """A convolution and what follows it."""
    ends = [
        helper.make_tensor_value_info(*entry)
        for entry in (("x", 1, [1, 3, 8, 8]), ("w", 1, [4, 3, 3, 3]), ("b", 1, [4]), ("y", 1, [1, 4, 8, 8]))
    ]
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["y"]),
    ]
    graph = helper.make_graph(nodes, "net", ends[:3], ends[3:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


DAMAGES: dict[str, Callable[[Any], object]] = {
    "an unknown operator": lambda graph: setattr(graph.node[1], "op_type", "Reluu"),
    "one that came with a later opset": lambda graph: setattr(graph.node[1], "op_type", "Gelu"),
    "an unknown input": lambda graph: graph.node[1].input.__setitem__(0, "nothing"),
    "a missing input": lambda graph: graph.node[1].ClearField("input"),
    "an input too many": lambda graph: graph.node[1].input.append("c"),
    "two makers of a value": lambda graph: graph.node[1].output.__setitem__(0, "c"),
    "an unknown attribute": lambda graph: graph.node[0].attribute.append(helper.make_attribute("depth", 1)),
    "an attribute of another type": lambda graph: (
        graph.node[0].attribute[0].CopyFrom(helper.make_attribute("kernel_shape", 3.0))
    ),
    "a kernel of another size": lambda graph: graph.node[0].attribute[0].ints.__setitem__(0, 5),
    "a missing attribute": lambda graph: setattr(graph.node[1], "op_type", "Concat"),
    "an output of another height": lambda graph: setattr(side(graph.output[0], 2), "dim_value", 9),
    "an output of other channels": lambda graph: setattr(side(graph.output[0], 1), "dim_value", 5),
    "an output of another rank": lambda graph: graph.output[0].type.tensor_type.shape.dim.add(),
    "an output of another type": lambda graph: setattr(graph.output[0].type.tensor_type, "elem_type", 7),
    "a weight of another type": lambda graph: setattr(graph.input[1].type.tensor_type, "elem_type", 7),
}


def side(value: object, axis: int) -> Any:
    return value.type.tensor_type.shape.dim[axis]


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_onnxruntime_finds_what_onnxs_checker_finds(damage: Callable[[Any], object], tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx.save(model(), path)
    open_session(path, strict=True)
    broken = model()
    damage(broken.graph)
    onnx.save(broken, path)
    with pytest.raises(Exception):  # noqa: B017 - onnx has several
        onnx.checker.check_model(broken, full_check=True)
    with pytest.raises(ModelError):
        open_session(path, strict=True)


def test_a_broken_structure_is_found(tmp_path: Path) -> None:
    good = model()
    ends = good.graph.SerializeToString()
    good.ClearField("graph")
    verify.check_structure(Emitted((), good.SerializeToString(), ends, {}), tmp_path / "net.onnx")
    broken = model()
    broken.graph.node[1].op_type = "Reluu"
    with pytest.raises(onnx.checker.ValidationError):
        verify.check_structure(
            Emitted((), good.SerializeToString(), broken.graph.SerializeToString(), {}), tmp_path / "net.onnx"
        )


def test_a_newer_opset_than_onnxruntime_knows_is_left_to_onnx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_old(*args: object, **options: object) -> None:
        raise ModelError("This onnxruntime is too old.", "版本过旧。")

    good = model()
    inner = good.graph.SerializeToString()
    good.ClearField("graph")
    monkeypatch.setattr(verify, "open_session", too_old)
    verify.check_structure(Emitted((), good.SerializeToString(), inner, {}), tmp_path / "net.onnx")


def test_nodes_stand_in_order_and_make_what_is_new() -> None:
    net = Recorder()
    x = net.input("x", (1, 4))
    lowering = Lowering(net.freeze(net.act("relu", x)), 13)
    lowering.node("Relu", ["x"], ["y"])
    for inputs, outputs in ((["later"], ["z"]), (["x"], ["y"]), (["x"], ["x"])):
        with pytest.raises((AssertionError, KeyError)):
            lowering.node("Relu", inputs, outputs)
