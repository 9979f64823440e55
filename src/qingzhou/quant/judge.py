"""Both models judged by the same held-out data; without true answers by how well the second repeats the first."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ..errors import DataError, NothingToJudge, QingzhouError, say
from ..evaluate.ask import Count, asked, first, known, usable
from ..evaluate.classify import classify
from ..evaluate.detect import OfSome, compared, library, lowest, placed
from ..evaluate.doubt import blind, doubt, misnamed, swapped
from ..evaluate.judge import JUDGES, check_answers
from ..evaluate.regress import numeric, regress
from ..evaluate.result import Case, Classification, DetectionScore, Failure, Regression
from ..labels import Matcher
from ..runtime.model.answers import label_of
from ..runtime.model.card import Card
from .besides import Beside, besides, own
from .hands import in_order
from .pair import Both, Drop, Pair, jackknifed_drop, paired_drop
from .split import Split

Result = Classification | Regression | DetectionScore
Answered = Sequence[tuple[Case, Both]]
Notice = Callable[[Case, Both], None]
MOST_CHANGED = 48  # changed answers that are kept by name; all are counted
MOST_UNKNOWN = 10  # labels that are named


class Changed(NamedTuple):
    """An input for which the two give different classes. truth is "" where nobody knows it."""

    source: str
    data: object
    truth: str
    before: str
    after: str


@dataclass(frozen=True)
class Verdict:
    """What was lost.

    measure   "top-1", "mAP" or "R²"; of the answers before, where the true ones are not known or say nothing
              ("labelled" is False; the latter for the reason `why`)
    drop      in shares of 1, with its 95 % interval
    changed   the first inputs whose class is another now, and how many there are; of classifiers
    unknown   labels in the data that the model does not know, and how many inputs (or boxes) have them: not judged
    copies    pictures that are in the data more often than once, and so were left out
    same      the one answer that was given to everything; "" where there are several, or true ones to judge by
    hints     what else is doubtful
    besides   the same of masks, keypoints and turned boxes, of detectors that tell them; the promise is for each
    """

    measure: str
    labelled: bool
    before: Result
    after: Result
    drop: Drop
    changed: Sequence[Changed]
    changes: int
    failed: int
    failures: Sequence[Failure] = field(default_factory=list)
    unknown: Mapping[str, int] = field(default_factory=dict)
    copies: int = 0
    why: str = ""
    same: str = ""
    hints: Sequence[str] = ()
    besides: Sequence[Beside] = ()

    @property
    def judged(self) -> int:
        """The number of held-out inputs."""
        return self.after.judged

    @property
    def astray(self) -> bool:
        """Whether there are true boxes, and the model meets next to none: no figure of it can be kept."""
        return self.measure == "mAP" and bool(self.why)

    def figures(self) -> tuple[float, float]:
        """The measure before and after."""
        return figure(self.before), figure(self.after)

    @property
    def notes(self) -> list[str]:
        """What was not judged, and what is doubtful."""
        found = list(self.hints)
        if self.copies:
            found.append(
                say(
                    f"{self.copies} pictures are copies of others of the data, and were left out.",
                    f"{self.copies} 张图片与数据中的其他图片相同，没有使用。",
                )
            )
        if self.failed:
            first = self.failures[0]
            found.append(
                say(
                    f"{self.failed} inputs could not be judged and do not count. The first, {first.source}: "
                    f"{first.error}",
                    f"{self.failed} 个输入无法评估，未计入。第一个 {first.source}：{first.error}",
                )
            )
        if self.unknown:
            names, count = ", ".join(list(self.unknown)[:MOST_UNKNOWN]), sum(self.unknown.values())
            found.append(
                say(
                    f"{count} were not judged: they are of classes that the model does not know ({names}).",
                    f"{count} 个未评估：模型不认识它们的类别（{names}）。",
                )
            )
        return found


def judge(pair: Pair, split: Split, at_once: int = 1, notice: Notice | None = None) -> Verdict:
    """Ask both for every held-out input. LabelError, DataError, ExtraMissing (boxes need [evaluate]).

    at_once  how many pictures are worked on at the same time
    notice   called with each input and its answers, in order; what it raises ends all

    Where the first is no better than guessing, its own answers are the measure. LabelError where other names would make
    more of its answers right.
    """
    card, count = pair.card, Count()
    labelled, why, hint = has_answers(card, split), "", ""
    if card.task == "detection":
        library()  # say what is missing before anything is asked
    matcher = split.data.matcher(card)
    cases: Iterable[Case] = usable(split.data.cases(), count)
    if labelled:
        cases = _with_answers(card.task)(cases, matcher, count)
    ask: Callable[[Any], Any] = lowest(pair) if card.task == "detection" else pair.predict
    if card.input.kind == "image":
        cases, ask = _ahead(cases, ask, at_once)
    every = []
    for case, both in first(asked(cases, pair, count, ask), matcher, count):
        every.append((case, both))
        if notice is not None:
            notice(case, both)
    pairs = _once(every, split)
    if labelled:
        before, before_of = _score(card, pairs, 0)
        if wrong := misnamed(before):
            raise wrong
        why, hint = doubt(before), swapped(before)
    if why or not labelled:
        labelled = False
        pairs = [(case._replace(truth=_own(case, both.before, card)), both) for case, both in pairs]
        before, before_of = _score(card, pairs, 0)
    after, after_of = _score(card, pairs, 1)
    told, unjudged = besides(card, pairs, labelled) if card.task == "detection" else ((), ())
    changed = _changed(card, pairs, labelled)
    return Verdict(
        {"classification": "top-1", "detection": "mAP"}.get(card.task, "R²"),
        labelled,
        before,
        after,
        _drop(card, pairs, lambda some: before_of(some) - after_of(some)),
        changed[:MOST_CHANGED],
        len(changed),
        count.failed,
        count.failures,
        dict(count.unknown),
        split.copies + len(every) - len(pairs),
        why,
        "" if labelled else _same(before, pairs),
        [*([hint] if hint else []), *_several(card, pairs), *_unjudged(unjudged)],
        told,
    )


def _unjudged(kinds: Sequence[str]) -> list[str]:
    """Of what models tell besides boxes and nobody could judge; at most one note."""
    en = {"masks": "masks", "keypoints": "keypoints", "rotated": "angles"}
    zh = {"masks": "掩码", "keypoints": "关键点", "rotated": "角度"}
    text = say(
        f"Nothing is known of what the {' and '.join(en[kind] for kind in kinds)} have lost: neither the data nor the "
        "model's own answers have any to judge by. Look yourself, with qingzhou run --save.",
        f"无法知道{'、'.join(zh[kind] for kind in kinds)}损失了多少：数据和模型自己的回答里都没有可以用来评估的。"
        "请用 qingzhou run --save 自己看一看。",
    )
    return [text] if kinds else []


def _several(card: Card, pairs: Answered) -> list[str]:
    """Of models that may name several classes: how that was judged, and how often both name the same."""
    if card.output.scores != "sigmoids":
        return []
    same = sum({one.index for one in both.before.named} == {one.index for one in both.after.named} for _, both in pairs)
    return [
        say(
            "This model judges each class by itself and may name several or none. The figure above is only about "
            f"the class with the highest score; exactly the same classes are named for {same} of {len(pairs)} inputs.",
            f"这个模型对每个类别单独判断，可能说出多个类别或一个也没有。上面的数字只看分数最高的类别；"
            f"{len(pairs)} 个输入中有 {same} 个说出的类别与原来完全相同。",
        )
    ]


def _ahead(cases: Iterable[Case], ask: Callable[[Any], Any], many: int) -> tuple[Iterator[Case], Callable[[Any], Any]]:
    """The same cases, and what answers for each of them in turn: so many are asked for at the same time."""
    answers: deque[Any] = deque()

    def answer(case: Case) -> tuple[Case, Any]:
        try:
            return case, ask(case.data)
        except QingzhouError as err:
            return case, err

    def asked_for() -> Iterator[Case]:
        for case, found in in_order(many, answer, cases):
            answers.append(found)
            yield case

    def next_one(_data: object) -> Any:
        found = answers.popleft()
        if isinstance(found, QingzhouError):
            raise found
        return found

    return asked_for(), next_one


def _once(pairs: Answered, split: Split) -> list[tuple[Case, Both]]:
    """Each picture once, and none that calibrated. NothingToJudge where none is left."""
    taken, kept = set(split.taken), []
    for case, both in pairs:
        if both.digest not in taken:
            kept.append((case, both))
        taken |= {both.digest} - {b""}
    if not kept:
        raise NothingToJudge(
            en="All pictures of the data are the same, or copies of those that calibrated, so there is nothing to "
            "judge by. Give different pictures.",
            zh="数据里的图片都相同，或者都是校准图片的副本，无法评估。请提供不同的图片。",
        )
    return kept


def _same(own: Result, pairs: Answered) -> str:
    """The one answer that is given to everything; "" where there are several."""
    match own:
        case Classification():
            return label_of(pairs[0][1].before.index, own.labels) if blind(own) == 1 else ""
        case DetectionScore():
            return "" if own.boxes else say("nothing found", "没有目标")
    return ""


def has_answers(card: Card, split: Split) -> bool:
    """Whether the true answers are known. DataError if they are of another kind than the model's."""
    labelled = split.labelled and card.task in JUDGES
    if labelled:
        check_answers(card, split.data)
    return labelled


def figure(result: Result) -> float:
    """The one number of a result, 1 at best."""
    match result:
        case Classification():
            return result.accuracy
        case DetectionScore():
            return result.map
    if result.r2 is None:
        raise DataError(
            en="The true values do not differ, so nothing can be said of how well they are met. Take more varied data.",
            zh="所有真实值都相同，无法判断预测得好不好。请使用更多样的数据。",
        )
    return result.r2


def _with_answers(task: str) -> Callable[[Iterable[Case], Matcher, Count], Iterator[Case]]:
    def values(cases: Iterable[Case], _matcher: Matcher, count: Count) -> Iterator[Case]:
        return numeric(cases, count)

    return {"classification": known, "detection": placed}.get(task, values)


def _own(case: Case, answer: Any, card: Card) -> Any:
    """A model's answer as the truth for another."""
    if card.task == "detection":
        return own(case, answer, card)
    return answer.index if card.task == "classification" else np.asarray(answer.scores, np.float64)


def _score(card: Card, pairs: Answered, side: int) -> tuple[Result, OfSome]:
    """Of one of the two, and its figure for some of the inputs, by their positions."""

    def answered(some: Iterable[int]) -> Iterator[tuple[Case, Any]]:
        return ((pairs[i][0], pairs[i][1][side]) for i in some)

    every = answered(range(len(pairs)))
    if card.task == "detection":
        return compared(every, card.labels)
    if card.task == "classification":
        labels = card.labels or [str(n) for n in range(len(pairs[0][1].after.scores))]
        return classify(every, labels), lambda some: figure(classify(answered(some), labels))
    return regress(every), lambda some: figure(regress(answered(some)))


def _drop(card: Card, pairs: Answered, drop_of: OfSome) -> Drop:
    if card.task == "classification":
        right = np.array([[both.before.index == case.truth, both.after.index == case.truth] for case, both in pairs])
        lost, won = int((right[:, 0] & ~right[:, 1]).sum()), int((~right[:, 0] & right[:, 1]).sum())
        return paired_drop(lost, won, len(pairs))
    return jackknifed_drop(range(len(pairs)), drop_of)


def _changed(card: Card, pairs: Answered, labelled: bool) -> list[Changed]:
    if card.task != "classification":
        return []
    return [
        Changed(
            case.source,
            case.data,
            card.labels[case.truth] if labelled else "",
            *(label_of(one.index, card.labels) for one in (both.before, both.after)),
        )
        for case, both in pairs
        if both.before.index != both.after.index
    ]
