"""The pictures of a report: what the model says of some, and of which it says something else in INT8."""

from __future__ import annotations

from pathlib import Path

from ..bundle.sample import opened
from ..errors import QingzhouError
from ..html import thumbnail
from ..quant.judge import Verdict
from ..runtime.draw import caption, draw
from ..runtime.predict import Predictor
from ..runtime.read import PICTURES

SIDE = 160  # pixels of each, at most
ANSWERED, CHANGED = 6, 12

Shown = dict[str, str]


def pictures(model: Path, data: Path, verdict: Verdict | None) -> dict[str, list[Shown]]:
    """For the page: "answered" as {"picture", "answer"}, "changed" as {"picture", "truth", "before", "after"}.

    Pictures are data URIs; a model of other inputs has none.
    """
    asked = opened(model)
    if asked.card.input.kind != "image":
        return {"answered": [], "changed": []}
    answered = [one for one in (_answered(asked, path) for path in _spread(data)) if one]
    changed = verdict.changed[:CHANGED] if verdict else ()
    return {
        "answered": answered,
        "changed": [
            {"picture": _small(one.data), "truth": one.truth, "before": one.before, "after": one.after}
            for one in changed
        ],
    }


def _spread(data: Path) -> list[Path]:
    """Some of all its pictures, so far apart that of folders for each class several have one among them."""
    found = sorted(path for path in data.rglob("*") if path.suffix.lower() in PICTURES)
    step = max(1, len(found) / ANSWERED)
    return [found[int(step * i + step / 2)] for i in range(min(ANSWERED, len(found)))]


def _answered(model: Predictor, path: Path) -> Shown | None:
    """None for what is no picture."""
    try:
        answer = model.predict(path)
        if isinstance(answer, list):
            return {
                "picture": _small(draw(path, answer, enlarge=True)),
                "answer": ", ".join(map(caption, answer[:5])),
            }
        return {"picture": _small(path), "answer": caption(answer)}
    except QingzhouError:
        return None


def _small(source: object) -> str:
    """ "" for a file that cannot be shown."""
    try:
        return thumbnail(source, SIDE)
    except QingzhouError:
        return ""
