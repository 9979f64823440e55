"""TorchScript: what torch itself answers, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from exported_files import ORACLE, apart, parts_of, run, stored

from qingzhou.errors import OptionError, UnsafeCheckpoint, UnsupportedCheckpoint
from qingzhou.info import read_info
from qingzhou.nets.recorded import Wanted
from qingzhou.sources.read import read_network
from qingzhou.sources.torchscript.code import parsed

NETWORKS = sorted(path.stem for path in ORACLE.glob("ts_*.pt"))


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_answer_as_torch_does(name: str, tmp_path: Path) -> None:
    expected = np.load(ORACLE / f"{name}.npz")
    for opset in (11, 13, 21):
        found = run(ORACLE / f"{name}.pt", expected, tmp_path / "net.onnx", opset)
        for i, one in enumerate(found):
            assert one.shape == expected[f"out_{i}"].shape
            assert apart(one, expected[f"out_{i}"]) <= 1e-5, opset


def test_the_shape_is_that_of_the_trace_with_a_free_batch() -> None:
    assert read_network(ORACLE / "ts_traced_vit.pt").graph.inputs[0].shape == ("batch", 3, 32, 32)


def test_the_shape_of_a_scripted_network_is_told_by_its_first_layer() -> None:
    network = read_network(ORACLE / "ts_scripted_two.pt")
    assert [value.shape for value in network.graph.inputs] == [("batch", 3, "height", "width"), ("batch", 4)]
    sized = read_network(ORACLE / "ts_frozen_mobilenet_v3.pt", Wanted(input_size=(40, 40)))
    assert sized.graph.inputs[0].shape == ("batch", 3, 40, 40)


def test_names_of_outputs_are_those_of_the_dict() -> None:
    assert [value.name for value in read_network(ORACLE / "ts_scripted_two.pt").graph.outputs] == ["scores", "age"]


def test_info_lists_the_tensors() -> None:
    shown = read_info(ORACLE / "ts_traced_lstm.pt")
    assert any("weight_ih_l0" in part.name for part in shown.parts)


def test_weights_that_are_not_in_the_file() -> None:
    with pytest.raises(UnsupportedCheckpoint, match="optimize_for_inference"):
        read_network(ORACLE / "refuse_without_weights.pt")


def changed(path: Path, old: str, new: str) -> Path:
    """ts_scripted_two with other code in its class."""
    parts = parts_of(ORACLE / "ts_scripted_two.pt")
    name = next(one for one in parts if one.endswith("code/__torch__.py"))
    text = parts[name].decode()
    assert old in text
    parts[name] = text.replace(old, new).encode()
    return stored(path, parts)


STEP = "z = torch.cat(_4, 1)"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("z = ops.mine.step(_3)", UnsupportedCheckpoint),
        ("z = __import__('os').system('x')", UnsupportedCheckpoint),
        ("z = open('x')", UnsupportedCheckpoint),
        ("z = torch.cat(_4, 1) + 1", UnsafeCheckpoint),
        ("z = lambda: 1", UnsafeCheckpoint),
        ("import os", UnsupportedCheckpoint),
        ("while True:\n      pass", UnsupportedCheckpoint),
        ("if bool(torch.gt(torch.sum(_3), 0)):\n      pass\n    z = torch.cat(_4, 1)", UnsupportedCheckpoint),
        ("z = (s).forward(picture, table, )", UnsupportedCheckpoint),
        ("z = torch.nonzero(_3)", UnsupportedCheckpoint),
        ("z = " + "(" * 90 + "_3" + ")" * 90, UnsafeCheckpoint),
        ("z = _3" + ".a" * 5000, UnsafeCheckpoint),
        ("z = " + "-" * 5000 + "1", UnsafeCheckpoint),
        ("z = torch.zeros([99999999, 99999999])", Exception),
    ],
)
def test_code_that_does_something_else(code: str, error: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(error) as caught:
        read_network(changed(tmp_path / "odd.pt", STEP, code))
    assert caught.type.__module__.startswith("qingzhou")


def test_a_program_is_parsed_and_nothing_else() -> None:
    part = parsed(
        b"class A(Module):\n  k : Final[int] = 3\n  def forward(self, x: Tensor) -> Tensor:\n    return x\n", "a"
    )
    assert list(part.classes["A"].methods) == ["forward"] and list(part.classes["A"].finals) == ["k"]


def test_without_a_layer_that_tells_the_shape_it_is_asked_for(tmp_path: Path) -> None:
    path = changed(tmp_path / "odd.pt", "c = s.c\n", "c = s.c\n    picture = torch.cumsum(picture, 1)\n")
    with pytest.raises(OptionError, match="how large the network's input is"):
        read_network(path)


def test_parts_that_unpack_to_more_than_they_say(tmp_path: Path) -> None:
    parts = parts_of(ORACLE / "ts_scripted_two.pt")
    name = next(one for one in parts if one.endswith("code/__torch__.py"))
    parts[name] = parts[name] + b"#" * (8 << 20)
    code = {key: data for key, data in parts.items() if key.endswith(".py")}
    packed = stored(tmp_path / "big.pt", {**parts, **code}, packed=True)
    with pytest.raises(UnsafeCheckpoint):
        read_network(packed)
