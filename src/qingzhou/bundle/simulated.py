"""Pictures for a bundle's simulator: of the data, so that what the rules wait for is seen at the first run."""

from __future__ import annotations

import io
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import QingzhouError
from ..runtime.model.image import open_picture
from ..runtime.parts.facts import facts
from ..runtime.predict import Predictor
from ..runtime.read import pictures_in

LOOKED_AT, KEPT = 30, 6  # pictures of the data
SURE = 0.9  # how sure the model is of what needs no better picture
SIDE, SMALL = 640, 1 << 14  # pixels: of a side at most; of a picture that JPEG would spoil


class View(NamedTuple):
    """A picture as a file, and how sure the model is of what it shows best; no label where there are no classes."""

    suffix: str
    file: bytes
    label: str
    score: float


def write_pictures(model: Predictor, data: Path | None, folder: Path, rules: Sequence[str]) -> None:
    """sim/1.jpg, 2.jpg, …: of each class the one that the model is surest of; first those that the rules name."""
    best: dict[str, View] = {}
    named = {label for label in model.labels if any(f'"{label}"' in rule for rule in rules)}
    for path in _spread(data):
        for seen in _seen(model, path):
            key = seen.label or f"{len(best)}"
            if key not in best or best[key].score < seen.score:
                best[key] = seen
        sure = {label for label, seen in best.items() if seen.score >= SURE}
        if len(sure) >= KEPT and named <= sure:
            break
    order = sorted(best.values(), key=lambda seen: (seen.label not in named, -seen.score))[:KEPT]
    if order:
        (folder / "sim").mkdir()
    files = dict.fromkeys((seen.suffix, seen.file) for seen in order)  # one may be the best of two classes
    for number, (suffix, file) in enumerate(files, start=1):
        (folder / "sim" / f"{number}{suffix}").write_bytes(file)


def _seen(model: Predictor, path: Path) -> list[View]:
    """What the model sees in a picture as it will lie there; [] where it cannot be read."""
    try:
        picture = open_picture(path, SIDE)
        picture.thumbnail((SIDE, SIDE))
        file, small = io.BytesIO(), picture.width * picture.height <= SMALL
        picture.save(file, "PNG" if small else "JPEG", quality=90)
        found = facts(model.predict(file.getvalue()), model.labels)
    except QingzhouError:
        return []
    suffix = ".png" if small else ".jpg"
    if found.values and not found.seen:
        return [View(suffix, file.getvalue(), "", 1.0)]
    return [View(suffix, file.getvalue(), label, found.scores[label]) for label in dict.fromkeys(found.seen)]


def _spread(data: Path | None) -> list[Path]:
    """Pictures of a folder and the folders in it, one of each by turns: where there are classes, of each."""
    if data is None or not data.is_dir():
        return []
    rows = []
    for folder in (data, *sorted(path for path in data.rglob("*") if path.is_dir())):
        try:
            rows.append(pictures_in(str(folder)))
        except (OSError, QingzhouError):
            continue
    turns = (path for turn in itertools.zip_longest(*rows) for path in turn if path is not None)
    return [Path(path) for path in itertools.islice(turns, LOOKED_AT)]
