"""What cannot be quantised, and what nearly cannot: a message in both languages, and nothing half-written."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from networks import WEIGHTS, album, classifier, model, saved
from onnx import helper

import qingzhou
from passengers import DIGITS, ORACLE, basenn
from qingzhou.cli import main
from qingzhou.engines import ENGINES
from qingzhou.errors import (
    DataError,
    FileMissing,
    InputError,
    LabelError,
    ModelError,
    OptionError,
    QingzhouError,
    TaskError,
)
from qingzhou.quant import pipeline

DATA = DIGITS / "test"


@pytest.fixture(scope="module")
def lenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return qingzhou.convert(ORACLE / "trained" / "lenet_digits.pth", tmp_path_factory.mktemp("lenet")).path


def refused(kind: type[QingzhouError], words: str, *args: object, **options: object) -> None:
    with pytest.raises(kind, match=words) as caught:
        qingzhou.quantize(*args, **options)  # type: ignore[arg-type]
    assert caught.value.zh and caught.value.en


def test_options_that_cannot_be(lenet: Path) -> None:
    refused(OptionError, "--data", lenet)
    refused(OptionError, "int4", lenet, DATA, precision="int4")
    refused(OptionError, "101", lenet, DATA, max_drop=101)
    refused(OptionError, "-1", lenet, DATA, min_agreement=-1)
    refused(OptionError, "calibration", lenet, DATA, calibration=0)
    refused(OptionError, "riscv", lenet, DATA, target="riscv")


def test_files_that_are_no_models(tmp_path: Path) -> None:
    refused(FileMissing, "nowhere", tmp_path / "nowhere.onnx", DATA)
    refused(ModelError, "qingzhou convert", ORACLE / "trained" / "lenet_digits.pth", DATA)
    (tmp_path / "bad.onnx").write_bytes(b"not a model")
    refused(ModelError, "bad", tmp_path / "bad.onnx", DATA)


@pytest.mark.parametrize("precision", ["int8", "int8-weights", "fp16"])
def test_a_model_that_is_int8_already(precision: str, tmp_path: Path) -> None:
    folder = album(tmp_path / "p")
    small = qingzhou.quantize(saved(tmp_path, classifier(WEIGHTS)), folder, min_agreement=0, any_speed=True)
    refused(ModelError, "INT8 already", small.path, folder, precision=precision)


def test_an_opset_without_channels_is_raised(tmp_path: Path) -> None:
    path = qingzhou.convert(ORACLE / "trained" / "lenet_digits.pth", tmp_path / "old.onnx", opset=11).path
    found = qingzhou.quantize(path, DATA, any_speed=True)
    assert found.path is not None and qingzhou.load(found.path).card.labels == qingzhou.load(path).card.labels
    assert onnx.load(found.path).opset_import[0].version == 13 and onnx.load(path).opset_import[0].version == 11


def test_a_network_without_layers(tmp_path: Path) -> None:
    proto = model(
        [helper.make_node("GlobalAveragePool", ["x"], ["p"]), helper.make_node("Flatten", ["p"], ["y"])],
        {},
        (1, 3, 12, 12),
        {"y": (1, 3)},
    )
    refused(
        ModelError, "nothing that could become INT8", saved(tmp_path, proto, labels=list("abc")), album(tmp_path / "p")
    )


def test_numbers_that_are_not_finite_are_found(tmp_path: Path) -> None:
    broken = WEIGHTS.copy()
    broken[1, 0, 0, 0] = np.nan
    refused(ModelError, "not finite", saved(tmp_path, classifier(broken)), album(tmp_path / "p"))


def test_pictures_that_cannot_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.png").write_bytes(b"no picture %d" % number)
    refused(DataError, "could be read", saved(tmp_path, classifier(WEIGHTS)), folder)


def test_one_broken_picture_stops_nothing(tmp_path: Path) -> None:
    folder = album(tmp_path / "p", 20)
    for number in range(0, 20, 5):
        (folder / f"{number}.png").write_bytes(b"no picture %d" % number)
    found = qingzhou.quantize(saved(tmp_path, classifier(WEIGHTS)), folder, min_agreement=0, any_speed=True)
    assert found.verdict is not None
    assert found.verdict.judged + found.verdict.failed == 10


def test_constant_activations(tmp_path: Path) -> None:
    """A layer that always gives nothing, as after a training that died."""
    dead = WEIGHTS.copy()
    dead[:] = -np.abs(dead)
    found = qingzhou.quantize(saved(tmp_path, classifier(dead)), album(tmp_path / "p"), min_agreement=0, any_speed=True)
    assert found.path is not None
    for answer in (qingzhou.load(path).predict(tmp_path / "p" / "0.png").scores for path in (found.source, found.path)):
        assert not answer.any()


def test_boxes_for_a_classifier(lenet: Path) -> None:
    refused(DataError, "holds pictures with boxes", lenet, ORACLE / "trained_ssd")


def test_texts_stay_float(tmp_path: Path) -> None:
    model = qingzhou.convert(basenn("em_lstm"), tmp_path / "poet.onnx").path
    refused(TaskError, "int8-weights", model, DATA)


def test_a_folder_that_is_not_there(lenet: Path, tmp_path: Path) -> None:
    refused(FileMissing, "nowhere", lenet, tmp_path / "nowhere")


@pytest.mark.parametrize("sizes", [["N", 3, 12, 12], ["N", 3, "H", "W"], [1, 3, "H", "W"]])
def test_sizes_that_are_left_open(sizes: list[int | str], tmp_path: Path) -> None:
    """In the file; the INT8 form leaves the same ones open."""
    proto = classifier(WEIGHTS)
    for size, wanted in zip(proto.graph.input[0].type.tensor_type.shape.dim, sizes, strict=True):
        size.Clear()
        setattr(size, "dim_param" if isinstance(wanted, str) else "dim_value", wanted)
    proto.graph.output[0].type.tensor_type.shape.dim[0].dim_param = str(sizes[0])
    found = qingzhou.quantize(saved(tmp_path, proto), album(tmp_path / "p", 40), min_agreement=90, any_speed=True)
    assert found.path is not None
    assert onnx.load(found.path).graph.input == proto.graph.input
    assert qingzhou.load(found.path).predict(tmp_path / "p" / "0.png").label in "abcde"


def test_rows_with_a_hole_are_left_out_of_both_parts(tmp_path: Path) -> None:
    iris, rows = qingzhou.convert(basenn("tab_iris"), tmp_path / "iris.onnx").path, np.ones((80, 4), np.float32)
    rows[:, 0] = np.linspace(4, 8, 80)
    clean = quantized_rows(iris, rows, tmp_path / "clean.npy")
    rows[::8, 1], rows[1::8, 2] = np.nan, np.inf
    found = quantized_rows(iris, rows, tmp_path / "holes.npy")
    assert clean.verdict.failed == 0 and found.verdict.failed > 0
    assert any("could not be judged" in note and "holes.npy[" in note for note in found.notes)
    assert found.path is not None and np.isfinite(qingzhou.load(found.path).predict([[5, 1, 1, 1]])[0].scores).all()


def quantized_rows(model: Path, rows: np.ndarray, path: Path) -> Any:
    qingzhou.use_language("en")
    np.save(path, rows)
    return qingzhou.quantize(model, path, path.with_suffix(".onnx"), any_speed=True, min_agreement=0)


def test_rows_of_nothing_but_holes(tmp_path: Path) -> None:
    iris = qingzhou.convert(basenn("tab_iris"), tmp_path / "iris.onnx").path
    np.save(tmp_path / "a.npy", np.full((20, 4), np.nan, np.float32))
    refused(DataError, "could be read.*not finite", iris, tmp_path / "a.npy")
    (tmp_path / "a.csv").write_text("a,b,c,d\n" + "1,2,3,4\n" * 9 + "1,nan,3,4\n", "utf-8")
    refused(InputError, "Line 11 of .*'nan'", iris, tmp_path / "a.csv")


def test_labels_that_the_model_does_not_know(lenet: Path, tmp_path: Path) -> None:
    """None of them: refused. Some of them: they are not judged, and it says how many."""
    qingzhou.use_language("en")
    shutil.copytree(DATA / "3", tmp_path / "data" / "lion")
    refused(LabelError, "lion", lenet, tmp_path / "data")
    for digit in "45":
        shutil.copytree(DATA / digit, tmp_path / "data" / digit)
    found = qingzhou.quantize(lenet, tmp_path / "data", tmp_path / "out.onnx", any_speed=True)
    every = len(list((tmp_path / "data").rglob("*.png")))
    assert found.verdict is not None
    assert found.verdict.judged + found.verdict.unknown["lion"] == every - found.calibrated
    assert any("(lion)" in note for note in found.notes)


def test_a_folder_without_pictures(lenet: Path, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("no picture", "utf-8")
    refused(DataError, "notes", lenet, tmp_path / "notes")


# -- a full memory --------------------------------------------------------------------------------------------------

FULL: dict[str, Exception] = {
    "python": MemoryError(),
    "c++": RuntimeError("std::bad_alloc"),
    "system": OSError(12, "Cannot allocate memory"),
}


def raising(err: Exception) -> Callable[..., Any]:
    def work(*inputs: Any, **options: Any) -> Any:
        raise err

    return work


@pytest.mark.parametrize("stage", ["observed", "judge", "look_at", "save"])
@pytest.mark.parametrize("kind", FULL)
def test_quantize_says_that_memory_was_full(
    kind: str, stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, folder = saved(tmp_path, classifier(WEIGHTS)), album(tmp_path / "p")
    monkeypatch.setattr(pipeline, stage, raising(FULL[kind]))
    words = ["quantize", str(model), "--data", str(folder), "--any-speed", "--min-agreement", "0"]
    for lang, said in (("en", "not enough memory"), ("zh", "内存不够")):
        done = CliRunner().invoke(main, [*words, "-o", str(tmp_path / lang) + "/out.onnx", "--lang", lang])
        assert done.exit_code == 1 and said in done.output and "Traceback" not in done.output
        assert not (tmp_path / lang).exists()
    told = json.loads(CliRunner().invoke(main, [*words, "-o", str(tmp_path / "out.onnx"), "--json"]).stdout)
    assert told["message"]


def test_a_model_that_is_written_by_half_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, folder, write = saved(tmp_path, classifier(WEIGHTS)), album(tmp_path / "p"), Path.write_bytes

    def half(path: Path, data: bytes) -> int:
        if ".qingzhou" in path.parent.suffix:
            write(path, data[: len(data) // 2])
            raise MemoryError
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", half)
    out = tmp_path / "out" / "a.onnx"
    done = CliRunner().invoke(
        main, ["quantize", str(model), "--data", str(folder), "--any-speed", "-o", str(out), "--min-agreement", "0"]
    )
    assert done.exit_code == 1 and not out.parent.exists()


@pytest.mark.parametrize("kind", FULL)
def test_export_says_so_too(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = saved(tmp_path, classifier(WEIGHTS))

    def half(source: Path, card: Any, out: Path, precision: str) -> Any:
        out.write_bytes(b"half of it")
        raise FULL[kind]

    monkeypatch.setitem(ENGINES, "onnxruntime", replace(ENGINES["onnxruntime"], compile=half))
    out = tmp_path / "out"
    out.mkdir()
    for lang, said in (("en", "not enough memory"), ("zh", "内存不够")):
        done = CliRunner().invoke(
            main, ["export", str(model), "--engine", "onnxruntime", "-o", str(out), "--lang", lang]
        )
        assert done.exit_code == 1 and said in done.output and "Traceback" not in done.output
        assert not list(out.iterdir())


LIMITED = """
import re, resource, sys
sys.path[:] = {path!r}
import numpy, onnx, onnxruntime, PIL.Image, rich.console, qingzhou.quant, qingzhou.present.quantized
from qingzhou.cli import main
now = int(re.search(r"VmSize:\\s+(\\d+)", open("/proc/self/status").read())[1]) << 10
resource.setrlimit(resource.RLIMIT_AS, (now + (30 << 20),) * 2)
main({words!r})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_a_memory_that_really_is_full(tmp_path: Path) -> None:
    """30 MB more than the libraries take are too few for a MobileNetV2."""
    model = qingzhou.convert(ORACLE / "trained" / "mobilenet_digits.pth", tmp_path / "m.onnx").path
    (tmp_path / "out").mkdir()
    words = ["quantize", str(model), "--data", str(DATA), "-o", str(tmp_path / "out"), "--lang", "en", "--json"]
    code = LIMITED.format(path=sys.path, words=words)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", timeout=600)
    assert done.returncode == 1 and "not enough memory" in json.loads(done.stdout)["message"]
    assert not list((tmp_path / "out").iterdir())
