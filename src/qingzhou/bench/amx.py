"""Whether INT8 is faster on AMX, the processor's unit for matrices, or without: wide networks win by it, narrow ones
such as MobileNetV2 lose where other work had the caches before.

oneDNN reads a variable of the environment once in a process, and then takes no newer instructions than it names:
https://uxlfoundation.github.io/oneDNN/dev_guide_cpu_dispatcher_control.html
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from ..engines import Engine
from ..engines.machine import features
from ..errors import say
from .result import Candidate, Pair, Row
from .verdict import title


def can_do_without(engine: Engine) -> bool:
    """Whether there is something to choose: this machine has AMX, the engine can leave it alone, and the user has not
    chosen already.
    """
    there = bool(engine.without_amx) and features().get("AMX", False)
    return there and not any(name in os.environ for name, _ in engine.without_amx)


def both(candidate: Candidate, engine: Engine) -> list[Candidate]:
    """A candidate, and the same without AMX where it would compute on that."""
    choice = candidate.precision == "int8" and can_do_without(engine)
    return [candidate, replace(candidate, without=engine.without_amx)] if choice else [candidate]


def advice(rows: Sequence[Row], compared: Sequence[Pair]) -> list[str]:
    """What each row that did without AMX says about the one that did not, and how to choose."""
    found = []
    for i, row in enumerate(rows):
        plain = replace(row.candidate, without=())
        twin = next((j for j, other in enumerate(rows) if other.candidate == plain), None)
        if row.candidate.without and twin is not None:
            pair = next((pair for pair in compared if {pair.one, pair.other} == {i, twin}), None)
            found += [] if pair is None else [_said(rows, pair if pair.one == i else pair.turned)]
    return found


def _said(rows: Sequence[Row], pair: Pair) -> str:
    """pair: without AMX first."""
    settings = " ".join(f"{key}={value}" for key, value in rows[pair.one].candidate.without)
    name, other = title(rows, pair.other), pair.turned
    match pair.outcome:
        case "faster":
            times, ends = f"{other.ratio:.2f}", f"{other.low:.2f}–{other.high:.2f}"
            return say(
                f"AMX slows {name} down here: without it, it is {times} times as fast from input to answer ({ends}). "
                f"Start the program with {settings} in its environment; keep the precision hint f32, which Qingzhou "
                "sets, since bfloat16 is slow without AMX.",
                f"在这台机器上 AMX 使 {name} 变慢：不用 AMX 时，从输入到答案的速度是原来的 {times} 倍（{ends}）。"
                f"请在环境变量里设置 {settings} 再启动程序；"
                "并保留轻舟设置的精度提示 f32，因为没有 AMX 时 bfloat16 很慢。",
            )
        case "slower":
            return say(
                f"AMX helps {name} here: it is {pair.ratio:.2f} times as fast as without "
                f"({pair.low:.2f}–{pair.high:.2f}). There is nothing to set.",
                f"在这台机器上 AMX 对 {name} 有帮助：速度是不用时的 {pair.ratio:.2f} 倍"
                f"（{pair.low:.2f}–{pair.high:.2f}）。不需要设置。",
            )
        case "same":
            return say(
                f"{name} is as fast on AMX as without. There is nothing to set.",
                f"{name} 用不用 AMX 一样快，不需要设置。",
            )
    return say(
        f"Whether AMX helps {name} could not be told: without it, it takes {pair.ratio:.2f} of the time "
        f"({pair.low:.2f}–{pair.high:.2f}). Measure again on a quiet machine before setting {settings}.",
        f"无法判断 AMX 对 {name} 是否有帮助：不用时的用时是原来的 {pair.ratio:.2f}（{pair.low:.2f}–{pair.high:.2f}）。"
        f"设置 {settings} 之前，请在空闲的机器上再测一次。",
    )
