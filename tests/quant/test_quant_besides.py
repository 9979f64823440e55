"""Masks, keypoints and turned boxes keep the promise too: by true ones where the data have them, else by agreement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import qingzhou
from qingzhou.errors import use_language
from qingzhou.evaluate.result import Box, Case, Dataset
from qingzhou.present.quantized import quantized
from qingzhou.quant.besides import Packed, light, opened
from qingzhou.quant.judge import Verdict, judge
from qingzhou.quant.pair import Both, Pair
from qingzhou.quant.result import Limits, Quantized
from qingzhou.quant.split import Split
from qingzhou.runtime.model.card import Card, Input, Output
from qingzhou.runtime.model.detect import Detection
from yolos import checkpoint, picture

BOX = (20.0, 10.0, 60.0, 40.0)
SQUARE = [20.0, 10.0, 60.0, 10.0, 60.0, 40.0, 20.0, 40.0]
POINTS = tuple((10.0 + 3 * i, 10.0 + 2 * i, 0.9) for i in range(17))
LIMITS = Limits(0.5, 95.0)


class Written:
    """Two models with what they say of any picture."""

    def __init__(self, before: Sequence[Detection], after: Sequence[Detection]) -> None:
        said = Output("y", "rows")
        self.card = Card("detection", "Tiny", "Ultralytics", Input("x", "image", [1, 3, 8, 8], "RGB"), said, ["cat"])
        self.card = replace(self.card, thresholds={"score": 0.25, "iou": 0.5, "most": 100})
        self.both = Both(light(before), light(after))

    def predict(self, data: Any, threshold: float | None = None) -> Both:
        return self.both


def split(folder: Path, *truth: Box) -> Split:
    """Of two pictures."""
    cases = []
    for name in ("a.png", "b.png"):
        Image.new("RGB", (100, 60)).save(folder / name)
        cases.append(Case(name, folder / name, list(truth)))
    return Split(Dataset(folder, "coco", "all", "boxes", lambda: iter(cases)), [], cases, bool(truth))


def thing(**more: Any) -> Detection:
    return Detection("cat", 0, 0.9, BOX, **more)


def masked(wide: int) -> Detection:
    mask = np.zeros((30, 40), bool)
    mask[:, :wide] = True
    return thing(mask=mask, mask_box=BOX)


def turned(angle: float) -> Detection:
    return thing(rotated=(40.0, 25.0, 30.0, 16.0, angle))


def moved(by: float) -> Detection:
    return thing(keypoints=tuple((x + by, y, sure) for x, y, sure in POINTS))


KINDS: Mapping[str, tuple[Detection, Detection, dict[str, Any]]] = {
    "masks": (masked(40), masked(25), {"outline": [SQUARE]}),
    "keypoints": (moved(0), moved(30), {"keypoints": [n for x, y, _ in POINTS for n in (x, y, 2.0)]}),
    "rotated": (turned(0.5), turned(-0.5), {"outline": [[n for corner in turned(0.5).corners for n in corner]]}),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("known", ["the data", "nothing", "boxes"])
def test_the_promise_is_for_them_too(kind: str, known: str, tmp_path: Path) -> None:
    """The boxes are the same, and only what belongs to them has changed."""
    good, bad, truth = KINDS[kind]
    parts = split(tmp_path, *{"the data": [Box(0, BOX, **truth)], "boxes": [Box(0, BOX)]}.get(known, []))
    same = judge(Written([good], [good]), parts)  # type: ignore[arg-type]
    assert [(one.kind, one.labelled) for one in same.besides] == [(kind, known == "the data")]
    assert LIMITS.within(same) and same.besides[0].after == pytest.approx(1)
    lost = judge(Written([good], [bad]), parts)  # type: ignore[arg-type]
    assert lost.figures() == same.figures() and not lost.notes
    assert not LIMITS.within(lost) and lost.besides[0].after < 0.7
    gone = judge(Written([good], [thing()]), parts)  # type: ignore[arg-type]
    assert not LIMITS.within(gone) and gone.besides[0].after == 0


def test_what_fits_no_true_one_is_judged_by_agreement(tmp_path: Path) -> None:
    """Masks of the data that the model never meets would stay at 0 % whatever INT8 spoils."""
    parts = split(tmp_path, Box(0, BOX, outline=[[20.0, 10.0, 22.0, 10.0, 22.0, 40.0, 20.0, 40.0]]))
    found = judge(Written([masked(40)], [masked(25)]), parts)  # type: ignore[arg-type]
    assert found.labelled and [one.labelled for one in found.besides] == [False] and not LIMITS.within(found)


def test_what_nobody_can_judge_is_said(tmp_path: Path) -> None:
    use_language("en")
    unsure = masked(40)._replace(confidence=0.1)
    found = judge(Written([unsure], [unsure]), split(tmp_path, Box(0, BOX)))  # type: ignore[arg-type]
    assert not found.besides and "Nothing is known of what the masks have lost" in " ".join(found.notes)


def told(verdict: Verdict) -> Quantized:
    return Quantized(Path("a.onnx"), None, None, "int8", "arm", (2, 1), LIMITS, verdict, None, None, [], 1, [], 0.0)


@pytest.mark.parametrize(
    ("language", "labelled", "said"),
    [
        ("en", True, "Besides: masks from mAP 100.00 % to 55.00 %"),
        ("en", False, "Besides: 55.00 % of the masks stay."),
        ("zh", True, "另外：掩码的 mAP 从 100.00 % 变为 55.00 %。"),
        ("zh", False, "另外：掩码有 55.00 % 与原来一致。"),
    ],
)
def test_it_is_said(
    language: str, labelled: bool, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use_language(language)
    truth = [Box(0, BOX, outline=[SQUARE])] if labelled else []
    verdict = judge(Written([masked(40)], [masked(25)]), split(tmp_path, *truth))  # type: ignore[arg-type]
    (one,) = verdict.besides
    found = told(replace(verdict, besides=[one._replace(after=0.55)]))
    assert said in found.explanation and not found.kept_promise
    assert found.as_dict()["accuracy"]["besides"][0]["kind"] == "masks"  # type: ignore[index]
    quantized(found, False)
    assert "55.00 %" in capsys.readouterr().out


@pytest.mark.parametrize("mask", [np.random.default_rng(1).random((28, 28), np.float32), np.eye(7, 5) > 0])
def test_masks_wait_packed(mask: Any) -> None:
    one = thing(mask=mask, mask_box=BOX)
    kept = light([one, one._replace(confidence=1e-4)])
    assert isinstance(kept[0].mask, Packed) and kept[1].mask is None
    (again,) = opened(kept[:1])
    np.testing.assert_array_equal(again.mask, mask, strict=True)


@pytest.mark.parametrize(("name", "kind"), [("11_segment", "masks"), ("11_pose", "keypoints"), ("11_obb", "rotated")])
def test_a_model_repeats_itself(name: str, kind: str, tmp_path: Path) -> None:
    model = qingzhou.load(qingzhou.convert(checkpoint(name, tmp_path), check=False).path)
    path = picture(name, tmp_path)
    cases = [Case("a", path, None)]
    parts = Split(Dataset(tmp_path, "pictures", "all", "none", lambda: iter(cases)), [], cases, False)
    found = judge(Pair(model.predictor, model.predictor), parts)
    assert [(one.kind, one.after) for one in found.besides] == [(kind, pytest.approx(1))]
