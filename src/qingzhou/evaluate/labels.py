"""The data's labels and the card's: the same class by name, or by number where both are numbers."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence

from ..errors import LabelError

MOST_SHOWN = 8


class Matcher:
    """True answers -> positions in the card's labels.

    A name is looked up among the labels ("3", "03" and 3.0 are the same where all labels are numbers). A number stands
    for the class of that number in the data's own list; without one, for the label that is that number, else for the
    label at that position.
    """

    def __init__(self, labels: Sequence[str], names: Sequence[str] = ()) -> None:
        self.labels = labels
        self.names = names
        self._places = {_clean(label): i for i, label in reversed(list(enumerate(labels)))}
        numbers = [number(label) for label in labels]
        self._numbers = {n: i for i, n in enumerate(numbers)} if all(n is not None for n in numbers) else {}

    def place(self, truth: str | int) -> int | None:
        """The position of the label, or None if the model does not know it."""
        if isinstance(truth, int) and self.names:
            return self.place(self.names[truth]) if 0 <= truth < len(self.names) else None
        text = _clean(str(truth))
        if text in self._places:
            return self._places[text]
        if self._numbers:
            return self._numbers.get(number(text))
        return truth if isinstance(truth, int) and 0 <= truth < len(self.labels) else None

    def title(self, truth: str | int) -> str:
        """What to call a true answer in a message."""
        if isinstance(truth, int) and 0 <= truth < len(self.names):
            return self.names[truth]
        return str(truth)


def number(text: str) -> float | None:
    """The finite number that a text writes, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def cell(value: object) -> str | int:
    """A cell of a table or an element of an array as a truth: whole numbers become int, all else text."""
    found = number(str(value))
    return int(found) if found is not None and found == int(found) else str(value).strip()


def _clean(label: str) -> str:
    return unicodedata.normalize("NFC", label).strip()


def no_label_known(unknown: Iterable[str], labels: Sequence[str]) -> LabelError:
    """Nothing in the data belongs to a class of the model."""
    theirs, ours = _some(list(unknown)), _some(labels)
    return LabelError(
        en=f"The model knows none of the data's labels: the data have {theirs}; the model has {ours}. Rename the "
        "folders or labels, or convert again with --labels in the order of training.",
        zh=f"数据里的标签模型都不认识：数据里是 {theirs}；模型里是 {ours}。"
        "请修改文件夹名或标签，或用 --labels 按训练时的顺序重新转换。",
    )


def _some(labels: Sequence[str]) -> str:
    return ", ".join(labels[:MOST_SHOWN]) + (" …" if len(labels) > MOST_SHOWN else "")
