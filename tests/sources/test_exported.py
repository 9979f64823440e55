"""Programs of torch.export: what torch itself answers, operator by operator and network by network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from exported_files import ORACLE, answers, apart, operators, run, with_program, write_operator

from qingzhou.conversion import run_conversion
from qingzhou.errors import OptionError, UnsupportedCheckpoint
from qingzhou.model import load
from qingzhou.nets.recorded import Wanted
from qingzhou.options import Options
from qingzhou.sources.exported.expr import parsed, shown
from qingzhou.sources.read import read_network

NETWORKS = sorted(path.stem for path in ORACLE.glob("pt2_*.pt2"))
LOOSE = {"pt2_half": 5e-3, "pt2_gru_core": 2e-5}  # float16 weights; a chain of seven steps
OPERATORS = operators()
ANSWERS = answers()


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_answer_as_torch_does(name: str, tmp_path: Path) -> None:
    expected = np.load(ORACLE / f"{name}.npz")
    for opset in (11, 13, 21):
        found = run(ORACLE / f"{name}.pt2", expected, tmp_path / "net.onnx", opset)
        for i, one in enumerate(found):
            assert one.shape == expected[f"out_{i}"].shape
            assert apart(one, expected[f"out_{i}"]) <= LOOSE.get(name, 1e-5), opset


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_operators_answer_as_torch_does(name: str, tmp_path: Path) -> None:
    path = write_operator(tmp_path / "net.pt2", OPERATORS[name])
    found = run(path, {"in_0": ANSWERS["x"]}, tmp_path / "net.onnx")
    for i, one in enumerate(found):
        key = f"{name.partition('@')[0]}.{i}"
        assert one.shape == tuple(ANSWERS[f"{key}.shape"].astype(int))
        flat = one.reshape(-1)
        assert apart(flat[:: max(1, flat.size // 40)], ANSWERS[key]) <= 2e-5


def test_every_answer_is_compared() -> None:
    assert all(f"{name.partition('@')[0]}.0" in ANSWERS for name in OPERATORS) and len(OPERATORS) > 200


def test_names_of_inputs_and_outputs_are_those_of_forward(tmp_path: Path) -> None:
    done = run_conversion(ORACLE / "pt2_two_inputs_dict.pt2", tmp_path / "two.onnx")
    card = done.model.card
    assert [entry.name for entry in card.inputs] == ["picture", "table"]
    assert card.output.name == "scores" and card.output.scores == "probabilities"
    model = load(done.model.path)
    answer = model.predict({"picture": np.zeros((20, 24, 3), np.uint8), "table": [0.1, 0.2, 0.3, 0.4]})
    assert answer.scores.shape == (3,) and model.check() < 1e-3


def test_a_program_of_several_inputs_runs_beside_its_model(tmp_path: Path) -> None:
    done = run_conversion(ORACLE / "pt2_two_inputs_dict.pt2", tmp_path / "two.onnx")
    assert "several inputs" in done.program.read_text("utf-8")


def test_pictures_are_prepared_as_assumed_and_that_is_said(tmp_path: Path) -> None:
    card = run_conversion(ORACLE / "pt2_vit.pt2", tmp_path / "vit.onnx").model.card
    assert (card.input.kind, card.task, card.assumed) == (
        "image", "classification", ["resize", "color", "normalize", "labels"],
    )  # fmt: skip
    assert any("fixed at 1" in note for note in card.notes) and card.network


def test_any_size_of_pictures(tmp_path: Path) -> None:
    """Height and width that are free stay so, and the network answers in the picture's own size."""
    path = ORACLE / "pt2_unet_any_size.pt2"
    picture = np.random.default_rng(0).random((1, 3, 64, 96), np.float32)
    (found,) = run(path, {"in_0": picture}, tmp_path / "net.onnx")
    assert found.shape == (1, 2, 64, 96)
    entry = read_network(path).card.input
    assert entry.sides() == (None, None) and not any(step["op"] == "resize" for step in entry.steps)
    sized = read_network(path, Wanted(input_size=(32, 48))).card.input
    assert sized.sides() == (32, 48)


def test_a_size_that_the_program_does_not_have() -> None:
    with pytest.raises(OptionError, match="was exported for inputs of 32 x 32"):
        read_network(ORACLE / "pt2_vit.pt2", Wanted(input_size=(64, 64)))


def test_tied_weights_and_views_are_read_where_they_lie() -> None:
    network = read_network(ORACLE / "pt2_odd_storage.pt2")
    assert {"view", "b.weight", "k", "gain"} <= set(network.graph.tensors)
    assert network.graph.tensors["view"] == (8,)


def test_a_fixed_batch_is_freed_where_nothing_depends_on_it() -> None:
    assert read_network(ORACLE / "pt2_lstm_text.pt2").graph.inputs[0].shape == ("batch", 9)


# -- refused by name ---------------------------------------------------------------------------------------------------


def test_training_mode() -> None:
    with pytest.raises(UnsupportedCheckpoint) as caught:
        read_network(ORACLE / "refuse_train_mode.pt2")
    assert "model.eval()" in caught.value.en and "batch_norm(training=True)" in caught.value.en
    assert "model.eval()" in caught.value.zh


def _target(name: str):  # type: ignore[no-untyped-def]
    def change(program: dict) -> None:  # type: ignore[type-arg]
        program["graph_module"]["graph"]["nodes"][1]["target"] = name

    return change


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("torch.ops.aten.fft_rfft.default", "fft_rfft"),
        ("torch.ops.aten.rand_like.default", "random numbers"),
        ("torch.ops.aten.nonzero.default", "depends on the input"),
        ("torch.ops.higher_order.cond", "torch.cond"),
        ("torch.ops.torchvision.nms.default", "operator of another package"),
        ("torch.ops.aten.quantize_per_tensor.default", "quantised"),
    ],
)
def test_operators_that_are_not_known(target: str, words: str, tmp_path: Path) -> None:
    path = with_program(tmp_path / "odd.pt2", ORACLE / "pt2_two_inputs_dict.pt2", _target(target))
    with pytest.raises(UnsupportedCheckpoint, match=words) as caught:
        read_network(path)
    assert caught.value.zh != caught.value.en


def test_what_other_versions_write(tmp_path: Path) -> None:
    def newer(program: dict) -> None:  # type: ignore[type-arg]
        program["schema_version"]["major"] = 9

    with pytest.raises(UnsupportedCheckpoint, match="version 9"):
        read_network(with_program(tmp_path / "new.pt2", ORACLE / "pt2_two_inputs_dict.pt2", newer))


# -- sizes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("Symbol('s77', positive=True, integer=True)", "batch"),
        ("Mul(Integer(2), Symbol('s77', integer=True))", "2*batch"),
        ("Add(Integer(1), Mul(Integer(-1), Symbol('s3')))", "(1+-1*s3)"),
        ("FloorDiv(Symbol('s77'), Integer(2))", "floordiv(batch,2)"),
        ("Integer(7)", 7),
    ],
)
def test_sizes_are_read_by_a_grammar(text: str, size: int | str) -> None:
    assert shown(parsed(text), {"s77": "batch"}) == size


def test_options_reach_the_labels(tmp_path: Path) -> None:
    options = Options(labels=["a", "b", "c", "d", "e", "f"])
    card = run_conversion(ORACLE / "pt2_vit.pt2", tmp_path / "vit.onnx", options).model.card
    assert card.labels == ["a", "b", "c", "d", "e", "f"]
