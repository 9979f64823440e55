"""torch.onnx.export of a MobileNetV2 with random weights: `torch_export.py OUT.onnx default|torchscript`."""

from __future__ import annotations

import sys

import torch
from torch import nn

STAGES = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


def conv(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """A convolution with BatchNorm."""
    made = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [made, nn.BatchNorm2d(outputs)]


class Inverted(nn.Module):
    """Sandler et al. 2018, figure 4d."""

    def __init__(self, inputs: int, outputs: int, stride: int, expand: int) -> None:
        super().__init__()
        inner = inputs * expand
        wide = [*conv(inputs, inner), nn.ReLU6()] if expand > 1 else []
        self.body = nn.Sequential(*wide, *conv(inner, inner, 3, stride, inner), nn.ReLU6(), *conv(inner, outputs))
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x) if self.shortcut else self.body(x)


def mobilenet_v2(classes: int = 1000) -> nn.Module:
    """The same network as in our oracle."""
    layers, last = [*conv(3, 32, 3, 2), nn.ReLU6()], 32
    for expand, outputs, repeats, stride in STAGES:
        for number in range(repeats):
            layers.append(Inverted(last, outputs, stride if number == 0 else 1, expand))
            last = outputs
    layers += [*conv(last, 1280), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, classes)]
    return nn.Sequential(*layers).eval()


if __name__ == "__main__":
    out, exporter = sys.argv[1:]
    torch.onnx.export(mobilenet_v2(), (torch.zeros(1, 3, 224, 224),), out, dynamo=exporter == "default")
