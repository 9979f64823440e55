"""A model of Paddle as a network: its operators go through the Walk one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import say
from ...files.limits import elements
from ...files.refusals import naming, short
from ...files.types import TensorRef
from ...graph.form import Dim, Graph
from ...nets.recorded import Wanted
from ...runtime.model.card import COLORS
from ..network import Network
from ..packed import member, small
from ..recording.card import Made, network_of
from ..recording.finish import finished
from ..recording.net import Net, plain
from ..source import Contents, Opened, Part
from .desc import read_desc
from .heads import MOST_PROGRAM, PARAMETERS, PROGRAMS, is_pir, looks_like
from .names import structured
from .parameters import read_parameters
from .parts import Parts, missing, parts_of
from .pir import read_pir
from .program import Program, Typed
from .refuse import PADDLE, encrypted, garbled
from .said import said_of
from .table import TABLE
from .walk import Walk

MOST_UNPACKED = 4 << 30
BATCH = "batch"
SIDES = ("height", "width")


@dataclass(frozen=True)
class Whole:
    """A model: its program, its tensors by their names there, and what the author's program calls them."""

    parts: Parts
    program: Program
    tensors: Mapping[str, TensorRef]
    names: Mapping[str, str]
    size: int


def whole_of(opened: Opened) -> Whole:
    """CheckpointDamaged, UnsafeCheckpoint, UnsupportedCheckpoint."""
    with naming(opened.path):
        parts = parts_of(opened)
        if not parts.program:
            stem = parts.parameters.removesuffix(PARAMETERS)
            raise missing(*(stem + suffix for suffix in PROGRAMS))
        program = _program(_data(opened, parts.program), parts.program)
        tensors: Mapping[str, TensorRef] = {}
        size = 0
        if parts.parameters:
            source = member(opened, parts.parameters, MOST_UNPACKED)
            tensors, size = read_parameters(source, program, opened.limits), source.size
        elif program.stored:
            stem = next((parts.program.removesuffix(one) for one in PROGRAMS if parts.program.endswith(one)), "model")
            raise missing(stem + PARAMETERS)
        names = structured(opened, parts.info, program)
        return Whole(parts, program, tensors, names, size)


def _data(opened: Opened, name: str) -> bytes:
    if opened.members:
        return small(opened, name, MOST_PROGRAM)
    return opened.file.read(0, min(opened.file.size, MOST_PROGRAM))


def _program(data: bytes, name: str) -> Program:
    """In either form, by its first bytes."""
    if is_pir(data):
        return read_pir(data)
    if looks_like(data[:64]):
        return read_desc(data)
    raise encrypted(name)


def contents(opened: Opened) -> Contents:
    """Its tensors and what it says of itself, also where it cannot be converted."""
    whole = opened.content(whole_of)
    parts = [Part(whole.names.get(name, name), str(ref.dtype), ref.shape) for name, ref in whole.tensors.items()]
    return Contents(whole.program.form, whole.size, parts, _tool(whole.program), facts(whole.program))


def _tool(program: Program) -> str:
    return "PaddlePaddle"


def facts(program: Program) -> dict[str, object]:
    """What the file says of its making."""
    return {"paddle": program.version} if program.version else {}


def read_paddle(opened: Opened, wanted: Wanted) -> Network:
    """UnsupportedCheckpoint names the operator; CheckpointDamaged, UnsafeCheckpoint."""
    whole = opened.content(whole_of)
    said = said_of(opened, whole.parts)
    typed = whole.program.types.get(whole.program.inputs[0][1]) if whole.program.inputs else None
    wanted = said.sized(wanted, typed.dims if typed else ())
    graph, walk, names = recorded(whole, wanted)
    made = Made(
        PADDLE,
        _tool(whole.program),
        whole.program.form,
        graph,
        {**facts(whole.program), **said.facts},
        [walk.key(name) for name in whole.tensors],
        names,
        said.title,
        [*walk.notes, *said.notes, *_newer(whole.program)],
    )
    return said.told(network_of(opened, made, wanted))


def _newer(program: Program) -> list[str]:
    if not program.newer:
        return []
    return [
        say(
            en=f"The program has the version {program.newer} of its format; up to 4 is known, and it was read as that.",
            zh=f"程序文件的格式版本是 {program.newer}，这里已知的最高版本是 4；已按该版本读取。",
        )
    ]


def recorded(whole: Whole, wanted: Wanted) -> tuple[Graph, Walk, list[str]]:
    """The graph, the Walk that wrote it down, and what its results are called."""
    program = whole.program
    if not program.outputs or not program.inputs:
        raise garbled("its program has no input or no output", "程序没有输入或输出")
    taken = {name for name, _ in program.inputs}
    count = len(program.outputs)
    names = ["output" if count == 1 else f"output_{i}" for i in range(count)]
    names = [f"{name}_out" if name in taken else name for name in names]
    walk = Walk(Net(PADDLE, names), program, whole.tensors, TABLE, whole.names)
    for i, (name, variable) in enumerate(program.inputs):
        _enter(walk, name or f"input_{i}", variable, wanted, len(program.inputs))
    for op in program.operators:
        walk.step(op)
    ends = [walk.value(variable) for variable in program.outputs]
    return finished(walk.t, ends, names), walk, names


def _enter(walk: Walk, name: str, variable: str, wanted: Wanted, count: int) -> None:
    """One input, with names for its free sizes."""
    typed = walk.program.types.get(variable, Typed("", ()))
    if not typed.dtype or elements([abs(n) for n in typed.dims]) is None:
        raise garbled(f"its input {short(name, 60)} has no type", f"输入 {short(name, 60)} 没有类型")
    picture = is_picture(typed)
    sides: list[Dim] = [_side(i, n, picture) for i, n in enumerate(typed.dims)]
    if picture and wanted.picture is not None and count == 1:
        sides[2:] = [m if isinstance(n, str) else n for n, m in zip(sides[2:], wanted.picture, strict=True)]
    walk.t.here = short(name, 60)
    walk.values[variable] = walk.t.input(short(name, 60), tuple(sides), plain(typed.dtype))


def is_picture(typed: Typed) -> bool:
    """Whether axis 1 are colours."""
    return len(typed.dims) == 4 and typed.dims[1] in COLORS.values() and typed.dtype.startswith("float")


def _side(axis: int, size: int, picture: bool) -> Dim:
    if size >= 0:
        return size
    if axis == 0:
        return BATCH
    return SIDES[axis - 2] if picture and axis > 1 else f"size_{axis}"
