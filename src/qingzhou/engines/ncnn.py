"""ncnn: a model as two files (.param, .bin) with the card in the first; small and fast on ARM processors.

The files are made without ncnn, from the .onnx read back as a Graph: export/from_onnx.py and export/ncnn.py. ncnn takes
one input at a time, without a batch axis. It knows blobs called in0, in1, … and out0, out1, …; so does the card in the
file.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import EngineError, ExtraMissing, FileMissing, ModelError, OptionError
from ..runtime.card import KEY, Card
from .base import (
    Engine,
    Entry,
    OneByOne,
    Session,
    Settings,
    cannot_run,
    check_no_boxes,
    installed,
    package,
    zero_points,
)  # fmt: skip
from .ncnn_file import CARD, Damaged, NcnnText, parse

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

INSTALL = 'pip install "qingzhou[ncnn]"'
LARGEST_PARAM, LARGEST_BIN = 1 << 26, 1 << 31  # bytes
# ncnn would compute in FP16 or BF16 where the processor has them; answers then differ.
INEXACT = ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_packed", "use_bf16_storage")


def version() -> str | None:
    """The installed version, or None. ncnn itself is not imported."""
    return installed("ncnn")


class NcnnSession(OneByOne):
    """A network that is asked as an onnxruntime session is; its inputs are in0, in1, …, its outputs out0, out1, …"""

    def __init__(self, net: Any, text: NcnnText) -> None:
        self._net, self._mat = net, package("ncnn", "ncnn", INSTALL).Mat
        self._shapes = {f"in{i}": shape for i, shape in enumerate(text.inputs)}
        inputs = [Entry(name, ["?", *shape], "tensor(float)") for name, shape in self._shapes.items()]
        outputs = [Entry(f"out{i}", ["?", *shape], "tensor(float)") for i, shape in enumerate(text.outputs)]
        super().__init__(inputs, outputs, {} if text.card is None else {KEY: text.card})

    def _one(self, feed: dict[str, Array]) -> list[Array]:
        extractor = self._net.create_extractor()
        for name, array in feed.items():
            kind = np.int32 if array.dtype == np.int32 else np.float32  # words are integers
            held = np.ascontiguousarray(array, kind)  # a Mat points into it, and does not keep it alive
            extractor.input(name, self._mat(held).clone())
        found = [extractor.extract(entry.name) for entry in self._outputs]
        if any(code != 0 for code, _ in found):
            raise MemoryError("ncnn")
        return [np.array(mat) for _, mat in found]


class NcnnTextSession(NcnnSession):
    """A network that reads a text, (length, 1) of int64, word by word, and has a state, (layers, 1, hidden) each."""

    def __init__(self, net: Any, text: NcnnText) -> None:
        super().__init__(net, text)
        self._words = text.words
        state = [Entry(name, [n, 1, m], "tensor(float)") for name, (n, m) in list(self._shapes.items())[1:]]
        self._inputs = [Entry("in0", ["?", 1], "tensor(int64)"), *state]

    def run(self, names: None, feed: dict[str, Array]) -> list[Array]:
        """What follows each word, and the state after the last."""
        words, state = feed["in0"], [feed[entry.name] for entry in self._inputs[1:]]
        wanted = [(len(words), 1), *(tuple(entry.shape) for entry in self._inputs[1:])]
        if not len(words) or [words.shape, *(array.shape for array in state)] != wanted:
            raise ValueError(f"{words.shape}, not (N, 1)")
        if words.min() < 0 or words.max() >= self._words:  # ncnn would take the last one it knows
            raise ValueError(f"{words.min()} … {words.max()}, not 0 … {self._words - 1}")
        found, state = [], [array[:, 0] for array in state]
        with self._lock:
            for word in words:
                row, *state = self._one(dict(zip(self._shapes, [word.astype(np.int32), *state], strict=True)))
                found.append(row)
        return [np.concatenate(found), *(array[:, None] for array in state)]


def open_model(path: Path, settings: Settings) -> Session:
    """A session that computes in float32 on the processor; ncnn only gets to see what was read through before."""
    text, numbers = _read(path)
    if settings.device.lower() not in ("", "cpu"):
        raise OptionError(
            en=f"ncnn has no device {settings.device} here; it can be cpu. Leave it out.",
            zh=f"ncnn 在这里没有设备 {settings.device}，只能是 cpu。可以不写。",
        )
    net = _net(settings)
    if net.load_param_mem(text.layers) != 0 or net.load_model(_reader(numbers)) != 0:
        raise cannot_run("ncnn", path, EngineError(en="it does not load", zh="无法加载"))
    return (NcnnTextSession if text.words else NcnnSession)(net, text)


def compile_model(source: Path, card: Card, out: Path, precision: str) -> None:
    """Both files of an ONNX model of ours (FP32, or INT8 without zero points) with its card; weights in FP16 if so
    asked. ncnn takes no part.
    """
    import onnx  # these four only here: no answer should wait for them

    from ..export.from_onnx import read_graph
    from ..export.from_qdq import has_zero_points, set_apart
    from ..export.ncnn import emit_ncnn, write_ncnn

    model = onnx.load(source, load_external_data=False)
    check_no_boxes("ncnn", "ncnn", source, card, model)
    if has_zero_points(model):
        raise zero_points("ncnn", source, "ncnn")
    model, integers = set_apart(model)
    graph, weights = read_graph(model)
    write_ncnn(out, out.with_suffix(".bin"), emit_ncnn(graph, weights, integers), precision == "fp16")
    inputs, outputs = ([value.name for value in values] for values in (graph.inputs, graph.outputs))
    with out.open("a", encoding="ascii", newline="\n") as file:
        file.write(f"{CARD}{_renamed(card, inputs, outputs).to_json()}\n")


def _renamed(card: Card, inputs: Sequence[str], outputs: Sequence[str]) -> Card:
    """The card with ncnn's names of the inputs and outputs."""
    names = {name: f"out{i}" for i, name in enumerate(outputs)}
    decoding = card.decoding and {
        **card.decoding,
        "levels": [
            {key: names[value] if key in ("scores", "deltas") else value for key, value in level.items()}
            for level in card.decoding["levels"]
        ],
    }
    entry = replace(card.input, name=f"in{list(inputs).index(card.input.name)}")
    return replace(card, input=entry, output=replace(card.output, name=names[card.output.name]), decoding=decoding)


def _read(path: Path) -> tuple[NcnnText, bytes]:
    """Both files, checked; FileMissing or ModelError."""
    weights = path.with_suffix(".bin")
    for part, most in ((path, LARGEST_PARAM), (weights, LARGEST_BIN)):
        if not part.is_file():
            raise _no_file(part)
        if part.stat().st_size > most:
            raise _damaged(path, f"{part.name}: {part.stat().st_size}")
    try:
        text = parse(path.read_bytes().decode("ascii"))
        numbers = weights.read_bytes()
        text.check_numbers(numbers)
    except UnicodeDecodeError:
        raise _damaged(path, "ASCII") from None
    except Damaged as err:
        raise _damaged(path, str(err)) from None
    return text, numbers


def _net(settings: Settings) -> Any:
    """An empty network; ExtraMissing where ncnn is not there, or is too old."""
    ncnn = package("ncnn", "ncnn", INSTALL)
    net = ncnn.Net()
    if not hasattr(net, "load_param_mem"):
        raise ExtraMissing(
            en=f"The ncnn here ({version()}) is too old. Install a newer one: {INSTALL}",
            zh=f"这里的 ncnn（{version()}）版本太旧。请安装更新的版本：{INSTALL}",
        )
    for name in INEXACT:
        if hasattr(net.opt, name):  # not every version has all of them
            setattr(net.opt, name, False)
    if settings.threads:
        net.opt.num_threads = settings.threads
    return net


def _reader(data: bytes) -> Any:
    """What ncnn reads the numbers from. From a path it could not on Windows where that is not plain ASCII, and from a
    Python object (load_model_mem) it would go on reading after that is gone.
    """
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]

    class Reader(package("ncnn", "ncnn", INSTALL).DataReader):  # type: ignore[misc]
        """The .bin file in memory."""

        at = 0

        def read(self, buffer: Any, size: int) -> int:
            """Copy the next bytes to ncnn's buffer."""
            part = data[self.at : self.at + size]
            ctypes.memmove(pointer(buffer, None), part, len(part))
            self.at += len(part)
            return len(part)

    return Reader()


def _no_file(path: Path) -> FileMissing:
    return FileMissing(
        en=f"There is no file {path}; a model for ncnn is a .param and a .bin of one name in one folder. Check the "
        "name, or copy both.",
        zh=f"文件 {path} 不存在；ncnn 模型由同一文件夹里同名的 .param 和 .bin 组成。请检查文件名，或复制两个文件。",
    )


def _damaged(path: Path, where: str) -> ModelError:
    return ModelError(
        en=f"{path.name} cannot be opened as a model for ncnn: it was not written by Qingzhou, or it or its .bin is "
        f"damaged ({where}). Export it again, or copy both files again.",
        zh=f"{path.name} 无法作为 ncnn 模型打开：不是轻舟生成的，或者它（或它的 .bin）已损坏（{where}）。"
        "请重新导出，或重新复制两个文件。",
    )


ENGINE = Engine(
    "ncnn",
    INSTALL,
    (".param",),
    ".ncnn.param",
    (".bin",),
    ("fp32", "fp16"),
    False,
    "ncnn",
    version,
    compile_model,
    open_model,
)
