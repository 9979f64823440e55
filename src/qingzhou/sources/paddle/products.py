"""Products of matrices, attention, and recurrent layers."""

from __future__ import annotations

from ...graph.form import Value
from ..aten import attention as theirs
from ..aten import recurrent as loops
from ..aten.attention import linear
from ..aten.axes import flatten, permute, sizes_of, turned, view
from ..recording.net import Int
from .refuse import garbled, refused, training
from .walk import Call, Results, Step

MODES = {"GRU": ("GRU", ""), "RNN_TANH": ("RNN", "Tanh"), "RNN_RELU": ("RNN", "Relu")}


def matmul(c: Call) -> Value:
    """Of any ranks, either turned. A weight behind it, and a bias that is added then, are a linear layer."""
    x, y = c.x(), c.x("y")
    if c.flag("transpose_x"):
        x = turned(c.t, x)
    alpha = c.number("alpha", 1.0)
    across = c.flag("transpose_y")
    layer = len(y.shape) == 2 and c.t.is_constant(y) and not c.t.is_constant(x) and len(x.shape) > 1 and alpha == 1
    if layer and x.dtype == y.dtype == "float32":
        return _layer(c, x, y if across else permute(c.t, y, (1, 0)))
    found = theirs.matmul(c.t, x, turned(c.t, y) if across else y)
    return found if alpha == 1 else c.t.emit("Mul", [found, c.t.scalar(alpha)])


def _layer(c: Call, x: Value, weight: Value) -> Value:
    walk, outs = c.walk, c.op.outputs[0]
    adds = walk.alone(outs[0]) if len(outs) == 1 else None
    if adds is not None and adds.name == "add" and adds.inputs.get("x") == outs and len(adds.inputs.get("y", ())) == 1:
        vector = walk.vector(adds.inputs["y"][0])
        last = adds.attrs.get("axis", -1) in (-1, len(x.shape) - 1)
        whole = vector is not None and walk.program.stored[vector].type.dims == weight.shape[:1]
        if vector is not None and whole and last and vector == adds.inputs["y"][0]:
            found = linear(c.t, x, weight, walk.value(vector))
            walk.joined[id(adds)] = found
            return found
    return linear(c.t, x, weight)


def flat_product(c: Call) -> Value:
    """Both laid flat to two axes, multiplied, and laid out again."""
    x, y = c.x(), c.x("y")
    columns, rows = c.whole("x_num_col_dims", 1), c.whole("y_num_col_dims", 1)
    if not 0 < columns < len(x.shape) or not 0 < rows < len(y.shape):
        raise garbled(f"{list(x.shape)} times {list(y.shape)}", f"{list(x.shape)} 与 {list(y.shape)} 相乘")
    wide = flatten(c.t, x, columns)
    right = flatten(c.t, flatten(c.t, y, rows), 0, rows - 1)
    if len(y.shape) == 2 and c.t.is_constant(y):
        return _layer(c, wide, permute(c.t, right, (1, 0)))
    found = c.t.emit("MatMul", [wide, right])
    ends: tuple[Int, ...] = (*sizes_of(c.t, x)[:columns], *sizes_of(c.t, y)[rows:])
    return found if len(y.shape) == 2 else view(c.t, found, ends)


def full_layer(c: Call) -> Value:
    """A linear layer in one operator, maybe with ReLU."""
    columns = c.whole("in_num_col_dims", 1)
    x = flatten(c.t, c.x("input"), columns) if columns < len(c.x("input").shape) else c.x("input")
    found = linear(c.t, x, permute(c.t, c.x("w"), (1, 0)), c.maybe("bias"))
    act = c.text("activation_type")
    if act not in ("", "relu"):
        raise refused(f"its layer ends in {act[:40]}", f"它的全连接层使用 {act[:40]}")
    return c.t.emit("Relu", [found]) if act else found


def times_vector(c: Call) -> Value:
    """A matrix times a vector."""
    return theirs.matmul(c.t, c.x(), c.x("vec"))


def addmm(c: Call) -> Value:
    """beta * input + alpha * x @ y."""
    return theirs.baddbmm(c.t, c.x("input"), c.x(), c.x("y"), c.number("beta", 1.0), c.number("alpha", 1.0))


def chain(c: Call) -> Value:
    """The product of several matrices."""
    found, *rest = c.xs("x")
    for more in rest:
        found = theirs.matmul(c.t, found, more)
    return found


def einsum(c: Call) -> Results:
    """By its equation."""
    return [theirs.einsum(c.t, c.text("equation"), tuple(c.xs("x")))]


def attend(c: Call) -> Results:
    """(N, T, heads, C) each; Vaswani et al. 2017."""
    if c.number("dropout", 0.0) and not c.flag("is_test", True):
        raise training("scaled_dot_product_attention(training=True)")
    q, k, v = (permute(c.t, c.x(name), (0, 2, 1, 3)) for name in ("q", "k", "v"))
    found = theirs.attend(c.t, q, k, v, c.maybe("attn_mask"), 0.0, c.flag("causal"))
    return [permute(c.t, found, (0, 2, 1, 3))]


def attend_plainly(c: Call) -> Results:
    """The same under another name, with a scale of its own."""
    if c.flag("causal"):
        raise refused("it attends causally in one operator", "它在一个算子中使用因果注意力")
    q, k, v = (permute(c.t, c.x(name), (0, 2, 1, 3)) for name in ("query", "key", "value"))
    scale = c.number("scale", -1.0)
    found = theirs.attend(c.t, q, k, v, c.maybe("bias"), scale=None if scale <= 0 else scale)
    return [permute(c.t, found, (0, 2, 1, 3))]


def recurrent(c: Call) -> Results:
    """LSTM, GRU and RNN of several layers and directions: (T, N, C) -> all steps, and the last states.

    All weights come first (of each layer and direction w_ih, w_hh), then all biases in the same order.
    """
    if c.has("sequence_length"):
        raise refused(
            "its recurrent layers are given the lengths of their sequences (sequence_length)",
            "循环层给出了各序列的长度（sequence_length）",
        )
    if not c.flag("is_test", True) and c.number("dropout_prob", 0.0):
        raise training("dropout in a recurrent layer")
    mode, layers, ways = c.text("mode"), c.whole("num_layers", 1), 2 if c.flag("is_bidirec") else 1
    rows = _rows(c.xs("weight_list"), layers * ways)
    _check_rows(c, rows, mode, ways)
    states = c.xs("pre_state")
    settings = (tuple(rows), True, layers, 0.0, False, ways == 2, False)
    if mode == "LSTM":
        out, h, cell = loops.lstm(c.t, c.x(), tuple(states), *settings)
        return [out, None, [h, cell]]
    if mode not in MODES or len(states) != 1:
        raise garbled(f"a recurrent layer of the kind {mode[:40]}", f"循环层的类型是 {mode[:40]}")
    op, activation = MODES[mode]
    out, h = loops.recurrent(op, activation)(c.t, c.x(), states[0], *settings)
    return [out, None, [h]]


def _rows(weights: list[Value], count: int) -> list[Value]:
    """As PyTorch has them: of each layer and direction w_ih, w_hh, b_ih, b_hh."""
    if len(weights) != 4 * count:
        raise garbled(f"{len(weights)} weights for {count} layers and directions", f"循环层的权重有 {len(weights)} 个")
    pairs = [weights[2 * i : 2 * i + 2] for i in range(2 * count)]
    return [one for i in range(count) for one in (*pairs[i], *pairs[count + i])]


def _check_rows(c: Call, rows: list[Value], mode: str, ways: int) -> None:
    """CheckpointDamaged where a weight has another shape than its layer's."""
    hidden = c.whole("hidden_size", 1)
    wide = {"LSTM": 4, "GRU": 3}.get(mode, 1) * hidden
    for i in range(0, len(rows), 4):
        inner = c.x().shape[-1] if i < 4 * ways else hidden * ways
        wanted = [(wide, inner), (wide, hidden), (wide,), (wide,)]
        if [one.shape for one in rows[i : i + 4]] != wanted:
            raise garbled(f"the weights of a {mode[:20]} layer are of other shapes", f"{mode[:20]} 层的权重形状不符")


PRODUCTS: dict[str, Step] = {
    "matmul": matmul, "old_matmul": matmul, "bmm": matmul, "matmul_with_flatten": flat_product, "fc": full_layer,
    "mv": times_vector, "addmm": addmm, "baddbmm": addmm, "einsum": einsum, "multi_dot": chain, "flash_attn": attend,
    "memory_efficient_attention": attend_plainly, "rnn": recurrent,
}  # fmt: skip
