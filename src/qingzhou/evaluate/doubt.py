"""Whether a score says anything: answers that are no better than guessing do not, and labels that fit the data badly
make them so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import lgamma, log

import numpy as np

from ..errors import LabelError, say
from ..labels import number
from .result import Classification, DetectionScore, Matrix, Regression, mistaken

LEAST_MAP = 0.01  # a detector below that finds as good as nothing
RISK = 0.05  # that guessed answers look renamed
MOST_SHOWN = 3

Result = Classification | Regression | DetectionScore


# -- guessing -------------------------------------------------------------------------------------------------------


def blind(result: Result) -> float:
    """The figure that is reached without looking at the input.

    Of classes: the share of the most frequent one in the data, which is never less than 1 / classes. Of values: the
    mean of the true ones, whose R² is 0. Of boxes: next to nothing.
    """
    match result:
        case Classification():
            return float(result.confusion.sum(axis=1).max() / result.judged)
        case DetectionScore():
            return LEAST_MAP
    return 0.0


def beats_guessing(result: Result) -> bool:
    """Whether it is better than guessing: of classes Wilson's 95 % interval must lie above that, else the figure."""
    match result:
        case Classification():
            return result.interval[0] > blind(result)
        case DetectionScore():
            return result.map > blind(result)
    return result.r2 is None or result.r2 > blind(result)


def doubt(result: Result) -> str:
    """Why the figure says nothing of the model; "" where it does."""
    if beats_guessing(result):
        return ""
    match result:
        case Classification():
            return _guessed(result)
        case DetectionScore():
            return say(
                f"The boxes fit the true ones hardly anywhere (mAP {100 * result.map:.2f} %){_shown(result)}. See "
                "whether data, labels and preparation of pictures are those of training.",
                f"检出的框几乎都与标注不符（mAP {100 * result.map:.2f} %）{_shown(result)}。"
                "请检查数据、标签和图片预处理是否与训练时相同。",
            )
    return say(
        f"The values are no nearer to the true ones than the mean of these is (R² {result.r2:.2f}). See whether these "
        "are the right data, in the units and the order of training.",
        f"预测值还不如直接取真实值的平均值（R² {result.r2:.2f}）。请检查数据是否正确，单位和顺序是否与训练时相同。",
    )


def _guessed(result: Classification) -> str:
    support, answered = result.confusion.sum(axis=1), result.confusion.sum(axis=0)
    usual, answer = (result.labels[int(counts.argmax())] for counts in (support, answered))
    if support.max() == result.judged:
        return say(
            f"All inputs are of one class ({usual}): a model that always says so would get 100 %{_shown(result)}. "
            "Add other classes.",
            f"所有输入都属于同一类（{usual}）：总是这样回答的模型也能得 100 %{_shown(result)}。请加入其他类别。",
        )
    low, high, share, chance = (100 * n for n in (*result.interval, blind(result), 1 / len(result.labels)))
    one_en, one_zh = "", ""
    if answered.max() == result.judged:
        one_en, one_zh = f"Everything is answered as {answer}. ", f"所有输入都答成 {answer}。"
    return say(
        f"{one_en}{result.right} of {result.judged} right (95 % interval {low:.1f} to {high:.1f} %) is not clearly "
        f"better than guessing: always saying {usual} gets {share:.1f} %, chance {chance:.1f} %{_shown(result)}. "
        "See whether labels, data and preparation of pictures are those of training, or give more inputs.",
        f"{one_zh}{result.judged} 个中答对 {result.right} 个（95% 置信区间 {low:.1f}% 到 {high:.1f}%），"
        f"不明显好于瞎猜：总是回答 {usual} 就有 {share:.1f} %，随机猜 {chance:.1f} %{_shown(result)}。"
        "请检查标签、数据和图片预处理是否与训练时相同，或提供更多输入。",
    )


def _shown(result: Classification | DetectionScore) -> str:
    """ "; most often 3 is answered as 8 (12 times)"; "" where there are no mistakes."""
    found = mistaken(result.confusion, _labels(result))
    some = [f"{truth} → {answer} ({count})" for truth, answer, count in found[:MOST_SHOWN]]
    return say("; most often: ", "；最常见：") + ", ".join(some) if some else ""


# -- other names ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Renamed:
    """Classes whose inputs are mostly answered as one other class each, never two as the same.

    places  true position -> the other one;  right  answers that would be right so;  of  inputs of these classes
    whole   whether there are no other classes in the data
    """

    places: dict[int, int]
    right: int
    of: int
    whole: bool
    labels: Sequence[str]

    @property
    def swapped(self) -> bool:
        """Whether these classes have exchanged their names among themselves."""
        return set(self.places) == set(self.places.values())

    def words(self) -> tuple[str, str]:
        """ "every one is answered as its number minus 1 (1 as 0, 2 as 1, …)", "cat is answered as dog, dog as cat"; in
        English and Chinese.
        """
        shown = [(self.labels[i], self.labels[j]) for i, j in self.places.items()]
        (first, second), *others = shown[:MOST_SHOWN]
        more, step = len(shown) > MOST_SHOWN, self._step()
        verb = "is answered as" if step is None else "as"
        en = ", ".join([f"{first} {verb} {second}", *(f"{a} as {b}" for a, b in others)]) + (" …" if more else "")
        zh = "，".join(f"{a} 答成 {b}" for a, b in shown[:MOST_SHOWN]) + ("……" if more else "")
        if step is None:
            return en, zh
        signs = ("plus", "加") if step > 0 else ("minus", "减")
        return (
            f"every one is answered as its number {signs[0]} {abs(step):g} ({en})",
            f"每个都答成它的数字{signs[1]} {abs(step):g}（{zh}）",
        )

    def _step(self) -> float | None:
        """What is added to every number; None where it is not the same, or labels are no numbers."""
        steps = set()
        for i, j in self.places.items():
            one, other = number(self.labels[i]), number(self.labels[j])
            if one is None or other is None:
                return None
            steps.add(other - one)
        return steps.pop() if len(steps) == 1 and self.whole else None


def renamed(confusion: Matrix, labels: Sequence[str]) -> Renamed | None:
    """What the classes seem to be called by the model; None where it is what they are, or chance could have done it.

    Chance: that answers given without looking, as often as these are, fit any of the ways to rename as many classes.
    """
    support, best = confusion.sum(axis=1), confusion.argmax(axis=1)
    there = np.flatnonzero(support)
    places = {int(i): int(best[i]) for i in there if confusion[i, best[i]] > confusion[i, i]}
    if len(places) < 2 or len(set(places.values())) < len(places):
        return None
    right, of = sum(int(confusion[i, j]) for i, j in places.items()), int(sum(support[i] for i in places))
    ways = _log_choose(len(there), len(places)) + _log_choose(len(labels), len(places)) + lgamma(len(places) + 1)
    if ways + _log_tail(right, of, float(confusion.sum(axis=0).max() / confusion.sum())) > log(RISK):
        return None
    return Renamed(places, right, of, len(places) == len(there), labels)


def _log_choose(count: int, some: int) -> float:
    return lgamma(count + 1) - lgamma(some + 1) - lgamma(count - some + 1)


def _log_tail(hits: int, count: int, share: float) -> float:
    """The logarithm of the chance of so many hits or more, at most: Chernoff 1952."""
    found = hits / count
    if found <= share:
        return 0.0
    rest = (1 - found) * log((1 - found) / (1 - share)) if found < 1 else 0.0
    return -count * (found * log(found / share) + rest)


def misnamed(result: Result) -> LabelError | None:
    """The error where other names would make more answers right than the names do."""
    if isinstance(result, Regression):
        return None
    found, confusion = renamed(result.confusion, _labels(result)), result.confusion
    if found is None or found.right <= confusion.trace():
        return None
    judged, now, (en, zh) = int(confusion.sum()), int(confusion.trace()), found.words()
    return LabelError(
        en=f"The labels of the data and of the model do not fit each other: {en}. {now} of {judged} are right, "
        f"with these names {found.right} would be. Rename the folders or labels of the data, or convert again with "
        "--labels in the order of training.",
        zh=f"数据的标签和模型的标签对不上：{zh}。{judged} 个中只对 {now} 个，换成这些名字则对 {found.right} 个。"
        "请修改数据的文件夹名或标签，或用 --labels 按训练时的顺序重新转换。",
    )


def swapped(result: Result) -> str:
    """A hint at classes that seem to have exchanged their names, though most answers are right; "" at none."""
    found = None if isinstance(result, Regression) else renamed(result.confusion, _labels(result))
    if found is None or not found.swapped:
        return ""
    en, zh = found.words()
    return say(
        f"Some labels seem to be exchanged: {en} ({found.right} of {found.of}). See whether their names are right.",
        f"有些标签好像互相换了：{zh}（{found.of} 个中 {found.right} 个）。请检查它们的名字是否正确。",
    )


def hints(result: Result) -> list[str]:
    """What is to be said of a score before anybody trusts it."""
    wrong = misnamed(result)
    return [str(wrong)] if wrong else [text for text in (doubt(result), swapped(result)) if text]


def _labels(result: Classification | DetectionScore) -> Sequence[str]:
    return result.labels if isinstance(result, Classification) else [score.label for score in result.classes]
