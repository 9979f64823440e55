"""Weights alone, by Keras 3 and Keras 2, with their own answers: `python make_weights.py FOLDER`.

`python make_weights.py FOLDER ResNet101`: of one network, by Keras 3 only, and the whole model.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tf_keras

NETWORKS = ("MobileNet", "MobileNetV2", "MobileNetV3Small", "DenseNet121")


def main(folder: Path) -> None:
    rng = np.random.default_rng()
    x = rng.uniform(0, 1, (2, 64, 64, 3)).astype("float32")
    for age, package in ((3, keras), (2, tf_keras)):
        for name in NETWORKS:
            model = getattr(package.applications, name)(weights=None, input_shape=(64, 64, 3), classes=5)
            for layer in model.layers:
                pairs = zip(layer.weights, layer.get_weights(), strict=True)
                layer.set_weights([filled(rng, one, old) for one, old in pairs])
            model.save_weights(folder / f"{name}-{age}.weights.h5")
            if age == 2:
                model.save_weights(folder / f"{name}-old.h5")
            np.savez(folder / f"{name}-{age}.npz", x0=x, y0=np.asarray(model(x, training=False)))


def one(folder: Path, name: str) -> None:
    """Its weights, and the model itself."""
    rng = np.random.default_rng()
    x = rng.uniform(0, 1, (2, 32, 32, 3)).astype("float32")
    model = getattr(keras.applications, name)(weights=None, input_shape=(32, 32, 3), classes=5)
    for layer in model.layers:
        if type(layer).__name__ != "Normalization":  # which divides by what it has
            pairs = zip(layer.weights, layer.get_weights(), strict=True)
            # Half of each gamma: else the largest are chaotic, and one last digit of a picture is another answer
            layer.set_weights([filled(rng, one, old) * (0.5 if "gamma" in one.name else 1) for one, old in pairs])
    end = model.layers[-1]  # whose answers would else be 0 and 1, whatever came before
    features = np.asarray(keras.Model(model.input, end.input)(x, training=False))
    kernel, bias = end.get_weights()
    end.set_weights([kernel / max(float(np.std(features @ kernel)), 1e-6), bias])
    model.save_weights(folder / f"{name}.weights.h5")
    model.save(folder / f"{name}.keras")
    np.savez(folder / f"{name}.npz", x0=x, y0=np.asarray(model(x, training=False)))


def filled(rng: np.random.Generator, weight: Any, old: Any) -> Any:
    """Numbers that a mistake would show in."""
    near = 1 if any(word in weight.name for word in ("gamma", "variance")) else 0
    if old.ndim == 1:
        return rng.uniform(near - 0.3, near + 0.3, old.shape).astype("float32")
    return (old * rng.uniform(0.8, 1.6)).astype("float32")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        one(Path(sys.argv[1]), sys.argv[2])
    else:
        main(Path(sys.argv[1]))
