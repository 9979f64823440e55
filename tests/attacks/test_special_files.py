"""A pipe, a socket, a device or a folder where a file is expected: never waited for, and said so in both languages.

A reader that opens one in vain would hang here; so each is tried in a thread that is given up.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import qingzhou
from qingzhou.bundle.push import opened
from qingzhou.cli import main
from qingzhou.conversion import run_conversion
from qingzhou.errors import QingzhouError, use_language
from qingzhou.evaluate.data import read_data
from qingzhou.labels import read_label_file, read_label_option
from qingzhou.nets.preprocess import read_preprocess
from qingzhou.report.read import read_report
from qingzhou.runtime import file
from qingzhou.runtime.listen import read_wav
from qingzhou.runtime.model.image import read_image, size_of
from qingzhou.runtime.model.kinds import head_of
from qingzhou.runtime.model.rows import read_rows
from qingzhou.runtime.model.tables import read_numbers
from qingzhou.runtime.model.words import read_text
from qingzhou.runtime.parts.sources import _files
from qingzhou.runtime.predict import load
from qingzhou.runtime.remote import _sent

KINDS = {
    "folder": ("a folder", "文件夹"),
    "pipe": ("a pipe", "管道"),
    "socket": ("a socket", "套接字"),
    "device": ("a device", "设备"),
}
PATIENCE = 60  # seconds; none is needed
unix = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")


def within(ask: Callable[[], Any]) -> Any:
    """What `ask` gives or raises; a failure if it is still waiting."""
    found: list[Any] = []

    def work() -> None:
        try:
            found.append(ask())
        except BaseException as err:
            found.append(err)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert found, "it waits"
    return found[0]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[str, str], Path]]:
    """(kind, name) -> its path; a device is the one that holds nothing."""
    bound = []

    def made(kind: str, name: str) -> Path:
        path = tmp_path / name
        if kind == "folder":
            path.mkdir()
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind == "device":
            path.symlink_to(os.devnull)
        else:
            bound.append(socket.socket(socket.AF_UNIX))
            before = os.getcwd()
            os.chdir(tmp_path)  # the path of a socket may have about 100 bytes only
            bound[-1].bind(name)
            os.chdir(before)
        return path

    yield made
    for one in bound:
        one.close()


READERS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "a file": ("a.bin", lambda path: file.open_file(path)),
    "a picture": ("a.jpg", lambda path: read_image(path, "RGB")),
    "a picture's size": ("a.png", size_of),
    "a picture to send": ("a.jpg", lambda path: _sent(str(path))),
    "a table": ("a.csv", read_numbers),
    "rows": ("a.csv", read_rows),
    "an array": ("a.npz", read_numbers),
    "a text": ("a.txt", read_text),
    "a sound": ("a.wav", lambda path: read_wav(str(path))),
    "a model": ("a.onnx", load),
    "a model for ncnn": ("a.param", load),
    "a model for LiteRT": ("a.tflite", load),
    "a model for numpy": ("a.npz", load),
    "labels": ("a.txt", read_label_file),
    "labels as an array": ("a.npy", read_label_file),
    "preprocessing": ("a.toml", lambda path: read_preprocess(str(path))),
    "a table to judge by": ("a.csv", lambda path: read_data(path, "csv")),
    "arrays to judge by": ("a.npz", lambda path: read_data(path, "npz")),
}
SPECIAL = ("pipe", "socket", "device")


@unix
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reader", READERS)
def test_it_is_said(reader: str, kind: str, make: Callable[[str, str], Path]) -> None:
    name, ask = READERS[reader]
    path = make(kind, name)
    err = within(lambda: ask(path))
    assert isinstance(err, QingzhouError), err
    (en, zh) = KINDS[kind]
    assert str(path) in err.en and en in err.en and str(path) in err.zh and zh in err.zh


@unix
@pytest.mark.parametrize("kind", SPECIAL)
def test_where_others_may_be_meant_as_well(kind: str, make: Callable[[str, str], Path]) -> None:
    """A text, a device, a folder."""
    path = make(kind, "names")
    assert KINDS[kind][0] in within(lambda: read_label_option(str(path))).en
    assert KINDS[kind][0] in within(lambda: opened(path).__enter__()).en
    assert 'CAMERA = "auto"' in within(lambda: _files(str(path))).en
    assert within(lambda: head_of(path)) == b""


@unix
@pytest.mark.parametrize("kind", KINDS)
def test_a_report(kind: str, make: Callable[[str, str], Path]) -> None:
    path = make(kind, "a.json")
    for lang, text in zip(("en", "zh"), KINDS[kind], strict=True):
        use_language(lang)
        rows, unread = within(lambda: read_report(path))
        assert not rows and text in unread[0].reason


@unix
@pytest.mark.parametrize("name", ["a.json", "a.xml", "annotations/a.json", "Annotations/a.xml", "data.yaml"])
def test_in_a_folder_of_data(name: str, make: Callable[[str, str], Path], tmp_path: Path) -> None:
    for folder in ("annotations", "Annotations", "JPEGImages"):
        (tmp_path / folder).mkdir()
    make("pipe", name)
    assert isinstance(within(lambda: read_data(tmp_path)), QingzhouError)


VERBS = [
    ["convert", "PIPE.pth"],
    ["info", "PIPE.pth"],
    ["info", "PIPE.onnx"],
    ["info", "PIPE.param"],
    ["run", "PIPE.onnx"],
    ["run", "MODEL", "PIPE.png"],
    ["check", "PIPE.onnx"],
    ["evaluate", "MODEL", "PIPE.csv"],
    ["evaluate", "PIPE.onnx", "MODEL"],
    ["export", "PIPE.onnx", "--engine", "ncnn"],
    ["export", "PIPE.pth", "--engine", "ncnn"],
    ["quantize", "PIPE.onnx", "--precision", "fp16"],
    ["quantize", "MODEL", "--data", "PIPE.csv"],
    ["bundle", "PIPE.onnx", "--device", "pc"],
    ["bundle", "PIPE.pth", "--device", "pc"],
    ["bench", "PIPE.onnx"],
    ["report", "PIPE.json"],
    ["convert", "CHECKPOINT", "--labels", "PIPE.txt"],
    ["convert", "CHECKPOINT", "--preprocess", "PIPE.toml"],
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    checkpoint = Path(qingzhou.__file__).parent / "demo" / "lenet_digits.pth"
    return {
        "MODEL": str(run_conversion(checkpoint, tmp_path_factory.mktemp("demo") / "m.onnx").model.path),
        "CHECKPOINT": str(checkpoint),
    }


@unix
@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_every_verb(words: list[str], demo: dict[str, str], tmp_path: Path, make: Any) -> None:
    given = [demo.get(word, word.replace("PIPE", str(tmp_path / "fifo"))) for word in words]
    for word in given:
        if word.startswith(str(tmp_path / "fifo")):
            make("pipe", Path(word).name)
    done = within(lambda: CliRunner(env={"QINGZHOU_LANG": "en"}).invoke(main, given))
    assert "pipe" in done.output and "Traceback" not in done.output, done.output
    assert done.exit_code in (1, 2) and isinstance(done.exception, SystemExit), done.exception


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "b").symlink_to(tmp_path / "a") if hasattr(os, "mkfifo") else None
    for name in ("a", "b") if hasattr(os, "mkfifo") else ("a",):
        assert file.is_file(tmp_path / name) and file.open_file(tmp_path / name).read() == b"abc"
    assert not file.is_file(tmp_path / "none") and not file.is_file("a\0b")
    with pytest.raises(FileNotFoundError):
        file.open_file(tmp_path / "none")
    np.savez(tmp_path / "c.npz", data=np.ones((2, 3)))
    assert read_numbers(tmp_path / "c.npz").shape == (2, 3)


def test_the_device_that_holds_nothing() -> None:
    """Also under the name that it has on Windows, in every folder."""
    with pytest.raises(QingzhouError, match="a device"):
        file.open_file(os.devnull)


@unix
def test_one_that_takes_the_place_of_a_file_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the opening."""
    os.mkfifo(tmp_path / "a")
    monkeypatch.setattr(file, "is_file", lambda path: True, raising=False)
    err = within(lambda: file.open_file(tmp_path / "a"))
    assert isinstance(err, QingzhouError) and "a pipe" in err.en
