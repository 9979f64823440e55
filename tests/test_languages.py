"""Both languages: values of --json are the same in either, and no English sentence stands in a Chinese page."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jinja2 import Environment, FileSystemLoader

import qingzhou
from lenets import write_lenet
from passengers import DIGITS, ORACLE
from qingzhou.bundle.build import build
from qingzhou.cli import main
from qingzhou.errors import QingzhouError, use_language
from qingzhou.runtime.errors import spaced
from qingzhou.spelling import as_on_command_line, option
from qingzhou.web import problems

HERE = Path(qingzhou.__file__).parent
LENET = ORACLE / "trained/lenet_digits.pth"
# What docs/*/api.md calls texts: in the language in use; errors have them in both as well.
TEXTS = {"message", "notes", "explanation", "why", "rules", "sample", "faults"}
OTHERS = {"seconds", "speed", "bytes"}  # times; the bytes of a file that holds notes, too


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model beside its checkpoint, and things that are wrong."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "best.pth").write_bytes(LENET.read_bytes())
    qingzhou.convert(folder / "best.pth", folder / "best.onnx")
    (folder / "broken.pth").write_bytes(LENET.read_bytes()[:2000])
    (folder / "broken.onnx").write_bytes(b"no model")
    (folder / "odd.png").write_bytes(b"no picture")
    return folder


def spoken(value: object) -> Any:
    """A document without its texts and what differs each time."""
    if isinstance(value, dict):
        return {key: spoken(found) for key, found in value.items() if key not in TEXTS | OTHERS}
    return [spoken(one) for one in value] if isinstance(value, list) else value


VERBS = [
    "convert best.pth -o out.onnx",
    "convert broken.pth missing.pth best.pth",
    "info best.pth",
    "info best.onnx",
    "info broken.pth",
    "run best.onnx",
    "run best.onnx odd.png missing.png",
    "run best.onnx {digits}/3",
    "check best.onnx",
    "check broken.onnx",
    "evaluate best.onnx {digits}",
    "evaluate best.onnx nothing",
    "quantize best.onnx --data {digits} --any-speed -o q.onnx",
    "export best.onnx --engine ncnn -o e.ncnn.param",
    "export best.onnx --engine wrong",
    "engines",
    "devices",
    "doors",
    "report --reference",
    "bundle best.pth --device unihiker --action pin:99 --scene camera -o b",
    "bundle best.pth --device unihiker --action speak --scene camera -o b",
]


@pytest.mark.parametrize("line", VERBS)
def test_json_is_the_same_in_both_languages(line: str, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for what is documented as texts; and every error has both."""
    monkeypatch.chdir(desk)
    found = {}
    for lang in ("en", "zh"):
        words = line.format(digits=DIGITS / "test").split()
        said = CliRunner().invoke(main, [*words, "--json", "--lang", lang])
        assert said.stdout, said.exception or said.stderr
        found[lang] = json.loads(said.stdout)
    use_language(None)
    assert spoken(found["en"]) == spoken(found["zh"])
    for lang, one in found.items():
        for error in errors_in(one):
            assert error["message"] == error[lang] and error["en"] != error["zh"]


def errors_in(value: object) -> list[dict[str, Any]]:
    """Everything in a document that is an error."""
    if isinstance(value, dict):
        return [value] if "message" in value else [one for found in value.values() for one in errors_in(found)]
    return [one for found in value for one in errors_in(found)] if isinstance(value, list) else []


# -- what a Chinese page shows --------------------------------------------------------------------------------------

# Files, options, commands and products: what stays as it is.
NAMES = re.compile(
    r"`[^`]*`|https?://\S+|\S+\.\w{2,4}\b|--?\w[\w-]*|Intel Neural Compressor|"
    r"\b(qingzhou|python3?|py|sh|pip|docs|push|bundle|convert) [\w. -]*"
)
SENTENCE = re.compile(r"(?:\b[A-Za-z][a-z']+\b[ ,;:]+){2,}\b[A-Za-z][a-z']+\b")


def sentences(text: str) -> list[str]:
    """Three words of Latin letters in a row, which are no names."""
    return [found.group() for found in SENTENCE.finditer(NAMES.sub("`", text))]


def test_what_a_sentence_is() -> None:
    assert sentences("正在打开 the file was not found。")
    assert not sentences("请运行 qingzhou convert best.pth，再看 ONNX Runtime")


@pytest.mark.parametrize("name", ["web/static/texts.js", "bundle/page/texts.js"])
def test_texts_of_the_pages_are_chinese(name: str) -> None:
    """The second of every pair; each pair has two, and the second has Chinese letters or no words at all."""
    source = (HERE / name).read_text("utf-8")
    pairs = re.findall(r'\w+: \[\s*"((?:[^"\\]|\\.)*)",\s*"((?:[^"\\]|\\.)*)",?\s*\]', source)
    assert len(pairs) > 30
    for english, chinese in pairs:
        assert not sentences(chinese), chinese
        assert re.search("[\u4e00-\u9fff]", chinese) or not re.search(r"[A-Za-z]{4}", english.replace("{", "")), english


def shown(page: Path) -> str:
    """The text of a page, without its styles and scripts."""
    text = re.sub(r"<(style|script)\b.*?</\1>", " ", page.read_text("utf-8"), flags=re.S)
    return html.unescape(re.sub(r"<[^>]+>", " \n ", text))


PAGES = [
    "evaluate best.onnx {digits} --html e.html",
    "report --reference --html r.html",
    "quantize best.onnx --data {digits} --any-speed -o q2.onnx --html q.html",
]


@pytest.mark.parametrize("line", PAGES)
def test_reports_are_chinese(line: str, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk)
    words = line.format(digits=DIGITS / "test").split()
    done = CliRunner().invoke(main, [*words, "--lang", "zh"])
    use_language(None)
    assert done.exit_code == 0, done.output
    assert not sentences(shown(desk / words[-1])) and not sentences(done.stdout)
    assert 'lang="zh' in (desk / words[-1]).read_text("utf-8")


@pytest.mark.parametrize("name", ["page.html", "board.html"])
def test_the_page_of_the_server_is_chinese(name: str, tmp_path: Path) -> None:
    templates = Environment(loader=FileSystemLoader(HERE / "web" / "templates"), autoescape=True)
    facts = {"lang": "zh", "version": "1", "max_size": 5 << 20, "keep_hours": 24.0, "path": "/"}
    (tmp_path / name).write_text(templates.get_template(name).render(facts), "utf-8")
    assert not sentences(shown(tmp_path / name))


def test_the_page_for_browsers_is_chinese(tmp_path: Path) -> None:
    made = build(LENET, "浏览器", out=tmp_path / "page", lang="zh")
    assert not sentences(shown(made.path / "index.html"))


@pytest.mark.parametrize("code", problems.TEXTS)
def test_what_the_api_answers_is_chinese(code: str) -> None:
    _, english, chinese = problems.TEXTS[code]
    assert sentences(english) and not sentences(chinese) and re.search("[\u4e00-\u9fff]", chinese)


USAGE = {  # what was written -> a part of what is said
    "": "用法：main [选项] 命令",
    "--help": "把训练得到的权重文件",
    "convrt best.pth": "最接近的是 convert",
    "fly": "可用的有：bench、bundle",
    "convert": "缺少文件。",
    "evaluate best.onnx": "缺少数据。",
    "convert --nix x": "没有选项 --nix",
    "convert --labls x": "最接近的是 --labels",
    "convert --opset six x": "--opset 的值不对，应为整数。",
    "run --top 0 x": "应为 1 到 100 的整数",
    "run --threshold 2 x": "应为 0 到 1 的数",
    "info a b": "多写了内容：b",
    "convert -o": "选项 -o 的写法不对",
    "quantize x --precision int4": "int8-weights",
    "convert --input-size big x": "不是尺寸",
    "bundle x": "缺少选项 --device",
    "remote fly": "没有命令 fly",
}


@pytest.mark.parametrize("line", USAGE)
def test_how_the_command_line_is_used_is_said_in_chinese(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what click says by itself: the list of verbs, and what was written wrongly."""
    monkeypatch.setenv("QINGZHOU_LANG", "zh")
    said = CliRunner().invoke(main, line.split()).output
    assert USAGE[line] in said
    assert not re.search("Usage|Error|Commands|Missing|Invalid", said)


def test_in_english_click_speaks_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QINGZHOU_LANG", "en")
    done = CliRunner().invoke(main, ["convert", "--nix", "x"])
    assert done.exit_code == 2 and "Usage: main convert [OPTIONS] FILES" in done.output
    assert (
        CliRunner().invoke(main, ["--help"]).output.isascii() is False
        and "Boards:" in CliRunner().invoke(main, []).output
    )


@pytest.mark.parametrize(
    ("lang", "line", "words"),
    [
        ("en", "evalute x", "No such command 'evalute'. Did you mean 'evaluate'?"),
        ("en", "Teach x", "No such command 'Teach'. Did you mean 'teach'?"),
        ("en", "xyz", "No such command 'xyz'.\n"),
        ("en", "remote fly", "No such command 'fly'.\n"),
        ("zh", "Teach x", "没有命令 Teach，最接近的是 teach。"),
    ],
)
def test_a_verb_that_is_not_loaded_yet_is_named_where_it_is_meant(lang: str, line: str, words: str) -> None:
    """In a process of its own: what other tests asked for is loaded here."""
    done = subprocess.run(
        [sys.executable, "-m", "qingzhou", *line.split()],
        env={**os.environ, "QINGZHOU_LANG": lang, "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr


def test_the_list_of_verbs_speaks_in_whole_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QINGZHOU_LANG", "zh")
    said = CliRunner().invoke(main, ["--help"]).output
    assert not re.search("[，、；：]。", said)


def test_options_are_spelled_as_they_are_written(tmp_path: Path) -> None:
    """`opset` in Python, `--opset` for who typed that; `--xeduhub-input` is called otherwise there."""
    with pytest.raises(QingzhouError) as caught:
        qingzhou.convert(write_lenet(tmp_path / "a.pth"), opset=9)
    assert caught.value.en.startswith("opset is 9; ") and caught.value.zh.startswith("opset 的值是 9，")
    done = CliRunner().invoke(main, ["convert", str(tmp_path / "a.pth"), "--opset", "9", "--lang", "en"])
    assert done.exit_code == 1 and "Error: --opset is 9; " in done.stderr
    assert (option("input_size", "6,12"), option("labels")) == ("input_size=(6, 12)", "labels")
    with as_on_command_line():
        assert (option("input_size", "6,12"), option("xeduhub")) == ("--input-size 6,12", "--xeduhub-input")
    assert option("xeduhub") == "xeduhub"


def test_a_space_stands_between_chinese_and_latin() -> None:
    """Where a Chinese sentence goes on with a text that may begin with either."""
    for path in HERE.rglob("*.py"):
        bare = re.findall(r"[\u4e00-\u9fff]\{(?:\w+\.)?\w*zh\}", path.read_text("utf-8"))
        assert not bare, f"{path.name}: {bare}, without spaced()"
    assert [spaced(text) for text in ("Lambda 层", "8 位", "层", "（层）", " x", "")] == [
        " Lambda 层", " 8 位", "层", "（层）", " x", "",
    ]  # fmt: skip
