"""MindSpore's checkpoints: MindCV's networks are known by their tensors; the rest is said how to export."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numbers_of_mindcv import draw, picture
from test_mindspore import ORACLE, answers

from dear import but_slow
from mindspore_files import checkpoint
from qingzhou.conversion import run_conversion
from qingzhou.errors import CheckpointDamaged, OptionError, UnsupportedCheckpoint, use_language
from qingzhou.info import read_info
from qingzhou.nets.mindcv import MINDCV as MINDCV_PAGES
from qingzhou.nets.recorded import Wanted
from qingzhou.nets.settings import Settings
from qingzhou.options import Options
from qingzhou.sources.mindspore.weights import tensors_in
from qingzhou.sources.read import read_network
from qingzhou.sources.source import Opened
from qingzhou.sources.table import open_source

MINDCV = Path(__file__).parents[1] / "oracle" / "mindcv"
TOLD: Mapping[str, Any] = json.loads((MINDCV / "networks.json").read_text("utf-8"))
ANSWERS = np.load(MINDCV / "answers.npz")
TITLES = {
    "lenet": "LeNet-5", "mobilenet_v1_025": "MobileNetV1 0.25x", "mobilenet_v2_035_224": "MobileNetV2 0.35x",
    "mobilenet_v2_140": "MobileNetV2 1.4x", "mobilenet_v3_large_075": "MobileNetV3 large 0.75x",
    "mobilenet_v3_small_100": "MobileNetV3 small 1x", "resnet18": "ResNet-18", "resnext50_32x4d": "ResNeXt-50 32x4d",
    "shufflenet_v2_x0_5": "ShuffleNetV2 0.5x", "squeezenet1_0": "SqueezeNet 1.0", "squeezenet1_1": "SqueezeNet 1.1",
}  # fmt: skip


def written(name: str, folder: Path) -> Path:
    path = folder / f"{name}.ckpt"
    path.write_bytes(checkpoint(draw(TOLD[name]["entries"])))
    return path


@pytest.mark.parametrize("name", but_slow(sorted(TITLES), ["resnet18", "resnext50_32x4d"]))
def test_mindcvs_networks_answer_as_they_do_there(name: str, tmp_path: Path) -> None:
    side = TOLD[name]["side"]
    network = read_network(written(name, tmp_path), Wanted(input_size=(side, side)))
    assert network.card.network == TITLES[name] and network.classes == 7 and not network.unused
    assert set(network.graph.tensors) == {key for key, _ in TOLD[name]["entries"]}
    (found,) = answers(network, tmp_path / "x.onnx", 13, [picture(1 if name == "lenet" else 3, side)])
    logits = ANSWERS[name].astype(np.float64)
    wanted = np.exp(logits - logits.max(axis=1, keepdims=True))
    wanted /= wanted.sum(axis=1, keepdims=True)
    assert wanted.max() < 0.999  # else nothing would show
    assert np.abs(np.log(found) - np.log(wanted)).max() < 2e-5 * max(1.0, np.abs(logits).max())


def test_a_vgg_is_known_by_its_shapes() -> None:
    """Of 500 MB, which are not written here: every tensor has its place, and no other."""
    for depth, convs in ((11, (1, 1, 2, 2, 2)), (16, (2, 2, 3, 3, 3))):
        shapes, place, before = {}, 0, 3
        for stage, repeats in enumerate(convs):
            for _ in range(repeats):
                shapes[f"features.{place}.weight"] = (min(64 << stage, 512), before, 3, 3)
                place, before = place + 2, min(64 << stage, 512)
            place += 1
        for i, (rows, columns) in {0: (4096, 25088), 3: (4096, 4096), 6: (7, 4096)}.items():
            shapes |= {f"classifier.{i}.weight": (rows, columns), f"classifier.{i}.bias": (rows,)}
        found = [one for page in MINDCV_PAGES for one in page.candidates(shapes, Settings())]
        assert [one.title for one in found] == [f"VGG-{depth}"]
        assert dict(found[0].record(Wanted()).graph.tensors) == shapes


def test_a_card_says_what_is_assumed(tmp_path: Path) -> None:
    done = run_conversion(written("mobilenet_v1_025", tmp_path), tmp_path / "x.onnx", Options())
    card = done.model.card
    assert card.task == "classification" and card.tool == "MindSpore" and "normalize" in card.assumed
    assert card.input.shape == [1, 3, 224, 224] and "equals_original" in done.checks


def test_every_form_of_a_checkpoint_has_the_same_numbers() -> None:
    """With a checksum behind it, in pieces, and as safetensors."""
    plain = dict(tensors_in(Opened.at(ORACLE / "lenet_ckpt" / "model.ckpt")))
    for other in ("lenet_ckpt_crc/model.ckpt", "lenet_safetensors/model.safetensors"):
        opened, source = open_source(ORACLE / other)
        found = tensors_in(opened)
        assert source.name == "mindspore" and found.keys() == plain.keys()
        assert all(np.array_equal(found[key].load(), plain[key].load()) for key in plain)


def test_pieces_are_joined_in_order(tmp_path: Path) -> None:
    """Of a tensor above 512 MiB, each of which has the shape of the whole."""
    array = np.arange(5000, dtype=np.float32).reshape(50, 100)
    (tmp_path / "x.ckpt").write_bytes(checkpoint({"a": array, "b": array[0, 0]}, pieces=3))
    refs = tensors_in(Opened.at(tmp_path / "x.ckpt"))
    assert np.array_equal(refs["a"].load(), array) and refs["b"].load() == 0 and refs["b"].shape == ()
    assert refs["a"].chunks is not None and b"".join(map(bytes, refs["a"].chunks())) == array.tobytes()
    broken = checkpoint({"a": array}, pieces=3)[:-800]
    (tmp_path / "x.ckpt").write_bytes(broken)
    with pytest.raises(CheckpointDamaged):
        tensors_in(Opened.at(tmp_path / "x.ckpt"))


def test_kinds_of_numbers(tmp_path: Path) -> None:
    halves = np.array([1.5, -2.25], np.float16)
    (tmp_path / "x.ckpt").write_bytes(checkpoint({"a": halves, "b": np.array([0x3FC0], np.uint16), "n": np.int64(3)}))
    refs = tensors_in(Opened.at(tmp_path / "x.ckpt"))
    assert refs["a"].load().tolist() == [1.5, -2.25] and refs["b"].load().tolist() == [1.5] and refs["n"].load() == 3


def test_what_an_optimizer_left_is_set_aside(tmp_path: Path) -> None:
    entries = TOLD["lenet"]["entries"]
    numbers = draw(entries)
    training = {f"moment1.{key}": array for key, array in numbers.items()} | {"global_step": np.int64(7)}
    (tmp_path / "x.ckpt").write_bytes(checkpoint({**numbers, **training, "learning_rate": np.float32(0.1)}))
    network = read_network(tmp_path / "x.ckpt")
    assert network.card.network == "LeNet-5" and len(network.unused) == len(numbers) + 2
    refs = tensors_in(Opened.at(ORACLE / "digits_trained" / "training.ckpt"))
    assert "moment1.conv1.weight" in refs and refs["global_step"].shape in ((), (1,))


def test_what_is_not_known_says_how_to_export() -> None:
    use_language("en")
    for path in (ORACLE / "digits_trained" / "training.ckpt", ORACLE / "lenet_safetensors" / "model.safetensors"):
        with pytest.raises(UnsupportedCheckpoint, match="weights without a structure") as caught:
            read_network(path)
        assert "load_checkpoint" in str(caught.value) and "file_format='MINDIR'" in str(caught.value)
        assert read_info(path).parts


def test_one_tensor_more_is_another_network(tmp_path: Path) -> None:
    numbers = draw(TOLD["mobilenet_v1_025"]["entries"])
    numbers["extra.weight"] = np.zeros((2, 2), np.float32)
    (tmp_path / "x.ckpt").write_bytes(checkpoint(numbers))
    with pytest.raises(UnsupportedCheckpoint, match=r"MobileNetV1 0\.25x"):
        read_network(tmp_path / "x.ckpt")


def test_a_size_that_does_not_fit(tmp_path: Path) -> None:
    with pytest.raises(OptionError):
        read_network(written("lenet", tmp_path), Wanted(input_size=(64, 64)))
