#!/usr/bin/env bash
# Keras on TensorFlow adds a bias along the wrong axis where sizes happen to be equal: keras.ops.add(x, b) takes any b with
# one axis longer than 1 for a bias of the last axis of x if that is as long, whatever axis it was shaped for. So a
# convolution with data_format="channels_first" is wrong where the width of its result equals its number of filters.
#
# Versions: keras 3.15.1, tensorflow-cpu 2.21.0, numpy 2.4.6; Python 3.11. On JAX and PyTorch the same model is right.
# Seen:     (1, 4, 2, 4) + (1, 4, 1, 1): off by 3; Conv2D(4) that gives 4 columns: 0 1 2 3 along each row, in every channel
# Expected: NumPy's broadcasting, which Keras' own documentation of ops.add states: each channel has its own number.
# Why it matters: square feature maps with as many channels as columns (8 x 8 with 8, 16 x 16 with 16) are common. The model
# trains like that, and answers otherwise on JAX, on PyTorch and in every other engine, with no error anywhere.
# keras-attention-of-one-feature.sh is another face of it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check keras==3.15.1 tensorflow-cpu==2.21.0 numpy==2.4.6
export TF_CPP_MIN_LOG_LEVEL=3 KERAS_BACKEND=tensorflow CUDA_VISIBLE_DEVICES=
cat > try.py <<'PY'
import keras
import numpy as np

a, b = np.zeros((1, 4, 2, 4), "float32"), np.arange(4, dtype="float32").reshape(1, 4, 1, 1)
print("ops.add off by", np.abs(np.asarray(keras.ops.add(a, b)) - (a + b)).max())
for width in (4, 5):
    conv = keras.layers.Conv2D(4, 1, data_format="channels_first")
    conv.build((1, 3, 2, width))
    conv.set_weights([np.zeros((1, 1, 3, 4)), np.arange(4)])
    found = np.asarray(conv(np.ones((1, 3, 2, width), "float32")))
    off = np.abs(found - np.arange(4).reshape(1, 4, 1, 1)).max()
    print("Conv2D of 4 filters,", width, "columns: off by", off, "wrong" if off else "right")
PY
env/bin/python try.py 2> errors | tee said || { cat errors; exit 1; }
grep -q '^ops.add off by 3.0$' said
grep -q ' 4 columns: .* wrong$' said
grep -q ' 5 columns: .* right$' said
