"""Asks Ultralytics itself, offline; started by test_yolo.py in that of environments.py.

python drive_yolo.py REQUEST.json ANSWERS.npz    ->  for each {"name", "model", "picture", "rect"} what predict()
                                                     says: boxes with all that belongs to them, or probabilities
"""

import json
import sys

import numpy as np
import torch  # noqa: TID251 - of the environment that this runs in
from PIL import Image

_LIBRARY = torch.library.Library("torchvision", "DEF")  # beside a torch for CPUs its own operators are missing
for _name in ("nms", "qnms"):
    _LIBRARY.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import torchvision  # noqa: E402


def offline(event, args):
    """Audit hook: refuse every connection."""
    if event in ("socket.connect", "socket.getaddrinfo", "urllib.Request"):
        raise RuntimeError(f"Ultralytics wants the network: {event} {args[1:]!r}")


def greedy(boxes, scores, limit):
    """torchvision.ops.nms, of few boxes."""
    from ultralytics.utils.nms import TorchNMS

    return TorchNMS.nms(boxes, scores, limit)


def rows(result):
    """As tests/oracle/yolo has them."""
    if result.probs is not None:
        return result.probs.data
    if result.obb is not None:
        return torch.cat([result.obb.xywhr, result.obb.conf[:, None], result.obb.cls[:, None]], 1)
    points = [] if result.keypoints is None else [result.keypoints.data.flatten(1)]
    return torch.cat([result.boxes.data, *points], 1)


def main(request, answers):
    """Every model of the request."""
    _LIBRARY.impl("nms", greedy, "CPU")
    torchvision.extension._assert_has_ops = lambda: None
    torchvision.ops.boxes._assert_has_ops = lambda: None
    from ultralytics import YOLO

    with open(request, encoding="utf-8") as file:
        wanted = json.load(file)
    found = {}
    for one in wanted:
        options = {"conf": 0.25, "iou": 0.7, "rect": False, "device": "cpu", "verbose": False}
        bgr = np.ascontiguousarray(np.asarray(Image.open(one["picture"]))[..., ::-1])
        result = YOLO(one["model"]).predict(bgr, **options)[0]
        found[one["name"]] = rows(result).numpy()
        if result.masks is not None:
            found[one["name"] + ".masks"] = result.masks.data.numpy().astype(bool)
        found[one["name"] + ".names"] = np.array([result.names[i] for i in sorted(result.names)])
    np.savez(answers, **found)


if __name__ == "__main__":
    sys.addaudithook(offline)
    main(*sys.argv[1:])
