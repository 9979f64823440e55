"""SavedModels with TensorFlow's own answers, for test_tensorflow_itself.py: `python make_models.py FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers


def main(folder: Path) -> None:
    keras.utils.set_random_seed(int(np.random.default_rng().integers(1 << 30)))
    picture = keras.Input((24, 20, 3), name="picture")
    x = layers.Conv2D(8, 3, 2, "same", activation="relu")(picture)
    x = layers.SeparableConv2D(6, 3, padding="same", activation="hard_sigmoid")(layers.BatchNormalization()(x))
    flat = layers.Dense(4, activation="softmax", name="z_first")(layers.Flatten()(x))
    save(folder, "two_outputs", keras.Model(picture, [flat, layers.GlobalMaxPooling2D(name="a_second")(x)]))
    words = keras.Input((6,), dtype="int32", name="words")
    save(folder, "lstm", keras.Model(words, layers.Dense(3)(layers.LSTM(5)(layers.Embedding(9, 4)(words)))))
    # What tf2onnx writes for these, with exit status 0, ONNX Runtime refuses
    one = keras.Input((7,), name="x")
    save(folder, "exact_gelu", keras.Model(one, layers.Dense(3, activation="gelu")(one)))
    sparse = layers.Conv2DTranspose(3, 2, 3, "valid")(picture)
    save(folder, "sparse_transpose", keras.Model(picture, sparse))


def save(folder: Path, name: str, model: keras.Model) -> None:
    """The SavedModel, and an answer."""
    model.export(str(folder / name), verbose=False)
    rng, entry = np.random.default_rng(5), model.inputs[0]
    shape = (3, *entry.shape[1:])
    x = rng.integers(0, 9, shape).astype("int32") if "int" in entry.dtype else rng.normal(size=shape).astype("float32")
    found = model(tf.constant(x), training=False)
    ys = found if isinstance(found, (list, tuple)) else [found]
    np.savez(folder / f"{name}.npz", x0=x, **{f"y{i}": np.asarray(y) for i, y in enumerate(ys)})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
