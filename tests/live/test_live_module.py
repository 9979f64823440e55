"""A torch module of the program itself: exported by its own torch, and compared with its answers. Needs torch."""

from __future__ import annotations

import importlib
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
    with pytest.raises(OptionError, match=r"refuses the sample.*to have 3 channels"):
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


# -- float16 and bfloat16 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_a_network_of_short_numbers_is_compared_with_itself_in_float32(
    kind: str, residual: Any, torch: Any, tmp_path: Path
) -> None:
    dtype = getattr(torch, kind)
    model = qingzhou.convert(residual.to(dtype), tmp_path / "net.onnx", sample=torch.rand(1, 3, 32, 32).to(dtype))
    assert any(f"is in {kind}" in note and "in float32" in note for note in model.card.notes)
    picture = torch.rand(3, 3, 32, 32)
    with torch.no_grad():
        exact = residual.float()(picture).numpy()  # of the same, rounded weights
    assert np.abs(model.predictor.outputs(picture.numpy())[0] - exact).max() <= 1e-5 * np.abs(exact).max()


def test_one_that_does_not_run_in_float32_is_compared_as_it_rounds(torch: Any, tmp_path: Path) -> None:
    class Half(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(8, 4)

        def forward(self, x: Any) -> Any:
            if x.dtype != torch.float16:
                raise TypeError
            return self.layer(x)

    model = qingzhou.convert(Half().eval().half(), tmp_path / "net.onnx", sample=torch.rand(2, 8).half())
    assert any("could only be compared" in note for note in model.card.notes)


def test_a_wrong_network_of_short_numbers_is_refused(
    torch: Any, residual: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a thousandth, which float16 itself would not show."""
    from qingzhou.sources.exported import live

    exact = live._in_float32
    monkeypatch.setattr(live, "_in_float32", lambda *given: [one * 1.001 for one in exact(*given) or []])
    with pytest.raises(SelfTestFailed, match="below 1e-05"):
        qingzhou.convert(residual.half(), tmp_path / "new" / "net.onnx", sample=torch.rand(1, 3, 32, 32).half())
    assert not list(tmp_path.iterdir())


# -- what is left, and what it is --------------------------------------------------------------------------------------


def test_a_failed_check_leaves_no_folder(torch: Any, tmp_path: Path) -> None:
    broken = torch.nn.Linear(4, 2).eval()
    broken.weight.data.fill_(float("nan"))
    with pytest.raises(UnsupportedCheckpoint, match="not a number"):
        qingzhou.convert(broken, tmp_path / "a" / "b" / "net.onnx", sample=torch.rand(2, 4))
    (tmp_path / "there").mkdir()
    with pytest.raises(UnsupportedCheckpoint, match="not a number"):
        qingzhou.convert(broken, tmp_path / "there" / "net.onnx", sample=torch.rand(2, 4))
    assert [path.name for path in tmp_path.iterdir()] == ["there"] and not list((tmp_path / "there").iterdir())


def test_masks_and_the_name_of_the_class(torch: Any, tmp_path: Path) -> None:
    class Masked(torch.nn.Module):  # type: ignore[misc]
        def forward(self, x: Any, mask: Any) -> Any:
            return torch.where(mask, x, torch.zeros_like(x)).sum(1)

    sample = torch.rand(2, 6), torch.ones(2, 6, dtype=torch.bool)
    model = qingzhou.convert(Masked().eval(), tmp_path / "net.onnx", sample=sample)
    assert model.card.network == "Masked" and model.card.sample is not None
    assert set(model.card.sample.others[0]["data"][0]) == {0, 1}


def test_two_million_numbers_are_no_classes(torch: Any, tmp_path: Path) -> None:
    layers = torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(3, 2_000_000)
    model = qingzhou.convert(torch.nn.Sequential(*layers).eval(), tmp_path / "net.onnx", sample=torch.rand(1, 3, 8, 8))
    assert model.card.task == "values" and not model.card.labels
    assert any("not for classes" in note for note in model.card.notes)
    assert model.card.sample is not None and model.card.sample.output == []
    with pytest.raises(SelfTestFailed, match="too long to be kept"):
        model.check()


def test_a_spectral_norm_is_read(torch: Any, tmp_path: Path) -> None:
    net = torch.nn.utils.parametrizations.spectral_norm(torch.nn.Linear(8, 6)).eval()
    model = qingzhou.convert(net, tmp_path / "net.onnx", sample=torch.rand(2, 8))
    assert model.card.input.shape == [None, 8]


def test_a_network_that_normalises_by_the_batch_is_told_where_the_flag_is(torch: Any, tmp_path: Path) -> None:
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4, track_running_stats=False)).eval()
    with pytest.raises(UnsupportedCheckpoint, match="track_running_stats=False"):
        qingzhou.convert(net, tmp_path / "net.onnx", sample=torch.rand(2, 3, 8, 8))


def test_a_distributed_checkpoint_is_refused_with_its_line(torch: Any, tmp_path: Path) -> None:
    dcp = importlib.import_module("torch.distributed.checkpoint")

    dcp.save({"model": torch.nn.Linear(4, 2).state_dict()}, checkpoint_id=str(tmp_path / "run"))
    for place in (tmp_path / "run", tmp_path / "run" / ".metadata", tmp_path / "run" / "__0_0.distcp"):
        with pytest.raises(UnsupportedCheckpoint, match=r"dcp_to_torch_save\('run', 'model.pth'\)"):
            qingzhou.convert(place)


def test_what_torch_cannot_write_down_is_refused(torch: Any, tmp_path: Path) -> None:
    class Rounded(torch.nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return torch.dequantize(torch.quantize_per_tensor(x, 0.1, 0, torch.qint8))

    with pytest.raises(UnsupportedCheckpoint, match=r"quantize_per_tensor.*qingzhou quantize"):
        qingzhou.convert(Rounded().eval(), tmp_path / "net.onnx", sample=torch.rand(2, 8))


def test_what_torch_does_not_leave_free_is_not_freed_afterwards(torch: Any, tmp_path: Path) -> None:
    """A layer twice for one input and once for several: the program of several shows nothing of that."""

    class Twice(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(4, 4)

        def forward(self, x: Any) -> Any:
            return self.layer(x) if x.shape[0] == 3 else self.layer(self.layer(x))

    model = qingzhou.convert(Twice().eval(), tmp_path / "net.onnx", sample=torch.rand(3, 4))
    assert model.card.input.shape == [3, 4] and any("fixed as in the sample" in note for note in model.card.notes)
    assert model.check() < 1e-3 and len(model.predict(np.zeros((3, 4), np.float32))) == 3


@pytest.fixture
def of_two(torch: Any) -> Any:
    """A network that compares all of its inputs with the second."""

    class OfTwo(torch.nn.Module):  # type: ignore[misc]
        def __init__(self, pick: Any) -> None:
            super().__init__()
            self.layer, self.pick = torch.nn.Linear(4, 3), pick

        def forward(self, x: Any) -> Any:
            return self.layer(x) - self.pick(self.layer(x))

    return lambda pick: OfTwo(pick).eval()


PICKS = {"its place": lambda x: x[1], "a part": lambda x: x.narrow(0, 1, 1), "all": lambda x: x.mean(0)}


@pytest.mark.parametrize("pick", PICKS)
def test_what_needs_two_inputs_keeps_the_sample_s(pick: str, of_two: Any, torch: Any, tmp_path: Path) -> None:
    """Where one input alone is refused, or answered otherwise."""
    sample = torch.rand(3, 4, generator=torch.Generator().manual_seed(1))
    model = qingzhou.convert(network := of_two(PICKS[pick]), tmp_path / "net.onnx", sample=sample)
    assert model.card.input.shape == [3, 4]
    assert any("one input" in note or "一个输入" in note for note in model.card.notes)
    with torch.no_grad():
        np.testing.assert_allclose(model.predictor.outputs(sample.numpy())[0], network(sample).numpy(), atol=1e-6)


@pytest.mark.parametrize("pick", ["its place", "a part"])
def test_a_sample_that_the_network_itself_refuses(pick: str, of_two: Any, torch: Any, tmp_path: Path) -> None:
    with pytest.raises(OptionError) as caught:
        qingzhou.convert(of_two(PICKS[pick]), tmp_path / "net.onnx", sample=torch.rand(1, 4))
    assert "refuses the sample" in caught.value.en and "不接受" in caught.value.zh
    assert not list(tmp_path.iterdir())
