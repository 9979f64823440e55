"""Writes many small networks with their answers: python make_layers.py FOLDER SEED [names …], by a Python with Paddle.

What this Paddle cannot build or save itself is left out, and told.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import paddle
import paddle.nn as nn
import paddle_layers
import paddle_numbers
import paddle_windows
from paddle.static import InputSpec

warnings.filterwarnings("ignore")

GROUPS = (
    *(paddle_numbers.acts, paddle_numbers.arithmetic, paddle_numbers.reductions),
    *(paddle_layers.shapes, paddle_layers.picking, paddle_layers.layers),
    *(paddle_windows.pools, paddle_windows.sizes, paddle_windows.recurrent, paddle_windows.more),
)


class Wrapped(nn.Layer):
    """A function as a layer, whose only results are tensors. Paddle wants its arguments one by one."""

    def __init__(self, function):
        super().__init__()
        self.function = function


class One(Wrapped):
    def forward(self, a):
        return flat(self.function(a))


class Two(Wrapped):
    def forward(self, a, b):
        return flat(self.function(a, b))


class Three(Wrapped):
    def forward(self, a, b, c):
        return flat(self.function(a, b, c))


WRAPPED = {1: One, 2: Two, 3: Three}


def flat(found):
    if isinstance(found, (list, tuple)):
        return [one for each in found for one in flat_list(each)]
    return found


def flat_list(found):
    return [one for each in found for one in flat_list(each)] if isinstance(found, (list, tuple)) else [found]


def kind_of(shape):
    return shape[0] if shape and isinstance(shape[0], str) else ""


def spec(shape, i):
    kind = kind_of(shape)
    dtype = "bool" if kind == "b" else "int64" if kind.startswith("i") else "float32"
    return InputSpec(list(shape[1:] if kind else shape), dtype, f"in{i}")


def sample(shape, rng):
    kind, sizes = kind_of(shape), [2 if n is None else n for n in shape if not isinstance(n, str)]
    if len(sizes) == 4 and shape.count(None) > 1:
        sizes[2:] = [5, 6]
    if kind == "b":
        return rng.random(sizes) > 0.5
    if kind.startswith("i"):
        return rng.integers(0, int(kind[1:] or 8), sizes)
    found = rng.standard_normal(sizes)
    found = np.abs(found) + 0.1 if kind == "+" else rng.uniform(0.05, 0.95, sizes) if kind == "u" else found
    return found.astype("float32")


def fill(layer, rng):
    for key, value in layer.state_dict().items():
        if value.dtype == paddle.float32:
            new = rng.uniform(0.5, 1.5, value.shape) if key.endswith("_variance") else rng.normal(0, 0.5, value.shape)
            value.set_value(new.astype("float32"))


def make(root, name, shapes, function, seed):
    rng = np.random.default_rng([seed, *name.encode()])
    shapes = shapes if shapes and isinstance(shapes[0], tuple) else (shapes,)
    layer = function if isinstance(function, nn.Layer) else WRAPPED[len(shapes)](function)
    fill(layer, rng)
    layer.eval()
    inputs = [sample(shape, rng) for shape in shapes]
    expected = flat_list(layer(*map(paddle.to_tensor, inputs)))
    folder = root / name
    folder.mkdir(parents=True)
    saved = paddle.jit.to_static(layer, input_spec=[spec(shape, i) for i, shape in enumerate(shapes)], full_graph=True)
    paddle.jit.save(saved, str(folder / "model"))
    arrays = {f"x{i}": x for i, x in enumerate(inputs)} | {f"y{i}": y.numpy() for i, y in enumerate(expected)}
    np.savez(folder / "reference.npz", **arrays)


def main():
    root, seed, only = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    left = {}
    for group in GROUPS:
        for name, (shapes, function) in group().items():
            if only and name not in only:
                continue
            try:
                make(root, name, shapes, function, seed)
            except Exception as err:
                left[name] = f"{type(err).__name__}: {str(err)[-160:]}"
    (root / "left.json").write_text(json.dumps(left, indent=1))
    print(len(left), "left out")
    for name, why in left.items():
        print("  ", name, why.replace("\n", " ")[-150:])


main()
