"""The weights of the networks of keras.applications whose answers are kept: by a rule, so that no file has them."""

from __future__ import annotations

import math

import numpy as np

# name in keras.applications, arguments, side of the pictures
NETWORKS = {
    "mobilenet": ("MobileNet", {"alpha": 0.25, "classes": 10}, 64),
    "mobilenet_v2": ("MobileNetV2", {"alpha": 0.35, "classes": 10}, 65),
    "mobilenet_v2_open": ("MobileNetV2", {"alpha": 0.5, "include_top": False}, 64),
    "mobilenet_v3_small": ("MobileNetV3Small", {"classes": 10}, 64),
    "mobilenet_v3_large": ("MobileNetV3Large", {"alpha": 0.75, "classes": 10}, 65),
    "mobilenet_v3_minimal": ("MobileNetV3Small", {"minimalistic": True, "classes": 10}, 64),
    "resnet50": ("ResNet50", {"classes": 10}, 64),
    "resnet50_v2": ("ResNet50V2", {"classes": 10}, 64),
    "vgg16": ("VGG16", {"classes": 10}, 32),
    "efficientnet_b0": ("EfficientNetB0", {"classes": 10}, 65),
    "inception_v3": ("InceptionV3", {"classes": 10}, 79),
    "xception": ("Xception", {"classes": 10}, 75),
    "densenet121": ("DenseNet121", {"classes": 10}, 64),
    "nasnet_mobile": ("NASNetMobile", {"classes": 10}, 64),
}
GAINS = {
    "efficientnet_b0": 1.5,
    "mobilenet_v3_small": 1.5,
    "inception_v3": 1.8,
    "mobilenet": 1.8,
    "vgg16": 1.5,
}  # gates halve what flows
PIXELS = ("EfficientNet", "MobileNetV3")  # which scale them inside


def weight(kind: str, place: int, index: int, count: int, shape: tuple[int, ...], scale: float) -> np.ndarray:
    """Weight `index` of `count` of the layer at a place among those that have weights; `scale`: of a kernel."""
    rng = np.random.default_rng([place, index])
    if kind == "Normalization":
        return np.asarray([rng.uniform(0.4, 0.6, shape), rng.uniform(0.2, 0.3, shape), 1][index], np.float32)
    if kind == "BatchNormalization":
        centred = index in (count - 3, count - 2)  # beta and mean; gamma, if there is one, and variance are about 1
        return (rng.uniform(0.7, 1.3, shape) - centred).astype(np.float32)
    if len(shape) == 1:
        return rng.normal(0, 0.1, shape).astype(np.float32)
    fan = shape[0] * shape[1] if len(shape) == 4 and shape[3] == 1 else math.prod(shape[:-1])
    return rng.normal(0, 1 / math.sqrt(fan), shape).astype(np.float32) * np.float32(scale)


def picture(name: str, side: int) -> np.ndarray:
    """(2, side, side, 3), as the network likes it."""
    x = np.random.default_rng(side).uniform(-1, 1, (2, side, side, 3)).astype(np.float32)
    return (x + 1) * np.float32(127.5) if name.startswith(PIXELS) else x
