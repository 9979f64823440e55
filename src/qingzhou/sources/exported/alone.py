"""Whether a program that was exported with several inputs at once treats each by itself: then any number may go in.

Only what is known to do so counts: layers, and moves of axes. A number in a program's arithmetic may have been reckoned
from how many there were (x / len(x)), and a parameter that nothing uses may belong to what is done with another number:
with either, nothing is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .program import Call, Named, Program

ATEN = "torch.ops.aten."
NEW_FIRST = frozenset(("view", "reshape", "_unsafe_view", "expand"))


class Unshown(Exception):
    """It is not known to treat each input by itself; never leaves this module."""


def by_itself(program: Program, count: int) -> frozenset[str] | None:
    """The results whose first size, a number in the program, is how many went in (`count`); None: nothing is shown."""
    found = _Batched(program, count)
    try:
        for call in program.calls:
            found.step(call)
    except (Unshown, LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
        return None
    ends = [one.name for one in program.outputs if isinstance(one, Named)]
    parameters = {spec.name for spec in program.inputs if spec.kind == "parameter"}
    if any(found.axes.get(name) != 0 for name in ends) or not parameters <= found.used:
        return None
    return frozenset(found.renewed)


class _Batched:
    """Which values hold the inputs side by side, and along which axis."""

    def __init__(self, program: Program, count: int) -> None:
        self.shapes, self.count = program.shapes, count
        self.axes: dict[str, int] = {spec.name: 0 for spec in program.inputs if spec.kind == "user"}
        self.fixed = {spec.name for spec in program.inputs if spec.kind in ("parameter", "buffer")}
        self.zeros: set[str] = set()
        self.used: set[str] = set()
        self.renewed: set[str] = set()

    def step(self, call: Call) -> None:
        """One node; Unshown."""
        given = list(_names([*call.args, *call.named.values()]))
        self.used.update(given)
        name, _, _ = call.target.removeprefix(ATEN).partition(".")
        base = name[:-1] if name.endswith("_") else name
        outs = list(_names(call.outputs))
        if base == "zeros":
            self.zeros.update(outs)
            return
        if not any(one in self.axes for one in given) and not (base == "expand" and given):
            if base not in UNTOUCHED or not set(given) <= self.fixed or _has_number(call):
                raise Unshown
            self.fixed.update(outs)
            return
        rule = RULES.get(base)
        if rule is None:
            raise Unshown
        axes = rule(self, call)
        for out, axis in zip(outs, axes if isinstance(axes, list) else [axes] * len(outs), strict=False):
            self.axes[out] = axis
        if base in NEW_FIRST:
            self.renewed.update(outs)

    # -- what rules ask ----------------------------------------------------------------------------------------------

    def axis(self, value: Any) -> int:
        """Of a value that holds the inputs side by side."""
        if not isinstance(value, Named) or value.name not in self.axes:
            raise Unshown
        return self.axes[value.name]

    def shape(self, value: Any) -> tuple[Any, ...]:
        """As the file says it."""
        if not isinstance(value, Named) or value.name not in self.shapes:
            raise Unshown
        return tuple(self.shapes[value.name])

    def need(self, fine: bool) -> None:
        """Unshown where something is not so."""
        if not fine:
            raise Unshown

    def need_fixed(self, values: Sequence[Any]) -> None:
        """All tensors among them are parameters, or made of such."""
        self.need(all(name in self.fixed for name in _names(values)))

    def place(self, value: Any, dim: Any, more: int = 0) -> int:
        """An axis counted from the front."""
        self.need(type(dim) is int)
        return int(dim) % (len(self.shape(value)) + more)


def _names(values: Any) -> Iterator[str]:
    """Of all tensors in arguments or results."""
    for one in values:
        if isinstance(one, Named):
            yield one.name
        elif isinstance(one, (list, tuple)):
            yield from _names(one)


def _has_number(call: Call) -> bool:
    return any(type(one) in (int, float) for one in (*call.args, *call.named.values()))


def _arg(call: Call, place: int, name: str, default: Any = None) -> Any:
    return call.args[place] if len(call.args) > place else call.named.get(name, default)


Rule = Callable[[_Batched, Call], "int | list[int]"]


def _elementwise(b: _Batched, call: Call) -> int:
    """Number by number; those beside are no count."""
    b.need_fixed(call.args[1:])
    b.need(all(one != b.count or isinstance(one, bool) for one in call.args[1:]))
    return b.axis(call.args[0])


def _layer(rank: int = 0) -> Rule:
    """With the samples along the first axis; `rank` of what goes in, where fewer would be one sample."""

    def rule(b: _Batched, call: Call) -> int:
        b.need_fixed(call.args[1:])
        b.need_fixed(list(call.named.values()))
        shape = b.shape(call.args[0])
        b.need(b.axis(call.args[0]) == 0 and (len(shape) == rank if rank else len(shape) >= 2))
        return 0

    return rule


def _linear(b: _Batched, call: Call) -> int:
    b.need_fixed(call.args[1:])
    axis = b.axis(call.args[0])
    b.need(axis < len(b.shape(call.args[0])) - 1)
    return axis


def _addmm(b: _Batched, call: Call) -> int:
    bias, x, weight = call.args[:3]
    b.need(len(call.args) == 3 and not call.named and b.axis(x) == 0)
    b.need_fixed([bias, weight])
    return 0


def _embedding(b: _Batched, call: Call) -> int:
    b.need_fixed([call.args[0]])
    return b.axis(call.args[1])


def _normed(b: _Batched, call: Call) -> int:
    x, sizes = call.args[:2]
    b.need_fixed(call.args[2:])
    b.need(b.axis(x) < len(b.shape(x)) - len(sizes))
    return b.axis(x)


def _along(b: _Batched, call: Call) -> int:
    """Along one other axis: softmax."""
    b.need(b.place(call.args[0], _arg(call, 1, "dim")) != b.axis(call.args[0]))
    return b.axis(call.args[0])


def _reduced(b: _Batched, call: Call) -> int:
    x, dims = call.args[0], _arg(call, 1, "dim")
    dims = [dims] if type(dims) is int else dims
    b.need(isinstance(dims, (list, tuple)) and len(dims) > 0)
    places = {b.place(x, one) for one in dims}
    b.need(b.axis(x) not in places)
    return b.axis(x) - (0 if _arg(call, 2, "keepdim", False) else sum(one < b.axis(x) for one in places))


def _flattened(b: _Batched, call: Call) -> int:
    b.need(b.axis(call.args[0]) < b.place(call.args[0], _arg(call, 1, "start_dim", 0)))
    return b.axis(call.args[0])


def _swapped(b: _Batched, call: Call) -> int:
    x, first, second = call.args[:3]
    turned = {b.place(x, first): b.place(x, second), b.place(x, second): b.place(x, first)}
    return turned.get(b.axis(x), b.axis(x))


def _turned(b: _Batched, call: Call) -> int:
    return [b.place(call.args[0], one) for one in call.args[1]].index(b.axis(call.args[0]))


def _wider(b: _Batched, call: Call) -> int:
    return b.axis(call.args[0]) + (b.place(call.args[0], call.args[1], 1) <= b.axis(call.args[0]))


def _narrower(b: _Batched, call: Call) -> int:
    """squeeze of one axis, or select."""
    x, place = call.args[0], b.place(call.args[0], call.args[1])
    b.need(place != b.axis(x))
    gone = b.shape(x)[place] == 1 or "select" in call.target
    return b.axis(x) - (gone and place < b.axis(x))


def _cut(dim: int, name: str = "dim") -> Rule:
    """slice, split, chunk: another axis than that of the samples."""

    def rule(b: _Batched, call: Call) -> int:
        b.need(b.place(call.args[0], _arg(call, dim, name, 0)) != b.axis(call.args[0]))
        return b.axis(call.args[0])

    return rule


def _unbound(b: _Batched, call: Call) -> int:
    place = b.place(call.args[0], _arg(call, 1, "dim", 0))
    b.need(place != b.axis(call.args[0]))
    return b.axis(call.args[0]) - (place < b.axis(call.args[0]))


def _joined(more: int) -> Rule:
    """cat; stack, with `more` axes."""

    def rule(b: _Batched, call: Call) -> int:
        parts = call.args[0]
        axes = {b.axis(one) for one in parts}
        axis, place = axes.pop(), b.place(parts[0], _arg(call, 1, "dim", 0), more)
        b.need(not axes and (place != axis or more > 0))
        return axis + (1 if more and place <= axis else 0)

    return rule


def _both(b: _Batched, call: Call) -> int:
    """Arithmetic of two tensors: no number among them."""
    b.need(len(call.args) == 2 and not call.named and all(isinstance(one, Named) for one in call.args))
    ranks = [len(b.shape(one)) for one in call.args]
    wide = max(ranks)
    axes = []
    for one, rank in zip(call.args, ranks, strict=True):
        if one.name in b.axes:
            axes.append(b.axis(one) + wide - rank)
    b.need(len(set(axes)) == 1)
    for one, rank in zip(call.args, ranks, strict=True):
        if one.name not in b.axes:
            b.need_fixed([one])
            place = axes[0] - (wide - rank)
            b.need(place < 0 or b.shape(one)[place] == 1)
    return axes[0]


def _multiplied(b: _Batched, call: Call) -> int:
    """matmul and bmm."""
    x, y = call.args[:2]
    axis, rank = b.axis(x), len(b.shape(x))
    if isinstance(y, Named) and y.name in b.axes:
        b.need(b.axis(y) == axis and len(b.shape(y)) == rank and axis < rank - 2)
    else:
        b.need_fixed([y])
        b.need(len(b.shape(y)) == 2 and axis < rank - 1)
    return axis


def _attended(b: _Batched, call: Call) -> int:
    query, mask = call.args[0], _arg(call, 3, "attn_mask")
    rank = len(b.shape(query))
    b.need(all(b.axis(one) == 0 and len(b.shape(one)) == rank for one in call.args[:3]) and rank > 2)
    if isinstance(mask, Named) and mask.name in b.axes:
        b.need(b.axis(mask) == 0 and len(b.shape(mask)) == rank)
    elif mask is not None:
        b.need_fixed([mask])
        b.need(len(b.shape(mask)) < rank or b.shape(mask)[0] == 1)
    return 0


def _recurrent(states: int) -> Rule:
    """LSTM, GRU and RNN that begin with zeros."""

    def rule(b: _Batched, call: Call) -> list[int]:
        first = 0 if _arg(call, 8, "batch_first", False) else 1
        x, start = call.args[:2]
        b.need(b.axis(x) == first and len(b.shape(x)) == 3 and set(_names([start])) <= b.zeros)
        b.need_fixed(call.args[2:])
        return [first] + [1] * states

    return rule


def _reshaped(b: _Batched, call: Call) -> int:
    x, sizes = call.args[:2]
    b.need(b.axis(x) == 0 and sizes[0] in (b.count, -1) and b.shape(x)[0] == b.count)
    b.need(b.shape(call.outputs[0])[0] == b.count)
    return 0


def _expanded(b: _Batched, call: Call) -> int:
    """Of a parameter too: a token for each sample."""
    x, sizes = call.args[:2]
    if isinstance(x, Named) and x.name in b.axes:
        b.need(b.axis(x) == 0 and len(sizes) == len(b.shape(x)) and sizes[0] in (b.count, -1))
        return 0
    b.need_fixed([x])
    shape = b.shape(x)
    b.need(sizes[0] == b.count and (len(shape) < len(sizes) or shape[0] == 1))
    return 0


def _unflattened(b: _Batched, call: Call) -> int:
    x, dim, sizes = call.args[:3]
    place = b.place(x, dim)
    b.need(place != b.axis(x))
    return b.axis(x) + (len(sizes) - 1 if place < b.axis(x) else 0)


def _padded(b: _Batched, call: Call) -> int:
    x, pads = call.args[:2]
    b.need(b.axis(x) < len(b.shape(x)) - len(pads) // 2)
    return b.axis(x)


# Of parameters alone; no number in them
UNTOUCHED = frozenset((
    "t", "contiguous", "clone", "detach", "alias", "mul", "div", "add", "sub", "relu", "sigmoid", "softplus", "exp",
))  # fmt: skip
LAYERS = (
    "convolution", "batch_norm", "_native_batch_norm_legit_no_training", "group_norm", "instance_norm", "prelu",
    "upsample_nearest1d", "upsample_nearest2d", "upsample_bilinear2d", "upsample_bicubic2d", "upsample_nearest3d",
    "upsample_linear1d", "upsample_trilinear3d",
)  # fmt: skip
RANKED = {
    **{f"{name}{n}d": n + 2 for n in (1, 2, 3) for name in (
        "conv", "conv_transpose", "max_pool", "avg_pool", "adaptive_avg_pool", "adaptive_max_pool")},
    "max_pool2d_with_indices": 4, "pixel_shuffle": 4, "pixel_unshuffle": 4,
}  # fmt: skip
ELEMENTWISE = (
    "relu", "relu6", "hardtanh", "sigmoid", "tanh", "silu", "gelu", "hardswish", "hardsigmoid", "leaky_relu", "elu",
    "selu", "celu", "mish", "softplus", "softsign", "log_sigmoid", "exp", "abs", "neg", "sqrt", "square", "sin", "cos",
    "dropout", "contiguous", "clone", "detach", "alias", "to", "_to_copy", "float", "feature_dropout",
)  # fmt: skip
RULES: Mapping[str, Rule] = {
    **dict.fromkeys(LAYERS, _layer()),
    **{name: _layer(rank) for name, rank in RANKED.items()},
    **dict.fromkeys(ELEMENTWISE, _elementwise),
    **dict.fromkeys(("softmax", "log_softmax", "_softmax", "_log_softmax"), _along),
    **dict.fromkeys(("mean", "sum", "amax", "amin", "max", "min", "argmax"), _reduced),
    **dict.fromkeys(("add", "sub", "mul", "div", "maximum", "minimum"), _both),
    **dict.fromkeys(("matmul", "bmm"), _multiplied),
    **dict.fromkeys(("layer_norm", "native_layer_norm", "rms_norm"), _normed),
    **dict.fromkeys(("view", "reshape", "_unsafe_view"), _reshaped),
    **dict.fromkeys(("transpose", "swapaxes", "swapdims"), _swapped),
    **dict.fromkeys(("select", "squeeze"), _narrower),
    **dict.fromkeys(("split", "split_with_sizes", "chunk"), _cut(2)),
    **dict.fromkeys(("pad", "constant_pad_nd"), _padded),
    "linear": _linear, "addmm": _addmm, "embedding": _embedding, "flatten": _flattened, "permute": _turned,
    "unsqueeze": _wider, "slice": _cut(1), "unbind": _unbound, "cat": _joined(0), "stack": _joined(1),
    "scaled_dot_product_attention": _attended, "lstm": _recurrent(2), "gru": _recurrent(1), "rnn_tanh": _recurrent(1),
    "rnn_relu": _recurrent(1), "expand": _expanded, "unflatten": _unflattened,
}  # fmt: skip
