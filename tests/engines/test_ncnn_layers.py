"""ncnn files, written without ncnn, read by ncnn: the same answers as torch's, mmdet's and onnxruntime's."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from rebuild import rebuild

from dear import but_slow
from qingzhou.engines.ncnn.write import emit_ncnn, write_ncnn
from qingzhou.errors import EngineError
from qingzhou.graph.fold import simplify
from qingzhou.graph.form import Graph
from qingzhou.graph.record import Recorder
from qingzhou.nets.match import recognise
from qingzhou.nets.recorded import Wanted
from qingzhou.onnxfile.emit import emit
from qingzhou.onnxfile.write import write_onnx
from qingzhou.runtime.engine.ncnn_file import parse
from qingzhou.runtime.engine.ncnn_format import TAG_FLOAT16
from qingzhou.sources.read import read_network

ncnn = pytest.importorskip("ncnn")

ORACLE = Path(__file__).parents[1] / "oracle"
CLASSIFIERS = sorted(path.name for path in (ORACLE / "mmedu").iterdir())
LARGE = ["RegNetX_400MF", "ResNet50", "ResNeXt50", "VGG16"]
DETECTORS = [ORACLE / "mmdet" / name for name in ("SSD_Lite", "Yolov3")]
TEXT = {"em_lstm", "em_lstm1"}
BASENN = [
    path.parent
    for path in sorted(ORACLE.glob("basenn/torch*/*/reference.npz"))
    if path.parent.name not in TEXT | {"custom_module"}
]
LAYERS = np.load(ORACLE / "torch_modules" / "references.npz")
NO_FORM = {  # what ONNX can express and ncnn cannot
    "lstm_steps_first": "Lstm (batch axis 0)",
    "lstm_two_ways_steps_first": "Lstm (batch axis 0)",
    "max_pool": "MaxPool (dilation)",
    "softmax_over_the_batch": "Softmax (axis 0)",
}
NO_OPERATOR = {  # nor these, whose operators it lacks
    "adaptive_uneven": "MatMul",
    "reflect": "Pad",
    "seldom": "Softplus",
    "seldom_1d": "Pad",
    "seldom_2d": "Pad",
    "transposed": "ConvTranspose",
}
NAMES = sorted({key[:-2] for key in LAYERS.files if key.endswith(".y")} - {*NO_OPERATOR})
Record = Callable[[str, Any], None]


class Net:
    """A Graph in ncnn, computing in float32."""

    def __init__(self, graph: Graph, folder: Path, half: bool = False) -> None:
        self.param, self.bin = folder / "m.ncnn.param", folder / "m.ncnn.bin"
        write_ncnn(self.param, self.bin, emit_ncnn(graph), half)
        self.outputs = len(graph.outputs)
        self.net = ncnn.Net()
        options = self.net.opt
        options.num_threads = 2
        options.use_fp16_packed = options.use_fp16_storage = options.use_fp16_arithmetic = False
        self.text = parse(
            self.param.read_text("ascii")
        )  # what runtime/engine/ncnn_file.py makes of it, is what ncnn makes of it
        self.text.check_numbers(self.bin.read_bytes())
        assert self.net.load_param(str(self.param)) == 0 and self.net.load_model(str(self.bin)) == 0

    def run(self, x: np.ndarray) -> list[Any]:
        """All outputs for the first of a batch."""
        extractor = self.net.create_extractor()
        extractor.input("in0", ncnn.Mat(np.ascontiguousarray(x[0], np.float32)).clone())
        found = [extractor.extract(f"out{i}") for i in range(self.outputs)]
        assert all(code == 0 for code, _ in found)
        assert self.text.inputs == (x.shape[1:],) and self.text.outputs == tuple(
            np.array(mat).shape for _, mat in found
        )
        return [np.array(mat) for _, mat in found]


def onnx_answers(graph: Graph, x: np.ndarray, folder: Path) -> list[Any]:
    write_onnx(folder / "m.onnx", emit(graph, 13, 8))
    session = onnxruntime.InferenceSession(str(folder / "m.onnx"), providers=["CPUExecutionProvider"])
    return list(session.run(None, {graph.inputs[0].name: x}))


def largest(found: list[Any], wanted: list[Any]) -> float:
    """The largest difference; the shapes must be those of the first of a batch."""
    assert [a.shape for a in found] == [b.shape[1:] for b in wanted]
    return max(float(np.abs(a - b[0]).max()) for a, b in zip(found, wanted, strict=True))


def original(folder: Path) -> tuple[Graph, Any]:
    """One of MMEdu's networks, of detectors the heads, and its input."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    tensors = rebuild(manifest)
    found = recognise({key: array.shape for key, array in tensors.items()}).recorded
    graph = simplify((found.heads or found.graph).bound(tensors))
    x = np.random.Generator(np.random.PCG64(manifest["input_seed"])).normal(size=manifest["input_shape"])
    return graph, x.astype(np.float32)


def from_checkpoint(path: Path, wanted: Wanted = Wanted()) -> Graph:  # noqa: B008  # frozen
    found = read_network(path, wanted)
    return simplify(found.heads or found.graph)


def rounded(graph: Graph) -> Graph:
    """With weights as FP16 holds them."""

    def half(load: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: load().astype(np.float16).astype(np.float32)

    names = {node.inputs[1] for node in graph.nodes if node.op in ("Conv", "Linear")}
    made = {name: replace(graph.constants[name], load=half(graph.constants[name].load), chunks=None) for name in names}
    return replace(graph, constants={**graph.constants, **made})


@pytest.mark.parametrize("name", but_slow(CLASSIFIERS, LARGE))
def test_classifiers(name: str, tmp_path: Path, record_property: Record) -> None:
    folder = ORACLE / "mmedu" / name
    graph, x = original(folder)
    wanted = np.load(folder / "reference.npz")["output"]
    worst = largest(Net(graph, tmp_path).run(x), [wanted.reshape(1, -1)])
    record_property("oracle", worst)
    assert worst <= 1e-5


@pytest.mark.parametrize("name", but_slow(CLASSIFIERS, [*LARGE, "ResNet18", "ShuffleNet_v2"]))
def test_classifiers_with_weights_in_fp16(name: str, tmp_path: Path, record_property: Record) -> None:
    """As onnxruntime answers with the same rounded weights. What the rounding itself costs is not ncnn's: recorded."""
    folder = ORACLE / "mmedu" / name
    graph, x = original(folder)
    net = Net(graph, tmp_path, half=True)
    found = net.run(x)
    record_property("rounding", largest(found, [np.load(folder / "reference.npz")["output"].reshape(1, -1)]))
    assert largest(found, onnx_answers(rounded(graph), x, tmp_path)) <= 1e-5
    assert net.bin.stat().st_size < (tmp_path / "m.onnx").stat().st_size * 0.55


@pytest.mark.parametrize("folder", DETECTORS, ids=lambda path: path.name)
def test_heads_of_detectors(folder: Path, tmp_path: Path, record_property: Record) -> None:
    graph, x = original(folder)
    wanted = onnx_answers(graph, x, tmp_path)
    worst = largest(Net(graph, tmp_path).run(x), wanted) / max(float(np.abs(a).max()) for a in wanted)
    record_property("relative", worst)
    assert worst <= 1e-4


@pytest.mark.parametrize("folder", BASENN, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_basenn(folder: Path, tmp_path: Path, record_property: Record) -> None:
    reference = np.load(folder / "reference.npz")
    graph = from_checkpoint(folder / "checkpoint.pth")
    worst = largest(Net(graph, tmp_path).run(reference["x"]), [reference["y"]])
    record_property("oracle", worst)
    assert worst <= 1e-5


def layer(name: str) -> tuple[Graph, Any, Any]:
    """A network of torch_modules, what it is asked, and what torch answers."""
    x, wanted = LAYERS[f"{name}.x"], LAYERS[f"{name}.y"]
    return from_checkpoint(ORACLE / "torch_modules" / f"{name}.pth", Wanted(input_size=x.shape[1:])), x, wanted


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NO_FORM])
def test_layers(name: str, tmp_path: Path, record_property: Record) -> None:
    graph, x, wanted = layer(name)
    net = Net(graph, tmp_path)
    worst = max(largest(net.run(x[i:]), [wanted[i:]]) for i in range(len(x)))
    record_property("oracle", worst)
    assert worst <= 1e-5 * max(1.0, float(np.abs(wanted).max()))  # float32 sums in another order


@pytest.mark.parametrize("name", sorted(NO_FORM))
def test_what_ncnn_cannot_express_is_named(name: str) -> None:
    graph, _, _ = layer(name)
    with pytest.raises(EngineError) as caught:
        emit_ncnn(graph)
    assert f" {NO_FORM[name]}," in caught.value.en and NO_FORM[name] in caught.value.zh != caught.value.en


@pytest.mark.parametrize("name", NO_OPERATOR)
def test_an_operator_that_ncnn_lacks_is_named(name: str) -> None:
    graph, _, _ = layer(name)
    with pytest.raises(EngineError) as caught:
        emit_ncnn(graph)
    assert NO_OPERATOR[name] in caught.value.en and NO_OPERATOR[name] in caught.value.zh


def test_two_stage_detectors_are_refused() -> None:
    net = Recorder()
    image = net.input("input", (1, 3, 32, 32))
    boxes = net.block("Anchors", "anchors", [image], (9, 4), base=(), stride=16.0)
    with pytest.raises(EngineError, match="Anchors"):
        emit_ncnn(net.freeze(boxes))


def many_readers() -> tuple[Graph, Any]:
    """A value that is an output and has four readers, two of them one layer; a key that no .param file could hold."""
    net = Recorder()
    image = net.input("input", (1, 2, 4, 5))
    y = net.conv("a b\n", image, 3, 1)
    total = net.add(net.add(y, y), net.mul(y, net.global_pool(y, keep=True)))
    turned = net.transpose(net.upsample(total, (8, 10), "linear", align_corners=True), (0, 3, 1, 2))
    chance = np.random.default_rng(1)
    graph = net.freeze(y, net.select(turned, 2, -1), total)
    weights = {key: chance.normal(size=shape).astype(np.float32) for key, shape in graph.tensors.items()}
    return graph.bound(weights), chance.normal(size=(1, 2, 4, 5)).astype(np.float32)


def test_values_with_many_readers(tmp_path: Path) -> None:
    graph, x = many_readers()
    assert largest(Net(graph, tmp_path).run(x), onnx_answers(graph, x, tmp_path)) <= 1e-5


def test_transposed_convolution_and_every_order(tmp_path: Path) -> None:
    """Of 3 and 4 axes: what Permute calls an order is easily mistaken for its inverse."""
    net = Recorder()
    image = net.input("input", (1, 6, 4, 5))
    up = net.conv_transpose("up", image, 4, 2)
    wide = net.reshape(up, (1, 2, 2, 8, 10))
    outs = [net.transpose(up, (0, *(i + 1 for i in order))) for order in itertools.permutations(range(3))]
    outs += [net.transpose(wide, (0, *(i + 1 for i in order))) for order in itertools.permutations(range(4))]
    chance = np.random.default_rng(1)
    graph = net.freeze(*outs)
    weights = {key: chance.normal(size=shape).astype(np.float32) for key, shape in graph.tensors.items()}
    graph, x = graph.bound(weights), chance.normal(size=(1, 6, 4, 5)).astype(np.float32)
    found = Net(graph, tmp_path).run(x)
    assert largest(found, onnx_answers(graph, x, tmp_path)) <= 1e-5


def test_numbers_beyond_fp16_stay_fp32(tmp_path: Path) -> None:
    """And three numbers of FP16, an odd count, are filled up to whole words."""
    net = Recorder()
    x = net.input("input", (1, 3))
    graph = net.freeze(net.linear("large", net.linear("small", x, 1), 1))
    weights = {
        "small.weight": np.ones((1, 3)),
        "small.bias": np.ones(1),
        "large.weight": np.full((1, 1), 1e5),
        "large.bias": np.zeros(1),
    }
    made = Net(graph.bound(weights), tmp_path, half=True)
    words = np.frombuffer(made.bin.read_bytes(), "<u4").tolist()
    assert words[0] == TAG_FLOAT16 and words[4] == 0 and len(words) == 7
    assert made.run(np.ones((1, 3)))[0].tolist() == [4e5]


def test_parameters_are_as_short_as_old_versions_read_them() -> None:
    net = Recorder()
    x = net.input("input", (1, 2, 4, 4))
    y = net.act("elu", net.act("hsigmoid", x), slope=-1 / 3e7)
    graph = net.freeze(net.group_norm("g", y, 1, eps=1e-5, affine=False))
    numbers = [word.split("=")[1] for word in emit_ncnn(graph).param.split() if "=" in word]
    assert "1.66666667e-01" in numbers and "1e-05" in numbers and max(map(len, numbers)) <= 15
