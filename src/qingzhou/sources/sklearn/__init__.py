"""Estimators of scikit-learn as joblib and pickle save them, those of BaseML; trees of XGBoost, LightGBM, CatBoost.

read.py     the network and its card;  saved.py: what the file holds;  parts.py: which of several objects is meant
columns.py, answered.py   what goes in, and what comes out
fitted.py   an estimator and its attributes;  sparse.py: scipy's matrices of mostly zeros
work.py     what estimators have in common;  arithmetic.py: operators in float64;  table.py: every one that has a rule
linear.py, bayes.py, points.py, regions.py, svm.py (with coupling.py), kernels.py, gaussian.py (with normal.py),
trees.py, forests.py, outliers.py   what answers, a page for each kind
boosters.py     boosted trees of others in one form; xgboost_file.py, lightgbm_file.py, catboost_file.py: their files
scaling.py, curves.py, encoders.py, filling.py, words.py   what changes cells;  projecting.py: fewer columns
picking.py (with importance.py)   what chooses columns;  composed.py: pipelines
meta.py, against.py, calibrated.py, several.py   estimators made of estimators, and those of several answers
refuse.py   how this source speaks
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..source import Contents, Opened, Source

if TYPE_CHECKING:
    from ...nets.recorded import Wanted
    from ..network import Network

SUFFIXES = (".pkl", ".pickle", ".joblib", ".ubj")
STARTS = (
    b"\x80",
    b"\x78",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"\x5d\0\0",
    b"\x04\x22\x4d\x18",
)  # of pickles, packed or not
OLD = b"copy_reg\n"  # in the first bytes of a pickle of protocol 0 or 1
TORCH = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"  # the first thing in a pickle of torch.save before 1.6


def claims(opened: Opened) -> bool:
    """A pickle, packed or not, that is none of torch's; trees as XGBoost, LightGBM and CatBoost write them."""
    if opened.whole is None:
        return False
    head = opened.head
    if head.startswith((b"tree\n", b"tree\r\n", b"{L")):
        return head[:1] == b"t" or (b"learner" in head or b"Model" in head)
    if head.lstrip()[:1] == b"{":
        return any(key in head for key in (b'"learner"', b'"features_info"', b'"oblivious_trees"', b'"ctr_data"'))
    if not head.startswith(STARTS) and OLD not in head:
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


SKLEARN = Source("sklearn", "scikit-learn, BaseML, XGBoost, LightGBM, CatBoost", SUFFIXES, claims, read, look)
