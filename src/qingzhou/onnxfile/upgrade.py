"""A graph of any opset -> the same graph in the meaning of opset 17, with what ONNX leaves to defaults filled in.

https://github.com/onnx/onnx/blob/main/docs/Changelog.md says what each version of an operator means. A rule is one
function: it takes the node and gives the nodes that stand in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..errors import ModelError
from ..graph.form import BLOCK, OPSET, Array, Constant, Graph, Node

# What an attribute is where the file does not say it: of those that opset 11 has too, since it may be written again.
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "ArgMax": {"axis": 0, "keepdims": 1},
    "ArgMin": {"axis": 0, "keepdims": 1},
    "AveragePool": {"ceil_mode": 0, "count_include_pad": 0, "auto_pad": "NOTSET"},
    "BatchNormalization": {"epsilon": 1e-5},
    "Conv": {"group": 1, "auto_pad": "NOTSET"},
    "ConvTranspose": {"group": 1, "auto_pad": "NOTSET"},
    "DepthToSpace": {"mode": "DCR"},
    "Elu": {"alpha": 1.0},
    "Flatten": {"axis": 1},
    "GRU": {"direction": "forward", "linear_before_reset": 0},
    "Gather": {"axis": 0},
    "GatherElements": {"axis": 0},
    "Gemm": {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0},
    "HardSigmoid": {"alpha": 0.2, "beta": 0.5},
    "Hardmax": {"axis": -1},
    "InstanceNormalization": {"epsilon": 1e-5},
    "LRN": {"alpha": 1e-4, "beta": 0.75, "bias": 1.0},
    "LSTM": {"direction": "forward", "input_forget": 0},
    "LayerNormalization": {"axis": -1, "epsilon": 1e-5},
    "LeakyRelu": {"alpha": 0.01},
    "LogSoftmax": {"axis": -1},
    "MaxPool": {"ceil_mode": 0, "storage_order": 0, "auto_pad": "NOTSET"},
    "Pad": {"mode": "constant"},
    "RNN": {"direction": "forward"},
    "Resize": {
        "mode": "nearest", "coordinate_transformation_mode": "half_pixel", "nearest_mode": "round_prefer_floor",
        "cubic_coeff_a": -0.75, "exclude_outside": 0, "extrapolation_value": 0.0,
    },
    "RoiAlign": {
        "mode": "avg", "output_height": 1, "output_width": 1, "sampling_ratio": 0, "spatial_scale": 1.0,
    },
    "Softmax": {"axis": -1},
    "Split": {"axis": 0},
    "ThresholdedRelu": {"alpha": 1.0},
    "TopK": {"axis": -1, "largest": 1, "sorted": 1},
    **{op: {"keepdims": 1} for op in (
        "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin",
        "ReduceProd", "ReduceSum", "ReduceSumSquare",
    )},
}  # fmt: skip


@dataclass
class Upgrade:
    """One graph on its way. version: the file's opset."""

    graph: Graph
    version: int
    constants: dict[str, Constant] = field(default_factory=dict)

    def constant(self, near: str, array: Array) -> str:
        """Numbers that a newer form takes as an input, under a name that is free."""
        name, taken = near, self.graph.constants.keys() | self.graph.values.keys() | self.constants.keys()
        while name in taken:
            name += "_"
        self.constants[name] = Constant(array.shape, array.dtype.name, lambda: array)
        return name

    def numbers(self, name: str) -> list[Any] | None:
        """Of a constant; None of what is computed, or large."""
        found = self.graph.constants.get(name)
        return None if found is None or int(np.prod(found.shape)) > 4096 else found.load().reshape(-1).tolist()

    def rank(self, name: str) -> int | None:
        """Of a value or a constant, where the file tells it."""
        known = self.graph.values.get(name) or self.graph.constants.get(name)
        return None if known is None else len(known.shape)


Rule = Callable[[Upgrade, Node], Sequence[Node]]


def upgraded(graph: Graph) -> Graph:
    """The graph in the meaning of opset 17; ModelError for a form that no rule can bring there."""
    version = graph.opsets.get("", OPSET)
    up = Upgrade(graph, version)
    nodes = [new for node in graph.nodes for new in _one(up, node)]
    opsets = {**graph.opsets, "": OPSET} if "" in graph.opsets else graph.opsets
    constants = {**graph.constants, **up.constants}
    return replace(graph, nodes=tuple(nodes), constants=constants, opsets=opsets)


def _one(up: Upgrade, node: Node) -> Sequence[Node]:
    if node.domain:
        return (node,)
    first, rule = RULES.get(node.op, (0, None))
    newer, later = LATER.get(node.op, (99, None))
    done: Sequence[Node] = (node,)
    if rule is not None and up.version < first:
        done = rule(up, node)
    elif later is not None and up.version >= newer:
        done = later(up, node)
    return [replace(one, attrs={**DEFAULTS.get(one.op, {}), **one.attrs}) for one in done]


def _without(node: Node, *names: str) -> dict[str, Any]:
    return {key: value for key, value in node.attrs.items() if key not in names}


def _as_input(name: str, dtype: str = "int64") -> Rule:
    """An attribute that became the second input."""

    def rule(up: Upgrade, node: Node) -> Sequence[Node]:
        if name not in node.attrs or len(node.inputs) > 1:
            return (node,)
        numbers = np.atleast_1d(np.array(node.attrs[name], dtype))
        made = up.constant(f"{node.outputs[0]}/{name}", numbers)
        return (replace(node, inputs=(node.inputs[0], made), attrs=_without(node, name)),)

    return rule


def _softmax(up: Upgrade, node: Node) -> Sequence[Node]:
    """Before opset 13 everything after the axis was flattened, and the axis was 1 by default."""
    x, out, axis = node.inputs[0], node.outputs[0], node.attrs.get("axis", 1)
    value = up.graph.values.get(x)
    rank = None if value is None else len(value.shape)
    if rank is not None and all(size == 1 for size in value.shape[axis % rank + 1 :]):  # type: ignore[union-attr]
        return (replace(node, attrs={"axis": axis % rank}),)
    return (
        Node("Shape", (x,), (f"{out}/shape",)),
        Node("Flatten", (x,), (f"{out}/flat",), {"axis": axis}),
        Node(node.op, (f"{out}/flat",), (f"{out}/soft",), {"axis": 1}),
        Node("Reshape", (f"{out}/soft", f"{out}/shape"), (out,)),
    )


def _clip(up: Upgrade, node: Node) -> Sequence[Node]:
    ends = [
        up.constant(f"{node.outputs[0]}/{name}", np.array(node.attrs[name], np.float32)) if name in node.attrs else ""
        for name in ("min", "max")
    ]
    return (replace(node, inputs=(node.inputs[0], *ends), attrs={}),)


def _slice(up: Upgrade, node: Node) -> Sequence[Node]:
    attrs, out = node.attrs, node.outputs[0]
    axes = attrs.get("axes", tuple(range(len(attrs["starts"]))))
    rows = {"starts": attrs["starts"], "ends": attrs["ends"], "axes": axes}
    names = [up.constant(f"{out}/{name}", np.array(row, np.int64)) for name, row in rows.items()]
    return (replace(node, inputs=(node.inputs[0], *names), attrs={}),)


def _pad(up: Upgrade, node: Node) -> Sequence[Node]:
    attrs, out = node.attrs, node.outputs[0]
    pads = up.constant(f"{out}/pads", np.array(attrs.get("pads", attrs.get("paddings", ())), np.int64))
    value = up.constant(f"{out}/value", np.array(attrs.get("value", 0.0), np.float32))
    return (replace(node, inputs=(node.inputs[0], pads, value), attrs=_without(node, "pads", "paddings", "value")),)


OLD_RESIZE = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}


def _upsample(up: Upgrade, node: Node) -> Sequence[Node]:
    """Upsample, and Resize as it was in opset 10."""
    mode = {"bilinear": "linear"}.get(node.attrs.get("mode", "nearest"), node.attrs.get("mode", "nearest"))
    scales = node.attrs.get("scales")
    given = node.inputs[1] if scales is None else up.constant(f"{node.outputs[0]}/scales", np.array(scales, np.float32))
    return (Node("Resize", (node.inputs[0], "", given), node.outputs, {**OLD_RESIZE, "mode": mode}, "", node.name),)


def _dropout(up: Upgrade, node: Node) -> Sequence[Node]:
    """Nothing at inference; its mask is all ones, and nobody reads it."""
    return (Node("Identity", node.inputs[:1], node.outputs[:1], {}, "", node.name),)


def _trained_dropout(up: Upgrade, node: Node) -> Sequence[Node]:
    """Unless it is said to go on training."""
    training = up.numbers(node.inputs[2]) if len(node.inputs) > 2 and node.inputs[2] else [False]
    return (node,) if training is None or any(training) else _dropout(up, node)


def _batch_norm(up: Upgrade, node: Node) -> Sequence[Node]:
    if node.attrs.get("spatial", 1) != 1:
        raise _no_form("BatchNormalization (spatial = 0)")
    attrs = _without(node, "spatial", "is_test", "consumed_inputs", "momentum")
    return (replace(node, outputs=node.outputs[:1], attrs=attrs),)


def _sum_of_two(up: Upgrade, node: Node) -> Sequence[Node]:
    """Before opset 7 the second operand lay along `axis` of the first, and only if `broadcast` said so."""
    (a, b), axis = node.inputs, node.attrs.get("axis")
    plain = replace(node, attrs={})
    if not node.attrs.get("broadcast") or axis is None:
        return (plain,)
    wide, narrow = up.rank(a), up.rank(b)
    if wide is None or narrow is None:
        raise _no_form(f"{node.op} (broadcast)")
    behind = wide - (axis % wide) - narrow
    if behind <= 0:
        return (plain,)
    axes = up.constant(f"{node.outputs[0]}/axes", np.arange(narrow, narrow + behind, dtype=np.int64))
    turned = f"{node.outputs[0]}/wide"
    return (Node("Unsqueeze", (b, axes), (turned,)), replace(plain, inputs=(a, turned)))


def _prelu(up: Upgrade, node: Node) -> Sequence[Node]:
    """Before opset 7 a row of slopes was one for each channel."""
    x, slope = node.inputs
    rank, there = up.rank(x), up.rank(slope)
    if rank is None or there is None:
        raise _no_form("PRelu")
    if there != 1 or rank <= 2:
        return (node,)
    axes = up.constant(f"{node.outputs[0]}/axes", np.arange(1, rank - 1, dtype=np.int64))
    wide = f"{node.outputs[0]}/wide"
    return (Node("Unsqueeze", (slope, axes), (wide,)), replace(node, inputs=(x, wide)))


CASTS = {
    "FLOAT": 1,
    "UINT8": 2,
    "INT8": 3,
    "UINT16": 4,
    "INT16": 5,
    "INT32": 6,
    "INT64": 7,
    "STRING": 8,
    "BOOL": 9,
    "FLOAT16": 10,
    "DOUBLE": 11,
    "UINT32": 12,
    "UINT64": 13,
}


def _cast(up: Upgrade, node: Node) -> Sequence[Node]:
    to = node.attrs.get("to")
    return (replace(node, attrs={"to": CASTS.get(to, to) if isinstance(to, str) else to}),)


def _roi_align(up: Upgrade, node: Node) -> Sequence[Node]:
    """Before opset 16 positions were not moved by half a pixel."""
    where = {"coordinate_transformation_mode": "output_half_pixel"}
    return (replace(node, attrs={**where, **node.attrs}),)


def _concat(up: Upgrade, node: Node) -> Sequence[Node]:
    return (replace(node, attrs={"axis": 1, **node.attrs}),)


def _gemm(up: Upgrade, node: Node) -> Sequence[Node]:
    return (replace(node, attrs=_without(node, "broadcast")),)


def _axes_again(up: Upgrade, node: Node) -> Sequence[Node]:
    """Since opset 18 the reductions take their axes as an input, where ReduceSum has them since 13."""
    if len(node.inputs) < 2 or not node.inputs[1]:
        same = node.attrs.get("noop_with_empty_axes")
        kept = replace(node, inputs=node.inputs[:1], attrs=_without(node, "noop_with_empty_axes"))
        return (Node("Identity", node.inputs[:1], node.outputs, {}, "", node.name),) if same else (kept,)
    axes = up.numbers(node.inputs[1])
    if axes is None:
        raise _no_form(f"{node.op} (axes)")
    attrs = {**_without(node, "noop_with_empty_axes"), **({"axes": tuple(axes)} if axes else {})}
    if not axes and node.attrs.get("noop_with_empty_axes"):
        return (Node("Identity", node.inputs[:1], node.outputs, {}, "", node.name),)
    return (replace(node, inputs=node.inputs[:1], attrs=attrs),)


def _usual(**values: Any) -> Rule:
    """Attributes that came later and say what was always so are left out; one that says something else stays."""

    def rule(up: Upgrade, node: Node) -> Sequence[Node]:
        attrs = {key: value for key, value in node.attrs.items() if key not in values or value != values[key]}
        return (replace(node, attrs=attrs),)

    return rule


def _no_zeros(up: Upgrade, node: Node) -> Sequence[Node]:
    """Since opset 14 it is said what a 0 in a shape means, which torch does where there is none, too."""
    shape = up.numbers(node.inputs[1]) if node.attrs.get("allowzero") else []
    plain = shape is not None and 0 not in shape
    return (replace(node, attrs=_without(node, "allowzero")) if plain else node,)


def _dilated_pool(up: Upgrade, node: Node) -> Sequence[Node]:
    """Since opset 19 windows may have gaps; where these are none it is as before."""
    plain = set(node.attrs.get("dilations", (1,))) == {1}
    return (replace(node, attrs=_without(node, "dilations")) if plain else node,)


def _equal_parts(up: Upgrade, node: Node) -> Sequence[Node]:
    """Since opset 18 their number is said where their sizes are not; before it was that of the outputs. Of parts that
    are not equal it was refused, and still is when the model is run.
    """
    same = node.attrs.get("num_outputs") == len(node.outputs)
    return (replace(node, attrs=_without(node, "num_outputs")) if same else node,)


def _gelu(up: Upgrade, node: Node) -> Sequence[Node]:
    return (replace(node, domain=BLOCK, attrs={"approximate": node.attrs.get("approximate", "none")}),)


def _no_form(what: str) -> ModelError:
    return ModelError(
        en=f"The model holds {what} in an old form whose meaning depends on sizes that the file does not tell. A model "
        "of opset 7 or later was expected. Export it again with a newer opset.",
        zh=f"模型里的 {what} 是旧写法，其含义取决于文件没有写明的尺寸。"
        "需要 opset 7 或更高的模型，请用较新的 opset 重新导出。",
    )


# Operator -> the opset from which its meaning is today's, and what brings an older form there.
RULES: Mapping[str, tuple[int, Rule]] = {
    "Softmax": (13, _softmax),
    "LogSoftmax": (13, _softmax),
    "Hardmax": (13, _softmax),
    "Squeeze": (13, _as_input("axes")),
    "Unsqueeze": (13, _as_input("axes")),
    "ReduceSum": (13, _as_input("axes")),
    "Split": (13, _as_input("split")),
    "TopK": (10, _as_input("k")),
    "Reshape": (5, _as_input("shape")),
    "Clip": (11, _clip),
    "Slice": (10, _slice),
    "Pad": (11, _pad),
    "Upsample": (99, _upsample),
    "Resize": (11, _upsample),
    "Dropout": (12, _dropout),
    "BatchNormalization": (14, _batch_norm),
    "PRelu": (7, _prelu),
    "Cast": (6, _cast),
    "Concat": (4, _concat),
    "RoiAlign": (16, _roi_align),
    "Gemm": (7, _gemm),
    **{
        op: (7, _sum_of_two)
        for op in ("Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor", "Equal", "Greater", "Less")
    },
}
# Operator -> the opset since which it has a newer form, and what brings that to ours.
LATER: Mapping[str, tuple[int, Rule]] = {
    "AveragePool": (19, _dilated_pool),
    "Cast": (19, _usual(saturate=1)),
    "Dropout": (12, _trained_dropout),
    "Gelu": (20, _gelu),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), (14, _usual(layout=0))),
    "Reshape": (14, _no_zeros),
    "Resize": (18, _usual(antialias=0, keep_aspect_ratio_policy="stretch")),
    "Split": (18, _equal_parts),
    **{
        op: (18, _axes_again)
        for op in (
            "ReduceL1",
            "ReduceL2",
            "ReduceLogSum",
            "ReduceLogSumExp",
            "ReduceMax",
            "ReduceMean",
            "ReduceMin",
            "ReduceProd",
            "ReduceSumSquare",
        )
    },
}
