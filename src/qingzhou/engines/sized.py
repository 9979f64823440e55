"""A network in the sizes that its card names, for engines that want all of them fixed before anything is compiled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from ..errors import EngineError, QingzhouError
from ..graph.form import Dim, Graph, Node, Value
from ..graph.infer import inferred
from ..graph.settle import settled, widened
from ..runtime.model.card import Card


def sized(title: str, graph: Graph, card: Card | None) -> Graph:
    """One input at a time, free sizes as the card has them; EngineError where one is left that it does not name."""
    if card is not None and card.input.kind == "tokens":  # words one by one, and their states
        return inferred(graph, {n: 1 for value in graph.inputs for n in value.shape[:1] if isinstance(n, str)})
    graph = widened(graph.without_optional())
    known = {entry.name: entry.shape for entry in card.inputs} if card else {}
    inputs = tuple(_fixed(value, known.get(value.name, [])) for value in graph.inputs)
    pairs = [
        pair for old, new in zip(graph.inputs, inputs, strict=True) for pair in zip(old.shape, new.shape, strict=True)
    ]
    sizes = {n: m for n, m in pairs if isinstance(n, str) and n != "?" and isinstance(m, int)}
    if bare := [value.name for value in inputs if not value.shape]:
        raise _unforeseen(title, f"an input without axes ({bare[0][:60]})", f"没有维度的输入（{bare[0][:60]}）")
    graph = settled(replace(graph, inputs=inputs), sizes)
    if left := [str(n) for value in graph.inputs for n in value.shape if not (isinstance(n, int) and n > 0)]:
        raise _open(title, left)
    return graph


@contextmanager
def expressed(title: str, node: Node) -> Iterator[None]:
    """The block writes a node for an engine. Other tools have forms of operators that no rule has foreseen: such a one
    is an EngineError with its name.
    """
    try:
        yield
    except QingzhouError:
        raise
    except Exception as err:  # of any kind, since a rule reads what it takes for granted
        name = (node.outputs or ("",))[0][:60]
        raise _unforeseen(title, f"this form of {node.op} ({name})", f"{node.op} 的这种写法（{name}）") from err


def _fixed(value: Value, known: Sequence[int | None]) -> Value:
    """Of the size that a card names where the file leaves one open; the first axis otherwise 1."""
    of_card = [*known, *[None] * len(value.shape)]
    shape = [m or n if _is_open(n) else n for n, m in zip(value.shape, of_card, strict=False)]
    return replace(value, shape=tuple(1 if not i and _is_open(n) else n for i, n in enumerate(shape)))


def _is_open(n: Dim) -> bool:
    return isinstance(n, str) or n < 0


def _unforeseen(title: str, en: str, zh: str) -> EngineError:
    return EngineError(
        en=f"{title} is not given {en}, which this network needs. Run the .onnx with onnxruntime, or choose another "
        "engine.",
        zh=f"没有为 {title} 写出这个网络需要的 {zh}。请用 onnxruntime 运行 .onnx，或换一个引擎。",
    )


def _open(title: str, left: list[str]) -> EngineError:
    names = ", ".join(dict.fromkeys(one[:30] for one in left[:6]))
    return EngineError(
        en=f"{title} wants every size fixed, and the file leaves open: {names}. Give it a card with one size: qingzhou "
        f"convert model.onnx --input-size 224,224. Or run the .onnx with onnxruntime.",
        zh=f"{title} 要求所有尺寸固定，而文件里这些尺寸是可变的：{names}。请指定尺寸并补上说明卡："
        f"qingzhou convert model.onnx --input-size 224,224；或用 onnxruntime 运行 .onnx。",
    )
