"""The verbs over several files: one failure is a row of its own and does not stop the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .convert import Conversion, run_conversion
from .errors import CheckpointMissing, FileMissing, InputError, LabelError, OptionError, OutputError, QingzhouError
from .runtime.predict import Prediction, Predictor

CHECKPOINTS = (".pth", ".pt", ".pkl", ".ckpt", ".safetensors")
IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


Outcome = Conversion | QingzhouError
Result = tuple[Path, Outcome]  # a checkpoint, and what became of it


def convert_all(files: Sequence[Path], out: Path | None, *, labels: str | None, **options: Any) -> list[Result]:
    """Convert every file, and every checkpoint inside the folders among them."""
    sources = dict(_checkpoints(files))
    if len(sources) > 1 and out is not None and out.suffix.lower() == ".onnx":
        raise OptionError(
            en=f"-o {out} is one file, but there are {len(sources)} checkpoints. Give a folder instead.",
            zh=f"-o {out} 是一个文件，但有 {len(sources)} 个权重文件。请改为一个文件夹。",
        )
    targets = _targets(sources, out)
    names = read_label_option(labels) if labels else None
    return [(source, _convert(source, targets[source], names, options)) for source in sources]


def _convert(source: Path, out: Path | None, labels: list[str] | None, options: dict[str, Any]) -> Outcome:
    try:
        return run_conversion(source, out, labels=labels, **options)
    except QingzhouError as err:
        return err


def _checkpoints(files: Sequence[Path]) -> Iterable[tuple[Path, Path]]:
    """Every checkpoint, with its path inside the folder that was named (its own name if it was named itself)."""
    for file in files:
        if not file.is_dir():
            yield file, Path(file.name)
            continue
        found = sorted(p for p in file.rglob("*") if p.suffix.lower() in CHECKPOINTS and p.is_file())
        if not found:
            raise CheckpointMissing(
                en=f"The folder {file} holds no checkpoint ({', '.join(CHECKPOINTS)}). Name the .pth file itself.",
                zh=f"文件夹 {file} 里没有权重文件（{'、'.join(CHECKPOINTS)}）。请直接指定 .pth 文件。",
            )
        yield from ((path, path.relative_to(file)) for path in found)


def _targets(sources: Mapping[Path, Path], out: Path | None) -> dict[Path, Path | None]:
    """Where each model goes: several into the folder `out`, as they lay; OptionError if two would be one file."""
    if out is None or len(sources) == 1:
        return dict.fromkeys(sources, out)
    targets = {source: out / inside.with_suffix(".onnx") for source, inside in sources.items()}
    first = {target: source for source, target in reversed(targets.items())}
    for source, target in targets.items():
        if first[target] != source:
            raise OptionError(
                en=f"{first[target]} and {source} would both become {target}. Rename one, or convert them one by one.",
                zh=f"{first[target]} 和 {source} 都会写成 {target}。请改名，或分别转换。",
            )
    return dict(targets)


def read_label_option(text: str) -> list[str]:
    """ "cat,dog", or the lines of a text file of that name."""
    path = Path(text)
    try:
        is_file = path.is_file()
    except OSError:
        is_file = False
    if not is_file and path.suffix.lower() == ".txt":
        raise LabelError(
            en=f"The label file {path} does not exist. Give an existing file, or the labels themselves: cat,dog",
            zh=f"标签文件 {path} 不存在。请给出已有的文件，或直接写标签：cat,dog",
        )
    if is_file:
        parts = path.read_bytes().decode("utf-8-sig", "replace").splitlines()
    else:
        parts = text.replace("，", ",").split(",")
    return [part.strip() for part in parts if part.strip()]


@dataclass(frozen=True)
class Answer:
    """One input and what the model said, or why it could not."""

    source: str
    answer: Prediction | QingzhouError
    drawn: Path | None = None


def run_all(predictor: Predictor, inputs: Sequence[Path], save: Path | None) -> list[Answer]:
    """Predict for every picture, row or array named; for the model's own sample if nothing is."""
    if not inputs:
        return [Answer("sample", predictor.predict(predictor.sample_input()))]
    return [answer for source in inputs for answer in _run(predictor, source, save)]


def _run(predictor: Predictor, source: Path, save: Path | None) -> list[Answer]:
    if source.is_dir():
        pictures = sorted(p for p in source.rglob("*") if p.suffix.lower() in IMAGES)
        return [answer for picture in pictures for answer in _run(predictor, picture, save)] or [_empty(source)]
    try:
        found = predictor.predict_file(source)
    except QingzhouError as err:
        return [Answer(str(source), err)]
    if not isinstance(found, list):
        drawn = _draw(source, found, save) if save and predictor.card.input.kind == "image" else None
        return [Answer(str(source), found, drawn)]
    return [Answer(f"{source}[{i}]", one) for i, one in enumerate(found)]


def _draw(source: Path, answer: Prediction, save: Path) -> Path:
    from .runtime.draw import draw

    target = save / f"{source.stem}.png"
    try:
        save.mkdir(parents=True, exist_ok=True)
        draw(source, answer, enlarge=True).save(target)
    except OSError as err:
        raise OutputError(
            en=f"Cannot write {target}: {err.strerror}. Choose another folder with --save.",
            zh=f"无法写入 {target}：{err.strerror}。请用 --save 换一个文件夹。",
        ) from None
    return target


def _empty(source: Path) -> Answer:
    missing = FileMissing if not source.exists() else InputError
    return Answer(str(source), missing(
        en=f"The folder {source} holds no pictures ({', '.join(IMAGES)}). Name a folder with pictures.",
        zh=f"文件夹 {source} 里没有图片（{'、'.join(IMAGES)}）。请指定有图片的文件夹。",
    ))  # fmt: skip
