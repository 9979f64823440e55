"""What scikit-learn has and is refused by its name: how each is trained; and which of its estimators any list holds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sklearn import (
    cluster,
    covariance,
    decomposition,
    kernel_approximation,
    manifold,
    neighbors,
    preprocessing,
)
from sklearn.ensemble import RandomTreesEmbedding
from sklearn.feature_extraction import DictVectorizer, FeatureHasher, image, text

REFUSED: dict[str, Callable[[Any, Any], Any]] = {
    "AdditiveChi2Sampler": lambda x, y: kernel_approximation.AdditiveChi2Sampler().fit(x),
    "AgglomerativeClustering": lambda x, y: cluster.AgglomerativeClustering().fit(x),
    "ClassicalMDS": lambda x, y: manifold.ClassicalMDS().fit(x),
    "DBSCAN": lambda x, y: cluster.DBSCAN().fit(x),
    "DictVectorizer": lambda x, y: DictVectorizer().fit([{"a": 1.0}, {"b": 2.0}]),
    "DictionaryLearning": lambda x, y: decomposition.DictionaryLearning(2, max_iter=2).fit(x),
    "EmpiricalCovariance": lambda x, y: covariance.EmpiricalCovariance().fit(x),
    "FeatureHasher": lambda x, y: FeatureHasher(8),
    "FunctionTransformer": lambda x, y: preprocessing.FunctionTransformer(np.log1p).fit(x),
    "GraphicalLasso": lambda x, y: covariance.GraphicalLasso().fit(x),
    "GraphicalLassoCV": lambda x, y: covariance.GraphicalLassoCV(cv=3).fit(x),
    "HDBSCAN": lambda x, y: cluster.HDBSCAN().fit(x),
    "HashingVectorizer": lambda x, y: text.HashingVectorizer(n_features=8),
    "Isomap": lambda x, y: manifold.Isomap().fit(x[:60]),
    "KNeighborsTransformer": lambda x, y: neighbors.KNeighborsTransformer().fit(x),
    "KernelCenterer": lambda x, y: preprocessing.KernelCenterer().fit(x @ x.T),
    "KernelDensity": lambda x, y: neighbors.KernelDensity().fit(x),
    "LabelBinarizer": lambda x, y: preprocessing.LabelBinarizer().fit(y),
    "LabelEncoder": lambda x, y: preprocessing.LabelEncoder().fit(y),
    "LatentDirichletAllocation": lambda x, y: decomposition.LatentDirichletAllocation(2, max_iter=2).fit(x),
    "LedoitWolf": lambda x, y: covariance.LedoitWolf().fit(x),
    "LocallyLinearEmbedding": lambda x, y: manifold.LocallyLinearEmbedding(eigen_solver="dense").fit(x[:60]),
    "MDS": lambda x, y: manifold.MDS(n_init=1, init="random").fit(x[:40]),
    "MinCovDet": lambda x, y: covariance.MinCovDet().fit(x),
    "MiniBatchDictionaryLearning": lambda x, y: decomposition.MiniBatchDictionaryLearning(2, max_iter=2).fit(x),
    "MiniBatchNMF": lambda x, y: decomposition.MiniBatchNMF(2).fit(x),
    "MultiLabelBinarizer": lambda x, y: preprocessing.MultiLabelBinarizer().fit([[1, 2], [3]]),
    "NMF": lambda x, y: decomposition.NMF(2).fit(x),
    "NearestNeighbors": lambda x, y: neighbors.NearestNeighbors().fit(x),
    "OAS": lambda x, y: covariance.OAS().fit(x),
    "OPTICS": lambda x, y: cluster.OPTICS().fit(x),
    "PatchExtractor": lambda x, y: image.PatchExtractor(patch_size=(2, 2)),
    "PolynomialCountSketch": lambda x, y: kernel_approximation.PolynomialCountSketch().fit(x),
    "RadiusNeighborsTransformer": lambda x, y: neighbors.RadiusNeighborsTransformer().fit(x),
    "RandomTreesEmbedding": lambda x, y: RandomTreesEmbedding(3).fit(x),
    "ShrunkCovariance": lambda x, y: covariance.ShrunkCovariance().fit(x),
    "SparseCoder": lambda x, y: decomposition.SparseCoder(x[:5]).fit(x),
    "SpectralBiclustering": lambda x, y: cluster.SpectralBiclustering(2).fit(x),
    "SpectralClustering": lambda x, y: cluster.SpectralClustering(2).fit(x[:60]),
    "SpectralCoclustering": lambda x, y: cluster.SpectralCoclustering(2).fit(x),
    "SpectralEmbedding": lambda x, y: manifold.SpectralEmbedding().fit(x[:60]),
    "TSNE": lambda x, y: manifold.TSNE(perplexity=5, max_iter=250).fit(x[:40]),
}


def within(value: Any) -> Iterator[str]:
    """The classes of an estimator and of all that it is made of."""
    if hasattr(value, "get_params"):
        yield type(value).__name__
        for one in value.get_params(deep=False).values():
            yield from within(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from within(one)


def left_out() -> list[str]:
    """scikit-learn's estimators that no list holds."""
    from estimators import ESTIMATORS, TEXTED
    from every import EVERY
    from sklearn.utils import all_estimators

    made = [build for _, build, _ in (*ESTIMATORS.values(), *EVERY.values())] + [*TEXTED.values()]
    held = {name for build in made for name in within(build(1))}
    return [name for name, _ in all_estimators() if name not in held | set(REFUSED)]


if __name__ == "__main__":
    sys.stdout.write("\n".join(left_out()))
