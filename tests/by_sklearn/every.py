"""What the other lists leave out of scikit-learn's estimators, so that each that converts is trained once."""

from __future__ import annotations

from typing import Any

import numpy as np
from estimators import Made, pipe, scaled
from sklearn import (
    calibration,
    cluster,
    compose,
    covariance,
    cross_decomposition,
    decomposition,
    dummy,
    ensemble,
    feature_selection,
    gaussian_process,
    impute,
    kernel_approximation,
    kernel_ridge,
    linear_model,
    mixture,
    model_selection,
    multiclass,
    multioutput,
    naive_bayes,
    neighbors,
    neural_network,
    preprocessing,
    random_projection,
    semi_supervised,
    svm,
    tree,
)
from sklearn.base import clone
from sklearn.gaussian_process import kernels

try:
    from sklearn import frozen
except ImportError:  # before 1.6
    frozen = None

_calibrated = calibration.CalibratedClassifierCV
logistic = linear_model.LogisticRegression
small_tree = tree.DecisionTreeClassifier


def _some_empty(x: Any) -> Any:
    x = x.copy()
    x[np.random.default_rng(len(x)).random(x.shape) < 0.1] = np.nan
    return x


def _positive(x: Any) -> Any:
    return np.abs(x) + 0.1


def _whole(x: Any) -> Any:
    return np.abs(np.round(x))


def _bits(x: Any) -> Any:
    return (x > np.float32(0.5)).astype(x.dtype)


def _yes_no(y: Any) -> Any:
    """Several may be right: two questions of iris, say."""
    return np.stack([y == 1, y > 0, y % 2 == 0], 1).astype(int)


def _questions(y: Any) -> Any:
    return np.stack([y, (y + 1) % 2], 1)


def _heights(y: Any) -> Any:
    return np.stack([y, -2 * y + 3, y**2 / 100], 1)


def _hidden(y: Any) -> Any:
    y = y.copy()
    y[np.random.default_rng(len(y)).random(len(y)) < 0.4] = -1
    return y


def _gp(kernel: Any) -> Any:
    return lambda s: pipe(scaled(), gaussian_process.GaussianProcessRegressor(kernel, alpha=0.1, normalize_y=True))


RBF, NOISE = kernels.RBF, kernels.WhiteKernel
YES, ASKED, HIGH = {"answers": _yes_no}, {"answers": _questions}, {"answers": _heights}
SCALED = {"before": _bits}

EVERY_CHANGE: dict[str, Made] = {
    "power": ("wine", lambda s: preprocessing.PowerTransformer(), {}),
    "power_raw": ("iris", lambda s: preprocessing.PowerTransformer(standardize=False), {}),
    "power_box": ("wine", lambda s: preprocessing.PowerTransformer("box-cox"), {"before": _positive}),
    "quantiles": ("wine", lambda s: preprocessing.QuantileTransformer(n_quantiles=50, random_state=s), {}),
    "quantiles_digits": ("digits", lambda s: preprocessing.QuantileTransformer(n_quantiles=300, random_state=s), {}),
    "quantiles_normal": (
        "digits",
        lambda s: preprocessing.QuantileTransformer(output_distribution="normal", n_quantiles=99, random_state=s),
        {},
    ),
    "bins": ("wine", lambda s: pipe(preprocessing.KBinsDiscretizer(4), logistic()), {}),
    "bins_ordinal": ("iris", lambda s: preprocessing.KBinsDiscretizer(5, encode="ordinal", strategy="kmeans"), {}),
    "splines": ("diabetes", lambda s: preprocessing.SplineTransformer(), {}),
    "splines_linear": ("iris", lambda s: preprocessing.SplineTransformer(extrapolation="linear", degree=2), {}),
    "splines_on": ("iris", lambda s: preprocessing.SplineTransformer(extrapolation="continue", knots="quantile"), {}),
    "splines_round": ("iris", lambda s: preprocessing.SplineTransformer(extrapolation="periodic"), {}),
    "knn_imputed": ("wine", lambda s: pipe(impute.KNNImputer(), scaled(), logistic()), {"before": _some_empty}),
    "knn_imputed_near": (
        "wine",
        lambda s: impute.KNNImputer(n_neighbors=3, weights="distance", add_indicator=True),
        {"before": _some_empty, "shaken": True},  # of equal rows its own rounding decides
    ),
    "empty_marks": ("wine", lambda s: impute.MissingIndicator(features="all"), {"before": _some_empty}),
    "best_share": ("wine", lambda s: feature_selection.SelectPercentile(percentile=30), {}),
    "best_fpr": ("cancer", lambda s: feature_selection.SelectFpr(alpha=1e-9), {}),
    "best_fdr": ("cancer", lambda s: feature_selection.SelectFdr(alpha=1e-9), {}),
    "best_fwe": ("cancer", lambda s: feature_selection.SelectFwe(alpha=1e-9), {}),
    "best_any": ("cancer", lambda s: feature_selection.GenericUnivariateSelect(mode="k_best", param=7), {}),
    "from_forest": (
        "cancer",
        lambda s: feature_selection.SelectFromModel(ensemble.RandomForestClassifier(20, random_state=s)),
        {},
    ),
    "from_tree": ("wine", lambda s: feature_selection.SelectFromModel(small_tree(random_state=s)), {}),
    "from_boosting": (
        "wine",
        lambda s: feature_selection.SelectFromModel(
            ensemble.GradientBoostingClassifier(n_estimators=9, random_state=s), threshold="1.5*median"
        ),
        {},
    ),
    "from_ada": (
        "wine",
        lambda s: feature_selection.SelectFromModel(ensemble.AdaBoostClassifier(n_estimators=9, random_state=s)),
        {},
    ),
    "from_lasso": ("diabetes", lambda s: feature_selection.SelectFromModel(linear_model.Lasso(0.5)), {}),
    "from_logistic": (
        "wine",
        lambda s: pipe(scaled(), feature_selection.SelectFromModel(logistic(), max_features=5), logistic()),
        {},
    ),
    "rfe_cv": ("wine", lambda s: feature_selection.RFECV(small_tree(random_state=s), cv=3), {}),
    "forwards": (
        "iris",
        lambda s: pipe(feature_selection.SequentialFeatureSelector(naive_bayes.GaussianNB()), logistic()),
        {},
    ),
    "factors": ("wine", lambda s: decomposition.FactorAnalysis(3, random_state=s), {}),
    "incremental": ("digits", lambda s: decomposition.IncrementalPCA(5), {}),
    "sparse_pca": ("wine", lambda s: pipe(scaled(), decomposition.SparsePCA(3, random_state=s)), {}),
    "mini_sparse_pca": ("wine", lambda s: pipe(scaled(), decomposition.MiniBatchSparsePCA(3, random_state=s)), {}),
    "kernel_pca": ("wine", lambda s: pipe(scaled(), decomposition.KernelPCA(4, kernel="rbf")), {}),
    "kernel_pca_line": ("wine", lambda s: pipe(scaled(), decomposition.KernelPCA(4)), {}),
    "kernel_pca_cosine": ("wine", lambda s: pipe(scaled(), decomposition.KernelPCA(3, kernel="cosine")), {}),
    "nystroem": (
        "wine",
        lambda s: pipe(scaled(), kernel_approximation.Nystroem(n_components=40, random_state=s), logistic()),
        {},
    ),
    "nystroem_poly": (
        "iris",
        lambda s: kernel_approximation.Nystroem(kernel="poly", n_components=9, random_state=s),
        {},
    ),
    "waves": ("wine", lambda s: pipe(scaled(), kernel_approximation.RBFSampler(random_state=s), logistic()), {}),
    "waves_skewed": (
        "iris",
        lambda s: kernel_approximation.SkewedChi2Sampler(n_components=9, random_state=s),
        {"before": _positive},
    ),
    "random_gauss": ("digits", lambda s: random_projection.GaussianRandomProjection(7, random_state=s), {}),
    "random_sparse": ("digits", lambda s: random_projection.SparseRandomProjection(7, random_state=s), {}),
    "nca": ("iris", lambda s: neighbors.NeighborhoodComponentsAnalysis(2, random_state=s), {}),
    "boltzmann": ("digits", lambda s: neural_network.BernoulliRBM(9, n_iter=2, random_state=s), {"before": _bits}),
    "merged": ("digits", lambda s: cluster.FeatureAgglomeration(9), {}),
    "pls_svd": ("diabetes", lambda s: cross_decomposition.PLSSVD(2), HIGH),
    "kmeans_far": ("wine", lambda s: pipe(scaled(), cluster.KMeans(5, n_init=2, random_state=s), logistic()), {}),
    "targets": (
        "digits",
        lambda s: pipe(preprocessing.TargetEncoder(random_state=s), logistic()),
        {"before": _whole},
    ),
}
EVERY_POINT: dict[str, Made] = {
    "knn_cosine": ("wine", lambda s: neighbors.KNeighborsClassifier(5, metric="cosine", weights="distance"), {}),
    "radius": (
        "wine",
        lambda s: pipe(scaled(), neighbors.RadiusNeighborsClassifier(2.5, outlier_label="most_frequent")),
        {},
    ),
    "radius_near": (
        "wine",
        lambda s: pipe(
            scaled(), neighbors.RadiusNeighborsClassifier(4, weights="distance", p=1, outlier_label="most_frequent")
        ),
        {"texts": True},
    ),
    "radius_regressor": ("iris", lambda s: neighbors.RadiusNeighborsRegressor(9.0, weights="distance"), {}),
    "middles": ("wine", lambda s: pipe(scaled(), neighbors.NearestCentroid()), {"texts": True}),
    "middles_prior": ("wine", lambda s: pipe(scaled(), neighbors.NearestCentroid(priors="empirical")), {}),
    "middles_manhattan": ("iris", lambda s: neighbors.NearestCentroid(metric="manhattan"), {}),
    "halves": ("wine", lambda s: cluster.BisectingKMeans(6, random_state=s), {}),
    "affinity": ("iris", lambda s: cluster.AffinityPropagation(random_state=s), {}),
    "bayes_mixture": ("iris", lambda s: mixture.BayesianGaussianMixture(n_components=4, random_state=s), {}),
    "bayes_mixture_diag": (
        "wine",
        lambda s: pipe(
            scaled(),
            mixture.BayesianGaussianMixture(
                n_components=3,
                covariance_type="diag",
                weight_concentration_prior_type="dirichlet_distribution",
                random_state=s,
            ),
        ),
        {},
    ),
    "isolation": ("cancer", lambda s: ensemble.IsolationForest(n_estimators=30, random_state=s), {}),
    "isolation_some": (
        "wine",
        lambda s: ensemble.IsolationForest(n_estimators=20, contamination=0.1, max_features=0.5, random_state=s),
        {},
    ),
    "one_class": ("wine", lambda s: pipe(scaled(), svm.OneClassSVM(nu=0.1)), {}),
    "one_class_line": ("wine", lambda s: pipe(scaled(), linear_model.SGDOneClassSVM(random_state=s)), {}),
    "ellipse": ("wine", lambda s: covariance.EllipticEnvelope(random_state=s), {}),
    "local": ("wine", lambda s: pipe(scaled(), neighbors.LocalOutlierFactor(novelty=True)), {}),
    "propagated": (
        "iris",
        lambda s: semi_supervised.LabelPropagation(gamma=2),
        {"answers": _hidden},
    ),
    "spread": (
        "iris",
        lambda s: semi_supervised.LabelSpreading("knn", n_neighbors=5),
        {"answers": _hidden},
    ),
    "self_trained": (
        "iris",
        lambda s: semi_supervised.SelfTrainingClassifier(logistic(max_iter=900)),
        {"answers": _hidden},
    ),
    "kernel_ridge": ("diabetes", lambda s: kernel_ridge.KernelRidge(kernel="rbf", gamma=0.1), {}),
    "kernel_ridge_poly": ("diabetes", lambda s: kernel_ridge.KernelRidge(kernel="polynomial", degree=2), {}),
    "kernel_ridge_city": ("diabetes", lambda s: kernel_ridge.KernelRidge(kernel="laplacian"), {}),
    "gp": ("diabetes", _gp(kernels.ConstantKernel(1.0) * RBF(3.0) + NOISE(0.5)), {}),
    "gp_matern": ("diabetes", _gp(kernels.Matern([3.0] * 10, nu=1.5) + kernels.DotProduct()), {}),
    "gp_matern_rough": ("diabetes", _gp(kernels.Matern(5.0, nu=0.5) + kernels.Matern(5.0, nu=2.5)), {}),
    "gp_quadratic": ("diabetes", _gp(kernels.RationalQuadratic(3.0, 0.7)), {}),
    "gp_waves": ("iris", _gp(kernels.ExpSineSquared(3.0, 9.0) * RBF(5.0)), {}),
    "gp_two": (
        "cancer",
        lambda s: pipe(scaled(), gaussian_process.GaussianProcessClassifier(kernels.RBF(5.0), optimizer=None)),
        {},
    ),
    "gp_classes": (
        "iris",
        lambda s: gaussian_process.GaussianProcessClassifier(2.0 * kernels.RBF(2.0), optimizer=None),
        {"texts": True},
    ),
}
EVERY_OTHER: dict[str, Made] = {
    "ard": ("diabetes", lambda s: linear_model.ARDRegression(), {}),
    "lasso_cv": ("diabetes", lambda s: linear_model.LassoCV(cv=3), {}),
    "elastic_cv": ("diabetes", lambda s: linear_model.ElasticNetCV(cv=3), {}),
    "lars": ("diabetes", lambda s: linear_model.Lars(n_nonzero_coefs=4), {}),
    "lars_cv": ("diabetes", lambda s: linear_model.LarsCV(cv=3), {}),
    "lasso_lars": ("diabetes", lambda s: linear_model.LassoLars(0.1), {}),
    "lasso_lars_cv": ("diabetes", lambda s: linear_model.LassoLarsCV(cv=3), {}),
    "lasso_lars_ic": ("diabetes", lambda s: linear_model.LassoLarsIC(), {}),
    "pursuit": ("diabetes", lambda s: linear_model.OrthogonalMatchingPursuit(), {}),
    "pursuit_cv": ("diabetes", lambda s: linear_model.OrthogonalMatchingPursuitCV(cv=3), {}),
    "theil": ("diabetes", lambda s: linear_model.TheilSenRegressor(max_iter=20, random_state=s), {}),
    "quantile": ("diabetes", lambda s: linear_model.QuantileRegressor(alpha=0.01), {}),
    "passive": ("diabetes", lambda s: pipe(scaled(), linear_model.PassiveAggressiveRegressor(random_state=s)), {}),
    "passive_classes": ("iris", lambda s: linear_model.PassiveAggressiveClassifier(random_state=s), {}),
    "ridge_classes_cv": ("wine", lambda s: linear_model.RidgeClassifierCV(), {}),
    "ransac": ("diabetes", lambda s: linear_model.RANSACRegressor(random_state=s), {}),
    "multi_lasso": ("diabetes", lambda s: linear_model.MultiTaskLasso(0.1), HIGH),
    "multi_lasso_cv": ("diabetes", lambda s: linear_model.MultiTaskLassoCV(cv=3), HIGH),
    "multi_elastic": ("diabetes", lambda s: linear_model.MultiTaskElasticNet(0.1), HIGH),
    "multi_elastic_cv": ("diabetes", lambda s: linear_model.MultiTaskElasticNetCV(cv=3), HIGH),
    "pls": ("diabetes", lambda s: cross_decomposition.PLSRegression(3), {}),
    "pls_canonical": ("diabetes", lambda s: cross_decomposition.PLSCanonical(2), HIGH),
    "cca": ("diabetes", lambda s: cross_decomposition.CCA(2), HIGH),
    "categories_nb": ("iris", lambda s: naive_bayes.CategoricalNB(min_categories=40), {"before": _whole}),
    "extra_tree": ("wine", lambda s: tree.ExtraTreeClassifier(random_state=s), {}),
    "extra_tree_values": ("diabetes", lambda s: tree.ExtraTreeRegressor(random_state=s), {}),
    "extra_values": ("diabetes", lambda s: ensemble.ExtraTreesRegressor(9, random_state=s), {}),
    "one_one": ("wine", lambda s: multiclass.OneVsOneClassifier(svm.LinearSVC()), {"texts": True}),
    "one_one_trees": ("iris", lambda s: multiclass.OneVsOneClassifier(small_tree(max_depth=2)), {}),
    "one_one_two": ("cancer", lambda s: multiclass.OneVsOneClassifier(linear_model.RidgeClassifier()), {}),
    "rest_trees": ("iris", lambda s: multiclass.OneVsRestClassifier(small_tree(max_depth=2)), {}),
    "codes": ("wine", lambda s: multiclass.OutputCodeClassifier(linear_model.RidgeClassifier(), random_state=s), {}),
    "codes_trees": ("digits", lambda s: multiclass.OutputCodeClassifier(small_tree(max_depth=5), random_state=s), {}),
    "fixed": (
        "cancer",
        lambda s: model_selection.FixedThresholdClassifier(logistic(solver="liblinear"), threshold=0.8),
        {},
    ),
    "fixed_first": (
        "cancer",
        lambda s: model_selection.FixedThresholdClassifier(
            pipe(scaled(), svm.LinearSVC()), threshold=-0.4, pos_label=0, response_method="decision_function"
        ),
        {},
    ),
    "tuned": ("cancer", lambda s: model_selection.TunedThresholdClassifierCV(naive_bayes.GaussianNB()), {}),
    "randomly": (
        "iris",
        lambda s: model_selection.RandomizedSearchCV(small_tree(), {"max_depth": [2, 3]}, n_iter=2, random_state=s),
        {},
    ),
    "dummy_constant": ("iris", lambda s: dummy.DummyClassifier(strategy="constant", constant=2), {}),
    "trees_several": ("iris", lambda s: small_tree(random_state=s), ASKED),
    "forest_several": ("wine", lambda s: ensemble.RandomForestClassifier(10, random_state=s), YES),
    "forest_asked": ("digits", lambda s: ensemble.ExtraTreesClassifier(10, random_state=s), ASKED),
    "forest_heights": ("diabetes", lambda s: ensemble.RandomForestRegressor(10, random_state=s), HIGH),
    "tree_heights": ("diabetes", lambda s: tree.DecisionTreeRegressor(random_state=s), HIGH),
    "knn_several": ("iris", lambda s: neighbors.KNeighborsClassifier(4, weights="distance"), YES),
    "knn_heights": ("diabetes", lambda s: neighbors.KNeighborsRegressor(4), HIGH),
    "mlp_several": ("iris", lambda s: neural_network.MLPClassifier((9,), max_iter=300, random_state=s), YES),
    "mlp_heights": (
        "diabetes",
        lambda s: pipe(scaled(), neural_network.MLPRegressor(hidden_layer_sizes=(9,), random_state=s)),
        HIGH,
    ),
    "ridge_several": ("iris", lambda s: linear_model.RidgeClassifier(), YES),
    "rest_several": ("iris", lambda s: multiclass.OneVsRestClassifier(logistic(max_iter=900)), YES),
    "each_several": ("iris", lambda s: multioutput.MultiOutputClassifier(logistic(max_iter=900)), ASKED),
    "each_yes": ("wine", lambda s: pipe(scaled(), multioutput.MultiOutputClassifier(svm.LinearSVC())), YES),
    "each_heights": ("diabetes", lambda s: multioutput.MultiOutputRegressor(svm.SVR()), HIGH),
    "chain": ("iris", lambda s: multioutput.ClassifierChain(logistic(), order=[2, 0, 1]), YES),
    "chain_sure": ("iris", lambda s: multioutput.ClassifierChain(logistic(), chain_method="predict_proba"), YES),
    "chain_heights": ("diabetes", lambda s: multioutput.RegressorChain(linear_model.Ridge(), order=[1, 2, 0]), HIGH),
    "frozen": ("iris", lambda s: _Frozen(logistic(max_iter=900)), {}),
    "stacked_values": (
        "diabetes",
        lambda s: ensemble.StackingRegressor([("a", linear_model.Ridge()), ("b", svm.SVR())]),
        {},
    ),
    "weighed": (
        "wine",
        lambda s: pipe(
            compose.ColumnTransformer(
                [("a", scaled(), [0, -1]), ("b", "passthrough", [2]), ("c", scaled(), [3, 4])],
                transformer_weights={"a": 3, "b": 0.2},
            ),
            svm.SVC(),
        ),
        {},
    ),
    "warm": ("wine", lambda s: _calibrated(naive_bayes.GaussianNB(), method="temperature", cv=3), {"texts": True}),
    "warm_two": ("cancer", lambda s: _calibrated(pipe(scaled(), svm.LinearSVC()), method="temperature", cv=3), {}),
    "warm_scores": ("iris", lambda s: _calibrated(pipe(scaled(), svm.SVC()), method="temperature", cv=3), {}),
    "log_target": (
        "diabetes",
        lambda s: _logarithm(),
        {},
    ),
}


def _logarithm() -> Any:
    return compose.TransformedTargetRegressor(linear_model.Ridge(), func=np.log1p, inverse_func=np.expm1)


def _Frozen(model: Any) -> Any:
    """FrozenEstimator takes what is trained; it is trained here by the first call of fit()."""
    inner = clone(model)
    found = frozen.FrozenEstimator(inner)
    found.fit = lambda x, y: (inner.fit(x, y), found.__dict__.pop("fit"))[0]
    return found


EVERY: dict[str, Made] = {**EVERY_CHANGE, **EVERY_POINT, **EVERY_OTHER}
