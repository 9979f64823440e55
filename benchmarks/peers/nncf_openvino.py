"""NNCF's default preset on OpenVINO's own graph, one core: `nncf_openvino.py MODEL.onnx INPUTS.npz OUT.xml`.

Prints the CPU seconds from reading the model to the saved one; imports are left out, as ours are.
"""

from __future__ import annotations

import os
import sys
import time

os.environ.setdefault("NNCF_TELEMETRY", "0")
os.environ.setdefault("OV_TELEMETRY", "0")

import nncf
import numpy as np
import openvino as ov

if __name__ == "__main__":
    model, inputs, out = sys.argv[1:]
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with np.load(inputs) as kept:
        feeds = list(kept.values())
    start = time.process_time()
    made = nncf.quantize(ov.Core().read_model(model), nncf.Dataset(feeds), subset_size=len(feeds))
    ov.save_model(made, out)
    print(time.process_time() - start)
