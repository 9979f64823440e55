"""What comes from a server is what was asked for, or it is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from answering import BUNDLE, EVIL, answering, bundle_zip, honest, job_of, mine, stays
from click.testing import CliRunner

from lenets import write_lenet
from qingzhou.cli import main
from qingzhou.conversion import run_conversion
from qingzhou.errors import QingzhouError, use_language
from qingzhou.web.asking import RemoteError
from qingzhou.web.remote import convert

# -- what came is what was asked for -----------------------------------------------------------------------------------


def another_model(folder: Path) -> bytes:
    (folder / "deep").mkdir()
    return run_conversion(write_lenet(folder / "deep" / "x.pth", classes=7)).model.path.read_bytes()


WRONG = {
    "text": lambda sent, home: b"<html>not a model</html>",
    "cut": lambda sent, home: sent[: len(sent) // 2],
    "empty": lambda sent, home: b"",
    "of another": lambda sent, home: another_model(home),
    "zip": lambda sent, home: BUNDLE,
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_model_that_is_none(kind: str, home: Path, sent: tuple[bytes, bytes]) -> None:
    before = mine(home, "best.py")
    with answering(honest(WRONG[kind](sent[1], home))) as (address, _), pytest.raises(RemoteError, match="Nothing was"):
        convert(home / "best.pth", address, home / "out", device="pi5")
    assert stays(home, before) and list((home / "out").glob("*")) == [] if (home / "out").exists() else True


MAIN = {"main.py": b"x"}
BUNDLES = {
    "text": b"nothing",
    "empty": b"",
    "cut": BUNDLE[:-10],
    "no manifest": BUNDLE.replace(b"bundle.json", b"bundle.jsoN"),
    "changed": BUNDLE.replace(b"print(1)", b"print(2)"),
    "up": bundle_zip({"../x.py": b"x"}),
    "absolute": bundle_zip(MAIN, "/tmp"),
    "drive": bundle_zip({"C:x.py": b"x"}),
    "root": bundle_zip(MAIN, ".."),
    "back": bundle_zip({"a\\..\\..\\x.py": b"x"}),
}


@pytest.mark.parametrize("kind", BUNDLES)
def test_a_bundle_that_is_none(kind: str, home: Path, sent: tuple[bytes, bytes]) -> None:
    answers = job_of({"b.zip": ("bundle", BUNDLES[kind]), "best.onnx": ("model", sent[1])})
    with answering(answers) as (address, _), pytest.raises(RemoteError, match="Nothing was written"):
        convert(home / "best.pth", address, device="pi5")
    assert {path.name for path in home.iterdir()} == {"best.pth"}


PLACES = {
    "/api/uploads": ["upload"],
    "/api/jobs": ["job"],
    "/api/jobs/J": [
        "result",
        "result.convert",
        "result.convert.network",
        "result.notes",
        "result.files",
        "result.files.0",
        "result.files.0.name",
        "result.files.0.size",
    ],
}
ODD: list[Any] = [..., None, 7, -1, 1.5, "", EVIL, "../x", [], [1], {}, {"a": 1}, True, 10**30, [[[]]]]


@pytest.mark.parametrize("value", ODD, ids=lambda value: ascii(value)[:20])
@pytest.mark.parametrize("path, field", [(path, field) for path, fields in PLACES.items() for field in fields])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_fields_that_are_missing_or_of_another_type(
    lang: str, path: str, field: str, value: object, home: Path, sent: tuple[bytes, bytes]
) -> None:
    """One sentence, whatever is odd; and never a name, a size or a text of the server's as it is."""
    use_language(lang)
    answers = json.loads(json.dumps({p: a for p, a in honest(sent[1]).items() if not isinstance(a, bytes)}))
    answers |= {p: a for p, a in honest(sent[1]).items() if isinstance(a, bytes)}
    owner, *keys = answers[path], *field.split(".")
    for key in keys[:-1]:
        owner = owner[int(key) if key.isdigit() else key]
    if value is ...:
        del owner[int(keys[-1]) if keys[-1].isdigit() else keys[-1]]
    else:
        owner[int(keys[-1]) if keys[-1].isdigit() else keys[-1]] = value
    with answering(answers) as (address, _):
        try:
            done = convert(home / "best.pth", address, device="pi5")
        except QingzhouError as err:
            assert isinstance(err, RemoteError) and str(err).isascii() == (lang == "en") and "\x1b" not in str(err)
            assert {one.name for one in home.iterdir()} == {"best.pth"}
        else:  # what is not needed may be odd, too
            assert (home / "best.onnx").read_bytes() == sent[1] and "\x1b" not in done.network


@pytest.mark.parametrize(
    "error",
    [
        "text",
        7,
        [],
        ["x"],
        {"en": 1, "zh": "x"},
        {"en": "x"},
        {"zh": "x"},
        {"en": EVIL + "\nx", "zh": EVIL},
        {"en": "x" * 100_000, "zh": "x"},
    ],
)
@pytest.mark.parametrize("path", ["/api/uploads", "/api/jobs", "/api/jobs/J"])
def test_a_servers_own_words(path: str, error: Any, home: Path, sent: tuple[bytes, bytes]) -> None:
    """What is shown of them steers no terminal and is not long."""
    answers = honest(sent[1])
    answers[path] = {**answers[path], "error": error}
    with answering(answers) as (address, _):
        if error in ([],):
            assert convert(home / "best.pth", address).files
            return
        argv = ["remote", "convert", str(home / "best.pth"), "--server", address, "--lang", "en"]
        done = CliRunner().invoke(main, argv)
    assert done.exit_code == 1 and not {"\x1b", "\u202e", "\x00"} & set(done.output) and len(done.output) < 5000


def test_texts_of_an_answer(home: Path, sent: tuple[bytes, bytes]) -> None:
    """Also where all went well, also as JSON."""
    answers = job_of(
        {"best.onnx": ("model", sent[1])}, notes=[EVIL, 7], convert={"network": EVIL}, quantize={"explanation": EVIL}
    )
    for more in ([], ["--json"]):
        with answering(answers) as (address, _):
            argv = ["remote", "convert", str(home / "best.pth"), "--server", address, "--lang", "en", *more]
            done = CliRunner().invoke(main, argv)
        assert done.exit_code == 0 and "evil" in done.output and not {"\x1b", "\u202e", "\x00"} & set(done.output)
        assert not more or json.loads(done.output)["saved"]
