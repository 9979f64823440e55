"""Everything that people give a converter by mistake: each a clear error, nothing left behind, never a traceback."""

from __future__ import annotations

import dataclasses
import errno
import inspect
import os
import pickle  # noqa: TID251 - to write what must be refused
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import qingzhou
from lenets import tensors, write_lenet
from makers import linear, module, write_checkpoint
from qingzhou import errors, making
from qingzhou.cli import main
from qingzhou.errors import QingzhouError, say, use_language
from qingzhou.onnxfile import write as export_file
from qingzhou.options import Options

LAST = "backbone__classifier__2__weight"
BIAS = LAST.replace("weight", "bias")
Make = Callable[[Path], object]


def cli(*words: object, lang: str = "en") -> Result:
    return CliRunner().invoke(main, [str(word) for word in words] + ["--lang", lang])


def text(result: Result) -> str:
    """What was printed, as one line."""
    return " ".join(result.output.split())


# -- the file --------------------------------------------------------------------------------------------------------


def archive(**members: bytes) -> Make:
    def make(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for name, data in members.items():
                file.writestr(f"m/{name.replace('__', '.')}", data)

    return make


def cut(share: float) -> Make:
    def make(path: Path) -> None:
        data = write_lenet(path).read_bytes()
        path.write_bytes(data[: round(len(data) * share) - 1])

    return make


def saved(obj: object) -> Make:
    return lambda path: write_checkpoint(path, obj)


def lenet(**changed: np.ndarray | None) -> Make:
    return lambda path: write_lenet(path, **changed)


def broken(key: str, value: float) -> Make:
    """A LeNet with one number of one tensor replaced."""

    def make(path: Path) -> None:
        array = tensors()[key].copy()
        array.reshape(-1)[3] = value
        write_lenet(path, **{key.replace(".", "__"): array})

    return make


def given(data: bytes) -> Make:
    return lambda path: path.write_bytes(data)


@dataclass(frozen=True)
class Bad:
    """A mistake: how its file is made, what else is asked for, the error, and words of its message in English."""

    name: str
    make: Make
    error: str
    code: int
    words: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)


def option(name: str, error: str, code: int, words: tuple[str, ...], **options: Any) -> Bad:
    """A mistake beside a good file."""
    return Bad(name, lenet(), error, code, words, options)


ONES = np.ones((3, 3), np.float32)
STRANGER = {f"encoder.{i}.weight": ONES for i in range(30)}
ONNX = bytes.fromhex("0808120771696e677a686f753a10")
SKLEARN = pickle.dumps({"model": [1, 2]})
BAD = [
    Bad("missing", lambda path: None, "CheckpointMissing", -102, ("best.pth", "There is no file")),
    Bad("folder", lambda path: path.mkdir(), "CheckpointTypeError", -202, ("folder",)),
    Bad("empty", given(b""), "CheckpointDamaged", -202, ("empty", "0 bytes")),
    *(Bad(f"cut at {share:.0%}", cut(share), "CheckpointDamaged", -202, ("damaged", "Download or copy it again"))
      for share in (0.02, 0.5, 0.9, 1)),
    Bad("web page", given(b"<!DOCTYPE html><html>404</html>"), "CheckpointTypeError", -202, ("web page",)),
    Bad("zip bomb", archive(data__pkl=bytes(20_000_000)), "UnsafeCheckpoint", -202, ("safety",)),
    Bad("TorchScript", archive(data__pkl=b"x", constants__pkl=b"x"), "CheckpointDamaged", -202, ("pickle",)),
    Bad("onnx", given(ONNX), "ModelError", -202, ("ONNX",)),
    Bad("scikit-learn", given(SKLEARN), "CheckpointDamaged", -202, ("estimator",)),
    Bad("zip of a checkpoint", archive(best__pth=b"x"), "CheckpointTypeError", -202, ("best.pth",)),
    Bad("optimizer only", saved({"optimizer": {"state": {0: {"momentum": ONES}}, "param_groups": []}}),
        "UnsupportedCheckpoint", -202, ("torch.save",)),
    Bad("unknown network", saved({"state_dict": STRANGER}), "UnsupportedCheckpoint", -202,
        ("30 tensors", "Known: LeNet")),
    Bad("torchvision's, whole", saved(module("torchvision.models.maxvit.MaxVit", {"fc": linear(ONES, ONES[0])})),
        "UnsupportedCheckpoint", -202, ("program code", "state_dict()")),
    Bad("nothing in it", saved({"meta": {}, "state_dict": {}}), "UnsupportedCheckpoint", -202, ("were expected",)),
    Bad("NaN", broken("backbone.features.0.weight", np.nan), "UnsupportedCheckpoint", -202, ("NaN", "diverged")),
    Bad("infinity", broken("backbone.classifier.2.bias", np.inf), "UnsupportedCheckpoint", -202, ("NaN", "diverged")),
    Bad("missing tensor", lenet(**{BIAS: None}), "TensorMismatch", -202, ("backbone.classifier.2.bias is missing",)),
    Bad("extra tensor", lenet(head__fc__bias=ONES), "TensorMismatch", -202, ("head.fc.bias is not part of it",)),
    Bad("misshapen tensor", lenet(backbone__features__0__bias=ONES), "TensorMismatch", -202,
        ("backbone.features.0.bias has shape [3, 3], expected [6]",)),
    option("labels", "LabelError", -201, ("3 labels (a, b, c)", "10 outputs"), labels=["a", "b", "c"]),
    option("input size", "OptionError", -501, ("input_size is 40,40", "LeNet-5", "32,32"), input_size=(40, 40)),
    option("side alone", "OptionError", -501, ("input_size is 224", "224,224"), input_size=224),
    option("size as text", "OptionError", -501, ("input_size is 224,224", "positive numbers"), input_size="224,224"),
    option("tiny input size", "OptionError", -501, ("input_size is 4,4",), input_size=(4, 4)),
    option("three channels", "OptionError", -501, ("input_size is 3,32,32",), input_size=(3, 32, 32)),
    option("no size", "OptionError", -501, ("input_size", "224,224"), input_size=(0, 0)),
    option("one number", "OptionError", -501, ("input_size is 40", "32,32"), input_size=(40,)),
    option("opset", "OptionError", -501, ("opset is 10", "11 to 21"), opset=10),
    option("IR", "OptionError", -501, ("ir_version is 99", "4 to 10"), ir_version=99),
    option("detector's threshold", "OptionError", -501, ("score_threshold is for", "LeNet-5"), score_threshold=0.5),
    option("detector's overlap", "OptionError", -501, ("iou_threshold is for",), iou_threshold=0.5),
    option("detector's boxes", "OptionError", -501, ("max_detections is for",), max_detections=5),
    option("detector's form", "OptionError", -501, ("form is for",), form="raw"),
    option("no such form", "OptionError", -501, ("form is round", "boxes or raw"), form="round"),
    option("another network", "ArchitectureMismatch", -302, ("ResNet18", "LeNet"), network="ResNet18"),
    option("no network", "ArchitectureMismatch", -302, ("YOLO99", "LeNet"), network="YOLO99"),
]  # fmt: skip
AT_THE_COMMAND_LINE = [bad for bad in BAD if "network" not in bad.options]  # an option of convert() only


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_clear_error_in_both_languages(bad: Bad, tmp_path: Path, out: Path) -> None:
    bad.make(tmp_path / "best.pth")
    messages = {}
    for lang in ("en", "zh"):
        use_language(lang)
        with pytest.raises(QingzhouError) as caught:
            qingzhou.convert(tmp_path / "best.pth", out / "m.onnx", **bad.options)
        assert type(caught.value) is getattr(errors, bad.error) and caught.value.code == bad.code
        messages[lang] = str(caught.value)
    assert all(word in messages["en"] for word in bad.words), messages["en"]
    assert messages["en"].isascii() or "…" in messages["en"]
    assert any("\u4e00" <= letter <= "\u9fff" for letter in messages["zh"])
    assert len(messages["en"]) < 900
    assert not list(out.iterdir())


@pytest.mark.parametrize("bad", AT_THE_COMMAND_LINE, ids=lambda bad: bad.name)
def test_no_traceback_at_the_command_line(bad: Bad, tmp_path: Path, out: Path) -> None:
    bad.make(tmp_path / "best.pth")
    words = [w for key, value in bad.options.items() for w in (f"--{key.replace('_', '-')}", joined(value))]
    for lang, error in (("en", "Error:"), ("zh", "错误：")):
        result = cli("convert", tmp_path / "best.pth", "-o", out / "m.onnx", *words, lang=lang)
        assert result.exit_code == 1 and isinstance(result.exception, SystemExit), result.output
        assert error in result.output and "Traceback" not in result.output
    assert not list(out.iterdir())


def joined(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def test_no_traceback_in_a_process_of_its_own(tmp_path: Path) -> None:
    """The console's encoding cannot even show Chinese."""
    environment = {**os.environ, "PYTHONPATH": str(Path(qingzhou.__file__).parents[1]), "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-c", "from qingzhou.cli import main; main()", "convert", "无.pth", "--lang", "zh"]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, env=environment, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr and b"Traceback" not in done.stderr and not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [["--input-size", "big"], ["--input-size", "3,,4"], ["--opset", "x"], ["--nonsense"]])
def test_what_is_no_option_at_all(words: list[str], tmp_path: Path) -> None:
    result = cli("convert", write_lenet(tmp_path / "best.pth"), *words)
    assert result.exit_code == 2 and "Traceback" not in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["best.pth"]


@pytest.mark.parametrize(
    ("labels", "word"), [("no such file.txt", "no such file.txt"), ("a,b", "2 labels"), (",", "0 labels")]
)
def test_labels_at_the_command_line(labels: str, word: str, tmp_path: Path, out: Path) -> None:
    result = cli("convert", write_lenet(tmp_path / "best.pth"), "-o", out, "--labels", labels)
    assert result.exit_code == 1 and word in text(result) and not list(out.iterdir())


def test_a_folder_without_checkpoints(tmp_path: Path, out: Path) -> None:
    (tmp_path / "notes.txt").touch()
    result = cli("convert", tmp_path, "-o", out)
    assert result.exit_code == 1 and "holds no checkpoint" in text(result) and not list(out.iterdir())


# -- the place -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["convert", "quantize --precision fp16", "export --engine onnxruntime"])
def test_what_ends_with_a_slash_is_a_folder(verb: str, tmp_path: Path) -> None:
    """Also one that is not there yet: -o models/ is no models.onnx."""
    source = write_lenet(tmp_path / "best.pth")
    if verb != "convert":
        source = qingzhou.convert(source).path
    done = cli(*verb.split(), source, "-o", f"{tmp_path / 'models'}/")
    assert done.exit_code == 0, done.output
    assert [path for path in (tmp_path / "models").iterdir() if path.suffix in (".onnx", ".ort")]
    assert not list(tmp_path.glob("models.*"))


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    model = qingzhou.convert(write_lenet(tmp_path / "best.pth"), tmp_path / "新 建" / "deep" / "m.onnx")
    assert model.check() < 1e-6 and model.path.parent == tmp_path / "新 建" / "deep"


def refused(source: Path, target: object) -> str:
    """The message of the OutputError for this target, which also the command line shows."""
    with pytest.raises(errors.OutputError) as caught:
        qingzhou.convert(source, str(target))
    assert caught.value.en != caught.value.zh
    result = cli("convert", source, "-o", target)
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    return caught.value.en


@pytest.mark.parametrize("target", ["file/m.onnx", "file/deeper/m.onnx"])
def test_a_place_where_nothing_can_be_written(target: str, tmp_path: Path, out: Path) -> None:
    (out / "file").write_text("precious")
    refused(write_lenet(tmp_path / "best.pth"), out / target)
    assert [path.name for path in out.iterdir()] == ["file"] and (out / "file").read_text() == "precious"


def test_a_name_that_no_file_can_have(tmp_path: Path, out: Path) -> None:
    with pytest.raises(errors.OutputError):
        qingzhou.convert(write_lenet(tmp_path / "best.pth"), f"{out}/nul\0.onnx")
    assert not list(out.iterdir())


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc here")
@pytest.mark.parametrize("target", ["/proc/m.onnx", "/proc/qingzhou/m.onnx"])
def test_a_folder_that_is_read_only_even_for_root(target: str, tmp_path: Path) -> None:
    assert "Cannot" in refused(write_lenet(tmp_path / "best.pth"), target)


def test_a_folder_in_the_way_of_the_runtime(tmp_path: Path, out: Path) -> None:
    """A file of the runtime folder's name, and a folder of the program's name."""
    source = write_lenet(tmp_path / "best.pth")
    (out / "qingzhou_runtime").write_text("precious")
    assert "qingzhou_runtime" in refused(source, out / "m.onnx")
    assert (out / "qingzhou_runtime").read_text() == "precious"


def test_the_checkpoint_is_never_written_over(tmp_path: Path) -> None:
    """A checkpoint may be named .onnx, by mistake or renamed."""
    source = write_lenet(tmp_path / "best.onnx")
    before = source.read_bytes()
    for target in (None, source, tmp_path):
        with pytest.raises(errors.OutputError, match=r"best\.onnx"):
            qingzhou.convert(source, target)
    assert source.read_bytes() == before and len(list(tmp_path.iterdir())) == 1
    assert qingzhou.convert(source, tmp_path / "other.onnx").check() < 1e-6


def test_a_program_of_the_pupil_is_never_written_over(tmp_path: Path) -> None:
    """digits.py trains and saves digits.pth: converting that must not replace the program by ours."""
    (tmp_path / "digits.py").write_text("my own work")
    source = write_lenet(tmp_path / "digits.pth")
    programs = [cli("convert", source, "--json") for _ in range(2)]
    assert all(result.exit_code == 0 and "digits_run.py" in result.output for result in programs)
    assert (tmp_path / "digits.py").read_text() == "my own work"
    assert "MODEL = " in (tmp_path / "digits_run.py").read_text("utf-8")


def test_a_program_of_ours_is_written_again(tmp_path: Path) -> None:
    source = write_lenet(tmp_path / "best.pth")
    for lang in ("zh", "en", "zh"):
        use_language(lang)
        qingzhou.convert(source)
        assert say("Recognise a picture", "识别一张图片") in (tmp_path / "best.py").read_text("utf-8")
    assert sorted(path.name for path in tmp_path.glob("*.py")) == ["best.py"]


@pytest.mark.parametrize("function", ["_write_numbers", "append_metadata", "os.replace"])
def test_a_full_disk(function: str, tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each step of the writing; an older model of the same name stays as it was."""
    source, model = write_lenet(tmp_path / "best.pth"), out / "m.onnx"
    model.write_bytes(b"the last one")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    place, name = (os, "replace") if function == "os.replace" else (export_file, function)
    monkeypatch.setattr(place, name, full)
    if function == "append_metadata":
        monkeypatch.setattr(making, name, full)
    assert os.strerror(errno.ENOSPC) in refused(source, model)
    left = [path.name for path in out.rglob("*") if path.is_file()]
    assert left == ["m.onnx"] and model.read_bytes() == b"the last one"


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
@pytest.mark.parametrize("share", [0, 0.02, 0.9, 0.9999], ids=str)
def test_a_disk_that_is_full_for_real(share: float, tmp_path: Path, out: Path) -> None:
    """The system refuses to write more than this share of the model to one file."""
    source = write_lenet(tmp_path / "best.pth")
    limit = int(share * qingzhou.convert(source).path.stat().st_size)
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        "from qingzhou.cli import main; main()"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(qingzhou.__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", code, "convert", str(source), "-o", str(out), "--lang", "en"]
    done = subprocess.run(command, capture_output=True, env=environment, text=True, check=False)
    assert done.returncode == 1 and "Cannot write" in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert not list(out.iterdir())


def test_options_are_built_where_they_are_said() -> None:
    """convert() takes exactly the fields of Options, with the same defaults; so does the command line, in its words."""
    given = {key: one.default for key, one in inspect.signature(qingzhou.convert).parameters.items()}
    fields = {one.name: one.default for one in dataclasses.fields(Options)}
    assert {key: value for key, value in given.items() if key not in ("path", "out", "sample")} == fields
    told = main.commands["convert"].make_context("convert", ["best.pth"]).params
    assert {key: value for key, value in told.items() if key not in ("files", "out", "lang", "as_json")} == fields
