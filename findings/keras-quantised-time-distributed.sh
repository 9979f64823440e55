#!/usr/bin/env bash
# After model.quantize("int8"), a Dense layer inside TimeDistributed answers with numbers some hundred times too large:
# TimeDistributed runs the layer's call(), not its quantized_call(), and the int8 kernel is never divided by its scale.
#
# Versions: keras 3.15.1 on jax 0.8.1, numpy 2.4.6; on TensorFlow 2.21 likewise.
# Seen:     288 times what the model answered before; the same Dense by itself is right to 1 %. No error, no warning.
# Expected: the same, as both do the same to the last axis.
# Why it matters: a quantised sequence model is saved, loaded and run without a word, and its classes are still plausible.
# A reader that takes the weights for what their scales say is right and differs from Keras.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check "keras==3.15.1" "jax==0.8.1" "numpy==2.4.6"
KERAS_BACKEND=jax "$work/env/bin/python" - <<'PY'
import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.default_rng(0).normal(size=(3, 5, 16)).astype("float32")
dense = keras.layers.Dense(8)
for name, layer in (("Dense", dense), ("TimeDistributed(Dense)", keras.layers.TimeDistributed(keras.layers.Dense(8)))):
    model = keras.Sequential([keras.Input((5, 16)), layer])
    before = np.asarray(model(x))
    model.quantize("int8")
    times = float(np.median(np.asarray(model(x)) / before))
    print(f"{name}: after quantize(\"int8\") the answers are {times:.2f} times those before")
    assert (times > 50) == (name != "Dense"), "the behaviour has changed"
PY
