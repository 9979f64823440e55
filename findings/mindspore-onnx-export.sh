#!/usr/bin/env bash
# MindSpore's own ONNX export swaps the four paddings of a Conv2d, and cannot write common layers.
#
# Versions: mindspore 2.10.0 (CPU), numpy 1.26.4, onnxruntime 1.32.0; Python 3.11.
# Seen:     padding=(top, bottom, left, right) is written as ONNX's (top, left, bottom, right) without the change of order:
#           the file is accepted, its output has the right shape, and other numbers. HSwish, HSigmoid, ELU, exact GELU,
#           AdaptiveAvgPool2d, GroupNorm, pools with pad_mode="pad", bilinear resizing and GRU are not written; a dilated
#           Conv2d and a Conv2dTranspose with "same", and x[:, -1], are written, and onnxruntime refuses them.
# Expected: the same numbers, or an error when it is exported.
# Why it matters: nothing tells that a network with an uneven padding has become another one.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check mindspore==2.10.0 numpy==1.26.4 onnxruntime==1.32.0
cat > try.py <<'PY'
import os

os.environ["GLOG_v"] = "4"
import mindspore as ms
import numpy as np
import onnxruntime
from mindspore import Tensor, nn, ops


class Last(nn.Cell):
    def construct(self, x):
        return x[:, -1]


class Bilinear(nn.Cell):
    def construct(self, x):
        return ops.interpolate(x, size=(7, 9), mode="bilinear")


class Gru(nn.Cell):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(8, 4, batch_first=True)

    def construct(self, x):
        return self.gru(x)[0]


P, T = (1, 4, 8, 8), (1, 6, 8)
NETS = {
    "HSwish": (nn.HSwish, P), "HSigmoid": (nn.HSigmoid, P), "ELU": (nn.ELU, P), "GELU, exact": (lambda: nn.GELU(False), P),
    "AdaptiveAvgPool2d": (lambda: nn.AdaptiveAvgPool2d(3), P), "GroupNorm": (lambda: nn.GroupNorm(2, 4), P),
    "MaxPool2d, padded": (lambda: nn.MaxPool2d(3, 2, pad_mode="pad", padding=1), P),
    "AvgPool2d, padded": (lambda: nn.AvgPool2d(3, 2, pad_mode="pad", padding=1), P),
    "interpolate, bilinear": (Bilinear, P), "GRU": (Gru, T),
    "Conv2d, dilation, same": (lambda: nn.Conv2d(4, 6, 3, dilation=2), P),
    "Conv2dTranspose, same": (lambda: nn.Conv2dTranspose(4, 6, 3, 2), P), "x[:, -1]": (Last, T),
    "Conv2d, four paddings": (lambda: nn.Conv2d(4, 6, 3, pad_mode="pad", padding=(0, 1, 2, 1)), P),
    "Conv2d": (lambda: nn.Conv2d(4, 6, 3), P), "LayerNorm": (lambda: nn.LayerNorm((8,)), T),
}
rng = np.random.default_rng(0)
for name, (make, shape) in NETS.items():
    net, x = make(), rng.normal(size=shape).astype("float32")
    net.set_train(False)
    for p in net.get_parameters():
        p.set_data(Tensor(rng.normal(size=p.shape).astype("float32")))
    y = net(Tensor(x)).asnumpy()
    try:
        ms.export(net, Tensor(x), file_name="net", file_format="ONNX")
    except Exception as err:
        print(f"{name}: not written, {type(err).__name__}")
        continue
    try:
        session = onnxruntime.InferenceSession("net.onnx", providers=["CPUExecutionProvider"])
        found = session.run(None, {session.get_inputs()[0].name: x})[0]
    except Exception as err:
        print(f"{name}: refused by onnxruntime, {type(err).__name__}")
    else:
        apart = np.abs(found - y).max() if found.shape == y.shape else np.inf
        print(f"{name}: {'right' if apart < 1e-4 else 'wrong'}")
    os.chmod("net.onnx", 0o600)
    os.remove("net.onnx")
PY
env/bin/python try.py 2> errors | tee said || { cat errors; exit 1; }
grep -q '^Conv2d: right' said
grep -q '^Conv2d, four paddings: wrong' said
test "$(grep -c ': not written' said)" = 10
test "$(grep -c ': refused by onnxruntime' said)" = 3
