"""The main verb: a checkpoint in, a checked ONNX model and the code that runs it out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy.typing as npt

from .assumed import assumed_text
from .errors import ModelError, OptionError, UnsupportedCheckpoint, say
from .files.types import Checkpoint
from .graph.count import macs, parameters
from .graph.fold import normalise_inside, simplify
from .graph.form import Graph
from .labels import Labels
from .model import Model
from .nets.names import check_name
from .nets.preprocess import read_preprocess
from .nets.recorded import Wanted
from .onnxfile.emit import emit
from .onnxfile.metadata import metadata
from .onnxfile.verify import Trial, check_structure, sample_for
from .onnxfile.write import append_metadata, write_onnx
from .runtime.model.card import KEY, Card, Output, Sample
from .scenes import told_of, write_sample
from .sources.network import Recognised
from .sources.openmmlab.state import choose_labels, recognise_checkpoint
from .sources.openmmlab.wrapped import open_checkpoint
from .whole_file import output_path, replacing

Labelling = str | Path | Sequence[Any] | Mapping[Any, Any] | npt.NDArray[Any] | None  # see labels.read_label_option()
OPSETS, IR_VERSIONS = range(11, 22), range(4, 11)
DEFAULT_OPSET = 13


@dataclass(frozen=True)
class Conversion:
    """What a conversion did: the model, the program beside it, and figures for the table."""

    source: Path
    model: Model
    program: Path
    parameters: int
    macs: int
    opset: int
    ir_version: int
    checks: tuple[str, ...]
    seconds: float
    told: tuple[str, ...] = ()  # of the program: what it is called, what lies in its way

    @property
    def notes(self) -> list[str]:
        """All that the user should know."""
        return [*self.model.card.notes, *self.told]

    @property
    def size(self) -> int:
        """Bytes of the .onnx file."""
        return self.model.path.stat().st_size

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for --json."""
        card = self.model.card
        return {
            "source": str(self.source),
            "model": str(self.model.path),
            "program": str(self.program),
            "tool": card.tool,
            "network": card.network,
            "task": card.task,
            "labels": card.labels,
            "parameters": self.parameters,
            "macs": self.macs,
            "bytes": self.size,
            "opset": self.opset,
            "ir_version": self.ir_version,
            "checks": list(self.checks),
            "notes": self.notes,
            "assumed": card.assumed,
            "seconds": round(self.seconds, 3),
        }


def _are_sides(size: object) -> bool:
    """Whether it is some positive whole numbers; not one number alone, not a text."""
    sides = list(size) if isinstance(size, Iterable) else []
    return bool(sides) and all(isinstance(n, Integral) and int(n) >= 1 for n in sides)


@dataclass(frozen=True)
class Options:
    """What a user may ask of a conversion; see convert()."""

    labels: object = None
    input_size: Sequence[int] | None = None
    opset: int | None = None
    ir_version: int = 8
    network: str | None = None
    check: bool = True
    xeduhub: bool = False
    form: str = "boxes"
    score_threshold: float | None = None
    iou_threshold: float | None = None
    max_detections: int | None = None
    preprocess: object = None

    def __post_init__(self) -> None:
        """OptionError for a value that cannot be."""
        opset = DEFAULT_OPSET if self.opset is None else self.opset
        for name, value, allowed in (("opset", opset, OPSETS), ("ir-version", self.ir_version, IR_VERSIONS)):
            if value not in allowed:
                raise _not_allowed(name, value, f"{allowed[0]}", f"{allowed[-1]}")
        for name, share in (("score-threshold", self.score_threshold), ("iou-threshold", self.iou_threshold)):
            if share is not None and not 0 <= share <= 1:
                raise _not_allowed(name, share, "0", "1")
        if self.max_detections is not None and not 1 <= self.max_detections <= 10_000:
            raise _not_allowed("max-detections", self.max_detections, "1", "10000")
        if self.form not in ("boxes", "raw"):
            raise OptionError(
                en=f"--form is {self.form}; it can be boxes or raw.",
                zh=f"--form 的值是 {self.form}，应为 boxes 或 raw。",
            )
        size = self.input_size
        if size is not None and not _are_sides(size):
            raise OptionError(
                en=f"--input-size is {size}; expected positive numbers such as 224,224 (height,width).",
                zh=f"--input-size 的值是 {size}，应为正整数，例如 224,224（高,宽）。",
            )

    def refuse_those_of_detectors(self, title: str) -> None:
        """OptionError for options that mean nothing to the network that was found."""
        given = {
            "--form": self.form != "boxes",
            "--score-threshold": self.score_threshold is not None,
            "--iou-threshold": self.iou_threshold is not None,
            "--max-detections": self.max_detections is not None,
        }
        for name in (name for name, is_given in given.items() if is_given):
            raise OptionError(
                en=f"{name} is for object detectors, but the file holds {title}. Leave it out.",
                zh=f"{name} 只用于目标检测，而文件里是 {title}。请去掉这个选项。",
            )

    @property
    def wanted(self) -> Wanted:
        """What of it concerns the network; OptionError, FileMissing."""
        asked = read_preprocess(self.preprocess)
        size = None if self.input_size is None else tuple(self.input_size)
        said = asked and asked.size
        if said and size and (size[-2:][0], size[-1]) != said:
            raise OptionError(
                en=f"--input-size is {list(size)}, but --preprocess ends at {list(said)}. Leave one of them out.",
                zh=f"--input-size 的值是 {list(size)}，而 --preprocess 得到 {list(said)}。请只写其中一个。",
            )
        return Wanted(
            size or said or None, self.form, self.score_threshold, self.iou_threshold, self.max_detections, asked
        )


def convert(
    path: str | Path,
    out: str | Path | None = None,
    *,
    labels: Labelling = None,
    input_size: Sequence[int] | None = None,
    opset: int | None = None,
    ir_version: int = 8,
    network: str | None = None,
    check: bool = True,
    xeduhub: bool = False,
    form: str = "boxes",
    score_threshold: float | None = None,
    iou_threshold: float | None = None,
    max_detections: int | None = None,
    preprocess: str | Path | Mapping[str, Any] | None = None,
) -> Model:
    """Convert a checkpoint to a checked ONNX model, with a program that runs it beside it.

    path        a .pth of MMEdu, mmcls, mmpretrain or mmdet, BaseNN, or a plain torch.save(model)
    out         where the model goes; default: beside the checkpoint, as .onnx
    labels      class names in the order of training: a list, an array, a dict of names and numbers, "cat,dog", a file
                or folder that names them; default: those in the file
    input_size  (height, width), (side,) or the whole input shape, where it is not the one trained with
    opset, ir_version   of the ONNX file: 11 to 21, 4 to 10; by default 13 and 8, which run on the smallest board
    network     the architecture you believe it is; ArchitectureMismatch if the file holds another
    check       run the result on its own sample
    xeduhub     the form that the original XEduHub feeds rightly: raw 0-255 pixels, the scaling inside the network
    form        of detectors: "boxes" ends in NMS inside the network; "raw" leaves it to the runtime
    score_threshold, iou_threshold, max_detections   of detectors; default: as trained

    preprocess  how pictures are prepared, where the file does not say it or is wrong: "imagenet", "0-1", "-1-1", "raw"
                (what becomes of pixels), a .toml file, or a dict with its keys: mean, std, pixels, color, resize,
                fit, crop, pad, interpolation (docs/en/formats.md)

    Every user error is a QingzhouError; nothing half-written is left behind.

    >>> model = qingzhou.convert("best.pth")
    >>> model.predict("cat.jpg").label
    'cat'
    """
    return run_conversion(
        path,
        out,
        labels=labels,
        input_size=input_size,
        opset=opset,
        ir_version=ir_version,
        network=network,
        check=check,
        xeduhub=xeduhub,
        form=form,
        score_threshold=score_threshold,
        iou_threshold=iou_threshold,
        max_detections=max_detections,
        preprocess=preprocess,
    ).model


def run_conversion(path: str | Path, out: str | Path | None = None, **given: Any) -> Conversion:
    """convert(), with everything that the table shows; `given` are the fields of Options."""
    start = time.perf_counter()
    options = Options(**given)
    source = Path(path)
    checkpoint = open_checkpoint(source)
    found = recognise_checkpoint(checkpoint, options.wanted)
    if options.network is not None:
        check_name(options.network, found.family, found.title)
    if found.task != "detection":
        options.refuse_those_of_detectors(found.title)
    card = describe(checkpoint, found, choose_labels(found, options.labels))
    digest = checkpoint.origin.digest_ahead()
    job = _Job(
        found.graph,
        found.heads,
        card,
        digest,
        found.family,
        options.opset or DEFAULT_OPSET,
        options.ir_version,
        options.check,
    )
    job = job.feeding_raw_pixels() if options.xeduhub else job
    model, program, checks = _write(job, output_path(source, out, ".onnx"))
    counts = parameters(found.graph), macs(found.graph)
    seconds = time.perf_counter() - start
    told = told_of(model.path, program)
    return Conversion(source, model, program, *counts, job.opset, job.ir_version, checks, seconds, told)


@dataclass(frozen=True)
class _Job:
    """Everything that is needed to write one model."""

    graph: Graph
    heads: Graph | None
    card: Card
    sha256: Callable[[], str]
    family: str
    opset: int
    ir_version: int
    check: bool

    def feeding_raw_pixels(self) -> _Job:
        """The same network with its normalisation inside, for hubs that feed 0-255 (BaseNN pictures only)."""
        if self.card.input.kind != "image" or self.card.tool.startswith("MM"):
            note = say(
                en="--xeduhub-input changes nothing: it is for BaseNN's pictures; this model has one form for all.",
                zh="--xeduhub-input 没有作用：它用于 BaseNN 的图片模型，这个模型只有一种形式。",
            )
            return replace(self, card=replace(self.card, notes=[*self.card.notes, note]))
        graph, entry = normalise_inside(self.graph, self.card.input)
        return replace(self, graph=graph, card=replace(self.card, input=entry))


def describe(checkpoint: Checkpoint, found: Recognised, labels: Labels) -> Card:
    """The card of a recognised checkpoint, still without its sample."""
    told = assumed_text(found.input, found.assumed, found.tool)
    return Card(
        task=found.task,
        network=found.title,
        tool=found.tool,
        input=found.input,
        output=Output(found.graph.outputs[0].name, found.scores),
        labels=list(labels.names),
        vocabulary=dict(found.vocabulary),
        origin=_origin(checkpoint),
        notes=[*([told] if told else []), *found.notes, *labels.notes],
        thresholds=found.thresholds,
        decoding=found.decoding,
        assumed=[*found.assumed, *(["labels"] if labels.assumed else [])],
    )


def _origin(checkpoint: Checkpoint) -> dict[str, object]:
    """Where the model came from: the file, and what its meta says of the training."""
    origin = checkpoint.origin
    return {"file": origin.path.name, "container": origin.container, "training": checkpoint.facts}


def _not_allowed(name: str, value: object, first: str, last: str) -> OptionError:
    return OptionError(
        en=f"--{name} is {value}; it can be {first} to {last}. Leave it out if in doubt.",
        zh=f"--{name} 的值是 {value}，应为 {first} 到 {last}。不确定时可以不写。",
    )


def _write(job: _Job, target: Path) -> tuple[Model, Path, tuple[str, ...]]:
    """Emit, check and write the model and its program; `target` appears only if all of it went well."""
    emitted = emit(simplify(job.graph), job.opset, job.ir_version)
    card, checks = job.card, ["structure"]
    with replacing(target) as part:
        check_structure(emitted, part)
        write_onnx(part, emitted)
        sample, output = sample_for(card), []
        if job.check:
            trial = Trial(part, card, sample, job.graph, job.heads or job.graph)
            output = trial.run()
            checks.append("runs")
            if trial.agrees():
                checks.append("equals_original")
        origin = {**card.origin, "sha256": job.sha256()}
        card = _as_read_back(replace(card, origin=origin, sample=Sample(sample, output)))
        append_metadata(part, {KEY: card.to_json(), **metadata(card, job.family)})
        program = write_sample(target, card)
    return Model(target, card), program, tuple(checks)


def _as_read_back(card: Card) -> Card:
    """The card as readers will see it; UnsupportedCheckpoint if what the checkpoint says of itself cannot be kept."""
    try:
        return Card.from_json(card.to_json())
    except ModelError as err:
        raise UnsupportedCheckpoint(
            en=f"What the checkpoint says of itself cannot be kept with the model. {err.en} Or name the classes "
            "yourself with --labels.",
            zh=f"权重文件里的说明信息无法保存到模型中。{err.zh}也可以用 --labels 指定类别名称。",
        ) from None
