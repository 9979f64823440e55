"""Paddle 2's programs: protobuf, ProgramDesc.

https://github.com/PaddlePaddle/Paddle/blob/develop/paddle/phi/core/framework/framework.proto
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

from ...files.limits import MOST_AXES
from ...files.refusals import short, unsafe
from ...files.wire import FIXED64, Field, Message
from .operators import OLDER, Known
from .program import DENSE, KINDS, Names, Operator, Program, Stored, Typed
from .refuse import branching, check_purpose, garbled

MOST_BYTES = 256 << 20
LONGEST_NAME = 4000
OWN = ("op_callstack", "op_role", "op_role_var", "op_namescope", "op_device", "with_quant_attr", "use_mkldnn",
       "use_cudnn", "mkldnn_data_type", "use_quantizer", "force_cpu", "XShape")  # fmt: skip
FREE, FED, FETCHED = ("feed", "fetch"), "feed", "fetch"


def read_desc(data: bytes) -> Program:
    """CheckpointDamaged, UnsafeCheckpoint, UnsupportedCheckpoint."""
    if len(data) > MOST_BYTES:
        raise unsafe(f"its program has {len(data)} bytes", f"程序文件有 {len(data)} 字节")
    message = Message(memoryview(data))
    blocks, version = [], ""
    for field in message.fields():
        if field.number == 1:
            blocks.append(message.inside(field))
        elif field.number == 4:
            version = _version(message.inside(field))
    if not blocks:
        raise garbled("its program has no block", "程序文件中没有计算块")
    variables, entries = _block(blocks[0])
    check_purpose([kind for kind, *_ in entries])
    if len(blocks) > 1:
        raise branching(_control(entries) or f"{len(blocks)} blocks")
    return _program(version, variables, entries)


Entry = tuple[str, dict[str, Names], dict[str, Names], dict[str, Any]]  # kind, inputs, outputs, attributes


def _control(entries: list[Entry]) -> str:
    return next((short(kind) for kind, _, _, attrs in entries if "sub_block" in attrs), "")


def _version(message: Message) -> str:
    number = next((message.number(one) for one in message.fields() if one.number == 1), 0)
    return ".".join(map(str, (number // 1_000_000, number // 1000 % 1000, number % 1000))) if number > 0 else ""


def _block(message: Message) -> tuple[dict[str, tuple[Typed, bool]], list[Entry]]:
    """Its variables, with whether they are stored, and its operations."""
    variables, entries = {}, []
    for field in message.fields():
        if field.number == 3:
            name, found, stored = _variable(message.inside(field))
            variables[name] = (found, stored)
        elif field.number == 4:
            entries.append(_entry(message.inside(field)))
    return variables, entries


def _text(message: Message, field: Field) -> str:
    if field.end - field.start > LONGEST_NAME:
        raise unsafe("a name in it is very long", "其中有过长的名称")
    return message.text(field)


def _variable(message: Message) -> tuple[str, Typed, bool]:
    name, found, dense, persistable = "", Typed("", ()), False, False
    for field in message.fields():
        if field.number == 1:
            name = _text(message, field)
        elif field.number == 2:
            found, dense = _var_type(message.inside(field))
        elif field.number == 3:
            persistable = bool(field.value)
    return name, found, persistable and dense


def _var_type(message: Message) -> tuple[Typed, bool]:
    kind, tensor = -1, Typed("", ())
    for field in message.fields():
        if field.number == 1:
            kind = message.number(field)
        elif field.number == 3:  # DenseTensorDesc
            inner = message.inside(field)
            tensor = next((tensor_desc(inner.inside(one)) for one in inner.fields() if one.number == 1), tensor)
    return tensor, kind == DENSE


def tensor_desc(message: Message) -> Typed:
    """TensorDesc: also of each tensor in a file of parameters."""
    kind, dims = -1, []
    for field in message.fields():
        if field.number == 1:
            kind = message.number(field)
        elif field.number == 2:
            dims += message.numbers(field)
        if len(dims) > MOST_AXES:
            raise garbled("a tensor has too many axes", "有张量的维数过多")
    return Typed(KINDS.get(kind, ""), tuple(dims))


def _entry(message: Message) -> Entry:
    kind = ""
    inputs: dict[str, Names] = {}
    outputs: dict[str, Names] = {}
    attrs: dict[str, Any] = {}
    for field in message.fields():
        if field.number == 3:
            kind = _text(message, field)
        elif field.number in (1, 2):
            slot, names = _slot(message.inside(field))
            (inputs if field.number == 1 else outputs)[slot] = names
        elif field.number == 4:
            name, value = _attribute(message.inside(field))
            if name not in OWN:
                attrs[name] = value
    return kind, inputs, outputs, attrs


def _slot(message: Message) -> tuple[str, Names]:
    slot, names = "", []
    for field in message.fields():
        if field.number == 1:
            slot = _text(message, field)
        elif field.number == 2:
            names.append(_text(message, field))
    return slot, tuple(names)


def _double(message: Message, field: Field) -> float:
    if field.kind != FIXED64:
        raise garbled("an attribute has another kind than it says", "属性的类型不符")
    return float(struct.unpack_from("<d", message.data, field.start)[0])


def _scalar(message: Message, field: Field) -> Any:
    inner = message.inside(field)
    found: Any = 0
    for one in inner.fields():
        if one.number in (2, 3):
            found = bool(one.value) if one.number == 2 else inner.number(one)
        elif one.number == 4:
            found = _double(inner, one)
    return found


def _doubles(message: Message, field: Field) -> list[float]:
    if field.kind == FIXED64:
        return [_double(message, field)]
    data = message.bytes(field)
    if len(data) % 8:
        raise garbled("an attribute is cut", "属性不完整")
    return list(struct.unpack(f"<{len(data) // 8}d", data))


ONE: Mapping[int, Callable[[Message, Field], Any]] = {
    3: Message.number, 4: Message.real, 5: Message.text, 10: lambda m, f: bool(f.value), 12: Message.number,
    13: Message.number, 17: Message.text, 19: _double, 20: _scalar,
}  # fmt: skip
MANY: Mapping[int, Callable[[Message, Field], list[Any]]] = {
    6: Message.numbers, 7: Message.reals, 8: lambda m, f: [m.text(f)], 11: lambda m, f: list(map(bool, m.numbers(f))),
    15: Message.numbers, 16: _doubles, 18: lambda m, f: [m.text(f)], 21: lambda m, f: [_scalar(m, f)],
}  # fmt: skip
LISTS = (3, 4, 5, 7, 11, 12, 14, 17)  # AttrType: an empty list has no field at all
BLOCKS = {8: "sub_block", 10: "sub_block"}


def _attribute(message: Message) -> tuple[str, Any]:
    """Its name and value; None of a block."""
    name, kind, found = "", -1, None
    for field in message.fields():
        if field.number == 1:
            name = _text(message, field)
        elif field.number == 2:
            kind = message.number(field)
        elif name in OWN:
            continue
        elif field.number in ONE:
            found = ONE[field.number](message, field)
        elif field.number in MANY:
            found = [*(found if isinstance(found, list) else []), *MANY[field.number](message, field)]
    return BLOCKS.get(kind, name), [] if found is None and kind in LISTS else found


# -- in the words of the newer generation ------------------------------------------------------------------------------


def _program(version: str, variables: Mapping[str, tuple[Typed, bool]], entries: list[Entry]) -> Program:
    inputs: list[tuple[int, str]] = []
    outputs: list[tuple[int, str]] = []
    operators = []
    for kind, given, results, attrs in entries:
        if kind in FREE:
            names = results.get("Out", ()) if kind == FED else given.get("X", ())
            if len(names) != 1:
                raise garbled(f"a {kind} is of {len(names)} variables", f"{kind} 的变量有 {len(names)} 个")
            column = attrs.get("col")
            (inputs if kind == FED else outputs).append((column if isinstance(column, int) else 0, names[0]))
        else:
            operators.append(_operator(kind, given, results, attrs))
    stored = {name: Stored(name, kind) for name, (kind, is_stored) in variables.items() if is_stored}
    types = {name: kind for name, (kind, _) in variables.items()}
    ends = tuple(name for _, name in sorted(outputs, key=lambda one: one[0]))
    begins = [(name, name) for _, name in sorted(inputs, key=lambda one: one[0])]
    return Program("Paddle 2 program", version, begins, ends, operators, stored, types)


def _operator(kind: str, given: Mapping[str, Names], results: Mapping[str, Names], attrs: dict[str, Any]) -> Operator:
    known = _known(kind, given, attrs)
    label = next((names[0] for names in results.values() if names), kind)
    if known is None:
        return Operator(kind, given, tuple(results.values()), attrs, label)
    inputs = {}
    for argument, forms in known.inputs.items():
        names = next((given[form] for form in forms if given.get(form)), ())
        if names:
            inputs[argument] = names
    renamed = {old: new for new, old in known.attrs.items()}
    said = {renamed.get(name, name): value for name, value in attrs.items()}
    return Operator(known.name, inputs, [results.get(slot, ()) for slot in known.outputs], said, label)


def _known(kind: str, given: Mapping[str, Names], attrs: Mapping[str, Any]) -> Known | None:
    """How the operator is written, by its inputs too where several of the newer ones were one."""
    if kind == "fill_constant" and given.get("ValueTensor"):
        return OLDER["fill_constant_with_tensor"]
    if kind == "set_value" and given.get("ValueTensor"):
        return OLDER["set_value_with_tensor"]
    if kind == "split" and attrs.get("num"):
        return Known("split_with_num", {"x": ("X",), "axis": ("AxisTensor",)}, ("Out",), {})
    return OLDER.get(kind)
