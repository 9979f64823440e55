"""Predicting for files: one answer a picture, row or array; one failure does not stop the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import InputError, OptionError, OutputError, QingzhouError, say
from .runtime.detect import Detection
from .runtime.predict import Prediction, Predictor
from .runtime.read import JPEG, PICTURES, as_words, beside, counted, files_in
from .whole_file import replacing

FORMATS = {
    **dict.fromkeys(JPEG, "JPEG"), ".bmp": "BMP", ".dib": "BMP", ".gif": "GIF", ".webp": "WEBP", ".tif": "TIFF",
    ".tiff": "TIFF",
}  # fmt: skip
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

    `save` is a folder for the pictures with the answers drawn on, laid out as the folders they come from; `threshold`
    the least confidence of what a detector finds.
    """
    if not inputs:
        return [Answer("sample", predictor.predict(predictor.sample_input(), threshold=threshold))]
    return [answer for source in inputs for answer in _run(predictor, source, save, threshold)]


def _run(predictor: Predictor, source: Path, save: Path | None, threshold: float | None) -> list[Answer]:
    if not source.is_dir():
        return _run_file(predictor, source, save and save / source.name, threshold)
    kind = predictor.card.input.kind
    suffixes = DATA[kind]
    found = sorted(p for p in source.rglob("*") if p.suffix.lower() in suffixes)
    if kind == "image":  # also those that are none by their names: what is wrong with them is said
        found = [Path(path) for path in files_in(source)]
    answers = []
    for path in found:
        answers += _run_file(predictor, path, save and save / path.relative_to(source), threshold)
    return answers or [_empty(source, suffixes)]


def note_of(inputs: Sequence[Path]) -> str:
    """What of the folders among the inputs is no picture and was left out; "" for nothing."""
    texts = [
        f"{folder}: {as_words(found)}" for folder in inputs if folder.is_dir() and (found := counted(beside(folder)))
    ]
    listed = "; ".join(texts)
    return say(f"Left out, since they are no pictures: {listed}", f"不是图片，未使用：{listed}") if texts else ""


def _run_file(predictor: Predictor, source: Path, drawing: Path | None, threshold: float | None) -> list[Answer]:
    try:
        found = predictor.predict_file(source, threshold=threshold)
    except QingzhouError as err:
        return [Answer(str(source), err)]
    if isinstance(found, list) and predictor.card.task != "detection":
        return [Answer(f"{source}[{i}]", one) for i, one in enumerate(found)]
    if drawing is not None and predictor.card.input.kind == "image":
        return [Answer(str(source), found, _draw(source, found, drawing))]
    return [Answer(str(source), found)]


def _draw(source: Path, answer: Prediction | list[Detection], target: Path) -> Path:
    from .runtime.draw import draw

    if target.exists() and target.samefile(source):
        raise OptionError(
            en=f"--save would write over the picture {source} itself. Choose another folder.",
            zh=f"--save 会覆盖原图 {source}。请换一个文件夹。",
        )
    picture = draw(source, answer, enlarge=True)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as part:
            picture.save(part, FORMATS.get(target.suffix.lower(), "PNG"))
    except OSError as err:
        raise OutputError(
            en=f"Cannot make the folder {target.parent}: {err.strerror}. Choose another folder with --save.",
            zh=f"无法建立文件夹 {target.parent}：{err.strerror}。请用 --save 换一个文件夹。",
        ) from None
    return target


def _empty(source: Path, suffixes: Sequence[str]) -> Answer:
    return Answer(str(source), InputError(
        en=f"The folder {source} holds no file that suits the model ({', '.join(suffixes)}). Name another folder.",
        zh=f"文件夹 {source} 里没有适合这个模型的文件（{'、'.join(suffixes)}）。请指定另一个文件夹。",
    ))  # fmt: skip
