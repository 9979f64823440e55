"""Network: what every source gives."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..assumed import assumed_text
from ..errors import say
from ..graph.form import Array, Constant, Graph, Node, Value
from ..onnxfile.kept import MOST_KEPT
from ..runtime.model.card import Card

if TYPE_CHECKING:
    from ..labels import Labels

MOST_CLASSES = 100_000  # ImageNet-22k has 21,841


@dataclass(frozen=True)
class AsItIs:
    """Of a model that is ONNX already and stays so, byte for byte: what is put behind its network.

    nodes, constants   in operators whose meaning no opset changes
    outputs            further outputs, the first of which is the answer
    """

    nodes: tuple[Node, ...] = ()
    constants: Mapping[str, Constant] = field(default_factory=dict)
    outputs: tuple[Value, ...] = ()

    def put_on(self, graph: Graph) -> Graph:
        """The network with it."""
        own = {value.name for value in graph.outputs}
        values = {value.name: value for value in self.outputs}
        return replace(
            graph,
            nodes=(*graph.nodes, *self.nodes),
            constants={**graph.constants, **self.constants},
            outputs=(*graph.outputs, *(value for value in self.outputs if value.name not in own)),
            values={**graph.values, **values},
        )


@dataclass(frozen=True)
class Network:
    """A network as plain data, and its card.

    card      all of it but labels, sample and digest; its `assumed` is what the file does not say
    family    the name of the architecture ("ResNet"), or "Sequential" for networks built layer by layer
    classes   how many scores an answer has
    named     what the file says that the classes are called, in any form that labels.read_labels() reads
    heads     of detectors: the same up to its predictions, before boxes are chosen among them
    unused    tensors of the file that the network does not have -> why
    as_it_is  of a model that is ONNX already and is to stay so; None for all that is written anew
    """

    graph: Graph
    card: Card
    family: str
    classes: int = 0
    named: object = None
    heads: Graph | None = None
    unused: Mapping[str, str] = field(default_factory=dict)
    as_it_is: AsItIs | None = None

    def bound(self, tensors: Mapping[str, Array]) -> Network:
        """The same with the numbers of these tensors."""
        heads = None if self.heads is None else self.heads.bound(tensors)
        return replace(self, graph=self.graph.bound(tensors), heads=heads)

    def labelled(self, labels: Labels) -> Network:
        """The same with its labels, and with all that was assumed said in the first of the card's notes."""
        card = self.card
        told = assumed_text(card.input, card.assumed, card.tool)
        notes = [*([told] if told else []), *card.notes, *labels.notes]
        assumed = [*card.assumed, *(["labels"] if labels.assumed else [])]
        return replace(self, card=replace(card, labels=list(labels.names), notes=notes, assumed=assumed))


def many_values(graph: Graph) -> list[str]:
    """What to say of a network that gives more numbers than there are classes in any data, or than a card keeps."""
    shape = graph.outputs[0].shape
    count = math.prod(n for n in shape if isinstance(n, int))
    notes = []
    if len(shape) == 2 and isinstance(shape[1], int) and shape[1] > MOST_CLASSES:
        notes.append(
            say(
                en=f"It gives {shape[1]} numbers for one input; so many are taken for values, not for classes "
                f"(of which there may be {MOST_CLASSES}).",
                zh=f"每个输入得到 {shape[1]} 个数；数量太多，按数值处理，不当作类别（类别最多 {MOST_CLASSES} 个）。",
            )
        )
    if count > MOST_KEPT:
        notes.append(
            say(
                en=f"Its answer has {count} numbers, more than a model keeps of its sample ({MOST_KEPT}). It was "
                "checked now; later model.check() has nothing to compare with.",
                zh=f"它的输出有 {count} 个数，超过模型可保存的示例答案（{MOST_KEPT} 个）。转换时已检查；"
                "以后 model.check() 没有可比较的内容。",
            )
        )
    return notes


def origin(path: Path, container: str, training: Mapping[str, object]) -> dict[str, object]:
    """A card's `origin`: the file, and what it says of the training."""
    return {"file": path.name, "container": container, "training": dict(training)}
