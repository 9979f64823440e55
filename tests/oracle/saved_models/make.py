"""The answers of keras.applications to pictures, with weights by a rule: `python make.py` where Keras 3.15.1 is."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from application_weights import NETWORKS, picture, weight

SCALES = [3.0**i for i in range(-6, 6)]  # of the last layer: answers that are neither all alike nor one alone


def main() -> None:
    answers = {}
    for name, (kind, arguments, side) in NETWORKS.items():
        model = filled(getattr(keras.applications, kind)(weights=None, input_shape=(side, side, 3), **arguments))
        last = [layer for layer in model.layers if layer.weights][-1]
        kernel, *rest = last.get_weights()
        for scale in SCALES if "include_top" not in arguments else [1.0]:
            last.set_weights([(kernel * np.float32(scale)), *rest])
            found = np.asarray(model(picture(kind, side), training=False))
            if found.max() > 0.25:
                break
        answers |= {name: found, f"{name}_scale": np.float64(scale)}
        print(name, found.shape, found.max(), scale)
    np.savez_compressed(Path(__file__).with_name("applications.npz"), **answers)


def filled(model: keras.Model) -> keras.Model:
    """With the weights of the rule."""
    for place, layer in enumerate(layer for layer in model.layers if layer.weights):
        shapes = [tuple(one.shape) for one in layer.weights]
        kind, count = type(layer).__name__, len(shapes)
        layer.set_weights([weight(kind, place, i, count, shape) for i, shape in enumerate(shapes)])
    return model


if __name__ == "__main__":
    main()
