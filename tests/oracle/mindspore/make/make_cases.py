"""Makes the MindSpore oracle under mindspore 2.10.0 (CPU, numpy 1.26): small networks saved by the real framework,
with the framework's own answer beside each.

    python -m venv env && env/bin/pip install mindspore==2.10.0 "numpy<2" pillow
    env/bin/python tests/oracle/mindspore/make/make_cases.py          all cases
    env/bin/python tests/oracle/mindspore/make/make_cases.py train    LeNet trained on ../digits
"""

import json
import pathlib
import shutil
import sys

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn
from networks import (
    Activations,
    Branch,
    Detector,
    LeNet,
    MobileV1,
    MobileV2,
    MobileV3,
    Pads,
    Pools,
    Recurrent,
    ResNet,
    Sorting,
    Table,
    UNet,
    Vit,
    Words,
)

HERE = pathlib.Path(__file__).parents[1]
ms.set_context(mode=ms.PYNATIVE_MODE)


def randomise(net, seed):
    rng = np.random.default_rng(seed)
    for p in net.get_parameters():
        name, shape = p.name, p.shape
        if name.endswith("variance"):
            new = rng.uniform(0.5, 1.6, shape)
        elif name.endswith("mean"):
            new = rng.normal(0, 0.3, shape)
        elif len(shape) < 2:
            new = rng.uniform(0.6, 1.4, shape) if name.endswith("gamma") else rng.normal(0, 0.2, shape)
        else:
            new = rng.normal(0, (1.6 / int(np.prod(shape[1:]))) ** 0.5, shape)
        p.set_data(Tensor(new.astype("float32")))


def feed(shape, dtype, seed):
    rng = np.random.default_rng(seed + 1000)
    shape = [3 if n is None else n for n in shape]
    return (
        rng.integers(0, 30, shape).astype(dtype)
        if dtype.startswith("int")
        else rng.standard_normal(shape).astype(dtype)
    )


def case(
    root,
    name,
    net,
    shape,
    seed,
    layers,
    traps="",
    *,
    dtype="float32",
    tolerance=1e-5,
    kind="mindir",
    refuse="",
    train=False,
):
    folder = root / name
    if folder.exists():
        for p in folder.iterdir():
            p.chmod(0o600)
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    randomise(net, seed)
    net.set_train(False)
    x = feed(shape, dtype, seed)
    y = net(Tensor(x))
    ys = list(y) if isinstance(y, (tuple, list)) else [y]
    np.savez(folder / "reference.npz", x=x, **{f"y{i}" if len(ys) > 1 else "y": v.asnumpy() for i, v in enumerate(ys)})
    if train:
        net.set_train(True)
    example = Tensor(shape=list(shape), dtype=getattr(ms, dtype)) if None in shape else Tensor(x)
    path, key = str(folder / "model"), b"0123456789ABCDEF"
    if kind == "mindir":
        ms.export(net, example, file_name=path, file_format="MINDIR")
    elif kind == "mindir_encrypted":
        ms.export(net, example, file_name=path, file_format="MINDIR", enc_key=key, enc_mode="AES-GCM")
    elif kind == "ckpt":
        ms.save_checkpoint(net, path + ".ckpt")
    elif kind == "ckpt_crc":
        ms.save_checkpoint(net, path + ".ckpt", crc_check=True)
    elif kind == "ckpt_encrypted":
        ms.save_checkpoint(net, path + ".ckpt", enc_key=key, enc_mode="AES-GCM")
    elif kind == "safetensors":
        ms.save_checkpoint(net, path + ".safetensors", format="safetensors")
    for p in folder.iterdir():
        p.chmod(0o644)
    entry = {
        "format": kind,
        "mindspore": ms.__version__,
        "input": list(shape),
        "dtype": dtype,
        "layers": layers,
        "traps": traps,
        "tolerance": tolerance,
        "outputs": [list(v.shape) for v in ys],
        "parameters": {p.name: list(p.shape) for p in net.get_parameters()},
    }
    if refuse:
        entry["refuse"] = refuse
    entry["files"] = {p.name: p.stat().st_size for p in sorted(folder.iterdir())}
    print(name, [float(np.std(v.asnumpy())) for v in ys][:3], entry["files"], flush=True)
    return entry


def write(root, entries):
    path = root / "manifest.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    known.update(entries)
    path.write_text(json.dumps(dict(sorted(known.items())), indent=1, ensure_ascii=False) + "\n")


def build(root, plan):
    done = {}
    for name, maker, shape, seed, layers, traps, options in plan:
        try:
            done[name] = case(root, name, maker(), shape, seed, layers, traps, **options)
        except Exception as error:
            shutil.rmtree(root / name, ignore_errors=True)
            print("NOT MADE", name, type(error).__name__, str(error)[:300].replace("\n", " "), flush=True)
    write(root, done)


IMG = [1, 3, 32, 32]
PLAN = [
    (
        "lenet",
        LeNet,
        [1, 1, 28, 28],
        1,
        "Conv2D valid, MaxPool, Flatten, MatMul + BiasAdd",
        "graph order; Load and Depend nodes",
        {},
    ),
    ("lenet_batch", LeNet, [None, 1, 28, 28], 2, "as lenet, batch free", "free dimension is -1", {}),
    (
        "mobilenet_v1",
        MobileV1,
        IMG,
        3,
        "depthwise Conv2D, pad_mode same, BatchNorm, ReduceMean",
        "same puts the surplus at the end",
        {},
    ),
    ("mobilenet_v2", MobileV2, IMG, 4, "inverted residuals, ReLU6, Dropout", "", {}),
    (
        "mobilenet_v3",
        MobileV3,
        IMG,
        5,
        "HSwish, HSigmoid, SE, AdaptiveAvgPool2D",
        "MindSpore's own ONNX export cannot",
        {},
    ),
    ("mobilenet_v3_batch", MobileV3, [None, 3, 32, 32], 6, "as mobilenet_v3, batch free", "", {}),
    ("resnet", ResNet, [1, 3, 64, 64], 7, "residual blocks, MaxPool same, AvgPool", "", {}),
    (
        "table",
        Table,
        [None, 13],
        8,
        "Dense, BatchNorm1d, LeakyReLU, GELU, LayerNorm",
        "LeakyReLU 0.2, GELU tanh form, LayerNorm epsilon 1e-7",
        {},
    ),
    ("lstm", Recurrent, [1, 6, 5], 9, "LSTM", "weights are concatenated into one vector by nodes of the graph", {}),
    (
        "lstm_two_ways",
        lambda: Recurrent(nn.LSTM, 2, True),
        [1, 6, 5],
        10,
        "2-layer bidirectional LSTM",
        "order of the concatenation",
        {},
    ),
    ("gru", lambda: Recurrent(nn.GRU), [1, 6, 5], 11, "GRU", "", {}),
    (
        "pools",
        Pools,
        [1, 4, 11, 11],
        12,
        "pools in all modes, 8 outputs",
        "pad_mode pad becomes a 3-D pool between ExpandDims and Squeeze",
        {"tolerance": 1e-6},
    ),
    (
        "pads",
        Pads,
        [1, 3, 15, 24],
        13,
        "Conv2D: same (even kernel), dilation, four-sided padding, groups",
        "padding is (top, bottom, left, right)",
        {},
    ),
    ("activations", Activations, [1, 6, 5, 5], 14, "25 element-wise operations", "", {}),
    ("detector", Detector, IMG, 15, "FPN, two outputs", "nearest = floor(asymmetric)", {}),
    ("unet", UNet, [1, 1, 16, 16], 16, "Conv2DTranspose, bilinear align_corners", "", {}),
    ("vit", Vit, IMG, 17, "patches, LayerNorm, attention, exact GELU", "", {}),
    ("words", Words, [1, 7], 18, "Embedding, mean", "int32 input", {"dtype": "int32"}),
    (
        "lenet_ckpt",
        LeNet,
        [1, 1, 28, 28],
        1,
        "weights only, same numbers as lenet",
        "",
        {"kind": "ckpt", "refuse": "weights without a structure"},
    ),
    (
        "lenet_ckpt_crc",
        LeNet,
        [1, 1, 28, 28],
        1,
        "weights only, with a checksum behind the protobuf",
        '"crc_num" + 10 bytes big-endian',
        {"kind": "ckpt_crc", "refuse": "weights without a structure"},
    ),
    (
        "lenet_safetensors",
        LeNet,
        [1, 1, 28, 28],
        1,
        "weights only",
        "",
        {"kind": "safetensors", "refuse": "weights without a structure"},
    ),
    ("refuse_encrypted_ckpt", LeNet, [1, 1, 28, 28], 1, "", "", {"kind": "ckpt_encrypted", "refuse": "encrypted"}),
    ("refuse_encrypted_mindir", LeNet, [1, 1, 28, 28], 1, "", "", {"kind": "mindir_encrypted", "refuse": "encrypted"}),
    (
        "refuse_branch",
        Branch,
        [1, 6],
        19,
        "several functions, Switch",
        "",
        {"refuse": "control flow that depends on the data"},
    ),
    (
        "refuse_train_mode",
        Table,
        [4, 13],
        8,
        "exported with set_train(True)",
        "BatchNorm is_training true, Dropout active",
        {"train": True, "refuse": "exported in training mode"},
    ),
    ("refuse_unknown", Sorting, [2, 6], 20, "Sort, Erfinv", "", {"refuse": "unknown operation"}),
]


def digits():
    """../digits as (pictures 0..1 in N×1×24×24, labels), train and test."""
    from PIL import Image

    sets = []
    for part in ("train", "test"):
        xs, ys = [], []
        for folder in sorted((HERE.parent / "digits" / part).iterdir()):
            for file in sorted(folder.glob("*.png")):
                xs.append(np.asarray(Image.open(file).convert("L"), "float32")[None] / 255)
                ys.append(int(folder.name))
        sets.append((np.stack(xs), np.array(ys, "int32")))
    return sets


def train(root):
    """LeNet on the digits, to a real accuracy; the checkpoint holds the optimizer's state too, as ModelCheckpoint writes it."""
    (xs, ys), (tx, ty) = digits()
    ms.set_seed(0)
    rng = np.random.default_rng(0)
    net, loss_of = LeNet(size=24), nn.CrossEntropyLoss()
    adam = nn.Adam(net.trainable_params(), learning_rate=0.002)
    step = nn.TrainOneStepCell(nn.WithLossCell(net, loss_of), adam)
    step.set_train()
    for _ in range(12):
        order = rng.permutation(len(xs))
        for i in range(0, len(xs) - 49, 50):
            pick = order[i : i + 50]
            step(Tensor(xs[pick]), Tensor(ys[pick]))
    net.set_train(False)
    scores = net(Tensor(tx)).asnumpy()
    accuracy = float((scores.argmax(1) == ty).mean())
    folder = root / "digits_trained"
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir()
    ms.save_checkpoint(step, str(folder / "training.ckpt"))
    ms.save_checkpoint(net, str(folder / "weights.ckpt"))
    ms.export(net, Tensor(tx[:1]), file_name=str(folder / "model"), file_format="MINDIR")
    for p in folder.iterdir():
        p.chmod(0o644)
    np.savez(folder / "reference.npz", x=tx[:20], y=scores[:20], scores=scores, labels=ty)
    write(
        root,
        {
            "digits_trained": {
                "format": "mindir",
                "mindspore": ms.__version__,
                "input": [1, 1, 24, 24],
                "dtype": "float32",
                "layers": "LeNet",
                "traps": "exported with batch 1, reference x has 20 samples; training.ckpt mixes the optimizer's state in; input is grey / 255; scores are logits",
                "tolerance": 1e-5,
                "accuracy": round(accuracy, 4),
                "files": {p.name: p.stat().st_size for p in sorted(folder.iterdir())},
            }
        },
    )
    print("digits_trained", accuracy)


if __name__ == "__main__":
    train(HERE) if sys.argv[1:] == ["train"] else build(HERE, PLAN)
