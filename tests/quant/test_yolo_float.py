"""What of a network of Ultralytics never becomes INT8: boxes of hundreds of pixels and scores below 1 meet there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest

import qingzhou
from qingzhou.quant.network import Network
from yolos import checkpoint, fed


@pytest.mark.parametrize(("form", "opset"), [("raw", 13), ("boxes", 13), ("raw", 11)])
def test_boxes_and_scores_stay_float(form: str, opset: int, tmp_path: Path) -> None:
    """Nothing after the last convolutions of the head is rounded, and the mean of the distributions is one of these."""
    path = qingzhou.convert(checkpoint("11", tmp_path), form=form, opset=opset, check=False).path
    network = Network(onnx.load(path))
    assert len(network.heads) == 6  # boxes and scores of three levels
    inside = {node.output[0] for node in (*network.weighted, *network.between())}
    assert not any("dfl" in name for name in inside)
    waiting, behind = list(network.heads), set[str]()
    while waiting:
        for node in network.readers.get(waiting.pop(), []):
            behind |= set(node.output)
            waiting += node.output
    assert "output0" in behind and not behind & inside


def test_scores_survive(tmp_path: Path) -> None:
    """Quantised on noise, with one tensor for boxes and scores as the output: scores differ by little."""
    model = qingzhou.convert(checkpoint("11", tmp_path), form="raw", input_size=(64, 96))
    folder = tmp_path / "pictures"
    folder.mkdir()
    from PIL import Image

    for seed in range(24):
        picture = np.random.default_rng(seed).integers(0, 256, (8, 12, 3), dtype=np.uint8)
        Image.fromarray(picture).resize((96, 64)).save(folder / f"{seed}.png")
    found = qingzhou.quantize(model.path, folder, min_agreement=0.0, any_speed=True)
    assert found.path is not None
    batch = fed("11")
    plain, small = (ort.InferenceSession(path).run(None, {"images": batch})[0][0] for path in (model.path, found.path))
    assert len(np.unique(small[4:])) > 100
    assert np.abs(plain[4:] - small[4:]).max() < 0.15 and np.abs(plain[4:] - small[4:]).mean() < 0.02
