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

Said = tuple[str, str]  # English, Chinese

# Why some of scikit-learn's own cannot be converted at all, and what to take instead
SORTS: tuple[Said, Said] = (
    (
        "only sorts the rows it was trained with: it has no predict() for new ones",
        "只能给训练数据分组，对新数据没有 predict()",
    ),
    ("Take KMeans or GaussianMixture, which have it", "请改用 KMeans 或 GaussianMixture"),
)
PLACES: tuple[Said, Said] = (
    (
        "only places the rows it was trained with: it has no transform() for new ones",
        "只能排布训练数据，对新数据没有 transform()",
    ),
    ("Take PCA, KernelPCA or LinearDiscriminantAnalysis", "请改用 PCA、KernelPCA 或 LinearDiscriminantAnalysis"),
)
SOLVES: tuple[Said, Said] = (
    (
        "solves an equation anew for every row, step by step until it is near enough",
        "对每一行都要重新迭代求解",
    ),
    ("Take PCA, TruncatedSVD, FactorAnalysis or Nystroem", "请改用 PCA、TruncatedSVD、FactorAnalysis 或 Nystroem"),
)
MEASURES: tuple[Said, Said] = (
    ("says something of its training, and answers nothing for a row", "只描述训练数据，不回答新的一行"),
    (
        "Take EllipticEnvelope, IsolationForest or LocalOutlierFactor(novelty=True) for rows that do not belong",
        "要判断异常数据请改用 EllipticEnvelope、IsolationForest 或 LocalOutlierFactor(novelty=True)",
    ),
)
NEIGHBOURS: tuple[Said, Said] = (
    ("only looks up rows of its training, and says nothing of them", "只查找训练数据中的行，不给出答案"),
    ("Take KNeighborsClassifier or KNeighborsRegressor", "请改用 KNeighborsClassifier 或 KNeighborsRegressor"),
)
ANSWERS: tuple[Said, Said] = (
    ("changes the answers of a training, and takes no rows", "处理的是训练答案，不接收数据行"),
    ("Save the classifier that was trained with them: it knows its classes", "请保存用它训练的分类器，分类器自带类别"),
)
HASHES: tuple[Said, Said] = (
    (
        "makes numbers of texts by a hash, and keeps no words that could be counted",
        "用哈希把文本变成数字，不保存可以计数的词",
    ),
    ("Train it with CountVectorizer or TfidfVectorizer", "请改用 CountVectorizer 或 TfidfVectorizer 训练"),
)
RECORDS: tuple[Said, Said] = (
    ("takes dictionaries or pictures, and no rows of a table", "输入是字典或图片，不是表格的行"),
    ("Make a table first, and take OneHotEncoder for its texts", "请先做成表格，文本列用 OneHotEncoder"),
)
KERNELS: tuple[Said, Said] = (
    ("has no rule here", "这里没有对应的规则"),
    ("Take Nystroem or RBFSampler, which do alike", "请改用作用相近的 Nystroem 或 RBFSampler"),
)
FUNCTION: tuple[Said, Said] = (
    (
        "calls a function of Python, which is program code and not in the file",
        "调用一个 Python 函数，而函数属于程序代码，不在文件里",
    ),
    (
        "Do that step on the table before training, or use a transformer that scikit-learn has for it",
        "请在训练前先对表格做这一步，或改用 scikit-learn 自带的转换器",
    ),
)
GROUPS: dict[str, tuple[Said, Said]] = {
    "SpectralClustering AgglomerativeClustering DBSCAN HDBSCAN OPTICS SpectralBiclustering SpectralCoclustering": SORTS,
    "TSNE MDS ClassicalMDS SpectralEmbedding": PLACES,
    "NMF MiniBatchNMF LatentDirichletAllocation DictionaryLearning MiniBatchDictionaryLearning SparseCoder": SOLVES,
    "Isomap LocallyLinearEmbedding": SOLVES,
    "EmpiricalCovariance ShrunkCovariance LedoitWolf OAS MinCovDet GraphicalLasso GraphicalLassoCV": MEASURES,
    "KernelDensity": MEASURES,
    "NearestNeighbors KNeighborsTransformer RadiusNeighborsTransformer": NEIGHBOURS,
    "LabelEncoder LabelBinarizer MultiLabelBinarizer": ANSWERS,
    "HashingVectorizer FeatureHasher": HASHES,
    "DictVectorizer PatchExtractor": RECORDS,
    "KernelCenterer AdditiveChi2Sampler PolynomialCountSketch RandomTreesEmbedding": KERNELS,
    "FunctionTransformer": FUNCTION,
}
NO_RULE = {name: said for names, said in GROUPS.items() for name in names.split()}


def unknown(name: str) -> QingzhouError:
    """An estimator of scikit-learn that has no translation, or none that could be."""
    said = NO_RULE.get(name)
    if said is None:
        return refused(f"its estimator {short(name)} is not known here", f"不支持估计器 {short(name)}")
    why, instead = said
    return refused(f"its {name} {why[0]}", f"其中的 {name} {why[1]}", *instead)


def own_class(name: str) -> QingzhouError:
    """A class or function of somebody's own program."""
    return refused(
        f"it needs {short(name)}, which is program code of its author's own and not in the file",
        f"它需要 {short(name)}，那是作者自己的程序代码，不在文件里",
    )
