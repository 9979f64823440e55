"""Words: how a source speaks of what it cannot convert, and of what its files contradict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...errors import CheckpointDamaged, QingzhouError, UnsupportedCheckpoint
from ...files.refusals import short
from ...runtime.errors import spaced

Text = tuple[str, str]  # English and Chinese, without full stops


@dataclass(frozen=True)
class Words:
    """What is the same in all messages of a source.

    expected  what a network of it may consist of, after "It was expected to ...";  todo: the usual way out
    whole     a file as it should be, and what to do about one that is not
    sized     why its inputs have the size that they have, and how to get another
    batch     why so many samples go in at once, where that is fixed
    free      how to get a free batch, of that count and the number of inputs; empty where there is no way
    """

    expected: Text
    todo: Text
    whole: Text
    again: Text
    sized: Text
    other_size: Text
    batch: Text
    free: Callable[[int, int], Text] = lambda count, inputs: ("", "")

    def refused(self, what_en: str, what_zh: str, todo_en: str = "", todo_zh: str = "") -> UnsupportedCheckpoint:
        """The network does something that is not known here; the texts are without full stops."""
        todo_en, todo_zh = todo_en or self.todo[0], todo_zh or self.todo[1]
        return UnsupportedCheckpoint(
            en=f"The network was read, but {what_en}. {self.expected[0]}. {todo_en}.",
            zh=f"网络已读取，但{spaced(what_zh)}。{self.expected[1]}。{todo_zh}。",
        )

    def garbled(self, en: str, zh: str) -> CheckpointDamaged:
        """What the file says of its network contradicts itself."""
        return CheckpointDamaged(
            en=f"The checkpoint is damaged: {en}. {self.whole[0]}. {self.again[0]}.",
            zh=f"模型文件已损坏：{zh}。{self.whole[1]}。{self.again[1]}。",
        )


def at_line(err: QingzhouError, op: str, line: str) -> QingzhouError:
    """The same error with the operator or layer, and the author's line where the file tells it."""
    code = f", `{line}`" if line else ""
    return type(err)(f"{short(op, 80)}{code}: {err.en}", f"{short(op, 80)}{code}：{err.zh}")


def instead(err: QingzhouError, theirs: Words, ours: Words) -> QingzhouError:
    """The same error of a function that another source has lent, with our way out in the place of its own."""
    en, zh = err.en, err.zh
    for name in ("expected", "todo", "whole", "again"):
        (old_en, old_zh), (new_en, new_zh) = getattr(theirs, name), getattr(ours, name)
        en, zh = en.replace(old_en, new_en), zh.replace(old_zh, new_zh)
    return type(err)(en, zh)
