"""What a checkpoint says of itself may be anything: it becomes plain text or is left out; the model stays usable."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from lenets import write_lenet
from makers import Instance, Name
from passengers import DIGITS, ORACLE, mmedu
from qingzhou.cli import main
from qingzhou.conversion import run_conversion
from qingzhou.errors import QingzhouError, UnsupportedCheckpoint
from qingzhou.info import read_info
from qingzhou.model import load
from qingzhou.options import Options

NUMBERED = [str(i) for i in range(10)]
SAME = "abcdefghij"
CLASSES: list[tuple[Any, list[str]]] = [
    (tuple(SAME), list(SAME)),
    (list(range(10)), NUMBERED),
    (None, NUMBERED),
    ([], NUMBERED),
    (3, NUMBERED),
    (SAME, NUMBERED),
    ({letter: i for i, letter in enumerate(SAME)}, list(SAME)),
    ({i: letter for i, letter in enumerate(SAME)}, list(SAME)),
    ([f"{letter}\n" for letter in SAME], list(SAME)),
    (["\x1b[2J"] * 10, ["[2J"] * 10),
    (["\ud800x"] * 10, ["x"] * 10),
    (["红\u3000花"] * 10, ["红\u3000花"] * 10),
    (["[bold]x[/]"] * 10, ["[bold]x[/]"] * 10),
    ([""] * 10, NUMBERED),
    (np.arange(10), NUMBERED),
]


@pytest.mark.parametrize(("classes", "labels"), CLASSES, ids=range(len(CLASSES)))
def test_labels(classes: Any, labels: list[str], tmp_path: Path) -> None:
    done = run_conversion(write_lenet(tmp_path / "best.pth", {"CLASSES": classes}))
    assert load(done.model.path).card.labels == done.model.card.labels == labels
    assert load(done.model.path).check() < 1e-6


META = [
    {"epoch": math.nan},
    {"epoch": math.inf},
    {"epoch": 1 << 200},
    {"epoch": -(1 << 70)},
    {"k" * 20_000: 1},
    {"\ud800": "\udfff"},
    {"time": "\ud800"},
    {1: 2, None: 3, (1, 2): 4},
    {f"k{i}": i for i in range(20_000)},
    {"tool": 3},
    {"tool": "x" * 50_000},
    {"config": "[red]" * 30},
    {"time": Name("os.system")},
    {"epoch": Instance("a.B", {"x": 1})},
    {"dataset_type": "img", "input_size": [1, 1, 32, 32], "tool": "BaseNN"},
]


@pytest.mark.parametrize("meta", META, ids=range(len(META)))
def test_facts(meta: dict[Any, Any], tmp_path: Path) -> None:
    path = write_lenet(tmp_path / "best.pth", meta)
    done = run_conversion(path)
    assert load(done.model.path).check() < 1e-6 and load(done.model.path).card == done.model.card
    assert len(done.model.card.to_json()) < 30_000
    for file in (path, done.model.path):
        assert read_info(file).network == "LeNet-5"
        assert CliRunner().invoke(main, ["info", "--tree", str(file)]).exit_code == 0
        assert CliRunner().invoke(main, ["info", "--json", str(file)]).exit_code == 0


def test_a_label_that_no_card_holds(tmp_path: Path) -> None:
    path = write_lenet(tmp_path / "best.pth", {"CLASSES": ["x" * 20_000, *SAME[1:]]})
    with pytest.raises(UnsupportedCheckpoint) as caught:
        run_conversion(path)
    assert "yourself with labels." in caught.value.en and len(caught.value.en) < 500
    assert [file.name for file in tmp_path.iterdir()] == ["best.pth"]
    assert run_conversion(path, options=Options(labels=list(SAME))).model.card.labels == list(SAME)


@pytest.mark.parametrize("count", [1, 9, 11, 5000])
def test_labels_of_the_wrong_count(count: int, tmp_path: Path) -> None:
    with pytest.raises(QingzhouError) as caught:
        run_conversion(write_lenet(tmp_path / "best.pth", {"CLASSES": ["x"] * count}))
    assert caught.value.code == -201 and f"{count} labels" in caught.value.en and len(caught.value.en) < 500


@pytest.mark.parametrize("size", [(64,), (64, 64), (1, 3, 64, 64)])
def test_a_single_number_is_a_square(size: tuple[int, ...], tmp_path: Path) -> None:
    done = run_conversion(mmedu("MobileNet", tmp_path), options=Options(input_size=size))
    assert done.model.card.input.shape == [1, 3, 64, 64]


def test_a_single_number_is_a_square_of_basenn_too(tmp_path: Path) -> None:
    done = run_conversion(DIGITS / "basenn.pth", tmp_path / "m.onnx", Options(input_size=(24,)))
    assert done.model.card.input.shape[2:] == [24, 24]


def test_the_same_bytes_however_many_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sum that is split among threads ends in other digits, which must not reach the card."""
    made = []
    for threads in ("1", "2", "3"):
        monkeypatch.setenv("QINGZHOU_THREADS", threads)
        made.append(run_conversion(ORACLE / "trained/lenet_digits.pth", tmp_path / "m.onnx").model.path.read_bytes())
    assert made[0] == made[1] == made[2]
