"""Make references.json.gz: what classifiers answer whose config says something that their tensors do not show.

The layers are written out here as mmpretrain 1.2.0 defines them (mmpretrain/models/backbones, necks and heads; mmcv's
ConvModule), so that only torch is needed. How it was run (Python 3.11, CPU):

    pip install torch==2.13.0 numpy && python make.py

Weights are drawn by the recipe of tests/oracle/rebuild.py and not kept; those of the last layer are then halved.
"""

import gzip
import json
import math
import sys
import zlib
from pathlib import Path

import numpy as np
import torch
from originals import Classifier

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))

from rebuild import draw  # noqa: E402

SIGMOID = ("MultiLabelLinearClsHead", "MultiLabelClsHead", "CSRAClsHead")
BASIC = [(2, 4, 4, 1), (2, 8, 8, 1), (2, 16, 16, 1), (2, 32, 32, 1)]
DEEP = [(3, 16, 4, 1), (4, 32, 8, 1), (6, 64, 16, 1), (3, 128, 32, 1)]
GROUPED = [(3, 32, 16, 4), (4, 64, 32, 4), (6, 128, 64, 4), (3, 256, 128, 4)]
STRAIGHT = [(1, 16, 16, 2), (1, 32, 32, 4), (1, 48, 48, 6), (1, 64, 64, 8)]


def resnet(blocks, kind="ResNet", bottleneck=False, stem=8, **more):
    """A narrow one; what begins with an underscore is for this script, the rest is the config."""
    return {
        "type": kind,
        "depth": 50 if bottleneck else 18,
        "stem_channels": stem,
        "_blocks": blocks,
        "_bottleneck": bottleneck,
        **more,
    }


def model(backbone, channels, head="LinearClsHead", neck=None, classes=5, **more):
    """The settings of an ImageClassifier; {} for no neck."""
    neck = {"type": "GlobalAveragePooling"} if neck is None else neck or None
    loss = {"type": "CrossEntropyLoss", "loss_weight": 1.0}
    head = {"type": head, "num_classes": classes, "in_channels": channels, "loss": loss, **more}
    return {"type": "ImageClassifier", "backbone": backbone, "neck": neck, "head": head}


def gem(**more):
    """A neck."""
    return {"type": "GeneralizedMeanPooling", **more}


def mobile(kind="MobileNetV2", **more):
    """The narrowest of its kind."""
    return {"type": kind, **({"widen_factor": 0.1} if kind == "MobileNetV2" else {"arch": "small_050"}), **more}


def cases():
    """Name -> settings."""
    eps = {"type": "BN", "eps": 0.1}
    found = {
        "plain": model(resnet(BASIC), 32),
        "multi-label": model(resnet(BASIC), 32, "MultiLabelLinearClsHead"),
        "arcface": model(resnet(BASIC), 32, "ArcFaceClsHead", scale=7.5),
        "arcface, usual scale": model(resnet(BASIC), 32, "ArcFaceClsHead", margins=0.3),
        "csra, one": model(resnet(BASIC), 32, "CSRAClsHead", {}, num_heads=1, lam=0.1),
        "csra of 2, draw 6": model(resnet(BASIC), 32, "CSRAClsHead", {}, num_heads=2, lam=0.3, thr=0.4),
        "csra of 4, draw 11": model(resnet(BASIC), 32, "CSRAClsHead", {}, num_heads=4, lam=0.05),
        "stacked": model(resnet(BASIC), 32, "StackedLinearClsHead", mid_channels=[12, 9]),
        "stacked, normalised": model(
            resnet(BASIC),
            32,
            "StackedLinearClsHead",
            mid_channels=[12],
            norm_cfg={"type": "BN1d", "eps": 0.05},
            act_cfg={"type": "LeakyReLU", "negative_slope": 0.2},
        ),
        "gem": model(resnet(BASIC), 32, neck=gem(p=2.5)),
        "gem, p fixed, other eps": model(resnet(BASIC), 32, neck=gem(p=3.0, eps=0.5, p_trainable=False)),
        "gem, arcface": model(resnet(BASIC), 32, "ArcFaceClsHead", gem(p=4.0, clamp=False), scale=9.0),
        "eps": model(resnet(BASIC, norm_cfg=eps), 32),
        "strides": model(resnet(BASIC, strides=(1, 2, 2, 1)), 32),
        "strides and dilations": model(resnet(BASIC, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4)), 32),
        "bottlenecks": model(resnet(DEEP, bottleneck=True, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4)), 128),
        "caffe": model(resnet(DEEP, bottleneck=True, style="caffe", norm_cfg={"type": "BN", "eps": 1e-3}), 128),
        "resnext": model(resnet(GROUPED, "ResNeXt", True, strides=(1, 2, 2, 1), dilations=(1, 1, 1, 2)), 256),
        "regnet": model(resnet(STRAIGHT, "RegNet", True, 32, strides=(2, 2, 2, 1), norm_cfg=eps), 64),
        "grey resnet": model(resnet(BASIC, in_channels=1), 32),
        "grey mobilenet": model(mobile(in_channels=1), 1280),
        "mobilenet eps": model(mobile(norm_cfg={"type": "SyncBN", "eps": 0.01}), 1280),
        "mobilenet v3": model(
            mobile("MobileNetV3"), 288, "StackedLinearClsHead", mid_channels=[16], act_cfg={"type": "HSwish"}
        ),
        "mobilenet v3, torch's eps, relu": model(
            mobile("MobileNetV3", norm_cfg={"type": "BN"}), 288, "StackedLinearClsHead", mid_channels=[16]
        ),
        "mobilenet v3, linear": model(mobile("MobileNetV3", norm_cfg={"type": "BN", "eps": 0.01}), 288),
    }
    for name, more in (
        ("ReLU", {}),
        ("LeakyReLU", {}),
        ("LeakyReLU", {"negative_slope": 0.3}),
        ("HSwish", {}),
        ("SiLU", {}),
        ("Swish", {}),
        ("GELU", {}),
        ("ELU", {"alpha": 0.7}),
        ("Tanh", {}),
    ):
        text = f"mobilenet {name} {more.get('negative_slope', '')}".strip()
        found[text] = model(mobile(act_cfg={"type": name, **more}), 1280)
    return found


def without_ours(value):
    """The settings as a config has them."""
    if isinstance(value, dict):
        return {key: without_ours(inner) for key, inner in value.items() if not key.startswith("_")}
    return value


def tame(network, x):
    """Halve the last layer until its logits are around 1, so that scores say something; how often."""
    last = network.head.layers[-1].fc if hasattr(network.head, "layers") else network.head.fc
    halvings = round(math.log2(float(network(x).std())))
    last.weight *= 2.0**-halvings
    last.bias *= 2.0**-halvings
    return halvings


def reference(name, settings):
    """One entry of references.json.gz."""
    network = Classifier(settings).eval()
    seed = zlib.crc32(name.encode())
    rng = np.random.Generator(np.random.PCG64(seed))
    shape = [1, settings["backbone"].get("in_channels", 3), 64, 64]
    state, entries, given = network.state_dict(), [], {}
    for key, tensor in state.items():
        if key == "neck.p":
            given[key] = tensor.tolist()
            continue
        entries.append([key, list(tensor.shape), str(tensor.dtype).removeprefix("torch.")])
        state[key] = torch.from_numpy(np.asarray(draw(rng, key, tensor.shape))).to(tensor.dtype).reshape(tensor.shape)
    network.load_state_dict(state)
    x = np.random.Generator(np.random.PCG64(seed + 1)).normal(size=shape).astype(np.float32)
    with torch.no_grad():
        halvings = tame(network, torch.from_numpy(x)) if "fc." in "".join(state) else 0
        logits = network(torch.from_numpy(x))[0].double()
    scores = logits.sigmoid() if settings["head"]["type"] in SIGMOID else logits.softmax(0)
    assert float(scores.max()) < 0.999 and float(logits.std()) > 0.1, (name, logits)
    print(f"{name:40} {[round(float(n), 4) for n in scores]}")
    return {
        "config": f"model = {without_ours(settings)!r}\n",
        "seed": seed,
        "shape": shape,
        "entries": entries,
        "given": given,
        "halvings": halvings,
        "logits": logits.tolist(),
        "scores": scores.tolist(),
    }


def main():
    """All of them."""
    torch.set_num_threads(1)
    found = {name: reference(name, settings) for name, settings in cases().items()}
    with gzip.GzipFile(FOLDER / "references.json.gz", "wb", mtime=0) as file:
        file.write(json.dumps(found).encode())


if __name__ == "__main__":
    main()
