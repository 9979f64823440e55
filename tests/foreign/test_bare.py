"""What an .onnx is asked without a card: check, run with arrays, bench, export, info."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from click.testing import CliRunner

import foreign_files as files
import qingzhou
from qingzhou.bare import check_bare, run_arrays
from qingzhou.bench import bench
from qingzhou.cli import main
from qingzhou.engines import compile_for
from qingzhou.errors import EngineError, InputError, ModelError, NoCard, QingzhouError
from qingzhou.info import read_info

MAKERS = [
    files.torch_classifier, files.torch_default, files.tensorflow, files.paddle, files.caffe2, files.half, files.state,
    files.scikit, files.words, files.two_inputs, files.ultralytics, files.quantized,
]  # fmt: skip


@pytest.mark.parametrize("make", MAKERS)
def test_check_runs_it_in_several_ways(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    found = check_bare(make(tmp_path / "net.onnx"))
    assert found.agree and {"onnxruntime", "onnxruntime (optimised)"} <= set(found.ways)
    assert ("openvino" in found.ways) != ("openvino" in found.left)


def test_check_says_what_engines_cannot(tmp_path: Path) -> None:
    left = check_bare(files.scikit(tmp_path / "net.onnx")).left
    assert "LinearClassifier" in left["openvino"].en


def test_arrays_by_their_names_give_all_outputs(tmp_path: Path) -> None:
    path = files.two_inputs(tmp_path / "net.onnx")
    a, b = np.arange(4, dtype=np.float64)[None], np.full((1, 4), 3)  # other types than the network's
    np.savez(tmp_path / "in.npz", a=a, b=b)
    (ran,) = run_arrays(path, [tmp_path / "in.npz"], tmp_path / "kept")
    np.testing.assert_array_equal(ran.outputs["sum"], a + b)
    np.testing.assert_array_equal(ran.outputs["product"], a * b)
    with np.load(tmp_path / "kept" / "in_result.npz") as saved:
        np.testing.assert_array_equal(saved["product"], a * b)


def test_texts_sequences_and_maps_are_shown(tmp_path: Path) -> None:
    np.savez(tmp_path / "row.npz", X=np.ones((2, 4), np.float32))
    (ran,) = run_arrays(files.scikit(tmp_path / "net.onnx"), [tmp_path / "row.npz"])
    assert ran.outputs["label"].shape == (2,)
    assert set(ran.outputs["output_probability"][0]) == {"setosa", "versicolor", "virginica"}
    json.dumps(ran.as_dict())
    np.savez(tmp_path / "town.npz", town=np.array([["b"], ["a"]]))
    (ran,) = run_arrays(files.words(tmp_path / "words.onnx"), [tmp_path / "town.npz"])
    np.testing.assert_array_equal(ran.outputs["y"], [[2], [1]])


def test_weights_beside_it(tmp_path: Path) -> None:
    path = files.torch_default(tmp_path / "net.onnx")
    batch = np.random.default_rng(0).random((1, 3, 32, 32)).astype(np.float32)
    np.savez(tmp_path / "x.npz", batch)  # one array is the one input, whatever it is called
    (ran,) = run_arrays(path, [tmp_path / "x.npz"])
    expected = onnxruntime.InferenceSession(str(path)).run(None, {"x": batch})[0]
    np.testing.assert_allclose(ran.outputs["y"], expected, rtol=1e-6)


def test_what_does_not_fit_is_said(tmp_path: Path) -> None:
    path = files.two_inputs(tmp_path / "net.onnx")
    np.savez(tmp_path / "in.npz", c=np.zeros((1, 4)))
    with pytest.raises(InputError, match=r"a \(float32 \[1, 4\]\)"):
        run_arrays(path, [tmp_path / "in.npz"])
    np.savez(tmp_path / "in.npz", a=np.zeros((1, 5)), b=np.zeros((1, 4)))
    with pytest.raises(InputError, match="refused"):
        run_arrays(path, [tmp_path / "in.npz"])
    (tmp_path / "cat.jpg").write_bytes(b"\xff\xd8")
    with pytest.raises(InputError, match=r"qingzhou convert net\.onnx"):
        run_arrays(path, [tmp_path / "cat.jpg"])


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_verbs_of_the_command_line(tmp_path: Path, lang: str) -> None:
    path = str(files.torch_classifier(tmp_path / "net.onnx"))
    for verb in ("check", "run", "info"):
        done = CliRunner().invoke(main, [verb, path, "--lang", lang])
        assert done.exit_code == 0, done.output
        assert "qingzhou convert" in done.output
    done = CliRunner().invoke(main, ["check", path, "--json"])
    assert json.loads(done.output)["passed"] is True


@pytest.mark.parametrize("verb", [["evaluate", "DATA"], ["quantize", "--data", "DATA"], ["bundle", "--device", "pi5"]])
def test_what_needs_a_card_says_how_to_get_one(tmp_path: Path, verb: list[str]) -> None:
    path = files.torch_classifier(tmp_path / "net.onnx")
    (tmp_path / "data").mkdir()
    words = [str(tmp_path / "data") if word == "DATA" else word for word in verb]
    done = CliRunner().invoke(main, [words[0], str(path), *words[1:], "--lang", "en"])
    assert done.exit_code == 1 and "qingzhou convert net.onnx" in done.output
    assert sorted(one.name for one in tmp_path.iterdir()) == ["data", "net.onnx"]


@pytest.mark.parametrize("make", [files.torch_default, files.two_inputs, files.half])
@pytest.mark.parametrize("engine", ["openvino", "ncnn"])
def test_export(tmp_path: Path, make: Callable[[Path], Path], engine: str) -> None:
    made = compile_for(engine, make(tmp_path / "net.onnx"))
    assert made.difference is not None and made.difference.small
    assert [path.parent for path in made.files] == [tmp_path] * 2


def test_export_of_what_engines_do_not_know(tmp_path: Path) -> None:
    for make in (files.scikit, files.words):
        with pytest.raises(QingzhouError):
            compile_for("openvino", make(tmp_path / "net.onnx"))
    with pytest.raises(ModelError, match=r"qingzhou convert net\.onnx"):
        compile_for("onnxruntime", files.torch_classifier(tmp_path / "net.onnx"))
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]


def test_bench_of_several_inputs_and_of_weights_beside(tmp_path: Path) -> None:
    paths = [files.two_inputs(tmp_path / "two.onnx"), files.torch_default(tmp_path / "one.onnx")]
    report = bench(paths, ["onnxruntime"], ["fp32"])
    assert [row.candidate.model.name for row in report.rows] == ["two.onnx", "one.onnx"]
    assert all(row.error is None for row in report.rows)
    assert isinstance(bench([files.words(tmp_path / "w.onnx")], ["onnxruntime"]).rows[0].error, EngineError)


def test_in_python_it_has_no_card(tmp_path: Path) -> None:
    with pytest.raises(NoCard, match="qingzhou convert"):
        qingzhou.load(files.torch_classifier(tmp_path / "net.onnx"))


# -- info -----------------------------------------------------------------------------------------------------------


def test_info_has_inputs_outputs_and_parameters(tmp_path: Path) -> None:
    count = 8 * 27 + 8 * 72 + 3 * 8 + 3
    for make, parameters in ((files.paddle, count), (files.torch_default, count), (files.caffe2, count - 3)):
        info = read_info(make(tmp_path / "net.onnx"))
        assert info.parameters == parameters and len(info.inputs) == len(info.outputs) == 1
    info = read_info(files.state(tmp_path / "net.onnx"))
    assert info.parameters == 8 + 2 * 64  # these are in the If
    assert info.inputs == {"input": "float32 [batch, 8]", "state": "float32 [2, batch, 8]", "sr": "int64 []"}


def test_info_reckons_macs_only_where_sizes_are_known(tmp_path: Path) -> None:
    assert read_info(files.torch_classifier(tmp_path / "net.onnx")).macs > 0
    info = read_info(files.torch_classifier(tmp_path / "net.onnx", (1, 3, "h", "w")))
    assert info.macs == 0 and any("h, w" in note for note in info.notes)


def test_info_says_where_it_does_not_run(tmp_path: Path) -> None:
    info = read_info(files.scikit(tmp_path / "net.onnx"))
    assert info.domains == {"ai.onnx": 13, "ai.onnx.ml": 1}
    assert info.outputs["output_probability"] == "sequence(map(str, float32))"
    told = " ".join(info.notes)
    assert "--ir-version 8" in told and "OpenVINO" in told and "ncnn" in told
    old = " ".join(read_info(files.torch_classifier(tmp_path / "old.onnx")).notes)
    assert "--ir-version" not in old


def test_info_names_people_nowhere_but_says_that_they_are_there(tmp_path: Path) -> None:
    info = read_info(files.torch_default(tmp_path / "net.onnx"))
    told = json.dumps(info.as_dict())
    assert "zhang_san" not in told and "7" in told and any("net.onnx.data" in note for note in info.notes)


def test_info_has_labels_and_no_endless_lists(tmp_path: Path) -> None:
    assert read_info(files.ultralytics(tmp_path / "net.onnx")).labels == ["cat", "dog"]
    assert read_info(files.scikit(tmp_path / "net.onnx")).labels == ["setosa", "versicolor", "virginica"]
    assert "names" not in read_info(files.ultralytics(tmp_path / "net.onnx")).facts
