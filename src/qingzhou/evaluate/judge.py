"""evaluate: a model and data in, an Evaluation out."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from ..assumed import assumed_text
from ..errors import LabelError, QingzhouError, TaskError, say
from ..labels import Matcher, no_label_known
from ..model import Model, load
from ..runtime.model.card import Card
from .ask import Count, Predicts, asked, first, known, usable
from .besides import note_of
from .classify import classify
from .data import read_data
from .detect import detect, library, lowest, placed
from .doubt import hints, misnamed
from .places import data_error
from .regress import numeric, regress
from .result import Classification, Dataset, DetectionScore, Evaluation, Regression

Result = Classification | Regression | DetectionScore
Judge = Callable[[Predicts, Dataset, Matcher, Count], Result]


def evaluate(model: str | Path | Model | Predicts, data: str | Path, layout: str = "auto") -> Evaluation:
    """How often a model is right on data with answers; what could not be judged is counted and named in the result.

    model   an .onnx file of ours, a Model, or a Predictor
    data    a folder for each class, an MMEdu data set, COCO, YOLO or VOC boxes, a table, or arrays; see LAYOUTS
    layout  which of them it is, where that should not be found out

    One picture is in memory at a time, so there may be any number. Tables, arrays and boxes are read as a whole.
    Boxes are asked for without a threshold; see detect.lowest for what is built into the network.
    FileMissing, DataError, LabelError (no label fits), ModelError, TaskError, ExtraMissing (boxes need [evaluate]).

    >>> found = evaluate("best.onnx", "dataset")
    >>> print(found.data.split, found.result.accuracy)
    test 0.98
    """
    start = time.perf_counter()
    opened = load(model) if isinstance(model, (str, Path)) else model
    path, predictor = (opened.path, opened.predictor) if isinstance(opened, Model) else (None, opened)
    card = predictor.card
    if card.task not in JUDGES:
        raise _no_task(card.task)
    dataset = read_data(Path(data), layout, card)
    check_answers(card, dataset)
    told = filter(None, [assumed_text(card.input, card.assumed, card.tool)])
    count, matcher = Count(), dataset.matcher(card)
    result = _judged(predictor, dataset, matcher, count)
    return Evaluation(
        path,
        dataset,
        card.task,
        result,
        count.failed,
        count.failures,
        dict(count.unknown.most_common()),
        [*dataset.notes, *several_notes(card), *matcher.notes, *hints(result), *_besides(result), *told],
        time.perf_counter() - start,
    )


def _besides(result: Result) -> list[str]:
    return note_of(result.unjudged) if isinstance(result, DetectionScore) else []


def several_notes(card: Card) -> list[str]:
    """What data with one class for each input cannot say of a model that may name several; at most one note."""
    if card.output.scores != "sigmoids":
        return []
    return [
        say(
            "This model judges each class by itself and may name several or none, but the data have one class for each "
            "input. So it is only judged whether that class has the highest score, not which others are named.",
            "这个模型对每个类别单独判断，可能说出多个类别或一个也没有，而数据里每个输入只有一个类别。"
            "因此只评估该类别的分数是否最高，不评估还说出了哪些类别。",
        )
    ]


def _judged(predictor: Predicts, dataset: Dataset, matcher: Matcher, count: Count) -> Result:
    """The result; LabelError where the classes of data and model contradict each other, with what is answered then."""
    judge, refusal = JUDGES[predictor.card.task][1], matcher.refusal
    if refusal is None:
        return judge(predictor, dataset, matcher, count)
    try:
        seen = misnamed(judge(predictor, dataset, matcher, count))
    except QingzhouError:  # nothing can be judged at all
        raise refusal from None
    raise refusal if seen is None else LabelError(en=f"{refusal.en} {seen.en}", zh=refusal.zh + seen.zh)


def check_answers(card: Card, dataset: Dataset) -> None:
    """DataError if the data have not the kind of answers that such a model is judged by; one of JUDGES."""
    pictures = card.input.kind == "image"
    fit = dataset.answers in JUDGES[card.task][0]
    if not fit or (dataset.layout == "csv" if pictures else dataset.answers != "cells"):
        raise _wrong_data(card.task, pictures, dataset)


def _classes(predictor: Predicts, dataset: Dataset, matcher: Matcher, count: Count) -> Classification:
    cases = known(usable(dataset.cases(), count), matcher, count)
    return classify(first(asked(cases, predictor, count), matcher, count), predictor.card.labels)


def _values(predictor: Predicts, dataset: Dataset, matcher: Matcher, count: Count) -> Regression:
    cases = numeric(usable(dataset.cases(), count), count)
    return regress(first(asked(cases, predictor, count), matcher, count))


def _boxes(predictor: Predicts, dataset: Dataset, matcher: Matcher, count: Count) -> DetectionScore:
    library()  # say what is missing before the model is asked for hours
    cases = placed(usable(dataset.cases(), count), matcher, count)
    answered = first(asked(cases, predictor, count, lowest(predictor)), matcher, count)
    result = detect(answered, predictor.card.labels, beside=True)
    if not result.boxes:
        raise no_label_known(count.unknown, matcher.labels) if count.unknown else _no_boxes(dataset)
    return result


JUDGES: dict[str, tuple[tuple[str, ...], Judge]] = {
    "classification": (("labels", "cells"), _classes),
    "regression": (("cells",), _values),
    "detection": (("boxes",), _boxes),
}  # task -> the kinds of answers that data for it have


# -- what can be wrong ----------------------------------------------------------------------------------------------


def _no_task(task: str) -> QingzhouError:
    return TaskError(
        en=f"A model for {task} cannot be judged: it gives neither classes nor boxes nor a predicted value. "
        f"Expected one for {', '.join(JUDGES)}; look at its answers with qingzhou run.",
        zh=f"无法评估任务为 {task} 的模型：它给出的不是类别、目标框或预测值。"
        f"应为 {'、'.join(JUDGES)} 模型；可以用 qingzhou run 查看它的回答。",
    )


def _wrong_data(task: str, pictures: bool, dataset: Dataset) -> QingzhouError:
    en = {"labels": "pictures with classes", "boxes": "pictures with boxes", "cells": "a table or arrays with answers"}
    zh = {"labels": "分好类的图片", "boxes": "带目标框标注的图片", "cells": "带答案的表格或数组"}
    wanted = "boxes" if task == "detection" else "labels" if pictures else "cells"
    return data_error(
        en=f"{dataset.path} ({dataset.layout}) holds {en[dataset.answers]}, but this model ({task}) is judged by "
        f"{en[wanted]}. Give other data; if these were taken for another kind, the command has --layout.",
        zh=f"{dataset.path}（{dataset.layout}）里是{zh[dataset.answers]}，而这个模型（{task}）需要{zh[wanted]}。"
        "请换数据；如果数据格式识别错了，命令行可以用 --layout 指定。",
    )


def _no_boxes(dataset: Dataset) -> QingzhouError:
    return data_error(
        en=f"{dataset.path} has not one true box, so there is nothing to find. Name annotated data.",
        zh=f"{dataset.path} 里没有任何目标框，无法评估。请指定已标注的数据。",
    )
