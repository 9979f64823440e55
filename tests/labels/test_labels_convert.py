"""Labels on their way into a model: from the file, the command line, Python, the doors and the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import qingzhou
from lenets import tensors, write_lenet
from makers import Call, Instance, write_checkpoint
from qingzhou.cli import main
from qingzhou.doors.MMEdu import MMClassification
from qingzhou.errors import LabelError, use_language
from qingzhou.info import read_info
from qingzhou.web.task import _converted

RPS = ["paper", "rock", "scissors"]
SAME = list("abcdefghij")
LAST = "backbone.classifier.2"


def three(path: Path, classes: Any, **more: object) -> Path:
    """The oracle's LeNet with its first three outputs."""
    whole = tensors()
    cut = {f"{LAST}.{part}".replace(".", "__"): whole[f"{LAST}.{part}"][:3].copy() for part in ("weight", "bias")}
    return write_lenet(path, {"CLASSES": classes, **more}, **cut)


def objects(names: list[str]) -> Instance:
    """np.array(names, dtype=object) as it is pickled."""
    dtype = Instance("numpy.dtype", (3, "|", None, None, None, -1, -1, 63), ("O8", False, True))
    made = Call("numpy.core.multiarray._reconstruct", ())
    return Instance(
        "numpy.core.multiarray._reconstruct", (1, (len(names),), dtype, False, names), (made.name, (0,), b"b")
    )


IN_THE_FILE: list[Any] = [
    {"rock": 1, "paper": 0, "scissors": 2},
    {2: "scissors", 0: "paper", 1: "rock"},
    {"0": "paper", "1": "rock", "2": "scissors"},
    tuple(RPS),
    objects(RPS),
    "paper,rock,scissors",
    {1: "paper", 2: "rock", 3: "scissors"},
]


@pytest.mark.parametrize("number", range(len(IN_THE_FILE)))
def test_of_the_file(number: int, tmp_path: Path) -> None:
    path = three(tmp_path / "net.pth", IN_THE_FILE[number])
    assert qingzhou.convert(path, check=False).card.labels == RPS
    assert list(read_info(path).labels) == RPS


def test_beside_the_weights_as_tutorials_save_them(tmp_path: Path) -> None:
    state = {key: array[:3].copy() if key.startswith(LAST) else array for key, array in tensors().items()}
    path = write_checkpoint(
        tmp_path / "net.pth", {"state_dict": state, "class_to_idx": {"rock": 1, "paper": 0, "scissors": 2}}
    )
    assert qingzhou.convert(path, check=False).card.labels == RPS


def test_what_else_lies_beside_the_weights_is_no_name(tmp_path: Path) -> None:
    """Labels of training pictures, say, or numbers of outputs."""
    more = {"labels": [0, 2, 1, 1], "names": ["a"], "classes": 3}
    path = write_checkpoint(tmp_path / "net.pth", {"meta": {"CLASSES": SAME}, "state_dict": tensors(), **more})
    assert qingzhou.convert(path, check=False).card.labels == SAME
    path = write_checkpoint(tmp_path / "net.pth", {"state_dict": tensors(), **more})
    assert qingzhou.convert(path, check=False).card.labels == list("0123456789")


@pytest.mark.parametrize(
    "classes", [{0: "paper", 2: "rock", 3: "x"}, {"a": 0, "b": 0, "c": 1}, ["a", "b", "caf\ufffd"], {"a": "b"}]
)
def test_a_file_that_contradicts_itself_needs_labels(classes: Any, tmp_path: Path) -> None:
    path = three(tmp_path / "net.pth", classes)
    with pytest.raises(LabelError, match=r"[^-]labels\b"):  # as it is called in Python
        qingzhou.convert(path, check=False)
    assert not list(tmp_path.glob("*.onnx"))
    assert read_info(path).problem is None and any("labels" in note or "训练" in note for note in read_info(path).notes)
    assert qingzhou.convert(path, labels=RPS, check=False).card.labels == RPS


GIVEN: list[Any] = [
    RPS,
    tuple(RPS),
    np.array(RPS),
    {"rock": 1, "paper": 0, "scissors": 2},
    {0: "paper", 1: "rock", 2: "scissors"},
    "paper,rock,scissors",
    "paper，rock，scissors",
    iter(RPS),
]


@pytest.mark.parametrize("number", range(len(GIVEN)))
def test_given_in_python(number: int, tmp_path: Path) -> None:
    model = qingzhou.convert(three(tmp_path / "net.pth", ["x", "y", "z"]), labels=GIVEN[number], check=False)
    assert model.card.labels == RPS


FILES: dict[str, bytes] = {
    "gbk.txt": "paper\r\nrock\r\n剪刀".encode("gbk"),
    "tflite.txt": "0 paper\n1 rock\n2 剪刀\n".encode(),
    "data.yaml": "nc: 3\nnames: ['paper', 'rock', '剪刀']\n".encode(),
    "one_line.txt": "paper,rock,剪刀\n".encode(),
    "labels.json": '{"0": "paper", "1": "rock", "2": "剪刀"}'.encode(),
    "notepad.txt": "paper\r\nrock\r\n剪刀".encode("utf-16"),
    "classes.txt": "\ufeffpaper\nrock\n剪刀\n".encode(),
}


@pytest.mark.parametrize("name", FILES)
def test_given_at_the_command_line(name: str, tmp_path: Path) -> None:
    path = three(tmp_path / "net.pth", None)
    (tmp_path / name).write_bytes(FILES[name])
    done = CliRunner().invoke(main, ["convert", str(path), "--labels", str(tmp_path / name), "--no-check"])
    assert done.exit_code == 0, done.output
    assert qingzhou.load(tmp_path / "net.onnx").card.labels == ["paper", "rock", "剪刀"]


def test_a_data_set_is_given(tmp_path: Path) -> None:
    for part in ("training_set", "val_set", "test_set"):
        for name in RPS:
            (tmp_path / "data" / part / name).mkdir(parents=True)
    path = three(tmp_path / "net.pth", None)
    assert qingzhou.convert(path, labels=tmp_path / "data", check=False).card.labels == RPS
    (tmp_path / "data" / "classes.txt").write_text("a\nb\nc")
    assert qingzhou.convert(path, labels=str(tmp_path / "data"), check=False).card.labels == ["a", "b", "c"]


def test_labels_in_another_order_than_the_files_are_said(tmp_path: Path) -> None:
    use_language("en")
    model = qingzhou.convert(three(tmp_path / "net.pth", RPS), labels=["rock", "paper", "scissors"], check=False)
    assert any("rock, paper, scissors" in note and "paper, rock, scissors" in note for note in model.card.notes)


def test_a_text_that_is_no_list_is_said(tmp_path: Path) -> None:
    """As configs name the list: the names themselves are not in the file."""
    use_language("en")
    model = qingzhou.convert(three(tmp_path / "net.pth", "data/classes.txt"), check=False)
    assert model.card.labels == ["0", "1", "2"] and any("data/classes.txt" in note for note in model.card.notes)


def test_the_door_takes_a_file_of_names(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("0 paper\n1 rock\n2 scissors")
    path = three(tmp_path / "net.pth", None)
    model = MMClassification("LeNet").convert(
        checkpoint=path, out_file=tmp_path / "m.onnx", class_path=tmp_path / "classes.txt"
    )
    assert model.card.labels == RPS


class _Tell:
    def stage(self, name: str) -> None:
        """Nobody listens."""


@pytest.mark.parametrize("lines", [RPS, ["0 paper", "1 rock", "2 scissors"], ["paper，rock，scissors"]])
def test_the_page_reads_lines_as_a_file_has_them(lines: list[str], tmp_path: Path) -> None:
    path = three(tmp_path / "net.pth", None)
    _, card, _ = _converted(path, {"labels": lines}, tmp_path, _Tell())  # type: ignore[arg-type]
    assert card.labels == RPS
    with pytest.raises(LabelError):  # a name, never a file of the server's
        _converted(path, {"labels": [str(path)]}, tmp_path, _Tell())  # type: ignore[arg-type]
    with pytest.raises(LabelError, match="finished"):
        _converted(tmp_path / "net.onnx", {"labels": RPS}, tmp_path, _Tell())  # type: ignore[arg-type]


def test_it_is_called_as_where_it_was_read(tmp_path: Path) -> None:
    path = three(tmp_path / "net.pth", ["a", "b", "c"])
    with pytest.raises(LabelError, match=r'training: labels=\["a", "b", "c"\]$'):
        qingzhou.convert(path, labels=["cat", "dog"])
    said = CliRunner().invoke(main, ["convert", str(path), "--labels", "cat,dog", "--lang", "en"]).output
    assert " ".join(said.split()).endswith("training: --labels a,b,c")
