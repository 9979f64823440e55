"""A model compiled for an engine: written whole or not at all, and compared with onnxruntime before it is there."""

from __future__ import annotations

import math
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, ModelError, OptionError, say
from ..onnxfile.copy import one_file
from ..onnxfile.facts import Facts
from ..onnxfile.kept import kept_answer
from ..runtime.engine.session import open_session
from ..runtime.file import is_file
from ..runtime.model import detect
from ..runtime.model.card import Card, Sample
from ..runtime.predict import Predictor
from ..whole_file import folder_beside, guard, made_for, move_in
from .bare import bare_predictor, check_ort
from .base import Engine, Settings, cannot_run
from .table import engine_here

if TYPE_CHECKING:
    import numpy.typing as npt

    Outputs = list[npt.NDArray[Any]]


@dataclass(frozen=True)
class Difference:
    """How far two answers to the model's own sample are from each other.

    largest  of outputs; of boxes in scores and in sides of the input, infinite where there are other boxes
    allowed  what the sample's tolerance makes of that
    """

    largest: float
    allowed: float

    @property
    def small(self) -> bool:
        """Whether the self-test would call the answers equal."""
        return self.largest <= self.allowed


@dataclass(frozen=True)
class Artifact:
    """What an engine made of a model.

    files       those that are needed to run it; the first is the one to open
    precision   of the weights: "fp32", "fp16", or "int8" where the model was quantised before
    difference  from onnxruntime's answer, None where there was nothing to compare
    seconds     that compiling and comparing took
    told        what its conversion said, where that was part of it, and what the engine advises
    kept        what else was written: for the next time, and for other machines
    """

    source: Path
    engine: str
    version: str
    precision: str
    files: tuple[Path, ...]
    difference: Difference | None
    seconds: float
    told: tuple[str, ...] = ()
    kept: tuple[Path, ...] = ()

    @property
    def path(self) -> Path:
        """The file to open."""
        return self.files[0]

    @property
    def size(self) -> int:
        """Bytes of the files that it needs."""
        return sum(path.stat().st_size for path in self.files)

    @property
    def notes(self) -> list[str]:
        """What the user should know."""
        return [*self.told, *self._on_the_difference()]

    def _on_the_difference(self) -> list[str]:
        if self.difference is None:
            return [
                say(
                    "Nothing was compared: the model has no sample, or finds nothing in it. Judge both on data of your "
                    "own: qingzhou evaluate",
                    "没有进行比较：模型没有示例，或在示例中没有发现目标。请用自己的数据分别评估：qingzhou evaluate",
                )
            ]
        if self.difference.small:
            return []
        return [
            say(
                "The answer to the sample is another than onnxruntime's. Judge both on data of your own: qingzhou "
                "evaluate",
                "对示例的回答与 onnxruntime 的不同。请用自己的数据分别评估：qingzhou evaluate",
            )
        ]

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for --json; an infinite difference is null."""
        largest = self.difference.largest if self.difference else math.inf
        return {
            "source": str(self.source),
            "model": str(self.path),
            "files": [str(path) for path in self.files],
            "kept": [str(path) for path in self.kept],
            "engine": self.engine,
            "version": self.version,
            "precision": self.precision,
            "bytes": self.size,
            "difference": largest if math.isfinite(largest) else None,
            "same": self.difference.small if self.difference else None,
            "notes": self.notes,
            "seconds": round(self.seconds, 3),
        }


def compile_for(engine: str, source: str | Path, out: str | Path | None = None, precision: str = "fp32") -> Artifact:
    """Compile a converted .onnx for an engine: "openvino", "ncnn", "litert", "tensorrt", "numpy", or
    "onnxruntime" (.ort).

    out        a file or a folder; by default beside the model
    precision  of the weights, one of those that the engine can store; "int8" for a model that quantize() made

    Where TensorRT is not installed its .onnx is prepared, to be compiled elsewhere; the notes say how.

    FileMissing or ModelError for what is no .onnx of ours; OptionError, ExtraMissing, EngineError, OutputError. Nothing
    is left behind by a failure.

    >>> compile_for("openvino", "best.onnx").files
    (Path('best.openvino.xml'), Path('best.openvino.bin'))
    """
    chosen, source = engine_here(engine), Path(source)
    check_precision(chosen, precision)
    check_onnx(source)
    with one_file(source) as model, made_for(source, out, chosen.suffix) as target:
        made = _compiled(chosen, model, target, precision)
    return replace(made, source=source, engine=engine)


def _compiled(chosen: Engine, source: Path, target: Path, precision: str) -> Artifact:
    """compile_for() of one file, for an engine and a place that were looked at."""
    start, facts = time.perf_counter(), Facts(source)
    # INT8 is for other processors too; one by one, in floats, operators are computed as all of them should.
    session = open_session(source, once=facts.quantized)
    if facts.card is None and chosen.name == "onnxruntime":
        raise check_ort(source)
    reference = Predictor(source, session=session) if facts.card else bare_predictor(source, session)
    if precision == "int8" and not facts.quantized:
        raise _not_rounded(source)
    stored = "fp32" if precision == "int8" else precision  # what is left of floats stays as it is
    kept = tuple(target.with_suffix(suffix) for suffix in chosen.kept)
    for place in (*chosen.files(target), *kept):
        guard(place, source)
    if why := chosen.takes(facts):
        raise why
    with folder_beside(target) as folder:
        built = folder / f"m{target.suffix.lower()}"
        for place in kept:
            if place.is_file() and not place.samefile(source):
                shutil.copyfile(place, built.with_suffix(place.suffix))
        difference = _build(chosen, source, reference, built, stored, facts.quantized or stored != "fp32")
        parts = [
            *zip(chosen.files(built), chosen.files(target), strict=True),
            *((built.with_suffix(place.suffix), place) for place in kept),
        ]
        for part, place in reversed(parts):  # the one to open comes last
            move_in(part, place)
    shown = "int8" if facts.quantized and stored == "fp32" else stored
    told, files = chosen.advice(target), chosen.files(target)
    seconds = time.perf_counter() - start
    return Artifact(source, chosen.name, chosen.version() or "", shown, files, difference, seconds, told, kept)


def _build(
    engine: Engine, source: Path, reference: Predictor, built: Path, precision: str, rounded: bool
) -> Difference | None:
    """Compile and compare. Where weights are rounded, or the answer is another, the file's card records its own answer:
    its self-test is to find damage, not to repeat this comparison.
    """
    sample = reference.card.sample
    engine.compile(source, reference.card, built, precision)
    if sample is None:
        return None
    feed = reference.feed(sample)
    found = _answers(engine, built, source, sample)
    difference = _difference(reference, sample, found, reference.run(feed), _side(feed, reference.card))
    if sample.output and (rounded or (difference is not None and not difference.small)):
        own = replace(sample, output=kept_answer(reference, found))
        engine.compile(source, replace(reference.card, sample=own), built, precision)
    return difference


def _side(feed: dict[str, Any], card: Card) -> float:
    """The longest side of the first input, in pixels."""
    return float(max(feed[card.input.name].shape, default=1))


def _answers(engine: Engine, built: Path, source: Path, sample: Sample) -> Outputs:
    """What the compiled file says; EngineError if the engine took the model but cannot run it."""
    try:
        predictor = Predictor(built, session=engine.open(built, Settings()))
        return predictor.run(predictor.feed(sample))  # its own feed: an engine may have other names for its inputs
    except InputError as err:
        raise cannot_run(engine.name, source, err) from None


def _difference(
    reference: Predictor, sample: Sample, found: Outputs, expected: Outputs, side: float
) -> Difference | None:
    """Of boxes, where there are any; else of outputs, unless those are boxes. `side` is the input's, in pixels."""
    if reference.card.task == "detection":
        boxes, others = reference.found(found).rows(), reference.found(expected).rows()
        if len(boxes) != len(others):
            return Difference(math.inf, sample.tolerance)
        if len(boxes):
            return Difference(detect.difference(boxes, others, side), sample.tolerance)
        if reference.card.output.scores in ("boxes", "rows"):  # whose order says nothing
            return None
    both = zip(found, expected, strict=True)
    pairs = [(a, b) for a, b in both if isinstance(b, np.ndarray) and b.dtype.kind in "fiu"]
    scale = max([1.0, *(float(np.abs(b).max(initial=0)) for _, b in pairs)])
    largest = max((float(np.abs(a - b).max(initial=0)) for a, b in pairs), default=0.0)
    return Difference(largest, sample.tolerance * scale)


def check_onnx(source: Path) -> Path:
    """The same; ModelError for another kind of file, by its name."""
    if is_file(source) and source.suffix.lower() != ".onnx":
        raise ModelError(
            en=f"{source.name} is no .onnx file. Name the model that qingzhou convert wrote; a checkpoint first: "
            "qingzhou convert best.pth",
            zh=f"{source.name} 不是 .onnx 文件。请指定 qingzhou convert 生成的模型；权重文件请先转换："
            "qingzhou convert best.pth",
        )
    return source


def _not_rounded(source: Path) -> OptionError:
    return OptionError(
        en=f"{source.name} is not INT8 yet, which needs data: --data FOLDER, or first qingzhou quantize.",
        zh=f"{source.name} 还不是 INT8 模型，量化需要数据：--data 文件夹，或先用 qingzhou quantize。",
    )


def check_precision(engine: Engine, precision: str) -> None:
    """OptionError, which names those that the engine can have."""
    names = (*engine.precisions, *(["int8"] if engine.int8 else []))
    if precision not in names:
        raise OptionError(
            en=f"--precision is {precision}; for {engine.name} it can be {', '.join(names)}.",
            zh=f"--precision 的值是 {precision}，{engine.name} 可用的是 {'、'.join(names)}。",
        )
