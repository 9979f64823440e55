"""Make the files of this folder with Ultralytics' own classes and its own predict(): small networks of random numbers.

How it was run (Python 3.11, CPU):

    python -m venv v
    v/bin/pip install torch==2.13.0 numpy pillow opencv-python-headless pyyaml requests psutil polars matplotlib scipy
    v/bin/pip install --no-deps torchvision==0.28.0 ultralytics==8.4.190 ultralytics-thop
    v/bin/python make.py [NAME ...]

Beside a torch for CPUs torchvision's own operators are missing; NMS is a plain greedy one here, by the same rule. Every
network is a published one (its yaml is in the package), made as narrow as its layers allow, with BatchNorm statistics
that do something. The last layers are moved so that a few boxes are likely, with a gap between these and the others.
"""

import copy
import json
import logging
import lzma
import math
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import yaml

FOLDER = Path(__file__).parent
_LIBRARY = torch.library.Library("torchvision", "DEF")
for _name in ("nms", "qnms"):
    _LIBRARY.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import torchvision  # noqa: E402


def greedy(boxes, scores, limit):
    """torchvision.ops.nms: an overlap strictly greater than the limit suppresses."""
    order, kept, gone = scores.argsort(descending=True, stable=True), [], torch.zeros(len(boxes), dtype=torch.bool)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    for i in order.tolist():
        if not gone[i]:
            kept.append(i)
            low, high = torch.maximum(boxes[i, :2], boxes[:, :2]), torch.minimum(boxes[i, 2:], boxes[:, 2:])
            inter = (high - low).clamp(min=0).prod(1)
            gone |= inter / (area[i] + area - inter) > limit
    return torch.tensor(kept, dtype=torch.long)


_LIBRARY.impl("nms", greedy, "CPU")
torchvision.extension._assert_has_ops = lambda: None
torchvision.ops.boxes._assert_has_ops = lambda: None

from ultralytics.nn import tasks  # noqa: E402
from ultralytics.utils import DEFAULT_CFG_DICT, LOGGER  # noqa: E402

import ultralytics  # noqa: E402
from ultralytics import YOLO  # noqa: E402

CONFIGS = Path(ultralytics.__file__).parent / "cfg/models"
CLASSES = {"detect": "Detection", "segment": "Segmentation", "pose": "Pose", "obb": "OBB", "classify": "Classification"}
NAMES = {0: "red square", 1: "绿色圆", 2: "blue 'triangle'"}
SIDE, HIGH, WIDE = 96, 64, 96  # of the input; of what the raw reference is for
LEARNT = ("Conv", "C3k2", "C2f", "C3", "SPPF", "C2PSA", "PSA", "SCDown", "C2fCIB", "A2C2f", "GhostConv", "C3Ghost")

# name -> (yaml, task, seed, how it is saved)
CASES = {
    "11": ("11/yolo11", "detect", 1, ""),
    "11_fused": ("11/yolo11", "detect", 2, "fused"),
    "11_ema_legacy": ("11/yolo11", "detect", 3, "ema"),
    "11_segment": ("11/yolo11-seg", "segment", 31, ""),
    "11_pose": ("11/yolo11-pose", "pose", 5, ""),
    "11_obb": ("11/yolo11-obb", "obb", 6, ""),
    "11_classify": ("11/yolo11-cls", "classify", 7, ""),
    "26": ("26/yolo26", "detect", 33, ""),
    "26_fused": ("26/yolo26", "detect", 9, "fused one2one"),
    "26_segment": ("26/yolo26-seg", "segment", 35, ""),
    "26_pose": ("26/yolo26-pose", "pose", 11, ""),
    "26_obb": ("26/yolo26-obb", "obb", 12, ""),
    "v8": ("v8/yolov8", "detect", 13, ""),
    "v8_ghost": ("v8/yolov8-ghost", "detect", 16, ""),
    "v5": ("v5/yolov5", "detect", 17, ""),
    "v10": ("v10/yolov10n", "detect", 18, ""),
    "v10_fused": ("v10/yolov10n", "detect", 19, "fused"),
    "v9": ("v9/yolov9t", "detect", 20, ""),
    "v9e": ("v9/yolov9e", "detect", 22, ""),
    "12": ("12/yolo12", "detect", 24, ""),
}


def narrow(name, path):
    """The yaml of a published network, as narrow as it can be."""
    config = yaml.safe_load((CONFIGS / f"{path}.yaml").read_text())
    config |= {"nc": 3, "reg_max": config.get("reg_max", 4)} | ({"kpt_shape": [5, 3]} if "kpt_shape" in config else {})
    if name.startswith("26_pose"):
        config["kpt_shape"] = [4, 2]
    if path.startswith("v9"):
        for layer in config["backbone"] + config["head"]:
            layer[3] = _eighth(layer[3], layer[2])
        return config
    config["scales"] = {"n": [0.25, 0.0625, 1024]}
    for layer in config["backbone"] + config["head"]:
        if layer[2] in LEARNT:
            wide = layer[2] == "A2C2f" or (path.startswith("12/") and layer[3][0] >= 512)  # areas need 32 channels
            layer[3][0] = 1024 if wide else min(layer[3][0], 256)
        if layer[2] == "A2C2f" and layer[3][1]:  # as in the sizes l and x
            layer[3] += [True, 1.2]
    return config


def _eighth(arguments, kind):
    """Numbers of channels, which all become less by one rule; the last of a RepNCSPELAN4 is how many it has inside."""
    found = []
    for one in arguments:
        channels = type(one) is int and one >= 16
        found.append(_eighth(one, "") if isinstance(one, list) else min(max(8, one // 8), 16) if channels else one)
    return [*found[:-1], 1] if kind == "RepNCSPELAN4" else found


def lively(model, seed):
    """Random weights, and BatchNorm statistics that do something."""
    chance = torch.Generator().manual_seed(seed)
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.copy_(torch.randn(buffer.shape, generator=chance) * 0.1)
        elif name.endswith("running_var"):
            buffer.copy_(torch.rand(buffer.shape, generator=chance) + 0.5)
    with torch.no_grad():
        for name, part in model.named_parameters():
            flat, rows = part.ndim <= 1, part[0].numel() if part.ndim else 1
            new = torch.randn(part.shape, generator=chance) * (0.1 if flat else (1.5 / rows) ** 0.5)
            part.copy_(torch.rand(part.shape, generator=chance) + 0.5 if flat and name.endswith("weight") else new)
    head = model.model[-1]
    if hasattr(getattr(head, "dfl", None), "conv"):
        head.dfl.conv.weight.data[:] = torch.arange(head.reg_max).float().view(1, -1, 1, 1)
    return model.eval()


def settle(model, picture):
    """Boxes of some size; about a dozen likely ones, with a gap to the others."""
    head = model.model[-1]

    def ask(part, what):
        found = model(picture)[1]
        found = found if isinstance(found, dict) else found[-1]
        return found[part][what] if "one2many" in found else found[what]

    with torch.no_grad():
        for attribute, part in (("cv2", "one2many"), ("one2one_cv2", "one2one")):
            for layer in getattr(head, attribute, None) or []:
                layer[-1].weight.mul_(0.25)
                layer[-1].bias.fill_(2.0 if head.reg_max == 1 else 0.5)
            if getattr(head, attribute, None):
                spread = float(ask(part, "boxes").std(-1).mean())
                for layer in getattr(head, attribute):
                    layer[-1].weight.mul_(min(0.6 / spread, 60))
        for attribute, part in (("cv3", "one2many"), ("one2one_cv3", "one2one")):
            if getattr(head, attribute, None):
                spread = float(ask(part, "scores").std(-1).mean())
                for layer in getattr(head, attribute):
                    layer[-1].weight.mul_(min(0.8 / spread, 60))
                model.half().float()
                top = ask(part, "scores")[0].amax(0).sort(descending=True).values
                best = max(range(8, 20), key=lambda i: float(top[i] - top[i + 1]))
                for layer in getattr(head, attribute):
                    layer[-1].bias.add_(-math.log(3) - float(top[best] + top[best + 1]) / 2)


def picture_of(seed):
    """(60, 100, 3) uint8 RGB: patches of colour and a little noise."""
    chance = np.random.default_rng(seed + 50)
    coarse = chance.integers(0, 256, (6, 10, 3))
    fine = chance.integers(-9, 10, (60, 100, 3))
    return np.clip(coarse.repeat(10, 0).repeat(10, 1) + fine, 0, 255).astype(np.uint8)


def input_of(seed, task):
    """(1, 3, H, W) uint8."""
    shape = (1, 3, SIDE, SIDE) if task == "classify" else (1, 3, HIGH, WIDE)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def build(name, path, task, seed):
    config = narrow(name, path)
    model = getattr(tasks, f"{CLASSES[task]}Model")(config, nc=3, verbose=False)
    model.yaml["yaml_file"] = f"{Path(path).name}.yaml"
    model.yaml["scale"] = "n"
    lively(model, seed)
    model.names, model.task = dict(NAMES), task
    model.args = {**DEFAULT_CFG_DICT, "task": task, "model": f"/home/somebody/{Path(path).name}.pt", "imgsz": SIDE}
    if task != "classify":
        settle(model, torch.from_numpy(letterboxed(seed)))
    return model.half().float()


def letterboxed(seed):
    from ultralytics.data.augment import LetterBox

    found = LetterBox((SIDE, SIDE), auto=False, stride=32)(image=picture_of(seed))
    return np.ascontiguousarray(found.transpose(2, 0, 1)[None]).astype(np.float32) / 255


def save(model, how, target):
    """As the trainer does at its end; `ema` as it does on the way, in torch's older container."""
    if "fused" in how:
        model.end2end = "one2one" in how
        model = model.fuse(verbose=False)
    for part in model.parameters():
        part.requires_grad = False
    half = copy.deepcopy(model).half()
    on_the_way = how == "ema"
    content = {
        "date": "2026-11-20T10:00:00+08:00",
        "version": ultralytics.__version__,
        "license": "AGPL-3.0 License (https://ultralytics.com/license)",
        "docs": "https://docs.ultralytics.com",
        "epoch": -1,
        "model": None if on_the_way else half,
        "ema": half if on_the_way else None,
        "optimizer": None,
        "train_args": {key: model.args[key] for key in ("task", "model", "data", "epochs", "batch", "imgsz")},
    }
    torch.save(content, target, _use_new_zipfile_serialization=not on_the_way)
    saved = torch.load(target, weights_only=False)
    return (saved["model"] or saved["ema"]).float().eval()


def answers(model, target, task, seed):
    """raw: what the network says of input_of(); rows: of the head without NMS; boxes: what predict() says."""
    found, x = {}, torch.from_numpy(input_of(seed, task)).float() / 255
    with torch.no_grad():
        y = model(x)
    raw = y[0] if torch.is_tensor(y[0]) else y[0][0]
    found["raw"] = raw
    if task == "segment":
        found["prototypes"] = y[0][1]
    two = getattr(model.model[-1], "one2one_cv2", None) is not None and model.model[-1].cv2 is not None
    bgr = np.ascontiguousarray(picture_of(seed)[..., ::-1])
    options = {"imgsz": SIDE, "conf": 0.25, "iou": 0.7, "verbose": False, "device": "cpu"}
    ways = [("square", False, {}), ("rect", True, {}), *([("free", False, {"nms": False})] if two else [])]
    for tag, rect, more in ways if task != "classify" else ways[:1]:
        result = YOLO(str(target)).predict(bgr, rect=rect, **options, **more)[0]
        if task == "classify":
            found["square"] = result.probs.data
        elif task == "obb":
            found[tag] = torch.cat([result.obb.xywhr, result.obb.conf[:, None], result.obb.cls[:, None]], 1)
        else:
            points = [] if result.keypoints is None else [result.keypoints.data.flatten(1)]
            found[tag] = torch.cat([result.boxes.data, *points], 1)
            if task == "segment" and tag == "square" and result.masks is not None:
                found["masks"] = torch.from_numpy(np.packbits(result.masks.data.numpy().astype(bool)))
    if two:
        model = copy.deepcopy(model)
        model.end2end = True
        with torch.no_grad():
            y = model(x)
        found["rows"] = y[0] if torch.is_tensor(y[0]) else y[0][0]
    return {name: value.numpy() for name, value in found.items()}


def main(wanted):
    LOGGER.setLevel(logging.ERROR)
    torch.set_num_threads(1)
    place = FOLDER / "references.npz"
    references = dict(np.load(place)) if place.exists() else {}
    known = json.loads((FOLDER / "cases.json").read_text()) if (FOLDER / "cases.json").exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (path, task, seed, how) in CASES.items():
            if wanted and name not in wanted:
                continue
            target = Path(folder) / f"{name}.pt"
            model = save(build(name, path, task, seed), how, target)
            (FOLDER / f"{name}.pt.xz").write_bytes(lzma.compress(target.read_bytes(), preset=9 | lzma.PRESET_EXTREME))
            found = answers(model, target, task, seed)
            references = {key: value for key, value in references.items() if key.partition("/")[0] != name}
            references |= {f"{name}/{key}": value for key, value in found.items()}
            known[name] = {"task": task, "seed": seed}
            print(name, target.stat().st_size, (FOLDER / f"{name}.pt.xz").stat().st_size,
                  {key: value.shape for key, value in found.items()}, flush=True)  # fmt: skip
    np.savez_compressed(place, **{key: references[key] for key in sorted(references)})
    (FOLDER / "cases.json").write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
