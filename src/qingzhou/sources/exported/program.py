"""An exported program as frozen data: what goes in, the calls, what comes out. Every field of the JSON is checked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...files.refusals import damaged, short
from ...graph.form import Dim
from ...runtime.model import fields
from ..aten.refuse import refused
from .archive import NAMES
from .expr import Expr, parsed, shown, symbols

MOST_NODES = 100_000
DIALECTS = ("TRAINING", "ATEN", "ATEN_EDGE", "EDGE", "")
NEWEST = 8  # major version of the schema that torch 2.8 to 2.13 write


@dataclass(frozen=True)
class Named:
    """A tensor or a size that was given a name."""

    name: str


@dataclass(frozen=True)
class Call:
    """One node: the operator, its arguments by place and by name, the names of its results, and the author's line."""

    target: str
    args: tuple[Any, ...]
    named: Mapping[str, Any]
    outputs: tuple[Any, ...]
    layer: str = ""
    line: str = ""


@dataclass(frozen=True)
class Inner:
    """A part of the program that stands in a node of its own, as what is under torch.no_grad() does."""

    inputs: tuple[Any, ...]
    calls: tuple[Call, ...]
    outputs: tuple[Any, ...]


@dataclass(frozen=True)
class Spec:
    """One input of the program: "user", "parameter", "buffer" or "constant"; key: what its tensor is called."""

    kind: str
    name: str
    key: str = ""


@dataclass(frozen=True)
class Program:
    """All of it. shapes, dtypes: of tensors by name; sizes: of what is a size, how it is called."""

    inputs: tuple[Spec, ...]
    calls: tuple[Call, ...]
    outputs: tuple[Any, ...]
    shapes: Mapping[str, tuple[Dim, ...]]
    dtypes: Mapping[str, str]
    sizes: Mapping[str, Dim]
    input_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()
    torch: str = ""
    title: str = ""


def _wrong(what: str) -> Exception:
    return damaged(f"its network is described wrongly ({short(what, 60)})", f"网络的描述有误（{short(what, 60)}）")


def record(value: object, what: str) -> Mapping[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise _wrong(what)
    return value


def row(value: object, what: str, most: int = MOST_NODES) -> list[Any]:
    """A JSON list."""
    if not isinstance(value, list) or len(value) > most:
        raise _wrong(what)
    return value


def text(value: object, what: str) -> str:
    """A name."""
    if not isinstance(value, str) or len(value) > 400:
        raise _wrong(what)
    return value


def read_program(data: Mapping[str, Any]) -> Program:
    """CheckpointDamaged, or UnsupportedCheckpoint for what a newer torch may have added."""
    version = record(data.get("schema_version"), "schema_version").get("major")
    if version != NEWEST:
        raise refused(
            f"its format has the version {short(version, 20)}, and {NEWEST} is known here",
            f"它的格式版本是 {short(version, 20)}，这里支持的是 {NEWEST}",
            "Export it with torch 2.8 to 2.13, or update Qingzhou",
            "请用 torch 2.8 到 2.13 导出，或更新轻舟",
        )
    module = record(data.get("graph_module"), "graph_module")
    graph = record(module.get("graph"), "graph")
    signature = record(module.get("signature"), "signature")
    inputs = tuple(_spec(one) for one in row(signature.get("input_specs"), "input_specs"))
    metas = record(graph.get("tensor_values"), "tensor_values")
    names = _symbols(inputs, metas)
    shapes = {name: _shape(one, names) for name, one in metas.items()}
    dtypes = {name: NAMES.get(_number(record(one, name).get("dtype")), "?") for name, one in metas.items()}
    values = record(graph.get("sym_int_values", {}), "sym_int_values")
    sizes = {name: _size(one, names) for name, one in values.items()}
    calls = tuple(_node(one) for one in row(graph.get("nodes"), "nodes"))
    outputs = tuple(_output(one) for one in row(signature.get("output_specs"), "output_specs"))
    entry, out = _names(module)
    return Program(
        inputs,
        calls,
        outputs,
        shapes,
        dtypes,
        sizes,
        entry,
        out,
        str(data.get("torch_version", ""))[:40],
        _title(graph),
    )


def _spec(value: object) -> Spec:
    one = record(value, "input_specs")
    kind = next(iter(one), "")
    body = record(one.get(kind), kind)
    if kind == "constant_input":
        return Spec("number", text(body.get("name"), kind))
    arg = record(body.get("arg"), kind)
    if kind == "user_input":
        if "as_tensor" not in arg:
            return Spec("number", f"{next(iter(arg), '')}")
        return Spec("user", text(record(arg["as_tensor"], kind).get("name"), kind))
    keys = {"parameter": "parameter_name", "buffer": "buffer_name", "tensor_constant": "tensor_constant_name"}
    if kind not in keys:
        raise refused(f"it takes {short(kind, 40)} as an input", f"它的输入里有 {short(kind, 40)}")
    return Spec(kind, text(arg.get("name"), kind), text(body.get(keys[kind]), kind))


# -- sizes ------------------------------------------------------------------------------------------------------------


def _symbols(inputs: Sequence[Spec], metas: Mapping[str, Any]) -> dict[str, str]:
    """What the free sizes of the inputs are called here: torch's own names, s77, say nothing."""
    found: dict[str, str] = {}
    for spec in inputs:
        if spec.kind != "user" or spec.name not in metas:
            continue
        sizes = [_expr(one) for one in row(record(metas[spec.name], spec.name).get("sizes"), "sizes", 32)]
        for axis, size in enumerate(sizes):
            usual = ("batch", "channels", "height", "width") if len(sizes) == 4 else ("batch",)
            for name in sorted(symbols(size)) if isinstance(size, Expr) else ():
                wish = usual[axis] if axis < len(usual) else "length"
                taken = set(found.values())
                free = (wish, *(f"{wish}{n}" for n in range(2, 99)))
                found.setdefault(name, next((one for one in free if one not in taken), name))
    return found


def _expr(value: object) -> Expr | int:
    one = record(value, "size")
    if type(one.get("as_int")) is int:
        return int(one["as_int"])
    found = record(one.get("as_expr"), "size")
    return parsed(str(found.get("expr_str")))


def _size(value: object, names: Mapping[str, str]) -> Dim:
    found = _expr(value)
    return found if isinstance(found, int) else shown(found, names)


def _shape(value: object, names: Mapping[str, str]) -> tuple[Dim, ...]:
    return tuple(_size(one, names) for one in row(record(value, "tensor").get("sizes"), "sizes", 32))


# -- nodes ------------------------------------------------------------------------------------------------------------


def _node(value: object) -> Call:
    node = record(value, "node")
    places: list[Any] = []
    named: dict[str, Any] = {}
    for one in row(node.get("inputs"), "inputs", 1000):
        entry = record(one, "inputs")
        found = argument(entry.get("arg"))
        if entry.get("kind") == 2:
            named[text(entry.get("name"), "inputs")] = found
        else:
            places.append(found)
    outputs = tuple(argument(one) for one in row(node.get("outputs"), "outputs", 10_000))
    meta = node.get("metadata")
    layer, line = _told(meta) if isinstance(meta, dict) else ("", "")
    return Call(text(node.get("target"), "target"), tuple(places), named, outputs, layer, line)


def _told(meta: Mapping[str, Any]) -> tuple[str, str]:
    """The path of the layer that a node belongs to, and the author's line, without the path of his file."""
    stack, trace = str(meta.get("nn_module_stack", "")), str(meta.get("stack_trace", ""))
    entry = stack.rsplit(";", 1)[-1].split(",")
    path = entry[1] if len(entry) == 3 else ""
    layer = re.sub(r"[^\w.]", "_", path)[:200]
    frames = re.split(r"^\s*File ", trace[:20_000], flags=re.MULTILINE)[1:]
    own = [one for one in frames if "/torch/nn/" not in one.replace("\\", "/").partition("\n")[0]] or frames
    code = own[-1].partition("\n")[2].partition("\n")[0].strip() if own else ""
    return layer, short(code, 80)


def _title(graph: Mapping[str, Any]) -> str:
    """The class of the network, as the first of its nodes tells it that stands in a layer."""
    nodes = graph.get("nodes")
    for node in nodes[:1000] if isinstance(nodes, list) else ():
        meta = node.get("metadata") if isinstance(node, dict) else None
        stack = str(meta.get("nn_module_stack", "")) if isinstance(meta, dict) else ""
        name = stack.partition(";")[0].split(",")[-1].rpartition(".")[2]
        if stack and not name.startswith("_empty_nn_module_stack"):  # what torch has for its own checks
            return name if name.isidentifier() and len(name) < 60 else ""
    return ""


def _tensor(value: object) -> Named:
    return Named(text(record(value, "as_tensor").get("name"), "as_tensor"))


def _symbolic(value: object) -> Any:
    one = record(value, "as_sym_int")
    if type(one.get("as_int")) is int:
        return one["as_int"]
    return Named(text(one.get("as_name"), "as_sym_int"))


def _number(value: object) -> Any:
    if isinstance(value, (int, float)):
        return value
    if value in ("Infinity", "-Infinity", "NaN"):
        return float(str(value).lower().replace("infinity", "inf"))
    raise _wrong("number")


def _optional(value: object) -> Any:
    one = record(value, "as_optional_tensor")
    return _tensor(one["as_tensor"]) if "as_tensor" in one else None


def _inner(value: object) -> Inner:
    graph = record(record(value, "as_graph").get("graph"), "as_graph")
    inputs, outputs = (tuple(argument(one) for one in row(graph.get(key), key)) for key in ("inputs", "outputs"))
    return Inner(inputs, tuple(_node(one) for one in row(graph.get("nodes"), "nodes")), outputs)


ARGUMENTS: Mapping[str, Callable[[Any], Any]] = {
    "as_none": lambda value: None,
    "as_tensor": _tensor,
    "as_tensors": lambda value: [_tensor(one) for one in row(value, "as_tensors", 10_000)],
    "as_optional_tensors": lambda value: [_optional(one) for one in row(value, "as_optional_tensors", 100)],
    "as_optional_tensor": _optional,
    "as_int": _number,
    "as_ints": lambda value: [_number(one) for one in row(value, "as_ints")],
    "as_float": _number,
    "as_floats": lambda value: [_number(one) for one in row(value, "as_floats")],
    "as_bool": bool,
    "as_bools": lambda value: [bool(one) for one in row(value, "as_bools")],
    "as_string": lambda value: text(value, "as_string"),
    "as_strings": lambda value: [text(one, "as_strings") for one in row(value, "as_strings")],
    "as_sym_int": _symbolic,
    "as_sym_ints": lambda value: [_symbolic(one) for one in row(value, "as_sym_ints")],
    "as_sym_bool": lambda value: Named(text(record(value, "as_sym_bool").get("as_name"), "as_sym_bool")),
    "as_sym_float": lambda value: Named(text(record(value, "as_sym_float").get("as_name"), "as_sym_float")),
    "as_scalar_type": lambda value: NAMES.get(value, f"dtype {short(value, 20)}"),
    "as_memory_format": lambda value: None,
    "as_layout": lambda value: None,
    "as_device": lambda value: None,
    "as_graph": _inner,
}


def argument(value: object) -> Any:
    """One argument or result: plain values, and Named for tensors and sizes."""
    one = record(value, "argument")
    kind = next(iter(one), "")
    if kind not in ARGUMENTS:
        raise refused(f"an argument is of the kind {short(kind, 40)}", f"算子参数 {short(kind, 40)} 不支持")
    return ARGUMENTS[kind](one[kind])


def _output(value: object) -> Any:
    one = record(value, "output_specs")
    kind = next(iter(one), "")
    if kind != "user_output":
        raise refused(
            f"it changes what it keeps while it runs ({short(kind, 40)})",
            f"它在运行时会修改自身的状态（{short(kind, 40)}）",
            "Call model.eval() before exporting, and give back what changes as a result",
            "请在导出前调用 model.eval()，并把会变化的内容作为返回值",
        )
    return argument(record(one[kind], kind).get("arg"))


# -- names ------------------------------------------------------------------------------------------------------------


def _names(module: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the inputs are called in forward(), and the outputs in the dict that it gives; () where nothing is said."""
    calls = module.get("module_call_graph")
    first = calls[0] if isinstance(calls, list) and calls else {}
    signature = first.get("signature") if isinstance(first, dict) else None
    if not isinstance(signature, dict):
        return (), ()
    given = signature.get("forward_arg_names")
    entry = tuple(str(one)[:100] for one in given) if isinstance(given, list) and len(given) < 100 else ()
    try:
        spec = fields.loads(str(signature.get("out_spec")))
    except (ValueError, RecursionError):
        return entry, ()
    return entry, tuple(_leaves(spec[1] if isinstance(spec, list) and len(spec) == 2 else None, "", 0))


def _leaves(spec: object, path: str, depth: int) -> list[str]:
    """A name for each result, in order: "scores", "aux.0"; "" for one that stands alone."""
    if not isinstance(spec, dict) or depth > 8:
        return [path]
    children = spec.get("children_spec")
    if not isinstance(children, list) or spec.get("type") is None:
        return [path]
    keys = _keys(spec, len(children))
    inside = zip(keys, children, strict=True)
    return [leaf for key, child in inside for leaf in _leaves(child, f"{path}.{key}" if path else key, depth + 1)]


def _keys(spec: Mapping[str, Any], count: int) -> list[str]:
    """Of a dict its own; of a list or tuple its numbers."""
    try:
        found = json.loads(str(spec.get("context")))
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        found = next((one for one in found.values() if isinstance(one, list)), None)
    if "ict" in str(spec.get("type")) and isinstance(found, list) and len(found) == count:
        return [str(one)[:60] for one in found]
    return [str(i) for i in range(count)]
