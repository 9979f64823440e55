"""Runs inside a vendor's own environment, by its Python: python -I start.py WORKER.py. The standard library only.

One order comes as a line of JSON on stdin. The worker's `work(order, doing)` does it in the working folder and returns
the answer; `doing("building")` tells whoever waits. Stdout is kept for that: what the vendor's libraries print, Python
or not, goes to stderr, which is a file.

    order   model        FP32 .onnx, batch 1
            chip         "rk3588"
            calibration  .npy of the inputs to calibrate with, all in one array, in the target's own layout
            inputs       the same of those to ask the simulator for, the most important first
            mean, std    of each channel, in levels of 255, where inputs are uint8 pixels; else null
            operators    of the .onnx, one after the other: workers name one that their vendor does not know
            out          the name of the file to write
            seconds      after which no further input is asked for
    answer  versions     of what matters on the board: {"rknn-toolkit2": "2.5.0"}
            outputs      names of .npy, one for each output of the model, a row for each input that was asked for
            facts        what else is worth telling: {"memory": bytes}
    or      layer        the name of what the compiler cannot take; why: in its words
            wrong        anything else that it refused, in its words
            full         the disk is full, or the file too large

An order {"probe": true} only asks for `versions()`.
"""

import errno
import importlib.util
import json
import os
import sys
import traceback
from typing import Any


def main() -> None:
    out = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    order = json.loads(sys.stdin.readline())

    def tell(answer: dict[str, Any]) -> None:
        out.write(json.dumps(answer) + "\n")
        out.flush()

    try:
        limit(order)
        spec = importlib.util.spec_from_file_location("worker", sys.argv[1])
        assert spec is not None and spec.loader is not None
        worker = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(worker)
        if order.get("probe"):
            tell({"versions": worker.versions()})
        else:
            tell(worker.work(order, lambda doing: tell({"doing": doing})))
    except MemoryError:
        raise
    except OSError as err:
        traceback.print_exc()
        full = err.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        tell({"full": True} if full else {"wrong": f"{type(err).__name__}: {err}"})
    except Exception as err:  # vendors have many kinds
        traceback.print_exc()
        first = (str(err).strip().splitlines() or [""])[0][:300]
        tell({"wrong": f"{type(err).__name__}: {first}"})
    sys.stdout.flush()
    os._exit(0)  # threads of the vendor's may wait for ever


def limit(order: dict[str, Any]) -> None:
    """Memory and file sizes, where the system knows such; and it dies with whoever started it."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for which, most in ((resource.RLIMIT_DATA, order["memory"]), (resource.RLIMIT_FSIZE, order["file_size"])):
        hard = resource.getrlimit(which)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a file too large is an error and no signal
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
        if os.getppid() != order["parent"]:
            os._exit(1)


main()
