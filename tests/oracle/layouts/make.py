"""Make the references of this folder from torchvision's and timm's own networks.

How it was run (Python 3.11, CPU):

    python -m venv v
    v/bin/pip install torch==2.13.0 numpy
    v/bin/pip install --no-deps torchvision==0.28.0
    v/bin/pip install --no-deps timm==1.0.31; v/bin/pip install huggingface_hub safetensors pyyaml  # for timm_*
    v/bin/python make.py [NAME ...]

Beside a torch for CPUs torchvision's own operators are missing, which none of these networks has; they are declared.
The weights are drawn by name and shape (tests/oracle/rebuild.py), so that no file holds them; the digest is of all of
their bytes in order.
"""

import gzip
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import torch

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))

from rebuild import draw  # noqa: E402

_LIBRARY = torch.library.Library("torchvision", "DEF")
for _name in ("nms", "qnms"):
    _LIBRARY.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import torchvision  # noqa: E402


def timm(constructor, classes):
    import timm

    return timm.create_model(constructor, num_classes=classes), timm


def vision(constructor, classes):
    return getattr(torchvision.models, constructor)(weights=None, num_classes=classes), torchvision


# name -> (title that we expect, the tool's function, classes, input shape, seed); another tool than torchvision stands
# before the name
NETWORKS = {
    "resnet18": ("ResNet-18", "resnet18", 1000, (1, 3, 224, 224), 201),
    "resnet50": ("ResNet-50", "resnet50", 5, (1, 3, 96, 96), 202),
    "resnext50_32x4d": ("ResNeXt-50 32x4d", "resnext50_32x4d", 3, (1, 3, 64, 64), 221),
    "wide_resnet50_2": ("Wide ResNet-50", "wide_resnet50_2", 4, (1, 3, 64, 64), 222),
    "regnet_x_400mf": ("RegNetX-400MF", "regnet_x_400mf", 5, (1, 3, 64, 64), 227),
    "mobilenet_v2": ("MobileNetV2 1x", "mobilenet_v2", 10, (1, 3, 224, 224), 203),
    "mobilenet_v3_small": ("MobileNetV3 small", "mobilenet_v3_small", 10, (1, 3, 224, 224), 204),
    "mobilenet_v3_large": ("MobileNetV3 large", "mobilenet_v3_large", 7, (1, 3, 96, 96), 223),
    "shufflenet_v2_x1_0": ("ShuffleNetV2 1x", "shufflenet_v2_x1_0", 6, (1, 3, 96, 96), 225),
    "shufflenet_v2_x0_5": ("ShuffleNetV2 0.5x", "shufflenet_v2_x0_5", 10, (1, 3, 224, 224), 206),
    "vgg11_bn": ("VGG-11 BN", "vgg11_bn", 10, (1, 3, 64, 64), 214),  # its adaptive pooling makes 7x7 of 2x2
    "vgg11": ("VGG-11", "vgg11", 2, (1, 3, 64, 64), 224),
    "squeezenet1_0": ("SqueezeNet 1.0", "squeezenet1_0", 8, (1, 3, 96, 96), 226),
    "squeezenet1_1": ("SqueezeNet 1.1", "squeezenet1_1", 10, (1, 3, 224, 224), 207),
    "timm_mobilenetv2_100": ("MobileNetV2 1x", "mobilenetv2_100", 10, (1, 3, 224, 224), 228),
    "timm_mobilenetv2_140": ("MobileNetV2 1.4x", "mobilenetv2_140", 3, (1, 3, 64, 64), 229),
    "timm_mobilenetv2_035": ("MobileNetV2 0.35x", "mobilenetv2_035", 4, (1, 3, 96, 96), 230),
    "alexnet": ("AlexNet", "alexnet", 3, (1, 3, 96, 96), 240),
    "densenet121": ("DenseNet-121", "densenet121", 4, (1, 3, 64, 64), 241),
    "densenet161": ("DenseNet-161", "densenet161", 4, (1, 3, 64, 64), 242),
    "googlenet": ("GoogLeNet", "googlenet", 5, (1, 3, 96, 96), 243),
    "inception_v3": ("Inception v3", "inception_v3", 5, (1, 3, 128, 160), 244),
    "mnasnet0_5": ("MnasNet", "mnasnet0_5", 6, (1, 3, 96, 96), 245),
    "mnasnet1_3": ("MnasNet", "mnasnet1_3", 6, (1, 3, 64, 64), 246),
    "efficientnet_b0": ("EfficientNet-B0", "efficientnet_b0", 7, (1, 3, 96, 96), 247),
    "efficientnet_b2": ("EfficientNet-B2", "efficientnet_b2", 7, (1, 3, 64, 64), 248),
    "efficientnet_b5": ("EfficientNet-B5", "efficientnet_b5", 3, (1, 3, 64, 64), 249),
    "efficientnet_v2_s": ("EfficientNetV2-S", "efficientnet_v2_s", 3, (1, 3, 64, 64), 250),
    "efficientnet_v2_m": ("EfficientNetV2-M", "efficientnet_v2_m", 3, (1, 3, 64, 64), 251),
    "regnet_y_400mf": ("RegNetY-400MF", "regnet_y_400mf", 5, (1, 3, 64, 64), 252),
    "regnet_y_1_6gf": ("RegNetY-1.6GF", "regnet_y_1_6gf", 5, (1, 3, 64, 64), 253),
    "convnext_tiny": ("ConvNeXt-Tiny", "convnext_tiny", 4, (1, 3, 64, 64), 254),
    "vit_b_16": ("ViT-B/16", "vit_b_16", 4, (1, 3, 224, 224), 255),
    "swin_t": ("Swin-T", "swin_t", 4, (1, 3, 112, 144), 256),
    "timm_densenet121": ("DenseNet-121", "densenet121", 4, (1, 3, 64, 64), 257),
    "timm_inception_v3": ("Inception v3", "inception_v3", 4, (1, 3, 128, 128), 258),
    "timm_efficientnet_b0": ("EfficientNet-B0", "efficientnet_b0", 4, (1, 3, 96, 96), 259),
    "timm_efficientnet_b3": ("EfficientNet-B3", "efficientnet_b3", 4, (1, 3, 64, 64), 260),
    "timm_efficientnet_lite0": ("EfficientNet-lite0", "efficientnet_lite0", 4, (1, 3, 96, 96), 261),
    "timm_efficientnetv2_s": ("EfficientNetV2-S", "efficientnetv2_s", 4, (1, 3, 64, 64), 262),
    "timm_efficientnetv2_rw_t": ("EfficientNetV2", "efficientnetv2_rw_t", 4, (1, 3, 64, 64), 263),
    "timm_tf_efficientnetv2_b0": ("tf EfficientNetV2-B0", "tf_efficientnetv2_b0", 4, (1, 3, 77, 96), 264),
    "timm_tf_efficientnet_b1": ("tf EfficientNet-B1", "tf_efficientnet_b1", 4, (1, 3, 96, 96), 265),
    "timm_tf_efficientnet_lite1": ("tf EfficientNet-lite1", "tf_efficientnet_lite1", 4, (1, 3, 64, 64), 266),
    "timm_tf_mobilenetv3_large_100": ("tf MobileNetV3 large", "tf_mobilenetv3_large_100", 4, (1, 3, 96, 96), 267),
    "timm_tf_mobilenetv3_small_minimal_100": (
        "tf MobileNetV3 small minimal", "tf_mobilenetv3_small_minimal_100", 4, (1, 3, 96, 96), 268,
    ),
    "timm_mnasnet_100": ("MnasNet", "mnasnet_100", 4, (1, 3, 96, 96), 269),
    "timm_semnasnet_075": ("SE-MnasNet", "semnasnet_075", 4, (1, 3, 96, 96), 270),
    "timm_mobilenetv3_small_100": ("MobileNetV3 small", "mobilenetv3_small_100", 4, (1, 3, 96, 96), 271),
    "timm_mobilenetv3_large_100": ("MobileNetV3 large", "mobilenetv3_large_100", 4, (1, 3, 96, 96), 272),
    "timm_mobilenetv4_conv_small": ("MobileNetV4 small", "mobilenetv4_conv_small", 4, (1, 3, 96, 96), 273),
    "timm_mobilenetv4_conv_medium": ("MobileNetV4 medium", "mobilenetv4_conv_medium", 4, (1, 3, 96, 96), 274),
    "timm_mobilenetv4_conv_large": ("MobileNetV4 large", "mobilenetv4_conv_large", 4, (1, 3, 64, 64), 275),
    "timm_resnet26d": ("ResNetV1d-26", "resnet26d", 4, (1, 3, 96, 96), 276),
    "timm_resnet18d": ("ResNetV1d-18", "resnet18d", 4, (1, 3, 96, 96), 277),
    "timm_resnet10t": ("ResNetV1d-10t", "resnet10t", 4, (1, 3, 96, 96), 283),
    "timm_efficientnet_b1_pruned": ("EfficientNet-B1 pruned", "efficientnet_b1_pruned", 4, (1, 3, 96, 96), 284),
    "timm_convnext_atto": ("ConvNeXt-Atto", "convnext_atto", 4, (1, 3, 64, 64), 278),
    "timm_convnext_tiny": ("ConvNeXt-Tiny", "convnext_tiny", 4, (1, 3, 64, 64), 279),
    "timm_vit_tiny_patch16_224": ("ViT-Ti/16", "vit_tiny_patch16_224", 4, (1, 3, 224, 224), 280),
    "timm_deit_tiny_distilled_patch16_224": (
        "DeiT-Ti/16 distilled", "deit_tiny_distilled_patch16_224", 4, (1, 3, 224, 224), 281,
    ),
    "timm_swin_tiny_patch4_window7_224": ("Swin-T", "swin_tiny_patch4_window7_224", 4, (1, 3, 224, 224), 282),
}  # fmt: skip
# Deep ones whose numbers would grow beyond what float32 compares: the weights of convolutions are drawn smaller
CALM = (
    "b5",
    "v2_",
    "v2s",
    "v2_rw",
    "regnet_y_1",
    "mobilenetv4",
    "mobilenetv3_large",
    "efficientnet_b3",
    "densenet161",
    "pruned",
)


def make(name):
    title, constructor, classes, shape, seed = NETWORKS[name]
    network, library = (timm if name.startswith("timm_") else vision)(constructor, classes)
    state = network.eval().state_dict()
    entries = [[key, list(value.shape), str(value.dtype).removeprefix("torch.")] for key, value in state.items()]
    gain = 0.25 if any(part in name for part in CALM) else 1.0
    rng, digest = np.random.Generator(np.random.PCG64(seed)), hashlib.sha256()
    for key, size, dtype in entries:
        value = np.asarray(draw(rng, key, size) * (gain if len(size) > 1 else 1.0)).astype(dtype)
        digest.update(value.tobytes())
        if not key.endswith("relative_position_index"):  # follows from the size of the window
            state[key].copy_(torch.from_numpy(value).reshape(size))
    picture = np.random.Generator(np.random.PCG64(seed + 1)).normal(size=shape).astype(np.float32)
    with torch.no_grad():
        [logits] = network(torch.from_numpy(picture)).tolist()
    found = {
        "library": library.__name__,
        "versions": {"torch": torch.__version__, library.__name__: library.__version__},
        "constructor": constructor,
        "arguments": {"num_classes": classes},
        "title": title,
        "seed": seed,
        "input_seed": seed + 1,
        "gain": gain,
        "input_shape": list(shape),
        "entries": entries,
        "sha256": digest.hexdigest(),
        "logits": logits,
    }
    with open(FOLDER / f"{name}.json.gz", "wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
        packed.write(json.dumps(found, separators=(",", ":")).encode())


for name in sys.argv[1:] or NETWORKS:
    make(name)
