"""What fastai's learn.export() and learn.save() write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exported_files import ORACLE, apart, run
from PIL import Image

from lenets import write_lenet
from makers import write_checkpoint
from qingzhou.conversion import run_conversion
from qingzhou.errors import UnsafeCheckpoint, UnsupportedCheckpoint
from qingzhou.files.limits import Limits
from qingzhou.files.opcodes import Tape
from qingzhou.files.types import Opaque, TensorRef
from qingzhou.files.unpickle import read_pickle
from qingzhou.sources.torch.container import read_checkpoint
from qingzhou.sources.torch.learner import kept


def test_a_learner_is_read_with_its_classes_and_size(tmp_path: Path) -> None:
    done = run_conversion(ORACLE / "fastai_layers.pkl", tmp_path / "net.onnx")
    card = done.model.card
    assert (card.tool, card.task, card.labels) == ("fastai", "classification", ["cat", "dog"])
    assert card.input.shape == [None, 3, 32, 32] and any("Learner" in note for note in card.notes)


def test_it_answers_as_fastai_does(tmp_path: Path) -> None:
    expected = np.load(ORACLE / "fastai_layers.npz")
    for opset in (11, 13, 21):
        (found,) = run(ORACLE / "fastai_layers.pkl", expected, tmp_path / "net.onnx", opset)
        assert apart(found, expected["out_0"]) <= 1e-5


def test_a_network_whose_program_is_not_there_is_refused_with_the_lines_that_work() -> None:
    with pytest.raises(UnsupportedCheckpoint) as caught:
        run_conversion(ORACLE / "fastai_table.pkl")
    for text in (caught.value.en, caught.value.zh):
        assert "TabularModel" in text and "load_learner" in text and "qingzhou.convert(learn.model.eval()" in text


def test_what_learn_save_writes_is_a_bundle(tmp_path: Path) -> None:
    """{"model": state dict, "opt": …}."""
    write_lenet(tmp_path / "lenet.pth")
    tensors = read_checkpoint(tmp_path / "lenet.pth").tensors
    arrays = {key: np.asarray(tensors[key]) for key in tensors}
    state = {
        "state": [{"grad_avg": arrays["head.fc.bias"]}] if "head.fc.bias" in arrays else [],
        "hypers": [{"lr": 0.1}],
    }
    write_checkpoint(tmp_path / "saved.pth", {"model": arrays, "opt": state})
    assert run_conversion(tmp_path / "saved.pth", tmp_path / "net.onnx").model.card.network == "LeNet-5"


def test_hooks_and_several_classes_at_once_are_refused() -> None:
    layer = Opaque("torch.nn.modules.linear.Linear", state={"_modules": {}, "_forward_hooks": {1: "x"}})
    model = Opaque("torch.nn.modules.container.Sequential", state={"_modules": {"0": layer}})
    with pytest.raises(UnsupportedCheckpoint, match="forward hooks"):
        kept(Opaque("fastai.learner.Learner", state={"model": model}))
    many = Opaque("fastai.data.transforms.MultiCategorize", state={})
    with pytest.raises(UnsupportedCheckpoint, match="several classes at once"):
        kept(Opaque("fastai.learner.Learner", state={"model": None, "dls": [many]}))


def test_only_a_learner_may_hold_itself() -> None:
    """[[…]] of itself; and a model inside a Learner that does."""
    round_list = b"\x80\x02]q\x00h\x00a."
    with pytest.raises(UnsafeCheckpoint, match="contains itself"):
        read_pickle(Tape(round_list), Limits(), kept=kept)
    inside = b"\x80\x02cfastai.learner\nLearner\n)\x81}X\x05\x00\x00\x00model]q\x00h\x00asb."
    with pytest.raises(UnsafeCheckpoint, match="contains itself"):
        read_pickle(Tape(inside), Limits(), kept=kept)


def test_pictures_are_prepared_as_its_loaders_do_it(tmp_path: Path) -> None:
    """Resize, RGB, and the statistics of its Normalize, from the file: nothing is assumed."""
    expected = np.load(ORACLE / "fastai_normalised.npz")
    model = run_conversion(ORACLE / "fastai_normalised.pkl", tmp_path / "net.onnx").model
    assert list(model.card.assumed) == []
    assert model.card.input.steps[-1] == {
        "op": "normalize",
        "mean": [127.5, 102.0, 76.5],
        "std": [51.0, 63.75, 76.5],
    }
    Image.fromarray(expected["picture"]).save(tmp_path / "picture.png")
    fed = model.predictor.prepare(tmp_path / "picture.png")
    assert np.abs(fed - expected["fed"]).max() < 2 / 51  # two steps of a pixel: Pillow crops before it resizes there
    found = model.predict(tmp_path / "picture.png")
    np.testing.assert_allclose(found.scores, expected["scores"], atol=0.01)


def loaders(**more: Any) -> dict[str, Any]:
    """What kept() reads of a Learner with these transforms, by their class and state."""
    where = {"Resize": "vision.augment", "AffineCoordTfm": "vision.augment", "PILImage": "vision.core"}
    records = [
        Opaque(f"fastai.{where.get(name, 'data.transforms')}.{name}", state=state) for name, state in more.items()
    ]
    found: dict[str, Any] = kept(Opaque("fastai.learner.Learner", state={"model": None, "dls": records}))["meta"]
    return found


def stats(*row: float) -> TensorRef:
    array = np.float32(row).reshape(1, -1, 1, 1)
    return TensorRef(array.shape, array.dtype, "0", lambda: array)


RESIZE = {"size": (32, 32), "method": "crop", "mode": 2}
FLOATS = {"div": 255.0}


@pytest.mark.parametrize(
    ("transforms", "told"),
    [
        ({"PILImage": {}, "Resize": RESIZE, "IntToFloatTensor": FLOATS}, {"color", "resize", "normalize"}),
        ({"Resize": {**RESIZE, "method": "squish", "size": (32, 48)}}, {"resize"}),
        ({"Resize": {**RESIZE, "size": (32, 48)}}, set()),
        ({"Resize": {**RESIZE, "method": "pad"}}, set()),
        ({"Resize": {**RESIZE, "mode": 0}}, set()),
        ({"Resize": RESIZE, "AffineCoordTfm": {"size": (24, 24)}}, set()),
        ({"Resize": RESIZE, "AffineCoordTfm": {"size": None}}, {"resize"}),
        ({"IntToFloatTensor": {"div": 1.0}}, set()),
        ({"IntToFloatTensor": FLOATS, "Normalize": {"mean": stats(0.5), "std": stats(0.2)}}, {"normalize"}),
        ({"IntToFloatTensor": FLOATS, "Normalize": {"mean": None, "std": stats(0.2)}}, set()),
        ({"IntToFloatTensor": FLOATS, "Normalize": {"mean": stats(np.nan), "std": stats(0.2)}}, set()),
        ({"Normalize": {"mean": stats(0.5), "std": stats(0.2)}}, set()),
        ({}, set()),
    ],
)
def test_what_the_file_does_not_say_stays_assumed(transforms: dict[str, Any], told: set[str]) -> None:
    assert set(loaders(**transforms)["told"]) == told
