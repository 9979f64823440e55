"""Answers of a model as plain values: for JSON, CSV tables, and COCO's format for boxes and masks."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import QingzhouError, as_plain
from .runtime.text import escaped
from .whole_file import write_text

if TYPE_CHECKING:
    from .run import Answer
    from .runtime.model.card import Card
    from .runtime.model.detect import Detection
    from .runtime.predict import Prediction

BOX = ("x1", "y1", "x2", "y2")
ROTATED = ("cx", "cy", "w", "h", "angle")


def names_of(card: Card) -> list[str]:
    """What the numbers of a model's scores are called: its labels, or the words of its vocabulary."""
    return card.labels or sorted(card.vocabulary, key=card.vocabulary.__getitem__)


def ranking(answer: Prediction, top: int, names: Sequence[str]) -> list[tuple[str, float]]:
    """The likeliest labels with their scores; of equal ones the first, as `label` has it."""
    order = (-answer.scores).argsort(kind="stable")[:top]
    return [(names[i] if i < len(names) else str(i), float(answer.scores[i])) for i in order]


def hint_in(answer: Prediction | list[Detection] | QingzhouError) -> str:
    """What is odd about its picture, "" where nothing is: a sentence, with its code in `code`."""
    return getattr(answer, "hint", "")


def failure(err: QingzhouError) -> dict[str, Any]:
    """An error as plain values."""
    return {"error": type(err).__name__, **as_plain(err)}


def as_dict(result: Answer, top: int, names: Sequence[str]) -> dict[str, Any]:
    """One answer for --json."""
    answer = result.answer
    found: dict[str, Any] = {"input": result.source}
    if isinstance(answer, QingzhouError):
        return {**found, **failure(answer)}
    if isinstance(answer, list):
        size = _size(result) if any(one.mask is not None for one in answer) else None
        found["detections"] = [_detection(one, size) for one in answer]
    elif answer.label or answer.named is not None:
        found |= {"label": answer.label, "index": answer.index, "confidence": answer.confidence}
        found["top"] = [{"label": name, "score": score} for name, score in ranking(answer, top, names)]
        found |= {} if answer.named is None else {"named": [one._asdict() for one in answer.named]}
    else:
        found["values"] = [float(value) for value in answer.scores.reshape(-1)]
    if code := getattr(hint_in(answer), "code", ""):
        found["hint"] = code
    return found | ({"drawn": str(result.drawn)} if result.drawn else {})


def _detection(one: Detection, size: tuple[int, int] | None) -> dict[str, Any]:
    found: dict[str, Any] = {"label": one.label, "index": one.index, "confidence": one.confidence}
    found["box"] = dict(zip(BOX, (round(n, 2) for n in one.box), strict=True))
    if one.keypoints is not None:
        found["keypoints"] = [_rounded(point) for point in one.keypoints]
    if one.rotated is not None:
        found["rotated"] = dict(zip(ROTATED, _rounded(one.rotated, 4), strict=True))
        found["corners"] = [_rounded(corner) for corner in one.corners]
    return found if one.mask is None or size is None else {**found, "mask": _run_lengths(one, size)}


def _rounded(numbers: Sequence[float], digits: int = 2) -> list[float]:
    """Pixels to hundredths; what comes after the first two of a point is a share."""
    return [round(n, digits if i < 2 else 4) for i, n in enumerate(numbers)]


def _run_lengths(one: Detection, size: tuple[int, int]) -> dict[str, Any]:
    """The mask in the picture's size, as COCO's run lengths."""
    from .runtime.model.masks import paste_mask

    assert one.mask is not None
    return run_lengths(paste_mask(one.mask, one.mask_box or one.box, size))


def run_lengths(mask: Any) -> dict[str, Any]:
    """COCO's uncompressed form of a (height, width) mask: {"size": [height, width], "counts": [0s, 1s, 0s, …]}.

    Column by column; the first count is of zeros, and may be 0.
    """
    import numpy as np

    pixels = np.asarray(mask, bool).ravel(order="F")
    ends = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    counts = np.diff(np.concatenate([[0], ends, [len(pixels)]])).tolist()
    return {"size": list(mask.shape), "counts": [0, *counts] if len(pixels) and pixels[0] else counts}


def _size(result: Answer) -> tuple[int, int]:
    """Height and width of the upright picture."""
    from .runtime.model.image import size_of

    return size_of(result.source)


def csv_rows(results: Sequence[Answer]) -> list[list[str]]:
    """A row for each answer, or for each thing found in a picture; the first row names the columns."""
    done = [(result.source, result.answer) for result in results if not isinstance(result.answer, QingzhouError)]
    if any(isinstance(answer, list) for _, answer in done):
        found = [(source, one) for source, answer in done if isinstance(answer, list) for one in answer]
        return [
            ["input", "label", "confidence", *BOX, *_more_columns([one for _, one in found])],
            *(
                [source, one.label, f"{one.confidence:.4f}", *(f"{n:.1f}" for n in one.box), *_more_cells(one)]
                for source, one in found
            ),
        ]
    single = [(source, answer) for source, answer in done if not isinstance(answer, list)]
    if any(answer.label or answer.named is not None for _, answer in single):
        return [["input", "label", "confidence"], *([s, *_cells(a)] for s, a in single)]
    numbers = max((answer.scores.size for _, answer in single), default=0)
    values = [[source, *(f"{n:.7g}" for n in answer.scores.reshape(-1))] for source, answer in single]
    return [["input", *(f"value{i}" for i in range(numbers))], *values]


def _more_columns(found: Sequence[Detection]) -> list[str]:
    """Of turned boxes ROTATED; of keypoints each one's number and coordinate."""
    first = found[0] if found else None
    points = (first.keypoints if first else None) or ()
    names = [f"{name}{i}" for i, point in enumerate(points) for name in ("x_", "y_", "sure_")[: len(point)]]
    return [*(ROTATED if first and first.rotated else ()), *names]


def _more_cells(one: Detection) -> list[str]:
    points = [f"{n:.1f}" if i < 2 else f"{n:.4f}" for point in one.keypoints or () for i, n in enumerate(point)]
    turned = [f"{n:.1f}" if i < 4 else f"{n:.4f}" for i, n in enumerate(one.rotated or ())]
    return [*turned, *points]


def _cells(answer: Prediction) -> tuple[str, str]:
    """Label and confidence; of several classes one after the other."""
    things = [answer] if answer.named is None else answer.named
    return "; ".join(one.label for one in things), "; ".join(f"{one.confidence:.4f}" for one in things)


def coco(results: Sequence[Answer], labels: Sequence[str]) -> dict[str, Any]:
    """Boxes and masks in COCO's format: images, categories (numbered from 1), annotations with their scores."""
    boxed = [result for result in results if isinstance(result.answer, list)]
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for result, name in zip(boxed, _file_names([result.source for result in boxed]), strict=True):
        height, width = _size(result)
        image = len(images) + 1
        images.append({"id": image, "file_name": name, "width": width, "height": height})
        for one in result.answer if isinstance(result.answer, list) else ():
            annotations.append(_annotation(one, len(annotations) + 1, image, (height, width)))
    categories = [{"id": i, "name": label} for i, label in enumerate(labels, start=1)]
    return {"images": images, "categories": categories, "annotations": annotations}


def _file_names(sources: Sequence[str]) -> list[str]:
    """The names of the pictures; with the folders that they do not share, where two are called the same."""
    names = [Path(source).name for source in sources]
    if len(set(names)) == len(names):
        return names
    try:
        base = os.path.commonpath([os.path.dirname(os.path.abspath(source)) for source in sources])
    except ValueError:  # different drives
        return [Path(source).absolute().as_posix() for source in sources]
    return [Path(os.path.relpath(source, base)).as_posix() for source in sources]


def write_coco(path: Path, results: Sequence[Answer], labels: Sequence[str]) -> None:
    """coco() as a file."""
    write_text(path, escaped(json.dumps(coco(results, labels), ensure_ascii=False)))


def _annotation(one: Detection, number: int, image: int, size: tuple[int, int]) -> dict[str, Any]:
    x1, y1, x2, y2 = one.box
    box = [round(n, 2) for n in (x1, y1, x2 - x1, y2 - y1)]
    found: dict[str, Any] = {
        "id": number,
        "image_id": image,
        "category_id": one.index + 1,
        "bbox": box,
        "score": round(one.confidence, 5),
        "area": round(box[2] * box[3], 2),
        "iscrowd": 0,
    }
    if one.keypoints is not None:
        points = [_rounded(point if len(point) == 3 else (*point, 1.0)) for point in one.keypoints]
        found |= {"keypoints": list(chain.from_iterable(points)), "num_keypoints": len(points)}
    if one.rotated is not None:
        found["segmentation"] = [list(chain.from_iterable(map(_rounded, one.corners)))]
    return found if one.mask is None else {**found, "segmentation": _run_lengths(one, size)}
