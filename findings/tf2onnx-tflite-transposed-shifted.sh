#!/usr/bin/env bash
# tf2onnx --tflite moves the answer of a transposed convolution (kernel 3, stride 2, same) by one pixel where its input's
# height and width are computed in the file, as behind UpSampling2D with a free batch.
#
# Versions: tf2onnx 1.17.0, tensorflow-cpu 2.21.0, keras 3.15.1, onnx 1.23.2, onnxruntime 1.32.0; Python 3.11.
# Seen:     status 0; without UpSampling2D equal; with it every pixel is the one that lies a row lower and a column further right
# Expected: TensorFlow Lite's own answer in both.
# Why it matters: decoders and segmentation nets are made of these layers; a mask that is one pixel off looks nearly right.
# ONNX's ConvTranspose with output_shape puts the odd cell of the padding at the start, TensorFlow at the end.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check tensorflow-cpu==2.21.0 keras==3.15.1 tf2onnx==1.17.0 onnx==1.23.2 \
  onnxruntime==1.32.0 numpy==2.4.6
export TF_CPP_MIN_LOG_LEVEL=3 KERAS_BACKEND=tensorflow
cat > try.py <<'PY'
import subprocess
import sys

import keras
import numpy as np
import onnxruntime
import tensorflow as tf
from keras import layers

def converted(how, what):
    done = subprocess.run([sys.executable, "-m", "tf2onnx.convert", how, what, "--output", "m.onnx"], capture_output=True)
    print("status", done.returncode)
    return onnxruntime.InferenceSession("m.onnx", providers=["CPUExecutionProvider"])

given = np.random.default_rng(0).random((1, 8, 8, 2), np.float32)
for larger in (False, True):
    keras.utils.set_random_seed(0)
    x = keras.Input((8, 8, 2))
    h = layers.Conv2D(3, 3, strides=2, padding="same")(x)
    h = layers.UpSampling2D(2)(h) if larger else h
    model = keras.Model(x, layers.Conv2DTranspose(3, 3, strides=2, padding="same")(h))
    with open("m.tflite", "wb") as file:
        file.write(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    lite = tf.lite.Interpreter("m.tflite")
    lite.allocate_tensors()
    lite.set_tensor(lite.get_input_details()[0]["index"], given)
    lite.invoke()
    want = lite.get_tensor(lite.get_output_details()[0]["index"])
    session = converted("--tflite", "m.tflite")
    (got,) = session.run(None, {session.get_inputs()[0].name: given})
    shifted = np.allclose(want[:, 1:, 1:], got[:, :-1, :-1], atol=1e-5)
    print("larger" if larger else "plain", "equal", np.allclose(want, got, atol=1e-5), "shifted", shifted)
PY
env/bin/python try.py 2> errors | tee said || { cat errors; exit 1; }
grep -q '^plain equal True shifted False' said
grep -q '^larger equal False shifted True' said
