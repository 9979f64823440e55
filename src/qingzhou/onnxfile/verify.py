"""Every conversion is checked: its structure, then a real run on the sample, then a second opinion on the folding."""

from __future__ import annotations

import base64
import contextlib
import filecmp
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError, SelfTestFailed, UnsupportedCheckpoint
from ..files import protobuf
from ..files.protobuf import DTYPES, INITIALIZER, INPUT
from ..graph.form import Array, Constant, Graph, Node, Value
from ..runtime.engine.session import open_session
from ..runtime.model.card import Card, Input, Sample
from ..runtime.typed import Session
from ..whole_file import scratch
from .emit import Emitted, emit, small_tensor
from .integers import STEPS, is_quantized
from .kept import kept_answer
from .lower import batch_norm
from .lowering import Lowering
from .write import bytes_of, showing, write_onnx

SCALES = 16  # numbers of a constant that a shape may depend on, though they are no whole ones
SMALL = 4096  # numbers: constants up to this size are shown to the checker, since shapes depend on them
SECOND_OPINION = 16 << 20  # parameters: above this the unfolded network would take too much time and memory
ONE_PIECE = 4 * SECOND_OPINION  # bytes of a file that is opened as it is; a larger one through an index
STRIP = 64, 1024  # height and width of the sample for networks that take any: made large, it still has few pixels
TOLERANCE = 1e-4  # of the largest output
MAGNIFIED = 10  # or as many times what a change of the input by a millionth does: each layer rounds, the input once


def check_structure(emitted: Emitted, path: Path) -> None:
    """Every operator exists, has what it needs, and gives the shapes that were recorded: the model is opened strictly,
    without its large arrays, by onnxruntime, or by onnx where that is too old for it. (Small arrays that are no shapes
    are left out too: onnx infers the size that an enlarged picture has from a rounded scale.) Beside `path` is room.

    That no tensor lies in another file is looked at here, too: all that the whole model has besides are numbers. A
    model whose Trial opens it strictly with all of them needs no such look of its own.
    """
    skeleton = _beside(path, "skeleton")
    skeleton.write_bytes(_skeleton(emitted, _as_input))
    try:
        open_session(skeleton, once=True, strict=True)
    except ModelError:
        import onnx

        onnx.checker.check_model(skeleton.read_bytes(), full_check=True)


def _beside(path: Path, name: str) -> Path:
    """A file to use in the folder of this one, which has no others."""
    return path.with_name(f"{name}.onnx" if path.name != f"{name}.onnx" else f"{name}2.onnx")


def _skeleton(emitted: Emitted, large: Callable[[str, Constant], bytes]) -> bytes:
    """The model with something else in the place of its large arrays: what their names have there."""
    inputs = {value.name for value in emitted.inputs}
    tail = b""
    for name, item in emitted.constants.items():
        if name in inputs:
            continue
        if (item.dtype == "int64" or 0 in item.shape) and math.prod(item.shape) <= SMALL:
            tail += protobuf.part(INITIALIZER, small_tensor(name, item))
        else:
            tail += large(name, item)
    return emitted.outer + protobuf.in_graph(emitted.graph) + protobuf.in_graph(tail)


def _as_input(name: str, constant: Constant) -> bytes:
    return protobuf.part(INPUT, protobuf.value_info(name, DTYPES[constant.dtype], constant.shape))


def index_of(path: Path, emitted: Emitted, places: Mapping[str, int]) -> Path | None:
    """What opens a large file that was just written, beside it; None of one that can be opened in one piece.

    It is the model without its arrays' numbers, and says at which bytes of the file each has them. onnxruntime maps
    them from there into memory, where it would else have them twice. That the file itself has all of them, our own
    reader sees.
    """
    if sum(map(bytes_of, emitted.constants.values())) <= ONE_PIECE or not path.name.isprintable():
        return None
    from .read import read_onnx

    found = {name: (one.shape, one.dtype) for name, one in read_onnx(path).graph.constants.items()}
    assert found == {name: (one.shape, one.dtype) for name, one in emitted.constants.items()}, path.name

    def there(name: str, constant: Constant) -> bytes:
        if math.prod(constant.shape) <= SCALES:  # by which a Resize tells its result's shape
            return protobuf.part(INITIALIZER, small_tensor(name, constant))
        kind, size = DTYPES[constant.dtype], bytes_of(constant)
        return protobuf.part(
            INITIALIZER, protobuf.tensor_elsewhere(name, kind, constant.shape, path.name, places[name], size)
        )

    index = _beside(path, "index")
    index.write_bytes(_skeleton(emitted, there))
    return index


RATIOS = ("scale_factor",)  # PaddleDetection's: by how much a picture was resized, by which boxes are divided


def samples_for(card: Card, graph: Graph) -> list[dict[str, Any]]:
    """A deterministic input of the right kind for each of the card's, as card.Sample describes them."""
    kinds = {value.name: value.dtype for value in graph.inputs}
    return [_sample_of(entry, kinds.get(entry.name, "float32")) for entry in card.inputs]


def _sample_of(entry: Input, dtype: str) -> dict[str, Any]:
    """A drawn picture, or a ramp; of whole numbers and truths a mixture of 0 and 1, so that a mask hides some."""
    if entry.kind == "image":
        from ..runtime.model.sample import sample_picture

        height, width = entry.sides()
        size = (height or STRIP[0], width or STRIP[1])
        return {"encoding": "png", "data": base64.b64encode(sample_picture(size, entry.color)).decode("ascii")}
    if entry.kind == "tokens":
        return {"encoding": "json", "data": [[0]]}
    shape = [n or 1 for n in entry.shape]
    count = int(np.prod(shape))
    if dtype == "uint8":
        return {"encoding": "json", "data": (np.arange(count) * 37 % 256).reshape(shape).tolist()}
    if np.dtype(dtype).kind in "iub":
        return {"encoding": "json", "data": _mixed(count).reshape(shape).tolist()}
    start = 1 if entry.name in RATIOS else 0
    ramp: Array = np.linspace(start, 1, count, dtype=np.float32).round(3)
    if count > SMALL << 4:  # shorter as text: 0.2, not 0.20000000298023224
        ramp = ramp.astype(np.float64).round(3)
    return {"encoding": "json", "data": ramp.reshape(shape).tolist()}


def _mixed(count: int) -> Array:
    """The Thue-Morse sequence, 0 1 1 0 1 0 0 1 …: three in a row are never the same, so each row of a mask has both."""
    found = np.zeros(1, np.int64)
    while found.size < count:
        found = np.concatenate([found, 1 - found])
    return found[:count]


class Trial:
    """One run of a freshly written file on the card's sample.

    `heads` is the network as far as its numbers can be compared: for detectors to before boxes are chosen. What a small
    network gives there is taken from the same run.

    `emitted` is what was written. `index` opens the same model, if that is too large to be opened in one piece; see
    index_of().
    """

    def __init__(
        self,
        path: Path,
        card: Card,
        samples: list[dict[str, Any]],
        graph: Graph,
        heads: Graph,
        emitted: Emitted,
        index: Path | None = None,
    ) -> None:
        self.path, self.card, self.emitted, self.opened = path, card, emitted, index or path
        self.sample = Sample(samples[0], [], others=samples[1:])
        self.heads, self.compared = heads, _size(heads) <= SECOND_OPINION
        self.ends = _inside(heads, graph) if self.compared else []
        self.inner = [value for value in self.ends if value not in graph.outputs]
        self.outputs = (*graph.outputs, *self.inner)
        self.feed: dict[str, Array] = {}
        self.result: dict[str, Array] = {}

    def run(self) -> list[Any]:
        """What the sample gives, as the card keeps it; UnsupportedCheckpoint if that is not a number."""
        from ..runtime.predict import Predictor

        predictor = Predictor(
            self.path, card=self.card, session=self._open()
        )  # not kept: memory for the second opinion
        self.feed = predictor.feed(self.sample)
        result = predictor.run(self.feed)
        self._plausible(result)
        self.result = {value.name: array for value, array in zip(self.outputs, result, strict=True)}
        return kept_answer(predictor, result)

    def _open(self) -> Session:
        """Strictly, which is a look at its structure; of an index, or where that sees too much, apart."""
        with showing(self.opened, self.inner):
            if self.opened == self.path:
                with contextlib.suppress(ModelError):
                    return open_session(self.path, once=True, strict=True)
            check_structure(self.emitted, self.path)
            return open_session(self.opened, once=True, checked=True)

    def agrees(self) -> bool:
        """Whether the network was compared with its unsimplified form; SelfTestFailed if they differ. Large are not."""
        if not self.compared:
            return False
        with scratch() as folder:
            plain = write_graph(folder / "plain.onnx", self.heads)
            if filecmp.cmp(plain, self.path, shallow=False):  # nothing was there to simplify
                return True
            original = _answers(plain, self.feed)
        result = [self.result[value.name] for value in self.ends]
        worst, most = _differs(result, original), STEPS if is_quantized(self.heads) else TOLERANCE
        if not worst <= most and not worst <= MAGNIFIED * self._unrest(original):
            raise SelfTestFailed(
                en=f"The simplified network differs from the original by {worst:.2g} of its largest number. Please "
                "report the file.",
                zh=f"简化后的网络与原网络的差别是最大值的 {worst:.2g} 倍。请把这个文件报告给我们。",
            )
        return True

    def _unrest(self, original: list[Array]) -> float:
        """By how much the original's own answer changes with its input's last digits: deep attention magnifies them."""
        chance, feed = np.random.default_rng(0), dict(self.feed)
        for name, one in self.feed.items():
            if one.dtype == np.float32:
                feed[name] = one * np.asarray(1 + chance.uniform(-1e-6, 1e-6, one.shape), np.float32)
        return _differs(run_graph(self.heads, feed), original)

    def _plausible(self, result: list[Array]) -> None:
        if not all(np.isfinite(array).all() for array in result):
            raise UnsupportedCheckpoint(
                en="The network's answer to the sample is not a number (NaN or infinity), so its weights are damaged: "
                "training diverged, or the file was altered. Train again with a smaller learning rate.",
                zh="网络对示例输入的输出不是有效数字（NaN 或无穷大），说明权重已经损坏：训练发散，或文件被改动。"
                "请减小学习率重新训练。",
            )
        for value, array in zip(self.outputs, result, strict=True):
            fits = len(value.shape) == array.ndim and all(
                isinstance(n, str) or n == m for n, m in zip(value.shape, array.shape, strict=True)
            )
            if not fits:
                raise _misshapen(value, array)


def _differs(result: list[Array], other: list[Array]) -> float:
    """The largest difference, as a share of the largest number."""
    result, other = (list(map(_as_numbers, arrays)) for arrays in (result, other))
    scale = max(1.0, *(float(np.abs(array).max(initial=0)) for array in other))
    return max(float(np.abs(a - b).max(initial=0)) for a, b in zip(result, other, strict=True)) / scale


def _as_numbers(array: Array) -> Array:
    """Truths as 0 and 1, which can be subtracted."""
    return array.astype(np.int8) if array.dtype == bool else array


def _misshapen(value: Value, array: Array) -> UnsupportedCheckpoint:
    """What comes out is of another shape than the file says, or than follows from its operators."""
    name, found, told = value.name[:60], list(array.shape), list(value.shape)
    return UnsupportedCheckpoint(
        en=f"The network's output {name} has the shape {found}, and was said to have {told}, so the file contradicts "
        "itself. Save the network again where it was trained.",
        zh=f"网络输出 {name} 的形状是 {found}，而文件说明是 {told}，前后矛盾。请在训练的电脑上重新保存网络。",
    )


def _inside(heads: Graph, graph: Graph) -> list[Value]:
    """The outputs of `heads` as values of `graph`, which goes on from there: a node has the name that its first value
    had before it became an output with a name of its own. What is an output of both is called the same, and so is what
    kept its name.
    """
    if heads.outputs == graph.outputs:
        return list(graph.outputs)
    makers = {node.outputs[0]: node.name for node in heads.nodes}
    named = [makers[value.name] if makers[value.name] in graph.values else value.name for value in heads.outputs]
    ends = zip(heads.outputs, named, strict=True)
    return [value if value in graph.outputs else graph.values[name] for value, name in ends]


def _size(graph: Graph) -> int:
    return sum(math.prod(shape) for shape in graph.tensors.values())


def own_batch_norm(e: Lowering, node: Node) -> None:
    """BatchNorm of pictures as ONNX's own operator: shares no arithmetic with the folding, and is quicker."""
    x, *numbers = node.inputs
    if e.rank(x) != 4:
        batch_norm(e, node)
        return
    names = [e.put(name, e.graph.constants[name].shape, e.graph.constants[name].load) for name in numbers]
    e.node(node.op, [x, *names], node.outputs, **node.attrs)


def run_graph(graph: Graph, feed: dict[str, Array]) -> list[Array]:
    """The outputs of a network exactly as it is recorded, nothing optimised. check_structure() has seen its layers."""
    with scratch() as folder:
        return _answers(write_graph(folder / "plain.onnx", graph), feed)


def write_graph(path: Path, graph: Graph) -> Path:
    """The same, of a network exactly as it is recorded."""
    write_onnx(path, emit(graph, 13, 8, {("", "BatchNormalization"): own_batch_norm}))
    return path


def _answers(path: Path, feed: dict[str, Array]) -> list[Array]:
    return list(open_session(path, once=True, checked=True).run(None, feed))
