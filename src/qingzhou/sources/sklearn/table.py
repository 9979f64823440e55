"""Every estimator that has a rule here, by the name of its class."""

from __future__ import annotations

from . import bayes, calibrated, composed, encoders, forests, linear, meta, points, scaling, svm, words, wrapped
from .work import Rules

RULES = Rules(
    transforms={**scaling.TRANSFORMS, **encoders.TRANSFORMS, **composed.TRANSFORMS, **words.TRANSFORMS},
    classifiers={
        **linear.CLASSIFIERS,
        **bayes.CLASSIFIERS,
        **points.CLASSIFIERS,
        **svm.CLASSIFIERS,
        **forests.CLASSIFIERS,
        **meta.CLASSIFIERS,
        **calibrated.CLASSIFIERS,
        **wrapped.CLASSIFIERS,
    },
    regressors={
        **linear.REGRESSORS,
        **points.REGRESSORS,
        **svm.REGRESSORS,
        **forests.REGRESSORS,
        **meta.REGRESSORS,
        **calibrated.REGRESSORS,
        **wrapped.REGRESSORS,
    },
    clusters={**points.CLUSTERS, **bayes.CLUSTERS},
)
