"""Make the files of this folder: small networks of torchvision's own classes, saved whole, and what they answer.

    python -m venv v
    v/bin/pip install torch==2.13.0 numpy
    v/bin/pip install --no-deps torchvision==0.28.0
    v/bin/python make.py

The pictures are drawn from their seed; every setting is another than the published networks'.
"""

import json
from functools import partial
from pathlib import Path

import numpy as np
import torch

FOLDER, SEED = Path(__file__).parent, 41
_LIBRARY = torch.library.Library("torchvision", "DEF")
for _name in ("nms", "qnms"):
    _LIBRARY.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from torchvision import models  # noqa: E402
from torchvision.models.convnext import CNBlockConfig, ConvNeXt  # noqa: E402
from torchvision.models.densenet import DenseNet  # noqa: E402
from torchvision.models.efficientnet import EfficientNet, FusedMBConvConfig, MBConvConfig  # noqa: E402
from torchvision.models.regnet import BlockParams, RegNet  # noqa: E402
from torchvision.models.shufflenetv2 import ShuffleNetV2  # noqa: E402

LIVE = partial(torch.nn.BatchNorm2d, eps=2e-3)
NETWORKS = {
    "mobilenet_v2": lambda: models.MobileNetV2(5, 0.1, norm_layer=LIVE),
    "mobilenet_v3": lambda: models.mobilenet_v3_small(num_classes=5, width_mult=0.2, reduced_tail=True),
    "shufflenet": lambda: ShuffleNetV2([1, 2, 1], [8, 16, 24, 32, 40], 5),
    "efficientnet": lambda: EfficientNet(
        [
            FusedMBConvConfig(1, 3, 1, 8, 8, 1),
            FusedMBConvConfig(4, 3, 2, 8, 16, 2),
            MBConvConfig(1, 5, 2, 16, 24, 1),
            MBConvConfig(4, 3, 2, 24, 24, 2),
        ],
        dropout=0.2,
        num_classes=5,
        last_channel=48,
    ),
    "regnet": lambda: RegNet(BlockParams([1, 2], [16, 24], [8, 8], [1.0, 1.0], [2, 2], 0.25), 5),
    "convnext": lambda: ConvNeXt([CNBlockConfig(8, 16, 1), CNBlockConfig(16, None, 2)], num_classes=5),
    "densenet": lambda: DenseNet(8, (1, 2, 1, 1), 16, num_classes=5),
}


def make(name):
    torch.manual_seed(SEED)
    network = NETWORKS[name]().train()
    with torch.no_grad():
        for _ in range(3):  # BatchNorms that have seen something
            network(torch.randn(4, 3, 64, 64))
    network.eval()
    picture = np.random.Generator(np.random.PCG64(SEED)).normal(size=(1, 3, 64, 64)).astype(np.float32)
    with torch.no_grad():
        [answers[name]] = network(torch.from_numpy(picture)).tolist()
    torch.save(network, FOLDER / f"{name}.pth")


answers = {}
for name in NETWORKS:
    make(name)
(FOLDER / "answers.json").write_text(json.dumps({"seed": SEED, "answers": answers}, indent=1) + "\n")
