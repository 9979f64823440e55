"""The command line as people and programs use it: what is written where, what is printed, and the exit status."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from lenets import CLASSES, write_lenet
from passengers import basenn, digits, reference
from qingzhou.cli import main
from qingzhou.runtime.model.card import KEY

ORACLE = Path(__file__).parent / "oracle"
TRAINED, DIGITS = ORACLE / "trained" / "lenet_digits.pth", ORACLE / "digits" / "basenn.pth"


def cli(*words: object, status: int = 0, lang: str = "en") -> Result:
    """Run a command; its exit status must be this one, and there must be no traceback."""
    result = CliRunner().invoke(main, [str(word) for word in words] + ["--lang", lang])
    assert result.exit_code == status and isinstance(result.exception, SystemExit | None), result.output
    return result


def answer(*words: object, status: int = 0, lang: str = "en") -> Any:
    """The same with --json."""
    return json.loads(cli(*words, "--json", status=status, lang=lang).stdout)


def names(folder: Path) -> list[str]:
    """Everything in a folder but the copies of the runtime."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if "qingzhou_runtime" not in path.parts)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of each kind: image.onnx, table.onnx, array.onnx, text.onnx, values.onnx."""
    folder = tmp_path_factory.mktemp("models")
    sources = {
        "image": DIGITS,
        "table": basenn("tab_iris"),
        "array": basenn("npz_conv1d"),
        "text": basenn("em_lstm"),
        "values": basenn("tab_reg"),
    }
    for name, source in sources.items():
        cli("convert", source, "-o", folder / f"{name}.onnx")
    return folder


# -- convert ---------------------------------------------------------------------------------------------------------


def test_one_file_beside_itself(tmp_path: Path) -> None:
    source = write_lenet(tmp_path / "我 的" / "best.pth")
    printed = cli("convert", source, lang="zh").output
    assert names(source.parent) == ["best.onnx", "best.pth", "best.py"]
    assert all(word in printed for word in ("LeNet-5", "猫", "61.7 k", "opset 13", "类别", "best.py"))


@pytest.mark.parametrize(
    ("out", "wanted"),
    [
        ("m.onnx", "m.onnx"),
        ("M.ONNX", "M.ONNX"),
        ("m", "m.onnx"),
        ("v1.2", "v1.2.onnx"),
        ("there", "there/best.onnx"),
        ("new/m.onnx", "new/m.onnx"),
        ("数字 1.onnx", "数字 1.onnx"),
    ],
)
def test_where_the_model_goes(out: str, wanted: str, tmp_path: Path) -> None:
    """-o is a file, or a folder that is there."""
    (tmp_path / "out" / "there").mkdir(parents=True)
    found = answer("convert", write_lenet(tmp_path / "best.pth"), "-o", tmp_path / "out" / out)["results"][0]
    assert Path(found["model"]) == tmp_path / "out" / wanted
    assert names(tmp_path / "out") == sorted([wanted, Path(wanted).with_suffix(".py").as_posix()])


def test_what_json_says_of_a_conversion(tmp_path: Path) -> None:
    found = answer("convert", write_lenet(tmp_path / "best.pth"), "--opset", 11, "--ir-version", 6)["results"][0]
    assert {key: found[key] for key in ("tool", "network", "task", "labels", "parameters", "opset", "ir_version")} == {
        "tool": "MMEdu",
        "network": "LeNet-5",
        "task": "classification",
        "labels": CLASSES,
        "parameters": 61706,
        "opset": 11,
        "ir_version": 6,
    }
    proto = onnx.load(found["model"])
    assert (proto.ir_version, proto.opset_import[0].version, len(proto.opset_import)) == (6, 11, 1)
    assert found["bytes"] == Path(found["model"]).stat().st_size and found["macs"] > 400_000
    assert (
        len(found["checks"]) == 3 and found["seconds"] > 0 and found["assumed"] == ["input_size", "resize", "normalize"]
    )
    assert len(answer("convert", tmp_path / "best.pth", "--no-check")["results"][0]["checks"]) == 1


@pytest.mark.parametrize("text", ["a，b,c,d,e,f,g,h,i,j", "labels.txt"])
def test_labels(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given with either comma, or one a line as Windows writes it."""
    monkeypatch.chdir(tmp_path)
    letters = list("abcdefghij")
    Path("labels.txt").write_bytes("\r\n".join(["\ufeff" + letters[0], *letters[1:], ""]).encode())
    found = answer("convert", write_lenet(tmp_path / "best.pth"), "--labels", text)
    assert found["results"][0]["labels"] == letters


@pytest.fixture
def pile(tmp_path: Path) -> Path:
    """A folder of checkpoints: two that are good, one that is not, and other files."""
    write_lenet(tmp_path / "in" / "a" / "one.pth")
    shutil.copy(DIGITS, tmp_path / "in" / "two.pt")
    (tmp_path / "in" / "a" / "bad.pth").write_bytes(b"<html>")
    (tmp_path / "in" / "notes.txt").touch()
    return tmp_path / "in"


def test_a_folder_keeps_its_layout_and_one_failure_stops_nothing(pile: Path, tmp_path: Path) -> None:
    printed = cli("convert", pile, "-o", tmp_path / "out", status=1).output
    assert names(tmp_path / "out") == ["a/one.onnx", "a/one.py", "two.onnx", "two.py"]
    assert "2 of 3 converted" in printed and "bad.pth" in printed and "web page" in " ".join(printed.split())
    assert (tmp_path / "out" / "a" / "qingzhou_runtime" / "predict.py").exists()


def test_a_folder_beside_itself(pile: Path) -> None:
    (pile / "a" / "bad.pth").unlink()
    cli("convert", pile)
    assert {"a/one.onnx", "two.onnx"} < set(names(pile))


def test_a_folder_with_one_checkpoint_keeps_its_layout_too(pile: Path, tmp_path: Path) -> None:
    cli("convert", pile / "a", "-o", tmp_path / "out", status=1)
    (pile / "a" / "bad.pth").unlink()
    shutil.rmtree(tmp_path / "out")
    cli("convert", pile / "a", "-o", tmp_path / "out")
    assert names(tmp_path / "out") == ["one.onnx", "one.py"]


def test_a_folder_knows_checkpoints_by_their_content(tmp_path: Path) -> None:
    """Training scripts and chats give them other names; what is none is passed over."""
    called = ["model_best.pth.tar", "a.pth.1", "b.pth(1)", "c", "last.ckpt"]
    for name in called:
        shutil.copy(DIGITS, tmp_path / name)
    for name, content in {"a.zip": b"PK\3\4" + bytes(60), "b.data": b"\x80\4K\1.", "c.jpg": b"x", "d": b""}.items():
        (tmp_path / name).write_bytes(content)
    found = answer("convert", tmp_path, "-o", tmp_path / "out")["results"]
    assert {Path(one["source"]).name for one in found} == set(called)


def test_several_files(pile: Path, tmp_path: Path) -> None:
    sources = pile / "a" / "bad.pth", pile / "two.pt", pile / "no.pth"
    found = answer("convert", *sources, "-o", tmp_path / "out", status=1)
    assert [one.get("error") for one in found["results"]] == ["CheckpointTypeError", None, "CheckpointMissing"]
    assert [one.get("code") for one in found["results"]] == [-202, None, -102]
    assert [Path(one["source"]).name for one in found["results"]] == ["bad.pth", "two.pt", "no.pth"]
    assert names(tmp_path / "out") == ["two.onnx", "two.py"]


def test_several_files_cannot_be_one(pile: Path, tmp_path: Path) -> None:
    found = answer("convert", pile / "a" / "one.pth", pile / "two.pt", "-o", tmp_path / "m.onnx", status=1)
    assert found["error"] == "OptionError" and not (tmp_path / "m.onnx").exists()


@pytest.mark.parametrize("given", ["files", "folder", "no -o"])
def test_two_that_would_become_one_file(given: str, tmp_path: Path) -> None:
    first = write_lenet(tmp_path / "in" / "best.pth")
    second = shutil.copy(DIGITS, tmp_path / "in" / "best.pt")
    words = {
        "files": [first, second, "-o", tmp_path / "out"],
        "folder": [tmp_path / "in", "-o", tmp_path / "out"],
        "no -o": [first, second],
    }
    found = answer("convert", *words[given], status=1)
    assert found["error"] == "OptionError" and "would both become" in found["message"]
    assert names(tmp_path) == ["in/best.pt", "in/best.pth"]


# -- info ------------------------------------------------------------------------------------------------------------


def test_info_of_a_checkpoint() -> None:
    found = answer("info", TRAINED)
    assert (found["tool"], found["network"], found["classes"], found["problem"]) == ("MMEdu", "LeNet-5", 10, None)
    assert found["input"]["shape"] == [1, 1, 32, 32] and len(found["input"]["steps"]) == 2
    assert len(found["tensors"]) == 10 and found["training"]["epoch"] > 0
    printed = cli("info", TRAINED, "--tree", lang="zh").output
    assert all(word in printed for word in ("LeNet-5", "网络", "classifier", "84 x 120", "float32"))
    assert "84 x 120" not in cli("info", TRAINED).output


def test_info_of_a_model(models: Path) -> None:
    found = answer("info", models / "image.onnx")
    assert (found["container"], found["network"], found["opset"], found["ir_version"]) == ("onnx", "Sequential", 13, 8)
    assert found["labels"] == list("0123456789") and found["parameters"] == 8850
    assert found["training"]["file"] == "basenn.pth"
    assert "Conv" in cli("info", models / "image.onnx", "--tree").output


def test_info_says_why_a_checkpoint_cannot_be_converted() -> None:
    found = answer("info", basenn("custom_module"))
    assert found["problem"]["code"] == -202 and "__main__.MyNet" in found["problem"]["message"]
    assert [tensor["shape"] for tensor in found["tensors"]] == [[3, 4], [3]]
    assert "__main__.MyNet" in cli("info", basenn("custom_module")).output


@pytest.mark.parametrize("verb", ["info", "run", "check"])
def test_what_is_not_there(verb: str, tmp_path: Path) -> None:
    for name in ("none.onnx", "none.pth"):
        found = answer(verb, tmp_path / name, status=1)
        assert found["code"] in (-102, -103, -202) and name in found["message"]


# -- run and check ---------------------------------------------------------------------------------------------------


def test_run_pictures(models: Path) -> None:
    some = list(digits())[::60]
    found = answer("run", models / "image.onnx", *(path for path, _ in some))["results"]
    assert [one["label"] for one in found] == [shown for _, shown in some]
    assert all(len(one["top"]) == 3 and one["top"][0]["score"] == one["confidence"] > 0.5 for one in found)
    assert len(answer("run", models / "image.onnx", some[0][0], "--top", 99)["results"][0]["top"]) == 10


def test_run_a_folder_and_save_the_answers(models: Path, tmp_path: Path) -> None:
    for (path, _), name in zip(digits(), ("a.png", "b.jpg", "deep/a.png", "c.bmp"), strict=False):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.open(path).save(tmp_path / "in" / name)
    before = {name: (tmp_path / "in" / name).read_bytes() for name in names(tmp_path / "in")}
    found = answer("run", models / "image.onnx", tmp_path / "in", "--save", tmp_path / "out")["results"]
    assert len(found) == 4
    assert names(tmp_path / "out") == ["a_result.png", "b_result.jpg", "c_result.png", "deep/a_result.png"]
    assert all(min(Image.open(one["drawn"]).size) >= 160 for one in found)
    for _ in range(2):  # results are no pictures to run, also where they lie among these
        again = answer("run", models / "image.onnx", tmp_path / "in", "--save", tmp_path / "in")["results"]
        assert [one["label"] for one in again] == [one["label"] for one in found]
        assert {name: (tmp_path / "in" / name).read_bytes() for name in before} == before
        assert len(names(tmp_path / "in")) == 8


def test_run_a_folder_without_pictures(models: Path, tmp_path: Path) -> None:
    assert answer("run", models / "image.onnx", tmp_path, status=1)["results"][0]["error"] == "InputError"


def test_run_rows_of_a_table(models: Path, tmp_path: Path) -> None:
    with open(tmp_path / "花.csv", "w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file).writerows([["长", "宽", "高", "深"], *reference("tab_iris").tolist()])
    found = answer("run", models / "table.onnx", tmp_path / "花.csv")["results"]
    assert [one["index"] for one in found] == reference("tab_iris", "y").argmax(axis=1).tolist()
    assert found[1]["input"].endswith("花.csv[1]") and found[0]["label"] == str(found[0]["index"])


def test_run_arrays_and_values(models: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", data=reference("npz_conv1d"))
    found = answer("run", models / "array.onnx", tmp_path / "a.npz")["results"]
    assert [one["index"] for one in found] == reference("npz_conv1d", "y").argmax(axis=1).tolist()
    np.save(tmp_path / "v.npy", reference("tab_reg"))
    values = [one["values"] for one in answer("run", models / "values.onnx", tmp_path / "v.npy")["results"]]
    np.testing.assert_allclose(values, reference("tab_reg", "y"), atol=1e-5)


def test_run_words(models: Path) -> None:
    card = json.loads({item.key: item.value for item in onnx.load(models / "text.onnx").metadata_props}[KEY])
    word = next(iter(card["vocabulary"]))
    assert answer("run", models / "text.onnx", word)["results"][0]["label"] in card["vocabulary"]
    assert answer("run", models / "text.onnx", "unknown", status=1)["results"][0]["error"] == "InputError"


@pytest.mark.parametrize("kind", ["image", "table", "array", "text", "values"])
def test_the_sample_inside(kind: str, models: Path) -> None:
    """run without input, and check."""
    (one,) = answer("run", models / f"{kind}.onnx")["results"]
    assert one["input"] == "sample" and ("label" in one) == (kind != "values")
    assert answer("check", models / f"{kind}.onnx") == {
        "model": str(models / f"{kind}.onnx"),
        "passed": True,
        "difference": pytest.approx(0, abs=1e-5),
    }
    assert "✓" in cli("check", models / f"{kind}.onnx", lang="zh").output


@pytest.mark.parametrize("kind", ["image", "table", "array", "values"])
def test_check_fails_on_other_weights(kind: str, models: Path, tmp_path: Path) -> None:
    proto = onnx.load(models / f"{kind}.onnx")
    weight = max(proto.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    weight.raw_data = (np.frombuffer(weight.raw_data, np.float32) * np.float32(1.5)).tobytes()
    onnx.save(proto, tmp_path / "m.onnx")
    found = answer("check", tmp_path / "m.onnx", status=1)
    assert found["error"] == "SelfTestFailed" and "differs" in found["message"]


# -- demo, doors, language -------------------------------------------------------------------------------------------


def test_demo(tmp_path: Path) -> None:
    found = answer("demo", "-o", tmp_path / "看 看")
    assert found["network"] == "LeNet-5" and Path(found["picture"]).parent == tmp_path / "看 看"
    assert "Result:" in found["printed"]
    (tmp_path / "file").touch()
    assert answer("demo", "-o", tmp_path / "file", status=1)["error"] == "OutputError"


def test_demo_again_in_chinese(tmp_path: Path) -> None:
    cli("demo", "-o", tmp_path)
    printed = cli("demo", "-o", tmp_path, lang="zh").output
    assert "结果：" in printed and "置信度" in printed


def test_doors() -> None:
    found = answer("doors")
    assert list(found) == ["MMEdu", "BaseNN", "XEdu"]
    assert {door["provider"] for door in found.values()} <= {"qingzhou", "original", "none"}
    assert "QINGZHOU_DOORS" in cli("doors", lang="zh").output


@pytest.mark.parametrize(
    "verb", ["convert", "info", "run", "check", "export", "push", "report", "engines", "demo", "doors"]
)
def test_every_verb_explains_itself_in_both_languages(verb: str) -> None:
    printed = cli(verb, "--help").output
    assert "--lang" in printed and "--json" in printed and any("\u4e00" <= letter <= "\u9fff" for letter in printed)
    assert verb in CliRunner().invoke(main, ["--help"]).output


def test_the_language_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, word in (("zh_CN.UTF-8", "错误"), ("en_US.UTF-8", "Error")):
        monkeypatch.setenv("QINGZHOU_LANG", name)
        assert word in CliRunner().invoke(main, ["info", "none.pth"]).output


def test_csv_and_json_exclude_each_other(tmp_path: Path) -> None:
    """Two forms cannot be printed at once; neither is chosen quietly."""
    done = CliRunner().invoke(main, ["run", str(tmp_path / "m.onnx"), "--csv", "--json", "--lang", "en"])
    assert done.exit_code == 1 and "--csv" in done.output and "-501" in done.output
