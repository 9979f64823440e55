"""Every BaseNN checkpoint of the oracle against the outputs of BaseNN itself, at four opsets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from qingzhou.conversion import run_conversion
from qingzhou.errors import UnsupportedCheckpoint
from qingzhou.options import Options

ORACLE = Path(__file__).parents[1] / "oracle" / "basenn"
VERSIONS = ((11, 6), (13, 8), (17, 8), (21, 10))
REFUSED = "custom_module"
CASES = sorted(path.parent for path in ORACLE.glob("torch*/*/reference.npz") if path.parent.name != REFUSED)
BOTH_TORCHES = pytest.mark.parametrize("folder", sorted(ORACLE.glob("torch*")), ids=lambda path: path.name)


def session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def outputs(path: Path, **feed: np.ndarray) -> dict[str, np.ndarray]:
    """The outputs of an ONNX file by name, in plain onnxruntime."""
    opened = session(path)
    return dict(zip([value.name for value in opened.get_outputs()], opened.run(None, feed), strict=True))


def reference(folder: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The input, and the outputs by the names that they have in our files."""
    found = dict(np.load(folder / "reference.npz"))
    return found.pop("x"), {"output" if key == "y" else key: array for key, array in found.items()}


@pytest.mark.parametrize("folder", CASES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_outputs_equal_the_original(folder: Path, tmp_path: Path, record_property: Callable[[str, Any], None]) -> None:
    x, wanted = reference(folder)
    worst = 0.0
    for opset, ir_version in VERSIONS:
        done = run_conversion(
            folder / "checkpoint.pth",
            tmp_path / "m.onnx",
            Options(opset=opset, ir_version=ir_version, check=opset == 13),
        )
        onnx.checker.check_model(done.model.path, full_check=True)
        found = outputs(done.model.path, input=x)
        assert {key: array.shape for key, array in found.items()} == {k: array.shape for k, array in wanted.items()}
        worst = max(worst, *(float(np.abs(found[key] - wanted[key]).max()) for key in wanted))
    record_property("oracle", worst)
    assert worst <= 1e-5


@BOTH_TORCHES
@pytest.mark.parametrize(
    ("case", "en", "zh"),
    [
        (REFUSED, "class __main__.MyNet does is program code", "类 __main__.MyNet 的计算过程是程序代码"),
        ("model_save__state_dict_only", "without .state_dict()", "不要只保存 .state_dict()"),
    ],
)
def test_refused_with_the_reason(folder: Path, case: str, en: str, zh: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedCheckpoint) as caught:
        run_conversion(folder / case / "checkpoint.pth", tmp_path / "m.onnx")
    assert en in caught.value.en and zh in caught.value.zh
    assert not list(tmp_path.iterdir())


@BOTH_TORCHES
def test_a_module_saved_whole(folder: Path, tmp_path: Path) -> None:
    """It is the network of img_rgb, without anything that BaseNN says of it: input size, colours, labels."""
    done = run_conversion(folder / "model_save__whole_module" / "checkpoint.pth", tmp_path / "m.onnx")
    x, wanted = reference(folder / "img_rgb")
    assert np.abs(outputs(done.model.path, input=x)["output"] - wanted["output"]).max() <= 1e-5
    card = done.model.card
    assert (card.tool, card.input.shape, card.input.color, card.labels) == (
        "BaseNN",
        [None, 3, 20, 20],
        "BGR",
        ["0", "1"],
    )
    assert card.assumed == ["input_size", "resize", "color", "normalize", "labels"] and len(card.notes) == 2


@BOTH_TORCHES
@pytest.mark.parametrize(("case", "layers"), [("em_lstm", 2), ("em_lstm1", 1)])
def test_words_one_by_one_or_all_at_once(folder: Path, case: str, layers: int, tmp_path: Path) -> None:
    """The state that comes out is the one that goes in; without any, it is zero."""
    done = run_conversion(folder / case / "checkpoint.pth", tmp_path / "m.onnx")
    words, opened = np.array([[3], [1], [4], [1], [5], [9], [2], [6]]), session(done.model.path)
    state = np.zeros((layers, 1, 16), np.float32), np.zeros((layers, 1, 16), np.float32)
    rows = []
    for word in words:
        row, *state = opened.run(None, {"input": word[None], "h_before": state[0], "c_before": state[1]})
        rows.append(row)
    whole = opened.run(None, {"input": words})
    for step_by_step, at_once in zip((np.concatenate(rows), *state), whole, strict=True):
        assert np.abs(step_by_step - at_once).max() <= 1e-6
    assert np.abs(rows[3] - rows[1]).max() > 1e-3  # the same word, but another state
