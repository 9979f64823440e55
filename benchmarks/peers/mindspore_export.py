"""MindSpore's MobileNetV2 with random weights: `mindspore_export.py OUT.mindir` or OUT.onnx, by MindSpore itself.

The first leaves its weights beside it (OUT.ckpt), and the second reads them, as a user would.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

os.environ["GLOG_v"] = "4"  # noqa: SIM112  # its own spelling
import mindspore as ms
import numpy as np
from mindspore import nn, ops

# Table 2 of Sandler et al. 2018: expansion, channels, repeats, stride
STAGES = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


def layer(inner: int, outer: int, kernel: int, stride: int = 1, group: int = 1, act: bool = True) -> Any:
    pad = (kernel - 1) // 2
    conv = nn.Conv2d(inner, outer, kernel, stride, pad_mode="pad", padding=pad, group=group)
    return nn.SequentialCell([conv, nn.BatchNorm2d(outer), *([nn.ReLU6()] if act else [])])


class Inverted(nn.Cell):
    def __init__(self, inner: int, outer: int, stride: int, expand: int) -> None:
        super().__init__()
        wide, self.adds = inner * expand, stride == 1 and inner == outer
        first = [layer(inner, wide, 1)] if expand > 1 else []
        self.layers = nn.SequentialCell([*first, layer(wide, wide, 3, stride, wide), layer(wide, outer, 1, act=False)])

    def construct(self, x: Any) -> Any:
        return x + self.layers(x) if self.adds else self.layers(x)


class MobileNetV2(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        layers, inner = [layer(3, 32, 3, 2)], 32
        for expand, outer, repeats, stride in STAGES:
            for i in range(repeats):
                layers.append(Inverted(inner, outer, stride if i == 0 else 1, expand))
                inner = outer
        self.features, self.fc = nn.SequentialCell([*layers, layer(inner, 1280, 1)]), nn.Dense(1280, 1000)

    def construct(self, image: Any) -> Any:
        return self.fc(ops.mean(self.features(image), (2, 3)))


if __name__ == "__main__":
    target, net = Path(sys.argv[1]), MobileNetV2()
    net.set_train(False)
    weights = target.with_name("mobilenet_v2.ckpt")
    if weights.exists():
        ms.load_checkpoint(str(weights), net)
    else:
        ms.save_checkpoint(net, str(weights))
    example = ms.Tensor(np.zeros((1, 3, 224, 224), np.float32))
    ms.export(net, example, file_name=str(target.with_suffix("")), file_format=target.suffix[1:].upper())
