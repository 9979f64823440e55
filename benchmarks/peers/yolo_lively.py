"""A YOLO11n with random weights that finds something: `yolo_lively.py MODEL.pt FRAME.npy SIDE COUNT`.

Its BatchNorms have the statistics of noise, and its scores are moved until COUNT places of the frame (H, W, 3, B, G, R)
pass 0.25: what is counted then includes choosing among boxes, as with a trained one.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
import yolo_export  # noqa: F401 - torchvision's operators, which a torch for CPUs lacks

import torchvision  # isort: skip

torchvision.extension._assert_has_ops = lambda: None

from ultralytics.data.augment import LetterBox  # noqa: E402

from ultralytics import YOLO  # noqa: E402

LEAST, ROUNDS = 0.25, 12


def main(path: str, frame: str, side: int, count: int) -> None:
    """Writes it."""
    torch.manual_seed(1)
    yolo = YOLO("yolo11n.yaml")
    network, norms = yolo.model, [one for one in yolo.model.modules() if isinstance(one, torch.nn.BatchNorm2d)]
    picture = LetterBox((side, side), auto=False)(image=np.load(frame))[..., ::-1].transpose(2, 0, 1)
    batch = torch.from_numpy(np.ascontiguousarray(picture)).float()[None] / 255
    for one in norms:
        one.weight.data.uniform_(0.5, 1.5)
        one.bias.data.normal_(0, 0.2)
        one.momentum = 0.3
    with torch.no_grad():
        network.train()
        for _ in range(ROUNDS):
            noise = torch.rand(3, 3, side // 32, side // 32).repeat_interleave(32, 2).repeat_interleave(32, 3)
            network(torch.cat([batch, noise]))
        network.eval()
        lasts = [branch[-1] for branch in network.model[-1].cv3]
        for last in lasts:
            last.weight.data *= 6
        scores = network(batch)[0][0, 4:].amax(0)
        logit = torch.logit(scores).sort(descending=True).values[count - 1 : count + 1].mean()
        for last in lasts:
            last.bias.data += torch.logit(torch.tensor(LEAST)) - logit
        found = int((network(batch)[0][0, 4:].amax(0) > LEAST).sum())
    yolo.save(path)
    print(f"{found} places above {LEAST}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
