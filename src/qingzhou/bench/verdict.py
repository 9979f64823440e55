"""Which engine and precision to use here, and why: one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import say
from .result import Pair, Row, Score

MAX_DROP = 0.005  # of accuracy or mAP below the best: less right than that is not an alternative
MAX_WORSE = 1.02  # the same for a mean error, as a factor
NEAR = 1.05  # sizes that differ by less are no reason
MOST_PAIRS = 5
BUSY = 3.0  # a p95 of so many medians: something else was running


def verdict(rows: Sequence[Row], compared: Sequence[Pair]) -> tuple[int | None, str]:
    """(number of the row to use, the sentence); (None, why not) where nothing ran.

    Of those that are right as often as the best, the fastest from input to answer; of several that are equally fast the
    smallest; of those the first.
    """
    there = [i for i, row in enumerate(rows) if row.whole is not None and row.error is None]
    if not there:
        return None, say("Nothing could be measured.", "没有测到任何结果。")
    right = _right(rows, there)
    fastest = min(right, key=lambda i: _time(rows[i]))
    alike = [i for i in right if i == fastest or _pair(compared, i, fastest).outcome == "same"]
    smallest = min(_size(rows[i]) for i in alike)
    choice = next(i for i in alike if _size(rows[i]) <= NEAR * smallest)
    return choice, _sentence(rows, compared, choice, there, right, alike)


def noise(rows: Sequence[Row], compared: Sequence[Pair]) -> list[str]:
    """Which could not be told apart, and whether other programs were busy; [] where all is clear."""
    unclear = [pair for pair in compared if pair.outcome == "unclear"]
    return [*(_not_told(rows, unclear) if unclear else []), *_busy(rows)]


def _busy(rows: Sequence[Row]) -> list[str]:
    times = [row.whole for row in rows if row.whole is not None and row.error is None]
    worst = max((time.p95 / time.median for time in times), default=0.0)
    if worst < BUSY:
        return []
    return [
        say(
            f"Other programs were busy meanwhile: one run in twenty took {worst:.1f} times the median or longer. The "
            "figures are those of a machine as busy as this.",
            f"测量时其他程序也很忙：每二十次运行就有一次用时达到中位数的 {worst:.1f} 倍以上。"
            "数据只代表这样繁忙的机器。",
        )
    ]


def _not_told(rows: Sequence[Row], unclear: Sequence[Pair]) -> list[str]:
    names = "; ".join(
        say(
            f"{title(rows, p.one)} and {title(rows, p.other)} ({_range(p)})",
            f"{title(rows, p.one)} 与 {title(rows, p.other)}（{_range(p)}）",
        )
        for p in unclear[:MOST_PAIRS]
    )
    more = " …" if len(unclear) > MOST_PAIRS else ""
    return [
        say(
            "The machine was too noisy to tell these apart by their whole times; the range holds the ratio: "
            f"{names}{more}. Close other programs and measure again.",
            f"机器上的干扰太大，下列结果的总用时无法分出快慢（括号内是比值的范围）：{names}{more}。请关闭其他程序后再测一次。",
        )
    ]


def title(rows: Sequence[Row], number: int) -> str:
    """A row's name; with the file's where there are several."""
    one = rows[number].candidate
    several = len({row.candidate.model for row in rows}) > 1
    return f"{one.model.stem} {one.name}" if several else one.name


def _right(rows: Sequence[Row], there: Sequence[int]) -> list[int]:
    """Those that are about as right as the best; all where nothing was judged."""
    scores = {i: score for i in there if (score := rows[i].score) is not None}
    if not scores:
        return list(there)
    if any(score.metric == "MAE" for score in scores.values()):
        least = min(score.value for score in scores.values())
        return [i for i, score in scores.items() if score.value <= MAX_WORSE * least]
    most = max(score.value for score in scores.values())
    return [i for i, score in scores.items() if score.value >= most - MAX_DROP]


def _time(row: Row) -> float:
    assert row.whole is not None
    return row.whole.median


def _size(row: Row) -> int:
    return row.size or 0


def _pair(compared: Sequence[Pair], one: int, other: int) -> Pair:
    pair = next(pair for pair in compared if {pair.one, pair.other} == {one, other})
    return pair if pair.one == one else pair.turned


# -- the sentence ---------------------------------------------------------------------------------------------------


def _sentence(
    rows: Sequence[Row],
    compared: Sequence[Pair],
    choice: int,
    there: Sequence[int],
    right: Sequence[int],
    alike: Sequence[int],
) -> str:
    name = title(rows, choice)
    if len(there) == 1:
        return say(f"Use {name} here: nothing else was measured.", f"在这台机器上请用 {name}：没有测到其他组合。")
    other = _other(rows, choice, there)
    parts = [_speed(rows, _pair(compared, choice, other), other), *_smaller(rows, choice, other)]
    parts += _sure(rows, choice, None if other in right else other)
    faster = [i for i in there if i not in right and i != other and _time(rows[i]) < _time(rows[choice])]
    if faster:
        parts.append(_refused(rows, min(faster, key=lambda i: _time(rows[i]))))
    if choice in alike and other in alike and _size(rows[other]) <= NEAR * _size(rows[choice]):
        parts.append(
            say(
                "so it makes no difference here, and it comes first in the list",
                "所以在这里没有区别，选列表中靠前的一个",
            )
        )
    return say(f"Use {name} here: {', '.join(parts)}.", f"在这台机器上请用 {name}：{'，'.join(parts)}。")


def _other(rows: Sequence[Row], choice: int, there: Sequence[int]) -> int:
    """Whom it is compared with: the model as it was converted, on onnxruntime; or the fastest of the others."""
    plain = [i for i in there if rows[i].candidate.name == "onnxruntime fp32" and i != choice]
    rest = [i for i in there if i != choice]
    return plain[0] if plain else min(rest, key=lambda i: _time(rows[i]))


def _speed(rows: Sequence[Row], pair: Pair, other: int) -> str:
    """How much faster, from input to answer."""
    name = title(rows, other)
    times, ends = f"{1 / pair.ratio:.2f}", _range(pair.turned)
    match pair.outcome:
        case "faster":
            return say(
                f"from input to answer it is {times} times as fast as {name} (95 % interval {ends})",
                f"从输入到答案的速度是 {name} 的 {times} 倍（95% 置信区间 {ends}）",
            )
        case "slower":
            return say(
                f"it is slower than {name}, {times} times as fast ({ends}), but more right than that",
                f"速度只有 {name} 的 {times} 倍（{ends}），但更准确",
            )
        case "same":
            return say(f"it is as fast as {name} ({ends})", f"与 {name} 一样快（{ends}）")
    return say(
        f"its median is the better one, though the machine was too noisy to tell it from {name} ({ends})",
        f"它的中位数较好，但机器上的干扰太大，无法与 {name} 分出快慢（{ends}）",
    )


def _smaller(rows: Sequence[Row], choice: int, other: int) -> list[str]:
    own, its = _size(rows[choice]), _size(rows[other])
    if not its or own * NEAR >= its:
        return []
    return [say(f"at {own / its:.2g} of its size", f"大小是它的 {own / its:.2g}")]


def _sure(rows: Sequence[Row], choice: int, worse: int | None) -> list[str]:
    """How right it is, and how right the other is where that is worse; or that nobody knows, where it could differ."""
    score = rows[choice].score
    if score is not None:
        its = "" if worse is None else _value(rows[worse].score)
        return [f"{score.metric} {_value(score)}" + (say(f", not {its}", f"，而它是 {its}") if its else "")]
    if len({row.candidate.precision for row in rows}) < 2:
        return []
    return [
        say(
            "how right it is was not compared (--data with labels does that)",
            "没有比较准确程度（用 --data 指定带标签的数据即可比较）",
        )
    ]


def _value(score: Score | None) -> str:
    if score is None:
        return "–"
    return f"{score.value:.4g}" if score.metric == "MAE" else f"{100 * score.value:.2f} %"


def _refused(rows: Sequence[Row], faster: int) -> str:
    name, text = title(rows, faster), _value(rows[faster].score)
    return say(f"{name} is faster but less right ({text})", f"{name} 更快但不够准确（{text}）")


def _range(pair: Pair) -> str:
    return f"{pair.low:.2f}–{pair.high:.2f}"
