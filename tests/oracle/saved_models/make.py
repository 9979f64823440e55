"""The answers of keras.applications, with weights by a rule: `python make.py [NAME …]` where Keras 3.15.1 is."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np
from application_weights import GAINS, NETWORKS, picture, weight

SCALES = [3.0**i for i in range(-6, 6)]  # of the last layer: answers that are neither all alike nor one alone


def main() -> None:
    target = Path(__file__).with_name("applications.npz")
    answers = dict(np.load(target)) if sys.argv[1:] else {}
    for name in sys.argv[1:] or NETWORKS:
        kind, arguments, side = NETWORKS[name]
        gain = GAINS.get(name, 1.3)
        model = filled(getattr(keras.applications, kind)(weights=None, input_shape=(side, side, 3), **arguments), gain)
        last = [layer for layer in model.layers if layer.weights][-1]
        kernel, *rest = last.get_weights()
        for scale in SCALES if "include_top" not in arguments else [1.0]:
            last.set_weights([(kernel * np.float32(scale)), *rest])
            found = np.asarray(model(picture(kind, side), training=False))
            if found.max() > 0.25:
                break
        answers |= {name: found, f"{name}_scale": np.float64(scale)}
        print(name, found.shape, found.max(), scale, "spread", np.abs(found[0] - found[1]).max(), flush=True)
    np.savez_compressed(target, **answers)


def filled(model: keras.Model, gain: float) -> keras.Model:
    """With the weights of the rule."""
    for place, layer in enumerate(layer for layer in model.layers if layer.weights):
        shapes = [tuple(one.shape) for one in layer.weights]
        kind, count = type(layer).__name__, len(shapes)
        layer.set_weights([weight(kind, place, i, count, shape, gain) for i, shape in enumerate(shapes)])
        if kind == "Normalization":
            layer.finalize_state()  # else it goes on with what it was built with
    return model


if __name__ == "__main__":
    main()
