"""Shapes of "ai.onnx.ml": classical models, as skl2onnx writes them (https://onnx.ai/onnx/operators/#ai-onnx-ml)."""

from __future__ import annotations

from .form import Dim
from .shapes_call import UNKNOWN, Call, Rule, Typed, fixed, total

LISTS = {"floats": "float32", "int64s": "int64", "strings": "str"}  # of a LabelEncoder's keys_* and values_*


def _rows(c: Call) -> Dim:
    """One for each row; a vector is a single one."""
    x = c.shape(0, 1, 2)
    return x[0] if len(x) == 2 else 1


def _named(c: Call, texts: str, numbers: str) -> str:
    return "str" if c.count(texts) else "int64"


def _classified(c: Call, texts: str, numbers: str, scores: Dim) -> list[Typed]:
    rows = _rows(c)
    return [((rows,), _named(c, texts, numbers)), ((rows, scores), "float32")]


def trees(c: Call) -> list[Typed]:
    """(N, C) -> labels (N), scores (N, classes)."""
    texts, numbers = "classlabels_strings", "classlabels_int64s"
    return _classified(c, texts, numbers, c.count(texts) or c.count(numbers))


def linear_classifier(c: Call) -> list[Typed]:
    """(N, C) -> labels (N), scores (N, classes)."""
    texts, numbers = "classlabels_strings", "classlabels_ints"
    rows = c.count("intercepts")
    two = rows == 1 and c.count(texts) + c.count(numbers) == 2  # onnxruntime adds the score of the other class
    return _classified(c, texts, numbers, 2 if two else rows or UNKNOWN)


def svm_classifier(c: Call) -> list[Typed]:
    """(N, C) -> labels (N), scores (N, classes), or one for each pair of classes without probabilities."""
    texts, numbers = "classlabels_strings", "classlabels_ints"
    classes = c.count(texts) or c.count(numbers)
    pairs = c.count("vectors_per_class") and not c.count("prob_a") and classes > 2
    return _classified(c, texts, numbers, classes * (classes - 1) // 2 if pairs else classes)


def targets(c: Call) -> list[Typed]:
    """(N, C) -> (N, targets): regressors of trees and lines."""
    return [((_rows(c), c.number("n_targets", c.number("targets", 1))), "float32")]


def svm_regressor(c: Call) -> list[Typed]:
    """(N, C) -> (N, 1)."""
    return [((_rows(c), 1), "float32")]


def as_floats(c: Call) -> list[Typed]:
    """The same shape in float32."""
    return [(c.shape(0), "float32")]


def same(c: Call) -> list[Typed]:
    """The same shape and dtype."""
    return [(c.shape(0), c.dtype())]


def label_encoder(c: Call) -> list[Typed]:
    """The same shape; from keys to values, or (version 1) from texts to their numbers and back."""
    values = c.tensor("values_tensor")
    found = [values.dtype] if values else [dtype for kind, dtype in LISTS.items() if c.count(f"values_{kind}")]
    return [(c.shape(0), found[0] if found else "int64" if c.dtype() == "str" else "str")]


def category_mapper(c: Call) -> list[Typed]:
    """The same shape; from texts to numbers or back."""
    return [(c.shape(0), "int64" if c.dtype() == "str" else "str")]


def one_hot_encoder(c: Call) -> list[Typed]:
    """A new last axis of the categories."""
    return [((*c.shape(0), c.count("cats_int64s") or c.count("cats_strings")), "float32")]


def array_feature_extractor(c: Call) -> list[Typed]:
    """Positions along the last axis."""
    x, picked = c.shape(0), c.shape(1)
    count: Dim = picked[-1] if picked else 1
    return [((*x[:-1], count) if len(x) > 1 else (1, count), c.dtype())]


def feature_vectorizer(c: Call) -> list[Typed]:
    """Columns side by side."""
    widths = c.numbers("inputdimensions") or fixed([n for shape in c.shapes() for n in shape[1:]])
    return [((_rows(c), total(widths)), "float32")]


def tfidf(c: Call) -> list[Typed]:
    """Words -> how often each sequence occurs."""
    x, columns = c.shape(0, 1, 2), c.numbers("ngram_indexes") or (-1,)
    return [((*x[:-1], max(columns) + 1), "float32")]


LEARNT: dict[str, Rule] = {
    "TreeEnsembleClassifier": trees,
    "LinearClassifier": linear_classifier,
    "SVMClassifier": svm_classifier,
    "TreeEnsembleRegressor": targets,
    "LinearRegressor": targets,
    "SVMRegressor": svm_regressor,
    "Scaler": as_floats,
    "Normalizer": as_floats,
    "Imputer": same,
    "Binarizer": same,
    "LabelEncoder": label_encoder,
    "CategoryMapper": category_mapper,
    "OneHotEncoder": one_hot_encoder,
    "ArrayFeatureExtractor": array_feature_extractor,
    "FeatureVectorizer": feature_vectorizer,
}
