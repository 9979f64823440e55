"""What is asked of an .onnx before anything is done with it, by whom it may be run and how: the file is read once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..errors import QingzhouError
from ..graph.count import Work
from ..graph.form import DOUBLE, Graph
from ..runtime.model.card import KEY, Card
from . import integers
from .read import OnnxFile, read_onnx, work_in
from .upgrade import upgraded


@dataclass(frozen=True)
class Facts:
    """The answers about one file, each worked out when it is asked for; ModelError where the file is no model.

    What is no .onnx, such as a checkpoint, is simply not quantized.
    """

    path: Path

    @cached_property
    def file(self) -> OnnxFile:
        """Everything but the numbers."""
        return read_onnx(self.path)

    @cached_property
    def graph(self) -> Graph:
        """The network, in the meaning that the rest of the house knows."""
        return upgraded(self.file.graph)

    @cached_property
    def card(self) -> Card | None:
        """The model's own; None where it has none."""
        text = self.file.metadata.get(KEY)
        return None if text is None else Card.from_json(text)

    @property
    def is_onnx(self) -> bool:
        """Whether it is one by its name."""
        return self.path.suffix.lower() == ".onnx"

    @property
    def doubles(self) -> str:
        """What in it loses its answers in float32, in words; "" where nothing does."""
        training = self.card.origin.get("training") if self.card is not None else None
        return str(training.get(DOUBLE, ""))[:200] if isinstance(training, dict) else ""

    @cached_property
    def quantized(self) -> bool:
        """Whether it computes in integers; what is no model does not, and says so when it is opened."""
        try:
            return self.is_onnx and integers.is_quantized(self.file.graph)
        except QingzhouError:
            return False

    @cached_property
    def zero_points(self) -> bool:
        """Whether it is INT8 whose activations have zero points, which ncnn and TensorRT do not know."""
        return self.quantized and integers.has_zero_points(self.file.graph)

    @property
    def opset(self) -> int:
        """Of ONNX's own operators; 0 where none is used."""
        return self.file.opset

    @property
    def ir(self) -> int:
        """The version of the format itself."""
        return self.file.ir_version

    @property
    def boxes(self) -> bool:
        """Whether it is a detector that makes its boxes inside the network."""
        return self.card is not None and self.card.output.scores in ("boxes", "rows")

    @property
    def two_stages(self) -> bool:
        """Whether it is a detector whose second stage looks at the boxes of the first."""
        return any(node.op == "RoiAlign" for node in self.file.graph.nodes)

    @cached_property
    def work(self) -> Work:
        """What there is to do; NOTHING where its shapes cannot be inferred."""
        return work_in(self.file)
