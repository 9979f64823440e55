"""Files of Ultralytics give what it says itself: predictions, rows, boxes, masks, keypoints, angles, classes."""

from __future__ import annotations

import functools
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

import qingzhou
from dear import but_slow
from qingzhou.errors import OptionError
from qingzhou.graph.fold import simplify
from qingzhou.nets.recorded import Wanted
from qingzhou.onnxfile.emit import emit
from qingzhou.onnxfile.write import write_onnx
from qingzhou.runtime.model.detect import paste_mask
from qingzhou.runtime.model.detection import Detection
from qingzhou.sources.network import Network
from qingzhou.sources.read import read_network
from qingzhou.sources.torch.container import read_checkpoint
from qingzhou.sources.ultralytics.read import read_ultralytics
from yolos import CASES, SIDE, TWO_HEADS, checkpoint, fed, picture, reference

DETECTORS = [name for name, case in CASES.items() if case["task"] != "classify"]
ONE, MANY = "one2one", "one2many"
NEAR = 1e-5  # of the largest number


def ran(network: Network, batch: Any, folder: Path, opset: int = 13) -> Sequence[Any]:
    """What onnxruntime makes of it."""
    write_onnx(folder / "n.onnx", emit(simplify(network.graph), opset, 8))
    session = ort.InferenceSession(folder / "n.onnx", providers=["CPUExecutionProvider"])
    return session.run(None, {"images": batch})


def near(found: Any, expected: Any) -> None:
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= NEAR * np.abs(expected).max()


def many(name: str) -> str | None:
    """--head for the head that `raw` is of."""
    return MANY if name in TWO_HEADS else None


@pytest.mark.parametrize("name", [name for name in DETECTORS if name != "26_fused"])
def test_raw_predictions(name: str, tmp_path: Path, record_property: Any) -> None:
    """Ultralytics' own layout, of both forms of files, of every kind of head."""
    network = read_network(checkpoint(name, tmp_path), Wanted(input_size=(64, 96), form="raw", head=many(name)))
    found = ran(network, fed(name), tmp_path)
    near(found[0], reference(name, "raw"))
    record_property(
        "oracle", float(np.abs(found[0] - reference(name, "raw")).max() / np.abs(reference(name, "raw")).max())
    )
    if CASES[name]["task"] == "segment":
        near(found[1], reference(name, "prototypes"))
    assert [value.name for value in network.graph.outputs] == ["output0", "output1"][: len(found)]


@pytest.mark.parametrize("name", [*TWO_HEADS, "26_fused"])
def test_rows_of_heads_without_nms(name: str, tmp_path: Path) -> None:
    """All of them, whatever their score."""
    found = ran(read_network(checkpoint(name, tmp_path), Wanted(input_size=(64, 96))), fed(name), tmp_path)[0]
    near(found, reference(name, "raw" if name == "26_fused" else "rows"))


def test_classifiers(tmp_path: Path) -> None:
    near(
        ran(read_network(checkpoint("11_classify", tmp_path)), fed("11_classify"), tmp_path)[0],
        reference("11_classify", "raw"),
    )
    answer = qingzhou.convert(tmp_path / "11_classify.pt").predict(picture("11_classify", tmp_path))
    np.testing.assert_allclose(answer.scores, reference("11_classify", "square"), atol=1e-5)


@pytest.mark.parametrize("opset", [11, 18, 21])
@pytest.mark.parametrize("name", ["11_segment", "11_obb", "26_pose", "12"])
def test_every_opset(name: str, opset: int, tmp_path: Path) -> None:
    """The same rows as at the usual one."""
    found, usual = rows_at(name, opset, tmp_path), at_the_usual_one(name)
    assert (usual[0][0, :, 4] > 0.05).sum() > 3
    for one, other in zip(found, usual, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)


def rows_at(name: str, opset: int, folder: Path) -> Sequence[Any]:
    wanted = Wanted(input_size=(64, 96), score=0.05, head=many(name))
    return ran(read_network(checkpoint(name, folder), wanted), fed(name), folder, opset)


@functools.cache
def at_the_usual_one(name: str) -> Sequence[Any]:
    with tempfile.TemporaryDirectory() as folder:
        return rows_at(name, 13, Path(folder))


def test_classes_were_in_one_module_once(tmp_path: Path) -> None:
    """As published files of 2023 have them: ultralytics.nn.modules.Conv."""
    saved = read_checkpoint(checkpoint("v8", tmp_path))
    todo: list[Any] = [saved.module]
    while todo:
        one = todo.pop()
        one.name = re.sub(r"^(ultralytics\.nn\.modules)\.\w+\.(\w+)$", r"\1.\2", one.name)
        todo += [child for child in one.state["_modules"].values() if child is not None]
    network = read_ultralytics(saved, Wanted(input_size=(64, 96), form="raw")).bound(saved.tensors)
    near(ran(network, fed("v8"), tmp_path)[0], reference("v8", "raw"))


# -- from a picture to the answer --------------------------------------------------------------------------------------


def rows_of(found: Sequence[Detection], task: str) -> Any:
    """As the references have them."""
    if task == "obb":
        return np.array([[*(one.rotated or ()), one.confidence, one.index] for one in found])
    points = [np.ravel(one.keypoints or ()) for one in found]
    return np.array([[*one.box, one.confidence, one.index, *more] for one, more in zip(found, points, strict=True)])


def same_answers(found: Sequence[Detection], expected: Any, task: str) -> None:
    """Places within 0.02 pixels, scores within 1e-4; boxes in the grey around the picture are none."""
    if task != "obb":
        expected = expected[(expected[:, 2] > expected[:, 0]) & (expected[:, 3] > expected[:, 1])]
    rows = rows_of(found, task)
    assert rows.shape == expected.shape and len(rows)
    score = 5 if task == "obb" else 4
    np.testing.assert_allclose(rows, expected, atol=0.02)
    np.testing.assert_allclose(rows[:, score : score + 2], expected[:, score : score + 2], atol=1e-4)


ANSWERS = [(name, form) for name in DETECTORS if name != "26_segment" for form in ("boxes", "raw")]
QUICK = ["11", "11_segment", "11_pose", "11_obb", "26", "v5"]


@pytest.mark.parametrize(("name", "form"), but_slow(ANSWERS, [case for case in ANSWERS if case[0] not in QUICK]))
def test_answers(name: str, form: str, tmp_path: Path) -> None:
    """Letterbox, network, NMS, and back into the picture, as predict() does it with an exported model."""
    model = qingzhou.convert(checkpoint(name, tmp_path), form=form, head=many(name))
    assert model.card.input.sides() == (SIDE, SIDE)
    same_answers(model.predict(picture(name, tmp_path)), reference(name, "square"), CASES[name]["task"])


@pytest.mark.parametrize("name", ["11", "11_pose", "11_obb"])
def test_an_input_of_the_picture_s_shape_is_ultralytics_rect(name: str, tmp_path: Path) -> None:
    """What predict() says of a .pt, which fills up to a multiple of 32 only."""
    model = qingzhou.convert(checkpoint(name, tmp_path), input_size=(64, 96))
    same_answers(model.predict(picture(name, tmp_path)), reference(name, "rect"), CASES[name]["task"])


@pytest.mark.parametrize("name", ["26", "26_pose", "v10"])
def test_heads_without_nms_answer_by_default(name: str, tmp_path: Path) -> None:
    model = qingzhou.convert(checkpoint(name, tmp_path))
    assert any("one2one" in note and "head=one2many" in note for note in model.card.notes)
    found = model.predict(picture(name, tmp_path))
    same_answers(found, reference(name, "free"), CASES[name]["task"])
    raw = qingzhou.convert(tmp_path / f"{name}.pt", form="raw").predict(tmp_path / f"{name}.png")
    same_answers(raw, reference(name, "free"), CASES[name]["task"])


def test_masks(tmp_path: Path) -> None:
    """In the network's own pixels, where the picture is 96 x 58 and stands 19 below the upper edge."""
    model = qingzhou.convert(checkpoint("11_segment", tmp_path))
    found = model.predict(picture("11_segment", tmp_path))
    bits = np.unpackbits(reference("11_segment", "masks")).astype(bool)
    masks = bits[: len(bits) // SIDE**2 * SIDE**2].reshape(-1, SIDE, SIDE)
    apart = there = 0
    for one, mask in zip(found, masks, strict=True):
        assert one.mask is not None and one.mask_box is not None
        rows = ((np.arange(60) + 0.5) * 58 / 60 + 19).astype(int)
        columns = ((np.arange(100) + 0.5) * 0.96).astype(int)
        pasted = paste_mask(one.mask, one.mask_box, (60, 100))
        there += np.count_nonzero(pasted)
        apart += np.count_nonzero(pasted != mask[np.ix_(rows, columns)])
    assert there > 300 and apart <= 0.1 * there, (apart, there)  # edges of small things


# -- thresholds --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["11", "11_obb"])
def test_nothing_is_likely_enough(name: str, tmp_path: Path) -> None:
    network = read_network(checkpoint(name, tmp_path), Wanted(input_size=(64, 96), score=0.9999))
    for opset in (11, 13, 21):
        assert not ran(network, fed(name), tmp_path, opset)[0].any()


def test_thresholds_that_are_asked_for(tmp_path: Path) -> None:
    path = checkpoint("11", tmp_path)
    wanted = {"score_threshold": 0.1, "iou_threshold": 0.3, "max_detections": 7}
    model = qingzhou.convert(path, **wanted)
    assert model.card.thresholds == {"score": 0.1, "iou": 0.3, "most": 7}
    assert len(model.predict(picture("11", tmp_path))) <= 7
    with pytest.raises(OptionError, match="iou_threshold is for NMS"):
        qingzhou.convert(checkpoint("26", tmp_path), iou_threshold=0.5)
