"""What paddle2onnx's own command does: `paddle_convert.py NET.json NET.pdiparams OUT.onnx`."""

from __future__ import annotations

import sys

import paddle2onnx

if __name__ == "__main__":
    paddle2onnx.export(*sys.argv[1:4], optimize_tool="None")
