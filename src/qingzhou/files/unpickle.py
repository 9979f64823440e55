"""Pickles read symbolically: pickletools names the opcodes, a table says what each does to plain data.

Nothing is imported, called or looked up. A global is its name; a call is a record of its name and arguments, unless
its name is in `values.BUILDERS`, which are our own few functions. Opcodes that are not in the table end the reading.
Never `pickle.Unpickler`, not even subclassed: nine bytes make the C one take 4 GB, and BUILD or cached extension
codes go past find_class.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .keys import Keys
from .limits import Limits
from .opcodes import Tape, opcodes
from .refusals import damaged, short, unsafe
from .shape import check_shape
from .types import Opaque
from .values import BUILDERS, HASHED, RECONSTRUCT, Global, build_array, canonical, sized

MAX_ARGS = 8  # none of the builders has more

Load = Callable[[tuple[Any, ...]], Any]  # persistent id -> object
Rebuild = Callable[[str, tuple[Any, ...]], Any]  # ("torch._utils._rebuild_…", arguments) -> object
Framed = Callable[[Opaque, Tape], Any]  # a record that was just built, and the tape behind it -> what it stands for


def _never(pid: tuple[Any, ...]) -> Any:
    raise unsafe("it asks for outside data where there can be none", "它在不应有外部数据的位置引用了外部数据")


def read_pickle(
    tape: Tape,
    limits: Limits,
    load: Load = _never,
    rebuild: Rebuild = Opaque,
    kept: Callable[[Any], Any] | None = None,
    framed: Framed | None = None,
) -> Any:
    """The next pickle on the tape, as plain values; the tape then stands behind it. No cycles, bounded depth.

    `kept` takes what is needed out of the object before it is looked at: it may meet cycles, and any depth.
    `framed` reads what stands between two opcodes, right behind the state of a record: see joblib.py.
    """
    start = tape.tell()
    root = _Machine(limits, load, rebuild, limits.repeats_of(tape.left()), framed).run(tape)
    root = kept(root) if kept else root
    check_shape(root, limits, limits.repeats_of(tape.tell() - start))
    return root


class _Machine:
    """One reading: a stack of stacks (a mark opens a new one), the memo, and what was spent of the budgets."""

    def __init__(self, limits: Limits, load: Load, rebuild: Rebuild, copies: int, framed: Framed | None) -> None:
        self.limits, self.load, self.rebuild, self.copies, self.framed = limits, load, rebuild, copies, framed
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.places: dict[int, list[int]] = {}  # where the memo holds an array that is not complete yet
        self.keys = Keys(limits)
        self.copied = 0
        self.held = 0  # on all stacks

    def run(self, tape: Tape) -> Any:
        """Everything up to STOP."""
        most, highest = self.limits.opcodes, self.limits.stack
        for step, (name, argument) in enumerate(opcodes(tape)):
            if name == "STOP":
                return self.result()
            if step > most or len(self.stack) + self.held > highest:
                self.budget(step, most, "opcodes")
                self.budget(len(self.stack) + self.held, highest, "stack")
            action = ACTIONS.get(name)
            if action is None:
                raise unsafe(f"its pickle uses {name}", f"其 pickle 使用了 {name}")
            action(self, argument)
            if name == "BUILD" and self.framed is not None:
                self.between(tape)
        raise damaged("its pickle has no end", "pickle 没有结尾")

    def result(self) -> Any:
        """The one object that is left."""
        if len(self.stack) != 1 or self.below:
            raise damaged("its pickle ends in the middle", "pickle 在中途结束")
        return self.stack[0]

    def budget(self, spent: int, limit: int, what: str) -> None:
        """UnsafeCheckpoint when the budget is used up."""
        if spent > limit:
            raise unsafe(f"it exceeds the limit of {limit} ({what})", f"超出上限 {limit}（{what}）")

    # -- the stack ---------------------------------------------------------------------------------------------------

    def push(self, value: Any) -> None:
        """On top."""
        self.stack.append(value)

    def pop(self) -> Any:
        """From the top, never from below a mark."""
        if not self.stack:
            raise _too_little()
        return self.stack.pop()

    def top(self) -> Any:
        """What is on top."""
        if not self.stack:
            raise _too_little()
        return self.stack[-1]

    def mark(self) -> None:
        """Start a new group."""
        self.below.append(self.stack)
        self.held += len(self.stack) + 1
        self.stack = []

    def group(self) -> list[Any]:
        """Everything since the last mark."""
        if not self.below:
            raise damaged("its pickle closes a group that was never opened", "pickle 结束了未开始的分组")
        items, self.stack = self.stack, self.below.pop()
        self.held -= len(self.stack) + 1
        return items

    # -- the memo ----------------------------------------------------------------------------------------------------

    def put(self, index: int) -> None:
        """Remember the top."""
        if not self.stack:
            raise _too_little()
        self.memo[index] = value = self.stack[-1]
        if type(value) is Opaque and value.name == RECONSTRUCT:
            self.places.setdefault(id(value), []).append(index)
        if len(self.memo) > self.limits.memo:
            self.budget(len(self.memo), self.limits.memo, "memo")

    def get(self, index: int) -> None:
        """Push what was remembered."""
        if index not in self.memo:
            raise damaged("its pickle refers to something that is not there", "pickle 引用了不存在的内容")
        self.push(self.memo[index])

    # -- containers --------------------------------------------------------------------------------------------------

    def extend(self, items: list[Any]) -> None:
        """APPEND, APPENDS: on lists, and on records of unknown classes."""
        target = self.top()
        if type(target) is list:
            target.extend(items)
        elif type(target) is Opaque:
            target.items.extend(items)
        else:
            raise unsafe(f"it appends to a {type(target).__name__}", f"它向 {type(target).__name__} 追加内容")

    def update(self, items: list[Any]) -> None:
        """SETITEM, SETITEMS: on dicts, and on records of unknown classes."""
        target = self.top()
        if len(items) % 2:
            raise damaged("its pickle has a key without a value", "pickle 中有键没有值")
        pairs = list(zip(items[::2], items[1::2], strict=True))
        if type(target) is dict:
            self.keys.update(target, pairs)
        elif type(target) is Opaque:
            target.items.extend(pairs)
        else:
            raise unsafe(f"it sets items on a {type(target).__name__}", f"它对 {type(target).__name__} 设置内容")

    def dictionary(self, items: list[Any]) -> None:
        """DICT: a dict of the group."""
        self.push({})
        self.update(items)

    def add(self, items: list[Any]) -> None:
        """ADDITEMS: on sets."""
        target = self.top()
        if type(target) is not set:
            raise unsafe(f"it adds to a {type(target).__name__}", f"它向 {type(target).__name__} 添加内容")
        self.keys.add(target, items)

    # -- names, calls, state -----------------------------------------------------------------------------------------

    def name(self, module: Any, name: Any) -> None:
        """GLOBAL, STACK_GLOBAL: the name itself."""
        if not (isinstance(module, str) and isinstance(name, str)):
            raise unsafe("a class has a name that is no text", "类名不是文本")
        text = f"{module}.{name}"
        if len(text) > self.limits.name or not text.isprintable():
            raise unsafe(f"a class has the name {short(text)}", f"类名为 {short(text)}")
        self.push(Global(canonical(text)))

    def call(self, function: Any, args: Any) -> None:
        """REDUCE, NEWOBJ: one of our builders, or a record of the call."""
        if type(args) is not tuple:
            raise unsafe("it calls something without arguments", "它的调用没有参数")
        if not isinstance(function, Opaque):
            raise unsafe(f"it calls a {type(function).__name__}", f"它调用了 {type(function).__name__}")
        self.push(self.made(function, args))

    def made(self, function: Opaque, args: tuple[Any, ...]) -> Any:
        """The value of a call. The result of a call that stayed a record cannot be called: it is one again."""
        if type(function) is not Global:
            return Opaque(f"{function.name}()", (function, *args))
        if function.name.startswith(("torch._utils._rebuild_", "torch._tensor._rebuild_")):
            return self.rebuild(function.name, args)
        built = self.built(function.name, args) if len(args) <= MAX_ARGS else None
        return built if built is not None else Opaque(function.name, args, source=function.source)

    def built(self, name: str, args: tuple[Any, ...]) -> Any:
        """What our own function of that name makes; None where there is none, or the arguments are not the usual."""
        builder, hashed = BUILDERS.get(name), HASHED.get(name)
        if builder or hashed:
            self.copied += sum(map(sized, args))
            self.budget(self.copied, self.copies, "copies")
        return builder(args) if builder else hashed(args, self.keys) if hashed else None

    def build(self, state: Any) -> None:
        """BUILD: the state of a record. On a dict it is what an OrderedDict carried beside its items (_metadata)."""
        target = self.top()
        if type(target) is Opaque:
            array = build_array(target, state)
            target.state = state
            if array is not None:
                self.replace(target, array)
        elif type(target) is not dict:
            raise unsafe(
                f"it changes the inside of a {type(target).__name__}", f"它修改 {type(target).__name__} 的内部状态"
            )

    def between(self, tape: Tape) -> None:
        """What stands behind the state of a record, if anything does, takes the place of the record."""
        target = self.stack[-1]
        if type(target) is Opaque and self.framed is not None and (found := self.framed(target, tape)) is not target:
            self.replace(target, found)

    def replace(self, old: Opaque, new: Any) -> None:
        """An array is complete: it takes the place of its record on the stack and in the memo."""
        self.stack[-1] = new
        if old.items:
            raise unsafe("an array has items of its own", "数组带有额外内容")
        for index in self.places.pop(id(old), ()):
            if self.memo[index] is old:
                self.memo[index] = new

    def persistent(self, pid: Any) -> None:
        """BINPERSID: a storage, or the class of a module in legacy files."""
        if type(pid) is not tuple:
            raise unsafe("it names outside data in an unknown way", "它以未知方式引用外部数据")
        self.push(self.load(pid))

    def whole(self, value: int) -> None:
        """LONG1, LONG4: a number of any size."""
        self.budget(value.bit_length() // 8, self.limits.integer_bytes, "integer")
        self.push(value)


def _too_little() -> Exception:
    return damaged("its pickle takes more than there is", "pickle 取出的内容多于已有内容")


def _swapped(machine: _Machine) -> tuple[Any, Any]:
    """The two values on top, in the order in which they were pushed."""
    second = machine.pop()
    return machine.pop(), second


def _tuple(count: int) -> Callable[[_Machine, Any], None]:
    def action(machine: _Machine, _: Any) -> None:
        if len(machine.stack) < count:
            raise _too_little()
        items = tuple(machine.stack[-count:])
        del machine.stack[-count:]
        machine.push(items)

    return action


def _newobj_ex(machine: _Machine, _: Any) -> None:
    keywords, args = machine.pop(), machine.pop()
    if type(keywords) is not dict or keywords:
        raise unsafe("it makes an object with keywords", "它用关键字参数创建对象")
    machine.call(machine.pop(), args)


def _global(machine: _Machine, argument: str) -> None:
    module, _, name = argument.partition(" ")  # as genops joins the two lines
    machine.name(module, name)


def _pair(machine: _Machine, _: Any) -> None:
    items = list(_swapped(machine))
    machine.update(items)


def _drop(machine: _Machine, _: Any) -> None:
    if machine.stack:
        machine.pop()
    else:
        machine.group()  # POP also takes a mark


def _discard(machine: _Machine, _: Any) -> None:
    machine.group()


def _constant(value: Any) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.stack.append(value)


def _number(machine: _Machine, argument: Any) -> None:
    """INT of protocol 0: a number, or one of the truths, as pickletools reads 00 and 01."""
    if isinstance(argument, bool):
        machine.push(argument)
    else:
        machine.whole(argument)


def _value(machine: _Machine, argument: Any) -> None:
    machine.stack.append(argument)


Action = Callable[[_Machine, Any], None]
_VALUES = (
    "BININT",
    "BININT1",
    "BININT2",
    "BINFLOAT",
    "BINUNICODE",
    "SHORT_BINUNICODE",
    "BINUNICODE8",
    "BINSTRING",
    "SHORT_BINSTRING",
    "BINBYTES",
    "SHORT_BINBYTES",
    "BINBYTES8",
    "FLOAT",
    "UNICODE",
)

# Left out on purpose: EXT* and INST (they name classes in roundabout ways), OBJ, PERSID, the out-of-band buffers, and
# STRING, which no Python 3 writes.
ACTIONS: dict[str, Action] = {
    **dict.fromkeys(_VALUES, _value),
    "BYTEARRAY8": lambda machine, argument: machine.push(bytes(argument)),
    "PROTO": lambda machine, _: None,
    "FRAME": lambda machine, _: None,
    "NONE": _constant(None),
    "NEWTRUE": _constant(True),
    "NEWFALSE": _constant(False),
    "INT": _number,
    "LONG": _Machine.whole,
    "LONG1": _Machine.whole,
    "LONG4": _Machine.whole,
    "EMPTY_TUPLE": _constant(()),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "EMPTY_SET": lambda machine, _: machine.push(set()),
    "TUPLE1": _tuple(1),
    "TUPLE2": _tuple(2),
    "TUPLE3": _tuple(3),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.group())),
    "LIST": lambda machine, _: machine.push(machine.group()),
    "DICT": lambda machine, _: machine.dictionary(machine.group()),
    "FROZENSET": lambda machine, _: machine.push(machine.keys.set_of(machine.group())),
    "MARK": lambda machine, _: machine.mark(),
    "POP": _drop,
    "POP_MARK": _discard,
    "DUP": lambda machine, _: machine.push(machine.top()),
    "PUT": _Machine.put,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": lambda machine, _: machine.put(len(machine.memo)),
    "GET": _Machine.get,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "APPEND": lambda machine, _: machine.extend([machine.pop()]),
    "APPENDS": lambda machine, _: machine.extend(machine.group()),
    "SETITEM": _pair,
    "SETITEMS": lambda machine, _: machine.update(machine.group()),
    "ADDITEMS": lambda machine, _: machine.add(machine.group()),
    "GLOBAL": _global,
    "STACK_GLOBAL": lambda machine, _: machine.name(*_swapped(machine)),
    "REDUCE": lambda machine, _: machine.call(*_swapped(machine)),
    "NEWOBJ": lambda machine, _: machine.call(*_swapped(machine)),
    "NEWOBJ_EX": _newobj_ex,
    "BUILD": lambda machine, _: machine.build(machine.pop()),
    "BINPERSID": lambda machine, _: machine.persistent(machine.pop()),
}
