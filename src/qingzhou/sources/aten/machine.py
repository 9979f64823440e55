"""Machine: calls operators by name. Tensors are views of others, and are changed in place, as in PyTorch."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...errors import ModelError, QingzhouError
from ...files.refusals import short
from ...graph.form import Dim, Value
from ..recording.net import Net
from ..recording.words import at_line
from .arithmetic import cast
from .axes import expand, sizes_of, view
from .bind import Misfit, bound
from .refuse import refused
from .table import BY_BASE, CHECKS, DEPENDENT, OPS, PERHAPS, RANDOM, VIEWS, Function

Look = Callable[[Value], Value]
FAST = ("_transformer_encoder_layer_fwd", "_native_multi_head_attention")
COMPLEX = ("fft", "complex", "stft", "_conj", "polar", "angle", "view_as_real")
OURS = (TypeError, ValueError, IndexError, KeyError, ArithmeticError, AssertionError, AttributeError)


@dataclass(eq=False)
class Tensor:
    """What a name of the program stands for.

    parent   the tensor whose numbers this one shows, and how: `look`, or None where it may be a copy
    written  how often the numbers were changed that all views of one tensor share; seen: when the value is from
    pending  what was written into views, and is not in the value yet
    """

    value: Value
    parent: Tensor | None = None
    look: Look | None = None
    written: int = 0
    seen: int = 0
    pending: list[tuple[Tensor, Value]] = field(default_factory=list)

    @property
    def root(self) -> Tensor:
        """The tensor whose numbers are shown."""
        found = self
        while found.parent is not None:
            found = found.parent
        return found


class Machine:
    """One network on its way into a Net."""

    def __init__(self, net: Net) -> None:
        self.net = net

    # -- calls -------------------------------------------------------------------------------------------------------

    def call(
        self,
        name: str,
        args: Sequence[object],
        named: Mapping[str, object] | None = None,
        overload: str = "",
        line: str = "",
    ) -> Any:
        """One operator: a Tensor, or a list of them. Any QingzhouError names it, and the author's line."""
        try:
            return self._call(name, args, named or {}, overload)
        except (QingzhouError, ModelError) as err:
            raise at_line(err, f"{name}.{overload}" if overload else name, line) from None

    def _call(self, name: str, args: Sequence[object], named: Mapping[str, object], overload: str) -> Any:
        in_place = name.endswith("_") and not name.endswith("__")
        base = name[:-1] if in_place else name
        if base in CHECKS:
            return None
        functions = self._functions(base, overload)
        read = [self.read(one) for one in args]
        words = {key: self.read(one) for key, one in named.items()}
        function, given, words = self._bound(functions, read, words)
        first = args[0] if args else next(iter(named.values()), None)
        found = self._run(function, given, words)
        if in_place:
            if not isinstance(first, Tensor) or not isinstance(found, Value):
                raise refused("it changes something in place that is no tensor", "它原地修改了不是张量的对象")
            self.write(first, found)
            return first
        return self._wrapped(base, first, found, functools.partial(self._run, function, words=words), given)

    def _functions(self, base: str, overload: str) -> list[Function]:
        if overload and overload != "default" and f"{base}.{overload}" in OPS:
            return [OPS[f"{base}.{overload}"]]
        if overload and base in OPS:
            return [OPS[base]]
        if base in BY_BASE:
            return [OPS[key] for key in BY_BASE[base]]
        raise unknown(base)

    def _bound(
        self, functions: list[Function], args: list[Any], named: Mapping[str, Any]
    ) -> tuple[Function, list[Any], dict[str, Any]]:
        """The first of them that takes these arguments."""
        for function in functions:
            try:
                return (function, *bound(function, self.net, args, named))
            except Misfit:
                continue
        raise refused("it has arguments that are not known here", "它的参数形式这里不支持")

    def _run(self, function: Function, given: Sequence[Any], words: Mapping[str, Any]) -> Any:
        try:
            return function(self.net, *given, **words)
        except OURS as err:
            if isinstance(err, QingzhouError):
                raise
            raise refused("it has arguments that do not fit each other", "它的参数互相矛盾") from None

    def _wrapped(self, base: str, first: object, found: Any, again: Callable[..., Any], given: list[Any]) -> Any:
        """Results as Tensors, with what they show."""
        shows = base in VIEWS
        owner = first if isinstance(first, Tensor) and (shows or base in PERHAPS) else None
        if isinstance(found, Value):
            look = (lambda x: again([x, *given[1:]])) if shows and given else None
            return Tensor(found, owner, look, seen=owner.root.written if owner else 0)
        results: list[Tensor | None] = []
        for i, one in enumerate(found):
            look = (lambda x, i=i: again([x, *given[1:]])[i]) if shows and given else None
            results.append(None if one is None else Tensor(one, owner, look, seen=owner.root.written if owner else 0))
        return results

    # -- reading and writing -----------------------------------------------------------------------------------------

    def read(self, x: object) -> Any:
        """An argument with values in the place of tensors."""
        if isinstance(x, Tensor):
            return self.value(x)
        if isinstance(x, (list, tuple)):
            return [self.read(one) for one in x]
        return x

    def value(self, x: Tensor) -> Value:
        """The numbers that a tensor has now."""
        root = x.root
        if x.seen != root.written:
            self._settle(root)
            x.value, x.seen = self._seen_through(x), root.written
        return x.value

    def _settle(self, root: Tensor) -> None:
        """What was written into views comes into the tensor itself."""
        for place, value in root.pending:
            root.value = self._written(root.value, self._looks(place), value)
        root.pending.clear()
        root.seen = root.written

    def _looks(self, x: Tensor) -> list[Look]:
        found: list[Look] = []
        while x.parent is not None:
            if x.look is None:
                raise refused(
                    "it changes a tensor in place that is perhaps a part of another one, which is used afterwards",
                    "它原地修改的张量可能与之后用到的另一个张量共享数据",
                    "Write x = x + 1 in the place of x += 1 there, and export the network again",
                    "请把这里的 x += 1 之类改写成 x = x + 1，再重新导出",
                )
            found.append(x.look)
            x = x.parent
        return found[::-1]

    def _seen_through(self, x: Tensor) -> Value:
        value = x.root.value
        for look in self._looks(x):
            value = look(value)
        return value

    def write(self, x: Tensor, new: Value) -> None:
        """Other numbers in the place of a tensor's, in its dtype and shape."""
        t, root = self.net, x.root
        new = cast(t, new, x.value.dtype)
        if new.shape != x.value.shape:
            new = expand(t, new, sizes_of(t, x.value))
        root.written += 1
        x.value, x.seen = new, root.written
        if x is root:
            x.pending.clear()
        else:
            root.pending.append((x, new))

    def _written(self, root: Value, looks: Sequence[Look], new: Value) -> Value:
        """A tensor with other numbers where these looks look: both laid flat and joined, then picked by position."""
        t = self.net
        free = [i for i, n in enumerate(root.shape) if isinstance(n, str)]
        sizes = [n if isinstance(n, int) else 1 for n in root.shape]
        if free not in ([], [0]) or math.prod(sizes) > 1 << 22:
            raise self._cannot_write()
        numbers = t.array(np.arange(math.prod(sizes)).reshape(sizes))
        for look in looks:
            numbers = look(numbers)
        places = t.known(numbers)
        if places is None or (free and not (places.shape[:1] == (1,) and new.shape[:1] == root.shape[:1])):
            raise self._cannot_write()
        order = np.arange(math.prod(sizes))
        order[places.reshape(-1)] = order.size + np.arange(places.size)
        head = [t.size(root, 0)] if free else []
        flat = [view(t, x, (*head, n)) for x, n in ((root, order.size), (new, places.size))]
        joined = t.emit("Concat", flat, axis=len(head))
        found = t.emit("Gather", [joined, t.array(order)], axis=len(head))
        return view(t, found, sizes_of(t, root))

    @staticmethod
    def _cannot_write() -> QingzhouError:
        return refused(
            "it changes a part of a tensor in place, of which the place depends on free sizes",
            "它原地修改了张量的一部分，而位置取决于不固定的大小",
            "Build that tensor with torch.cat or torch.where instead, and export the network again",
            "请改用 torch.cat 或 torch.where 生成这个张量，再重新导出",
        )

    def state(self, x: Tensor, shape: tuple[Dim, ...]) -> None:
        """What the file says of a shape, of whose sizes not all are known."""
        own = x.value.shape
        if "?" in own and len(own) == len(shape):
            known = tuple(b if a == "?" else a for a, b in zip(own, shape, strict=True))
            x.value = Value(x.value.name, known, x.value.dtype)
            if x.value.name in self.net.values:
                self.net.values[x.value.name] = x.value


def unknown(base: str) -> QingzhouError:
    """The refusal of an operator that is not in the table."""
    if base in RANDOM:
        return refused("it draws random numbers", "它用到了随机数")
    if base in DEPENDENT:
        return refused(
            "how many numbers this operator gives depends on the input",
            "这个算子输出的数量取决于输入",
            "Use torch.where(mask, x, 0) or torch.topk, whose results have a fixed size, and export the network again",
            "请改用输出大小固定的 torch.where(mask, x, 0) 或 torch.topk，再重新导出",
        )
    if "quantize" in base:
        return refused(
            "it is quantised already",
            "它已经被量化",
            "Export the network before it is quantised, and let qingzhou quantize do that",
            "请导出量化之前的网络，再用 qingzhou quantize 量化",
        )
    if base in FAST:
        return refused(
            f"{short(base)} is PyTorch's fast path for attention in one step",
            f"{short(base)} 是 PyTorch 把注意力合为一步的快速路径",
            "Switch it off, torch.backends.mha.set_fastpath_enabled(False), and trace the network again, or use "
            "torch.export.export",
            "请先关闭它：torch.backends.mha.set_fastpath_enabled(False)，再重新 trace；或改用 torch.export.export",
        )
    if any(word in base for word in COMPLEX):
        return refused(
            f"the operator {short(base)} is of complex numbers",
            f"算子 {short(base)} 用到复数",
            "Write that step with real numbers (a Fourier transform as two matrices, of cosines and of sines), and "
            "export the network again; or make the spectrum outside of it",
            "请用实数改写这一步（例如用余弦、正弦两个矩阵做傅里叶变换）再重新导出；或在网络之外先算好频谱",
        )
    return refused(f"the operator {short(base)} is not known here", f"算子 {short(base)} 这里不支持")
