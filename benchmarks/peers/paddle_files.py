"""Paddle's MobileNetV2 with random weights as Paddle 3 saves it: `paddle_files.py FOLDER`; net.json, net.pdiparams."""

from __future__ import annotations

import sys
from pathlib import Path

import paddle

if __name__ == "__main__":
    paddle.seed(0)
    spec = [paddle.static.InputSpec([None, 3, 224, 224], "float32", "image")]
    paddle.jit.save(paddle.vision.models.mobilenet_v2().eval(), str(Path(sys.argv[1]) / "net"), spec)
