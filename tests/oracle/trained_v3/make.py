"""Train a MobileNetV3-small on real handwritten digits, and keep what torch says about those it has not seen.

    PYTHONPATH=src:tests:tests/oracle python tests/oracle/trained_v3/make.py

Needs torch 2.13.0 and scikit-learn, and some minutes. Writes checkpoint.pth (mmcls's names, MMEdu's meta) and
scores.npz: torch's probabilities for each picture of ../digits/test. Trained on the other 1,300 digits of
scikit-learn, at 64 x 64 instead of MMEdu's 224 x 224, which would take an hour: the conversion has to be told
(--input-size 64,64). The layers are those of qingzhou.nets.mobilenet_v3, run by torch; that they are mmcls's is checked
elsewhere (tests/oracle/mmedu).
"""

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from by_torch import initial, run
from PIL import Image
from sklearn.datasets import load_digits

from makers import write_checkpoint
from qingzhou.graph.record import Recorder
from qingzhou.nets.mobilenet_v3 import mobilenet_v3

HERE = Path(__file__).resolve().parent
TEST = HERE.parent / "digits" / "test"
SIDE, EPOCHS, BATCH = 64, 14, 50
SHORT = round(256 * SIDE / 224)
CONFIG = {"arch": "small", "features": 1024, "classes": 10}
MEAN, STD = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])


# -- pictures -------------------------------------------------------------------------------------------------------


def tensor(image):
    """(3, SIDE, SIDE): MMEdu's preparation of MobileNetV3, but smaller."""
    colour = image.convert("RGB").resize((SHORT, SHORT), Image.Resampling.BILINEAR)
    edge = round((SHORT - SIDE) / 2)
    cut = colour.crop((edge, edge, edge + SIDE, edge + SIDE))
    return torch.from_numpy(((np.asarray(cut) - MEAN) / STD).transpose(2, 0, 1).astype(np.float32))


def picture(eight):
    """A digit of 8 x 8 numbers from 0 to 16 as those in ../digits/test are, within 2 of 255: 24 x 24, grey."""
    grey = torch.from_numpy((eight * 255 / 16).astype(np.uint8)).float()
    large = F.interpolate(grey[None, None], size=(24, 24), mode="bicubic", align_corners=False)[0, 0]
    return Image.fromarray(large.round().clamp(0, 255).byte().numpy())


def training_set():
    """(1300, 3, SIDE, SIDE) and (1300,): the digits that are no test pictures."""
    every = load_digits()
    tested = {int(path.stem) for path in TEST.glob("*/*.png")}
    rest = [number for number in range(len(every.images)) if number not in tested]
    pictures = torch.stack([tensor(picture(every.images[n])) for n in rest])
    return pictures.to(memory_format=torch.channels_last), torch.from_numpy(every.target[rest])


def moved(batch):
    """Each picture turned by up to 12 degrees, shifted by up to a tenth and scaled by up to a tenth."""
    turn, size = (torch.rand(len(batch)) - 0.5) * math.radians(24), 1 + (torch.rand(len(batch)) - 0.5) * 0.2
    shift = (torch.rand(len(batch), 2, 1) - 0.5) * 0.4
    cos, sin = torch.cos(turn) * size, torch.sin(turn) * size
    matrices = torch.cat([torch.stack([cos, -sin, sin, cos], 1).reshape(-1, 2, 2), shift], 2)
    places = F.affine_grid(matrices, batch.shape, align_corners=False)
    return F.grid_sample(batch, places, padding_mode="border", align_corners=False)


# -- the network ----------------------------------------------------------------------------------------------------


def record():
    """The graph, which ends with logits."""
    net = Recorder()
    return net.freeze(mobilenet_v3(net, net.input("input", ("batch", 3, SIDE, SIDE)), CONFIG))


def train(graph, weights):
    """SGD with momentum as MMEdu trains, one cycle."""
    pictures, labels = training_set()
    steps = EPOCHS * len(pictures) // BATCH
    learnt = [w for w in weights.values() if w.requires_grad]
    optimizer = torch.optim.SGD(learnt, lr=0.01, momentum=0.9, weight_decay=1e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.05, steps, pct_start=0.2)
    for epoch in range(EPOCHS):
        total = 0.0
        for some in torch.randperm(len(pictures)).split(BATCH):
            logits = run(graph, weights, moved(pictures[some]), True)[graph.outputs[0].name]
            loss = F.cross_entropy(logits, labels[some])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
        print(epoch, round(total * BATCH / len(pictures), 4), flush=True)


def scores(graph, weights, paths):
    """(N, 10): torch's probabilities for test pictures."""
    with torch.no_grad():
        values = run(graph, weights, torch.stack([tensor(Image.open(path)) for path in paths]), False)
    return values[graph.outputs[0].name].softmax(1).numpy()


def main():
    """Train, save, judge. On one thread: several wait for each other longer than they work."""
    torch.set_num_threads(1)
    graph = record()
    weights = initial(graph)
    train(graph, weights)
    arrays = {key: value.detach().numpy() for key, value in weights.items()}
    meta = {
        "tool": "MMEdu0.1.28",
        "task": "Classification",
        "device": "cpu",
        "dataset_size": 1300,
        "learning_rate": 0.05,
        "backbone": "mmcls/.mim/configs/mobilenet_v3/mobilenet-v3-small_8xb32_in1k.py",
        "epoch": EPOCHS,
        "CLASSES": [str(digit) for digit in range(10)],
    }
    write_checkpoint(HERE / "checkpoint.pth", {"meta": meta, "state_dict": arrays, "optimizer": {}})
    paths = sorted(TEST.glob("*/*.png"))
    found, names = scores(graph, weights, paths), [path.relative_to(TEST).as_posix() for path in paths]
    np.savez_compressed(HERE / "scores.npz", paths=names, scores=found)
    print(sum(name[0] == str(row.argmax()) for name, row in zip(names, found, strict=True)), "of", len(found))


if __name__ == "__main__":
    main()
