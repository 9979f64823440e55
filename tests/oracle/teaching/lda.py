"""What scikit-learn says of the same Gaussians: python lda.py > lda.json, with scikit-learn 1.9.1 and numpy."""

import json

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

chance = np.random.Generator(np.random.PCG64(11))
classes, width = 4, 6
centres = chance.normal(size=(classes, width))
mixing = chance.normal(size=(width, width))
truths = np.repeat(np.arange(classes), 60)
features = centres[truths] + chance.normal(size=(len(truths), width)) @ mixing
new = centres[chance.integers(0, classes, 40)] + chance.normal(size=(40, width)) @ mixing
answers = {}
for shrinking in (0.01, 0.2, 0.7):
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinking, priors=[1 / classes] * classes)
    answers[str(shrinking)] = model.fit(features, truths).predict_proba(new).round(9).tolist()
print(
    json.dumps(
        {
            "features": features.round(9).tolist(),
            "truths": truths.tolist(),
            "new": new.round(9).tolist(),
            "answers": answers,
        }
    )
)
