"""A `.pt2` as a network: its calls run through the Machine one after the other."""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest
from typing import Any

from ...errors import ModelError, QingzhouError, say
from ...files.refusals import damaged, short, unsafe
from ...graph.form import Graph, Value
from ...nets.recorded import Wanted
from ..aten.machine import Machine, Tensor
from ..aten.refuse import TORCH, refused
from ..network import Network
from ..recording.card import Made, network_of
from ..recording.finish import finished
from ..recording.net import Net, plain
from ..recording.words import at_line
from ..source import Opened
from .alone import by_itself
from .archive import Archive, read_archive
from .program import Call, Inner, Named, Program, Spec, read_program
from .reckon import is_of_sizes, reckoned

ATEN, HIGHER = "torch.ops.aten.", "torch.ops.higher_order."
WRAPPED = ("wrap_with_set_grad_enabled", "wrap_with_autocast")  # which change no number here


def archive_in(opened: Opened) -> Archive:
    """The parts of the file, with the budget of its tensors kept."""
    found = read_archive(opened)
    most = max(opened.limits.spread * opened.file.size, opened.limits.spread_floor)
    total = 0
    for ref in found.tensors.values():
        total += ref.dtype.itemsize * _count(ref.shape)
        if total > most:
            raise unsafe("its tensors are much larger than the file", "张量总量远大于文件")
    return found


def _count(shape: tuple[int, ...]) -> int:
    found = 1
    for size in shape:
        found *= size
    return found


def read_exported(opened: Opened, wanted: Wanted) -> Network:
    """UnsupportedCheckpoint names the operator and the author's line; CheckpointDamaged, UnsafeCheckpoint."""
    archive = opened.content(archive_in)
    try:
        program = read_program(archive.program)
        graph, names, notes = _best(program, archive, wanted.keep_batch)
    except RecursionError:
        raise damaged("its network is nested too deeply", "网络嵌套过深") from None
    made = Made(
        TORCH,
        "PyTorch",
        "torch.export",
        graph,
        {"torch": program.torch},
        tuple(archive.tensors),
        names,
        program.title,
        notes,
    )
    return network_of(opened, made, wanted)


def _best(program: Program, archive: Archive, fixed: bool) -> tuple[Graph, tuple[str, ...], list[str]]:
    """With a free batch where several at once went in when it was exported, and each is treated by itself; a note."""
    users = [program.shapes.get(spec.name, ()) for spec in program.inputs if spec.kind == "user"]
    counts = {shape[0] if shape else 0 for shape in users}
    count = counts.pop() if len(counts) == 1 else 0
    renewed = by_itself(program, count) if isinstance(count, int) and count > 1 and not fixed else None
    if renewed is None:
        return *recorded(program, archive), []
    try:
        found, names = recorded(program, archive, renewed)
    except (QingzhouError, ModelError):
        return *recorded(program, archive), []
    ends = [program.shapes.get(one.name, ()) for one in program.outputs if isinstance(one, Named)]
    if all(value.shape == ("batch", *told[1:]) for value, told in zip(found.outputs, ends, strict=False)):
        return found, names, [_freed(int(count))]
    return *recorded(program, archive), []


def _freed(count: int) -> str:
    return say(
        en=f"The network was exported for {count} inputs at once. Every step of it treats each by itself, so any "
        "number may go in.",
        zh=f"网络导出时一次输入 {count} 个样本；其中每一步都对各个样本分别计算，因此批量大小可以任意。",
    )


def recorded(
    program: Program, archive: Archive, renewed: frozenset[str] | None = None
) -> tuple[Graph, tuple[str, ...]]:
    """The graph, and the names of its outputs; `renewed`: with a batch that the file says is fixed, which is the first
    size of these results.
    """
    users = [spec for spec in program.inputs if spec.kind == "user"]
    shown = _shown(program, users)
    net = Net(TORCH, _output_names(program))
    walk = _Walk(net, program, archive, renewed)
    for spec, name in zip(users, shown, strict=True):
        walk.enter(spec, name)
    for spec in program.inputs:
        if spec.kind != "user":
            walk.keep(spec)
    for call in program.calls:
        walk.step(call)
    outputs = [walk.result(one) for one in program.outputs]
    names = _output_names(program)
    kept = [(value, name) for value, name in zip(outputs, names, strict=True) if value is not None]
    return finished(net, [value for value, _ in kept], [name for _, name in kept]), tuple(name for _, name in kept)


def _shown(program: Program, users: list[Spec]) -> list[str]:
    """What the inputs are called: as in forward(), if those are as many."""
    given = [name for name in program.input_names if name.isidentifier()]
    fits = len(given) == len(users) == len(set(given))
    return given if fits else [spec.name for spec in users]


def _output_names(program: Program) -> list[str]:
    """ "output" for one; as in the dict that forward() gives; output_0, output_1 … of others."""
    count = len(program.outputs)
    given = list(program.output_names)
    if count == 1 and (len(given) != 1 or given[0] in ("", "0")):
        names = ["output"]
    elif len(given) == count and len(set(given)) == count and not all(one.isdigit() for one in given):
        names = given
    else:
        names = [f"output_{i}" for i in range(count)]
    taken = set(_shown(program, [spec for spec in program.inputs if spec.kind == "user"]))
    return [f"{name}_out" if name in taken else name for name in names]


class _Walk:
    """One program on its way: names and what they stand for."""

    def __init__(self, net: Net, program: Program, archive: Archive, renewed: frozenset[str] | None) -> None:
        self.net, self.program, self.archive, self.renewed = net, program, archive, renewed
        self.machine = Machine(net)
        self.names: dict[str, Any] = {}
        self.left_out: dict[str, str] = {}  # results that are not made -> of which operator

    def enter(self, spec: Spec, shown: str) -> None:
        """An input of the network."""
        shape, dtype = self.program.shapes.get(spec.name), self.program.dtypes.get(spec.name, "?")
        if shape is None or dtype == "?":
            raise damaged(f"its input {short(spec.name)} has no shape", f"输入 {short(spec.name)} 没有形状")
        shape = ("batch", *shape[1:]) if self.renewed is not None else shape
        own = dtype if dtype in ("uint8", "int32", "int64", "bool") else plain(dtype)
        value = self.net.input(shown, shape, own)
        if plain(own) != own:
            self.net.here = f"{shown}.whole"
            value = self.net.emit("Cast", [value], to=7)
        self.names[spec.name] = Tensor(value)

    def keep(self, spec: Spec) -> None:
        """A parameter, buffer or constant; read when it is first used."""
        ref = self.archive.tensors.get(spec.key)
        if spec.kind == "number":
            return
        if ref is None:
            raise damaged(f"its tensor {short(spec.key)} is missing", f"缺少张量 {short(spec.key)}")
        self.names[spec.name] = lambda: Tensor(self.net.tensor(spec.key, ref))

    def find(self, name: str) -> Any:
        """What a name stands for."""
        found = self.names.get(name)
        if name in self.left_out:
            op = short(self.left_out[name], 60)
            raise refused(f"a result of {op} is used that is not known here", f"用到了 {op} 的一个这里不支持的结果")
        if found is None:
            raise damaged(f"it uses {short(name, 60)} before it is made", f"{short(name, 60)} 在生成之前就被使用")
        if callable(found):
            found = self.names[name] = found()
        return found

    def given(self, value: Any) -> Any:
        """An argument with tensors and sizes in the place of names."""
        if isinstance(value, Named):
            return self.find(value.name)
        return [self.given(one) for one in value] if isinstance(value, list) else value

    def step(self, call: Call) -> None:
        """One node."""
        args = [self.given(one) for one in call.args]
        named = {key: self.given(one) for key, one in call.named.items()}
        if self.renewed and args and len(args) > 1 and _first(call) in self.renewed:
            args[1] = [self.net.size(self.net.inputs[0], 0), *args[1][1:]]
        base = call.target.removeprefix(ATEN)
        self.net.here = call.layer or _first(call)
        if is_of_sizes(call.target):
            first = call.outputs[0].name if call.outputs and isinstance(call.outputs[0], Named) else ""
            known = self.program.sizes.get(first, "")
            found = reckoned(self.net, call.target, [self.machine.read(one) for one in args], known)
        elif call.target.removeprefix(HIGHER) in WRAPPED:
            found = self._inside(args)
        elif base in ("item.default", "_local_scalar_dense.default"):
            found = self._number(call, args)
        elif call.target.startswith(ATEN):
            name, _, overload = base.partition(".")
            found = self.machine.call(name, args, named, overload or "default", call.line)
        else:
            raise at_line(_foreign(call.target), call.target.removeprefix("torch.ops."), call.line)
        self._bind(call, found)

    def _inside(self, args: list[Any]) -> list[Any]:
        """What stands under torch.no_grad() or autocast, as if it stood there without."""
        place = next((i for i, one in enumerate(args) if isinstance(one, Inner)), -1)
        if place < 0:
            raise damaged("a part of its network is missing", "网络缺少一部分")
        inner, given = args[place], args[place + 1 :]
        walk = _Walk(self.net, replace(self.program, shapes={}), self.archive, self.renewed)
        walk.machine = self.machine
        names = [one.name for one in inner.inputs if isinstance(one, Named)]
        walk.names.update(zip(names, given, strict=False))
        for call in inner.calls:
            walk.step(call)
        return [walk.find(one.name) for one in inner.outputs if isinstance(one, Named)]

    def _number(self, call: Call, args: list[Any]) -> Any:
        """The number in a constant."""
        known = self.net.known(self.machine.read(args[0])) if args and isinstance(args[0], Tensor) else None
        if known is None or known.size != 1:
            raise at_line(
                refused(
                    "it takes a number out of what is known only when it runs",
                    "它取出了运行时才知道的数值",
                    "Leave it a tensor: without .item(), int() and float()",
                    "请保持为张量，不要用 .item()、int()、float()",
                ),
                "item",
                call.line,
            )
        return known.reshape(-1)[0].item()

    def _bind(self, call: Call, found: Any) -> None:
        """The results by their names; what the file says of their shapes fills what is not known."""
        targets = call.outputs
        if len(targets) == 1 and isinstance(targets[0], list):
            targets, found = tuple(targets[0]), found
        several = isinstance(found, (list, tuple))
        results = list(found) if several else [found]
        if several and len(targets) == 1 and len(results) > 1 and not isinstance(call.outputs[0], list):
            results = results[:1]
        for target, one in zip_longest(targets, results[: len(targets)]):
            if isinstance(target, Named) and one is None:
                self.left_out[target.name] = call.target.removeprefix("torch.ops.")
            elif isinstance(target, Named):
                if isinstance(one, Tensor) and self.renewed is None:
                    self.machine.state(one, self.program.shapes.get(target.name, ()))
                self.names[target.name] = one

    def result(self, one: Any) -> Value | None:
        """An output of the network; None for what is no tensor."""
        if not isinstance(one, Named):
            return None
        found = self.find(one.name)
        return self.machine.value(found) if isinstance(found, Tensor) else None


def _first(call: Call) -> str:
    """What a node without a layer is called: as its result."""
    first = call.outputs[0] if call.outputs else None
    return first.name if isinstance(first, Named) else ""


def _foreign(target: str) -> QingzhouError:
    """What is no operator of PyTorch's own."""
    if "higher_order" in target:
        return refused(
            "it decides while it runs what to do next (torch.cond, a loop, or a wrapped part)",
            "它在运行时才决定下一步（torch.cond、循环等控制流）",
            "Write both ways with torch.where, or a loop of a fixed number of steps, and export the network again",
            "请用 torch.where 写出两种情况，或用固定次数的循环，再重新导出",
        )
    return refused(
        f"{short(target.removeprefix('torch.ops.'), 60)} is an operator of another package",
        f"{short(target.removeprefix('torch.ops.'), 60)} 是其他软件包的算子",
        "Export the network without it: up to the step before, or with PyTorch's own operators",
        "请导出不含它的网络（截止到前一步，或改用 PyTorch 自带的算子）",
    )
