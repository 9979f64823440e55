"""Normalisations."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.form import Value
from ..aten import norms as theirs
from ..aten.axes import view
from .refuse import garbled, refused, training
from .walk import Call, Results, Step, fixed


def batch_norm(c: Call) -> Results:
    """Per channel, by what training has counted. Which vector is which is a matter of its place."""
    if not c.flag("is_test", True) and not c.flag("use_global_stats"):
        raise training("batch_norm(is_test=False)")
    x = c.first(c.x())
    scale, bias, mean, variance = c.maybe("scale"), c.maybe("bias"), c.x("mean"), c.x("variance")
    return [c.back(theirs.batch_norm(c.t, x, scale, bias, mean, variance, False, 0.9, c.number("epsilon", 1e-5)))]


def layer_norm(c: Call) -> Results:
    """Over all axes from one on; its scale and bias are stored flat."""
    x = c.x()
    begin = c.whole("begin_norm_axis", 1)
    begin = begin + len(x.shape) if begin < 0 else begin
    shape = fixed(x.shape[begin:])
    if shape is None:
        raise refused("it normalises over axes of free sizes", "它对大小不固定的轴做归一化")
    scale, bias = (None if one is None else view(c.t, one, shape) for one in (c.maybe("scale"), c.maybe("bias")))
    return [theirs.layer_norm(c.t, x, shape, scale, bias, c.number("epsilon", 1e-5))]


def rms_norm(c: Call) -> Results:
    """Through the root of the mean square of the last axes."""
    x, shape = c.x(), c.ints("normalized_shape")
    shape = shape or (fixed(x.shape[-1:]) or ())
    return [theirs.rms_norm(c.t, x, shape, c.maybe("scale"), c.number("epsilon", 1e-5))]


def group_norm(c: Call) -> Results:
    """Over all positions of each group of channels."""
    x = c.first(c.x())
    groups = c.whole("groups", 1)
    found = theirs.group_norm(c.t, x, groups, c.maybe("scale"), c.maybe("bias"), c.number("epsilon", 1e-5))
    return [c.back(found)]


def instance_norm(c: Call) -> Results:
    """Over all positions of each channel."""
    x = c.x()
    channels = x.shape[1] if len(x.shape) > 1 else None
    scale, bias = c.maybe("scale"), c.maybe("bias")
    if len(x.shape) == 2 or any(one is not None and one.shape != (channels,) for one in (scale, bias)):
        raise garbled(f"an instance_norm of {list(x.shape)}", f"instance_norm 的输入是 {list(x.shape)}")
    return [theirs.instance_norm(c.t, x, scale, bias, None, None, True, 0.1, c.number("epsilon", 1e-5))]


def affine_channel(c: Call) -> Value:
    """x * scale + bias, per channel."""
    x = c.first(c.x())
    vectors = [theirs.along_channels(c.t, c.x(name), len(x.shape)) for name in ("scale", "bias")]
    return c.back(theirs.affine(c.t, x, *vectors))


def response_norm(c: Call) -> Value:
    """Krizhevsky et al. 2012: x / (k + alpha * the sum of squares of n channels around) ** beta."""
    x, n = c.first(c.x()), c.whole("n", 5)
    found: Any = {"size": n, "alpha": c.number("alpha", 1e-4) * n, "beta": c.number("beta", 0.75)}
    return c.back(c.t.emit("LRN", [x], bias=c.number("k", 2.0), **found))


def spectral_norm(c: Call) -> Value:
    """A weight through its largest singular value, as so many steps of the power method find it."""
    weight, u, v = (c.t.known(c.x(name)) for name in ("weight", "u", "v"))
    if weight is None or u is None or v is None:
        raise refused("the weight of its spectral_norm is computed", "spectral_norm 的权重是计算出来的")
    axis, eps = c.axis("dim", weight.ndim), c.number("eps", 1e-12)
    rows = np.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1)
    for _ in range(min(c.whole("power_iters", 1), 100)):
        v = rows.T @ u
        v = v / (np.linalg.norm(v) + eps)
        u = rows @ v
        u = u / (np.linalg.norm(u) + eps)
    return c.t.emit("Div", [c.x("weight"), c.t.scalar(float(u @ rows @ v))])


NORMS: dict[str, Step] = {
    **dict.fromkeys(("batch_norm_", "batch_norm", "sync_batch_norm_"), batch_norm), "layer_norm": layer_norm,
    "rms_norm": rms_norm, "group_norm": group_norm, "instance_norm": instance_norm, "affine_channel": affine_channel,
    "lrn": response_norm, "spectral_norm": spectral_norm,
}  # fmt: skip
