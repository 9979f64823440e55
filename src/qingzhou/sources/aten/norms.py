"""Normalisations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...graph.form import Value
from ..recording.net import Ints, Net
from .arithmetic import floating
from .axes import sizes_of, view
from .reductions import over
from .refuse import garbled, in_training, refused


def affine(t: Net, x: Value, weight: Value | None, bias: Value | None) -> Value:
    """x * weight + bias, each of which may be missing."""
    x = x if weight is None else t.emit("Mul", [x, weight])
    return x if bias is None else t.emit("Add", [x, bias])


def along_channels(t: Net, vector: Value, rank: int) -> Value:
    """(C,) -> (C, 1, 1 …), as it stands beside (N, C, …)."""
    size = vector.shape[0]
    return view(t, vector, (size if isinstance(size, int) else t.size(vector, 0), *[1] * (rank - 2)))


def batch_norm(
    t: Net,
    input: Value,  # torch's name
    weight: Value | None,
    bias: Value | None,
    running_mean: Value | None,
    running_var: Value | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: object = None,
) -> Value:
    """Per channel of axis 1, by what training has counted."""
    if training or running_mean is None or running_var is None:
        raise in_training("", "batch_norm(training=True)" if training else "batch_norm(running_mean=None)")
    size = running_mean.shape
    if any(one is not None and one.shape != size for one in (weight, bias, running_var)):
        raise garbled("a batch_norm's vectors are of different lengths", "batch_norm 各参数长度不一致")
    width = int(np.prod([n for n in size if isinstance(n, int)]))
    scale = weight or t.array(np.ones(width, np.float32))
    shift = bias or t.array(np.zeros(width, np.float32))
    numbers = [scale, shift, running_mean, running_var]
    if all(map(t.is_constant, numbers)):
        return t.emit("BatchNormalization", [input, *numbers], epsilon=float(eps))
    scale, shift, mean, var = (along_channels(t, one, len(input.shape)) for one in numbers)
    deviation = t.emit("Sqrt", [t.emit("Add", [var, t.scalar(eps)])])
    return affine(t, t.emit("Div", [t.emit("Sub", [input, mean]), deviation]), scale, shift)


def core_batch_norm(
    t: Net,
    input: Value,
    weight: Value | None,
    bias: Value | None,
    running_mean: Value,
    running_var: Value,
    momentum: float,
    eps: float,
) -> list[Value | None]:
    """As the core operators have it: what it saves is for training."""
    return [batch_norm(t, input, weight, bias, running_mean, running_var, False, momentum, eps), None, None]


def training_batch_norm(
    t: Net,
    input: Value,
    weight: Value | None,
    bias: Value | None,
    running_mean: Value | None,
    running_var: Value | None,
    training: bool,
    momentum: float,
    eps: float,
) -> list[Value | None]:
    """Of the same name, and used in training only."""
    return [batch_norm(t, input, weight, bias, running_mean, running_var, training, momentum, eps), None, None]


def batch_norm_of_itself(
    t: Net,
    input: Value,
    weight: Value | None,
    bias: Value | None,
    training: bool,
    momentum: float,
    eps: float,
) -> list[Value | None]:
    """By its own statistics: of a single sample that is instance_norm, as the core operators write it."""
    if input.shape[0] != 1:
        raise in_training("", "batch_norm(training=True)")
    return [instance_norm(t, input, weight, bias, None, None, True, momentum, eps), None, None]


def instance_norm(
    t: Net,
    input: Value,
    weight: Value | None,
    bias: Value | None,
    running_mean: Value | None,
    running_var: Value | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: object = None,
) -> Value:
    """Over all positions of each channel."""
    if not use_input_stats:
        return batch_norm(t, input, weight, bias, running_mean, running_var, False, momentum, eps)
    channels = input.shape[1]
    if not isinstance(channels, int):
        raise refused("instance_norm over a free number of channels", "instance_norm 的通道数不固定")
    if not all(one is None or t.is_constant(one) for one in (weight, bias)):
        ones, none = (t.array(np.full(channels, n, np.float32)) for n in (1, 0))
        plain = t.emit("InstanceNormalization", [input, ones, none], epsilon=float(eps))
        vectors = [None if one is None else along_channels(t, one, len(input.shape)) for one in (weight, bias)]
        return affine(t, plain, *vectors)
    scale = weight or t.array(np.ones(channels, np.float32))
    shift = bias or t.array(np.zeros(channels, np.float32))
    return t.emit("InstanceNormalization", [input, scale, shift], epsilon=float(eps))


def layer_norm(
    t: Net,
    input: Value,
    normalized_shape: tuple[int, ...],
    weight: Value | None = None,
    bias: Value | None = None,
    eps: float = 1e-5,
    cudnn_enable: object = None,
) -> Value:
    """Over the last axes."""
    x = floating(t, input)
    count = len(normalized_shape)
    if not 0 < count <= len(x.shape) or x.shape[len(x.shape) - count :] != normalized_shape:
        raise garbled(f"layer_norm of {list(normalized_shape)} over {list(x.shape)}", "layer_norm 的形状不符")
    scale = weight or t.array(np.ones(normalized_shape, np.float32))
    return t.emit("LayerNormalization", [x, scale, bias] if bias else [x, scale], axis=-count, epsilon=float(eps))


def native_layer_norm(
    t: Net,
    input: Value,
    normalized_shape: tuple[int, ...],
    weight: Value | None,
    bias: Value | None,
    eps: float,
) -> list[Value | None]:
    """As the core operators have it."""
    return [layer_norm(t, input, normalized_shape, weight, bias, eps), None, None]


def rms_norm(
    t: Net,
    input: Value,
    normalized_shape: tuple[int, ...],
    weight: Value | None = None,
    eps: float | None = None,
) -> Value:
    """Through the root of the mean square over the last axes."""
    axes = tuple(range(-len(normalized_shape), 0))
    mean = over(t, "ReduceMean", t.emit("Mul", [input, input]), axes, True)
    small = float(np.finfo(np.float32).eps) if eps is None else eps
    root = t.emit("Sqrt", [t.emit("Add", [mean, t.scalar(small)])])
    return affine(t, t.emit("Div", [input, root]), weight, None)


def group_norm(
    t: Net,
    input: Value,
    num_groups: int,
    weight: Value | None = None,
    bias: Value | None = None,
    eps: float = 1e-5,
    cudnn_enabled: object = None,
) -> Value:
    """Over all positions of each group of channels."""
    channels = input.shape[1]
    if not isinstance(channels, int) or num_groups < 1 or channels % num_groups:
        raise garbled(f"{channels} channels in {num_groups} groups", f"{channels} 个通道分成 {num_groups} 组")
    params = [weight, bias]
    fixed = len([n for n in input.shape if isinstance(n, str)]) <= 1
    if fixed and all(one is not None and t.is_constant(one) for one in params):
        found = [input, *(one for one in params if one is not None)]
        return t.blocks("GroupNorm", found, input.shape, groups=num_groups, eps=float(eps))
    wide = view(t, input, (t.size(input, 0), num_groups, -1))
    ones = t.array(np.ones(num_groups, np.float32))
    normed = t.emit(
        "InstanceNormalization", [wide, ones, t.array(np.zeros(num_groups, np.float32))], epsilon=float(eps)
    )
    back = view(t, normed, sizes_of(t, input))
    wides = [None if one is None else along_channels(t, one, len(input.shape)) for one in params]
    return affine(t, back, *wides)


def native_group_norm(
    t: Net,
    input: Value,
    weight: Value | None,
    bias: Value | None,
    N: Ints,
    C: int,
    HxW: Ints,
    group: int,
    eps: float,
) -> list[Value | None]:
    """As the core operators have it."""
    return [group_norm(t, input, group, weight, bias, eps), None, None]


def local_response_norm(
    t: Net, input: Value, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Value:
    """Krizhevsky et al. 2012."""
    return t.emit("LRN", [input], size=size, alpha=float(alpha), beta=float(beta), bias=float(k))


def weight_norm(t: Net, v: Value, g: Value, dim: int = 0) -> Value:
    """g * v / |v|, of a weight."""
    axes = tuple(i for i in range(len(v.shape)) if i != dim)
    length = over(t, "ReduceSum", t.emit("Mul", [v, v]), axes, True)
    return t.emit("Mul", [v, t.emit("Div", [g, t.emit("Sqrt", [length])])])


def core_weight_norm(t: Net, v: Value, g: Value, dim: int = 0) -> list[Value | None]:
    """As the core operators have it."""
    return [weight_norm(t, v, g, dim), None]


NORMS: dict[str, Callable[..., Value | list[Value | None]]] = {
    "batch_norm": batch_norm, "_native_batch_norm_legit_no_training": core_batch_norm,
    "_native_batch_norm_legit": training_batch_norm, "native_batch_norm": training_batch_norm,
    "_native_batch_norm_legit_functional": training_batch_norm, "cudnn_batch_norm": training_batch_norm,
    "_native_batch_norm_legit.no_stats": batch_norm_of_itself,
    "instance_norm": instance_norm, "layer_norm": layer_norm, "native_layer_norm": native_layer_norm,
    "rms_norm": rms_norm, "group_norm": group_norm, "native_group_norm": native_group_norm,
    "local_response_norm": local_response_norm, "_weight_norm": weight_norm,
    "_weight_norm_interface": core_weight_norm,
}  # fmt: skip
