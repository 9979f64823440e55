"""paddle2onnx of Paddle's MobileNetV2 with random weights: `paddle_export.py OUT.onnx`."""

from __future__ import annotations

import sys
from pathlib import Path

import paddle
import paddle2onnx

if __name__ == "__main__":
    place = Path(sys.argv[1]).with_suffix("")
    spec = [paddle.static.InputSpec([1, 3, 224, 224], "float32", "x")]
    paddle.jit.save(paddle.vision.models.mobilenet_v2().eval(), str(place), spec)
    paddle2onnx.export(f"{place}.json", f"{place}.pdiparams", sys.argv[1], optimize_tool="None")
