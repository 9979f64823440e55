"""Shapes and dtypes of what an operator gives: one table, in the meaning of opset 17 and as onnxruntime computes.

Where operators of other opsets differ only in where a number stands (an attribute or an input), both are read. What
has no rule here (If and Loop, sequences and maps, blocks of our own) is simply not known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .form import ML, Node, Value
from .shapes_algebra import ALGEBRA, qlinear_both, qlinear_concat, same
from .shapes_axes import AXES
from .shapes_call import Call, Known, Rule, Typed, Unknown
from .shapes_ml import LEARNT, tfidf
from .shapes_windows import WINDOWS, channels_last_pool, qlinear_pool

QUANTIZED = "com.microsoft"  # onnxruntime's quantizer, in its format of operators
RULES: Mapping[tuple[str, str], Rule] = {
    **{("", op): rule for op, rule in {**ALGEBRA, **AXES, **WINDOWS, "TfIdfVectorizer": tfidf}.items()},
    **{(ML, op): rule for op, rule in LEARNT.items()},
    **{(QUANTIZED, op): qlinear_both for op in ("QLinearAdd", "QLinearMul")},
    **{(QUANTIZED, op): same for op in ("QLinearSigmoid", "QLinearLeakyRelu", "QLinearSoftmax")},
    (QUANTIZED, "QLinearConcat"): qlinear_concat,
    (QUANTIZED, "QLinearGlobalAveragePool"): channels_last_pool,
    (QUANTIZED, "QLinearAveragePool"): qlinear_pool,
}


LONGEST = 32  # axes, as many as every numpy takes


def infer(node: Node, inputs: Sequence[Value | None], known: Known = lambda i: None) -> list[Typed] | None:
    """Shape and dtype of each output; None where they are not known. Raises ModelError where inputs do not fit.

    inputs  what is known of each; None also for what is left out
    known   the numbers of input i, where they are few and known; names of free sizes may be among them
    """
    return answer(Call(node, inputs, known))


def answer(call: Call) -> list[Typed] | None:
    """infer() of a Call."""
    rule = RULES.get((call.node.domain, call.node.op))
    try:
        found = rule(call)[: len(call.node.outputs)] if rule else []
    except Unknown:
        return None
    for shape, _ in found:
        if len(shape) > LONGEST:
            return None
        if any(isinstance(n, int) and n < 0 for n in shape):
            raise call.wrong(f"its result would be of {shape}", f"结果的形状会是 {shape}")
    return found or None
