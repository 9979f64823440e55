"""Texts: CountVectorizer, TfidfVectorizer, TfidfTransformer. Words are counted outside the network: see counted.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...files.types import Opaque
from ...graph.form import Array, Value
from .arithmetic import misfit
from .fitted import Fitted, listed
from .refuse import garbled, own_class, refused
from .scaling import made
from .work import Rows, Transform, Work

COUNTERS = ("CountVectorizer", "TfidfVectorizer")
# token_pattern -> the rule of counted.py; a pattern of somebody's own is not run
PATTERNS = {
    **dict.fromkeys((r"(?u)\b\w\w+\b", r"\b\w\w+\b"), "two"),
    **dict.fromkeys((r"(?u)\b\w+\b", r"\b\w+\b", r"(?u)\w+", r"\w+"), "one"),
}


def counts_of(e: Fitted) -> dict[str, Any]:
    """What a card says of how a text is counted; UnsupportedCheckpoint for another way to split it."""
    for key in ("tokenizer", "preprocessor", "analyzer"):
        found = e.get(key)
        if isinstance(found, Opaque):
            raise own_class(found.name)
    e.without(tokenizer=None, preprocessor=None, strip_accents=None)
    way = e.one_of("analyzer", "word", "char", "char_wb")
    e.one_of("input", "content")
    rule = PATTERNS.get(e.text("token_pattern")) if way == "word" else way
    if rule is None:
        raise refused(
            f"its {e.name} splits texts by a pattern of its own ({e.text('token_pattern')[:40]})",
            f"其中的 {e.name} 用自定义的模式分词（{e.text('token_pattern')[:40]}）",
        )
    runs = [int(n) for n in listed(e.get("ngram_range", (1, 1)))]
    if len(runs) != 2 or not 1 <= runs[0] <= runs[1] <= 8:
        raise e.odd("ngram_range", runs)
    if way == "word" and runs[1] > 1 and e.get("stop_words") is not None:
        raise refused(
            f"its {e.name} leaves out stop words and joins the others", f"其中的 {e.name} 去掉停用词后再连接其余的词"
        )
    return {"words": _vocabulary(e), "rule": rule, "lower": e.flag("lowercase", True), "runs": runs}


def _vocabulary(e: Fitted) -> list[str]:
    """The words in the order of their columns."""
    found = e.need("vocabulary_")
    if not isinstance(found, dict) or not found:
        raise e.odd("vocabulary_", found)
    places = {place: word for word, place in found.items() if isinstance(word, str) and isinstance(place, int)}
    if sorted(places) != list(range(len(found))):
        raise garbled(f"the words of its {e.name} are not numbered", f"{e.name} 的词没有连续编号")
    return [places[i] for i in range(len(places))]


def _counted(w: Work, e: Fitted, x: Rows) -> Rows:
    """The network is given the counts."""
    if x.width != len(_vocabulary(e)):
        raise misfit(len(_vocabulary(e)), x.width)
    return made(w.op("Min", x.value, 1.0)) if e.flag("binary") else made(x.value)


def _weighted(w: Work, e: Fitted, x: Rows) -> Rows:
    """TfidfTransformer: (1 + log) · idf, then divided by the length of the row."""
    value = x.value
    if e.flag("sublinear_tf"):
        there = w.op("Greater", value, 0.0)
        value = w.where(there, w.add(w.op("Log", w.where(there, value, 1.0)), 1.0), 0.0)
    if e.flag("use_idf", True):
        idf = _idf(e)
        if len(idf) != x.width:
            raise misfit(len(idf), x.width)
        value = w.mul(value, idf)
    return made(_divided(w, value, e.text("norm", "l2") if e.has("norm") else ""))


def _divided(w: Work, value: Value, norm: str) -> Value:
    if norm not in ("l1", "l2", ""):
        raise refused(f"its TfidfTransformer has norm={norm[:20]!r}", f"TfidfTransformer 设置了 norm={norm[:20]!r}")
    if not norm:
        return value
    length = w.sum(w.op("Abs", value) if norm == "l1" else w.mul(value, value))
    length = w.op("Sqrt", length) if norm == "l2" else length
    return w.div(value, w.where(w.op("Equal", length, 0.0), 1.0, length))


def _idf(e: Fitted) -> Array:
    """An array since 1.3; before it the diagonal of a sparse matrix."""
    found = e.get("idf_", e.get("_idf_diag"))
    if isinstance(found, Opaque) and isinstance(found.state, dict):
        found = found.state.get("data")
    if not isinstance(found, np.ndarray) or found.dtype.kind != "f":
        raise e.odd("idf_", found)
    return found.ravel().astype(np.float64)


def _both(w: Work, e: Fitted, x: Rows) -> Rows:
    return _weighted(w, e.inner("_tfidf"), _counted(w, e, x))


TRANSFORMS: dict[str, Transform] = {
    "CountVectorizer": _counted,
    "TfidfTransformer": _weighted,
    "TfidfVectorizer": _both,
}
