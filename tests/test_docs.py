"""The documentation: links lead somewhere, every page is there in both languages, and what is marked to run runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import unquote

import pytest
from _pytest.mark.structures import ParameterSet

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("README*.md"), ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")])
CODE = re.compile(r"^ *```.*?^ *```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)")
MARKED = re.compile(r"^<!-- run -->\n```(python|bash)\n(.*?)^```$", re.M | re.S)
LONG = ("bench.md", "README.zh-CN.md")  # what bench's own tests measure shorter, and what README.md has in English
LESSONS = ("teachable-machine.md",)  # whose commands go on where the former ended


def marked(page: Path) -> list[tuple[str, str]]:
    """What is to be run, and by whom: a lesson in one go."""
    found = MARKED.findall(page.read_text("utf-8"))
    return [("bash", "".join(code for _, code in found))] if page.name in LESSONS else found


def commands(code: str) -> str:
    """Code without what is written beside it."""
    return re.sub(r" *#.*", "", code)


def to_run() -> list[ParameterSet]:
    """Every block that is marked; slow are long ones, and those that a page before has but for their comments."""
    found, known = [], set()
    for page in PAGES:
        for kind, code in marked(page):
            slow = page.name in LONG or commands(code) in known
            known.add(commands(code))
            found.append(pytest.param(kind, code, id=f"{page.name}-{kind}", marks=[pytest.mark.slow] if slow else []))
    return found


# What `qingzhou bench` shows is not how long anything takes: few rounds, as in its own tests.
PROGRAM = """
import sys
if sys.argv[1] == 'bench':
    from qingzhou.bench import measure
    measure.ROUNDS, measure.RUNS = (8, 8), (2, 3)
from qingzhou.cli import main
main()
"""


def text(page: Path) -> str:
    """A page without its code."""
    return CODE.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """Its headings as GitHub writes them in links."""
    titles = re.findall(r"^#+ +(.*?) *$", re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_relative_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(text(page)):
        place, _, anchor = unquote(link).partition("#")
        if re.match(r"[a-z][a-z0-9+.-]*:", place):
            continue
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), f"{link} leads nowhere"
        assert target.is_relative_to(ROOT), f"{link} leads out of the project"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{link}: {target.name} has no such heading"


def test_every_page_is_there_in_both_languages() -> None:
    english, chinese = ({page.name for page in (DOCS / lang).glob("*.md")} for lang in ("en", "zh"))
    assert english and english == chinese


@pytest.mark.parametrize("name", sorted(page.name for page in (DOCS / "en").glob("*.md")))
def test_both_languages_have_the_same_chapters(name: str) -> None:
    levels = [re.findall(r"^(##+) ", text(DOCS / lang / name), re.M) for lang in ("en", "zh")]
    assert levels[0] == levels[1]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with what the pages speak of: best.pth, pictures, folders of pictures, one of them by class."""
    demo, digits = ROOT / "src/qingzhou/demo", ROOT / "tests/oracle/digits/test"
    shutil.copyfile(demo / "lenet_digits.pth", tmp_path / "best.pth")
    for name in ("photo.jpg", "照片.jpg", "photos/digit.png", "照片文件夹/digit.png"):
        copy(demo / "digit.png", tmp_path / name)
    for folder in digits.iterdir():
        copy(min(folder.iterdir()), tmp_path / "test_set" / folder.name / "digit.png")
    for name, digit in (("cup", "0"), ("pen", "1")):
        for number, file in enumerate(sorted((digits / digit).iterdir())[:6]):
            copy(file, tmp_path / "things" / name / f"{number}.png")
    copy(ROOT / "tests/oracle/sklearn/columns_forest.pkl", tmp_path / "model.pkl")
    (tmp_path / "table.csv").write_text("length,colour,width,size\n5.1,blue,0.7,M\n", "utf-8")
    from_teachable_machine(tmp_path)
    command(tmp_path / "bin/python", "")
    command(tmp_path / "bin/qingzhou", f' -c "{PROGRAM}"')
    return tmp_path


def from_teachable_machine(folder: Path) -> None:
    """The three files that its page gives."""
    oracle = ROOT / "tests/oracle"
    copy(oracle / "keras/teachable_machine/converted_keras.zip", folder / "converted_keras.zip")
    page = {name: oracle / "keras/tfjs_teachable" / name for name in ("model.json", "weights.bin", "metadata.json")}
    digits = {"model.tflite": oracle / "tflite/digits_int8.tflite"}
    packed(folder / "tm-my-image-model.zip", page)
    packed(folder / "converted_tflite_quantized.zip", digits, "".join(f"{i} digit {i}\n" for i in range(10)))


def packed(target: Path, parts: dict[str, Path], labels: str = "") -> None:
    """A zip of files, and of a labels.txt."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in parts.items():
            archive.write(path, name)
        if labels:
            archive.writestr("labels.txt", labels)


def copy(source: Path, target: Path) -> None:
    """Copy a file; folders are made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def command(path: Path, arguments: str) -> None:
    """A shell command that starts this Python."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}"{arguments} "$@"\n', "utf-8")
    path.chmod(0o755)


@pytest.mark.parametrize(("kind", "code"), to_run())
def test_what_is_marked_runs(kind: str, code: str, desk: Path) -> None:
    if kind == "bash" and os.name == "nt":
        pytest.skip("no POSIX shell")
    argv = ["sh", "-e", "-c", code] if kind == "bash" else [sys.executable, "-c", code]
    variables = {"PATH": f"{desk / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "src")}
    env = {**os.environ, **variables, "PYTHONUTF8": "1"}
    done = subprocess.run(argv, cwd=desk, env=env, capture_output=True, timeout=300)
    assert done.returncode == 0, (done.stdout + done.stderr).decode("utf-8", "replace")
