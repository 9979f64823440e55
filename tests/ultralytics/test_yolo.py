"""Our models in Ultralytics itself: YOLO("x.onnx") takes them for its own, and says what it says of the .pt."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import qingzhou
from environments import python_of
from yolos import CASES, SIDE, TWO_HEADS, checkpoint, picture, reference

HERE = Path(__file__).resolve().parent
pytestmark = pytest.mark.ultralytics
NAMES = ["red square", "绿色圆", "blue 'triangle'"]
FORMS = [(name, form) for name, case in CASES.items() for form in ("boxes", "raw") if case["task"] != "classify"]
MODELS = [*FORMS, ("11_classify", "boxes")]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """What it says of each model, in one process."""
    folder, wanted = tmp_path_factory.mktemp("yolo"), []
    for name, form in MODELS:
        head = "one2many" if form == "raw" and name in TWO_HEADS else None
        path = folder / f"{name}_{form}.onnx"
        qingzhou.convert(checkpoint(name, folder), path, form=form, head=head)
        wanted.append({"name": path.stem, "model": str(path), "picture": str(picture(name, folder))})
    (folder / "request.json").write_text(json.dumps(wanted))
    env = {**os.environ, "YOLO_CONFIG_DIR": str(folder), "YOLO_AUTOINSTALL": "false", "YOLO_OFFLINE": "true"}
    command = [python_of("ultralytics"), HERE / "drive_yolo.py", folder / "request.json", folder / "answers.npz"]
    done = subprocess.run(command, capture_output=True, cwd=folder, env=env)
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")[-3000:]
    with np.load(folder / "answers.npz") as file:
        return {name: file[name] for name in file.files}


@pytest.mark.parametrize(("name", "form"), MODELS)
def test_ultralytics_answers_as_with_its_own(name: str, form: str, answers: dict[str, np.ndarray]) -> None:
    found = answers[f"{name}_{form}"]
    expected = reference(name, "free" if form == "boxes" and name in TWO_HEADS else "square")
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=0.02)
    assert answers[f"{name}_{form}.names"].tolist() == NAMES


@pytest.mark.parametrize("form", ["boxes", "raw"])
def test_masks(form: str, answers: dict[str, np.ndarray]) -> None:
    bits = np.unpackbits(reference("11_segment", "masks")).astype(bool)
    expected = bits[: len(bits) // SIDE**2 * SIDE**2].reshape(-1, SIDE, SIDE)
    assert np.count_nonzero(answers[f"11_segment_{form}.masks"] != expected) <= 2
