"""Hostile `.pt2` and TorchScript archives: each is refused with an error of ours, and nothing in it is run."""

from __future__ import annotations

import json
import random
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "sources"))

from exported_files import ORACLE, parts_of, program_of, stored, with_program

from qingzhou.errors import CheckpointDamaged, QingzhouError, UnsafeCheckpoint, UnsupportedCheckpoint
from qingzhou.sources.exported.expr import parsed
from qingzhou.sources.read import read_network

GOOD = ORACLE / "pt2_odd_storage.pt2"
Program = dict[str, Any]
Change = Callable[[Program], None]
DEEP = 100_000


def graph(program: Program) -> Program:
    """Its nodes, and what is said of its values."""
    found: Program = program["graph_module"]["graph"]
    return found


def size(text: str) -> Change:
    """The batch described otherwise."""

    def change(program: Program) -> None:
        graph(program)["tensor_values"]["x"]["sizes"][0] = {"as_expr": {"expr_str": text, "hint": None}}

    return change


def node(i: int, **fields: object) -> Change:
    """One node with other fields."""

    def change(program: Program) -> None:
        graph(program)["nodes"][i].update(fields)

    return change


def many(program: Program) -> None:
    """More nodes than any network has."""
    graph(program)["nodes"] *= 8000


def doubled(axis: int) -> Change:
    """Each value twice as large as the one before; the last goes on to the end."""
    return lambda program: _doubled(program, axis)


def _doubled(program: Program, axis: int) -> None:
    first = graph(program)["nodes"][0]["outputs"][0]
    nodes = []
    for i in range(200):
        source = first if i == 0 else {"as_tensor": {"name": f"v{i - 1}"}}
        given = [
            {"name": "tensors", "arg": {"as_tensors": [source["as_tensor"]] * 2}, "kind": 1},
            {"name": "dim", "arg": {"as_int": axis}, "kind": 1},
        ]
        nodes.append(
            {
                "target": "torch.ops.aten.cat.default", "inputs": given,
                "outputs": [{"as_tensor": {"name": f"v{i}"}}], "metadata": {},
            }
        )  # fmt: skip
    graph(program)["nodes"][1:1] = nodes
    program["graph_module"]["signature"]["output_specs"] = [{"user_output": {"arg": nodes[-1]["outputs"][0]}}]


def call(target: str, *args: dict[str, object]) -> Change:
    """One more node at the beginning, whose result nobody needs."""

    def change(program: Program) -> None:
        inputs = [{"name": f"a{i}", "arg": arg, "kind": 1} for i, arg in enumerate(args)]
        made = {"target": target, "inputs": inputs, "outputs": [{"as_tensor": {"name": "made"}}], "metadata": {}}
        graph(program)["nodes"].insert(0, made)

    return change


X = {"as_tensor": {"name": "x"}}
LATER = {"as_tensor": {"name": "add_3"}}
PROGRAMS: dict[str, tuple[Change, type[QingzhouError]]] = {
    "a size that is code": (size("__import__('os').system('touch ran')"), CheckpointDamaged),
    "a size with attributes": (size("Symbol('s1').__class__"), CheckpointDamaged),
    "a size without end": (size("Add(" * 900 + "Integer(1)" + ")" * 900), CheckpointDamaged),
    "a size of many words": (size("Add(Integer(1), " * 4000), CheckpointDamaged),
    "more nodes than there are": (many, CheckpointDamaged),
    "values that double": (doubled(1), UnsupportedCheckpoint),
    "batches that double": (doubled(0), UnsupportedCheckpoint),
    "a huge tensor of zeros": (call("torch.ops.aten.zeros.default", {"as_ints": [1 << 39]}), CheckpointDamaged),
    "counting without end": (call("torch.ops.aten.arange.default", {"as_int": 1 << 40}), CheckpointDamaged),
    "repeats without end": (
        call("torch.ops.aten.repeat.default", X, {"as_ints": [1, 1 << 30, 1, 1]}), UnsupportedCheckpoint,
    ),
    "pads without end": (call("torch.ops.aten.pad.default", X, {"as_ints": [1 << 40, 0]}), UnsupportedCheckpoint),
    "a matrix of ones": (call("torch.ops.aten.eye.default", {"as_int": 1 << 20}), CheckpointDamaged),
    "an unknown kind of argument": (call("torch.ops.aten.relu.default", {"as_custom_obj": {}}), UnsupportedCheckpoint),
    "a value before it is made": (call("torch.ops.aten.relu.default", LATER), CheckpointDamaged),
    "python's own": (node(0, target="os.system"), UnsupportedCheckpoint),
    "python's operator": (node(0, target="_operator.call"), UnsupportedCheckpoint),
    "no target": (node(0, target=None), CheckpointDamaged),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_that_ask_for_too_much(name: str, tmp_path: Path) -> None:
    change, error = PROGRAMS[name]
    path = with_program(tmp_path / "bad.pt2", GOOD, change)
    with pytest.raises(error):
        read_network(path)


def test_json_of_any_depth(tmp_path: Path) -> None:
    parts = parts_of(GOOD)
    name, _ = program_of(parts)
    for text in (b"[" * DEEP, b'{"a":' * DEEP, b"[" * DEEP + b"]" * DEEP, b'{"a": 1, "a": 2}', b"\xff\xfe", b"NaN"):
        with pytest.raises(CheckpointDamaged):
            read_network(stored(tmp_path / "deep.pt2", {**parts, name: text}))


def weights(change: Callable[[Program], None]) -> dict[str, bytes]:
    """The archive with its list of weights changed."""
    parts = parts_of(GOOD)
    name = next(one for one in parts if one.endswith("weights_config.json"))
    config = json.loads(parts[name])
    change(config["config"])
    return {**parts, name: json.dumps(config).encode()}


def meta(**fields: object) -> Callable[[Program], None]:
    """Of one weight, what is said of its tensor."""
    return lambda config: config["conv.weight"]["tensor_meta"].update(fields)


WEIGHTS: dict[str, tuple[Callable[[Program], None], type[QingzhouError]]] = {
    "beyond its part": (meta(storage_offset={"as_int": 1 << 20}), UnsafeCheckpoint),
    "larger than its part": (meta(sizes=[{"as_int": 1 << 40}]), CheckpointDamaged),
    "strides that reach out": (meta(strides=[{"as_int": 1 << 30}] * 4), UnsafeCheckpoint),
    "a negative offset": (meta(storage_offset={"as_int": -8}), UnsafeCheckpoint),
    "a free size": (meta(sizes=[{"as_expr": {"expr_str": "Symbol('s1')"}}]), CheckpointDamaged),
    "numbers repeated without end": (
        meta(sizes=[{"as_int": 1 << 28}] * 4, strides=[{"as_int": 0}] * 4), UnsafeCheckpoint,
    ),
    "a pickle": (lambda config: config["conv.weight"].update(use_pickle=True), UnsupportedCheckpoint),
    "a part elsewhere": (lambda config: config["conv.weight"].update(path_name="../../x"), CheckpointDamaged),
    "a complex tensor": (meta(dtype=10), UnsupportedCheckpoint),
    "a list of something else": (lambda config: config.update(more=[1]), CheckpointDamaged),
}  # fmt: skip


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_that_lie_elsewhere(name: str, tmp_path: Path) -> None:
    change, error = WEIGHTS[name]
    path = stored(tmp_path / "bad.pt2", weights(change))
    with pytest.raises(error):
        read_network(path)


def test_archives_that_are_packed_or_doubled(tmp_path: Path) -> None:
    parts = parts_of(GOOD)
    with pytest.raises(UnsafeCheckpoint):
        read_network(stored(tmp_path / "packed.pt2", parts, packed=True))
    with zipfile.ZipFile(tmp_path / "twice.pt2", "w") as archive, pytest.warns(UserWarning):
        for name, data in [*parts.items(), *parts.items()]:
            archive.writestr(zipfile.ZipInfo(name), data)
    with pytest.raises(UnsafeCheckpoint):
        read_network(tmp_path / "twice.pt2")


def test_what_is_no_network_for_us(tmp_path: Path) -> None:
    old = {"serialized_exported_program.json": b"{}", "version": b"5.1", "serialized_state_dict.pt": b"x"}
    with pytest.raises(UnsupportedCheckpoint, match="or older"):
        read_network(stored(tmp_path / "old.pt2", old))
    parts = {**parts_of(GOOD), "model/data/aotinductor/model/x.so": b"\x7fELF"}
    with pytest.raises(UnsupportedCheckpoint, match="AOTInductor"):
        read_network(stored(tmp_path / "aoti.pt2", parts))


def test_random_changes_are_errors_of_ours(tmp_path: Path) -> None:
    """Values of all kinds in all places."""
    dice, parts = random.Random(0), parts_of(GOOD)
    name, _ = program_of(parts)
    values: list[object] = [None, True, -1, 1 << 62, 1e300, "", "x", [], {}, [[]], {"as_int": 5}, {"as_none": True}]
    for _ in range(150):
        program = json.loads(parts[name])
        place: Any = program["graph_module"]
        while True:
            key = dice.choice(list(place) if isinstance(place, dict) else list(range(len(place))))
            if not isinstance(place[key], (dict, list)) or not place[key] or dice.random() < 0.2:
                break
            place = place[key]
        place[key] = dice.choice(values)
        path = stored(tmp_path / "odd.pt2", {**parts, name: json.dumps(program).encode()})
        try:
            read_network(path)
        except QingzhouError as err:
            assert err.en and err.zh


def test_a_size_is_arithmetic_and_nothing_else() -> None:
    for text in ("eval(1)", "Symbol(x)", "Integer('1')", "1 2", "", "Add(1", "a.b", "f(*x)"):
        try:
            found = parsed(text)
        except CheckpointDamaged:
            continue
        assert found.op in ("eval", "word", "Symbol") and not hasattr(found, "call")


def test_code_whose_size_lies(tmp_path: Path) -> None:
    path = tmp_path / "lies.pt"
    path.write_bytes((ORACLE / "ts_scripted_two.pt").read_bytes())
    data = bytearray(path.read_bytes())
    place = data.index(b"PK\x01\x02")
    while place >= 0:
        struct.pack_into("<L", data, place + 24, 1 << 30)  # the size of each part, unpacked
        place = data.find(b"PK\x01\x02", place + 4)
    path.write_bytes(data)
    with pytest.raises(QingzhouError):
        read_network(path)
