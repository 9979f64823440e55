"""The classes of data and of a model: the same class by name, or by number where numbers are names or positions."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from ..errors import LabelError, say
from .words import label_error

MOST_SHOWN = 8
ONE_DIGIT = 10
COUNTED = re.compile(r"(\D*)([0-9]{1,9})(\D*)")


class Matcher:
    """True answers -> positions in the card's labels.

    labels     of the model
    names      the data's own list, which says what its numbers mean; () where it has none
    truths     what stands in the data, names and whole numbers, where that is known beforehand
    positions  whether a number of the data counts the model's classes from 0, whatever they are called (lists of
               pictures, arrays); else it may be a name as well (tables)

    refusal is set where data and model contradict each other, so that a score would say nothing; `notes` say what was
    decided where both could be.
    """

    def __init__(
        self, labels: Sequence[str], names: Sequence[str] = (), truths: Iterable[Any] = (), positions: bool = False
    ) -> None:
        self.labels, self.names, self.positions = labels, names, positions
        self.notes: list[str] = []
        self.refusal: LabelError | None = None
        times = Counter(map(_same, labels))  # a name that stands twice is no name
        self._places = {_same(label): i for i, label in enumerate(labels) if times[_same(label)] == 1}
        numbers = [number(label) for label in labels]
        self._numbers = {n: i for i, n in enumerate(numbers)} if all(n is not None for n in numbers) else {}
        known = list(truths)
        if labels:
            self._check_names(names or [truth for truth in known if isinstance(truth, str)])
            self._decide({truth for truth in known if isinstance(truth, int)} if not names else set())

    def place(self, truth: str | int) -> int | None:
        """The position of the label, or None if the model does not know it."""
        if isinstance(truth, int) and self.names:
            if list(self.names) == list(self.labels):
                return truth if 0 <= truth < len(self.names) else None
            return self.place(self.names[truth]) if 0 <= truth < len(self.names) else None
        if isinstance(truth, int) and self.positions:
            return truth if 0 <= truth < len(self.labels) else None
        text = _same(str(truth))
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

    def contradiction(self, place: int, folder: str) -> LabelError | None:
        """Why a picture of that position cannot lie in that folder: its name is that of another class."""
        if not self.positions or self.names or self._made_up:
            return None
        other = self._places.get(_same(folder))
        if other is None or other == place:
            return None
        return label_error(
            en=f"Its number is {place}, which the model calls {self.labels[place]}, but lies in the folder {folder}. "
            "The data and the model count the classes in another order: put classes.txt beside the list, with the "
            "classes in the order of its numbers.",
            zh=f"它的编号是 {place}，在模型里是 {self.labels[place]}，但图片在文件夹 {folder} 里。"
            "数据和模型的类别顺序不同：请在列表旁放一个 classes.txt，按编号的顺序列出类别。",
        )

    @property
    def _made_up(self) -> bool:
        """Whether the labels are nothing but the numbers of the outputs."""
        return list(self.labels) == [str(i) for i in range(len(self.labels))]

    def _check_names(self, names: Sequence[str]) -> None:
        """Refused if data and model number their classes from another start on; notes on another order."""
        ours, theirs = _numbered(self.labels), _numbered(names)
        if ours and theirs and ours[0] == theirs[0] and not (ours[1] <= theirs[1] or theirs[1] <= ours[1]):
            self.refusal = _counted_otherwise(names, self.labels)
        if (
            self.names
            and sorted(map(_same, self.names)) == sorted(self._places)
            and list(self.names) != list(self.labels)
        ):
            self.notes.append(
                say(
                    f"The data list the classes as {some(self.names)}, the model as {some(self.labels)}: matched "
                    "by name.",
                    f"数据里的类别顺序是 {some(self.names)}，模型里是 {some(self.labels)}：已按名称对应。",
                )
            )
        if self._made_up and len(self.labels) > ONE_DIGIT and not self.names and set(names) == set(self.labels):
            self.notes.append(
                say(
                    "The model's classes have no names but their numbers. Training tools count folders as texts "
                    "(0, 1, 10, "
                    "2 …): if it was trained with folders of these names, convert it again with --labels DATA.",
                    "模型的类别没有名称，只有编号。训练工具按文本顺序给文件夹编号（0、1、10、2……）："
                    "如果是用这些名称的文件夹训练的，请用 --labels 数据文件夹 重新转换。",
                )
            )

    def _decide(self, numbers: set[int]) -> None:
        """Whether the data's numbers are names or positions, by all of them; refused if they can be neither."""
        if not numbers:
            return
        fit = all(0 <= n < len(self.labels) for n in numbers)
        known = bool(self._numbers) and numbers <= set(self._numbers)
        if self.positions and not fit and known:
            self.positions = False
        elif not self.positions and fit and not known:
            self.positions = True
        elif not fit and not known and not (self._numbers and not self.positions and set(self._numbers) <= numbers):
            self.refusal = _counted_otherwise([str(n) for n in sorted(numbers)], self.labels)
        elif fit and known and not self._made_up and not self.positions:
            self.notes.append(
                say(
                    f"The numbers in the data ({some([str(n) for n in sorted(numbers)])}) were taken for the names of "
                    f"classes ({some(self.labels)}), not for their positions.",
                    f"数据里的数字（{some([str(n) for n in sorted(numbers)])}）被当作类别名称（{some(self.labels)}），"
                    "而不是编号。",
                )
            )


def number(text: str) -> float | None:
    """The finite number that a text writes, or None."""
    try:
        value = math.nan if "_" in text else float(text)  # Python takes 1_0 for 10
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def cell(value: object) -> str | int:
    """A cell of a table or an element of an array as a truth: whole numbers become int, all else text."""
    found = number(str(value))
    return int(found) if found is not None and found == int(found) else str(value).strip()


def _same(label: str) -> str:
    return unicodedata.normalize("NFC", label).strip()


def _numbered(names: Sequence[str]) -> tuple[tuple[str, str], set[int]] | None:
    """((what stands before, behind), numbers) of names such as 1 or "class 1"; None where they are not so."""
    found = [COUNTED.fullmatch(_same(name)) for name in names]
    around = {(one[1], one[3]) for one in found if one}
    if None in found or len(around) != 1:
        return None
    return next(iter(around)), {int(one[2]) for one in found if one}


def some(names: Iterable[str]) -> str:
    """The first names, for a message."""
    every = list(names)
    return ", ".join(every[:MOST_SHOWN]) + (" …" if len(every) > MOST_SHOWN else "")


def no_label_known(unknown: Iterable[str], labels: Sequence[str]) -> LabelError:
    """Nothing in the data belongs to a class of the model."""
    theirs, ours = some(unknown), some(labels)
    return LabelError(
        en=f"The model knows none of the data's labels: the data have {theirs}; the model has {ours}. Rename the "
        "folders or labels, or convert again with --labels in the order of training.",
        zh=f"数据里的标签模型都不认识：数据里是 {theirs}；模型里是 {ours}。"
        "请修改文件夹名或标签，或用 --labels 按训练时的顺序重新转换。",
    )


def _counted_otherwise(theirs: Sequence[str], ours: Sequence[str]) -> LabelError:
    return LabelError(
        en=f"The data and the model count their classes differently: the data have {some(theirs)}; the model has "
        f"{len(ours)} classes, {some(ours)}. A number would mean another class to each. Rename the folders or labels "
        "to those of the model, or convert again with --labels and the names of the data in the order of training.",
        zh=f"数据和模型的类别编号不一致：数据里是 {some(theirs)}；模型有 {len(ours)} 个类别：{some(ours)}。"
        "同一个数字在两边代表不同的类别。请把文件夹名或标签改成与模型一致，"
        "或用 --labels 按训练时的顺序给出数据里的名称，重新转换。",
    )
