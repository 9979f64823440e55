"""How fast, how large and how right a model is here, on each engine and in each precision.

    candidates.py  which models, engines and precisions are compared
    amx.py         INT8 with and without the processor's matrix unit
    worker.py      the process that one of them runs in; process.py: talking to it
    measure.py     bench: rounds in which each of them has its turn
    compare.py     what the rounds say about two of them, and when they say nothing
    verdict.py     which one to use here, and why
    result.py      what comes out;  memory.py: the most memory that this process has had

>>> from qingzhou.bench import bench
>>> bench(["best.onnx"], data="test_set").best.candidate.name
'openvino fp16'
"""

from .measure import bench
from .result import Candidate, Report, Row, Score, Timing

__all__ = ["Candidate", "Report", "Row", "Score", "Timing", "bench"]
