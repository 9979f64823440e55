"""Networks inside what training programs put around them: the same numbers as without it, and a note of what went.

oracle/wrapped: a ResNet-18 of torchvision's layers and mmpretrain's names as torch 2.13 writes it, with its answer.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from makers import Call, Instance, linear, module, write_checkpoint
from qingzhou.conversion import run_conversion
from qingzhou.errors import QingzhouError, TensorMismatch, UnsupportedCheckpoint, use_language
from qingzhou.options import Options
from qingzhou.sources.openmmlab.wrapped import inside
from qingzhou.sources.torch.container import read_checkpoint
from qingzhou.sources.torch.wrappers import WRAPPERS

ORACLE = Path(__file__).parents[1] / "oracle" / "wrapped"
ANSWER = [0.405955, 0.491178, 0.102867]
Tensors = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def resnet() -> Tensors:
    """Its tensors by their own names."""
    use_language("en")
    return {key: np.array(value) for key, value in inside(read_checkpoint(ORACLE / "compiled.pth")).tensors.items()}


def named(tensors: Tensors, prefix: str = "", rename: Callable[[str], str] = str) -> Tensors:
    return {prefix + rename(key): value for key, value in tensors.items()}


def other(tensors: Tensors, prefix: str = "") -> Tensors:
    """The same names with numbers that nobody should read."""
    return {prefix + key: np.full_like(value, 7) for key, value in tensors.items()}


ONE = np.ones(3, np.float32)
STEPS = np.array(7)
SAVED: dict[str, tuple[Callable[[Tensors], Any], list[str]]] = {
    "torch.compile": (lambda t: named(t, "_orig_mod."), ["_orig_mod"]),
    "AveragedModel": (lambda t: {"n_averaged": STEPS, **named(t, "module.")}, ["module", "n_averaged"]),
    "DataParallel twice": (lambda t: named(t, "module.module."), ["module"]),
    "Lightning": (lambda t: {"state_dict": named(t, "model."), "epoch": 3}, ["model."]),
    "any other attribute": (lambda t: {"state_dict": named(t, "klassifikator.")}, ["klassifikator."]),
    "compiled inside Lightning": (lambda t: {"state_dict": named(t, "net._orig_mod.")}, ["_orig_mod", "net."]),
    "Lightning inside Lightning": (lambda t: {"state_dict": named(t, "model.net.")}, ["model.net."]),
    "average of a compiled DataParallel": (
        lambda t: {"n_averaged": STEPS, **named(t, "module._orig_mod.module.")},
        ["module, _orig_mod", "n_averaged"],
    ),
    "only its layers are wrapped": (
        lambda t: named(t, rename=lambda key: key.replace("backbone.", "backbone._orig_mod.module.")),
        ["_orig_mod"],
    ),
    "FSDP and checkpointing": (
        lambda t: named(t, "_fsdp_wrapped_module.", lambda key: key.replace(".0.", ".0._checkpoint_wrapped_module.")),
        ["_fsdp_wrapped_module"],
    ),
    "losses and metrics beside it": (
        lambda t: {"state_dict": {"criterion.weight": ONE, "val_acc.correct": STEPS, **named(t, "model.")}},
        ["model.", "criterion.weight, val_acc.correct"],
    ),
    "a loss beside a bare one": (lambda t: {**t, "criterion.weight": ONE, "loss_fn.pos": ONE}, ["criterion.weight"]),
    "an average beside a bare one": (lambda t: {**t, **other(t, "ema_model.")}, ["averaged copy"]),
    "an average beside Lightning's": (
        lambda t: {"state_dict": {**named(t, "net."), **other(t, "net_ema.module.")}},
        ["net.", "averaged copy"],
    ),
    "pre-processing below the prefix": (
        lambda t: {"data_preprocessor.mean": ONE, **named(t, "model.")} | {"model.data_preprocessor.std": ONE},
        ["model."],
    ),
    "ema_pytorch": (
        lambda t: {"initted": STEPS, "step": STEPS, **other(t, "online_model."), **named(t, "ema_model.")},
        ["ema_model."],
    ),
    "timm": (lambda t: {"state_dict": other(t), "state_dict_ema": t}, ["state_dict_ema", "state_dict was left out"]),
    "torchvision": (
        lambda t: {"model": other(t), "model_ema": {"n_averaged": STEPS, **named(t, "module.")}},
        ["model_ema"],
    ),
    "Ultralytics": (lambda t: {"model": other(t), "ema": t, "updates": 7}, ["averaged ones were taken, ema"]),
    "SWA by hand": (
        lambda t: {"state_dict": other(t), "swa_state_dict": {"n_averaged": STEPS, **named(t, "module.")}},
        ["taken, swa_state_dict"],
    ),
    "torch_ema": (
        lambda t: {"model": t, "ema": {"decay": 0.9, "shadow_params": list(other(t).values())}},
        ["or their names"],
    ),
    "the best beside the last": (lambda t: {"model": t, "best_model": other(t)}, ["best_model was left out"]),
    "BasicSR": (lambda t: {"params": other(t), "params_ema": t}, ["params_ema"]),
    "under a key of one's own": (
        lambda t: {"epoch": 3, "gewichte": named(t, "module."), "optimizer": {"state": {0: {"m": ONE}}}},
        ["taken from gewichte", "module"],
    ),
    "an AveragedModel beside Lightning's": (
        lambda t: {"avg_model.n_averaged": STEPS, **named(t, "model."), **other(t, "avg_model.module.")},
        ["model.", "averaged copy"],
    ),
    "RT-DETR": (lambda t: {"model": other(t), "ema": {"module": t, "updates": 7}}, ["averaged ones were taken, ema"]),
    "mmengine exchanges them": (
        lambda t: {"state_dict": t, "ema_state_dict": {"steps": STEPS, **other(t, "module.")}},
        ["ema_state_dict was left out"],
    ),
    "others do not": (lambda t: {"state_dict": other(t), "ema_state_dict": t}, ["taken, ema_state_dict"]),
    "Lightning's WeightAveraging": (
        lambda t: {"state_dict": named(t, "model."), "current_model_state": other(t, "model.")},
        ["WeightAveraging"],
    ),
    "an average without statistics": (
        lambda t: {"model": t, "ema": {"shadow": {k: v for k, v in other(t).items() if "running" not in k}}},
        ["lack tensors"],
    ),
}


@pytest.mark.parametrize("name", SAVED)
def test_the_same_tensors(name: str, resnet: Tensors, tmp_path: Path) -> None:
    build, words = SAVED[name]
    use_language("en")
    found = inside(read_checkpoint(write_checkpoint(tmp_path / "x.ckpt", build(resnet))))
    assert set(found.tensors) == set(resnet)
    assert all(np.array_equal(found.tensors[key], value) for key, value in resnet.items())
    said = " ".join([*found.notes, *(f"{reason}: {key}" for key, reason in found.ignored.items())])
    said += ", ".join(found.ignored)
    assert all(word in said for word in words), said


@pytest.mark.parametrize("name", ["torch.compile", "losses and metrics beside it", "timm"])
def test_the_same_answer(name: str, resnet: Tensors, tmp_path: Path) -> None:
    """Softmax for x[0, k, i, j] = ((i*7 + j*13 + k*29) % 97) / 48 - 1, by torch."""
    use_language("en")
    done = run_conversion(write_checkpoint(tmp_path / "x.pth", SAVED[name][0](resnet)))
    k, i, j = np.ogrid[:3, :224, :224]
    x = (((i * 7 + j * 13 + k * 29) % 97) / 48 - 1).astype(np.float32)[None]
    (answer,) = onnxruntime.InferenceSession(str(done.model.path)).run(None, {"input": x})
    np.testing.assert_allclose(answer[0], ANSWER, atol=1e-5)
    said = " ".join(done.model.card.notes)
    assert SAVED[name][1][0] in said and ("criterion.weight" in said) == (name == "losses and metrics beside it")


BAD: dict[str, tuple[Callable[[Tensors], Any], type[QingzhouError], list[str]]] = {
    "two that nothing tells apart": (
        lambda t: {**named(t, "student."), **named(t, "teacher.")},
        UnsupportedCheckpoint,
        ["student., teacher."],
    ),
    "one tensor too many, below the prefix": (
        lambda t: {**named(t, "model."), "model.head.more": ONE},
        TensorMismatch,
        ["ResNet-18", "head.more"],
    ),
    "one too few, below the prefix": (
        lambda t: {k: v for k, v in named(t, "model.").items() if k != "model.head.fc.bias"},
        TensorMismatch,
        ["head.fc.bias is missing"],
    ),
    "two under keys of one's own": (
        lambda t: {"G": t, "D": {"a": ONE}},
        UnsupportedCheckpoint,
        ["several networks (G, D)"],
    ),
    "FSDP's shards": (
        lambda t: {"_fsdp_wrapped_module._flat_param": ONE},
        UnsupportedCheckpoint,
        ["FULL_STATE_DICT"],
    ),
    "somebody's own": (lambda t: {"model.a.weight": ONE}, UnsupportedCheckpoint, ["No known network"]),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_told(name: str, resnet: Tensors, tmp_path: Path) -> None:
    build, error, words = BAD[name]
    with pytest.raises(error) as caught:
        run_conversion(write_checkpoint(tmp_path / "x.pth", build(resnet)))
    assert all(word in caught.value.en for word in words) and caught.value.zh != caught.value.en
    assert [path.name for path in tmp_path.iterdir()] == ["x.pth"]


# -- whole modules --------------------------------------------------------------------------------------------------

WEIGHT, BIAS = np.arange(12, dtype=np.float32).reshape(3, 4) / 10, np.array([1, 0, -1], np.float32)
SEQUENTIAL = "torch.nn.modules.container.Sequential"
X = np.array([[1, -2, 3, 0.5]], np.float32)


def norm(name: str) -> Instance:
    made = module(
        f"torch.nn.modules.batchnorm.{name}",
        {},
        {"weight": BIAS + 2, "bias": BIAS},
        eps=0.5,
        num_features=3,
        track_running_stats=True,
    )
    made.state["_buffers"] = {"running_mean": BIAS, "running_var": BIAS + 2, "num_batches_tracked": STEPS}
    return made


def net(name: str = "BatchNorm1d", wrap: Callable[[Any], Any] = lambda inner: inner) -> Instance:
    return module(SEQUENTIAL, {"0": linear(WEIGHT, BIAS), "1": wrap(norm(name))})


def wrapper(name: str, inner: object, **state: object) -> Instance:
    return module(name, {WRAPPERS[name]: inner}, **state)


WHOLE: dict[str, Callable[[], Any]] = {
    **{name: lambda name=name: wrapper(name, net()) for name in WRAPPERS},  # type: ignore[misc]
    "compiled, as torch 2.1 writes it": lambda: Call("torch._dynamo.eval_frame.OptimizedModule", (net(), None)),
    "SyncBatchNorm": lambda: net("SyncBatchNorm"),
    "an average of a compiled SyncBatchNorm": lambda: wrapper(
        "torch.optim.swa_utils.AveragedModel",
        wrapper("torch._dynamo.eval_frame.OptimizedModule", net("SyncBatchNorm")),
    ),
    "a layer of it": lambda: net(wrap=lambda x: wrapper("torch.nn.parallel.data_parallel.DataParallel", x)),
    "EMA beside it": lambda: {"model": module("Own", {}), "ema": net(), "updates": 3},
}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_modules_answer_as_without_the_wrapper(name: str, tmp_path: Path) -> None:
    answer = np.float32([(X @ WEIGHT.T + BIAS - BIAS)[0] / np.sqrt(BIAS + 2.5) * (BIAS + 2) + BIAS])
    done = run_conversion(write_checkpoint(tmp_path / "x.pth", WHOLE[name]()), options=Options(input_size=[4]))
    (found,) = onnxruntime.InferenceSession(str(done.model.path)).run(None, {"input": X})
    np.testing.assert_allclose(found, answer, rtol=1e-5)


@pytest.mark.parametrize("name", ["sync_batchnorm_whole", "averaged_whole"])
def test_whole_modules_as_torch_writes_them(name: str, tmp_path: Path) -> None:
    done = run_conversion(ORACLE / f"{name}.pth", tmp_path / "m.onnx", Options(input_size=[32, 32]))
    assert any("AveragedModel" in note for note in done.model.card.notes) == (name == "averaged_whole")


def test_hooks_of_a_wrapper_are_code(tmp_path: Path) -> None:
    hooked = wrapper("torch.nn.parallel.data_parallel.DataParallel", net(), _forward_hooks={1: Instance("Hook")})
    with pytest.raises(UnsupportedCheckpoint, match="hooks"):
        run_conversion(write_checkpoint(tmp_path / "x.pth", hooked), options=Options(input_size=[4]))
