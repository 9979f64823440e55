"""Small .onnx files in the manner of other tools' exporters: their names, versions, metadata and habits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT
PERSON = "/home/zhang_san/secret/train.py"


def array(seed: int, *shape: int, scale: float = 0.3) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)


def layers(x: str, out: str, classes: int = 3, channels: int = 3) -> tuple[list, list]:
    """Conv, Relu, mean, Gemm: (N, channels, h, w) -> (N, classes)."""
    w1, w2, w3 = (
        array(seed, *shape, scale=0.05) for seed, shape in enumerate([(8, channels, 3, 3), (8, 8, 3, 3), (classes, 8)])
    )
    for k in range(8):  # the class is the strongest colour
        w1[k, k % channels, 1, 1] += 1
        w2[k, k, 1, 1] += 1
        w3[k % channels % classes, k] += 1
    weights = {"w1": w1, "w2": w2, "w3": w3, "b3": array(3, classes, scale=0.01)}
    nodes = [
        helper.make_node("Conv", [x, "w1"], ["c1"], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c2"], ["r2"]),
        helper.make_node("GlobalAveragePool", ["r2"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "w3", "b3"], [out], transB=1),
    ]
    return nodes, [numpy_helper.from_array(one, name) for name, one in weights.items()]


def value(name: str, shape: Sequence[object] | None, kind: int = FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def model(
    nodes: Sequence,
    inputs: Sequence,
    outputs: Sequence,
    weights: Sequence = (),
    *,
    opset: int = 17,
    ir: int = 8,
    producer: str = "pytorch",
    metadata: Mapping[str, str] | None = None,
    domains: Mapping[str, int] | None = None,
) -> ModelProto:
    graph = helper.make_graph(list(nodes), "main_graph", list(inputs), list(outputs), list(weights))
    sets = [helper.make_opsetid("", opset), *(helper.make_opsetid(*one) for one in (domains or {}).items())]
    made = helper.make_model(graph, opset_imports=sets, ir_version=ir, producer_name=producer)
    helper.set_model_props(made, dict(metadata or {}))
    return made


def kept(path: Path, made: ModelProto) -> Path:
    path.write_bytes(made.SerializeToString())
    return path


def torch_classifier(path: Path, shape: Sequence[object] = (1, 3, 32, 32), **versions: int) -> Path:
    nodes, weights = layers("x", "y")
    return kept(path, model(nodes, [value("x", shape)], [value("y", [shape[0], 3])], weights, **versions))


def torch_default(path: Path, name: str = "", inside: bool = False) -> Path:
    """torch.onnx.export() of 2.13: opset 20, IR 10, weights in another file, stack traces at every node."""
    nodes, weights = layers("x", "y")
    for node in nodes:
        for key, text in (
            ("pkg.torch.onnx.stack_trace", f'File "{PERSON}", line 8, in forward\n    return self.net(x)'),
            ("pkg.torch.onnx.name_scopes", "['', 'net']"),
        ):
            entry = node.metadata_props.add()
            entry.key, entry.value = key, text
    made = model(nodes, [value("x", [1, 3, 32, 32])], [value("y", [1, 3])], weights, opset=20, ir=10)
    if inside:
        return kept(path, made)
    name = name or f"{path.name}.data"
    data = b""
    for tensor in made.graph.initializer:
        raw = tensor.raw_data
        del tensor.external_data[:]
        for key, text in (("location", name), ("offset", str(len(data))), ("length", str(len(raw)))):
            tensor.external_data.add(key=key, value=text)
        tensor.data_location = TensorProto.EXTERNAL
        tensor.ClearField("raw_data")
        data += raw
    if "/" not in name and "\\" not in name:
        path.with_name(name).write_bytes(data)
    return kept(path, made)


def tensorflow(path: Path, scaled: bool = False) -> Path:
    """tf2onnx: channels last, a Transpose first, names with : and /, softmax last; a Rescaling layer if `scaled`."""
    nodes, weights = layers("model/conv__6:0", "model/dense/BiasAdd:0")
    first = "input_1:0"
    if scaled:
        nodes.insert(0, helper.make_node("Mul", ["input_1:0", "scale"], ["model/rescaling/mul:0"]))
        weights.append(numpy_helper.from_array(np.array(1 / 255, np.float32), "scale"))
        first = "model/rescaling/mul:0"
    turned = helper.make_node("Transpose", [first], ["model/conv__6:0"], perm=[0, 3, 1, 2])
    end = helper.make_node("Softmax", ["model/dense/BiasAdd:0"], ["Identity:0"], axis=-1)
    put = [*nodes[: int(scaled)], turned, *nodes[int(scaled) :], end]
    shapes = [value("input_1:0", ["unk__1", 32, 32, 3])], [value("Identity:0", ["unk__2", 3])]
    return kept(path, model(put, *shapes, weights, opset=15, producer="tf2onnx", domains={"ai.onnx.ml": 2}))


def paddle(path: Path) -> Path:
    """Paddle2ONNX: weights are Constant nodes, sizes -1, labels as `character`."""
    nodes, weights = layers("x", "linear_0.tmp_1")
    constants = [helper.make_node("Constant", [], [one.name], value=one) for one in weights]
    end = helper.make_node("Softmax", ["linear_0.tmp_1"], ["softmax_0.tmp_0"], axis=1)
    metadata = {"character": "0\n90\n180"}
    sizes = [value("x", ["p2o.DynamicDimension.0", 3, 32, 32])], [value("softmax_0.tmp_0", [-1, 3])]
    return kept(path, model([*constants, *nodes, end], *sizes, opset=11, ir=7, producer="", metadata=metadata))


def caffe2(path: Path) -> Path:
    """IR 3: weights among the inputs; one made by ConstantOfShape."""
    nodes, weights = layers("data_0", "prob_1")
    shape = numpy_helper.from_array(np.array([3], np.int64), "shape_of_b3")
    same = helper.make_tensor("value", FLOAT, [1], [0.05])
    made = helper.make_node("ConstantOfShape", ["shape_of_b3"], ["b3"], value=same)
    weights = [*weights[:-1], shape]
    inputs = [value("data_0", [1, 3, 32, 32])]
    inputs += [value(one.name, list(one.dims), one.data_type) for one in weights]
    return kept(
        path, model([made, *nodes], inputs, [value("prob_1", [1, 3])], weights, opset=9, ir=3, producer="onnx-caffe2")
    )


def kept_as_inputs(path: Path) -> Path:
    """torch.onnx.export(keep_initializers_as_inputs=True): all weights are inputs too, which need not be fed."""
    made = onnx.load(torch_classifier(path, opset=11, ir=6))
    made.graph.input.extend(value(one.name, list(one.dims), one.data_type) for one in made.graph.initializer)
    return kept(path, made)


def reckoning(path: Path, batch: object = "batch") -> Path:
    """x.chunk(2, 1) and x.view(x.size(0), -1) by torch: sizes are taken from shapes while it runs; an Identity last."""
    numbers = {"zero": 0, "first": [0], "rest": [-1], "half": [2, 2]}
    weights = [numpy_helper.from_array(np.array(one, np.int64), name) for name, one in numbers.items()]
    shapes = {"w": (4, 3, 3, 3), "v": (2 * 8 * 8 * 2, 5)}
    weights += [numpy_helper.from_array(array(i, *one), name) for i, (name, one) in enumerate(shapes.items())]
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Split", ["c", "half"], ["left", "right"], axis=1),
        helper.make_node("Relu", ["right"], ["positive"]),
        helper.make_node("Concat", ["left", "positive"], ["both"], axis=1),
        helper.make_node("Shape", ["both"], ["sizes"]),
        helper.make_node("Gather", ["sizes", "zero"], ["count"]),
        helper.make_node("Unsqueeze", ["count", "first"], ["row"]),
        helper.make_node("Concat", ["row", "rest"], ["wanted"], axis=0),
        helper.make_node("Reshape", ["both", "wanted"], ["flat"]),
        helper.make_node("MatMul", ["flat", "v"], ["scores"]),
        helper.make_node("Identity", ["scores"], ["y"]),
    ]
    return kept(path, model(nodes, [value("x", [batch, 3, 16, 16])], [value("y", [batch, 5])], weights, opset=13))


def half(path: Path) -> Path:
    """torch's .half(): float16 all through."""
    nodes, weights = layers("x", "y")
    narrow = [numpy_helper.from_array(numpy_helper.to_array(one).astype(np.float16), one.name) for one in weights]
    kinds = [value("x", [1, 3, 32, 32], TensorProto.FLOAT16)], [value("y", [1, 3], TensorProto.FLOAT16)]
    return kept(path, model(nodes, *kinds, narrow))


def state(path: Path) -> Path:
    """silero-vad: an If, an int64 without axes, a state that comes back."""
    weight = numpy_helper.from_array(array(5, 8), "w")

    def branch(name: str, factor: float) -> onnx.GraphProto:
        inner = numpy_helper.from_array(array(6, 8, 8) * np.float32(factor), f"{name}_w")
        return helper.make_graph(
            [helper.make_node("MatMul", ["state", f"{name}_w"], [f"{name}_out"])],
            name,
            [],
            [value(f"{name}_out", None)],
            [inner],
        )

    nodes = [
        helper.make_node("Equal", ["sr", "rate"], ["fast"]),
        helper.make_node("If", ["fast"], ["stateN"], then_branch=branch("one", 1.0), else_branch=branch("two", 2.0)),
        helper.make_node("Mul", ["input", "w"], ["mixed"]),
        helper.make_node("ReduceSum", ["mixed"], ["output"]),
    ]
    rate = numpy_helper.from_array(np.array(16000, np.int64), "rate")
    inputs = [value("input", ["batch", 8]), value("state", [2, "batch", 8]), value("sr", [], TensorProto.INT64)]
    return kept(
        path,
        model(nodes, inputs, [value("output", None), value("stateN", [2, None, 8])], [weight, rate], producer="spox"),
    )


def scikit(path: Path, zipmap: bool = True, texts: bool = False, ir: int = 10) -> Path:
    """skl2onnx's logistic regression: ai.onnx.ml alone, labels in the classifier, a sequence of maps at the end."""
    names = ["setosa", "versicolor", "virginica"]
    classifier = helper.make_node(
        "LinearClassifier", ["X"], ["label", "scores"], domain="ai.onnx.ml", classlabels_strings=names,
        coefficients=array(7, 12).tolist(), intercepts=[0.1, 0.0, -0.1], multi_class=1, post_transform="SOFTMAX",
    )  # fmt: skip
    nodes, outputs = [classifier], [value("label", [None], TensorProto.STRING)]
    if zipmap:
        nodes.append(
            helper.make_node(
                "ZipMap", ["scores"], ["output_probability"], domain="ai.onnx.ml", classlabels_strings=names
            )
        )
        kind = helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(FLOAT, []))
        outputs.append(helper.make_value_info("output_probability", helper.make_sequence_type_proto(kind)))
    else:
        outputs.append(value("scores", [None, 3]))
    made = model(
        nodes, [value("X", [None, 4])], outputs, producer="skl2onnx", opset=13, ir=ir, domains={"ai.onnx.ml": 1}
    )
    return kept(path, made)


def words(path: Path) -> Path:
    """A column of texts: two of them are told apart."""
    encode = helper.make_node(
        "LabelEncoder", ["town"], ["y"], domain="ai.onnx.ml", keys_strings=["a", "b"], values_floats=[1.0, 2.0]
    )
    made = model(
        [encode],
        [value("town", [None, 1], TensorProto.STRING)],
        [value("y", [None, 1])],
        producer="skl2onnx",
        opset=13,
        domains={"ai.onnx.ml": 2},
    )
    return kept(path, made)


def two_inputs(path: Path) -> Path:
    nodes = [helper.make_node("Add", ["a", "b"], ["sum"]), helper.make_node("Mul", ["a", "b"], ["product"])]
    return kept(
        path, model(nodes, [value("a", [1, 4]), value("b", [1, 4])], [value("sum", [1, 4]), value("product", [1, 4])])
    )


def boxes(count: int, more: int = 0, side: int = 64) -> np.ndarray:
    """(1, 4 + count + more, N) of cx, cy, w, h in pixels, scores: one of the first class in the middle, one of the last
    at the left."""
    found = np.zeros((1, 4 + count + more, 84), np.float32)
    found[0, :4, 10], found[0, 4, 10] = (side / 2, side / 2, side / 2, side / 4), 0.9
    found[0, :4, 20], found[0, 3 + count, 20] = (10, 20, 8, 12), 0.7
    return found


def answering(answer: np.ndarray, inputs: Sequence, outputs: Sequence, **how: object) -> ModelProto:
    """A network whose answer is always the same: `answer` and the mean of what goes in times nothing."""
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "nothing"], ["none"]),
        helper.make_node("Add", ["answer", "none"], ["output0"]),
    ]
    weights = [numpy_helper.from_array(answer, "answer"), numpy_helper.from_array(np.array(0, np.float32), "nothing")]
    return model(nodes, inputs, outputs, weights, **how)  # type: ignore[arg-type]


def ultralytics(path: Path, task: str = "detect", names: Sequence[str] = ("cat", "dog"), free: bool = True) -> Path:
    """yolo export format=onnx dynamic=True: names as Python writes a dict, sizes free."""
    metadata = {
        "description": "Ultralytics YOLOv8n model trained on coco8.yaml", "author": "Ultralytics", "version": "8.2.46",
        "stride": "32", "task": task, "batch": "1", "imgsz": "[64, 64]", "names": str(dict(enumerate(names))),
        **({"kpt_shape": "[2, 3]"} if task == "pose" else {}),
    }  # fmt: skip
    more = {"pose": 6, "obb": 1}.get(task, 0)
    answer = boxes(len(names), more)
    if task == "classify":
        answer = np.array([[0.2, 0.8]], np.float32)
    sizes = ["batch", 3, "height", "width"] if free else [1, 3, 64, 64]
    out = value(
        "output0", list(answer.shape) if task == "classify" else [1, answer.shape[1], "anchors" if free else 84]
    )
    return kept(path, answering(answer, [value("images", sizes)], [out], metadata=metadata, ir=10))


def yolov5(path: Path, names: Sequence[str] = ("cat", "dog")) -> Path:
    """python export.py --include onnx: rows with an objectness, names and stride."""
    found = boxes(len(names)).transpose(0, 2, 1)
    rows = np.concatenate([found[..., :4], np.full((1, 84, 1), 0.95, np.float32), found[..., 4:]], axis=2)
    metadata = {"stride": "32", "names": str(list(names))}
    ends = [value("images", [1, 3, 64, 64])], [value("output0", [1, 84, 5 + len(names)])]
    return kept(path, answering(np.ascontiguousarray(rows), *ends, metadata=metadata, opset=12))


def mmedu(path: Path) -> Path:
    nodes, weights = layers("input", "output")
    info = json.dumps({"codebase": "MMCls", "modelname": "MobileNet", "classes": ["paper", "rock", "scissors"]})
    end = helper.make_node("Softmax", ["logits"], ["output"], axis=1)
    nodes[-1].output[0] = "logits"
    made = model(
        [*nodes, end],
        [value("input", ["batch", 3, 224, 224])],
        [value("output", ["batch", 3])],
        weights,
        opset=11,
        ir=6,
        metadata={"MODEL_INFO": info},
    )
    return kept(path, made)


def quantized(path: Path) -> Path:
    """What onnxruntime's dynamic quantizer leaves."""
    made = onnx.load(torch_classifier(path))
    node = helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "scale", "zero"])
    back = helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["xq"])
    made.graph.node[0].input[0] = "xq"
    made.graph.node.insert(0, back)
    made.graph.node.insert(0, node)
    return kept(path, made)
