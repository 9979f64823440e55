"""How this source speaks of what it cannot convert."""

from __future__ import annotations

from ...errors import QingzhouError
from ...files.refusals import short
from ..recording.words import Words

SKLEARN = Words(
    expected=(
        "Estimators of scikit-learn that answer new rows by a fixed rule were expected (the list: docs/en/sklearn.md)",
        "需要由 scikit-learn 自带、对新数据按固定规则计算的估计器组成（列表见 docs/zh/sklearn.md）",
    ),
    todo=(
        "Train the same task with one of those, and save it with joblib.dump(model, 'model.joblib')",
        "请改用列表中的估计器训练，再用 joblib.dump(model, 'model.joblib') 保存",
    ),
    whole=(
        "A model as joblib or pickle writes it after fit() was expected",
        "需要 fit() 之后由 joblib 或 pickle 保存的完整模型",
    ),
    again=("Save it again where it was trained", "请在训练的电脑上重新保存"),
    sized=("The model takes {} columns", "模型的输入是 {} 列"),
    other_size=("Leave it out: the number of columns is that of the training", "请去掉这个选项：列数由训练数据决定"),
    batch=("as in the file", "文件中如此"),
)
refused, garbled = SKLEARN.refused, SKLEARN.garbled

# Why some of scikit-learn's own cannot be converted at all
NO_RULE: dict[str, tuple[str, str]] = {
    **dict.fromkeys(
        ("SpectralClustering", "AgglomerativeClustering", "FeatureAgglomeration", "DBSCAN", "HDBSCAN", "OPTICS"),
        (
            "only sorts the rows it was trained with: it has no predict() for new ones",
            "只能给训练数据分组，对新数据没有 predict()",
        ),
    ),
    **dict.fromkeys(
        ("TSNE", "MDS", "SpectralEmbedding"),
        (
            "only places the rows it was trained with: it has no transform() for new ones",
            "只能排布训练数据，对新数据没有 transform()",
        ),
    ),
    "FunctionTransformer": (
        "calls a function of Python, which is program code and not in the file",
        "调用一个 Python 函数，而函数属于程序代码，不在文件里",
    ),
}


def unknown(name: str) -> QingzhouError:
    """An estimator of scikit-learn that has no translation, or none that could be."""
    reason = NO_RULE.get(name)
    if reason is None:
        return refused(f"its estimator {short(name)} is not known here", f"不支持估计器 {short(name)}")
    if name == "FunctionTransformer":
        return refused(
            f"its step {name} {reason[0]}",
            f"其中的 {name} {reason[1]}",
            "Do that step on the table before training, or use a transformer that scikit-learn has for it",
            "请在训练前先对表格做这一步，或改用 scikit-learn 自带的转换器",
        )
    return refused(
        f"{name} {reason[0]}",
        f"{name} {reason[1]}",
        "Take KMeans or GaussianMixture, which have it",
        "请改用 KMeans 或 GaussianMixture",
    )


def own_class(name: str) -> QingzhouError:
    """A class or function of somebody's own program."""
    return refused(
        f"it needs {short(name)}, which is program code of its author's own and not in the file",
        f"它需要 {short(name)}，那是作者自己的程序代码，不在文件里",
    )
