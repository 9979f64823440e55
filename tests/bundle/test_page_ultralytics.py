"""The page's scripts, without a browser: what they make of the outputs of Ultralytics' models is what Python makes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qingzhou.bundle.browser import PAGE
from qingzhou.runtime.model.detect import locate, read
from qingzhou.runtime.model.prepare import prepare_view

sys.path.insert(0, str(Path(__file__).parents[1] / "runtime"))
from test_ultralytics import CASES, Case, card_of, outputs, picture, steps

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="needs node")
ASK = """
import { readFileSync } from "node:fs";
import { locate, read } from "./decode.js";
import { prepare } from "./preprocess.js";
const { card, outputs, picture, threshold, entry } = JSON.parse(readFileSync("asked.json"));
const pixels = { ...picture, data: new Uint8Array(readFileSync("pixels")), channels: 3 };
const { values, shape, view } = prepare(pixels, entry ?? card.input);
const given = {};
for (const { name, dims } of outputs) {
  const bytes = readFileSync(name);
  given[name] = { dims, data: new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)) };
}
const found = card ? locate(read(given, card, threshold), card.labels, view) : [];
for (const one of found) if (one.mask) one.mask.cells = Array.from(one.mask.cells);
console.log(JSON.stringify({ found, shape, view, sum: values.reduce((a, b) => a + b, 0) }));
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    for script in PAGE.glob("*.js"):
        shutil.copy(script, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "ask.js").write_text(ASK)
    return folder


def asked(page: Path, pixels: np.ndarray, given: dict[str, np.ndarray], **more: Any) -> Any:
    (page / "pixels").write_bytes(pixels.tobytes())
    for name, array in given.items():
        (page / name).write_bytes(array.tobytes())
    size = {"height": pixels.shape[0], "width": pixels.shape[1]}
    listed = [{"name": name, "dims": array.shape} for name, array in given.items()]
    (page / "asked.json").write_text(json.dumps({"outputs": listed, "picture": size, **more}))
    done = subprocess.run([str(NODE), "ask.js"], cwd=page, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.mark.parametrize("threshold", [None, 0.6])
@pytest.mark.parametrize("name", CASES)
def test_the_same_answers(name: str, threshold: float | None, page: Path) -> None:
    case = CASES[name]
    card = card_of(case)
    _, view = prepare_view(picture(case), card.input)
    expected = locate(read(outputs(case), card, threshold), card.labels, view)
    card_json = json.loads(card.to_json())
    found = asked(page, picture(case), outputs(case), card=card_json, threshold=threshold)["found"]
    assert [one["label"] for one in found] == [one.label for one in expected] and expected
    for one, other in zip(found, expected, strict=True):
        assert one["confidence"] == pytest.approx(other.confidence, abs=1e-6)
        assert one["box"] == pytest.approx(other.box, abs=1e-3)
        if other.keypoints is not None:
            np.testing.assert_allclose(one["keypoints"], other.keypoints, atol=1e-3)
        if other.rotated is not None:
            assert one["rotated"] == pytest.approx(other.rotated, abs=1e-3)
            np.testing.assert_allclose(one["corners"], other.corners, atol=1e-3)
        if other.mask is not None:
            assert one["maskBox"] == pytest.approx(other.mask_box, abs=1e-3)
            cells = np.array(one["mask"]["cells"]).reshape(other.mask.shape)
            assert np.count_nonzero(cells != other.mask) <= 2, "logits of nearly 0"
        assert ("keypoints" in one, "rotated" in one) == (other.keypoints is not None, other.rotated is not None)


@pytest.mark.parametrize("size", [(119, 201), (721, 1280), (250, 375), (33, 21), (3, 500)], ids=str)
@pytest.mark.parametrize("pad", [{"size": [160, 160]}, {"multiple": 32}], ids=str)
def test_the_same_letterbox(pad: dict[str, Any], size: tuple[int, int], page: Path) -> None:
    card = card_of(CASES["detect"])
    card.input.steps[:] = steps((160, 160), pad)
    card.input.shape[2:] = [None, None]
    pixels = picture(Case("detect", picture=size))
    batch, view = prepare_view(pixels, card.input)
    found = asked(page, pixels, {}, entry=json.loads(card.to_json())["input"])
    assert found["shape"] == list(batch.shape) and found["sum"] == batch.sum(dtype=np.float64)
    names = {"scale_x": "scaleX", "scale_y": "scaleY"}
    assert found["view"] == pytest.approx({names.get(key, key): value for key, value in view._asdict().items()})
