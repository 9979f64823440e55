"""Products of matrices, and attention."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ...graph.form import Value
from ..recording.net import Net
from .arithmetic import both, cast, floating, mul_
from .axes import expand, permute, sizes_of, squeeze_dims, transpose, turned, unsqueeze, view
from .bind import Number, Values
from .making import arange
from .refuse import garbled, refused


def linear(t: Net, input: Value, weight: Value, bias: Value | None = None) -> Value:  # torch's name
    """(…, C) with (features, C) -> (…, features)."""
    x = floating(t, input)
    known = [one for one in (weight, bias) if one is not None]
    if len(weight.shape) != 2 or not all(map(t.is_constant, known)) or not x.shape:
        return _plain_linear(t, x, weight, bias)
    features, inner = weight.shape
    if x.shape[-1] != inner or (bias is not None and bias.shape != (features,)):
        raise garbled(f"a linear layer of {list(weight.shape)} gets {list(x.shape)}", "linear 层的形状不符")
    if len(x.shape) == 1:
        return squeeze_dims(t, t.blocks("Linear", [unsqueeze(t, x, 0), *known], (1, features)), (0,))
    return t.blocks("Linear", [x, *known], (*x.shape[:-1], features))


def _plain_linear(t: Net, x: Value, weight: Value, bias: Value | None) -> Value:
    found = t.emit("MatMul", [x, turned(t, weight)])
    return found if bias is None else t.emit("Add", [found, bias])


def matmul(t: Net, self: Value, other: Value) -> Value:
    """Of any ranks, as numpy's."""
    return t.emit("MatMul", [*both(t, self, other, "int64")])


def mm(t: Net, self: Value, mat2: Value) -> Value:
    """Of two matrices: a linear layer where the second is a weight that was turned."""
    weight = t.turned.get(mat2.name)
    return matmul(t, self, mat2) if weight is None else linear(t, self, weight)


def addmm(t: Net, self: Value, mat1: Value, mat2: Value, beta: Number = 1, alpha: Number = 1) -> Value:
    """beta * self + alpha * mat1 @ mat2."""
    weight = t.turned.get(mat2.name)
    if weight is not None and beta == alpha == 1 and self.shape == weight.shape[:1] and t.is_constant(self):
        return linear(t, mat1, weight, self)
    return _weighed(t, self, matmul(t, mat1, mat2), beta, alpha)


def _weighed(t: Net, term: Value, product: Value, beta: Number, alpha: Number) -> Value:
    product = product if alpha == 1 else mul_(t, product, alpha)
    if beta == 0:
        return product
    return t.emit("Add", [product, term if beta == 1 else mul_(t, term, beta)])


def baddbmm(t: Net, self: Value, batch1: Value, batch2: Value, beta: Number = 1, alpha: Number = 1) -> Value:
    """beta * self + alpha * batch1 @ batch2."""
    return _weighed(t, self, matmul(t, batch1, batch2), beta, alpha)


def addmv(t: Net, self: Value, mat: Value, vec: Value, beta: Number = 1, alpha: Number = 1) -> Value:
    """beta * self + alpha * mat @ vec."""
    return _weighed(t, self, matmul(t, mat, vec), beta, alpha)


def outer(t: Net, self: Value, vec2: Value) -> Value:
    """(n,) and (m,) -> (n, m)."""
    return t.emit("Mul", [unsqueeze(t, self, 1), unsqueeze(t, vec2, 0)])


def bilinear(t: Net, input1: Value, input2: Value, weight: Value, bias: Value | None = None) -> Value:
    """x1 @ W[k] @ x2 for each k."""
    product = t.emit("Einsum", [input1, weight, input2], equation="...i,kij,...j->...k")
    return product if bias is None else t.emit("Add", [product, bias])


def einsum(t: Net, equation: str, tensors: Values, path: object = None) -> Value:
    """By its equation; a product of two matrices as such."""
    text = equation.replace(" ", "")
    if len(text) > 200 or not set(text) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,->"):
        raise garbled("an einsum has no proper equation", "einsum 的公式有误")
    return _product_of_two(t, text, tensors) or t.emit("Einsum", [floating(t, x) for x in tensors], equation=text)


def _product_of_two(t: Net, text: str, tensors: Values) -> Value | None:
    """Two operands without repeated letters: laid out as (common, own, summed) and (common, summed, own)."""
    left, arrow, out = text.partition("->")
    terms = left.split(",")
    if len(terms) != 2 or not arrow or "." in text or any(len(set(one)) < len(one) for one in (*terms, out)):
        return None
    a, b = terms
    if len(a) != len(tensors[0].shape) or len(b) != len(tensors[1].shape) or set(out) - set(a) - set(b):
        return None
    summed = [one for one in a if one in b and one not in out]
    common = [one for one in out if one in a and one in b]
    own = [[one for one in out if one in term and one not in common] for term in terms]
    if not summed or set(a) != {*summed, *common, *own[0]} or set(b) != {*summed, *common, *own[1]}:
        return None
    if len(own[0]) != 1 or len(own[1]) != 1 or len(summed) != 1:
        return None
    x = permute(t, tensors[0], tuple(a.index(one) for one in (*common, *own[0], *summed)))
    y = permute(t, tensors[1], tuple(b.index(one) for one in (*common, *summed, *own[1])))
    order = [*common, *own[0], *own[1]]
    return permute(t, matmul(t, x, y), tuple(order.index(one) for one in out))


# -- attention --------------------------------------------------------------------------------------------------------


def attend(
    t: Net,
    query: Value,
    key: Value,
    value: Value,
    attn_mask: Value | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Value:
    """softmax(q k^T * scale + mask) v; Vaswani et al. 2017."""
    if enable_gqa:
        key, value = (_shared(t, one, query) for one in (key, value))
    width = query.shape[-1]
    if scale is None:
        if not isinstance(width, int):
            raise refused("attention over a free width", "注意力的宽度不固定")
        scale = 1 / math.sqrt(width)
    scores = t.emit("MatMul", [t.emit("Mul", [query, t.scalar(float(scale))]), transpose(t, key, -1, -2)])
    if is_causal:
        scores = _causal(t, scores)
    if attn_mask is not None:
        scores = _masked(t, scores, attn_mask)
    soft = t.emit("Softmax", [scores], axis=len(scores.shape) - 1)
    if attn_mask is not None and attn_mask.dtype == "bool" and not t.is_constant(attn_mask):
        soft = t.emit("Where", [t.emit("IsNaN", [soft]), t.scalar(0.0), soft])
    return t.emit("MatMul", [soft, value])


def _shared(t: Net, x: Value, query: Value) -> Value:
    """Heads of keys and values, each for several of the query's."""
    heads, wanted = x.shape[-3], query.shape[-3]
    if not isinstance(heads, int) or not isinstance(wanted, int) or wanted % heads:
        raise garbled(f"{wanted} heads share {heads}", f"{wanted} 个头共用 {heads} 个")
    sizes = sizes_of(t, x)
    wide = unsqueeze(t, x, len(x.shape) - 2)
    wide = expand(t, wide, (*sizes[:-2], wanted // heads, *sizes[-2:]))
    return view(t, wide, (*sizes[:-3], wanted, *sizes[-2:]))


def _masked(t: Net, scores: Value, mask: Value) -> Value:
    if mask.dtype == "bool":
        return t.emit("Where", [mask, scores, t.scalar(-math.inf)])
    return t.emit("Add", [scores, cast(t, mask, "float32")])


def _causal(t: Net, scores: Value) -> Value:
    """No position sees one that comes after it."""
    high, wide = scores.shape[-2:]
    if isinstance(high, int) and isinstance(wide, int):
        return _masked(t, scores, t.array(np.tril(np.ones((high, wide), bool))))
    rows, columns = (arange(t, 0, t.size(scores, axis), 1, None) for axis in (-2, -1))
    later = t.emit("Less", [unsqueeze(t, rows, 1), unsqueeze(t, columns, 0)])
    return t.emit("Where", [later, t.scalar(-math.inf), scores])


def attend_first(
    t: Net,
    query: Value,
    key: Value,
    value: Value,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    attn_mask: Value | None = None,
    scale: float | None = None,
) -> list[Value | None]:
    """As the core operators have it on this processor."""
    return [attend(t, query, key, value, attn_mask, dropout_p, is_causal, scale=scale), None]


def multi_head(
    t: Net,
    query: Value,
    key: Value,
    value: Value,
    embed_dim: int,
    num_head: int,
    qkv_weight: Value,
    qkv_bias: Value,
    proj_weight: Value,
    proj_bias: Value,
    mask: Value | None = None,
    need_weights: bool = True,
    average_attn_weights: bool = True,
    mask_type: int | None = None,
) -> list[Value | None]:
    """nn.MultiheadAttention in one, batch first, of one tensor; its weights are not made."""
    if mask is not None or need_weights or not query.name == key.name == value.name:
        raise refused("its attention has a mask or gives its weights", "注意力带有掩码或返回权重")
    batch, length = sizes_of(t, query)[:2]
    wide = linear(t, query, qkv_weight, qkv_bias)
    heads = view(t, wide, (batch, length, 3, num_head, embed_dim // num_head))
    heads = permute(t, heads, (2, 0, 3, 1, 4))
    q, k, v = (t.emit("Gather", [heads, t.scalar(i, "int64")], axis=0) for i in range(3))
    out = permute(t, attend(t, q, k, v), (0, 2, 1, 3))
    return [linear(t, view(t, out, (batch, length, embed_dim)), proj_weight, proj_bias), None]


ATTENTION: dict[str, Callable[..., Value | list[Value | None]]] = {
    "linear": linear, "matmul": matmul, "bmm": matmul, "mv": matmul, "mm": mm, "addmm": addmm, "baddbmm": baddbmm,
    "addmv": addmv, "outer": outer, "ger": outer, "bilinear": bilinear, "einsum": einsum,
    "scaled_dot_product_attention": attend, "_scaled_dot_product_flash_attention_for_cpu": attend_first,
    "_native_multi_head_attention": multi_head,
}  # fmt: skip
