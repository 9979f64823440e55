#!/usr/bin/env bash
# Keras on TensorFlow computes MultiHeadAttention wrongly where a head has one feature (key_dim=1) and the sequence has as
# many steps as there are heads: the biases of query, key and value, of shape (heads, 1), are added along time instead of
# along the heads. One step more, or key_dim=2, and the answers are right.
#
# Versions: keras 3.15.1, tensorflow-cpu 2.21.0, numpy 2.4.6; Python 3.11.
# Seen:     3 steps and 3 heads of 1: off by 2.4; 4 steps: 2e-6; heads of 2: 6e-7
# Expected: the definition's answer, which Keras gives for every other shape.
# Why it matters: small attention layers over few sensors or steps are what lessons have. A converter that is compared with
# Keras there looks wrong and is right; a model that was trained so answers otherwise on any other engine.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check keras==3.15.1 tensorflow-cpu==2.21.0 numpy==2.4.6
export TF_CPP_MIN_LOG_LEVEL=3 KERAS_BACKEND=tensorflow
cat > try.py <<'PY'
import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(0)
for steps, heads, size in ((3, 3, 1), (4, 3, 1), (3, 3, 2)):
    x = keras.Input((steps, 5))
    model = keras.Model(x, layers.MultiHeadAttention(heads, size)(x, x))
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    wq, bq, wk, bk, wv, bv, wo, bo = model.get_weights()
    a = rng.normal(size=(2, steps, 5)).astype("float32")
    q, k, v = (np.einsum("btd,dhk->bthk", a, w) + b for w, b in ((wq, bq), (wk, bk), (wv, bv)))
    scores = np.exp(np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(size))
    seen = np.einsum("bhts,bshk->bthk", scores / scores.sum(-1, keepdims=True), v)
    off = abs(np.einsum("bthk,hkd->btd", seen, wo) + bo - np.asarray(model(a))).max()
    print(steps, "steps", heads, "heads of", size, "off by", "%.0e" % off, "wrong" if off > 0.1 else "right")
PY
env/bin/python try.py 2> errors | tee said || { cat errors; exit 1; }
grep -q '^3 steps 3 heads of 1 .* wrong$' said
grep -q '^4 steps 3 heads of 1 .* right$' said
grep -q '^3 steps 3 heads of 2 .* right$' said
