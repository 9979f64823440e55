"""A SavedModel or a frozen graph as a network: by TensorFlow in an isolated process, then our own reader."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from ...errors import QingzhouError, say
from ...files.archive import inflated
from ...files.refusals import short, unsafe
from ...graph.form import Constant, Graph, Node, Value
from ...graph.infer import inferred
from ...nets.recorded import Wanted
from ...onnxfile.read import read_graph
from ...runtime.model.card import COLORS
from ...whole_file import scratch
from ..network import Network
from ..recording.card import Made, network_of
from ..recording.labels import numbered
from ..source import Opened
from .isolated import ask
from .parts import Parts, Signature, bytes_of, entries_of, parts_of
from .refuse import WORDS, away, failed, missing

MOST_LABELS = 1 << 20
MOST_COPIED = 4 << 30  # bytes of one file of a SavedModel
FIRST = ("Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "BatchNormalization")  # their channels lie second
USUAL = ("serving_default", "serve")
# What reaches beyond the graph: files, programs, the network.
REFUSED = {
    "ReadFile", "WriteFile", "MatchingFiles", "PyFunc", "PyFuncStateless", "EagerPyFunc", "RpcCall", "RpcClient",
    "RpcServer", "DebugIdentity", "DebugIdentityV2", "DebugIdentityV3", "FileSystemSetConfiguration", "PrintV2",
    "DataServiceDataset", "SendTPUEmbeddingGradients", "TextFileReaderV2", "TFRecordReaderV2", "TFRecordDataset",
    "TextLineDataset", "FixedLengthRecordDatasetV2", "WriteGraphSummary", "WriteSummary", "CreateSummaryFileWriter",
}  # fmt: skip


def read_tensorflow(opened: Opened, wanted: Wanted) -> Network:
    """ExtraMissing, UnsupportedCheckpoint, CheckpointDamaged, UnsafeCheckpoint."""
    parts = opened.content(parts_of)
    lacking = away()
    if lacking:
        raise missing(parts, opened.path.stem or "folder", " and ".join(lacking))
    name, signature = _signature(parts)
    reaching = sorted(REFUSED & parts.ops)
    if reaching:
        raise WORDS.refused(
            f"its graph reads or writes beyond itself ({', '.join(reaching[:3])})",
            f"它的计算图会读写外部文件或程序（{', '.join(reaching[:3])}）",
        )
    with scratch() as folder:
        _copied(opened, parts, folder)
        order = {
            "frozen": parts.frozen,
            "inputs": [one.name for one in signature.inputs],
            "outputs": [one.name for one in signature.outputs],
            "tag": parts.tags[0] if parts.tags else ("serve" if parts.frozen else ""),
            "signature": name,
        }
        answer = ask(order, folder)
        try:
            graph = _loaded(read_graph(folder / "model.onnx"))
        except QingzhouError as err:
            raise failed(f"what it wrote cannot be read: {short(err.en, 200)}", "写出的文件无法读取") from None
    graph = _named(graph, parts.frozen, signature)
    pictures = [value.name for value in graph.inputs if _is_picture(value) or _is_first(graph, value)]
    graph = entered(graph)
    facts = {"TensorFlow": parts.version} if parts.version else {}
    outputs = [value.name for value in graph.outputs]
    made = Made(
        WORDS, "TensorFlow", parts.container, graph, facts, (), outputs, notes=_notes(answer), pictures=pictures
    )
    found = network_of(opened, made, wanted)
    return replace(found, named=_labels(opened))


def _labels(opened: Opened) -> object:
    """Of the labels.txt that Teachable Machine puts beside it; None without one."""
    name = min((one for one in opened.members if PurePosixPath(one).name == "labels.txt"), key=len, default="")
    return numbered(bytes_of(opened, name, MOST_LABELS).decode("utf-8-sig", "replace")) if name else None


def _notes(answer: Mapping[str, Any]) -> list[str]:
    far = float(answer.get("far", 0))
    return [
        say(
            en="TensorFlow ran this file's program to convert it, in a confined process of its own: do that only with "
            f"files that you trust. Every output was compared there; the largest difference was {far:.1e} of its size.",
            zh="转换时 TensorFlow 在受限的独立进程中运行了这个文件里的程序：请只对信任的文件这样做。"
            f"所有输出都已在其中比较，最大相对差为 {far:.1e}。",
        )
    ]


def _signature(parts: Parts) -> tuple[str, Signature]:
    """The one to convert; UnsupportedCheckpoint where there are several, or none."""
    found = parts.signatures
    name = next((one for one in USUAL if one in found), next(iter(found)) if len(found) == 1 else "")
    if parts.frozen:
        if not found[""].inputs or not found[""].outputs:
            raise WORDS.refused("its graph has no Placeholder or no result", "计算图没有 Placeholder 或没有输出")
        return USUAL[0], found[""]
    if not name:
        names = ", ".join(short(one, 40) for one in list(found)[:5]) or "-"
        raise WORDS.refused(
            f"it has no signature serving_default or serve (found: {names})",
            f"它没有名为 serving_default 或 serve 的签名（现有：{names}）",
            "Save it with model.export('folder'), or name one function signatures={'serving_default': f}",
            "请用 model.export('folder') 保存，或用 signatures={'serving_default': f} 指定一个函数",
        )
    return name, found[name]


# -- a copy for the process -------------------------------------------------------------------------------------------


def _copied(opened: Opened, parts: Parts, folder: Path) -> None:
    """What belongs to the model, in a folder of the process' own."""
    if opened.whole is not None and not opened.head.startswith(b"PK"):
        if not parts.frozen:  # a bare saved_model.pb: its variables lie beside it
            beside = opened.path.parent
            if not (beside / "variables").is_dir():
                raise WORDS.garbled(
                    "the folder variables is not beside saved_model.pb", "saved_model.pb 旁边没有 variables 文件夹"
                )
            opened = Opened.at(beside)
        else:
            shutil.copyfile(opened.path, folder / "model.pb")
            return
    for name, write in _members(opened):
        if not name.startswith(parts.root) or name.endswith("/"):
            continue
        place = PurePosixPath(name.removeprefix(parts.root))
        if place.parts[0] not in ("saved_model.pb", "variables", "assets", "fingerprint.pb", "keras_metadata.pb"):
            continue
        if place.is_absolute() or ".." in place.parts or "\\" in name or ":" in name:
            raise unsafe(f"its part {short(name)} leads out of it", f"其中的 {short(name)} 指向外部")
        target = folder.joinpath("saved", *place.parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        write(target)


def _members(opened: Opened) -> Iterator[tuple[str, Any]]:
    if opened.whole is None:
        for name in opened.members:
            yield name, lambda target, name=name: shutil.copyfile(opened.path / name, target)
        return
    for name, entry in entries_of(opened).items():

        def write(target: Path, entry: Any = entry) -> None:
            with open(target, "wb") as file:
                file.write(inflated(opened.file, entry, MOST_COPIED))

        yield name, write


# -- the graph --------------------------------------------------------------------------------------------------------


def _loaded(graph: Graph) -> Graph:
    """With its numbers in memory: the file vanishes."""

    def kept(name: str, one: Constant) -> Constant:
        array = one.load()
        return Constant(one.shape, one.dtype, lambda: array, keys={name: one.shape} if array.dtype.kind == "f" else {})

    return replace(graph, constants={name: kept(name, one) for name, one in graph.constants.items()})


def _named(graph: Graph, frozen: bool, signature: Signature) -> Graph:
    """With the names and the order of the signature, and free sizes called as everywhere."""
    foreign = sorted({node.op for node in graph.nodes if node.domain not in ("", "ai.onnx.ml")})
    if foreign:
        some = ", ".join(foreign[:3])
        raise WORDS.refused(f"it needs {some}, which ONNX has not", f"它需要 ONNX 没有的 {some}")
    theirs = {value.name.partition(":")[0]: value.name for value in (*graph.inputs, *graph.outputs)}
    names: dict[str, str] = {}
    for kind, ends in (("input", signature.inputs), ("output", signature.outputs)):
        for i, end in enumerate(ends):
            own = f"{kind}_{i}" if frozen else end.name
            if own in theirs:
                names[theirs[own]] = end.name.replace("/", ".")
    graph = renamed(graph, names)
    order = {end.name.replace("/", "."): i for i, end in enumerate(signature.outputs)}
    outputs = sorted(graph.outputs, key=lambda value: order.get(value.name, len(order)))
    inputs = tuple(replace(value, shape=_free(value)) for value in graph.inputs)
    bare = replace(graph, inputs=inputs, values={value.name: value for value in inputs})
    named = tuple(replace(value, shape=("batch", *value.shape[1:])) if value.shape else value for value in outputs)
    return replace(found := inferred(bare), outputs=tuple(found.values.get(one.name, one) for one in named))


def _free(value: Value) -> tuple[int | str, ...]:
    """batch, height, width, length, and what it is called there of others."""
    known = {0: "batch"} | ({1: "height", 2: "width"} if len(value.shape) == 4 else {1: "length"})
    return tuple(n if isinstance(n, int) and n > 0 else known.get(i, f"size_{i}") for i, n in enumerate(value.shape))


def renamed(graph: Graph, names: Mapping[str, str]) -> Graph:
    """Values by other names."""

    def called(name: str) -> str:
        return names.get(name, name)

    def row(values: Sequence[Value]) -> tuple[Value, ...]:
        return tuple(replace(value, name=called(value.name)) for value in values)

    nodes = tuple(
        replace(node, inputs=tuple(map(called, node.inputs)), outputs=tuple(map(called, node.outputs)))
        for node in graph.nodes
    )
    values = {called(name): replace(value, name=called(name)) for name, value in graph.values.items()}
    constants = {called(name): one for name, one in graph.constants.items()}
    return replace(
        graph, nodes=nodes, inputs=row(graph.inputs), outputs=row(graph.outputs), values=values, constants=constants
    )


def entered(graph: Graph) -> Graph:
    """Pictures come in as the runtime gives them, channels first: a Transpose brings them to the order of the file.

    graph/layout.py takes it away together with the one that follows.
    """
    turned = [value for value in graph.inputs if _is_picture(value) and not _is_first(graph, value)]
    names = {value.name: f"{value.name}/nhwc" for value in turned}
    inner = renamed(graph, names)
    shapes = {value.name: (value.shape[0], value.shape[3], *value.shape[1:3]) for value in turned}
    inputs = tuple(replace(value, shape=shapes.get(value.name, value.shape)) for value in graph.inputs)
    first = tuple(
        Node("Transpose", (value.name,), (names[value.name],), {"perm": (0, 2, 3, 1)}, name=names[value.name])
        for value in turned
    )
    values = {**inner.values, **{value.name: value for value in inputs}}
    return replace(inner, inputs=inputs, nodes=(*first, *inner.nodes), values=values)


def _is_picture(value: Value) -> bool:
    return len(value.shape) == 4 and value.dtype == "float32" and value.shape[3] in COLORS.values()


def _is_first(graph: Graph, value: Value) -> bool:
    """Whether all that reads it takes what lies second for its channels."""
    readers = graph.consumers()[value.name]
    return bool(readers) and all(
        node.op in FIRST or (node.op == "Transpose" and tuple(node.attrs.get("perm", ())) == (0, 2, 3, 1))
        for node in readers
    )
