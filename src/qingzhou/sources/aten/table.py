"""Every operator of PyTorch that is known, by its name; `name.overload` where overloads differ in their arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...graph.form import Value
from ..recording.net import Net
from .activations import ACTIVATIONS
from .arithmetic import ARITHMETIC, cast
from .attention import ATTENTION
from .axes import AXES, expand, sizes_of, split_with_sizes
from .kinds import KINDS
from .making import MAKING
from .norms import NORMS
from .picking import PICKING
from .recurrent import RECURRENT
from .reductions import REDUCTIONS
from .resize import RESIZE
from .windows import WINDOWS

Function = Callable[..., Any]


def same(
    t: Net,
    self: Value,
    *,
    memory_format: object = None,
    implicit: object = None,
    requires_grad: object = None,
) -> Value:
    """The same numbers."""
    return self


def same_in(t: Net, self: Value, memory_format: object = None) -> Value:
    """The same numbers, however they lie."""
    return self


def copied(t: Net, self: Value, src: Value, non_blocking: object = None) -> Value:
    """The numbers of another tensor, in the shape and dtype of this one."""
    return expand(t, cast(t, src, self.dtype), sizes_of(t, self))


OPS: Mapping[str, Function] = {
    **ARITHMETIC, **KINDS, **ACTIVATIONS, **REDUCTIONS, **AXES, **PICKING, **MAKING, **WINDOWS, **NORMS, **RESIZE,
    **ATTENTION, **RECURRENT,
    "split.sizes": split_with_sizes, "copy": copied, "contiguous": same_in,
    **dict.fromkeys(("clone", "lift_fresh_copy", "detach", "detach_copy", "alias", "alias_copy", "requires_grad",
                     "lift_fresh", "lift", "resolve_conj", "resolve_neg", "positive", "cpu"), same),
}  # fmt: skip
BY_BASE: dict[str, list[str]] = {}
for _key in sorted(OPS, key=lambda name: name.endswith(".other")):  # which takes numbers, too: it comes last
    BY_BASE.setdefault(_key.partition(".")[0], []).append(_key)

# Whose results show the numbers of their first argument: what is written into one is in the other.
VIEWS = frozenset((
    "view", "unflatten", "unsqueeze", "squeeze", "permute", "transpose", "swapaxes", "swapdims", "t", "numpy_T", "mT",
    "movedim", "moveaxis", "expand", "expand_as", "view_as", "broadcast_to", "slice", "narrow", "select", "split",
    "split_with_sizes", "chunk", "tensor_split", "unbind", "detach", "alias", "diagonal", "unfold", "_unsafe_view",
    "dropout", "alpha_dropout", "feature_dropout", "requires_grad",
))  # fmt: skip
# Whose results may show them, or be copies: that depends on how the numbers lie.
PERHAPS = frozenset((
    "reshape", "reshape_as", "flatten", "contiguous", "to", "type_as", "float", "double", "half", "long", "int",
    "bool", "cpu",
))  # fmt: skip
# What only checks, or says something of sizes.
CHECKS = frozenset((
    "_assert_async", "_assert_tensor_metadata", "_assert_scalar", "sym_constrain_range", "_functional_assert_async",
    "sym_constrain_range_for_size", "_functional_sym_constrain_range", "_functional_sym_constrain_range_for_size",
))  # fmt: skip
RANDOM = frozenset((
    "rand", "randn", "randint", "randperm", "rand_like", "randn_like", "bernoulli", "normal", "uniform", "multinomial",
    "exponential",
))  # fmt: skip
# How many numbers these give depends on the numbers that go in.
DEPENDENT = frozenset(("nonzero", "nonzero_numpy", "masked_select", "unique2", "_unique2", "unique_dim", "bincount"))
