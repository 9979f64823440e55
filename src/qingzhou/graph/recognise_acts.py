"""Patterns of activations that are spelled out."""

from __future__ import annotations

import math

from .find import CLOSE, Finder, block
from .form import Node


def gated(f: Finder, node: Node) -> Node | None:
    """x * sigmoid(x), and x * hardsigmoid(x)."""
    for x, gate in f.pair(node):
        maker = f.made_by(gate, "Sigmoid", "HardSigmoid")
        if maker is not None and maker.inputs[0] == x:
            if maker.op == "Sigmoid":
                return block("Silu", node, [x])
            if _is_sixth(maker):
                return Node("HardSwish", (x,), node.outputs)
    return None


def _is_sixth(node: Node) -> bool:
    return bool(abs(node.attrs["alpha"] - 1 / 6) <= CLOSE and abs(node.attrs["beta"] - 0.5) <= CLOSE)


def _relu6_of_3(f: Finder, name: str) -> str | None:
    """x, where the value is min(max(x + 3, 0), 6)."""
    clip = f.made_by(name, "Clip")
    if clip is None or len(clip.inputs) != 3 or not (f.is_near(clip.inputs[1], 0) and f.is_near(clip.inputs[2], 6)):
        return None
    add = f.made_by(clip.inputs[0], "Add")
    return next((x for x, three in f.pair(add) if f.is_near(three, 3)), None) if add is not None else None


def hard_by_six(f: Finder, node: Node) -> Node | None:
    """relu6(x + 3) / 6, or that times x, as exporters of opsets before 14 spell it."""
    by_six = [a for a, b in f.pair(node) if f.is_near(b, 6 if node.op == "Div" else 1 / 6)]
    if not by_six or (node.op == "Div" and by_six[0] != node.inputs[0]):
        return None
    x = _relu6_of_3(f, by_six[0])
    if x is not None:
        return Node("HardSigmoid", (x,), node.outputs, {"alpha": 1 / 6, "beta": 0.5})
    product = f.made_by(by_six[0], "Mul")
    swished = [x for x, gate in f.pair(product) if _relu6_of_3(f, gate) == x] if product is not None else []
    return Node("HardSwish", (swished[0],), node.outputs) if swished else None


def hard_swish(f: Finder, node: Node) -> Node | None:
    """x * (relu6(x + 3) / 6)."""
    for x, gate in f.pair(node):
        maker = f.made_by(gate, "Div", "Mul")
        found = None if maker is None else hard_by_six(f, maker)
        if found is not None and found.op == "HardSigmoid" and found.inputs[0] == x:
            return Node("HardSwish", (x,), node.outputs)
    return None


def gelu(f: Finder, node: Node) -> Node | None:
    """x / 2 * (1 + erf(x / sqrt 2)), in whatever order it is multiplied; or its form with tanh."""
    factors = _factors(f, node.outputs[0], 3)
    half = [name for name in factors if f.is_near(name, 0.5)]
    gates = [name for name in factors if f.made_by(name, "Add") is not None]
    rest = [name for name in factors if name not in (*half, *gates)]
    if len(factors) != 3 or not (len(half) == len(gates) == len(rest) == 1):
        return None
    x, add = rest[0], f.makers[gates[0]]
    inner = next((name for name, one in f.pair(add) if f.is_near(one, 1)), "")
    for op, scaled in (("Erf", _over_root_two), ("Tanh", _of_tanh)):
        maker = f.made_by(inner, op)
        if maker is not None and scaled(f, maker.inputs[0]) == x:
            return block("Gelu", node, [x], approximate="tanh" if op == "Tanh" else "none")
    return None


def _factors(f: Finder, name: str, most: int) -> list[str]:
    """What is multiplied to make a value, so far as that is spelled out in products of two."""
    found, left = list[str](), [name]
    while left and len(found) + len(left) <= most:
        maker = f.made_by(left[0], "Mul")
        left, found = ([*maker.inputs, *left[1:]], found) if maker is not None else (left[1:], [*found, left[0]])
    return found if not left else []


def _over_root_two(f: Finder, name: str) -> str | None:
    maker = f.made_by(name, "Mul", "Div")
    if maker is None:
        return None
    wanted = 0.5**0.5 if maker.op == "Mul" else 2**0.5
    pairs = f.pair(maker) if maker.op == "Mul" else f.pair(maker)[:1]
    return next((x for x, number in pairs if f.is_near(number, wanted)), None)


def _of_tanh(f: Finder, name: str) -> str | None:
    """x, where the value is sqrt(2 / pi) (x + 0.044715 x^3)."""
    product = f.made_by(name, "Mul")
    inner = next((a for a, k in f.pair(product) if f.is_near(k, (2 / math.pi) ** 0.5)), "") if product else ""
    add = f.made_by(inner, "Add")
    for x, small in f.pair(add) if add is not None else []:
        if _is_small_cube(f, small, x):
            return x
    return None


def _is_small_cube(f: Finder, name: str, x: str) -> bool:
    factors = _factors(f, name, 4)
    powers = [f.made_by(factor, "Pow") for factor in factors]
    numbers = [factor for factor in factors if f.is_near(factor, 0.044715)]
    cubed = any(p is not None and p.inputs[0] == x and f.is_near(p.inputs[1], 3) for p in powers)
    return len(numbers) == 1 and (factors.count(x) == 3 or (cubed and len(factors) == 2))
