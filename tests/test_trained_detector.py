"""A trained SSDLite: what torch found in pictures that it had not seen, the converted model finds too."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import qingzhou
from qingzhou.evaluate import evaluate

ORACLE = Path(__file__).parent / "oracle" / "trained_ssd"
FOUND = np.load(ORACLE / "detections.npz")


@pytest.fixture(scope="module", params=["boxes", "raw"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> qingzhou.Model:
    """The checkpoint in both forms, asked for everything above 0.05."""
    out = tmp_path_factory.mktemp("ssd") / "shapes.onnx"
    return qingzhou.convert(
        ORACLE / "checkpoint.pth", out, input_size=(160, 160), score_threshold=0.05, form=request.param
    )


def test_the_boxes_are_those_of_torch(model: qingzhou.Model) -> None:
    for name in FOUND.files:
        expected, found = FOUND[name], model.predict(ORACLE / "pictures" / name)
        assert len(found) == len(expected)
        rows = np.array([[*one.box, one.confidence, one.index] for one in found], np.float32).reshape(-1, 6)
        order = [np.lexsort((table[:, 0].round(1), -table[:, 4].round(4))) for table in (rows, expected)]
        np.testing.assert_allclose(rows[order[0], :4], expected[order[1], :4], atol=0.02)
        np.testing.assert_allclose(rows[order[0], 4], expected[order[1], 4], atol=1e-4)


def test_it_is_as_good_as_before(model: qingzhou.Model) -> None:
    """mAP of torch's boxes by pycocotools alone, against ours through evaluate()."""
    before = torch_map()
    after = evaluate(model, ORACLE).result
    assert before > 0.4
    assert after.map == pytest.approx(before, abs=1e-3)


def torch_map() -> float:
    """COCO's mean average precision of the boxes that torch found."""
    truth = json.loads((ORACLE / "annotations.json").read_text("utf-8"))
    numbers = {image["file_name"]: image["id"] for image in truth["images"]}
    rows = [
        {
            "image_id": numbers[name],
            "category_id": int(row[5]) + 1,
            "score": float(row[4]),
            "bbox": [float(row[0]), float(row[1]), float(row[2] - row[0]), float(row[3] - row[1])],
        }
        for name in FOUND.files
        for row in FOUND[name]
    ]
    with redirect_stdout(io.StringIO()):
        coco = COCO(ORACLE / "annotations.json")
        judge = COCOeval(coco, coco.loadRes(rows), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return float(judge.stats[0])
