"""What everything shown is made of: the terminal, JSON, tables of facts, numbers in words."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from ..errors import QingzhouError, say
from ..progress import Tell, silent
from ..runtime.model.card import Input
from ..runtime.text import escaped, line
from . import plain
from .plain import Plain

if TYPE_CHECKING:
    from rich.console import Console

    Screen = Console | Plain

MOST_LABELS = 12  # shown in a table
MOST_COLUMNS = 40  # of a table that are named
COLOURS = ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


def console() -> Screen:
    """The terminal, as wide as it is; 100 columns and no colours where the output is piped."""
    return _rich() if _is_terminal(sys.stdout) else Plain(100)


def stderr() -> Screen:
    """The terminal for what is beside the answer."""
    return _rich(stderr=True) if _is_terminal(sys.stderr) else Plain(80, stderr=True)


def _is_terminal(stream: TextIO | None) -> bool:
    """Or may be one: rich, which knows these variables, will see."""
    return any(name in os.environ for name in COLOURS) or (stream is not None and stream.isatty())


def _rich(stderr: bool = False) -> Console:
    from rich.console import Console

    wide = stderr or sys.stdout.isatty()
    return Console(stderr=stderr, highlight=False, emoji=False, width=None if wide else 100)


def escape(text: object) -> str:
    """Text that is not ours as rich takes it: on one line, without what steers a terminal, and its brackets literal."""
    return plain.escape(line(text))


def as_json(value: object) -> None:
    """One JSON document on stdout; Chinese stays readable where the stream can hold it."""
    text = escaped(json.dumps(value, ensure_ascii=False, indent=2, default=str))
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text if _holds(text, encoding) else json.dumps(value, indent=2, default=str))


def _holds(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True


@contextlib.contextmanager
def busy(text: str) -> Iterator[Tell]:
    """A spinner while something runs, and a way to say what of it; nothing where the output is piped."""
    screen = stderr()
    if isinstance(screen, Plain) or not screen.is_terminal:
        yield silent
        return
    with screen.status(escape(text)) as spinner:
        yield lambda stage: spinner.update(escape(f"{text}: {stage}"))


def note(text: str) -> None:
    """What the user should know, on stderr."""
    stderr().print(f"[yellow]![/] {escape(text)}", soft_wrap=True)


def error(err: QingzhouError) -> None:
    """A user's mistake, on stderr."""
    stderr().print(f"[bold red]{say('Error: ', '错误：')}[/]{escape(str(err))}", soft_wrap=True)


def notes(screen: Screen, texts: Sequence[str]) -> None:
    """What the user should know, each on a line."""
    for note in texts:
        screen.print(f"[yellow]![/] {escape(note)}")


def labels(names: Sequence[str]) -> str:
    """How many, and the first of them."""
    if not names:
        return ""
    more = ", …" if len(names) > MOST_LABELS else ""
    return f"{len(names)}  ({escape(', '.join(names[:MOST_LABELS]))}{more})"


def task(name: str) -> str:
    """A card's task, in words."""
    return {
        "classification": say("classification", "分类"),
        "regression": say("regression", "回归"),
        "values": say("values", "数值"),
        "generation": say("text generation", "文本生成"),
        "detection": say("object detection", "目标检测"),
    }.get(name, name)


def entry(found: Input) -> str:
    """A card's input in words: 1 x 3 x 224 x 224, picture (RGB)."""
    kinds = {
        "image": say("picture", "图片"),
        "table": say("table", "表格"),
        "array": say("array", "数组"),
        "tokens": say("words", "字词"),
    }
    sizes = " x ".join("N" if n is None else str(n) for n in found.shape) or say("one number", "一个数")
    told = [kinds[found.kind], *filter(None, [found.color]), *([found.dtype] if found.dtype != "float32" else [])]
    return f"{sizes}  ({', '.join(told)})"


def columns(found: Sequence[Mapping[str, Any]]) -> str:
    """A table's columns by their names, with the texts that each may hold: length, colour (blue, red), …."""
    told = []
    for one in found[:MOST_COLUMNS]:
        texts = list(one.get("texts", ()))
        words = one["counts"]["words"] if "counts" in one else []
        inside = say(f"a text, {len(words)} words", f"文本，{len(words)} 个词") if words else ""
        inside = inside or ", ".join(texts[:MOST_LABELS]) + (", …" if len(texts) > MOST_LABELS else "")
        told.append(f"{one['name']}" + (f" ({inside})" if inside else ""))
    more = [f"… ({len(found)})"] if len(found) > MOST_COLUMNS else []
    return escape(", ".join([*told, *more]))


def step_text(step: Mapping[str, Any]) -> str:
    """One step of the pre-processing: "resize 256", "normalize"."""
    single = [step[name] for name in ("short", "multiple") if name in step]
    fits = next((step[name] for name in ("size", "within", "inside", "letterbox") if name in step), None)
    sizes = fits or single
    names = {
        "resize": say("resize", "缩放"),
        "center_crop": say("centre crop", "中心裁剪"),
        "pad": say("pad", "填充"),
        "pad_to": say("pad to", "填充到"),
        "gray": say("grey", "灰度"),
        "normalize": say("normalise", "归一化"),
    }
    return " ".join([names.get(step["op"], step["op"]), "x".join(str(n) for n in sizes)]).strip()


def cost(parameters: int, macs: int) -> str:
    """Parameters, and multiply-accumulates where they are known."""
    return amount(parameters) + (f"  ·  {amount(macs)} MACs" if macs else "")


def amount(number: int) -> str:
    """61706 -> 61.7 k, 2225153 -> 2.23 M."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return str(number)
