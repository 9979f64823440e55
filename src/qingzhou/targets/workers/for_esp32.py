"""Espressif's quantiser and its simulation, esp-ppq: an .onnx to an .espdl for one chip. start.py says how it is told.

Calibration and inputs are uint8 pixels (N, C, H, W), normalised here as the board does it; without a mean they are
float32 as they are. What is simulated is the arithmetic of ESP-DL: powers of two as scales, the chip's own rounding.
"""

import math
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable
from importlib import metadata
from typing import Any

import numpy as np

Doing = Callable[[str], None]
NAMED = r"Op Execution Error: .*?\(Type: (\w+)"
# Of ONNX, what it takes away or rewrites before ESP-DL sees it.
GONE = {"BatchNormalization", "Constant", "Dropout", "Identity", "Resize", "Slice"}


def versions() -> dict[str, str]:
    """Files of one version run on ESP-DL of the same time or later."""
    from esp_ppq.api import espdl_quantize_onnx  # noqa: F401 - that it can be imported

    return {"esp-ppq": metadata.version("esp-ppq")}


def work(order: dict[str, Any], doing: Doing) -> dict[str, Any]:
    """{"versions", "outputs", "facts": {"memory": bytes of what layers hand on, …}}; or {"layer", "why"}."""
    doing("reading")
    import torch
    from esp_ppq.api import espdl_quantize_onnx
    from esp_ppq.executor import TorchExecutor

    torch.set_num_threads(max(1, (os.cpu_count() or 1) - 1))
    shutil.copyfile(order["model"], "copy.onnx")  # what it reads it writes again, simplified
    calibration = [prepared(torch, one, order) for one in np.load(order["calibration"])]
    doing("building")
    try:
        graph = espdl_quantize_onnx(
            onnx_import_file="copy.onnx",
            espdl_export_file=order["out"],
            calib_dataloader=calibration,
            calib_steps=len(calibration),
            input_shape=list(calibration[0].shape),
            inputs=calibration[:1],  # with the answer to it, which the board can repeat: Model.test()
            target=order["chip"],
            num_of_bits=8,
            collate_fn=lambda batch: batch,
            device="cpu",
            export_test_values=True,
            error_report=False,
            verbose=0,
        )
    except Exception as err:
        name = named(err, order["operators"])
        if name is None:
            raise
        return {"layer": name, "why": str(err).strip().splitlines()[0][:300]}
    for suffix in (".info", ".json"):  # 15 MB of text for MobileNetV2, for nobody
        if os.path.exists(os.path.splitext(order["out"])[0] + suffix):
            os.remove(os.path.splitext(order["out"])[0] + suffix)
    if name := unknown([one.type for one in graph.operations.values()]):
        os.remove(order["out"])
        return {"layer": name, "why": "ESP-DL has no module for it"}
    outputs = simulated(torch, TorchExecutor(graph, device="cpu"), order, doing)
    facts = {"memory": working_memory(graph), **numbers_of(graph)}
    return {"versions": versions(), "outputs": outputs, "facts": facts}


def prepared(torch: Any, one: Any, order: dict[str, Any]) -> Any:
    """One input with its batch of one, normalised."""
    array = one[None].astype(np.float32)
    if order["mean"] is not None:
        mean, std = (np.array(order[key], np.float32).reshape(1, -1, 1, 1) for key in ("mean", "std"))
        array = (array - mean) / std
    return torch.from_numpy(array)


def named(err: BaseException, operators: list[str]) -> str | None:
    """The layer at fault, where an exception or the network itself tells."""
    seen: BaseException | None = err
    while seen is not None:
        if match := re.search(NAMED, str(seen)):
            return match[1]
        seen = seen.__cause__ or seen.__context__
    return unknown(operators)


def unknown(types: Iterable[str]) -> str | None:
    """The first of these operators that ESP-DL does not have; None where it has all."""
    from esp_ppq.parser.espdl import espdl_typedef

    sets = [found for name, found in vars(espdl_typedef).items() if name.endswith("_OP_SET")]
    return next((one for one in types if one not in GONE.union(*sets)), None)


def working_memory(graph: Any) -> int:
    """Bytes of int8 that layers hand on, where it is most at once: what the board needs at the least."""
    order = list(graph.topological_sort())
    last = {var.name: i for i, op in enumerate(order) for var in op.inputs if not var.is_parameter}
    living: dict[str, int] = {}
    most = 0
    for i, op in enumerate(order):
        for var in [*op.inputs, *op.outputs]:
            if not var.is_parameter and var.shape is not None:
                living[var.name] = int(np.prod([n for n in var.shape if isinstance(n, int)] or [1]))
        most = max(most, sum(living.values()))
        living = {name: size for name, size in living.items() if last.get(name, i) > i}
    return most


def numbers_of(graph: Any) -> dict[str, int]:
    """How the file's input and its first output are stored: the power of two of the input's int8, float or not."""
    given, told = next(iter(graph.inputs.values())), next(iter(graph.outputs.values()))
    scale = float(given.dest_op_configs[0].scale)
    return {"input_exponent": round(math.log2(scale)), "float_output": int(told.source_op.type == "Softmax")}


def simulated(torch: Any, executor: Any, order: dict[str, Any], doing: Doing) -> list[str]:
    """The names of files with the simulation's answers."""
    inputs, start = np.load(order["inputs"], mmap_mode="r"), time.monotonic()
    rows: list[list[Any]] = []
    for i, one in enumerate(inputs):
        if rows and time.monotonic() - start > order["seconds"]:
            break
        doing("simulating %d/%d" % (i + 1, len(inputs)))
        rows.append([found.detach().numpy().copy() for found in executor.forward(prepared(torch, one, order))])
    names: list[str] = []
    for k, column in enumerate(zip(*rows)):
        names.append("output_%d.npy" % k)
        np.save(names[-1], np.concatenate([np.asarray(one, np.float32) for one in column]))
    return names
