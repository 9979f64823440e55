"""What `qingzhou evaluate` shows. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import say
from ..evaluate import Classification, DetectionScore, Evaluation, Regression
from .pieces import as_json, console, escape, note, notes, task
from .table import facts, table_of

if TYPE_CHECKING:
    from .pieces import Screen

MOST_CLASSES = 20  # with more, the worst are shown
MOST_PAIRS = 15
MOST_WRONG = 20


def evaluation(found: Evaluation, json_wanted: bool) -> None:
    """The score with where it comes from, the classes, what is mistaken for what, and what could not be judged."""
    if json_wanted:
        as_json(found.as_dict())
        return
    screen = console()
    name = found.model.name if found.model else found.task
    screen.print(f"[bold]{escape(name)}[/] ← [bold]{escape(str(found.data.path))}[/]", soft_wrap=True)
    screen.print(
        facts(
            (say("data", "数据"), data_text(found)),
            *_score(found.result),
            (say("time", "用时"), f"{found.seconds:.2f} s"),
        )
    )
    match found.result:
        case Classification():
            _classes(screen, found.result)
        case DetectionScore():
            _precisions(screen, found.result)
    notes(screen, [*found.notes, *unknown_text(found)])
    _failures(screen, found)


def is_enough(found: Evaluation, least: float) -> bool:
    """Whether the score reaches what was asked for; said on stderr if not. A score that is no number does not."""
    name, score = found.score
    if score is not None and score >= least:
        return True
    shown = say("unknown", "无法计算") if score is None else f"{score:.4f}"
    note(
        say(
            f"{name} is {shown}, below the {least:g} that were asked for.", f"{name} 为 {shown}，低于要求的 {least:g}。"
        )
    )
    return False


def data_text(found: Evaluation) -> str:
    """ "class folders · test part · 497 judged"."""
    layouts = {
        "folders": say("class folders", "按类别分文件夹"),
        "mmedu": say("MMEdu data set", "MMEdu 数据集"),
        "coco": "COCO",
        "yolo": "YOLO",
        "voc": "Pascal VOC",
        "csv": say("CSV table", "CSV 表格"),
        "npz": "NPZ",
    }
    splits = {
        "test": say("test part", "测试集"),
        "val": say("validation part", "验证集"),
        "train": say("training part", "训练集"),
        "all": say("all of it", "全部"),
    }
    judged = say(f"{found.result.judged} judged", f"评估了 {found.result.judged} 个")
    return f"{layouts[found.data.layout]}  ·  {splits[found.data.split]}  ·  {judged}  ·  {task(found.task)}"


def _score(result: Classification | Regression | DetectionScore) -> list[tuple[str, str]]:
    match result:
        case Classification():
            low, high = (100 * end for end in result.interval)
            sure = say(f"95 % interval {low:.1f} to {high:.1f} %", f"95% 置信区间 {low:.1f}% 到 {high:.1f}%")
            text = say(f"{result.right} of {result.judged}", f"{result.judged} 个中 {result.right} 个")
            return [
                (say("right", "正确"), f"{text}  ·  [bold]{percent(result.accuracy)}[/]  ·  {sure}"),
                (say("among 5", "前五名"), "" if result.top5 is None else percent(result.top5)),
            ]
        case Regression():
            return [
                ("MAE", f"[bold]{result.mae:.4g}[/]"),
                ("RMSE", f"{result.rmse:.4g}"),
                ("R²", "–" if result.r2 is None else f"{result.r2:.4f}"),
            ]
        case DetectionScore():
            boxes = say(f"{result.boxes} true, {result.found} found", f"标注 {result.boxes} 个，检出 {result.found} 个")
            return [
                ("mAP", f"[bold]{percent(result.map)}[/]  (IoU 0.50:0.95)"),
                ("mAP50", percent(result.map50)),
                ("mAP75", percent(result.map75)),
                (say("boxes", "目标框"), boxes),
                *((title, f"{of_all}  ·  {of_50}") for title, of_all, of_50 in besides_rows(result)),
            ]


def besides_rows(result: DetectionScore) -> list[tuple[str, str, str]]:
    """mAP and mAP50 of masks, keypoints and turned boxes."""
    names = {
        "masks": say("masks", "掩码"),
        "keypoints": say("keypoints", "关键点"),
        "rotated": say("turned boxes", "旋转框"),
    }
    return [(f"mAP {names[one.kind]}", percent(one.map), f"mAP50 {percent(one.map50)}") for one in result.besides]


def percent(share: float | None) -> str:
    """0.98189 -> 98.19 %."""
    return "–" if share is None else f"{100 * share:.2f} %"


# -- classification -------------------------------------------------------------------------------------------------


def _classes(screen: Screen, result: Classification) -> None:
    scores = result.classes
    if len(scores) > MOST_CLASSES:
        scores = sorted((s for s in scores if s.support), key=lambda s: s.recall or 0.0)[:MOST_CLASSES]
        screen.print("\n" + say(f"The worst of {len(result.labels)} classes", f"{len(result.labels)} 个类别中最差的"))
    else:
        screen.print()
    table = table_of(say("class", "类别"), say("precision", "精确率"), say("recall", "召回率"), say("inputs", "数量"))
    for score in scores:
        table.add_row(escape(score.label), percent(score.precision), percent(score.recall), str(score.support))
    screen.print(table)
    if result.wrong and len(result.labels) <= MOST_CLASSES:
        _matrix(screen, result)
    elif result.wrong:
        _pairs(screen, result)
    if result.examples:
        _examples(screen, result)


def _matrix(screen: Screen, result: Classification) -> None:
    """Rows are the truth, columns the answers; right ones green, zeros left out. Columns are numbered if narrow."""
    screen.print("\n" + say("Rows: what it is. Columns: what the model said.", "行：实际类别。列：模型的回答。"))
    widest = max(max(map(len, result.labels)), len(str(result.confusion.max())))
    numbered = (widest + 2) * (len(result.labels) + 1) > screen.width
    heads = [str(i) for i in range(1, len(result.labels) + 1)] if numbered else [escape(x) for x in result.labels]
    table = table_of("", *heads)
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for i, label in enumerate(result.labels):
        cells = [_cell(int(count), i == j) for j, count in enumerate(result.confusion[i])]
        table.add_row(f"{i + 1} {escape(label)}" if numbered else escape(label), *cells)
    screen.print(table)


def _cell(count: int, right: bool) -> str:
    if not count:
        return "[dim]·[/]"
    return f"[green]{count}[/]" if right else f"[red]{count}[/]"


def _pairs(screen: Screen, result: Classification) -> None:
    table = table_of(say("is", "实际"), say("taken for", "被认作"), say("times", "次数"))
    for truth, answer, count in result.mistakes[:MOST_PAIRS]:
        table.add_row(escape(truth), escape(answer), str(count))
    screen.print("\n" + say("Most often mistaken", "最常认错的"))
    screen.print(table)


def _examples(screen: Screen, result: Classification) -> None:
    shown = min(len(result.examples), MOST_WRONG)
    more = say(f", the first {shown}", f"，前 {shown} 个") if result.wrong > shown else ""
    screen.print("\n" + say(f"{result.wrong} wrong answers{more}", f"答错 {result.wrong} 个{more}"))
    table = table_of(say("input", "输入"), say("is", "实际"), say("answer", "回答"), "")
    for example in result.examples[:shown]:
        table.add_row(
            escape(example.source),
            escape(example.truth),
            f"[red]{escape(example.answer)}[/]",
            f"{100 * example.confidence:.1f} %",
        )
    screen.print(table)


# -- detection ------------------------------------------------------------------------------------------------------


def _precisions(screen: Screen, result: DetectionScore) -> None:
    scores = [score for score in result.classes if score.boxes or len(result.classes) <= MOST_CLASSES]
    table = table_of(say("class", "类别"), "AP", "AP50", say("true boxes", "标注框"))
    for score in scores:
        table.add_row(escape(score.label), percent(score.ap), percent(score.ap50), str(score.boxes))
    screen.print()
    screen.print(table)


# -- what was not judged --------------------------------------------------------------------------------------------


def unknown_text(found: Evaluation) -> Sequence[str]:
    """Which classes of the data the model does not know; [] if it knows all."""
    if not found.unknown:
        return []
    names = ", ".join(f"{label} ({count})" for label, count in list(found.unknown.items())[:MOST_CLASSES])
    total = sum(found.unknown.values())
    return [
        say(
            f"{total} not judged, of classes that the model does not know: {names}",
            f"{total} 个未评估，模型不认识它们的类别：{names}",
        )
    ]


def _failures(screen: Screen, found: Evaluation) -> None:
    for failure in found.failures:
        screen.print(f"[red]✗[/] [bold]{escape(failure.source)}[/]  {escape(str(failure.error))}", soft_wrap=True)
    if found.failed:
        text = say(f"{found.failed} could not be judged and do not count.", f"{found.failed} 个无法评估，未计入。")
        screen.print(f"[yellow]![/] {text}")
