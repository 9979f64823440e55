"""qingzhou quantize as it is typed: the table, the exit status, JSON, the page."""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

import qingzhou
from passengers import DIGITS, ORACLE
from qingzhou.cli import main

DATA = DIGITS / "test"


@pytest.fixture(scope="module")
def lenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return qingzhou.convert(ORACLE / "trained" / "lenet_digits.pth", tmp_path_factory.mktemp("lenet")).path


def verb(*args: object) -> Result:
    return CliRunner().invoke(main, ["quantize", *map(str, args)])


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "en",
            ["int8", "397 held-out inputs", "95 % interval", "5 of 5 in INT8", "100 inputs calibrated", "one thread"],
        ),
        ("zh", ["int8", "397 个未参与校准的输入", "95% 置信区间", "单线程"]),
    ],
)
def test_the_table(lenet: Path, tmp_path: Path, lang: str, words: list[str]) -> None:
    done = verb(lenet, "--data", DATA, "-o", tmp_path, "--any-speed", "--lang", lang)
    assert done.exit_code == 0, done.output
    assert [word for word in words if word not in done.output] == []
    assert (tmp_path / "lenet_digits.int8.onnx").is_file() and (tmp_path / "lenet_digits.int8.py").is_file()


def test_what_is_being_done_is_told(lenet: Path, tmp_path: Path) -> None:
    """Each stage that can take more than two seconds, most with a count."""
    qingzhou.use_language("en")
    told: list[str] = []
    qingzhou.quantize(lenet, DATA, tmp_path / "a.onnx", any_speed=True, tell=told.append)
    counted = ["calibrating 100/100", "comparing ways of rounding 6/6", "judging 397/397"]
    places = [told.index(text) for text in (*counted, "looking at each layer", "timing")]
    assert places == sorted(places) and told[-1] == "timing"
    assert {"calibrating 1/100", "judging 200/397"} <= set(told)


def test_a_terminal_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from qingzhou.present import pieces
    from qingzhou.present.pieces import busy

    screen = io.StringIO()
    monkeypatch.setattr(pieces, "stderr", lambda: Console(file=screen, force_terminal=True, width=80))
    with busy("quantising") as tell:
        tell("judging [3/9]")
    assert "quantising: judging [3/9]" in screen.getvalue()
    piped = io.StringIO()
    monkeypatch.setattr(pieces, "stderr", lambda: Console(file=piped))
    with busy("quantising") as tell:
        tell("judging")
    assert not piped.getvalue()


def test_exit_status_3_and_json_where_nothing_is_better(
    lenet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qingzhou.quant import pipeline
    from qingzhou.quant.timing import Timing

    monkeypatch.setattr(pipeline, "compare", lambda before, after: Timing(1.0, 2.0, 0.5, 0.45, 0.55))
    done = verb(lenet, "--data", DATA, "-o", tmp_path, "--json")
    assert done.exit_code == 3
    told = json.loads(done.stdout)
    assert (told["model"], told["better"], told["kept_promise"], told["speed"]["faster"]) == (None, False, True, False)
    assert not list(tmp_path.iterdir())


def test_errors_are_one_line_and_status_1(lenet: Path, tmp_path: Path) -> None:
    done = verb(lenet, "--lang", "en")
    assert done.exit_code == 1 and "--data FOLDER" in done.output and "Traceback" not in done.output
    done = verb(lenet, "--data", tmp_path / "nowhere", "--json")
    assert done.exit_code == 1 and "nowhere" in json.loads(done.stdout)["message"]


class Sources(HTMLParser):
    """Everything that a page would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "iframe", "object"):
            self.found.append(tag)
        self.found += [v for k, v in attrs if k in ("src", "href") and v and not v.startswith(("data:", "#"))]


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        pytest.param("en", ["Before", "After", "What each layer", "Weights"], marks=pytest.mark.slow),
        ("zh", ["之前", "之后"]),
    ],
)
def test_the_page(lenet: Path, tmp_path: Path, lang: str, words: list[str]) -> None:
    page = tmp_path / "new" / "page.html"
    done = verb(lenet, "--data", DATA, "-o", tmp_path, "--any-speed", "--html", page, "--lang", lang)
    assert done.exit_code == 0, done.output
    text = page.read_text("utf-8")
    assert [word for word in words if word.lower() not in text.lower()] == []
    assert len(re.findall("<svg", text)) >= 5  # both matrices, the layers, some layers' weights
    sources = Sources()
    sources.feed(text)
    assert sources.found == []
