"""Files of fastai's learn.export(), and the network's answers: python make_fastai.py, with fastai 2.8.12, torch 2.13.

fastai_layers.pkl: fastai's own layers around a residual block, trained for one epoch on noise; fastai_layers.npz: an
input and the answer. fastai_table.pkl: a TabularModel, whose program is in no file. fastai_normalised.pkl: its loaders
normalise; fastai_normalised.npz: a picture (60, 90, 3), what the loaders make of it, and learn.predict's probabilities.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from fastai.tabular.all import Categorify, FillMissing, TabularDataLoaders, tabular_learner
from fastai.tabular.all import Normalize as NormalizeRows
from fastai.vision.all import (
    AdaptiveConcatPool2d,
    ConvLayer,
    Flatten,
    ImageDataLoaders,
    Learner,
    LinBnDrop,
    Normalize,
    ResBlock,
    Resize,
    nn,
    torch,
)
from PIL import Image

HERE = Path(__file__).parent


def main() -> None:
    """Writes both."""
    rng, folder = np.random.default_rng(0), Path(tempfile.mkdtemp()) / "noise"
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for i in range(8):
            Image.fromarray(rng.integers(0, 255, (40, 40, 3), dtype=np.uint8)).save(folder / name / f"{i}.png")
    torch.manual_seed(0)
    loaders = ImageDataLoaders.from_folder(folder, valid_pct=0.25, seed=1, item_tfms=Resize(32), bs=4, num_workers=0)
    head = AdaptiveConcatPool2d(), Flatten(), LinBnDrop(32, 2, p=0.1)
    net = nn.Sequential(ConvLayer(3, 8), ResBlock(1, 8, 16, stride=2), *head)
    learn = Learner(loaders, net, path=folder)
    with learn.no_bar(), learn.no_logging():
        learn.fit(1)
    learn.export(folder / "layers.pkl")
    shutil.copy(folder / "layers.pkl", HERE / "fastai_layers.pkl")
    x = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        np.savez(HERE / "fastai_layers.npz", in_0=x.numpy(), out_0=net.eval()(x).numpy())
    letters = rng.choice(list("xyz"), 40)
    frame = pd.DataFrame({"a": rng.random(40), "k": letters, "y": rng.choice(["n", "p"], 40)})
    procs = [Categorify, FillMissing, NormalizeRows]
    table = TabularDataLoaders.from_df(
        frame, path=folder, y_names="y", cat_names=["k"], cont_names=["a"], procs=procs, bs=8
    )
    tabular_learner(table, layers=[8, 4]).export(folder / "table.pkl")
    shutil.copy(folder / "table.pkl", HERE / "fastai_table.pkl")
    normalised(folder)


def normalised(folder: Path) -> None:
    """Loaders with statistics of their own."""
    torch.manual_seed(0)
    stats = Normalize.from_stats([0.5, 0.4, 0.3], [0.2, 0.25, 0.3])
    kinds = {"item_tfms": Resize(32), "batch_tfms": [stats], "bs": 4, "num_workers": 0}
    loaders = ImageDataLoaders.from_folder(folder, valid_pct=0.25, seed=1, **kinds)
    net = nn.Sequential(ConvLayer(3, 8), AdaptiveConcatPool2d(), Flatten(), LinBnDrop(16, 2))
    learn = Learner(loaders, net, path=folder)
    with learn.no_bar(), learn.no_logging():
        learn.fit(1)
    learn.export(folder / "normalised.pkl")
    shutil.copy(folder / "normalised.pkl", HERE / "fastai_normalised.pkl")
    pixels = np.random.default_rng(1).integers(0, 256, (6, 9, 3), dtype=np.uint8).repeat(10, 0).repeat(10, 1)
    (batch,) = loaders.test_dl([pixels], num_workers=0).one_batch()
    with learn.no_bar():
        scores = learn.predict(pixels)[2]
    np.savez(HERE / "fastai_normalised.npz", picture=pixels, fed=np.asarray(batch), scores=np.asarray(scores))


if __name__ == "__main__":
    main()
