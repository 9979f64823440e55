"""Walks through a program step by step: decisions and loops over what is known; operators go to the Machine."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...files.refusals import damaged, short
from ...files.types import Opaque, TensorRef
from ..aten.machine import Machine, Tensor
from ..aten.refuse import refused
from .archive import Script, plain
from .code import Class
from .words import BUILTINS, Device, reckoned, whole

STEPS = 300_000  # statements and expressions in all
DEEPEST = 60  # calls inside calls


@dataclass(eq=False)
class Module:
    """An object of the program: its class and attributes. path: "layer1.0.conv1"."""

    name: str
    path: str
    state: dict[str, Any]


@dataclass(eq=False)
class Input:
    """An input whose shape is not known yet: the first layer that takes it tells."""

    name: str


class Shaped(Exception):
    """The shape of an input, found by what takes it; never leaves this room."""

    def __init__(self, name: str, shape: tuple[int | str, ...], dtype: str) -> None:
        super().__init__(name)
        self.name, self.shape, self.dtype = name, shape, dtype


class Returned(Exception):
    """What a function gives back; never leaves this room."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


@dataclass(eq=False)
class Walk:
    """One program on its way into a Net."""

    script: Script
    machine: Machine
    steps: int = STEPS
    depth: int = 0
    modules: dict[int, Module] = field(default_factory=dict)
    tensors: dict[int, Tensor] = field(default_factory=dict)
    path: str = ""
    known_as: dict[tuple[str, tuple[int, ...]], str] = field(default_factory=dict)
    shape_of: Callable[[str, str, list[Any]], None] = field(default=lambda name, op, args: None)

    # -- objects -----------------------------------------------------------------------------------------------------

    def module(self, opaque: Opaque, path: str) -> Module:
        """An object of the pickle; its attributes are looked at when they are asked for."""
        if id(opaque) not in self.modules:
            state = opaque.state if isinstance(opaque.state, dict) else {}
            self.modules[id(opaque)] = Module(opaque.name, path, dict(state))
        return self.modules[id(opaque)]

    def attribute(self, owner: Module, name: str) -> Any:
        """What an attribute is: in the pickle, or a constant of the class."""
        path = f"{owner.path}.{name}" if owner.path else name
        if name in owner.state:
            value = plain(owner.state[name])
            if isinstance(value, TensorRef):
                return self.tensor(path, value)
            if isinstance(value, Opaque) and value.name.startswith("__torch__"):
                return self.module(value, path)
            if isinstance(value, list):
                return [self.tensor(f"{path}.{i}", one) if isinstance(one, TensorRef) else one
                        for i, one in enumerate(value)]  # fmt: skip
            return value
        finals = self._class(owner).finals
        if name not in finals:
            raise damaged(f"{short(path)} is missing", f"缺少 {short(path)}")
        return self.value(finals[name], {})

    def tensor(self, key: str, ref: TensorRef) -> Tensor:
        """A tensor of the file."""
        if not self.known_as:
            self.known_as.update({(one.storage, one.shape): name for name, one in self.script.tensors.items()})
        if id(ref) not in self.tensors:
            name = key if key in self.script.tensors else self.known_as.get((ref.storage, ref.shape), key)
            self.tensors[id(ref)] = Tensor(self.machine.net.tensor(name, ref))
        return self.tensors[id(ref)]

    def _class(self, owner: Module) -> Class:
        found = self.script.code.of_class(owner.name)
        if found is None:
            raise damaged(f"the class {short(owner.name)} is missing", f"缺少类 {short(owner.name)}")
        return found

    # -- calls -------------------------------------------------------------------------------------------------------

    def method(self, owner: Module, name: str, args: list[Any], named: Mapping[str, Any]) -> Any:
        """A method of an object."""
        function = self._class(owner).methods.get(name)
        if function is None:
            raise damaged(f"the method {short(name)} is missing", f"缺少方法 {short(name)}")
        before, self.path = self.path, owner.path or self.path
        try:
            return self.run(function, [owner, *args], named)
        finally:
            self.path = before

    def run(self, function: ast.FunctionDef, args: list[Any], named: Mapping[str, Any]) -> Any:
        """A function with these arguments."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise refused("its functions call each other without end", "其中的函数无止境地互相调用")
        places = function.args.args
        defaults = function.args.defaults
        known: dict[str, Any] = {}
        for i, one in enumerate(places):
            late = i - (len(places) - len(defaults))
            if i < len(args):
                known[one.arg] = args[i]
            elif one.arg in named:
                known[one.arg] = named[one.arg]
            elif late >= 0:
                known[one.arg] = self.value(defaults[late], {})
            else:
                raise damaged(f"{short(function.name)} misses an argument", f"{short(function.name)} 缺少参数")
        try:
            self.block(function.body, known)
        except Returned as found:
            return found.value
        finally:
            self.depth -= 1
        return None

    # -- statements --------------------------------------------------------------------------------------------------

    def block(self, body: list[ast.stmt], known: dict[str, Any]) -> None:
        """Statements, one after the other."""
        for one in body:
            self._count()
            if isinstance(one, ast.Assign) and len(one.targets) == 1:
                self._bind(one.targets[0], self.value(one.value, known), known)
            elif isinstance(one, ast.AnnAssign) and one.value is not None:
                self._bind(one.target, self.value(one.value, known), known)
            elif isinstance(one, ast.Expr):
                self.value(one.value, known)
            elif isinstance(one, ast.Return):
                raise Returned(None if one.value is None else self.value(one.value, known))
            elif isinstance(one, ast.If):
                self.block(one.body if self._truth(self.value(one.test, known)) else one.orelse, known)
            elif isinstance(one, (ast.For, ast.While)):
                self._loop(one, known)
            elif not isinstance(one, ast.Pass):
                raise _strange(type(one).__name__)

    def _loop(self, one: ast.For | ast.While, known: dict[str, Any]) -> None:
        if isinstance(one, ast.While):
            while self._truth(self.value(one.test, known)):
                self._count()
                self.block(one.body, known)
            return
        items = self.value(one.iter, known)
        if not isinstance(items, (list, tuple, range)):
            raise refused("it loops over what is known only when it runs", "它的循环次数取决于输入")
        for item in items:
            self._count()
            self._bind(one.target, item, known)
            self.block(one.body, known)

    def _truth(self, value: Any) -> bool:
        if isinstance(value, Tensor):
            value = whole(self.machine, value)
        if not isinstance(value, (bool, int)):
            raise refused(
                "it decides by numbers of the input what to do next (if)",
                "它根据输入的数值决定下一步（if）",
                "Trace the network, torch.jit.trace(model, sample), or write both ways with torch.where",
                "请改用 torch.jit.trace(model, sample)，或用 torch.where 写出两种情况",
            )
        return bool(value)

    def _bind(self, target: ast.expr, value: Any, known: dict[str, Any]) -> None:
        if isinstance(target, ast.Name):
            known[target.id] = value
        elif isinstance(target, ast.Tuple):
            if not isinstance(value, (tuple, list)) or len(value) != len(target.elts):
                raise damaged("a result has another number of parts than is said", "结果的个数不符")
            for one, part in zip(target.elts, value, strict=True):
                self._bind(one, part, known)
        elif isinstance(target, ast.Attribute):
            owner = self.value(target.value, known)
            if not isinstance(owner, Module):
                raise _strange("assignment")
            owner.state[target.attr] = value
        elif isinstance(target, ast.Subscript):
            owner, key = self.value(target.value, known), self.value(target.slice, known)
            if not isinstance(owner, (list, dict)):
                raise _strange("assignment")
            owner[key] = value
        else:
            raise _strange("assignment")

    # -- expressions -------------------------------------------------------------------------------------------------

    def _count(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise refused(f"it has more than {STEPS} steps", f"它超过 {STEPS} 步")

    def value(self, node: ast.expr, known: dict[str, Any]) -> Any:
        """What an expression stands for."""
        self._count()
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return known[node.id] if node.id in known else self._global(node.id)
        if isinstance(node, ast.Call):
            return self._call(node, known)
        if isinstance(node, ast.Attribute):
            return self._attribute(node, known)
        if isinstance(node, ast.List):
            return [self.value(one, known) for one in node.elts]
        if isinstance(node, ast.Tuple):
            return tuple(self.value(one, known) for one in node.elts)
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            return {self.value(key, known): self.value(one, known) for key, one in pairs if key is not None}
        if isinstance(node, ast.Subscript):
            owner, key = self.value(node.value, known), self.value(node.slice, known)
            if not isinstance(owner, (list, tuple, dict)):
                raise _strange("index")
            return owner[key]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self.value(node.operand, known)
        raise _strange(type(node).__name__)

    def _global(self, name: str) -> Any:
        if name in ("inf", "nan"):
            return float(name)
        raise damaged(f"it uses {short(name, 40)} before it is made", f"{short(name, 40)} 在生成之前就被使用")

    def _attribute(self, node: ast.Attribute, known: dict[str, Any]) -> Any:
        name = dotted(node)
        if name.startswith("CONSTANTS.c") and name[11:].isdigit():
            items = self.script.constants
            i = int(name[11:])
            if i >= len(items):
                raise damaged(f"{short(name)} is missing", f"缺少 {short(name)}")
            value = plain(items[i])
            return self.tensor(name, value) if isinstance(value, TensorRef) else value
        if name.startswith("__torch__."):
            return name
        owner = self.value(node.value, known)
        if isinstance(owner, Module):
            return self.attribute(owner, node.attr)
        if isinstance(owner, dict) and node.attr in owner:
            return owner[node.attr]
        raise _strange(f".{node.attr}")

    def _call(self, node: ast.Call, known: dict[str, Any]) -> Any:
        name = dotted(node.func)
        if name in ("annotate", "unchecked_cast"):
            return self.value(node.args[-1], known)
        if name in ("uninitialized", "ops.prim.Uninitialized"):
            return None
        if name == "torch.device":
            return Device()
        if name.startswith("ops.prim.is_"):
            return False
        args = [self.value(one, known) for one in node.args]
        named = {str(one.arg): self.value(one.value, known) for one in node.keywords}
        if isinstance(node.func, ast.Name) and isinstance(known.get(name), str):
            return self._function(known[name], args, named)
        if name.startswith("__torch__."):
            return self._function(name, args, named)
        if name == "getattr" and len(args) == 2 and isinstance(args[0], Module):
            return self.attribute(args[0], str(args[1]))
        if name in BUILTINS:
            unshaped = next((one for one in args if isinstance(one, Input)), None)
            if unshaped is not None and name not in ("torch.__is__", "torch.__isnot__"):
                self.shape_of(unshaped.name, name, args)
            return BUILTINS[name](self.machine, args)
        if name.startswith(("torch.", "ops.")):
            return self._operator(name, args, named)
        if isinstance(node.func, ast.Attribute):
            owner = self.value(node.func.value, known)
            if isinstance(owner, Module):
                return self.method(owner, node.func.attr, args, named)
        raise _strange(name or type(node.func).__name__)

    def _function(self, name: str, args: list[Any], named: Mapping[str, Any]) -> Any:
        function = self.script.code.function(name)
        record = self.script.code.of_class(name) if function is None else None
        if record is not None and record.fields:
            return dict(zip(record.fields, args, strict=False))
        if function is None:
            raise damaged(f"the function {short(name)} is missing", f"缺少函数 {short(name)}")
        return self.run(function, args, named)

    def _operator(self, name: str, args: list[Any], named: Mapping[str, Any]) -> Any:
        """Of torch: with tensors the Machine's, with numbers arithmetic."""
        base = name.removeprefix("ops.aten.").removeprefix("torch.")
        if name.startswith("ops.") and base.startswith("ops."):
            raise refused(
                f"{short(name[4:], 60)} is an operator of another package",
                f"{short(name[4:], 60)} 是其他软件包的算子",
                "Save the network without it: up to the step before",
                "请保存不含它的网络（截止到前一步）",
            )
        if base in ("to_mkldnn", "to_dense") or "mkldnn" in base:
            raise without_weights()
        first = args[0] if args else None
        unshaped = next((one for one in args if isinstance(one, Input)), None)
        if unshaped is not None:
            self.shape_of(unshaped.name, base, args)
            return first
        if not _has_tensor(args) and not _has_tensor(list(named.values())):
            found = reckoned(self.machine, base, args)
            if found is not NotImplemented:
                return found
        net = self.machine.net
        net.here = self.path or base
        found = self.machine.call(base, args, named)
        return tuple(found) if isinstance(found, list) and base not in LISTS else found


# Whose results are lists, and are taken apart by prim.ListUnpack; all others give tuples.
LISTS = frozenset(("chunk", "split", "split_with_sizes", "unbind", "tensor_split", "unsafe_chunk", "meshgrid"))


def _has_tensor(values: list[Any]) -> bool:
    return any(
        isinstance(one, Tensor) or (isinstance(one, (list, tuple)) and any(isinstance(x, Tensor) for x in one))
        for one in values
    )


def dotted(node: ast.expr) -> str:
    """ "torch.conv2d" for that; "" for what is no plain name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def without_weights() -> Exception:
    """What torch.jit.optimize_for_inference leaves."""
    return refused(
        "it was saved after torch.jit.optimize_for_inference, which leaves the weights of its convolutions out of the "
        "file: torch itself cannot load it",
        "它是在 torch.jit.optimize_for_inference 之后保存的，文件里没有卷积权重，torch 自己也无法加载",
        "Save the network before that step: torch.jit.freeze(torch.jit.script(model)).save('model.pt')",
        "请保存这一步之前的网络：torch.jit.freeze(torch.jit.script(model)).save('model.pt')",
    )


def _strange(what: str) -> Exception:
    return refused(
        f"its program has a step that is not known here ({short(what, 40)})",
        f"它的程序里有这里不支持的写法（{short(what, 40)}）",
        "Trace the network instead: torch.jit.trace(model, sample), or better: torch.export",
        "请改用 torch.jit.trace(model, sample)，或更好的 torch.export",
    )
