"""Every program of the scenes is there in English and in Chinese, and the two are the same but for what people read."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

from qingzhou import scenes

FOLDER = Path(scenes.__file__).parent
ENGLISH = sorted(FOLDER.glob("*/*_en.py"))
PLACE = re.compile(r"%[-+0-9.]*[a-z%]")  # where a value goes in a text


def in_chinese(english: Path) -> Path:
    return english.with_name(english.name.replace("_en.py", "_zh.py"))


def texts(tree: ast.Module) -> list[ast.Constant]:
    """The strings of a program in their order, docstrings included; but those at its top are settings, not words."""
    settings = {id(node.value) for node in tree.body if isinstance(node, ast.Assign)}
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [node for node in found if id(node) not in settings]


def comments(program: str) -> list[int]:
    """The lines on which a comment stands."""
    found = tokenize.generate_tokens(io.StringIO(program).readline)
    return [token.start[0] for token in found if token.type == tokenize.COMMENT]


def may_differ(english: str, chinese: str) -> bool:
    """Words, where the other has Chinese ones for the same values; and signs, such as what stands between words."""
    translated = not chinese.isascii() and PLACE.findall(english) == PLACE.findall(chinese)
    return translated or not any(one.isalnum() for one in english + chinese)


def differences(english: str, chinese: str) -> list[str]:
    """In what two programs differ besides words for people; each line can be read, and none is wanted."""
    one, other = ast.parse(english), ast.parse(chinese)
    found = [
        f"line {a.lineno}: {a.value!r} is {b.value!r}"
        for a, b in zip(texts(one), texts(other), strict=False)
        if isinstance(a.value, str) and isinstance(b.value, str) and a.value != b.value
        if not may_differ(a.value, b.value)
    ]
    for node in [*texts(one), *texts(other)]:
        node.value, node.kind = "a text", None
    mine, yours = (ast.dump(tree, indent=1).splitlines() for tree in (one, other))
    found += [f"{a.strip()} is {b.strip()}" for a, b in zip(mine, yours, strict=False) if a != b]
    if len(mine) != len(yours):
        found.append(f"{len(mine)} things are {len(yours)}")
    if comments(english) != comments(chinese):
        found.append(f"comments in lines {comments(english)} are in lines {comments(chinese)}")
    return found


def test_every_program_is_there_in_both() -> None:
    assert len(ENGLISH) >= 15
    assert {in_chinese(path) for path in ENGLISH} == set(FOLDER.glob("*/*_zh.py"))
    assert {*ENGLISH, *map(in_chinese, ENGLISH)} == set(FOLDER.glob("*/*.py"))


@pytest.mark.parametrize("path", ENGLISH, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_two_are_the_same_program(path: Path) -> None:
    assert differences(path.read_text("utf-8"), in_chinese(path).read_text("utf-8")) == []


CHANGES = {
    "a name": ("answer = model", "result = model"),
    "a number": ("ROTATE = 0", "ROTATE = 90"),
    "a setting": ('MODEL = "model.onnx"', 'MODEL = "模型.onnx"'),
    "an argument": ("size=SIZE)", "size=SIZE, wait=2)"),
    "another function": ("screen.show(", "screen.draw("),
    "the place of a value": ("（%s）", "（%d）"),
    "a text that is not translated": (
        "请把 qingzhou_runtime 文件夹整个复制到本程序旁边，或安装轻舟（%s）",
        "Copy it (%s)",
    ),
    "a comment less": ("            # 3. 按规则做出反应，并显示结果\n", "\n"),
    "a line more": ("start(__doc__)", "import os\nstart(__doc__)"),
    "a line deeper": ("                break", "                pass\n            break"),
}


def changed(old: str, new: str) -> list[str]:
    english = FOLDER / "camera" / "main_en.py"
    chinese = in_chinese(english).read_text("utf-8")
    assert chinese.count(old) == 1, old
    return differences(english.read_text("utf-8"), chinese.replace(old, new))


@pytest.mark.parametrize("what", CHANGES)
def test_a_difference_is_found(what: str) -> None:
    assert changed(*CHANGES[what]) != []


@pytest.mark.parametrize(("old", "new"), [("打开模型", "打开网络"), ("请把", "请将")])
def test_other_words_are_none(old: str, new: str) -> None:
    assert changed(old, new) == []
