"""Inside the isolated process: TensorFlow and tf2onnx are imported, then it is confined, then the file is opened.

Exit status 0 of tf2onnx proves nothing: what it wrote is run beside the original, output by output.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...confine import confine

BATCHES = (1, 3)  # with one and with several at once
SIDE, LENGTH = 64, 8  # of pictures and of rows whose size is free
# Numbers of floats that are tried: as networks like them, and as pictures have them.
RANGES = ((-1.0, 1.0), (0.0, 255.0))
CLOSE = 1e-3  # of the largest number in an output
OPSET = 17


class Failed(Exception):
    """A reason in words, for the user."""


def main() -> None:
    """One order from stdin, one answer to what was stdout."""
    out = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # what TensorFlow prints goes to stderr
    order = json.loads(sys.stdin.readline())
    try:
        answer = work(order)
    except Failed as err:
        answer = {"failed": str(err)}
    except Exception as err:  # TensorFlow and tf2onnx have many kinds
        lines = str(err).strip().splitlines() or [""]
        answer = {"failed": f"{type(err).__name__}: {lines[0][:250]}"}
    out.write(json.dumps(answer) + "\n")
    out.flush()
    os._exit(0)  # threads of TensorFlow may wait for ever


def work(order: Mapping[str, Any]) -> dict[str, Any]:
    """{"model", "held", "far"}, or {"differs", "far"}."""
    import tensorflow as tf
    import tf2onnx.convert

    held = confine(order["parent"], **order["confine"])
    tf.config.threading.set_inter_op_parallelism_threads(1)
    folder = Path(order["confine"]["folder"])
    saved, made = folder / "saved", folder / "model.onnx"
    if order["frozen"]:
        thaw(tf, folder / "model.pb", saved, order["inputs"], order["outputs"])
    convert(tf2onnx.convert, saved, made, order["tag"], order["signature"])
    different = compared(tf, saved, made, order["tag"], order["signature"])
    return {**different, "model": made.name, "held": held}


def thaw(tf: Any, path: Path, saved: Path, inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """A frozen graph as a SavedModel: input_0 … and output_0 … stand for its own names."""
    definition = tf.compat.v1.GraphDef()
    definition.ParseFromString(path.read_bytes())
    whole = tf.compat.v1.wrap_function(lambda: tf.compat.v1.import_graph_def(definition, name=""), [])
    pruned = whole.prune([f"{name}:0" for name in inputs], [f"{name}:0" for name in outputs])
    specs = [tf.TensorSpec(one.shape, one.dtype, f"input_{i}") for i, one in enumerate(pruned.inputs)]

    def serve(*given: Any) -> dict[str, Any]:
        return {f"output_{i}": one for i, one in enumerate(pruned(*given))}

    tf.saved_model.save(tf.Module(), str(saved), signatures=tf.function(serve, input_signature=specs))


def convert(tool: Any, saved: Path, made: Path, tag: str, signature: str) -> None:
    """tf2onnx --saved-model: its other ways give wrong files with exit status 0."""
    argv = ["tf2onnx", "--saved-model", str(saved), "--output", str(made), "--opset", str(OPSET)]
    sys.argv = [*argv, *(["--tag", tag] if tag else []), "--signature_def", signature]
    try:
        tool.main()
    except SystemExit as err:
        if err.code:
            raise Failed(f"tf2onnx ended with status {err.code}") from None
    if not made.is_file():
        raise Failed("tf2onnx wrote no file")


def compared(tf: Any, saved: Path, made: Path, tag: str, signature: str) -> dict[str, Any]:
    """The original and the ONNX file on random inputs, every output: {"far": the largest difference}."""
    from ...errors import ModelError
    from ...runtime.engine.session import open_session

    model = tf.saved_model.load(str(saved), tags=[tag] if tag else None)
    function = model.signatures[signature]
    specs = function.structured_input_signature[1]
    try:
        session = open_session(str(made))
    except ModelError as err:
        reason = err.en.rpartition("failed:")[2].partition(". Expected")[0].strip()[:150]
        raise Failed(f"ONNX Runtime refuses what tf2onnx wrote: {reason}") from None
    takes = {_plain(one.name): one.name for one in session.get_inputs()}
    gives: Any = [one.name for one in session.get_outputs()]
    if set(takes) != set(specs):
        raise Failed(f"tf2onnx changed the inputs from {sorted(specs)} to {sorted(takes)}")
    numbers, far = np.random.default_rng(0), 0.0
    for batch in BATCHES:
        for low, high in RANGES:
            fed = {name: _random(numbers, spec, batch, low, high) for name, spec in specs.items()}
            theirs = function(**{name: tf.constant(array) for name, array in fed.items()})
            answers = session.run(gives, {takes[name]: array for name, array in fed.items()})
            ours = {_plain(name): array for name, array in zip(gives, answers, strict=True)}
            if set(ours) != set(theirs):
                raise Failed(f"tf2onnx changed the outputs from {sorted(theirs)} to {sorted(ours)}")
            for name in sorted(ours):
                found = distance(ours[name], theirs[name].numpy())
                if not found <= CLOSE:
                    return {"differs": name, "far": found}
                far = max(far, found)
    return {"far": far}


def _plain(name: str) -> str:
    return name.partition(":")[0]


def _random(numbers: np.random.Generator, spec: Any, batch: int, low: float, high: float) -> Any:
    """Numbers of the shape that a signature asks for."""
    if spec.shape.rank is None:
        raise Failed("an input may have any number of axes")
    sides = [batch if i == 0 else SIDE if spec.shape.rank == 4 else LENGTH for i in range(spec.shape.rank)]
    shape = [free if known is None else int(known) for known, free in zip(spec.shape, sides, strict=True)]
    kind = spec.dtype.as_numpy_dtype
    if np.issubdtype(kind, np.floating):
        return numbers.uniform(low, high, shape).astype(kind)
    if kind is bool or np.issubdtype(kind, np.integer):
        return numbers.integers(0, 2 if high <= 1 else 4, shape).astype(kind)
    raise Failed(f"an input takes {spec.dtype.name}, which no board feeds")


def distance(ours: Any, theirs: Any) -> float:
    """The largest difference, as a part of the largest number; infinite where shapes or what is no number differ."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return float("inf")
    a, b = ours.astype(np.float64), theirs.astype(np.float64)
    if not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return float("inf")
    fine = np.isfinite(b)
    scale = max(1.0, float(np.abs(b[fine]).max(initial=0.0)))
    return float(np.abs(a[fine] - b[fine]).max(initial=0.0)) / scale
