"""Weights alone, as paddle.save leaves them: known networks answer as Paddle does, others are told the way out."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dear import but_slow
from qingzhou.errors import UnsupportedCheckpoint
from qingzhou.graph.fold import simplify
from qingzhou.nets.match import recognise
from qingzhou.nets.paddle import MARK
from qingzhou.nets.recorded import Wanted
from qingzhou.onnxfile.emit import emit
from qingzhou.onnxfile.write import write_onnx
from qingzhou.runtime.engine.session import open_session
from qingzhou.sources.network import Network
from qingzhou.sources.read import read_network

ORACLE = Path(__file__).parents[1] / "oracle" / "paddle"
SHAPES: dict[str, dict[str, list[int]]] = json.loads((ORACLE / "states.json").read_text())
ANSWERS = np.load(ORACLE / "states.npz")
DEAR = ["resnet18", "squeezenet1_0", "shufflenet_v2_x0_5"]
SIZE = 64


def numbers(key: str, shape: list[int], seed: int) -> Any:
    """The same as in tests/oracle/paddle/make_states.py."""
    rng = np.random.Generator(np.random.PCG64([seed, *key.encode()]))
    if key.endswith("_variance"):
        return rng.uniform(0.7, 1.3, shape).astype(np.float32)
    if len(shape) < 2:
        return rng.normal(1 if key.endswith("weight") else 0, 0.1, shape).astype(np.float32)
    fan = shape[0] if len(shape) == 2 else int(np.prod(shape[1:]))
    return (rng.standard_normal(shape) * (1.5 / fan) ** 0.5).astype(np.float32)


def safetensors(path: Path, arrays: dict[str, Any]) -> Path:
    header: dict[str, Any] = {}
    place = 0
    for key, array in arrays.items():
        ends = [place, place + array.nbytes]
        header[key] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": ends}
        place = ends[1]
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(array.tobytes() for array in arrays.values()))
    return path


def scores(network: Network, folder: Path, x: Any) -> Any:
    write_onnx(folder / "x.onnx", emit(simplify(network.graph), 13, 8))
    session = open_session(folder / "x.onnx")
    return session.run(None, {session.get_inputs()[0].name: x})[0]


def soft(x: Any) -> Any:
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


@pytest.mark.parametrize("name", but_slow(list(SHAPES), DEAR))
def test_known_networks(name: str, tmp_path: Path) -> None:
    seed = list(SHAPES).index(name)
    arrays = {key: numbers(key, shape, seed) for key, shape in SHAPES[name].items()}
    network = read_network(safetensors(tmp_path / "net.safetensors", arrays), Wanted(input_size=(SIZE, SIZE)))
    found = scores(network, tmp_path, numbers("image", [1, 3, SIZE, SIZE], seed) * 30)
    assert np.abs(found - soft(ANSWERS[name])).max() < 1e-5
    assert network.graph.tensors.keys() == arrays.keys() and network.card.tool == "PaddlePaddle"
    assert {"resize", "normalize", "color"} <= set(network.card.assumed)


@pytest.mark.parametrize("suffix", [".pdparams", ".bin"])
def test_a_state_dict_of_paddle(suffix: str, tmp_path: Path) -> None:
    """Known by what it holds, whatever it is called."""
    path = tmp_path / f"net{suffix}"
    shutil.copy(ORACLE / "lenet_pdparams" / "state.pdparams", path)
    expected = np.load(ORACLE / "lenet_pdparams" / "reference.npz")
    network = read_network(path)
    found = np.concatenate([scores(network, tmp_path, x[None]) for x in expected["x"]])
    assert np.abs(found - soft(expected["y"])).max() < 1e-5
    assert network.card.network == "LeNet" and any("taken to be arranged" in note for note in network.card.notes)


def test_another_size_of_lenet() -> None:
    network = read_network(ORACLE / "digits_trained" / "model.pdparams")
    assert network.card.input.shape == [1, 1, 24, 24] and network.classes == 10


def test_the_other_activation_is_told() -> None:
    """ShuffleNetV2 with Swish has the same tensors."""
    shapes = {MARK + key: tuple(shape) for key, shape in _as_torch("shufflenet_v2_x0_5").items()}
    assert any("shufflenet_v2_swish" in note for note in recognise(shapes).recorded.notes)


def _as_torch(name: str) -> dict[str, list[int]]:
    last = {"_mean": "running_mean", "_variance": "running_var"}
    found = {}
    for key, shape in SHAPES[name].items():
        layer, _, part = key.rpartition(".")
        found[f"{layer}.{last.get(part, part)}"] = shape[::-1] if len(shape) == 2 else shape
    return found


def test_vgg_by_its_shapes() -> None:
    """Four hundred megabytes that need not be."""
    shapes: dict[str, tuple[int, ...]] = {}
    before = 3
    for place, channels in ((0, 64), (3, 128), (6, 256), (8, 256), (11, 512), (13, 512), (16, 512), (18, 512)):
        shapes[f"{MARK}features.{place}.weight"] = (channels, before, 3, 3)
        shapes[f"{MARK}features.{place}.bias"] = (channels,)
        before = channels
    for place, (out, inner) in {0: (4096, 25088), 3: (4096, 4096), 6: (5, 4096)}.items():
        shapes[f"{MARK}classifier.{place}.weight"] = (out, inner)
        shapes[f"{MARK}classifier.{place}.bias"] = (out,)
    match = recognise(shapes)
    assert match.title == "VGG-11" and match.tool == "Paddle"


def test_a_network_of_ones_own(tmp_path: Path) -> None:
    path = safetensors(tmp_path / "own.safetensors", {"a._variance": np.ones(3, np.float32)})
    with pytest.raises(UnsupportedCheckpoint, match=r"paddle\.jit\.save"):
        read_network(path)


@pytest.mark.parametrize(("name", "said"), [("model.pdopt", "optimizer"), ("model.pdparams", "weights only")])
def test_what_training_leaves(name: str, said: str) -> None:
    with pytest.raises(UnsupportedCheckpoint, match=said):
        read_network(ORACLE / "refuse_training_program" / name)
