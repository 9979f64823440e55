"""Large models, as small ones are where much less may be computed beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras_files import CASES, ORACLE, answers, files, read, reference, with_config

from qingzhou.errors import UnsupportedCheckpoint
from qingzhou.files.types import TensorRef
from qingzhou.nets.recorded import Wanted
from qingzhou.sources.keras.refuse import KERAS_WORDS
from qingzhou.sources.read import read_network
from qingzhou.sources.recording import net

FEW = 64


@pytest.mark.parametrize("name", files(refused=False))
def test_weights_may_be_of_any_number(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made of the file's own weights counts for nothing, however many steps it takes."""
    monkeypatch.setattr(net, "OPENED", FEW)
    monkeypatch.setattr(net, "COMPUTED", 1 << 12)
    case = name.partition("/")[0]
    xs, ys = reference(case)
    for one, expected in zip(answers(read(name), xs, tmp_path / "net.onnx", 17), ys, strict=True):
        most = CASES[case]["tolerance"] * max(1, float(np.abs(expected).max()))
        assert np.abs(one - expected).max() <= max(most, 1e-3 if "uint8" in name else 0)


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"class_name": "Int4DTypePolicy", "config": {"mode": "int4/128", "source_name": "float32"}}, "int4/128"),
        ({"class_name": "DTypePolicy", "config": {"name": "float32"}}, "int8"),  # as around MultiHeadAttention's own
    ],
)
def test_whole_numbers_without_their_scales_are_never_taken_for_weights(
    policy: dict[str, Any], said: str, tmp_path: Path
) -> None:
    def change(config: dict[str, Any]) -> None:
        for layer in config["config"]["layers"]:
            if "Quantized" in str(layer["config"].get("dtype")):
                layer["config"]["dtype"] = policy

    path = with_config(ORACLE / "k3_quantized_int8/model.keras", tmp_path / "other.keras", change)
    with pytest.raises(UnsupportedCheckpoint, match=rf"its weights are quantised as {said}\."):
        read_network(path, Wanted())


def test_what_is_made_in_many_steps_is_not_made_again_and_again() -> None:
    loaded = 0

    def load() -> np.ndarray[Any, Any]:
        nonlocal loaded
        loaded += 1
        return np.ones(net.OPENED + 1, np.float32)

    recorder = net.Net(KERAS_WORDS)
    x = recorder.tensor("weights", TensorRef((net.OPENED + 1,), np.dtype("float32"), "weights", load))
    for _ in range(30):  # each needs the one before twice
        x = recorder.emit("Add", [x, x])
    assert recorder.constants[x.name].load()[0] == 2.0**30 and loaded <= 2 * net.AGAIN
