"""Class names as a user gives them: a folder, a file, or the names themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qingzhou.errors import LabelError, use_language
from qingzhou.labels import read_label_option

RPS = ("paper", "rock", "scissors")


# -- what a user gives ----------------------------------------------------------------------------------------------


def folders(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).mkdir(parents=True)
        (root / name / "1.png").touch()
    return root


MMEDU = [f"{part}/{name}" for part in ("training_set", "val_set", "test_set") for name in RPS]
FOLDERS: list[tuple[list[str], dict[str, str], int, tuple[str, ...]]] = [
    (list(RPS), {}, 3, RPS),
    (MMEDU, {}, 3, RPS),
    (MMEDU, {"classes.txt": "a\nb\nc"}, 3, ("a", "b", "c")),
    (MMEDU, {"classes.txt": "\n".join(RPS)}, 3, RPS),
    (MMEDU, {"classes.txt": "rock\npaper\nscissors"}, 3, ("rock", "paper", "scissors")),
    ([f"{part}/{name}" for part in ("train", "val", "test") for name in RPS], {}, 3, RPS),
    (["valid/a", "valid/b", "test/c"], {}, 2, ("a", "b")),
    (["train/a", "train/b", "test"], {}, 2, ("a", "b")),
    (["train/b", "train/a", "train/.ipynb_checkpoints", ".git", "__MACOSX"], {}, 2, ("a", "b")),
    ([*RPS, ".ipynb_checkpoints"], {}, 3, RPS),
    ([*RPS, ".ipynb_checkpoints"], {}, 4, (".ipynb_checkpoints", *RPS)),
    ([*RPS, "__MACOSX"], {}, 3, RPS),
    (["bus", "car", "train"], {}, 3, ("bus", "car", "train")),
    ([str(i) for i in range(1, 11)], {}, 10, ("1", "10", *"23456789")),
    (["images/train", "labels/train"], {"data.yaml": "names: [x, y]"}, 2, ("x", "y")),
    ([], {"classes.txt": "a\nb"}, 2, ("a", "b")),
    (["images", "annotations"], {"labels.txt": "0 a\n1 b"}, 2, ("a", "b")),
    (["0", "1"], {"class_indices.json": '{"0": "cat", "1": "dog"}'}, 2, ("cat", "dog")),
]


@pytest.mark.parametrize("number", range(len(FOLDERS)))
def test_folders(number: int, tmp_path: Path) -> None:
    made, files, classes, names = FOLDERS[number]
    root = folders(tmp_path / "数据 集", *made)
    root.mkdir(exist_ok=True)
    for name, text in files.items():
        (root / name).write_text(text, "utf-8")
    assert read_label_option(str(root), classes).names == names
    assert read_label_option(root, classes).names == names


def test_what_a_folder_leaves_open_is_said(tmp_path: Path) -> None:
    use_language("en")
    folders(tmp_path / "ten", *[str(i) for i in range(1, 11)])
    assert "1, 10, 2" in read_label_option(tmp_path / "ten").notes[0]
    folders(tmp_path / "mmedu", *MMEDU)
    (tmp_path / "mmedu" / "classes.txt").write_text("rock\npaper\nscissors")
    assert "paper, rock, scissors" in read_label_option(tmp_path / "mmedu").notes[0]
    (tmp_path / "mmedu" / "labels.txt").write_text("paper\nrock\nscissors")
    with pytest.raises(LabelError, match=r"classes\.txt says rock, paper, scissors"):
        read_label_option(tmp_path / "mmedu")


@pytest.mark.parametrize("made", [[], ["test_set", "val_set", "training_set"], ["images", "labels"], [".git"]])
def test_folders_without_classes(made: list[str], tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="names no classes"):
        read_label_option(folders(tmp_path, *made), 3)


def test_no_text_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--labels "$EMPTY", in a folder with folders."""
    monkeypatch.chdir(folders(tmp_path, "src", "docs"))
    assert read_label_option("").names == read_label_option(" ").names == ()


@pytest.mark.parametrize("given", ["labels.txt", "no such.json", "data/classes.names", Path("cat")])
def test_files_that_do_not_exist(given: Any) -> None:
    with pytest.raises(LabelError, match="does not exist"):
        read_label_option(given)


@pytest.mark.parametrize(
    "given", ["a,b", "a，b", ["a", "b"], {"b": 1, "a": 0}, np.array(["a", "b"]), json.dumps(["a", "b"]), "0 a,1 b"]
)
def test_names_themselves(given: Any) -> None:
    assert read_label_option(given).names == ("a", "b")
