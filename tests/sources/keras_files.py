"""The oracle of Keras, and small files of it that are changed."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from qingzhou.graph.fold import simplify
from qingzhou.nets.recorded import Wanted
from qingzhou.onnxfile.emit import emit
from qingzhou.onnxfile.write import write_onnx
from qingzhou.runtime.engine.session import open_session
from qingzhou.sources.network import Network
from qingzhou.sources.read import read_network

ORACLE = Path(__file__).parents[1] / "oracle" / "keras"
Array = np.ndarray[Any, Any]
CASES: dict[str, dict[str, Any]] = json.loads((ORACLE / "manifest.json").read_text("utf-8"))
READ = ("model.keras", "model.h5", "model.json", "tfjs/model.json", "tfjs_uint8/model.json", "model.weights.h5",
        "converted_keras.zip")  # fmt: skip


def files(refused: bool) -> list[str]:
    """ "case/file" of all that are to be read, or refused."""
    return [
        f"{case}/{name}"
        for case, told in CASES.items()
        for name in told["files"]
        if name in READ and bool(told.get("refuse")) == refused
    ]


def reference(case: str) -> tuple[list[Array], list[Array]]:
    """What went in, and what Keras answered, as Keras has them: pictures with their channels last."""
    found = np.load(ORACLE / case / "reference.npz")
    xs, ys = ([found[f"{c}{i}"] for i in range(len(found.files)) if f"{c}{i}" in found.files] for c in "xy")
    if case == "teachable_machine":
        xs = [xs[0].repeat(4, axis=1).repeat(4, axis=2)]
    return xs, ys


def answers(network: Network, xs: list[Array], target: Path, opset: int) -> list[Array]:
    """Of the network as an .onnx."""
    write_onnx(target, emit(simplify(network.graph), opset, 8))
    feed = {}
    for x, entry, value in zip(xs, network.card.inputs, network.graph.inputs, strict=True):
        turned = x.transpose(0, 3, 1, 2) if entry.kind == "image" else x
        feed[value.name] = np.ascontiguousarray(turned).astype(value.dtype)
    return list(open_session(target, once=True).run(None, feed))


def read(name: str) -> Network:
    """A file of the oracle."""
    return read_network(ORACLE / name, Wanted())


def with_config(source: Path, target: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A .keras whose settings are changed in place."""
    with zipfile.ZipFile(source) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    change(config)
    parts["config.json"] = json.dumps(config).encode()
    return stored(target, parts)


def stored(target: Path, parts: dict[str, bytes], packed: bool = False) -> Path:
    """A zip of these parts."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return target
