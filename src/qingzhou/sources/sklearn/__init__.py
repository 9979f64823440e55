"""Estimators of scikit-learn, as joblib and pickle save them, also inside the files of BaseML.

read.py     the file, its columns and classes, the card;  fitted.py: an estimator and its attributes
work.py     arithmetic in float64, and what estimators have in common;  table.py: every one that has a rule
linear.py, bayes.py, points.py, svm.py (with coupling.py), trees.py, forests.py   what answers, a page for each kind
scaling.py, encoders.py, composed.py   what changes rows;  meta.py, calibrated.py: estimators made of estimators
refuse.py   how this source speaks
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..source import Contents, Opened, Source

if TYPE_CHECKING:
    from ...nets.recorded import Wanted
    from ..network import Network

SUFFIXES = (".pkl", ".joblib", ".pickle")
STARTS = (
    b"\x80",
    b"\x78",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"\x5d\0\0",
    b"\x04\x22\x4d\x18",
)  # of pickles, packed or not
TORCH = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"  # the first thing in a pickle of torch.save before 1.6


def claims(opened: Opened) -> bool:
    """A pickle, packed or not, that is none of torch's."""
    if opened.whole is None or not opened.head.startswith(STARTS):
        return False
    from ...files.joblib import is_packed_pickle, is_pickle

    return (is_pickle(opened.head) and TORCH not in opened.head[:32]) or is_packed_pickle(opened.head)


def read(opened: Opened, wanted: Wanted) -> Network:
    """Its rule as operators; UnsupportedCheckpoint names the estimator that has none."""
    from .read import read_saved

    return read_saved(opened, wanted)


def look(opened: Opened) -> Contents:
    """Its estimators."""
    from .read import contents

    return contents(opened)


SKLEARN = Source("sklearn", "scikit-learn and BaseML", SUFFIXES, claims, read, look)
