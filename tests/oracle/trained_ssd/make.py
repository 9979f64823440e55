"""Train a small SSDLite on drawn shapes, and keep what torch says about pictures that it has not seen.

    PYTHONPATH=src:tests:tests/oracle python tests/oracle/trained_ssd/make.py    (torch 2.13.0, Pillow; ten minutes)

Writes checkpoint.pth (mmdet's names, MMEdu's meta), pictures/*.jpg, annotations.json (COCO) and detections.npz: the
boxes that torch's own layers and the decoding below give. The layers are those of qingzhou.nets.ssdlite, run by torch;
that they are mmdet's is checked elsewhere (tests/oracle/mmdet).
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from by_torch import initial, run
from PIL import Image, ImageDraw

from makers import write_checkpoint
from qingzhou.graph.record import Recorder
from qingzhou.nets import ssdlite

HERE = Path(__file__).resolve().parent
CLASSES = ("square", "circle", "triangle")
SIDE, STEPS, BATCH, TEST = 160, 700, 8, 40
CONFIG = ssdlite.Sizes(classes=3, width=0.25, extras=(128, 64, 64, 64), anchors=(6,) * 6)
MEAN, STD = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])
STDS = torch.tensor([0.1, 0.1, 0.2, 0.2])


# -- pictures -------------------------------------------------------------------------------------------------------


def picture(rng, width=SIDE, height=SIDE):
    """A noisy gradient with one or two shapes; boxes (n, 4) and labels (n,)."""
    top, bottom = rng.integers(0, 256, (2, 3))
    ramp = np.linspace(0, 1, height)[:, None, None]
    base = top * (1 - ramp) + bottom * ramp + rng.normal(0, 12, (height, width, 3))
    image = Image.fromarray(base.clip(0, 255).astype(np.uint8))
    boxes, labels, pen = [], [], ImageDraw.Draw(image)
    for _ in range(rng.integers(1, 3)):
        size = rng.integers(int(0.35 * min(width, height)), int(0.75 * min(width, height)))
        x, y = rng.integers(0, width - size), rng.integers(0, height - size)
        box = (int(x), int(y), int(x + size), int(y + size))
        if any(overlap(box, other) > 0.05 for other in boxes):
            continue
        label, color = int(rng.integers(3)), tuple(int(n) for n in rng.integers(0, 256, 3))
        if label == 0:
            pen.rectangle(box, fill=color, outline="black", width=3)
        elif label == 1:
            pen.ellipse(box, fill=color, outline="black", width=3)
        else:
            pen.polygon([(box[0] + size / 2, box[1]), (box[2], box[3]), (box[0], box[3])], fill=color, outline="black")
        boxes.append(box)
        labels.append(label)
    return image, np.array(boxes, np.float32).reshape(-1, 4), np.array(labels, np.int64)


def overlap(a, b):
    """IoU of two boxes."""
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inter = max(w, 0) * max(h, 0)
    return inter / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter)


def tensor(image):
    """(3, H, W) normalised."""
    return torch.from_numpy(((np.asarray(image) - MEAN) / STD).transpose(2, 0, 1).astype(np.float32))


# -- the network ----------------------------------------------------------------------------------------------------


def record():
    """The graph of the heads, and the names of scores and deltas by level."""
    net = Recorder()
    levels = ssdlite.ssdlite(net, net.input("input", ("batch", 3, SIDE, SIDE)), CONFIG)
    ends = [(level.scores.name, level.deltas.name) for level in levels]
    return net.freeze(*(value for level in levels for value in level[:2])), ends


def start(graph):
    """Weights to begin with; the layers that give scores and boxes begin small."""
    weights = initial(graph)
    for key, tensor in weights.items():
        if key.startswith("bbox_head") and key.endswith(".1.weight"):
            with torch.no_grad():
                tensor.mul_(0.01 / math.sqrt(2 / math.prod(tensor.shape[1:])))
    return weights


def heads(values, ends):
    """(N, anchors, classes + 1) logits and (N, anchors, 4) deltas."""
    flat = [[values[name].permute(0, 2, 3, 1) for name in pair] for pair in ends]
    logits = torch.cat([a.reshape(len(a), -1, len(CLASSES) + 1) for a, _ in flat], 1)
    return logits, torch.cat([b.reshape(len(b), -1, 4) for _, b in flat], 1)


def all_anchors(values, ends):
    """(anchors, 4), level by level."""
    how, found = ssdlite.default_decoding(), []
    for (name, _), base, stride in zip(ends, how.anchors, how.strides, strict=True):
        high, wide = values[name].shape[2:]
        ys, xs = torch.meshgrid(torch.arange(high) * stride, torch.arange(wide) * stride, indexing="ij")
        shift = torch.stack([xs, ys, xs, ys], -1).reshape(-1, 1, 4)
        found.append((shift + torch.tensor(base)).reshape(-1, 4))
    return torch.cat(found).float()


# -- training -------------------------------------------------------------------------------------------------------


def ious(a, b):
    """(n, m)."""
    low, high = torch.maximum(a[:, None, :2], b[None, :, :2]), torch.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = (high - low).clamp(min=0).prod(-1)
    area = [(v[:, 2:] - v[:, :2]).prod(-1) for v in (a, b)]
    return inter / (area[0][:, None] + area[1][None] - inter)


def targets(anchors, boxes, labels):
    """The class and the deltas that each anchor should give."""
    wanted, deltas = torch.full((len(anchors),), len(CLASSES)), torch.zeros(len(anchors), 4)
    if len(boxes) == 0:
        return wanted, deltas
    table = ious(anchors, boxes)
    best, which = table.max(1)
    best[table.argmax(0)] = 1
    which[table.argmax(0)] = torch.arange(len(boxes))
    good = best >= 0.5
    wanted[good] = labels[which[good]]
    a, b = anchors[good], boxes[which[good]]
    size_a, size_b = a[:, 2:] - a[:, :2], b[:, 2:] - b[:, :2]
    move = ((b[:, :2] + b[:, 2:]) - (a[:, :2] + a[:, 2:])) / 2 / size_a
    deltas[good] = torch.cat([move, (size_b / size_a).log()], 1) / STDS
    return wanted, deltas


def loss_of(logits, deltas, wanted, right):
    """Cross entropy of the objects and of three times as many of the hardest others; smooth L1 of the boxes."""
    objects = wanted < len(CLASSES)
    each = F.cross_entropy(logits.transpose(1, 2), wanted, reduction="none")
    hard = torch.where(objects, torch.zeros_like(each), each).sort(1, descending=True).values
    keep = torch.arange(hard.shape[1])[None] < 3 * objects.sum(1, keepdim=True)
    boxes = F.smooth_l1_loss(deltas[objects], right[objects], reduction="sum")
    return ((each * objects).sum() + (hard * keep).sum() + boxes) / objects.sum().clamp(min=1)


def train(graph, ends, weights):
    """Adam, one cycle."""
    rng = np.random.Generator(np.random.PCG64(1))
    learnt = [w for w in weights.values() if w.requires_grad]
    optimizer = torch.optim.AdamW(learnt, lr=1e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, STEPS)
    anchors = None
    for step in range(STEPS):
        batch = [picture(rng) for _ in range(BATCH)]
        values = run(graph, weights, torch.stack([tensor(image) for image, _, _ in batch]), True)
        anchors = all_anchors(values, ends) if anchors is None else anchors
        pairs = [targets(anchors, torch.from_numpy(b), torch.from_numpy(n)) for _, b, n in batch]
        loss = loss_of(*heads(values, ends), *(torch.stack(column) for column in zip(*pairs, strict=True)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            print(step, round(float(loss), 3), flush=True)


# -- what torch finds -----------------------------------------------------------------------------------------------


def detect(graph, ends, weights, image):
    """(n, 6): x1, y1, x2, y2, score, label in pixels of the picture; score above 0.05, NMS at 0.45, 200 at most."""
    with torch.no_grad():
        squashed = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR) if image.size != (SIDE, SIDE) else image
        values = run(graph, weights, tensor(squashed)[None], False)
        logits, deltas = (one[0] for one in heads(values, ends))
        anchors = all_anchors(values, ends)
        scores, deltas = logits.softmax(-1)[:, :-1], deltas * STDS
        size = anchors[:, 2:] - anchors[:, :2]
        centre = (anchors[:, :2] + anchors[:, 2:]) / 2 + deltas[:, :2] * size
        half = size * deltas[:, 2:].clamp(-4.135, 4.135).exp() / 2
        boxes = torch.cat([centre - half, centre + half], 1).clamp(0, SIDE)
        found = []
        for label in range(len(CLASSES)):
            left = torch.nonzero(scores[:, label] > 0.05)[:, 0]
            left = left[scores[left, label].argsort(descending=True)]
            while len(left):
                found.append([*boxes[left[0]].tolist(), float(scores[left[0], label]), label])
                left = left[1:][ious(boxes[left[:1]], boxes[left[1:]])[0] <= 0.45]
    rows = np.array(sorted(found, key=lambda row: -row[4])[:200], np.float32).reshape(-1, 6)
    rows[:, :4] *= np.array([image.width, image.height] * 2, np.float32) / SIDE
    return rows


def main():
    """Train, save, judge."""
    graph, ends = record()
    weights = start(graph)
    train(graph, ends, weights)
    arrays = {key: value.detach().numpy() for key, value in weights.items()}
    meta = {
        "tool": "MMEdu0.1.28",
        "task": "Detection",
        "backbone": "SSD_Lite",
        "device": "cpu",
        "epoch": 1,
        "dataset_size": STEPS * BATCH,
        "CLASSES": CLASSES,
    }
    write_checkpoint(HERE / "checkpoint.pth", {"meta": meta, "state_dict": arrays, "optimizer": {}})
    rng = np.random.Generator(np.random.PCG64(2))
    (HERE / "pictures").mkdir(exist_ok=True)
    images, annotations, found = [], [], {}
    for number in range(1, TEST + 1):
        image, boxes, labels = picture(rng)
        name = f"{number:02}.jpg"
        image.save(HERE / "pictures" / name, quality=85)
        image = Image.open(HERE / "pictures" / name).convert("RGB")
        images.append({"id": number, "file_name": name, "width": image.width, "height": image.height})
        for box, label in zip(boxes.tolist(), labels.tolist(), strict=True):
            size = [box[2] - box[0], box[3] - box[1]]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": label + 1,
                    "bbox": [*box[:2], *size],
                    "area": size[0] * size[1],
                    "iscrowd": 0,
                }
            )
        found[name] = detect(graph, ends, weights, image)
    categories = [{"id": i + 1, "name": name} for i, name in enumerate(CLASSES)]
    data = {"images": images, "categories": categories, "annotations": annotations}
    (HERE / "annotations.json").write_text(json.dumps(data), "utf-8")
    np.savez_compressed(HERE / "detections.npz", **found)


if __name__ == "__main__":
    main()
