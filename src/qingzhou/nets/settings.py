"""What is known of a network's use beyond its tensors, in one form for every version of the training tools."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Numbers = tuple[float, ...]
Step = dict[str, Any]  # one of the card's `steps`: JSON, which runtime/model/card.py checks


@dataclass(frozen=True)
class Stage:
    """test_cfg of one stage: score_thr, nms.iou_threshold, nms_pre, max_per_img and conf_thr."""

    score: float | None = None
    iou: float | None = None
    candidates: int | None = None
    most: int | None = None
    confidence: float | None = None


@dataclass(frozen=True)
class Anchors:
    """An anchor generator; what is empty is not said.

    kind      "SSD", "YOLO", "RPN", or "" where there is none that we know
    strides   pixels between positions, one number for each level
    ratios    height by width: for each level (SSD), or the same for all (RPN, one row)
    scales    side of a box by the stride (RPN)
    smallest, largest   min_sizes and max_sizes (SSD)
    sizes     for each level (width, height) of each box (YOLO)
    """

    kind: str = ""
    strides: Numbers = ()
    ratios: tuple[Numbers, ...] = ()
    scales: Numbers = ()
    smallest: Numbers = ()
    largest: Numbers = ()
    sizes: tuple[tuple[Numbers, ...], ...] = ()


@dataclass(frozen=True)
class Picture:
    """How the test pipeline prepares a picture.

    steps   as the card has them (runtime/model/card.py), in their order; "within" is (width, height), where that is
            said; mean, std and what fills up are one number or three, in the order of `color`
    color   "RGB", "BGR", or "GRAY" where it is read grey;  None where nothing is said
    sizes   whether the steps say how its size is made;  values: and what becomes of its pixels
    """

    steps: tuple[Step, ...] = ()
    color: str | None = None
    sizes: bool = False
    values: bool = False


@dataclass(frozen=True)
class Activation:
    """A kind that Recorder.act knows, and its slope."""

    kind: str
    slope: float = 0.0


@dataclass(frozen=True)
class Layers:
    """What a config says of a classifier's layers; None and empty where it says nothing.

    strides, dilations   of ResNet's stages
    eps, act   of the backbone's BatchNorm and activations;  head_eps, head_act: of those between a head's layers
    pool_eps   the least value that generalised mean pooling takes; -inf where it takes any;  pool_mean: it is wanted
    scale      of the cosines of a margin head;  residual: of the attention of a CSRA head (its lam)
    sigmoid    the head judges each class by itself: those that reach `threshold` are named, at most `most`
    refused    settings that change the answers and that we do not know, such as "head.type = MultiTaskHead"
    """

    strides: tuple[int, ...] = ()
    dilations: tuple[int, ...] = ()
    eps: float | None = None
    act: Activation | None = None
    head_eps: float = 1e-5
    head_act: Activation | None = None
    pool_eps: float = 1e-6
    pool_mean: bool = False
    scale: float = 64.0
    residual: float | None = None
    sigmoid: bool = False
    threshold: float = 0.5
    most: int | None = None
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """What a config says; None and empty where it says nothing.

    only, proposals, regions   the test_cfg of one-stage detectors, of RPN and of the second stage
    anchors        of one-stage detectors or RPN
    stds           of the deltas: of one-stage detectors, or of the second stage;  proposal_stds: of RPN
    caffe          a bottleneck of ResNet has its stride in its first convolution (style="caffe")
    layers         of classifiers: what the shapes do not show of their layers
    notes          what of it is not followed, in the user's language
    """

    only: Stage = Stage()
    proposals: Stage = Stage()
    regions: Stage = Stage()
    anchors: Anchors = Anchors()
    stds: Numbers | None = None
    proposal_stds: Numbers | None = None
    picture: Picture = Picture()
    caffe: bool = False
    layers: Layers = Layers()
    notes: tuple[str, ...] = ()
