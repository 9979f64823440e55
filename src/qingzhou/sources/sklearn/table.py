"""Every estimator that has a rule here, by the name of its class."""

from __future__ import annotations

from . import bayes, calibrated, composed, encoders, forests, linear, meta, points, scaling, svm
from .work import Rules

RULES = Rules(
    transforms={**scaling.TRANSFORMS, **encoders.TRANSFORMS, **composed.TRANSFORMS},
    classifiers={
        **linear.CLASSIFIERS,
        **bayes.CLASSIFIERS,
        **points.CLASSIFIERS,
        **svm.CLASSIFIERS,
        **forests.CLASSIFIERS,
        **meta.CLASSIFIERS,
        **calibrated.CLASSIFIERS,
    },
    regressors={
        **linear.REGRESSORS,
        **points.REGRESSORS,
        **svm.REGRESSORS,
        **forests.REGRESSORS,
        **meta.REGRESSORS,
        **calibrated.REGRESSORS,
    },
    clusters={**points.CLUSTERS, **bayes.CLUSTERS},
)
