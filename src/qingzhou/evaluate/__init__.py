"""How often a model is right: its answers compared with those that a data set records.

>>> from qingzhou.evaluate import evaluate
>>> evaluate("best.onnx", "dataset/test_set").result.accuracy
0.98
"""

from .data import LAYOUTS
from .judge import evaluate
from .result import Box, Case, Classification, Dataset, DetectionScore, Evaluation, Failure, Regression

__all__ = [
    "LAYOUTS",
    "Box",
    "Case",
    "Classification",
    "Dataset",
    "DetectionScore",
    "Evaluation",
    "Failure",
    "Regression",
    "evaluate",
]
