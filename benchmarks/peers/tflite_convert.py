"""TensorFlow's own converter of Keras's MobileNetV2 to INT8, with random weights: `tflite_convert.py OUT.tflite`."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

if __name__ == "__main__":
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.applications.MobileNetV2(weights=None, classes=10))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    picture = np.random.default_rng(1).random((1, 224, 224, 3), np.float32)
    converter.representative_dataset = lambda: [[picture]]  # the least that it takes: ranges cost nearly nothing then
    Path(sys.argv[1]).write_bytes(converter.convert())
