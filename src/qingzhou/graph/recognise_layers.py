"""Patterns of layers with parameters: linear, normalising and recurrent ones, and windows."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .find import Finder, block
from .form import Array, Constant, Node


def gemm(f: Finder, node: Node) -> Node | None:
    """x W^T + b with known numbers; alpha and beta go into them."""
    x, name, bias, attrs = *(*node.inputs, "", "")[:3], node.attrs
    weight = f.constant(name)
    if weight is None or len(weight.shape) != 2 or attrs["transA"]:
        return None
    row = _bias(f, bias, weight.shape[0 if attrs["transB"] else 1], attrs["beta"])
    if row is None:
        return None
    if not attrs["transB"] or attrs["alpha"] != 1:
        name = _turned(f, name, weight, attrs["alpha"], not attrs["transB"])
    return block("Linear", node, [x, name, row] if row else [x, name])


def _turned(f: Finder, name: str, weight: Constant, factor: float = 1.0, turn: bool = True) -> str:
    """The weight as (out, in)."""

    def load() -> Array:
        array = weight.load().T if turn else weight.load()
        return array if factor == 1 else (array * factor).astype(np.float32)

    return f.make(f"{name}.rows", weight.shape[::-1] if turn else weight.shape, load, name)


def _bias(f: Finder, name: str, size: int, factor: float = 1.0) -> str | None:
    """The name of a row of this size; "" where there is none, None where it is something else."""
    if not name:
        return ""
    bias = f.constant(name)
    if bias is None or math.prod(bias.shape) not in (1, size) or (bias.shape and bias.shape[-1] not in (1, size)):
        return None
    if bias.shape == (size,) and factor == 1:
        return name

    def load() -> Array:
        return np.broadcast_to(bias.load().reshape(-1) * factor, size).astype(np.float32)

    return f.make(f"{name}.row", (size,), load, name)


def matmul(f: Finder, node: Node) -> Node | None:
    """x W with a known matrix."""
    x, name = node.inputs
    weight = f.constant(name)
    if weight is None or len(weight.shape) != 2 or f.constant(x) is not None:
        return None
    return block("Linear", node, [x, _turned(f, name, weight)])


def matmul_and_bias(f: Finder, node: Node) -> Node | None:
    """x W + b."""
    for product, bias in f.pair(node):
        maker = f.made_by(product, "MatMul")
        found = matmul(f, maker) if maker is not None and f.constant(bias) is not None else None
        weight = None if found is None else f.constant(found.inputs[1])
        row = None if weight is None else _bias(f, bias, weight.shape[0])
        if found is not None and row:
            return block("Linear", node, [*found.inputs, row])
    return None


def affine(f: Finder, node: Node) -> Node | None:
    """scale * x + shift with one number for each channel, of which either may be missing."""
    x, scale, shift = _affine(f, node)
    value = f.value(x)
    if value is None or len(value.shape) < 2 or not isinstance(value.shape[1], int):
        return None
    scaled, size = f.made_by(x, "Mul"), value.channels
    if scale is None and scaled is not None:  # the product before the sum
        inner, before, none = _affine(f, scaled)
        x, scale = (inner, before) if before is not None and none is None else (x, None)
    rows = [_row(f, name, size, len(value.shape)) for name in (scale, shift)]
    if None in rows:
        return None
    names = [
        row or _same(f, node, role, size, number)
        for row, role, number in zip(rows, ("scale", "shift"), (1.0, 0.0), strict=True)
    ]
    names += [_same(f, node, role, size, number) for role, number in (("mean", 0.0), ("var", 1.0))]
    return Node("BatchNormalization", (x, *names), node.outputs, {"epsilon": 0.0})


def _affine(f: Finder, node: Node) -> tuple[str, str | None, str | None]:
    """What is scaled or shifted, and by which constants."""
    for x, name in f.pair(node):
        if f.constant(name) is not None and f.constant(x) is None:
            return (x, name, None) if node.op == "Mul" else (x, None, name)
    return "", None, None


def _row(f: Finder, name: str | None, size: int, rank: int) -> str | None:
    """The name of one number for each channel; "" where there are none, None where they lie otherwise."""
    if name is None:
        return ""
    found = f.constants[name]
    shape = (1,) * (rank - len(found.shape)) + found.shape
    fits = len(shape) == rank and shape[1] in (1, size) and all(n == 1 for n in (shape[0], *shape[2:]))
    if found.dtype != "float32" or not fits:
        return None
    return f.make(f"{name}.row", (size,), lambda: np.broadcast_to(found.load().reshape(-1), size), name)


def _same(f: Finder, node: Node, role: str, size: int, number: float) -> str:
    return f.make(f"{node.outputs[0]}/{role}", (size,), functools.partial(np.full, size, number, np.float32))


def group_norm(f: Finder, node: Node) -> Node | None:
    """Groups normalised as instances, and put back into the shape that they had."""
    normed = f.made_by(node.inputs[0], "InstanceNormalization")
    grouped = None if normed is None else f.made_by(normed.inputs[0], "Reshape")
    if normed is None or grouped is None:
        return None
    sizes = f.numbers(grouped.inputs[1])
    before, after = f.value(grouped.inputs[0]), f.value(node.outputs[0])
    plain = all(
        np.all((f.numbers(name) or [math.nan]) == np.float32(value))
        for name, value in zip(normed.inputs[1:], (1, 0), strict=True)
    )
    if not plain or sizes is None or len(sizes) != 3 or before is None or after is None or before.shape != after.shape:
        return None
    return block("GroupNorm", node, grouped.inputs[:1], groups=sizes[1], eps=normed.attrs["epsilon"])


def affine_group_norm(f: Finder, node: Node) -> Node | None:
    """The same, scaled and shifted."""
    found = affine(f, node)
    back = None if found is None else f.made_by(found.inputs[0], "Reshape")
    plain = None if back is None else group_norm(f, back)
    if found is None or plain is None:
        return None
    return replace(plain, inputs=(*plain.inputs, *found.inputs[1:3]), outputs=node.outputs)


def global_mean(f: Finder, node: Node) -> Node | None:
    """The mean over all positions, which keeps its axes."""
    value, axes = f.value(node.inputs[0]), node.attrs.get("axes", ())
    if value is None or len(value.shape) < 3 or not node.attrs["keepdims"]:
        return None
    rank = len(value.shape)
    every = sorted(axis % rank for axis in axes) == list(range(2, rank))
    return Node("GlobalAveragePool", node.inputs[:1], node.outputs) if every else None


def turned(f: Finder, node: Node) -> Node | None:
    """Without an order the axes are in reverse."""
    value = f.value(node.inputs[0])
    if "perm" in node.attrs or value is None:
        return None
    return replace(node, attrs={"perm": tuple(reversed(range(len(value.shape))))})


def softmax(f: Finder, node: Node) -> Node | None:
    """Flattened, softmax, and put back, as opsets before 13 mean it: along one axis, if those behind it have size 1."""
    soft = f.made_by(node.inputs[0], "Softmax", "LogSoftmax")
    flat = None if soft is None else f.made_by(soft.inputs[0], "Flatten")
    value = None if flat is None else f.value(flat.inputs[0])
    shape = f.made_by(node.inputs[1], "Shape")
    if soft is None or flat is None or value is None or shape is None or shape.inputs[0] != value.name:
        return None
    axis = flat.attrs["axis"] % len(value.shape)
    alone = soft.attrs["axis"] in (1, -1) and all(size == 1 for size in value.shape[axis + 1 :])
    return Node(soft.op, (value.name,), node.outputs, {"axis": axis}) if alone else None


def window(f: Finder, node: Node) -> Node | None:
    """All attributes of a sliding window, with the padding that auto_pad stands for."""
    value, weight = f.value(node.inputs[0]), f.constant(node.inputs[1]) if len(node.inputs) > 1 else None
    kernel = node.attrs.get("kernel_shape") or (weight.shape[2:] if weight is not None else None)
    if value is None or kernel is None:
        return None
    ones = (1,) * len(kernel)
    dilated = {} if node.op == "AveragePool" else {"dilations": ones}
    attrs: dict[str, Any] = {
        "strides": ones,
        **dilated,
        "pads": (0,) * 2 * len(kernel),
        **node.attrs,
        "kernel_shape": tuple(kernel),
    }
    auto = attrs.pop("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        sizes = value.shape[2:]
        if node.op == "ConvTranspose" or not all(isinstance(n, int) for n in sizes):
            return None
        attrs["pads"] = _same_pads([int(n) for n in sizes], attrs, auto == "SAME_LOWER")
    elif auto == "VALID":
        attrs["pads"] = (0,) * 2 * len(kernel)
    return replace(node, attrs=attrs)


def _same_pads(sizes: Sequence[int], attrs: dict[str, Any], lower: bool) -> tuple[int, ...]:
    """So many windows as strides fit into the size; the odd one is added at the end, or for SAME_LOWER at the start."""
    starts, ends = [], []
    dilations = attrs.get("dilations", (1,) * len(sizes))
    for n, kernel, stride, dilation in zip(sizes, attrs["kernel_shape"], attrs["strides"], dilations, strict=True):
        total = max(0, (-(-n // stride) - 1) * stride + dilation * (kernel - 1) + 1 - n)
        less, more = total // 2, total - total // 2
        starts.append(more if lower else less)
        ends.append(less if lower else more)
    return (*starts, *ends)


def lstm(f: Finder, node: Node) -> Node | None:
    """An LSTM whose directions are laid side by side: (T, ways, N, hidden) -> (T, N, ways * hidden)."""
    if node.op == "Squeeze":
        cell, squeezed = f.made_by(node.inputs[0], "LSTM"), f.numbers(node.inputs[1]) if len(node.inputs) > 1 else None
        return _lstm(f, node, cell) if cell is not None and squeezed == [1] else None
    turned = f.made_by(node.inputs[0], "Transpose")
    cell = f.made_by(turned.inputs[0], "LSTM") if turned is not None else None
    if turned is None or cell is None or tuple(turned.attrs.get("perm", ())) != (0, 2, 1, 3):
        return None
    after = f.value(node.outputs[0])
    return _lstm(f, node, cell) if after is not None and len(after.shape) == 3 else None


def _lstm(f: Finder, node: Node, cell: Node) -> Node | None:
    """ONNX keeps all directions in one array for each role, and both biases in one."""
    x, w, r, b, lengths, h, c, peepholes = (*cell.inputs, *[""] * 8)[:8]
    weight, hidden = f.constant(w), cell.attrs.get("hidden_size", 0)
    odd = {"activations", "activation_alpha", "activation_beta", "clip"} & set(cell.attrs)
    unusual = odd or cell.attrs["input_forget"] or cell.attrs.get("layout") or cell.attrs["direction"] == "reverse"
    known = all(f.constant(name) is not None for name in (w, r, b) if name)
    if weight is None or not known or lengths or peepholes or unusual or bool(h) != bool(c):
        return None
    ways, wide, _ = weight.shape
    parts = {"weight_ih": (w, 0), "weight_hh": (r, 0), "bias_ih": (b, 0), "bias_hh": (b, wide)}
    names = [
        _gates(f, name, way, start, wide, f"{name}.{role}{suffix}") if name else ""
        for way, suffix in enumerate(("", "_reverse")[:ways])
        for role, (name, start) in parts.items()
    ]
    ends = [node.outputs[0], *(*cell.outputs[1:], "", "")[:2]]
    return block("Lstm", node, [x, h, c, *names], ends, hidden=hidden or wide // 4, ways=ways)


def _gates(f: Finder, name: str, way: int, start: int, wide: int, made: str) -> str:
    """One direction of one role, in torch's order i f g o; ONNX has them as i o f c."""
    found = f.constants[name]

    def load() -> Array:
        i, o, forget, g = np.split(found.load()[way][start : start + wide], 4)
        return np.concatenate([i, forget, g, o])

    return f.make(made, (wide, *found.shape[2:]), load, name)
