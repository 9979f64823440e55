"""What people save of a MobileNetV2 of torch, and torch's own way to ONNX: `torch_files.py make|export|ours FOLDER`.

make    FOLDER/net.pt2 (torch.export), FOLDER/mobilenet_v2.pth (torchvision's keys) and FOLDER/resnet18.pth
export NAME   rebuilds the network, loads the state dict and calls torch.onnx.export as it is: FOLDER/NAME.onnx
live    the network itself through qingzhou.convert, in the process that has torch
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import nn

LIBRARY = torch.library.Library("torchvision", "DEF")  # see yolo_export.py
for name in ("nms", "qnms"):
    LIBRARY.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import torchvision  # noqa: E402


def network(name: str) -> nn.Module:
    """With random weights."""
    torch.manual_seed(0)
    made: nn.Module = getattr(torchvision.models, name)(weights=None).eval()
    return made


if __name__ == "__main__":
    what, folder, *names = sys.argv[1:]
    picture = torch.zeros(2, 3, 224, 224)
    if what == "make":
        free = ({0: torch.export.Dim("batch")},)
        torch.export.save(
            torch.export.export(network("mobilenet_v2"), (picture,), dynamic_shapes=free), f"{folder}/net.pt2"
        )
        for one in ("mobilenet_v2", "resnet18"):
            torch.save(network(one).state_dict(), f"{folder}/{one}.pth")
    elif what == "export":
        (one,) = names
        net = network(one)
        net.load_state_dict(torch.load(f"{folder}/{one}.pth"))
        torch.onnx.export(net, (picture[:1],), f"{folder}/{one}.onnx")
    else:
        import qingzhou

        qingzhou.convert(network("mobilenet_v2"), Path(folder) / "live.onnx", sample=picture[:1])
