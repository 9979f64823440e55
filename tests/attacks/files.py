"""Every hostile file of these tests, for whatever door files come in by: {what it is: (file name, bytes)}."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from scaled import KINDS
from test_hostile import ALL, NAMES, SHAPES, legacy, many_times
from test_hostile_onnx import CARDS, CODE, KEYS, PLACES, TEXTS, card, entry, weights_in
from test_mutations import OBJECT
from test_refuse import NO_NETWORK, WRONG, ZIPS

from makers import Call, Storage, write_archive, write_checkpoint
from qingzhou.runtime.model.card import KEY

Files = dict[str, tuple[str, bytes]]
SCALED = 1 << 16  # bytes of those that can be of any size
FLIPS = 40  # random damages of each container


def hostile_files(folder: Path, good: onnx.ModelProto) -> Files:
    """All of them; `folder` is for writing, `good` a model of ours that the hostile .onnx are made from."""
    return {
        **_pickles(),
        **_checkpoints(folder / "x.pth"),
        **_flipped(folder / "x.pth"),
        **_onnx(good),
        **_scaled(),
    }


def _pickles() -> Files:
    """Each in both containers, and bare."""
    found: Files = {}
    for name, data in ALL.items():
        zipped = io.BytesIO()
        write_archive(zipped, {"data.pkl": data, "version": b"3\n"})
        found[f"{name}, zip"] = "best.pth", zipped.getvalue()
        found[f"{name}, legacy"] = "best.pth", legacy(data)
        found[f"{name}, bare"] = "best.pkl", data
    return found


def _scaled() -> Files:
    """Very many of one thing."""
    return {kind: make(SCALED) for kind, make in KINDS.items()}


def _checkpoints(place: Path) -> Files:
    """Tensors, names and modules that cannot be, zips with tricks, and what is no checkpoint."""
    objects = {
        f"shape {n}": {
            "a": Call(
                "torch._utils._rebuild_tensor_v2", (Storage(np.ones(4, np.float32)), offset, size, stride, False, {})
            )
        }
        for n, (size, stride, offset) in enumerate(SHAPES)
    }
    objects |= {f"name {n}": {name: np.ones(2, np.float32)} for n, name in enumerate(NAMES)}
    objects |= {f"no network {n}": obj for n, obj in enumerate(NO_NETWORK)} | {"many times": many_times()}
    found = {name: ("best.pth", write_checkpoint(place, obj).read_bytes()) for name, obj in objects.items()}
    return found | {row[0]: ("best.pth", row[1]) for row in (*WRONG, *ZIPS)}


def _flipped(place: Path) -> Files:
    chance, found = random.Random(5), {}
    for old in (False, True):
        whole = write_checkpoint(place, OBJECT, old).read_bytes()
        for n in range(FLIPS):
            changed = bytearray(whole)
            for _ in range(chance.randint(1, 4)):
                changed[chance.randrange(len(changed))] = chance.randrange(256)
            found[f"flipped {n}, {'legacy' if old else 'zip'}"] = "best.pth", bytes(changed)
    return found


def _onnx(good: onnx.ModelProto) -> Files:
    """Cards that cannot be, code in metadata, weights elsewhere, halves."""
    changes: dict[str, Callable[[onnx.ModelProto], None]] = {
        f"card {n}": card(path, value) for n, (path, value) in enumerate(CARDS)
    }
    for n, text in enumerate(TEXTS):
        changes[f"no card {n}"] = lambda proto, text=text: entry(proto, KEY, text)
    for key in KEYS:
        changes[f"code as {key}"] = lambda proto, key=key: entry(proto, key, CODE)
    for place in PLACES:
        changes[f"weights in {place}"] = lambda proto, place=place: weights_in(proto, place)
    found: Files = {}
    for name, change in changes.items():
        altered = onnx.ModelProto()
        altered.CopyFrom(good)
        change(altered)
        found[name] = "best.onnx", altered.SerializeToString()
    halves = {f"{cut} bytes of a model": ("best.onnx", good.SerializeToString()[:cut]) for cut in (0, 1, 50, 1000, -1)}
    return found | halves
