"""What people save of Keras's MobileNetV2, with random weights: `keras_files.py FOLDER`.

net.keras, net.h5, net (a SavedModel) and, by TensorFlow's own converter, net.tflite with int8 from end to end.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf


def pictures() -> Iterator[list[np.ndarray]]:
    """Some that the converter takes its ranges from."""
    numbers = np.random.default_rng(0)
    for _ in range(3):
        yield [numbers.uniform(-1, 1, (1, 224, 224, 3)).astype(np.float32)]


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    keras.utils.set_random_seed(0)
    model = keras.applications.MobileNetV2(weights=None)
    for name in ("net.keras", "net.h5"):
        model.save(folder / name)
    model.export(folder / "net", verbose=False)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = pictures
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    (folder / "net.tflite").write_bytes(converter.convert())
