"""What is trained for the comparison with scikit-learn itself: name -> data, how it is made, and what else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import (
    calibration,
    cluster,
    compose,
    decomposition,
    discriminant_analysis,
    dummy,
    ensemble,
    feature_selection,
    impute,
    isotonic,
    linear_model,
    mixture,
    model_selection,
    multiclass,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)
from sklearn.feature_extraction import text

Made = tuple[str, Callable[[int], Any], dict[str, Any]]
scaled = preprocessing.StandardScaler
pipe = pipeline.make_pipeline


def _whole(x: Any) -> Any:
    return np.abs(np.round(x))


def _some_empty(x: Any) -> Any:
    x = x.copy()
    x[np.random.default_rng(len(x)).random(x.shape) < 0.1] = np.nan
    return x


def _line(x: Any) -> Any:
    return x[:, :1]


LINEAR: dict[str, Made] = {
    "linear": ("diabetes", lambda s: linear_model.LinearRegression(), {}),
    "ridge_cv": ("diabetes", lambda s: linear_model.RidgeCV(), {}),
    "lasso": ("diabetes", lambda s: linear_model.Lasso(0.1), {}),
    "elastic": ("diabetes", lambda s: linear_model.ElasticNet(0.01), {}),
    "bayes_ridge": ("diabetes", lambda s: linear_model.BayesianRidge(), {}),
    "huber": ("diabetes", lambda s: pipe(scaled(), linear_model.HuberRegressor(max_iter=300)), {}),
    "sgd_regressor": ("diabetes", lambda s: pipe(scaled(), linear_model.SGDRegressor(random_state=s)), {}),
    "poisson": ("diabetes", lambda s: pipe(scaled(), linear_model.PoissonRegressor()), {}),
    "gamma": ("diabetes", lambda s: pipe(scaled(), linear_model.GammaRegressor()), {}),
    "tweedie": ("diabetes", lambda s: pipe(scaled(), linear_model.TweedieRegressor(power=0)), {}),
    "linear_svr": ("diabetes", lambda s: pipe(scaled(), svm.LinearSVR(max_iter=3000)), {}),
    "polynomial": ("diabetes", lambda s: pipe(preprocessing.PolynomialFeatures(2), linear_model.Ridge()), {}),
    "interactions": (
        "iris",
        lambda s: pipe(preprocessing.PolynomialFeatures((2, 3), interaction_only=True, include_bias=False), scaled()),
        {},
    ),
    "logistic": ("wine", lambda s: pipe(scaled(), linear_model.LogisticRegression()), {"texts": True}),
    "logistic_raw": ("iris", lambda s: linear_model.LogisticRegression(max_iter=2000), {}),
    "logistic_two": ("cancer", lambda s: pipe(scaled(), linear_model.LogisticRegression()), {}),
    "logistic_liblinear": ("cancer", lambda s: linear_model.LogisticRegression(solver="liblinear"), {}),
    "logistic_cv": ("iris", lambda s: linear_model.LogisticRegressionCV(Cs=3, max_iter=2000), {}),
    "ridge_classifier": ("wine", lambda s: linear_model.RidgeClassifier(), {"texts": True}),
    "sgd_hinge": ("iris", lambda s: linear_model.SGDClassifier(random_state=s), {}),
    "sgd_log": ("wine", lambda s: linear_model.SGDClassifier(loss="log_loss", random_state=s), {}),
    "sgd_huber": ("iris", lambda s: linear_model.SGDClassifier(loss="modified_huber", random_state=s), {}),
    "sgd_two": ("cancer", lambda s: linear_model.SGDClassifier(loss="modified_huber", random_state=s), {}),
    "perceptron": ("iris", lambda s: linear_model.Perceptron(random_state=s), {}),
    "linear_svc": ("wine", lambda s: pipe(scaled(), svm.LinearSVC(random_state=s)), {}),
    "lda": ("wine", lambda s: discriminant_analysis.LinearDiscriminantAnalysis(), {}),
    "lda_two": ("cancer", lambda s: discriminant_analysis.LinearDiscriminantAnalysis(), {}),
    "qda": ("wine", lambda s: discriminant_analysis.QuadraticDiscriminantAnalysis(), {}),
    "qda_two": ("iris", lambda s: discriminant_analysis.QuadraticDiscriminantAnalysis(), {"two": True}),
    "mlp": ("wine", lambda s: pipe(scaled(), neural_network.MLPClassifier((8,), max_iter=300, random_state=s)), {}),
    "mlp_two": (
        "cancer",
        lambda s: pipe(scaled(), neural_network.MLPClassifier((5, 4), "logistic", random_state=s)),
        {},
    ),
    "mlp_regressor": (
        "diabetes",
        lambda s: pipe(scaled(), neural_network.MLPRegressor(hidden_layer_sizes=(9,), random_state=s)),
        {},
    ),
}
POINTS: dict[str, Made] = {
    "gaussian_nb": ("wine", lambda s: naive_bayes.GaussianNB(), {"texts": True}),
    "gaussian_nb_digits": ("digits", lambda s: naive_bayes.GaussianNB(), {}),
    "multinomial_nb": ("digits", lambda s: naive_bayes.MultinomialNB(), {"before": _whole}),
    "complement_nb": ("digits", lambda s: naive_bayes.ComplementNB(), {"before": _whole}),
    "bernoulli_nb": ("digits", lambda s: naive_bayes.BernoulliNB(binarize=7.5), {}),
    "knn": ("wine", lambda s: pipe(scaled(), neighbors.KNeighborsClassifier(7)), {"texts": True}),
    "knn_distance": ("wine", lambda s: neighbors.KNeighborsClassifier(4, weights="distance", p=1), {}),
    "knn_many": ("digits", lambda s: neighbors.KNeighborsClassifier(3, weights="distance"), {}),
    "knn_regressor": ("diabetes", lambda s: neighbors.KNeighborsRegressor(6, weights="distance"), {}),
    "knn_minkowski": ("diabetes", lambda s: neighbors.KNeighborsRegressor(3, p=3), {}),
    "knn_chebyshev": ("cancer", lambda s: pipe(scaled(), neighbors.KNeighborsClassifier(3, metric="chebyshev")), {}),
    "svc": ("wine", lambda s: pipe(scaled(), svm.SVC(probability=True, random_state=s)), {"texts": True}),
    "svc_two": ("cancer", lambda s: pipe(scaled(), svm.SVC(probability=True, random_state=s)), {}),
    "svc_digits": ("digits", lambda s: svm.SVC(probability=True, random_state=s), {}),
    "svc_poly": ("iris", lambda s: svm.SVC(kernel="poly", degree=3, coef0=0.5), {}),
    "svc_sigmoid": ("wine", lambda s: pipe(scaled(), svm.SVC(kernel="sigmoid", break_ties=True)), {}),
    "svc_linear_raw": ("cancer", lambda s: svm.SVC(kernel="linear", C=0.01), {}),
    "svc_rbf_raw": ("cancer", lambda s: svm.SVC(), {}),
    "nu_svc": ("iris", lambda s: svm.NuSVC(nu=0.2), {}),
    "svr": ("diabetes", lambda s: svm.SVR(C=30.0), {}),
    "nu_svr": ("diabetes", lambda s: svm.NuSVR(kernel="poly", C=30.0), {}),
    "kmeans": ("wine", lambda s: pipe(scaled(), cluster.KMeans(4, n_init=2, random_state=s)), {}),
    "mini_kmeans": ("digits", lambda s: cluster.MiniBatchKMeans(12, n_init=2, random_state=s), {}),
    "birch": ("iris", lambda s: cluster.Birch(n_clusters=3), {}),
    "mean_shift": ("iris", lambda s: cluster.MeanShift(), {}),
    "mixture": ("iris", lambda s: mixture.GaussianMixture(3, random_state=s), {}),
    "mixture_tied": ("iris", lambda s: mixture.GaussianMixture(3, covariance_type="tied", random_state=s), {}),
    "mixture_diag": ("wine", lambda s: mixture.GaussianMixture(3, covariance_type="diag", random_state=s), {}),
    "mixture_round": ("iris", lambda s: mixture.GaussianMixture(3, covariance_type="spherical", random_state=s), {}),
}
CHANGES: dict[str, Made] = {
    "pca": ("digits", lambda s: decomposition.PCA(9, random_state=s), {}),
    "pca_whiten": ("wine", lambda s: decomposition.PCA(0.99, whiten=True, random_state=s), {}),
    "svd": ("digits", lambda s: decomposition.TruncatedSVD(5, random_state=s), {}),
    "ica": ("iris", lambda s: decomposition.FastICA(3, random_state=s, whiten="unit-variance"), {}),
    "lda_before": (
        "wine",
        lambda s: pipe(
            discriminant_analysis.LinearDiscriminantAnalysis(n_components=2), neighbors.KNeighborsClassifier()
        ),
        {},
    ),
    "min_max": ("wine", lambda s: preprocessing.MinMaxScaler((-1, 1), clip=True), {}),
    "max_abs": ("wine", lambda s: preprocessing.MaxAbsScaler(), {}),
    "robust": ("wine", lambda s: preprocessing.RobustScaler(), {}),
    "normalizer": ("wine", lambda s: preprocessing.Normalizer("l1"), {}),
    "normalizer_max": ("wine", lambda s: preprocessing.Normalizer("max"), {}),
    "binarizer": ("wine", lambda s: preprocessing.Binarizer(threshold=5), {}),
    "best": ("wine", lambda s: pipe(feature_selection.SelectKBest(k=5), tree.DecisionTreeClassifier()), {}),
    "rfe": (
        "wine",
        lambda s: pipe(scaled(), feature_selection.RFE(linear_model.LogisticRegression(), n_features_to_select=4)),
        {},
    ),
    "varied": ("digits", lambda s: feature_selection.VarianceThreshold(4.0), {}),
    "imputed": (
        "wine",
        lambda s: pipe(impute.SimpleImputer(add_indicator=True), scaled(), linear_model.LogisticRegression()),
        {"before": _some_empty},
    ),
    "imputed_forest": (
        "iris",
        lambda s: pipe(impute.SimpleImputer(strategy="median"), ensemble.RandomForestClassifier(9, random_state=s)),
        {"before": _some_empty},
    ),
    "union": (
        "wine",
        lambda s: pipe(pipeline.make_union(decomposition.PCA(2), scaled()), linear_model.LogisticRegression()),
        {},
    ),
    "one_hot": (
        "digits",
        lambda s: pipe(
            preprocessing.OneHotEncoder(handle_unknown="ignore", max_categories=5), naive_bayes.BernoulliNB()
        ),
        {"before": _whole},
    ),
    "ordinal": (
        "digits",
        lambda s: pipe(
            preprocessing.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
            tree.DecisionTreeClassifier(random_state=s),
        ),
        {"before": _whole},
    ),
    "columns": (
        "wine",
        lambda s: pipe(
            compose.make_column_transformer(
                (scaled(), [0, 3]), (preprocessing.MinMaxScaler(), slice(5, 8)), ("drop", [1]), remainder="passthrough"
            ),
            linear_model.LogisticRegression(max_iter=3000),
        ),
        {},
    ),
}
TREES: dict[str, Made] = {
    "tree": ("wine", lambda s: tree.DecisionTreeClassifier(random_state=s), {"texts": True}),
    "tree_scaled": ("digits", lambda s: pipe(scaled(), tree.DecisionTreeClassifier(random_state=s)), {}),
    "tree_missing": ("iris", lambda s: tree.DecisionTreeClassifier(random_state=s), {"before": _some_empty}),
    "tree_regressor": ("diabetes", lambda s: tree.DecisionTreeRegressor(random_state=s), {}),
    "tree_constant": ("iris", lambda s: tree.DecisionTreeClassifier(max_leaf_nodes=2, random_state=s), {"two": True}),
    "forest": ("wine", lambda s: ensemble.RandomForestClassifier(30, random_state=s), {"texts": True}),
    "forest_digits": ("digits", lambda s: ensemble.RandomForestClassifier(100, random_state=s), {}),
    "forest_two": ("cancer", lambda s: ensemble.RandomForestClassifier(10, max_depth=3, random_state=s), {}),
    "forest_even": ("cancer", lambda s: ensemble.RandomForestClassifier(4, random_state=s), {}),
    "forest_scaled": ("digits", lambda s: pipe(scaled(), ensemble.RandomForestClassifier(9, random_state=s)), {}),
    "forest_regressor": ("diabetes", lambda s: ensemble.RandomForestRegressor(30, random_state=s), {}),
    "extra": ("wine", lambda s: ensemble.ExtraTreesClassifier(12, random_state=s), {}),
    "extra_missing": ("iris", lambda s: ensemble.RandomForestClassifier(12, random_state=s), {"before": _some_empty}),
    "boosting": ("wine", lambda s: ensemble.GradientBoostingClassifier(n_estimators=20, random_state=s), {}),
    "boosting_two": ("cancer", lambda s: ensemble.GradientBoostingClassifier(n_estimators=20, random_state=s), {}),
    "boosting_exponential": (
        "cancer",
        lambda s: ensemble.GradientBoostingClassifier(loss="exponential", n_estimators=9, random_state=s),
        {},
    ),
    "boosting_zero": ("wine", lambda s: ensemble.GradientBoostingClassifier(init="zero", n_estimators=5), {}),
    "boosting_regressor": (
        "diabetes",
        lambda s: ensemble.GradientBoostingRegressor(n_estimators=30, random_state=s),
        {},
    ),
    "boosting_huber": ("diabetes", lambda s: ensemble.GradientBoostingRegressor(loss="huber", n_estimators=9), {}),
    "histogram": ("wine", lambda s: ensemble.HistGradientBoostingClassifier(max_iter=15, random_state=s), {}),
    "histogram_two": (
        "cancer",
        lambda s: ensemble.HistGradientBoostingClassifier(max_iter=15, random_state=s),
        {"missing": True},
    ),
    "histogram_scaled": ("cancer", lambda s: pipe(scaled(), ensemble.HistGradientBoostingClassifier(max_iter=9)), {}),
    "histogram_large": ("digits", lambda s: ensemble.HistGradientBoostingClassifier(max_iter=40), {}),
    "histogram_regressor": ("diabetes", lambda s: ensemble.HistGradientBoostingRegressor(max_iter=15), {}),
    "histogram_poisson": ("diabetes", lambda s: ensemble.HistGradientBoostingRegressor(loss="poisson", max_iter=9), {}),
    "histogram_categories": (
        "digits",
        lambda s: ensemble.HistGradientBoostingClassifier(max_iter=5, categorical_features=[20, 3, 42]),
        {"before": _whole},
    ),
    "ada": ("wine", lambda s: ensemble.AdaBoostClassifier(n_estimators=15, random_state=s), {"texts": True}),
    "ada_two": ("cancer", lambda s: ensemble.AdaBoostClassifier(n_estimators=15, random_state=s), {}),
    "ada_regressor": ("diabetes", lambda s: ensemble.AdaBoostRegressor(n_estimators=15, random_state=s), {}),
}
OTHERS: dict[str, Made] = {
    "bagging": ("wine", lambda s: ensemble.BaggingClassifier(max_features=0.5, random_state=s), {"texts": True}),
    "bagging_knn": (
        "iris",
        lambda s: ensemble.BaggingClassifier(neighbors.KNeighborsClassifier(3), 5, random_state=s),
        {},
    ),
    "bagging_votes": ("iris", lambda s: ensemble.BaggingClassifier(linear_model.Perceptron(), 5, random_state=s), {}),
    "bagging_regressor": ("diabetes", lambda s: ensemble.BaggingRegressor(random_state=s), {}),
    "voting_soft": (
        "wine",
        lambda s: ensemble.VotingClassifier(
            [("a", naive_bayes.GaussianNB()), ("b", tree.DecisionTreeClassifier(random_state=s))],
            voting="soft",
            weights=[2, 1],
        ),
        {"texts": True},
    ),
    "voting_hard": (
        "iris",
        lambda s: ensemble.VotingClassifier(
            [("a", naive_bayes.GaussianNB()), ("b", tree.DecisionTreeClassifier(random_state=s)), ("c", svm.SVC())],
            weights=[1, 2, 1],
        ),
        {"texts": True},
    ),
    "voting_regressor": (
        "diabetes",
        lambda s: ensemble.VotingRegressor([("a", linear_model.Ridge()), ("b", neighbors.KNeighborsRegressor())]),
        {},
    ),
    "stacking": (
        "wine",
        lambda s: ensemble.StackingClassifier(
            [
                ("a", naive_bayes.GaussianNB()),
                ("b", svm.LinearSVC()),
                ("c", tree.DecisionTreeClassifier(random_state=s)),
            ],
            cv=3,
            passthrough=True,
        ),
        {"texts": True},
    ),
    "stacking_two": (
        "cancer",
        lambda s: ensemble.StackingClassifier(
            [("a", naive_bayes.GaussianNB()), ("b", pipe(scaled(), svm.SVC()))], cv=3
        ),
        {},
    ),
    "stacking_regressor": (
        "diabetes",
        lambda s: ensemble.StackingRegressor([("a", linear_model.Ridge()), ("b", neighbors.KNeighborsRegressor())]),
        {},
    ),
    "calibrated_sigmoid": (
        "wine",
        lambda s: calibration.CalibratedClassifierCV(svm.LinearSVC(), cv=3),
        {"texts": True},
    ),
    "calibrated_isotonic": (
        "cancer",
        lambda s: calibration.CalibratedClassifierCV(naive_bayes.GaussianNB(), method="isotonic", cv=3),
        {},
    ),
    "calibrated_forest": (
        "wine",
        lambda s: calibration.CalibratedClassifierCV(ensemble.RandomForestClassifier(7), method="isotonic", cv=3),
        {},
    ),
    "isotonic": ("diabetes", lambda s: isotonic.IsotonicRegression(out_of_bounds="clip"), {"before": _line}),
    "rest": ("wine", lambda s: multiclass.OneVsRestClassifier(linear_model.LogisticRegression()), {"texts": True}),
    "rest_nb": ("iris", lambda s: multiclass.OneVsRestClassifier(naive_bayes.GaussianNB()), {}),
    "search": (
        "iris",
        lambda s: model_selection.GridSearchCV(tree.DecisionTreeClassifier(), {"max_depth": [2, 3]}),
        {},
    ),
    "dummy": ("iris", lambda s: dummy.DummyClassifier(), {}),
    "dummy_regressor": ("diabetes", lambda s: dummy.DummyRegressor(), {}),
    "target": (
        "diabetes",
        lambda s: compose.TransformedTargetRegressor(linear_model.Ridge(), transformer=scaled()),
        {},
    ),
}
TEXTED: dict[str, Callable[[int], Any]] = {
    "counts": lambda s: pipe(text.CountVectorizer(), naive_bayes.MultinomialNB()),
    "counts_runs": lambda s: pipe(text.CountVectorizer(ngram_range=(1, 2), binary=True), naive_bayes.BernoulliNB()),
    "tfidf": lambda s: pipe(text.TfidfVectorizer(), linear_model.LogisticRegression()),
    "tfidf_log": lambda s: pipe(
        text.TfidfVectorizer(sublinear_tf=True, norm="l1", token_pattern=r"(?u)\b\w+\b", lowercase=False),
        linear_model.LogisticRegression(),
    ),
    "characters": lambda s: pipe(
        text.CountVectorizer(analyzer="char", ngram_range=(1, 3)), naive_bayes.MultinomialNB()
    ),
    "characters_words": lambda s: pipe(
        text.TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5)), linear_model.LogisticRegression()
    ),
    "counts_then": lambda s: pipe(text.CountVectorizer(), text.TfidfTransformer(), naive_bayes.ComplementNB()),
}
ESTIMATORS: dict[str, Made] = {**LINEAR, **POINTS, **CHANGES, **TREES, **OTHERS}
