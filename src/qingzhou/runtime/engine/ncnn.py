"""ncnn: a model as two files (.param, .bin) with the card in the first; small and fast on ARM processors.

ncnn takes one input at a time, without a batch axis, and only gets to see what was read through before.
"""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

import numpy as np

from ..errors import EngineError, ExtraMissing, FileMissing, ModelError
from ..file import is_file, open_file
from ..model.card import KEY
from .as_onnxruntime import Entry, OneByOne
from .ncnn_file import NcnnText, parse
from .ncnn_row import Damaged
from .package import install_line, package

if TYPE_CHECKING:
    from ..typed import Array, FilePath


LARGEST_PARAM, LARGEST_BIN = 1 << 26, 1 << 31  # bytes
# ncnn would compute in FP16 or BF16 where the processor has them; answers then differ.
INEXACT = ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_packed", "use_bf16_storage")


class NcnnSession(OneByOne):
    """A network that is asked as an onnxruntime session is; its inputs are in0, in1, …, its outputs out0, out1, …"""

    def __init__(self, net: Any, mat: Any, text: NcnnText) -> None:
        self._net, self._mat = net, mat
        self._shapes = {"in%d" % i: shape for i, shape in enumerate(text.inputs)}
        inputs = [Entry(name, ["?", *shape], "tensor(float)") for name, shape in self._shapes.items()]
        outputs = [Entry("out%d" % i, ["?", *shape], "tensor(float)") for i, shape in enumerate(text.outputs)]
        super().__init__(inputs, outputs, {} if text.card is None else {KEY: text.card})

    def _one(self, feed: Dict[str, Array]) -> List[Array]:
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

    def __init__(self, net: Any, mat: Any, text: NcnnText) -> None:
        super().__init__(net, mat, text)
        self._words = text.words
        state = [Entry(name, [n, 1, m], "tensor(float)") for name, (n, m) in list(self._shapes.items())[1:]]
        self._inputs = [Entry("in0", ["?", 1], "tensor(int64)"), *state]

    def run(self, names: None, feed: Dict[str, Array]) -> List[Array]:
        """What follows each word, and the state after the last."""
        words, state = feed["in0"], [feed[entry.name] for entry in self._inputs[1:]]
        wanted = [(len(words), 1), *(tuple(entry.shape) for entry in self._inputs[1:])]
        if not len(words) or [words.shape, *(array.shape for array in state)] != wanted:
            raise ValueError("%s, not (N, 1)" % (words.shape,))
        if words.min() < 0 or words.max() >= self._words:  # ncnn would take the last one it knows
            raise ValueError("%d … %d, not 0 … %d" % (words.min(), words.max(), self._words - 1))
        found, state = [], [array[:, 0] for array in state]
        with self._lock:
            for word in words:
                row, *state = self._one(dict(zip(self._shapes, [word.astype(np.int32), *state])))
                found.append(row)
        return [np.concatenate(found), *(array[:, None] for array in state)]


def open_ncnn(path: FilePath, threads: Optional[int] = None, install: str = "") -> NcnnSession:
    """A session that computes in float32 on the processor; FileMissing, ModelError, EngineError, ExtraMissing.

    install   the line to name where ncnn is missing, if not the ordinary one
    """
    text, numbers = _read(str(path))
    ncnn = _package(install or install_line("ncnn"))
    net = _net(ncnn, threads)
    if net.load_param_mem(text.layers) != 0 or net.load_model(_reader(ncnn, numbers)) != 0:
        raise _refused(os.path.basename(str(path)))
    return (NcnnTextSession if text.words else NcnnSession)(net, ncnn.Mat, text)


def _read(path: str) -> Tuple[NcnnText, bytes]:
    """Both files, checked; FileMissing or ModelError."""
    weights, name = os.path.splitext(path)[0] + ".bin", os.path.basename(path)
    for part, most in ((path, LARGEST_PARAM), (weights, LARGEST_BIN)):
        if not is_file(part):
            raise _no_file(part)
        if os.path.getsize(part) > most:
            raise _damaged(name, "%s: %d" % (os.path.basename(part), os.path.getsize(part)))
    try:
        with open_file(path) as file:
            text = parse(file.read().decode("ascii"))
        with open_file(weights) as file:
            numbers = file.read()
        text.check_numbers(numbers)
    except UnicodeDecodeError:
        raise _damaged(name, "ASCII") from None
    except Damaged as err:
        raise _damaged(name, str(err)) from None
    return text, numbers


def _package(install: str) -> Any:
    """ncnn; ExtraMissing where it is not there, or is too old."""
    ncnn = package("ncnn", "ncnn", install)
    if not hasattr(ncnn.Net, "load_param_mem"):
        found = getattr(ncnn, "__version__", "?")
        raise ExtraMissing(
            en="The ncnn here (%s) is too old. Install a newer one: %s" % (found, install),
            zh="这里的 ncnn（%s）版本太旧。请安装更新的版本：%s" % (found, install),
        )
    return ncnn


def _net(ncnn: Any, threads: Optional[int]) -> Any:
    """An empty network."""
    net = ncnn.Net()
    for name in INEXACT:
        if hasattr(net.opt, name):  # not every version has all of them
            setattr(net.opt, name, False)
    if threads:
        net.opt.num_threads = threads
    return net


def _reader(ncnn: Any, data: bytes) -> Any:
    """What ncnn reads the numbers from. From a path it could not on Windows where that is not plain ASCII, and from a
    Python object (load_model_mem) it would go on reading after that is gone.
    """
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]

    class Reader(ncnn.DataReader):  # type: ignore[misc]
        """The .bin file in memory."""

        at = 0

        def read(self, buffer: Any, size: int) -> int:
            """Copy the next bytes to ncnn's buffer."""
            part = data[self.at : self.at + size]
            ctypes.memmove(pointer(buffer, None), part, len(part))
            self.at += len(part)
            return len(part)

    return Reader()


def _no_file(path: str) -> FileMissing:
    return FileMissing(
        en="There is no file %s; a model for ncnn is a .param and a .bin of one name in one folder. Check the "
        "name, or copy both." % path,
        zh="文件 %s 不存在；ncnn 模型由同一文件夹里同名的 .param 和 .bin 组成。请检查文件名，或复制两个文件。" % path,
    )


def _damaged(name: str, where: str) -> ModelError:
    return ModelError(
        en="%s cannot be opened as a model for ncnn: it was not written by Qingzhou, or it or its .bin is "
        "damaged (%s). Export it again, or copy both files again." % (name, where),
        zh="%s 无法作为 ncnn 模型打开：不是轻舟生成的，或者它（或它的 .bin）已损坏（%s）。"
        "请重新导出，或重新复制两个文件。" % (name, where),
    )


def _refused(name: str) -> EngineError:
    return EngineError(
        en="ncnn cannot take %s: it does not load. Run the .onnx with onnxruntime, or install another version of ncnn."
        % name,
        zh="ncnn 无法使用 %s：无法加载。请用 onnxruntime 运行 .onnx，或安装另一个版本的 ncnn。" % name,
    )
