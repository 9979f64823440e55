"""tf2onnx of Keras's MobileNetV2 with random weights: `keras_export.py OUT.onnx`."""

from __future__ import annotations

import sys

import keras
import tensorflow as tf
import tf2onnx

if __name__ == "__main__":
    model = keras.applications.MobileNetV2(weights=None)
    call = tf.function(lambda x: model(x), input_signature=[tf.TensorSpec((1, 224, 224, 3), tf.float32, "x")])
    tf2onnx.convert.from_function(call, call.input_signature, output_path=sys.argv[1])
