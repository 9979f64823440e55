"""`yolo export format=onnx` of a .pt of Ultralytics: `yolo_export.py MODEL.pt SIDE`; with `new`, makes a YOLO11n first.

yolo_export.py new MODEL.pt      # random weights, from Ultralytics' own yaml: nothing is fetched
"""

from __future__ import annotations

import sys

import torch

# Beside a torch for CPUs PyPI's torchvision misses its own operators, and refuses to be imported.
LIBRARY = torch.library.Library("torchvision", "DEF")
for name in ("nms", "qnms"):
    LIBRARY.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import torchvision  # noqa: E402

if __name__ == "__main__":
    torchvision.extension._assert_has_ops = lambda: None
    from ultralytics import YOLO

    if sys.argv[1] == "new":
        torch.manual_seed(0)
        YOLO("yolo11n.yaml").save(sys.argv[2])
    else:
        YOLO(sys.argv[1]).export(format="onnx", imgsz=int(sys.argv[2]))
