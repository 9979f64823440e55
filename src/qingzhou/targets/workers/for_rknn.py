"""Rockchip's compiler and simulator, rknn-toolkit2: an .onnx to an .rknn for one chip. start.py says how.

Calibration and inputs are uint8 pixels (N, H, W, C); mean and std go into the file, so that the board feeds bytes.
"""

import importlib.util
import re
import sys
import time
import types
from collections.abc import Callable
from importlib import metadata
from typing import Any

import numpy as np


def versions() -> dict[str, str]:
    """What the board's library must not be older than."""
    toolkit()
    return {"rknn-toolkit2": metadata.version("rknn-toolkit2")}


def work(order: dict[str, Any], doing: Callable[[str], None]) -> dict[str, Any]:
    """{"versions", "outputs"}; or {"layer", "why"}."""
    tool = toolkit()(verbose=False)
    tool.config(mean_values=[order["mean"]], std_values=[order["std"]], target_platform=order["chip"])
    doing("reading")
    try:
        done(tool.load_onnx(model=order["model"]), "load_onnx")
        with_calibration(order["calibration"])
        doing("building")
        done(tool.build(do_quantization=True, dataset="calibration.txt"), "build")
        done(tool.export_rknn(order["out"]), "export_rknn")
    except Exception as err:
        why = reason(str(err))
        name = layer_in(why, order["model"])
        return {"layer": name, "why": why} if name else {"wrong": why}
    done(tool.init_runtime(), "init_runtime")
    return {"versions": versions(), "outputs": simulated(tool, order, doing)}


def toolkit() -> Any:
    """RKNN. It imports PyTorch, which with all that it brings takes 5 GB, for a way of rounding that is not used here
    (rknn.api.gdq_quant): where PyTorch is not installed two names stand in for it, and any other is an error.
    """
    if "torch" not in sys.modules and importlib.util.find_spec("torch") is None:
        torch, layers = types.ModuleType("torch"), types.ModuleType("torch.nn")
        torch.no_grad = lambda: lambda function: function  # type: ignore[attr-defined]
        layers.Module = object  # type: ignore[attr-defined]
        torch.nn = layers  # type: ignore[attr-defined]
        sys.modules.update({"torch": torch, "torch.nn": layers})
    from rknn.api import RKNN

    return RKNN


def reason(text: str) -> str:
    """The toolkit's errors hold whole tracebacks: what comes last and is no place in a file."""
    found = re.split(r"\n(?=\w[\w.]*(?:Error|Exception|Graph|Fail|Argument)\w*: )", "\n" + text)[-1]
    return " ".join(found.split())[:300]


def layer_in(why: str, model: str) -> str:
    """The operator of the network that a reason names, as Unique('u') or ("b", Frob, "my", -1); "" for none."""
    import onnx

    kinds = {node.op_type for node in onnx.load(model, load_external_data=False).graph.node}
    named = re.findall(r"\b([A-Z]\w+)\('", why) + re.findall(r'\("[^"]*", (\w+),', why) + re.findall(r"\w+", why)
    return next((name for name in named if name in kinds), "")


def with_calibration(path: str) -> None:
    """calibration.txt, which names a file for each picture: NCHW, though inference() takes NHWC."""
    with open("calibration.txt", "w") as names:
        for i, picture in enumerate(np.load(path, mmap_mode="r")):
            np.save(f"calibration_{i}.npy", picture.transpose(2, 0, 1)[None])
            names.write(f"calibration_{i}.npy\n")


def simulated(tool: Any, order: dict[str, Any], doing: Callable[[str], None]) -> list[str]:
    """The names of files with the simulator's answers."""
    rows: list[list[Any]] = []
    inputs, start = np.load(order["inputs"], mmap_mode="r"), time.monotonic()
    for i, picture in enumerate(inputs):
        if rows and time.monotonic() - start > order["seconds"]:
            break
        doing(f"simulating {i + 1}/{len(inputs)}")
        rows.append(tool.inference(inputs=[np.ascontiguousarray(picture[None])], data_format=["nhwc"]))
    names = []
    for i, column in enumerate(zip(*rows, strict=True)):
        names.append(f"output_{i}.npy")
        np.save(names[-1], np.concatenate([np.asarray(one, np.float32) for one in column]))
    return names


def done(status: int, step: str) -> None:
    """The toolkit raises some faults, and returns others."""
    if status != 0:
        raise RuntimeError(f"{step} returned {status}")
