"""What a class is called, from everything that names classes: the right names, or an error that says why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qingzhou.errors import LabelError, use_language
from qingzhou.files.types import Opaque
from qingzhou.labels import read_label_file, read_labels

RPS = ("paper", "rock", "scissors")
ZH = ("布", "石头", "剪刀")
ARRAY = "numpy._core.multiarray._reconstruct"


# -- values ---------------------------------------------------------------------------------------------------------

VALUES: list[tuple[Any, tuple[str, ...]]] = [
    (list(RPS), RPS),
    (RPS, RPS),
    ({"rock": 1, "paper": 0, "scissors": 2}, RPS),
    ({2: "scissors", 0: "paper", 1: "rock"}, RPS),
    ({"0": "paper", "1": "rock", "2": "scissors"}, RPS),
    ({"2": "scissors", "1": "rock", "0": "paper"}, RPS),
    ({"rock": "1", "paper": "0", "scissors": "2"}, RPS),
    ({1: "paper", 2: "rock", 3: "scissors"}, RPS),
    ({0.0: "a", 1.0: "b"}, ("a", "b")),
    ({np.int64(1): "b", np.int64(0): "a"}, ("a", "b")),
    ({"a": np.int64(1), "b": np.int64(0)}, ("b", "a")),
    ({str(i): name for i, name in enumerate("abcdefghijkl")}, tuple("abcdefghijkl")),  # 10 comes after 9, not after 1
    ({"1": 0, "10": 1, "2": 2}, ("1", "10", "2")),
    ({"0": 2, "1": 0, "2": 1}, ("1", "2", "0")),
    ({0: "3", 1: "5", 2: "8"}, ("3", "5", "8")),
    ({3: 0, 5: 1, 8: 2}, ("3", "5", "8")),
    ({0: 0, 1: 1}, ("0", "1")),
    ({"0": "3", "1": "5"}, ("3", "5")),
    ({"classes": RPS, "palette": [[1, 2, 3]] * 3}, RPS),
    ({"id2label": {"0": "a", "1": "b"}, "label2id": {"a": 0, "b": 1}}, ("a", "b")),
    ({"labels": 0, "names": 1}, ("labels", "names")),
    ([{"id": 1, "name": "cat"}, {"id": 18, "name": "dog"}], ("cat", "dog")),
    ([["rock", 1], ["paper", 0], ["scissors", 2]], RPS),
    ([(1, "dog"), (0, "cat")], ("cat", "dog")),
    ({"0": ["n01440764", "tench"], "1": ["n01443537", "goldfish"]}, ("tench", "goldfish")),
    ({"1": {"name": "dog"}, "0": {"name": "cat"}}, ("cat", "dog")),
    (np.array(RPS), RPS),
    (np.array([b"cat", b"dog"]), ("cat", "dog")),
    (np.array(RPS, dtype=object), RPS),
    (np.array([["cat"], ["dog"]]), ("cat", "dog")),
    (np.arange(3), ("0", "1", "2")),
    (np.float32([0, 1]), ("0", "1")),
    (np.array("cat"), ("cat",)),
    ([0, 1, 2], ("0", "1", "2")),
    ([np.str_("猫")], ("猫",)),
    ([True, False], ("True", "False")),
    ((name for name in RPS), RPS),
    ({"a": 0, "b": 1}.keys(), ("a", "b")),
    ("paper", ("paper",)),
    ("cat,dog", ("cat", "dog")),
    (b"cat", ("cat",)),
    ("猫，狗", ("猫", "狗")),
    (Opaque(ARRAY, (), (1, (2,), Opaque("numpy.dtype"), False, ["cat", "dog"])), ("cat", "dog")),
    (Opaque("mmengine.config.ConfigDict", (), None, [("a", 1), ("b", 0)]), ("b", "a")),
    (Opaque("os.system"), ()),
    (None, ()),
    ([], ()),
    ({}, ()),
    (3, ()),
    (True, ()),
    (["", ""], ()),
    ([" cat\r\n", "\ufeffdog\0\0"], ("cat", "dog")),
    (["ice\tcream", "红\u3000花"], ("ice cream", "红\u3000花")),
    (["[bold]x[/]"], ("[bold]x[/]",)),
    (["été", "å", "Åland", "µm", "°C", "£5"], ("été", "å", "Åland", "µm", "°C", "£5")),
    (["a\x00b", "\x1b[2J", "\ud800x", "a\u202eb"], ("a b", "[2J", "x", "a b")),
]


@pytest.mark.parametrize(("value", "names"), VALUES, ids=range(len(VALUES)))
def test_values(value: object, names: tuple[str, ...]) -> None:
    assert read_labels(value).names == names


REFUSED: list[tuple[Any, str]] = [
    ({0: "paper", 2: "rock"}, "missing: 1"),
    ({"0": "a", "00": "b"}, "0 a, 0 b"),
    ({"a": 0, "b": 0, "c": 2}, "missing: 1"),
    ({2: "a", 3: "b"}, "missing"),
    ({-1: "a", 0: "b"}, "missing"),
    (["a", float("nan")], "float nan"),
    (["å¸ƒ", "rock"], "garbled"),
    (["Ã©tÃ©", "hiver"], "garbled"),
    ({"a": 0.5, "b": 1}, "of no class which number"),
    ({"cat": "猫", "dog": "狗"}, "of no class which number"),
    ({"cat": None}, "of no class which number"),
    ({0: 1, 1: 2, 2: 0}, "both sides"),
    ({1: 2, 2: 3}, "both sides"),
    ({"cat", "dog"}, "no order"),
    ({"names": ["a"], "classes": ["b"]}, "but"),
    ([{"id": 2, "name": "cat"}, {"id": 1, "name": "dog"}], "otherwise"),
    ([{"id": 2}], "number"),
    ([None, "a"], "NoneType"),
    ([["a", "b"], ["c", "d"]], "list"),
    ([Opaque("a.B")], "Opaque"),
    (["a", ""], "empty"),
    (["caf\ufffd"], "garbled"),
    (["çŸ³\x8d"], "garbled"),
]


@pytest.mark.parametrize(("value", "word"), REFUSED, ids=range(len(REFUSED)))
def test_values_that_contradict_themselves(value: object, word: str) -> None:
    with pytest.raises(LabelError) as caught:
        read_labels(value)
    assert word in caught.value.en and caught.value.zh != caught.value.en and len(caught.value.en) < 500


def test_names_that_stand_twice_are_said() -> None:
    use_language("en")
    assert "crane" in read_labels(["crane", "cat", "crane"]).notes[0]
    assert read_labels({1: "a", 2: "b"}).first == 1 and "count from 1" in read_labels({1: "a", 2: "b"}).notes[0]
    assert "Control characters" in read_labels(["\x1b[2J"]).notes[0] and read_labels(["ice\tcream\n"]).notes == ()


# -- texts ----------------------------------------------------------------------------------------------------------

TEXTS: list[tuple[str, tuple[str, ...]]] = [
    ("paper\r\nrock\r\nscissors\r\n", RPS),
    ("paper\rrock\rscissors", RPS),
    ("\n paper \n\nrock\nscissors", RPS),
    ("paper,rock,scissors\n", RPS),
    ("paper;rock;scissors", RPS),
    ("paper, rock, scissors,", RPS),
    ("paper\trock\tscissors", RPS),
    ("布，石头，剪刀", ZH),
    ("布、石头、剪刀", ZH),
    ("0 paper\n1 rock\n2 scissors\n", RPS),
    ("2 scissors\n0 paper\n1 rock", RPS),
    ("1 paper\n2 rock\n3 scissors", RPS),
    ("０ 布\n１ 石头\n２ 剪刀", ZH),
    ("0 １班\n1 ２班", ("１班", "２班")),
    ('"","x"\n"1","paper"\n"2","rock"\n"3","scissors"\n', RPS),  # write.csv of R
    ('"rock","1"\n"paper","0"\n"scissors","2"', RPS),
    ("# our classes\npaper\nrock\n# the last\nscissors", RPS),
    ("- paper\n- rock\n- scissors", RPS),
    ("• 布\n• 石头\n• 剪刀", ZH),
    ("-1\n-2", ("-1", "-2")),
    ("CLASSES = ('paper', 'rock', 'scissors')\n", RPS),
    ("class_to_idx={'rock': 1, 'paper': 0, 'scissors': 2}", RPS),
    ("#1\nC#", ("#1", "C#")),
    ("0: paper\n1: rock\n2: scissors", RPS),
    ("0,paper\n1,rock\n2,scissors", RPS),
    ("0\tpaper\n1\trock\n2\tscissors", RPS),
    ("0. paper\n1. rock\n2. scissors", RPS),
    ("paper 0\nrock 1\nscissors 2", RPS),
    ("rock,1\npaper,0\nscissors,2", RPS),
    ("id,name\n0,paper\n1,rock\n2,scissors", RPS),
    ("name,id\nrock,1\npaper,0\nscissors,2", RPS),
    ("编号,类别\n0,布\n1,石头\n2,剪刀", ZH),
    ("'paper',\n'rock',\n'scissors',", RPS),
    ("0 paper, 1 rock, 2 scissors", RPS),
    ("0\n1\n2", ("0", "1", "2")),
    ("1 yuan\n5 yuan\n10 yuan", ("1 yuan", "5 yuan", "10 yuan")),
    ("1 元\n2 元\n3 元", ("1 元", "2 元", "3 元")),
    ("zone 0\nzone 1", ("zone 0", "zone 1")),
    ("3.5 inch\n5 inch", ("3.5 inch", "5 inch")),
    ("ice cream\nhot dog", ("ice cream", "hot dog")),
    ("tench, Tinca tinca\ngoldfish, Carassius auratus", ("tench, Tinca tinca", "goldfish, Carassius auratus")),
    ('{"0": "paper", "1": "rock", "2": "scissors"}', RPS),
    ('{"rock": 1, "paper": 0, "scissors": 2}', RPS),
    ('["paper", "rock", "scissors"]', RPS),
    ("['paper', 'rock', 'scissors']", RPS),
    ("{0: 'paper', 1: 'rock', 2: 'scissors'}", RPS),
    ("('paper', 'rock', 'scissors')", RPS),
    ('{"labels": ["paper", "rock", "scissors"], "imageSize": 224}', RPS),
    (
        '{"images": [], "annotations": [], "categories": [{"id": 1, "name": "cat"}, {"id": 3, "name": "dog"}]}',
        ("cat", "dog"),
    ),
    ("names: [paper, 'rock', \"scissors\"]\nnc: 3", RPS),
    ("names:\n  0: paper\n  1: rock\n  2: scissors\n", RPS),
    ("nc: 3\nnames:\n- paper # flat\n- rock\n- 'scissors'\n", RPS),
    ("names: {0: paper, 1: rock, 2: scissors}", RPS),
    ("names:\n  1: cat\n  2: 猫 dog\n", ("cat", "猫 dog")),
    ("names: ['C #1', 'a: b']  # two", ("C #1", "a: b")),
    ("names:\n  rock: 1\n  paper: 0\n", ("paper", "rock")),
    ("names: [cat,\n  dog]\nnc: 2", ("cat", "dog")),
    ("item {\n  id: 1\n  name: 'cat'\n}\nitem {\n  id: 2\n  name: \"dog\"\n}\n", ("cat", "dog")),
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]


@pytest.mark.parametrize(("text", "names"), TEXTS, ids=range(len(TEXTS)))
def test_texts(text: str, names: tuple[str, ...], tmp_path: Path) -> None:
    """In a file, whatever it is called but for YAML, and in every encoding."""
    for encoding in ENCODINGS:
        file = tmp_path / "labels.txt"
        file.write_bytes(text.encode(encoding))
        if text.isascii() or ("-le" not in encoding and "-be" not in encoding):
            assert read_label_file(file).names == names, encoding
    if text.startswith(("names", "nc")):
        (tmp_path / "data.yaml").write_text(text, "utf-8")
        assert read_label_file(tmp_path / "data.yaml").names == names


BROKEN: list[tuple[str | bytes, str]] = [
    ("", "names no classes"),
    ("[]", "names no classes"),
    ("names: |\n  paper\n  rock\n", "stand elsewhere"),
    ("布石头剪".encode("utf-16-le"), "neither"),
    ("布\n石頭".encode("big5"), "neither"),
    ("グー\nチョキ".encode("shift_jis"), "neither"),
    ("кот\nсобака".encode("cp1251"), "neither"),
    ("\n \n", "names no classes"),
    ('{"0": "a", "0": "b"}', "twice"),
    ('{"0": "a", "2": "b"}', "missing: 1"),
    ("0 paper\n1 rock\n3 scissors", "missing: 2"),
    ("0 paper\n1 rock\n1 scissors", "twice"),
    ("paper,0\nrock,1\nscissors,1", "missing"),
    ('{"0": "a"', "no complete"),
    ("['a', b", "no complete"),
    ('{"a": {"b": 1}}', "of no class"),
    ("names:\n  0: a\n  2: b", "missing: 1"),
    ("names: [a, b]\nnc: 3", "nc: 3"),
    ("names: data/coco.names", "elsewhere"),
    ("names: *other", "elsewhere"),
    ("a\ufffd\nb", "garbled"),
    (b"PK\x03\x04\x00\x00\xff\xfe\x80", "neither"),
    ("Müll\nGröße".encode("cp1252"), "neither"),
    (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "neither"),
    (b"\xff\xfea", "neither"),
    ("café\r\nthé".encode("cp1252"), "neither"),
    ("布\n石".encode("gbk")[:-1], "neither"),
    ("石头".encode() + b"\xff\n\x80", "neither"),
    ("{" * 100_000, "no complete"),
    ("[" * 100_000 + ",", "no complete"),
]


@pytest.mark.parametrize("text", ["石头", "石头\n猫", "猫\n鸭\n石头\n", "0 石头\n1 猫", "rock\n石头"])
def test_chinese_whose_bytes_are_utf_8_by_chance(text: str, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_bytes(text.encode("gbk"))
    names = tuple(line.split()[-1] for line in text.split("\n") if line)
    assert read_label_file(tmp_path / "labels.txt").names == names
    assert read_labels([b"\xca\xaf\xcd\xb7", b"x"]).names == ("石头", "x")


@pytest.mark.parametrize(
    "names",
    [
        ["été", "forêt"],
        ["кот", "пёс"],
        ["γάτα", "кот"],
        ["ā", "á", "ǎ", "à"],
        ["Hawaiʻi"],
        ["español", "Ελληνικά", "Русский"],
        ["ب", "ت"],
        ["חתול", "כלב"],
        ["µm", "Ω"],
    ],
)
def test_other_scripts_stay_what_they_are(names: list[str], tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("\n".join(names), "utf-8")
    assert read_label_file(tmp_path / "labels.txt").names == tuple(names)


@pytest.mark.parametrize(("text", "word"), BROKEN, ids=range(len(BROKEN)))
def test_files_that_cannot_be_read_rightly(text: str | bytes, word: str, tmp_path: Path) -> None:
    file = tmp_path / "labels.txt"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(LabelError) as caught:
        read_label_file(file)
    assert word in caught.value.en and "labels.txt" in caught.value.en and "labels.txt" in caught.value.zh


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_gbk_of_chinese_windows(end: str, tmp_path: Path) -> None:
    (tmp_path / "gbk.txt").write_bytes(end.join(ZH).encode("gbk"))
    assert read_label_file(tmp_path / "gbk.txt").names == ZH
    (tmp_path / "gbk.txt").write_bytes(end.join(["T恤", "A型", "X光CT", "镕基与石头布"]).encode("gbk"))
    assert read_label_file(tmp_path / "gbk.txt").names == ("T恤", "A型", "X光CT", "镕基与石头布")


@pytest.mark.parametrize("text", ["0: a\n1: b\n", "b: 1\na: 0\n", "# x\n- a\n- 'b'\n", "---\nnames: [a, b]\n"])
def test_yaml_of_nothing_else(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(text)
    assert read_label_file(tmp_path / "x.yaml").names == ("a", "b")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["布\n石头\n剪刀", "布\r\n石头\r\n剪刀\r\n", "布,石头,剪刀", "一\n刀\n开"])
def test_utf_16_without_a_mark(text: str, encoding: str, tmp_path: Path) -> None:
    """Letters whose number ends in 00 (刀, 一, 开) look like the other order of bytes."""
    (tmp_path / "labels.txt").write_bytes(text.encode(encoding))
    assert read_label_file(tmp_path / "labels.txt").names == read_labels(text).names


def test_arrays_of_names(tmp_path: Path) -> None:
    np.save(tmp_path / "classes.npy", np.array(ZH))
    assert read_label_file(tmp_path / "classes.npy").names == ZH
    np.save(tmp_path / "classes.npy", np.array(ZH, dtype=object))  # a pickle
    with pytest.raises(LabelError):
        read_label_file(tmp_path / "classes.npy")


HOSTILE = [
    ["x"] * 50_000,
    [["a", 0]] * 50_000,
    "names: [" + "''" * 5_000,
    'names: ["' + '\\"' * 5_000,
    "a" + " " * 50_000 + "b",
]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_names_that_are_made_to_take_long(number: int) -> None:
    """Each took minutes with a reader that looks back; here the suite's own limit is far away."""
    try:
        assert read_labels(HOSTILE[number]).names
    except LabelError as err:
        assert len(err.en) < 500
