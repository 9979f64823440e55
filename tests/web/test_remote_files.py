"""`qingzhou remote convert`, and what a server, honest or not, can do to a folder here: a stand-in answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from answering import BUNDLE, answering, honest, job_of, mine, stays
from click.testing import CliRunner

from qingzhou.cli import main
from qingzhou.conversion import run_conversion
from qingzhou.web.remote import convert

# -- the user's files -------------------------------------------------------------------------------------------------


def test_the_same_as_at_home(home: Path, sent: tuple[bytes, bytes]) -> None:
    """The model, the bundle, and a program that is written here; a second time it is the same."""
    for _ in range(2):
        with answering(honest(sent[1])) as (address, asked):
            done = convert(home / "best.pth", address, device="pi5")
        names = [path.name for path in done.files]
        assert names == ["best-pi5-basic.zip", "best.onnx", "best.py"] and done.notes == ()
        assert (home / "best.onnx").read_bytes() == sent[1] and (home / "best-pi5-basic.zip").read_bytes() == BUNDLE
        assert b"afar" not in (home / "best.py").read_bytes() and not any("best.py" in path for path in asked)
    assert run_conversion(home / "best.pth").program == home / "best.py"
    assert not [path for path in home.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_is_the_users_stays(lang: str, home: Path, sent: tuple[bytes, bytes]) -> None:
    before = mine(home, "best.py", "best.zip", "best.onnx", "best-pi5-basic.zip")
    with answering(honest(sent[1])) as (address, _):
        argv = ["remote", "convert", str(home / "best.pth"), "--server", address, "--device", "pi5", "--lang", lang]
        done = CliRunner().invoke(main, argv)
    assert done.exit_code == 0 and stays(home, before), done.output
    made = {path.name for path in home.iterdir()} - set(before)
    assert made == {"best_run.onnx", "best_run.py", "best-pi5-basic_run.zip", "qingzhou_runtime"}
    assert all(name in done.output for name in ("best_run.onnx", "best_run.py", "best-pi5-basic_run.zip", "best.onnx"))


NAMES = [
    "best.pth",
    "train.py",
    "../up.py",
    "/etc/x",
    "C:\\x.py",
    "..\\x.onnx",
    "con",
    "x.onnx\n",
    "a" * 255,
    ".bashrc",
    "best.onnx/../../y",
]


@pytest.mark.parametrize("kind", ["model", "program", "bundle", "report", "x", None, 7, []])
@pytest.mark.parametrize("name", NAMES)
def test_names_of_a_server(name: str, kind: Any, home: Path, sent: tuple[bytes, bytes]) -> None:
    """They decide nothing: what comes has our names, or is not fetched."""
    before = mine(home, "train.py")
    answers = job_of({name: (kind, BUNDLE), "best.onnx": ("model", sent[1])})
    answers["/api/jobs/J"]["result"]["files"].reverse()  # ours first, so that a second model is one too many
    with answering(answers) as (address, _):
        done = convert(home / "best.pth", address)
    assert [path.name for path in done.files] == ["best.onnx", "best.py"] and stays(home, before)
    assert {path.name for path in home.iterdir()} == {*before, "best.onnx", "best.py", "qingzhou_runtime"}
    assert not (home.parent / "up.py").exists()


def test_a_model_called_as_a_module(home: Path, sent: tuple[bytes, bytes]) -> None:
    (home / "best.pth").rename(home / "json.pth")
    with answering(job_of({"json.onnx": ("model", sent[1])})) as (address, _):
        done = convert(home / "json.pth", address)
    assert [path.name for path in done.files] == ["json.onnx", "json_model.py"] and "json_model.py" in done.notes[0]


def test_an_onnx_stays_where_it_is(home: Path, sent: tuple[bytes, bytes]) -> None:
    """What comes back is the same file; into another folder it is written."""
    (home / "best.onnx").write_bytes(sent[1])
    with answering(honest(sent[1])) as (address, _):
        assert [path.name for path in convert(home / "best.onnx", address, device="pi5").files] == [
            "best-pi5-basic.zip"
        ]
        done = convert(home / "best.onnx", address, home / "out")
    assert (home / "out/best.onnx").read_bytes() == sent[1] and len(done.files) == 2
