"""Opening a model file, .onnx and .ort with onnxruntime; or saying in plain words why it fails."""

from __future__ import annotations

import functools
import importlib
import mmap
import os
import platform
from typing import TYPE_CHECKING, Any, Dict, Iterator, Optional, Sequence, Tuple, Union

import numpy as np

from ..errors import FileMissing, ModelError, NoCard, QingzhouError
from ..file import is_file, open_file
from ..memory import room

if TYPE_CHECKING:
    from ..typed import Array, Entry, FilePath, Session

    Bytes = Union[bytes, mmap.mmap]

# Bytes from which on onnxruntime makes no rearranged copy: it loads faster, in less memory.
LARGE = 256 << 20


def open_any(path: FilePath, threads: Optional[int] = None) -> Session:
    """In the engine that the name tells; FileMissing, ModelError, EngineError, ExtraMissing."""
    end = os.path.splitext(path)[1].lower()
    if end in (".param", ".tflite", ".mnn", ".npz", ".rknn"):
        from .other import open_other

        return open_other(end, path, threads)
    return open_session(path, threads)


def open_session(
    path: FilePath,
    threads: Optional[int] = None,
    providers: Sequence[str] = ("CPUExecutionProvider",),
    once: bool = False,
    strict: bool = False,
    checked: bool = False,
    in_turns: bool = False,
) -> Session:
    """An onnxruntime session, on the CPU unless other providers are named; FileMissing or ModelError.

    `once` is for a single run: the network is run as it is written, since to improve it and rearrange its weights takes
    longer, and memory for a second copy; and in one thread, so that its last digits, which go into a file, are always
    the same.
    `strict` refuses shapes that contradict each other. `checked` is for a file that the caller has just written, of
    what check_one_file() has seen already. `in_turns` is for one of several that are asked one after the other: threads
    that wait sleep, instead of taking the processor from the session that works. Without `threads`, $QINGZHOU_THREADS
    limits them.
    """
    if not is_file(path):
        raise FileMissing(
            en="There is no file %s; expected a converted .onnx model. Check the name and the folder." % (path,),
            zh="文件 %s 不存在，应为转换好的 .onnx 模型。请检查文件名和所在的文件夹。" % (path,),
        )
    ort = onnxruntime_package()
    options = ort.SessionOptions()
    if once:
        options.enable_cpu_mem_arena = False  # which takes more than a single run needs
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    if in_turns:
        options.enable_mem_pattern = False  # one block for all activations: they would take more, and stay
    if once or in_turns:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if strict:
        options.add_session_config_entry("session.strict_shape_type_inference", "1")
    if once or os.path.getsize(path) > LARGE:
        options.add_session_config_entry("session.disable_prepacking", "1")
    threads = threads or (1 if once else threads_allowed())
    if threads:
        options.intra_op_num_threads = threads
    try:
        return start(str(path), options, providers, checked)
    except ModelError:
        raise
    except Exception as err:  # onnxruntime has a class of its own for every kind of broken file
        name = os.path.basename(str(path))
        with open_file(path) as file:
            if file.read(2) in (b"PK", b"\x80\x02"):  # a zip archive or a pickle, as torch.save writes them
                raise _not_converted(name) from None
        raise _refused(name, str(err), ort.__version__) from None


def start(
    model: Union[str, bytes],
    options: Any,
    providers: Sequence[str] = ("CPUExecutionProvider",),
    checked: bool = False,
) -> Session:
    """The one place where onnxruntime is given a model, its path or its bytes: ModelError before it sees one that would
    have it open other files; whatever it says of a broken one goes on to the caller, who knows what it was for.
    """
    if not checked:
        check_one_file(model)
    options.log_severity_level = 4  # what it says of an error is in its exception; its log has names as they are
    if isinstance(model, str) and not _is_unicode(model):  # a name in GBK, which onnxruntime does not take
        if model[-4:] == ".ort":
            options.add_session_config_entry("session.load_model_format", "ORT")
        with open_file(model) as file:
            model = file.read()
    precise = adds_in_16_bits()
    try:
        return _started(model, options, providers, precise)
    except Exception as err:
        if not precise or "NOT_IMPLEMENTED" not in str(err):
            raise
    return _started(model, options, providers, False)  # int8 activations have no such kernel, and need none


def _started(model: Union[str, bytes], options: Any, providers: Sequence[str], precise: bool) -> Session:
    """Without its fallback, which prints in the middle of our output and then fails the same way."""
    options.add_session_config_entry("session.x64quantprecision", str(int(precise)))
    session: Session = onnxruntime_package().InferenceSession(
        model, options, providers=list(providers), enable_fallback=0
    )
    return session


@functools.lru_cache(maxsize=None)
def adds_in_16_bits(cpuinfo: str = "/proc/cpuinfo") -> bool:
    """Whether the processor adds two products of 8 by 8 bits in 16, which full 8-bit weights overflow: an x86 without
    VNNI, or one of which nothing is known. onnxruntime has other, slower kernels, for such weights only.
    """
    try:
        with open_file(cpuinfo) as file:
            known = file.read(1 << 16)
    except OSError:
        known = b""
    return platform.machine().lower() in ("x86_64", "amd64", "x86", "i386", "i686") and b"vnni" not in known


def _is_unicode(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def threads_allowed() -> int:
    """For whoever shares a machine with others; 0 where it is not said."""
    wanted = os.environ.get("QINGZHOU_THREADS", "")
    return int(wanted) if wanted.isdecimal() else 0


def zeros(entry: Entry) -> Array:
    """The first state: zeros of the input's own shape, 1 where it is free."""
    shape = [n if isinstance(n, int) and n > 0 else 1 for n in entry.shape]
    kind = np.dtype(np.int64 if "int64" in entry.type else np.float32)
    size = kind.itemsize
    for n in shape:
        size *= n  # whole numbers, which never overflow
    if size > room():
        raise _too_large(entry.name, size)
    return np.zeros(shape, kind)


def fed(entries: Sequence[Entry], given: Dict[str, Array]) -> Dict[str, Array]:
    """What inputs are fed: numbers of other types where wanted, zeros for what is not given."""
    other = [e for e in entries if e.name in given and e.type[7:-1] not in ("float", "string")]
    found = {e.name: zeros(e) for e in entries if e.name not in given}
    typed = {e.name: given[e.name].astype(e.type[7:-1], copy=False) for e in other}
    return {**found, **given, **typed}


def _too_large(name: str, size: int) -> ModelError:
    return ModelError(
        en="The network wants %d MB for its input %s, and at most %d MB are free for it here. Take a machine with more "
        "memory, or another model." % (size >> 20, name[:60], room() >> 20),
        zh="网络的输入 %s 需要 %d MB 内存，而这里最多可用 %d MB。请换内存更大的机器，或换一个模型。"
        % (name[:60], size >> 20, room() >> 20),
    )


def onnxruntime_package() -> Any:
    """onnxruntime, imported now, and its reports to Microsoft switched off; QingzhouError if it is not there.

    Newer official builds keep an identifier in the user's folder and report their use, from the import on, unless this
    variable is set before: Privacy.md in the package.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        onnxruntime: Any = importlib.import_module("onnxruntime")
    except ImportError as err:
        raise QingzhouError(
            en="onnxruntime, which runs the model, is not there (%s). Install it: pip install onnxruntime" % err,
            zh="没有找到运行模型所需的 onnxruntime（%s）。请安装：pip install onnxruntime" % err,
        ) from None
    return onnxruntime


def _not_converted(name: str) -> ModelError:
    return ModelError(
        en="%s is a checkpoint, as training saves it; expected a converted .onnx model. First: qingzhou convert %s"
        % (name, name),
        zh="%s 是训练保存的权重文件，应为转换好的 .onnx 模型。请先运行：qingzhou convert %s" % (name, name),
    )


def _refused(name: str, reason: str, version: str) -> ModelError:
    if "opset" in reason.lower() or "ir_version" in reason.lower() or "ir version" in reason.lower():
        return ModelError(
            en="%s was written for a newer onnxruntime than this one, %s. Convert the checkpoint with --opset 13 "
            "--ir-version 8, or update: pip install -U onnxruntime" % (name, version),
            zh="%s 需要比这里（%s）更新的 onnxruntime。请用 --opset 13 --ir-version 8 重新转换，"
            "或更新：pip install -U onnxruntime" % (name, version),
        )
    if "NOT_IMPLEMENTED" in reason or "not a registered" in reason:
        return ModelError(
            en="%s needs what onnxruntime lacks: %s. Export it in float32, of ONNX's own operators."
            % (name, reason[:200]),
            zh="%s 用到 onnxruntime 没有的算子或类型：%s。请用 float32 和 ONNX 自带的算子导出。" % (name, reason[:200]),
        )
    return ModelError(
        en="%s cannot be opened as a model: %s. Expected a complete .onnx file; convert the checkpoint again, or copy "
        "the file again." % (name, reason[:200]),
        zh="%s 无法作为模型打开：%s。应为完整的 .onnx 文件，请重新转换或重新复制。" % (name, reason[:200]),
    )


# -- whether an .onnx file holds all of its weights itself: onnxruntime would open any other file that it names. Read is
# only what tells: the fields of protobuf messages that lead to a tensor, by their numbers in onnx.proto.

VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5  # protobuf's wire types
EXTERNAL_DATA, DATA_LOCATION = 13, 14  # fields of a TensorProto
DEEPEST = 64  # graphs within nodes within graphs

# The messages on the way to a tensor: their fields, and what each holds.
INSIDE: Dict[str, Dict[int, str]] = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}


def check_one_file(model: Union[str, bytes]) -> None:
    """ModelError if a tensor's numbers are said to be in another file; ValueError if this is no ONNX file.

    `model` is its path, or its bytes. An .ort file has no such tensors; onnxruntime, too, knows it by its name.
    """
    if isinstance(model, bytes):
        if _names_a_file(model, 0, len(model), "model", 0):
            raise _outside("model")
        return
    if str(model)[-4:] == ".ort":
        return
    with open_file(model) as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # ValueError for an empty file
        with data:
            outside = _names_a_file(data, 0, len(data), "model", 0)
    if outside:
        raise _outside(str(model))


def _outside(name: str) -> ModelError:
    return NoCard(
        en="%s keeps weights in another file. Make it one: qingzhou convert %s" % (name, name),
        zh="%s 的权重在另一个文件里。请合成一个文件：qingzhou convert %s" % (name, name),
    )


def _names_a_file(data: Bytes, start: int, end: int, kind: str, depth: int) -> bool:
    if depth > DEEPEST:
        raise ValueError("graphs within graphs without end")
    for number, value, stop in _fields(data, start, end):
        if kind == "tensor":
            if number == EXTERNAL_DATA or (number == DATA_LOCATION and value == 1):
                return True
        elif number in INSIDE[kind] and stop and _names_a_file(data, value, stop, INSIDE[kind][number], depth + 1):
            return True
    return False


def _fields(data: Bytes, place: int, end: int) -> Iterator[Tuple[int, int, int]]:
    """Of each field its number, then the value of a varint and 0, or where its bytes begin and end."""
    while place < end:
        key, place = (data[place], place + 1) if data[place] < 128 else _varint(data, place)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, place = _varint(data, place)
            yield number, value, 0
            continue
        size = {EIGHT: 8, FOUR: 4}.get(wire, 0)
        if wire == BYTES:
            short = place < end and data[place] < 128
            size, place = (data[place], place + 1) if short else _varint(data, place)
        elif not size:
            raise ValueError("a field of an unknown type")
        if place + size > end:
            raise ValueError("the file is cut off")
        yield number, place, place + size
        place += size


def _varint(data: Bytes, place: int) -> Tuple[int, int]:
    """A number in groups of seven bits, and where it ends."""
    value = shift = 0
    while shift < 70 and place < len(data):
        byte = data[place]
        value |= (byte & 127) << shift
        place += 1
        if byte < 128:
            return value, place
        shift += 7
    raise ValueError("the file is cut off")
