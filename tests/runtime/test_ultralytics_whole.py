"""Models of Ultralytics from a file to what is printed, drawn and written."""

from __future__ import annotations

import base64
import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from detectors import write
from PIL import Image
from test_ultralytics import CASES, answered, card_of, outputs, picture

from qingzhou.answers import run_lengths
from qingzhou.cli import main
from qingzhou.errors import SelfTestFailed
from qingzhou.runtime import load
from qingzhou.runtime.model.card import Card, Sample
from qingzhou.runtime.model.detect import read
from qingzhou.runtime.model.masks import paste_mask
from qingzhou.runtime.model.sample import sample_picture
from qingzhou.runtime.parts.plain import as_plain, from_plain
from qingzhou.scenes import needs, program, write_sample
from qingzhou.scenes.needs import module

TASKS = ["detect", "detect_rows", "segment", "segment_rows", "pose", "pose_rows", "obb", "obb_rows"]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of each task, which always answers the same, and a picture of each."""
    folder = tmp_path_factory.mktemp("yolo")
    for name in TASKS:
        case = CASES[name]
        card = card_of(case)
        card.input.steps.append({"op": "normalize", "mean": [0.0] * 3, "std": [255.0] * 3})
        write_with_input(folder / f"{name}.onnx", card, outputs(case))
        Image.fromarray(picture(case)).save(folder / f"{name}.png")
    return folder


def write_with_input(path: Path, card: Any, given: dict[str, np.ndarray]) -> None:
    import onnx

    write(path, card, **given)
    model = onnx.load(str(path))
    model.graph.input[0].name = card.input.name
    onnx.save(model, str(path))


def asked(desk: Path, name: str, *more: str) -> Any:
    done = CliRunner().invoke(main, ["run", str(desk / f"{name}.onnx"), str(desk / f"{name}.png"), *more])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("name", TASKS)
def test_json(name: str, desk: Path) -> None:
    expected, _ = answered(CASES[name])
    (found,) = json.loads(asked(desk, name, "--json"))["results"]
    assert len(found["detections"]) == len(expected)
    for one, thing in zip(found["detections"], expected, strict=True):
        assert [*one["box"].values()] == pytest.approx(thing.box, abs=0.01)
        if thing.keypoints:
            np.testing.assert_allclose(one["keypoints"], thing.keypoints, atol=0.01)
        if thing.rotated:
            assert [*one["rotated"].values()] == pytest.approx(thing.rotated, abs=0.01)
            np.testing.assert_allclose(one["corners"], thing.corners, atol=0.01)
        if thing.mask is not None and thing.mask_box is not None:
            mask = paste_mask(thing.mask, thing.mask_box, CASES[name].picture)
            assert one["mask"] == run_lengths(mask)
    assert any(set(one) > {"label", "index", "confidence", "box"} for one in found["detections"]) is (
        "detect" not in name
    )


@pytest.mark.parametrize(("name", "moved"), [("pose", "keypoints"), ("obb", "angle")])
def test_the_self_test_notices_what_is_not_a_box(name: str, moved: str, desk: Path, tmp_path: Path) -> None:
    """Keypoints that a board computes wrongly, or how things lie."""
    model = load(desk / f"{name}.onnx")
    sample = {"encoding": "png", "data": base64.b64encode(sample_picture((160, 160), "RGB")).decode()}
    given = outputs(CASES[name])
    found = read(given, model.card).rows().astype(float).tolist()
    card = dataclasses.replace(model.card, sample=Sample(sample, found))
    write_with_input(tmp_path / "right.onnx", Card.from_json(card.to_json()), given)
    assert load(tmp_path / "right.onnx").check() < 1e-6
    given["output0"][:, 7 : 10 if name == "pose" else 8] += 0.5 if name == "obb" else 9
    write_with_input(tmp_path / "wrong.onnx", card, given)
    with pytest.raises(SelfTestFailed):
        load(tmp_path / "wrong.onnx").check()


@pytest.mark.parametrize("cut", [True, False])
def test_rows_that_are_cut_inside_say_so(cut: bool, desk: Path, tmp_path: Path) -> None:
    """As those are that NMS in the network has chosen; those without NMS are not."""
    case = CASES["detect_rows"]
    given = outputs(case)
    if cut:
        given["output0"][given["output0"][..., 4] < 0.25] = 0
    write_with_input(tmp_path / "m.onnx", card_of(case), given)
    words = ["run", str(tmp_path / "m.onnx"), str(desk / "detect_rows.png"), "--threshold"]
    for threshold, said in (("0.1", cut), ("0.3", False)):
        done = CliRunner().invoke(main, [*words, threshold])
        assert done.exit_code == 0 and ("keeps nothing below 0.25" in " ".join(done.output.split())) is said


def test_words(desk: Path) -> None:
    assert "of 17 keypoints" in asked(desk, "pose") and "turned" in asked(desk, "obb")
    assert "outline" in asked(desk, "segment") and "outline" not in asked(desk, "detect")


def test_tables_and_coco(desk: Path, tmp_path: Path) -> None:
    head, row = asked(desk, "pose", "--csv").splitlines()[:2]
    assert head.endswith("x_16,y_16,sure_16") and row.count(",") == head.count(",") == 6 + 51
    head, row = asked(desk, "obb", "--csv").splitlines()[:2]
    assert head.endswith("x2,y2,cx,cy,w,h,angle") and row.count(",") == head.count(",")
    for name, key, count in (("pose", "keypoints", 51), ("obb", "segmentation", 1), ("segment", "segmentation", 2)):
        asked(desk, name, "--coco", str(tmp_path / f"{name}.json"))
        annotations = json.loads((tmp_path / f"{name}.json").read_text("utf-8"))["annotations"]
        assert all(len(one[key]) == count for one in annotations) and annotations


@pytest.mark.parametrize("name", TASKS)
def test_one_board_tells_another(name: str) -> None:
    """All but masks, which are too much for a message."""
    found, _ = answered(CASES[name])
    heard = from_plain(json.loads(json.dumps(as_plain(found))))
    assert [one.label for one in heard] == [one.label for one in found]
    for one, other in zip(heard, found, strict=True):
        assert (one.keypoints is None, one.rotated is None) == (other.keypoints is None, other.rotated is None)
        np.testing.assert_allclose(one.corners, other.corners, atol=0.05)


@pytest.mark.parametrize(("name", "words"), [("pose", "keypoints: ("), ("obb_rows", "degrees"), ("segment", "box: (")])
def test_the_program_beside_it(
    name: str, words: str, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the modules of the runtime that it needs, and no others."""
    monkeypatch.setenv("QINGZHOU_LANG", "en")
    model = tmp_path / "m.onnx"
    model.write_bytes((desk / f"{name}.onnx").read_bytes())
    program = write_sample(model, load(model).card)
    command = [sys.executable, str(program), str(desk / f"{name}.png")]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert words in done.stdout.decode("utf-8") and (tmp_path / "m_result.png").is_file()
    assert (tmp_path / "qingzhou_runtime" / "model" / "ultralytics.py").is_file()


@pytest.mark.parametrize("name", ["detect_rows", "segment", "pose", "obb"])
def test_little_is_enough(name: str) -> None:
    """For the program: as many modules as other detectors have, and two or three more."""
    card = card_of(CASES[name])
    wanted = needs([program("basic", card, "en", {})], [card])
    assert len(wanted) <= 29 and sum(len(module(one).encode()) for one in wanted) <= 170_000
    assert not wanted & {"model.levels", "model.quick", "model.words"}
