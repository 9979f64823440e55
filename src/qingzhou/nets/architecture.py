"""Architecture: what the table of match.py holds of each page, and how a classifier is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Generic, Protocol, TypeVar

from ..graph.form import Value
from ..graph.record import Recorder
from ..graph.trained import Trained
from ..runtime.model.card import Input, Output
from .detection import Thresholds
from .pictures import MEAN, STD, input_as_trained, interpolated, resized, with_channels
from .recorded import Recorded, Wanted
from .settings import Settings, Step
from .shapes import Shapes


@dataclass(frozen=True, kw_only=True)
class Config:
    """One size of an architecture; each page adds the sizes that it reads from the shapes.

    classes   how many it tells apart; 0 if its last layer is not there
    settings  what the training's config says of it and no shape shows
    """

    classes: int
    settings: Settings = field(default_factory=Settings)


C = TypeVar("C", bound=Config)


@dataclass(frozen=True)
class Candidate:
    """A page in one of its sizes, ready to be recorded.

    tool    whose names its tensors have; "" for the page's own
    beside  how the names of tensors begin that only its training needs
    """

    family: str
    title: str
    config: Config
    record: Callable[[Wanted], Recorded]
    tool: str = ""
    beside: tuple[str, ...] = ()


class Page(Protocol):
    """An Architecture, whatever its sizes are made of."""

    @property
    def name(self) -> str:
        """As MMEdu calls it."""

    def candidates(self, shapes: Shapes, settings: Settings) -> Iterator[Candidate]:
        """Every size in which these tensors may be this architecture's."""


@dataclass(frozen=True)
class Architecture(Generic[C]):
    """One family of networks; C are the sizes that it comes in.

    name      the name that MMEdu gives it (and XEduHub expects)
    configs   tensor shapes -> the sizes it may have, likeliest first; empty if it is certainly another network
    title     config -> "ResNet-50", for people
    record    (config, what the user wants) -> the graph with its input and output
    beside    how the names of tensors begin that only its training needs: of auxiliary classifiers
    """

    name: str
    configs: Callable[[Shapes], Iterable[C]]
    title: Callable[[C], str]
    record: Callable[[C, Wanted], Recorded]
    beside: tuple[str, ...] = ()

    def candidates(self, shapes: Shapes, settings: Settings) -> Iterator[Candidate]:
        """Every size in which these tensors may be this architecture's."""
        for config in self.configs(shapes):
            if config.classes > 0:
                told = replace(config, settings=settings)
                yield Candidate(self.name, self.title(told), told, partial(self.record, told), beside=self.beside)


def classifier(
    build: Callable[[Recorder, Value, C], Value], entry: Callable[[C], Input], act: str = ""
) -> Callable[[C, Wanted], Recorded]:
    """How to record a network that gives each picture a class.

    build   (recorder, image, config) -> (N, classes) logits
    entry   config -> how pictures are prepared in the original's usual test pipeline
    act     the activation of the backbone that its act_cfg replaces; "" where it has none
    """

    def record(config: C, wanted: Wanted) -> Recorded:
        """With softmax, as MMEdu exports it, or with sigmoids where classes are many."""
        usual = interpolated(with_channels(wanted.usual or entry(config), wanted.channels), wanted.interpolation)
        trained, assumed = input_as_trained(usual, wanted.settings.picture)
        made = resized(trained, wanted.picture)
        if wanted.picture is not None:  # said by the user
            assumed = tuple(name for name in assumed if name != "input_size")
        net = Recorder(AsTrained(wanted.settings, act))
        image = net.input(made.name, tuple(1 if n is None else n for n in made.shape))
        return _answering(net, build(net, image, config), config, made, assumed)

    return record


def _answering(net: Recorder, logits: Value, config: Config, entry: Input, assumed: tuple[str, ...]) -> Recorded:
    layers = config.settings.layers
    scores = net.act("sigmoid", logits, "scores") if layers.sigmoid else net.softmax(logits)
    graph = net.freeze(scores, names=["probs"])
    if not layers.sigmoid:
        return Recorded(graph, entry, "classification", Output("probs", "probabilities"), assumed=assumed)
    limits = Thresholds(layers.threshold, min(layers.most or config.classes, config.classes))
    return Recorded(graph, entry, "classification", Output("probs", "sigmoids"), limits, assumed=assumed)


class AsTrained(Trained):
    """The backbone with the eps of its BatchNorm, and the activation instead of its usual one, that were trained."""

    def __init__(self, settings: Settings, replaced: str) -> None:
        self.layers, self.said, self.replaced = settings.layers, settings.said.eps, replaced

    def eps(self, name: str, usual: float) -> float:
        """Of the whole backbone, or of all where the user says it."""
        if self.said is not None:
            return self.said
        return usual if self.layers.eps is None or not name.startswith("backbone.") else self.layers.eps

    def act(self, name: str, kind: str, slope: float) -> tuple[str, float]:
        """But for RepVGG's gates and VGG's linear layers."""
        fixed = ".se_layer." in name or ".classifier." in name or not name.startswith("backbone.")
        given = self.layers.act
        return (given.kind, given.slope) if given and kind == self.replaced and not fixed else (kind, slope)


def imagenet_input(interpolation: str = "pillow", bgr: bool = False, side: int = 224, short: int = 0) -> Input:
    """Short side to 256, centre 224, normalised: the test pipeline of mmcls's ImageNet configs. Networks for larger
    pictures take the centre of such whose short side is theirs, or `short`.
    """
    order, short = -1 if bgr else 1, short or (256 if side == 224 else side)
    steps: list[Step] = [
        {"op": "resize", "short": short, "interpolation": interpolation},
        {"op": "center_crop", "size": [side, side]},
        {"op": "normalize", "mean": MEAN[::order], "std": STD[::order]},
    ]
    return Input("input", "image", [1, 3, side, side], "BGR" if bgr else "RGB", steps)
