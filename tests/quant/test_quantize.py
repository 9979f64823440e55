"""quantize from the file to the file: real digits, held-out figures counted again, and what keeps it from writing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from networks import WEIGHTS, album, classifier, saved
from onnx import TensorProto
from onnxruntime.quantization import QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

import qingzhou
from passengers import DIGITS, ORACLE, basenn, digits
from qingzhou.quant import Quantized
from qingzhou.quant.pair import paired_drop
from qingzhou.quant.split import split
from qingzhou.quant.target import here
from qingzhou.runtime.predict import Predictor

DATA = DIGITS / "test"


@pytest.fixture(scope="module")
def lenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return qingzhou.convert(ORACLE / "trained" / "lenet_digits.pth", tmp_path_factory.mktemp("lenet")).path


@pytest.fixture(scope="module")
def small(lenet: Path) -> Quantized:
    return qingzhou.quantize(lenet, DATA, any_speed=True)


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# -- what comes out -------------------------------------------------------------------------------------------------


def test_the_digits_are_right_as_often_as_before(lenet: Path, small: Quantized) -> None:
    """Counted again, with the file that was written, on exactly the pictures that did not calibrate."""
    assert small.path == lenet.with_name("lenet_digits.int8.onnx") and small.verdict is not None
    calibrated = {case.source for case in split(DATA).calibration}
    held_out = [(path, digit) for path, digit in digits() if not any(str(path).endswith(s) for s in calibrated)]
    assert (len(calibrated), len(held_out), small.verdict.judged, small.calibrated) == (100, 397, 397, 100)
    right = [
        sum(model.predict(path).label == digit for path, digit in held_out)
        for model in (qingzhou.load(lenet), qingzhou.load(small.path))
    ]
    assert small.verdict.figures() == tuple(count / 397 for count in right)
    assert small.verdict.drop.drop <= 0.003
    assert right[1] >= 385


@pytest.mark.slow
def test_a_mobilenet_loses_nothing(tmp_path: Path) -> None:
    """MobileNetV2 on real digits, known to lose where activations are rounded carelessly."""
    model = qingzhou.convert(ORACLE / "trained" / "mobilenet_digits.pth", tmp_path / "digits.onnx")
    found = qingzhou.quantize(model.path, DATA, any_speed=True)
    assert found.verdict is not None and found.verdict.judged == 397
    assert found.verdict.drop.drop <= 0.003 and found.verdict.figures()[1] >= 0.985
    assert found.sizes[1] <= 0.27 * found.sizes[0]


@pytest.mark.slow
def test_a_mobilenet_v3_does_not_collapse(tmp_path: Path) -> None:
    """The small one on real digits, whose gates and hard swishes are known to break: the promise is kept, and
    onnxruntime's own quantiser, calibrated with the same pictures, is not better on the others.
    """
    path = ORACLE / "trained_v3" / "checkpoint.pth"
    model = qingzhou.convert(path, tmp_path / "v3.onnx", input_size=(64, 64))
    found = qingzhou.quantize(model.path, DATA, any_speed=True)
    assert found.path is not None and found.verdict is not None and found.plan is not None
    assert found.verdict.judged == 397 and found.verdict.figures()[0] >= 0.98
    assert found.verdict.drop.drop <= 0.005 and found.sizes[1] <= 0.4 * found.sizes[0]
    theirs, ours = by_onnxruntime(model, tmp_path / "theirs.onnx"), qingzhou.load(found.path)
    pairs = [[one.predict(case.data).label == case.truth for one in (theirs, ours)] for case in split(DATA).held_out]
    lost, won = sum(a and not b for a, b in pairs), sum(b and not a for a, b in pairs)
    assert paired_drop(lost, won, len(pairs)).low <= 0


def by_onnxruntime(model: qingzhou.Model, out: Path) -> Predictor:
    """Its static quantiser as its documentation has it: QDQ, each channel its scale."""
    feeds = iter([{model.card.input.name: model.predictor.prepare(case.data)} for case in split(DATA).calibration])
    reader = SimpleNamespace(get_next=lambda: next(feeds, None))
    prepared = out.with_suffix(".prepared.onnx")
    quant_pre_process(model.path, prepared, skip_symbolic_shape=True)
    quantize_static(prepared, out, reader, per_channel=True, activation_type=QuantType.QUInt8)
    return Predictor(out, model.card)


def test_a_quarter_of_the_size_apart_from_what_is_not_weights(lenet: Path, small: Quantized) -> None:
    assert small.path is not None
    assert small.sizes == (lenet.stat().st_size, small.path.stat().st_size)
    assert small.sizes[1] < 0.33 * small.sizes[0]


def test_the_file_is_what_boards_take(small: Quantized) -> None:
    proto = onnx.load(small.path)
    onnx.checker.check_model(proto, full_check=True)
    assert proto.ir_version <= 8
    assert [entry.domain for entry in proto.opset_import] == [""]
    kinds = {tensor.data_type for tensor in proto.graph.initializer if len(tensor.dims) >= 2}
    assert kinds == {TensorProto.INT8}


def test_the_card_tells_and_the_check_passes(lenet: Path, small: Quantized) -> None:
    model = qingzhou.load(small.path)
    told = model.card.origin["quantised"]
    assert (told["precision"], told["calibrated"], told["judged"], told["measure"]) == ("int8", 100, 397, "top-1")
    assert model.card.labels == qingzhou.load(lenet).card.labels
    assert model.check() <= model.card.sample.tolerance
    assert model.card.sample.output != qingzhou.load(lenet).card.sample.output  # its own answer


def test_the_program_beside_it_runs(small: Quantized) -> None:
    picture = next(path for path, digit in digits() if digit == "7")
    done = subprocess.run([sys.executable, small.program, picture], capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0 and "7" in done.stdout


def test_plain_values_for_scripts(small: Quantized) -> None:
    told = json.loads(json.dumps(small.as_dict()))
    assert told["better"] and told["kept_promise"] and told["model"] == str(small.path)
    assert told["accuracy"]["judged"] == 397
    assert len(told["plan"]["layers"]) == 5 and not any(layer["kept"] for layer in told["plan"]["layers"])


def test_the_same_again(lenet: Path, small: Quantized, tmp_path: Path) -> None:
    again = qingzhou.quantize(lenet, DATA, tmp_path / "again.onnx", any_speed=True)
    assert onnx.load(again.path).graph == onnx.load(small.path).graph


@pytest.mark.parametrize("target", ["vnni", "arm", "tensorrt"])
def test_for_other_devices(lenet: Path, target: str, tmp_path: Path) -> None:
    """Judged by their arithmetic, not by this machine's; not timed here unless this machine is such a one."""
    found = qingzhou.quantize(lenet, DATA, tmp_path, target=target, any_speed=True)
    assert (found.timing is not None) is (target == here())
    assert found.target == target and found.verdict is not None and found.path is not None
    assert found.verdict.drop.drop <= 0.005
    graph = onnx.load(found.path).graph
    zeros = {node.input[2] for node in graph.node if node.op_type == "QuantizeLinear"}
    kind = TensorProto.INT8 if target == "tensorrt" else TensorProto.UINT8
    assert zeros and {tensor.data_type for tensor in graph.initializer if tensor.name in zeros} == {kind}


def test_of_the_newest_opset(tmp_path: Path) -> None:
    """onnxruntime refused its own rewriting of int8 activations there."""
    model = qingzhou.convert(ORACLE / "trained" / "lenet_digits.pth", tmp_path, opset=21)
    found = qingzhou.quantize(model.path, DATA, tmp_path, target="tensorrt", any_speed=True)
    assert found.path is not None
    made = qingzhou.load(found.path).predictor
    assert made.card.sample is not None
    answer, expected = made.run(made.feed(made.card.sample))[0], made.card.sample.output
    # an x86 without VNNI adds pairs of such products in 16 bits, which overflow: there only the class is the same
    assert np.argmax(answer) == np.argmax(expected)
    assert here() == "x86" or np.allclose(answer, expected, atol=0.01)


def test_rows_of_a_table(tmp_path: Path) -> None:
    """A BaseNN network on numbers, with answers that are its own: INT8 repeats them."""
    model = qingzhou.convert(basenn("tab_reg"), tmp_path / "rows.onnx")
    inputs = np.random.default_rng(0).normal(0, 1, (80, model.card.input.shape[1])).astype(np.float32)
    answers = [float(model.predict(row).scores[0]) for row in inputs]
    table = tmp_path / "rows.csv"
    table.write_text(
        "\n".join(
            [
                ",".join([*(f"x{n}" for n in range(inputs.shape[1])), "y"]),
                *(",".join(map(repr, [*map(float, row), answer])) for row, answer in zip(inputs, answers, strict=True)),
            ]
        ),
        "utf-8",
    )
    found = qingzhou.quantize(model.path, table, any_speed=True, max_drop=5)
    assert found.verdict is not None and found.verdict.measure == "R²"
    assert found.verdict.figures()[0] == pytest.approx(1)
    assert found.verdict.figures()[1] > 0.95


@pytest.mark.parametrize("name", ["rows.csv", "rows.npz", "rows.npy"])
def test_rows_without_answers(name: str, tmp_path: Path) -> None:
    """As run takes them: just the numbers. INT8 is judged by how often it says what the model said."""
    model = qingzhou.convert(basenn("tab_iris"), tmp_path / "iris.onnx")
    rows = np.random.default_rng(0).normal(4, 2, (80, 4)).astype(np.float32)
    path = tmp_path / name
    if name == "rows.csv":
        np.savetxt(path, rows, delimiter=",", header="a,b,c,d", comments="")
    elif name == "rows.npz":
        np.savez(path, data=rows)
    else:
        np.save(path, rows)
    found = qingzhou.quantize(model.path, path, any_speed=True, min_agreement=0)
    assert found.verdict is not None and not found.verdict.labelled
    assert (found.calibrated, found.verdict.judged) == (40, 40) and found.verdict.figures()[1] >= 0.8


# -- the promise ----------------------------------------------------------------------------------------------------


def test_a_promise_that_cannot_be_kept_writes_nothing(tmp_path: Path) -> None:
    """Five channels that differ by less than INT8 can tell: what is nearly a tie falls the other way."""
    rng = np.random.default_rng(0)
    nearly = np.abs(WEIGHTS[:1]) + rng.normal(0, 1e-4, WEIGHTS.shape)
    model = saved(tmp_path, classifier(nearly))
    folder = album(tmp_path / "p", 60)
    before = files(tmp_path)
    found = qingzhou.quantize(model, folder, min_agreement=100, any_speed=True)
    assert not found.kept_promise and not found.better and found.path is None and found.program is None
    assert found.verdict is not None and not found.verdict.labelled
    assert found.verdict.figures()[1] < 1
    assert files(tmp_path) == before
    qingzhou.use_language("en")
    assert "more than was allowed" in found.explanation


def test_without_answers_it_says_that_this_is_no_accuracy(lenet: Path, tmp_path: Path) -> None:
    album = tmp_path / "album"
    album.mkdir()
    for number, (path, _) in enumerate(digits()):
        if number % 8 == 0:
            (album / path.name).write_bytes(path.read_bytes())
    found = qingzhou.quantize(lenet, album, tmp_path, any_speed=True)
    assert found.verdict is not None and not found.verdict.labelled
    assert found.verdict.figures()[0] == 1 and found.verdict.figures()[1] >= 0.95
    qingzhou.use_language("en")
    assert "nobody knows" in found.explanation


def test_nothing_is_written_where_it_is_not_faster(
    lenet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock is bent, since a machine may be fast or slow: INT8 takes twice as long."""
    from qingzhou.quant import pipeline
    from qingzhou.quant.timing import Timing

    monkeypatch.setattr(pipeline, "compare", lambda before, after: Timing(1.0, 2.0, 0.5, 0.45, 0.55))
    found = qingzhou.quantize(lenet, DATA, tmp_path)
    assert found.kept_promise and not found.fast_enough and found.path is None and not files(tmp_path)
    qingzhou.use_language("en")
    assert "slower" in found.explanation and "0.50" in found.explanation
    qingzhou.use_language("zh")
    assert "更慢" in found.explanation
