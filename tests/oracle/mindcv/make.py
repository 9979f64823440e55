"""Answers of MindCV's networks, whose numbers are drawn by numbers.py; only logits, names and shapes are kept.

    python -m venv env && env/bin/pip install mindspore==2.10.0 "numpy<2" mindcv==0.3.0 tqdm pyyaml requests
    env/bin/python tests/oracle/mindcv/make.py

Of mindcv only the models are imported: its data sets want more packages.
"""

import importlib
import importlib.util
import json
import sys
import types
from pathlib import Path

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[1]))
from numbers_of_mindcv import draw, picture

HERE = Path(__file__).parent
NETWORKS = {  # name: (module, side of the picture)
    "resnet18": ("resnet", 64), "resnext50_32x4d": ("resnet", 64), "mobilenet_v1_025": ("mobilenetv1", 64),
    "mobilenet_v2_035_224": ("mobilenetv2", 64), "mobilenet_v2_140": ("mobilenetv2", 64),
    "mobilenet_v3_small_100": ("mobilenetv3", 96), "mobilenet_v3_large_075": ("mobilenetv3", 64),
    "shufflenet_v2_x0_5": ("shufflenetv2", 96), "squeezenet1_0": ("squeezenet", 97),
    "squeezenet1_1": ("squeezenet", 96),
    "lenet": ("", 32),
}  # fmt: skip


class LeNet5(nn.Cell):
    """Of MindSpore's tutorials."""

    def __init__(self, num_classes):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, pad_mode="valid"), nn.Conv2d(6, 16, 5, pad_mode="valid")
        self.relu, self.pool, self.flatten = nn.ReLU(), nn.MaxPool2d(2, 2), nn.Flatten()
        self.fc1, self.fc2, self.fc3 = nn.Dense(400, 120), nn.Dense(120, 84), nn.Dense(84, num_classes)

    def construct(self, x):
        x = self.pool(self.relu(self.conv1(x)))
        x = self.flatten(self.pool(self.relu(self.conv2(x))))
        return self.fc3(self.relu(self.fc2(self.relu(self.fc1(x)))))


def models():
    """mindcv.models without mindcv's own __init__."""
    place = Path(importlib.util.find_spec("mindcv").submodule_search_locations[0])
    for name, folder in (("mindcv", place), ("mindcv.models", place / "models")):
        module = types.ModuleType(name)
        module.__path__ = [str(folder)]
        sys.modules[name] = module


def main():
    models()
    told, answers = {}, {}
    for name, (module, side) in NETWORKS.items():
        made = LeNet5 if not module else getattr(importlib.import_module(f"mindcv.models.{module}"), name)
        net = made(num_classes=7)
        entries = [[p.name, list(p.shape)] for p in net.get_parameters()]
        drawn = draw(entries)
        for parameter in net.get_parameters():
            parameter.set_data(Tensor(drawn[parameter.name]))
        net.set_train(False)
        answers[name] = net(Tensor(picture(3 if module else 1, side))).asnumpy()
        told[name] = {"side": side, "entries": entries}
        print(name, len(entries), np.abs(answers[name]).max(), flush=True)
    np.savez_compressed(HERE / "answers.npz", **answers)
    (HERE / "networks.json").write_text(json.dumps(told) + "\n", "utf-8")
    print(ms.__version__)


if __name__ == "__main__":
    main()
