"""What Ultralytics makes of the outputs in seeded.py, and its letterbox of pictures: references.npz.

pip install torch==2.13.0 ultralytics==8.4.190 opencv-python-headless==5.0.0.93, then in this folder: python make.py.
Its own NMS is used, and not torchvision's; the rule is the same.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from seeded import CASES, CLASSES, Case, outputs, picture
from ultralytics.data.augment import LetterBox
from ultralytics.models.yolo.detect import DetectionPredictor
from ultralytics.models.yolo.obb import OBBPredictor
from ultralytics.models.yolo.pose import PosePredictor
from ultralytics.models.yolo.segment import SegmentationPredictor

PREDICTORS = {
    "detect": DetectionPredictor,
    "segment": SegmentationPredictor,
    "pose": PosePredictor,
    "obb": OBBPredictor,
}
LETTERBOXES = {  # of height, width: to a side, padded to it or to a multiple of 32
    "squares": [(119, 201), (201, 119), (721, 1280), (37, 640), (64, 64), (3, 500), (250, 375), (33, 21)],
    "rects": [(119, 201), (201, 119), (721, 1280), (640, 480), (64, 64)],
}


def answer(case: Case) -> dict[str, Any]:
    """What predict() says of the outputs."""
    given = [torch.from_numpy(output) for output in outputs(case).values()]
    predictor = PREDICTORS[case.task](overrides={"conf": 0.25, "iou": 0.7, "max_det": 300, "task": case.task})
    names = {i: str(i) for i in range(CLASSES)}
    predictor.model = SimpleNamespace(names=names, end2end=case.rows, kpt_shape=case.points)
    predictor.batch = [["x.png"]]
    image = torch.zeros((1, 3, *case.side))
    raw = given if case.task == "segment" else given[0]
    (result,) = predictor.postprocess(raw, image, [np.ascontiguousarray(picture(case)[..., ::-1])])
    if case.task == "obb":
        return {"rotated": result.obb.data.numpy(), "hulls": result.obb.xyxy.numpy()}
    found = {"boxes": result.boxes.data.numpy()}
    if case.task == "pose":
        found["keypoints"] = result.keypoints.data.numpy()
    if case.task == "segment":
        found["masks"] = np.packbits(result.masks.data.numpy().astype(bool))
    return found


def letterboxed(size: tuple[int, int], rect: bool) -> Any:
    """RGB, height x width x 3, of picture()'s pattern."""
    case = Case("detect", picture=size)
    return LetterBox((160, 160), auto=rect, stride=32)(image=picture(case))


if __name__ == "__main__":
    found = {f"{name}.{part}": array for name, case in CASES.items() for part, array in answer(case).items()}
    for kind, sizes in LETTERBOXES.items():
        for height, width in sizes:
            image = letterboxed((height, width), kind == "rects")
            found[f"{kind}.{height}x{width}"] = np.array(
                [
                    *image.shape,
                    *image.astype(np.int64).sum((0, 1)),
                    *(image[::7, ::5].astype(np.int64) @ [1, 3, 7]).ravel(),
                ]
            ).astype(np.int32)
    np.savez_compressed(Path(__file__).with_name("references.npz"), **found)
    for key, array in found.items():
        print(key, array.shape)
