"""Config texts as values: what is understood, what cannot be read, and what would harm."""

from __future__ import annotations

from typing import Any

import pytest
from mmdet_configs import generator, of

from qingzhou.nets.pictures import final_size
from qingzhou.nets.settings import Anchors, Stage
from qingzhou.sources.openmmlab.config_text import DEEPEST, LONGEST, UNKNOWN, Unreadable, parse

# -- what nobody's training program writes -----------------------------------------------------------------------------

VALUES: dict[str, Any] = {
    "320 / 2 + -3 * 2 % 4": 320 / 2 + -3 * 2 % 4,
    "{'a': [1, (2, None)], 3: True}": {"a": (1, (2, None)), 3: True},
    "dict(dict(a=1), b=2)": UNKNOWN,
    "dict(**dict(a=1), b=2)": {"a": 1, "b": 2},
    "[1] * 3": UNKNOWN,
    "9 ** 9": UNKNOWN,
    "1 / 0": UNKNOWN,
    "1e999": UNKNOWN,
    "-1e999 * 0": UNKNOWN,
    "9007199254740993": UNKNOWN,
    "1e300 * 1e300": UNKNOWN,
    "'a' 'b'": "ab",
    "'%s' % 1": UNKNOWN,
    "b'a'": UNKNOWN,
    "1j": UNKNOWN,
    "...": UNKNOWN,
    "{1, 2}": UNKNOWN,
    "{None: dict(a=1)}": UNKNOWN,
    "{(1, 2): 3}": UNKNOWN,
    "other": UNKNOWN,
    "__import__('os').system('x')": UNKNOWN,
    "[i for i in range(9)]": UNKNOWN,
    "lambda: 1": UNKNOWN,
    "1 if x else 2": UNKNOWN,
    "x[0]": UNKNOWN,
    "(y := 5)": UNKNOWN,
    "[open('x'), 1]": (UNKNOWN, 1),
    "range(0, 1)": UNKNOWN,
}


@pytest.mark.parametrize("text", VALUES)
def test_value(text: str) -> None:
    assert parse(f"x = {text}")["x"] == VALUES[text]


def test_names() -> None:
    found = parse("'''About it'''\nimport os.path as p, sys\na = 2\nb = [a, a]\na = 3\nc = dict(x=b, y=a, z=p)")
    assert found["c"] == {"x": (2, 2), "y": 3, "z": UNKNOWN}
    assert parse("dict = 1\na = dict(b=2)")["a"] is UNKNOWN


UNREADABLE = {
    "a call": "model = 1\nimport_all('x')",
    "a loop": "for i in range(9): x = i",
    "a condition": "if 1:\n    x = 1",
    "a class": "class A: pass",
    "a function": "def f(): return 1",
    "an attribute": "a = 1\na.b = 2",
    "an item": "a = dict()\na['b'] = 2",
    "two names": "a = b = 1",
    "a sum": "a = 1\na += 1",
    "a type": "a: int = 1",
    "del": "a = 1\ndel a",
    "half a text": "model = dict(a=[1, 2",
    "no Python": "model:\n  type: SSD",
    "a zero byte": "a = 1\0",
    "half a character": "a = '\ud800'",
    "a text with values": "a = f'{1 + 1}'",
    "an open string": "a = 'x",
    "a wrong indent": "a = 1\n  b = 2",
    "a tab": "\ta = 1",
    "too long": "a = 1\n" * (LONGEST // 6 + 1),
    "a giant number": "a = " + "9" * 5000,
    "deep brackets": "a = " + "[" * 5000 + "]" * 5000,
    "deep dicts": "a = " + "dict(a=" * 5000 + ")" * 5000,
    "many signs": "a = " + "-" * 100_000 + "1",
    "many nots": "a = " + "not " * 50_000 + "1",
    "a long sum": "a = 1" + " + 1" * 50_000,
    "a long power": "a = 1" + "**1" * 50_000,
    "many attributes": "a = b" + ".c" * 50_000,
    "many calls": "a = b" + "()" * 50_000,
    "many choices": "a = " + "1 if 1 else " * 20_000 + "1",
    "many functions": "a = " + "lambda: " * 20_000 + "1",
    "sums among commas": "a = " + "f(1, 1) + " * 20_000 + "1",
    "many branches": "if 1: a = 1\n" + "elif 1: a = 1\n" * 10_000,
    "just too deep": "a = " + "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
    "a long line": "a = [" + "0," * 10_000 + "]\n",
    "too many values": "a = [" + ("0," * 9000 + "\n") * 14 + "]\n",
    "copies": f"a = dict({', '.join(f'a{i}=1' for i in range(5000))})\n" + "b = dict(**a)\n" * 5000,
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable(name: str) -> None:
    """No settings and a note; never anything else."""
    with pytest.raises(Unreadable):
        parse(UNREADABLE[name])
    [note] = of(UNREADABLE[name]).notes
    assert "cannot be read" in note


def test_as_deep_as_allowed() -> None:
    value = parse("a = " + "[" * (DEEPEST // 2) + "]" * (DEEPEST // 2))["a"]
    assert isinstance(value, tuple)


def laughs(name: str) -> str:
    """One value that contains 2**60 others."""
    return f"{name}0 = [1, 2]\n" + "".join(f"{name}{i} = [{name}{i - 1}, {name}{i - 1}]\n" for i in range(1, 60))


HOSTILE = {
    "aliases for anchors": laughs("a")
    + laughs("b")
    + generator(
        "type='AnchorGenerator', strides=a59, base_sizes=b59, ratios=a59, scales=b59, center_offset=a59, centers=b59"
    ),
    "aliases for a pipeline": laughs("a") + "s = dict(type='Resize', scale=a59)\n"
    "x = dict(type=a59, transforms=[s] * 5)\ny = dict(transforms=[x, x, x, s])\ntest_pipeline = [y, y, a59, s]",
    "many nested steps": "s = [dict(type='Resize')" + ", dict()" * 999 + "]\n"
    "t = [" + "dict(transforms=s), " * 999 + "]\n"
    "test_pipeline = [" + "dict(transforms=t), " * 999 + "]",
    "aliases for thresholds": laughs("a")
    + "model = dict(test_cfg=dict(nms=a59, score_thr=a59, nms_pre=a59), bbox_head=a59)",
    "wrong kinds": "model = [1]\ndata = dict(test=[dict(pipeline=1)])\ntest_pipeline = 'abc'",
    "texts for numbers": "model = dict(test_cfg=dict(score_thr='0.5', nms=dict(iou_threshold=True, type=7)), "
    "bbox_head=dict(anchor_generator=dict(type='SSDAnchorGenerator', strides='abc', min_sizes=dict(), ratios=[1])))",
    "numbers out of range": "model = dict(test_cfg=dict(score_thr=-1, nms_pre=-1, max_per_img=10**9, conf_thr=2, "
    "nms=dict(type='nms', iou_threshold=1.5)))",
    "control characters": "model = dict(backbone=dict(style='\\x1b[2J\\n" + "x" * 9999 + "'))",
    "a nested data set": "".join(f"d{i + 1} = dict(dataset=d{i})\n" for i in range(5000)) + "test_dataloader = d5000",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(name: str) -> None:
    """Read to the end, and nothing is believed that no config says."""
    found = of(HOSTILE[name])
    assert found.only == Stage() and found.anchors == Anchors()
    assert final_size(found.picture.steps) is None
    assert all(note.isprintable() and len(note) < 1200 for note in found.notes)
