"""What may be asked of an architecture, and what it is once it is recorded."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..graph.form import Graph
from ..runtime.model.card import Input, Output
from .detection import Decoding, Thresholds
from .preprocess import Preprocess
from .settings import Settings


@dataclass(frozen=True)
class Wanted:
    """What the user asked for; None or "" where he left it to the file or the tool.

    input_size  (height, width) of pictures, or one number for both, or the whole shape of other inputs
    form        of detectors: "boxes" ends in NMS inside the network, "raw" leaves decoding to the runtime
    score, iou, most  of detectors: the least score of a box, the overlap that NMS allows, and how many boxes at most
    head        of networks with two heads: which of them answers
    settings    not the user's, but of the training, as far as the file tells them
    channels    not his either: what the first convolution takes, where it is not what the network usually does
    usual       nor this: how the tool prepares pictures whose names the tensors have; None: as the page says
    interpolation  of that tool's resizing, where it is not the page's
    keep_batch  of a live module: its own torch could not leave the batch free, so nobody else may
    """

    input_size: tuple[int, ...] | None = None
    form: str = "boxes"
    score: float | None = None
    iou: float | None = None
    most: int | None = None
    preprocess: Preprocess | None = None
    head: str | None = None
    settings: Settings = field(default_factory=Settings)
    channels: int | None = None
    usual: Input | None = None
    interpolation: str = ""
    keep_batch: bool = False

    @property
    def picture(self) -> tuple[int, int] | None:
        """The height and width that were asked for; a single number is both."""
        return (self.input_size[-2:][0], self.input_size[-1]) if self.input_size else None


@dataclass(frozen=True)
class Recorded:
    """A graph with all that the card says of it.

    heads       detectors: the same network up to its predictions, before anything is chosen among them
    assumed     which parts of the pictures' preparation the file does not say: see Card
    thresholds  of detectors, and of classifiers with sigmoids
    decoding    how the runtime turns raw predictions into boxes
    notes       what else the tensors do not tell, in the user's language
    """

    graph: Graph
    input: Input
    task: str
    output: Output
    thresholds: Thresholds | None = None
    decoding: Decoding | None = None
    heads: Graph | None = None
    assumed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
