"""Small `.pt2` and TorchScript archives, written without torch, and runs of what becomes of them."""

from __future__ import annotations

import gzip
import json
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from qingzhou.graph.fold import simplify
from qingzhou.nets.recorded import Wanted
from qingzhou.onnxfile.emit import emit
from qingzhou.onnxfile.write import write_onnx
from qingzhou.runtime.engine.session import open_session
from qingzhou.sources.read import read_network

ORACLE = Path(__file__).parents[1] / "oracle" / "pytorch"
Array = np.ndarray[Any, Any]
Parts = dict[str, bytes]


def stored(path: Path, parts: Mapping[str, bytes], packed: bool = False) -> Path:
    """A zip of these parts."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED)
    return path


def parts_of(path: Path) -> Parts:
    """What a zip holds."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def program_of(parts: Parts) -> tuple[str, dict[str, Any]]:
    """The part that holds the network, and what it says."""
    name = next(one for one in parts if "/models/" in one and one.endswith(".json"))
    return name, json.loads(parts[name])


def with_program(path: Path, source: Path, change: Any) -> Path:
    """A `.pt2` whose network is changed in place by `change`."""
    parts = parts_of(source)
    name, program = program_of(parts)
    change(program)
    parts[name] = json.dumps(program).encode()
    return stored(path, parts)


def operators() -> dict[str, Any]:
    """The small programs, one for each operator."""
    found: dict[str, Any] = json.loads(gzip.decompress((ORACLE / "operators.json.gz").read_bytes()))
    return found


def answers() -> dict[str, Array]:
    """What torch answers to them."""
    shapes = json.loads(gzip.decompress((ORACLE / "operators_answers.json.gz").read_bytes()))
    flat, place, found = np.fromfile(ORACLE / "operators_answers.bin", "<f4"), 0, {}
    for name, shape in shapes.items():
        count = math.prod(shape)
        found[name] = flat[place : place + count].reshape(shape)
        place += count
    return found


def write_operator(path: Path, case: Mapping[str, Any]) -> Path:
    """One of them as the archive that it was."""
    parts = {
        "m/archive_format": b"pt2",
        "m/byteorder": b"little",
        "m/models/model.json": json.dumps(case["program"]).encode(),
        "m/data/weights/model_weights_config.json": b'{"config": {}}',
        "m/data/constants/model_constants_config.json": json.dumps(case["constants"]).encode(),
        **{f"m/data/constants/{name}": bytes.fromhex(data) for name, data in case["parts"].items()},
    }
    return stored(path, parts)


def run(
    path: Path, feed: Mapping[str, Array], target: Path, opset: int = 13, wanted: Wanted | None = None
) -> list[Array]:
    """The answers of the network in a file, written to `target`; fed by its inputs' names, or in their order."""
    graph = read_network(path, wanted or Wanted()).graph
    write_onnx(target, emit(simplify(graph), opset, 8))
    names = [one.name for one in graph.inputs]
    given = [feed[f"in_{name}"] if f"in_{name}" in feed else feed[f"in_{i}"] for i, name in enumerate(names)]
    floats = [array.astype(np.float32) if array.dtype.kind == "f" else array for array in given]
    return list(open_session(target, once=True).run(None, dict(zip(names, floats, strict=True))))


def apart(found: Array, expected: Array) -> float:
    """The largest difference, of the largest number."""
    a, b = found.astype(np.float64), expected.astype(np.float64)
    return float(np.abs(a - b).max(initial=0)) / max(float(np.abs(b).max(initial=0)), 1e-30)
