"""A torch module of the program itself: exported by its own torch, and compared with its answers. Needs torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import qingzhou
from qingzhou.errors import OptionError, SelfTestFailed, UnsupportedCheckpoint
from qingzhou.onnxfile.against import compared

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch")


@pytest.fixture
def residual(torch: Any) -> Any:
    """A class of one's own: a residual, and a function between its layers."""

    class Residual(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.first = torch.nn.Conv2d(3, 8, 3, 2, 1)
            self.norm = torch.nn.BatchNorm2d(8)
            self.second = torch.nn.Conv2d(8, 8, 3, 1, 1)
            self.drop = torch.nn.Dropout(0.5)
            self.last = torch.nn.Linear(8, 4)

        def forward(self, x: Any) -> Any:
            x = torch.relu(self.norm(self.first(x)))
            return self.last(self.drop((x + self.second(x)).mean((2, 3))))

    return Residual().eval()


def test_a_sample_of_one_leaves_the_batch_free(residual: Any, torch: Any, tmp_path: Path) -> None:
    model = qingzhou.convert(residual, tmp_path / "net.onnx", sample=torch.rand(1, 3, 32, 32), labels=list("abcd"))
    assert model.card.input.shape == [None, 3, 32, 32] and model.card.network == "Residual"
    picture = np.random.default_rng(0).random((3, 3, 32, 32), np.float32)
    with torch.no_grad():
        expected = residual(torch.from_numpy(picture)).numpy()
    found = model.predictor.outputs(picture)[0]
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


def test_the_name_is_that_of_the_class(
    residual: Any, torch: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert qingzhou.convert(residual, sample=torch.rand(1, 3, 32, 32)).path.name == "Residual.onnx"


@pytest.mark.parametrize("form", ["array", "tuple", "dict"])
def test_forms_of_a_sample(form: str, residual: Any, torch: Any, tmp_path: Path) -> None:
    one = np.zeros((2, 3, 32, 32), np.float32)
    sample = {"array": one, "tuple": (one,), "dict": {"x": one}}[form]
    assert qingzhou.convert(residual, tmp_path / "net.onnx", sample=sample).card.input.name == "x"


def test_training_mode_is_refused_by_name(residual: Any, torch: Any, tmp_path: Path) -> None:
    residual.drop.train()
    with pytest.raises(OptionError, match=r"drop.*model\.eval\(\)"):
        qingzhou.convert(residual, tmp_path / "net.onnx", sample=torch.rand(1, 3, 32, 32))
    assert not list(tmp_path.iterdir())


def test_without_a_sample_and_with_a_wrong_one(residual: Any, torch: Any, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="none was given"):
        qingzhou.convert(residual, tmp_path / "net.onnx")
    with pytest.raises(UnsupportedCheckpoint, match=r"torch\.export could not"):
        qingzhou.convert(residual, tmp_path / "net.onnx", sample=torch.rand(1, 2, 32, 32))


def test_a_batch_that_cannot_be_free_is_said(torch: Any, tmp_path: Path) -> None:
    class Flat(torch.nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return x.reshape(1, 12) * 2

    model = qingzhou.convert(Flat().eval(), tmp_path / "net.onnx", sample=torch.rand(1, 12))
    assert model.card.input.shape == [1, 12] and any("fixed as in the sample" in note for note in model.card.notes)


def test_a_difference_is_never_written(residual: Any, torch: Any, tmp_path: Path) -> None:
    model = qingzhou.convert(residual, tmp_path / "net.onnx", sample=torch.rand(1, 3, 32, 32))
    picture = np.zeros((1, 3, 32, 32), np.float32)
    with torch.no_grad():
        answer = residual(torch.from_numpy(picture)).numpy()
    compared(model.path, [picture], [answer])
    with pytest.raises(SelfTestFailed, match="otherwise than the network itself"):
        compared(model.path, [picture], [answer + 0.01])


def test_a_network_whose_steps_depend_on_the_batch_keeps_that_of_the_sample(torch: Any, tmp_path: Path) -> None:
    """It answers one input otherwise than two; and it writes into what it is given, which stays as it was."""

    class Branch(torch.nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            x.mul_(2)
            return x + 1 if x.shape[0] == 1 else x - 1

    sample = torch.rand(1, 4)
    before = sample.clone()
    model = qingzhou.convert(Branch().eval(), tmp_path / "net.onnx", sample=sample)
    assert torch.equal(sample, before) and model.card.input.shape == [1, 4]
    np.testing.assert_allclose(model.predictor.run({"x": before.numpy()})[0], before.numpy() * 2 + 1, rtol=1e-6)


def test_a_large_tensor_of_one_number_is_not_stored(torch: Any, tmp_path: Path) -> None:
    class Filled(torch.nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            filled = x.mean((1, 2, 3)).reshape(1, 1) * torch.full((1, 1 << 21), 2.5)
            return filled.reshape(1, 4, -1).amax(2)  # a sum of so many is not the same in every order

    sample = torch.rand(1, 3, 8, 8)
    model = qingzhou.convert(Filled().eval(), tmp_path / "net.onnx", sample=sample)
    assert model.path.stat().st_size < 1 << 20  # 8 MiB of 2.5
    found = model.predictor.outputs(sample.numpy())[0]
    np.testing.assert_allclose(found, np.full((1, 4), sample.mean() * 2.5), rtol=1e-5)
