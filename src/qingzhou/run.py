"""Predicting for files: one answer a picture, row or array; one failure does not stop the rest."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import InputError, OutputError, QingzhouError, say
from .runtime.bundle.given import predict_file
from .runtime.model.card import Card
from .runtime.model.detect import Detection
from .runtime.predict import Prediction, Predictor
from .runtime.read import JPEG, PICTURES, as_words, beside, counted, files_in, is_result, results_in
from .whole_file import fitting, one_name

DATA = {"image": PICTURES, "table": (".csv",), "array": (".npz", ".npy"), "tokens": (".txt",)}  # what is run in folders


@dataclass(frozen=True)
class Answer:
    """One input and what the model said, or why it could not."""

    source: str
    answer: Prediction | list[Detection] | QingzhouError
    drawn: Path | None = None


def run_all(
    predictor: Predictor, inputs: Sequence[Path], save: Path | None, threshold: float | None = None
) -> list[Answer]:
    """Predict for every picture, row or array named; for the model's own sample if nothing is.

    `save` is a folder for the pictures with the answers drawn on, laid out as the folders they come from, of several
    each in one of its own; a.png becomes a_result.png there. Nothing is written over but results of earlier runs.
    `threshold` is the least confidence of what a detector finds.
    """
    if not inputs:
        found = predictor.predict(predictor.sample_input(), threshold=threshold)
        if isinstance(found, list) and predictor.card.task != "detection":  # a network that takes several at once
            return [Answer(f"sample[{i}]", one) for i, one in enumerate(found)]
        return [Answer("sample", found)]
    job = _Job(predictor, threshold, set())
    rooms = [save] * len(inputs) if save is None else _rooms(inputs, save)
    return [answer for source, room in zip(inputs, rooms, strict=True) for answer in _run(job, source, room)]


def built_in(card: Card, results: Sequence[Answer]) -> float:
    """The score below which a detector's network keeps nothing, whatever is asked; 0 where it does not cut.

    Rows may be cut or not, which nothing says: where no answer is below the card's score, they are taken to be.
    """
    least = float((card.thresholds or {}).get("score", 0))
    found = (one for result in results if isinstance(result.answer, list) for one in result.answer)
    cut = card.output.scores == "rows" and all(one.confidence >= least for one in found)
    return least if cut or card.output.scores == "boxes" else 0.0


@dataclass(frozen=True)
class _Job:
    """`written`: what this run has drawn already, by one_name()."""

    predictor: Predictor
    threshold: float | None
    written: set[str]


def _rooms(inputs: Sequence[Path], save: Path) -> Iterator[Path]:
    """Where the drawings of each input go: of a folder among others into one that is called as it is."""
    taken: set[str] = set()
    for source in inputs:
        if not source.is_dir() or len(inputs) == 1:
            yield save
            continue
        name = source.resolve().name or "folder"
        names = itertools.chain([name], (f"{name}_{n}" for n in itertools.count(2)))
        room = next(save / one for one in names if one_name(save / one) not in taken)
        taken.add(one_name(room))
        yield room


def _run(job: _Job, source: Path, room: Path | None) -> list[Answer]:
    if not source.is_dir():
        return _run_file(job, source, room)
    kind = job.predictor.card.input.kind
    suffixes = DATA[kind]
    found = sorted(p for p in source.rglob("*") if p.suffix.lower() in suffixes)
    if kind == "image":  # also those that are none by their names: what is wrong with them is said
        found = [Path(path) for path in files_in(source)]
    answers = []
    for path in found:
        answers += _run_file(job, path, room and room / path.relative_to(source).parent)
    return answers or [_empty(source, suffixes)]


def note_of(inputs: Sequence[Path]) -> str:
    """What of the folders among the inputs is no picture, or a result, and was left out; "" for nothing."""
    folders = [folder for folder in inputs if folder.is_dir()]
    texts = [f"{folder}: {as_words(found)}" for folder in folders if (found := counted(beside(folder)))]
    listed, results = "; ".join(texts), sum(1 for folder in folders for _ in results_in(folder))
    told = say(f"Left out, since they are no pictures: {listed}", f"不是图片，未使用：{listed}") if texts else ""
    if results:
        told += " " * bool(told) + say(
            f"Left out, since they are results of --save or of a program: {results}",
            f"是以前保存的结果图，未使用：{results}",
        )
    return told


def _run_file(job: _Job, source: Path, room: Path | None) -> list[Answer]:
    try:
        found = predict_file(job.predictor, source, threshold=job.threshold)
    except QingzhouError as err:
        return [Answer(str(source), err)]
    if isinstance(found, list) and job.predictor.card.task != "detection":
        return [Answer(f"{source}[{i}]", one) for i, one in enumerate(found)]
    if room is not None and job.predictor.card.input.kind == "image":
        return [Answer(str(source), found, _draw(source, found, room, job.written))]
    return [Answer(str(source), found)]


def _draw(source: Path, answer: Prediction | list[Detection], room: Path, written: set[str]) -> Path:
    from .runtime.draw import draw, keep

    picture = draw(source, answer, enlarge=True)
    target = room / fitting(source.stem, "_result.jpg" if source.suffix.lower() in JPEG else "_result.png")
    try:
        room.mkdir(parents=True, exist_ok=True)
        place = keep(picture, target, lambda path: is_result(path) and one_name(Path(path)) not in written)
    except OSError as err:
        raise OutputError(
            en=f"Cannot write {target}: {err.strerror or err}. Choose another folder with --save, or make room there.",
            zh=f"无法写入 {target}：{err.strerror or err}。请用 --save 换一个文件夹，或清理磁盘空间。",
        ) from None
    written.add(one_name(place))
    return place


def _empty(source: Path, suffixes: Sequence[str]) -> Answer:
    return Answer(
        str(source),
        InputError(
            en=f"The folder {source} holds no file that suits the model ({', '.join(suffixes)}). Name another folder.",
            zh=f"文件夹 {source} 里没有适合这个模型的文件（{'、'.join(suffixes)}）。请指定另一个文件夹。",
        ),
    )
