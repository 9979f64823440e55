"""What a reader might take too long for, by count: {kind: bytes wanted -> (file name, bytes)}. All are harmless.

Each is the kind of thing of which a hostile file would hold very many; how many fit into the bytes is its only trick.
"""

from __future__ import annotations

import io
import json
import random
import struct
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import onnx
from hostile import call, name, p2, p4, text
from onnx import TensorProto, helper

from makers import MAGIC, SYSTEM, linear, module, pickled, write_archive, write_checkpoint

Made = tuple[str, bytes]
Kind = Callable[[int], Made]
CONFIG = "model = dict(type='ImageClassifier')\n"


# -- pickles ---------------------------------------------------------------------------------------------------------


def zipped(pickle: bytes) -> bytes:
    """A pickle in the container of today's torch.save."""
    file = io.BytesIO()
    write_archive(file, {"data.pkl": pickle, "version": b"3\n"})
    return file.getvalue()


def legacy(pickle: bytes) -> bytes:
    """The same in that of torch before 1.6."""
    return b"".join(pickled(value)[0] for value in (MAGIC, 1001, SYSTEM)) + pickle + pickled([])[0]


def repeated(piece: Callable[[int], bytes] | bytes, size: int) -> bytes:
    """Pieces, each made from its number, until there are so many bytes."""
    if isinstance(piece, bytes):
        return piece * (size // len(piece))
    parts, have = [], 0
    while have < size:
        parts.append(piece(len(parts)))
        have += len(parts[-1])
    return b"".join(parts)


def whole(number: int) -> bytes:
    """BININT or LONG1."""
    if -(1 << 31) <= number < 1 << 31:
        return b"J" + struct.pack("<i", number)
    return b"\x8a\x08" + number.to_bytes(8, "little", signed=True)


def apart(number: int) -> int:
    """Numbers without a rule: the same at each call."""
    return random.Random(number).randrange(1 << 60)


def row(*pieces: bytes) -> bytes:
    """A list."""
    return b"](" + b"".join(pieces) + b"e"


MANY: dict[str, Callable[[int], bytes]] = {
    "numbers in order as keys": lambda n: b"}(" + repeated(lambda i: whole(i) + b"N", n) + b"u",
    "numbers as keys": lambda n: b"}(" + repeated(lambda i: whole(apart(i)) + b"N", n) + b"u",
    "fractions as keys": lambda n: b"}(" + repeated(lambda i: b"G" + struct.pack(">d", i + 0.5) + b"N", n) + b"u",
    "pairs as keys": lambda n: b"}(" + repeated(lambda i: whole(i) + whole(apart(i)) + b"\x86N", n) + b"u",
    "texts as keys": lambda n: b"}(" + repeated(lambda i: text(f"{i:x}") + b"N", n) + b"u",
    "records as keys": lambda n: b"}(" + repeated(lambda i: name("a", "B") + b")\x81N", n) + b"u",
    "numbers in a set": lambda n: b"\x8f(" + repeated(lambda i: whole(apart(i)), n) + b"\x90",
    "pairs in a frozen set": lambda n: b"(" + repeated(lambda i: whole(i) + whole(i) + b"\x86", n) + b"\x91",
    "pairs for dict()": lambda n: call(
        name("builtins", "dict"), row(repeated(lambda i: whole(apart(i)) + b"N\x86", n))
    ),
    "numbers for set()": lambda n: call(name("builtins", "set"), row(repeated(lambda i: whole(apart(i)), n))),
    "single keys": lambda n: b"}" + repeated(lambda i: whole(i) + b"Ns", n),
    "empty lists": lambda n: row(repeated(b"]", n)),
    "empty dicts": lambda n: row(repeated(b"}", n)),
    "values thrown away": lambda n: repeated(b"N0", n) + b"N",
    "marks": lambda n: repeated(b"(1", n) + b"N",
    "deep groups": lambda n: repeated(b"(", n // 2) + repeated(b"1", n // 2) + b"N",
    "memo entries": lambda n: b"N" + repeated(b"\x94", n),
    "memo numbers": lambda n: b"N" + repeated(lambda i: b"r" + struct.pack("<I", i), n),
    "one from the memo": lambda n: b"Nq\x000" + row(repeated(b"h\x00", n)),
    "class names": lambda n: row(repeated(lambda i: name("a", f"B{i}"), n)),
    "class names on the stack": lambda n: text("a") + b"q\x000" + row(repeated(b"h\x00h\x00\x93", n)),
    "calls": lambda n: name("a", "B") + b"q\x000" + row(repeated(b"h\x00)R", n)),
    "calls of calls": lambda n: name("a", "B") + repeated(b")R", min(n, 500)) + b"0" + row(repeated(b"]", n)),
    "records": lambda n: name("a", "B") + b"q\x000" + row(repeated(b"h\x00)\x81", n)),
    "states": lambda n: name("a", "B") + b"q\x000" + row(repeated(b"h\x00)\x81}b", n)),
    "one state many times": lambda n: name("a", "B") + b")\x81" + repeated(b"}b", n),
    "lists made of one": lambda n: (
        row(repeated(b"N", n // 2))
        + b"q\x000"
        + name("builtins", "list")
        + b"q\x010"
        + row(repeated(b"h\x01h\x00\x85R", min(n // 2, 5 * 100)))
    ),
    "sets made of one": lambda n: (
        row(repeated(b"N", 1000))
        + b"q\x000"
        + name("builtins", "set")
        + b"q\x010"
        + row(repeated(b"h\x01h\x00\x85R", n))
    ),
    "a list many times": lambda n: row(repeated(b"N", 100)) + b"q\x000" + row(repeated(b"h\x00", n)),
    "a long text many times": lambda n: text("x" * 4000) + b"q\x000" + row(repeated(b"h\x00", n)),
    "arrays of no size": lambda n: row(repeated(name("numpy", "ndarray"), n)),
    "long numbers": lambda n: row(repeated(b"\x8a\xf0" + b"\x7f" * 240, n)),
    "small tuples": lambda n: row(repeated(b"N\x85", n)),
    "nested lists": lambda n: row(repeated(b"]" * 200 + b"a" * 199, n)),
    "text": lambda n: text("x" * n),
}


TOLD: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "class names": ("CLASSES", lambda n: row(repeated(lambda i: text(f"{i:x}"), n))),
    "one class name": ("CLASSES", lambda n: text("cat") + b"q\xff0" + row(repeated(b"h\xff", n))),
    "numbered classes": ("CLASSES", lambda n: b"}(" + repeated(lambda i: whole(i) + text(f"{i:x}"), n) + b"u"),
    "classes with numbers": (
        "CLASSES",
        lambda n: b"}(" + repeated(lambda i: text(f"{i:x}") + whole(apart(i)), n) + b"u",
    ),
    "classes in a text": ("CLASSES", lambda n: text("a\n" * (n // 2))),
    "classes in blank lines": ("CLASSES", lambda n: text("a" + "\n" * min(n, 1 << 16) + "b")),
    "classes in JSON": ("CLASSES", lambda n: text("[" + '"a",' * (n // 4) + '"b"]')),
    "a config of numbers": ("config", lambda n: text(CONFIG + "a = [\n" + "1,\n" * (min(n, 250_000) // 3) + "]")),
    "a config of brackets": (
        "config",
        lambda n: text(CONFIG + ("a = " + "[" * 90 + "]" * 90 + "\n") * (min(n, 250_000) // 185)),
    ),
    "a config of names": ("config", lambda n: text(CONFIG + "a=1\n" * (min(n, 250_000) // 4))),
    "a config of texts": ("config", lambda n: text(CONFIG + "a = '" + "x" * 15_000 + "'\n")),
    "a config and facts": ("a", lambda n: b"N" + repeated(lambda i: text(f"{i:x}") + b"N", n)),
}


# -- checkpoints of very many tensors and modules ---------------------------------------------------------------------


def tensors(names: Callable[[int], str], size: int, each: int = 60) -> Made:
    """safetensors: one byte each."""
    count = min(size // each, 100_000)
    header = {names(i): {"dtype": "U8", "shape": [1], "data_offsets": [i, i + 1]} for i in range(count)}
    head = json.dumps(header, separators=(",", ":")).encode()
    return "best.safetensors", struct.pack("<Q", len(head)) + head + bytes(count)


NAMED: dict[str, Callable[[int], str]] = {
    "odd names": lambda i: f"{i:x}",
    "long names": lambda i: f"{i:x}." + "x" * 300,
    "blocks of a ResNet": lambda i: f"backbone.layer1.{i}.conv1.weight",
    "blocks of a RepVGG": lambda i: f"backbone.stage_1.{i}.branch_3x3.conv.weight",
    "layers of a head": lambda i: f"head.layers.{i}.fc.weight" if i else "backbone.layer1.0.conv1.weight",
    "features of a VGG": lambda i: f"backbone.features.{i}.conv.weight",
    "levels of an SSD": lambda i: f"neck.extra_layers.{i}.x" if i else "bbox_head.cls_convs.0.x",
    "masks": lambda i: (
        ("rpn_head.rpn_cls.weight", "backbone.layer1.0.conv1.weight")[i] if i < 2 else f"roi_head.mask_head.convs.{i}.x"
    ),
    "names of names": lambda i: "a.b.c.d.e." + f"{i % 7}.{i:x}",
    "eight networks": lambda i: f"{i % 8}.{i % 8}.{i % 8}.{i % 8}.{i % 8}.backbone.layer1.{i}.conv1.weight",
    "networks in networks": lambda i: "a.b.c.d.e."[: 2 * (i % 6)] + f"backbone.layer1.{i}.conv1.weight",
    "averages": lambda i: f"ema_{i:x}",
    "wrapped names": lambda i: "module." * 40 + f"{i:x}",
}


def shaped(dims: Callable[[int], Iterable[object]], size: int) -> Made:
    """safetensors: one tensor whose shape is written with so many bytes."""
    head = b'{"a":{"dtype":"F32","data_offsets":[0,4],"shape":[%s]}}' % ",".join(map(str, dims(size))).encode()
    return "best.safetensors", struct.pack("<Q", len(head)) + head + bytes(4)


SHAPED: dict[str, Callable[[int], Iterable[object]]] = {
    "ones": lambda n: [1] * (n // 2),
    "twos": lambda n: [2] * (n // 2),
    "zeros and large numbers": lambda n: [0] + [9 * 10**17] * (n // 19),
    "numbers of 4000 digits": lambda n: ["9" * 4000] * (n // 4001),
    "one long number": lambda n: ["9" * n],
    "lists": lambda n: ["[]"] * (n // 3),
}


def saved(obj: object) -> Made:
    """As torch.save writes it."""
    with tempfile.TemporaryDirectory() as folder:
        return "best.pth", write_checkpoint(Path(folder) / "x.pth", obj).read_bytes()


A = np.ones((2, 2), np.float32)
CONVOLUTION = {
    "in_channels": 3,
    "out_channels": 3,
    "kernel_size": (1, 1),
    "stride": (1, 1),
    "padding": (0, 0),
    "dilation": (1, 1),
    "groups": 1,
    "padding_mode": "zeros",
}


def network(children: dict[str, object]) -> object:
    """A pickled Sequential."""
    return module("torch.nn.modules.container.Sequential", children)


def relus(count: int, first: dict[str, object]) -> Made:
    """One layer many times."""
    relu = module("torch.nn.modules.activation.ReLU", {})
    return saved(network({**first, **{f"r{i}": relu for i in range(count)}}))


def picture_network(count: int) -> Made:
    """A network for pictures whose size the file does not say, so that many are tried."""
    weight = np.ones((3, 3, 1, 1), np.float32)
    conv = module("torch.nn.modules.conv.Conv2d", {}, {"weight": weight, "bias": None}, **CONVOLUTION)
    return relus(count, {"c": conv, "f": module("torch.nn.modules.flatten.Flatten", {}, start_dim=1, end_dim=-1)})


MODULES: dict[str, Kind] = {
    "layers": lambda n: saved(network({f"{i}": linear(A, A[0]) for i in range(n // 500)})),
    "one layer many times": lambda n: relus(min(n // 12, 19_000), {"l": linear(A, A[0])}),
    "a network for pictures": lambda n: picture_network(min(n // 12, 19_000)),
    "modules without layers": lambda n: saved(network({f"{i}": module("a.B", {}) for i in range(n // 100)})),
    "states beside a state": lambda n: saved(
        {"state_dict": {f"{i}": A for i in range(n // 400)}, **{f"s{i}": {"a": A} for i in range(n // 400)}}
    ),
    "averages beside a state": lambda n: saved(
        {"state_dict": {f"{i}": A for i in range(n // 400)}, **{f"ema{i}": [0] for i in range(n // 40)}}
    ),
}


# -- ONNX ------------------------------------------------------------------------------------------------------------


def onnx_model(nodes: Iterable[onnx.NodeProto] = (), **more: object) -> Made:
    """A model of Identities, with initializers, value_infos and metadata."""
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    every = [*nodes] or [helper.make_node("Identity", ["x"], ["y"])]
    graph = helper.make_graph(every, "g", [value], [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    for tensor in more.get("initializers", ()):  # type: ignore[attr-defined]
        graph.initializer.append(tensor)
    for info in more.get("infos", ()):  # type: ignore[attr-defined]
        graph.value_info.append(info)
    model = helper.make_model(graph)
    helper.set_model_props(model, {f"{i:x}": "" for i in range(int(more.get("props", 0)))})  # type: ignore[call-overload]
    return "best.onnx", model.SerializeToString()


def chain(count: int) -> list[onnx.NodeProto]:
    """Identities in a row."""
    return [helper.make_node("Identity", [f"{i:x}" if i else "x"], [f"{i + 1:x}"]) for i in range(count)]


def dims(values: list[int]) -> TensorProto:
    """An initializer of this shape without its numbers."""
    return TensorProto(name="w", data_type=TensorProto.FLOAT, dims=values)


def read_by(nodes: int, values: list[int]) -> Made:
    """Very many dims that convolutions read."""
    nodes_ = [helper.make_node("Conv", ["w", "w"], [f"{i:x}"]) for i in range(nodes)]
    return onnx_model(nodes_, initializers=[dims(values)])


ONNX: dict[str, Kind] = {
    "nodes": lambda n: onnx_model(chain(n // 18)),
    "attributes": lambda n: onnx_model(
        [helper.make_node("Identity", ["x"], ["y"], **{f"a{i:x}": 1 for i in range(n // 12)})]
    ),
    "inputs of a node": lambda n: onnx_model([helper.make_node("Sum", ["x"] * (n // 3), ["y"])]),
    "initializers": lambda n: onnx_model(
        initializers=[TensorProto(name=f"{i:x}", data_type=1, dims=[1]) for i in range(n // 14)]
    ),
    "dims": lambda n: onnx_model(initializers=[dims([2] * n)]),
    "large dims": lambda n: onnx_model(initializers=[dims([2**62] * (n // 9))]),
    "dims that nodes read": lambda n: read_by(n // 24, [2] * 40),
    "value_infos": lambda n: onnx_model(
        infos=[helper.make_tensor_value_info(f"{i:x}", 1, [1]) for i in range(n // 20)]
    ),
    "axes of a value": lambda n: onnx_model(infos=[helper.make_tensor_value_info("y", 1, [2] * (n // 4))]),
    "metadata": lambda n: onnx_model(props=n // 10),
    "numbers": lambda n: onnx_model(
        initializers=[TensorProto(name="w", data_type=1, dims=[n // 4], float_data=[1.0] * (n // 4))]
    ),
}


# -- all of them ------------------------------------------------------------------------------------------------------


def _pickle(make: Callable[[int], bytes], box: Callable[[bytes], bytes], size: int) -> Made:
    return "best.pth", box(p4(make(size)) if box is zipped else p2(make(size)))


def _in(make: Callable[[int], bytes], box: Callable[[bytes], bytes]) -> Kind:
    return lambda size: _pickle(make, box, size)


def _told(key: str, value: Callable[[int], bytes]) -> Kind:
    return lambda size: ("best.pth", told_beside(key, value(size)))


def told_beside(key: str, value: bytes) -> bytes:
    """A real network whose meta also says this."""
    net, storages = pickled({"a": A} if key == "config" else linear(A, A[0]))
    pickle = b"\x80\x04}(" + text("meta") + b"}(" + text(key) + value + b"u" + text("model") + net[2:-1] + b"u."
    file = io.BytesIO()
    data = {f"data/{one.key}": one.array.tobytes() for one in storages}
    write_archive(file, {"data.pkl": pickle, "version": b"3\n", **data})
    return file.getvalue()


def _named(names: Callable[[int], str]) -> Kind:
    return lambda size: tensors(names, size, len(names(9999)) + 60)


def _shaped(values: Callable[[int], Iterable[object]]) -> Kind:
    return lambda size: shaped(values, size)


KINDS: dict[str, Kind] = {
    **{f"pickle: {what}": _in(make, zipped) for what, make in MANY.items()},
    **{f"legacy: {what}": _in(MANY[what], legacy) for what in ("empty lists", "texts as keys", "calls")},
    **{f"meta: {what}": _told(*told) for what, told in TOLD.items()},
    **{f"tensors: {what}": _named(names) for what, names in NAMED.items()},
    **{f"shape: {what}": _shaped(values) for what, values in SHAPED.items()},
    **{f"module: {what}": make for what, make in MODULES.items()},
    **{f"onnx: {what}": make for what, make in ONNX.items()},
}
