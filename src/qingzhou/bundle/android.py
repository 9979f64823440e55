"""A bundle for an Android app of somebody's own: the .tflite, its labels, and how LiteRT's sample app takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import OptionError, language, say, use_language
from ..runtime.model.card import Card
from ..runtime.text import code, line, markdown
from .contents import write
from .form import OnDevice
from .order import Order

SCENES = ("basic",)
# As read at commit 23c79c9; what the app does with a picture stands in its helper's code.
SAMPLE = "https://github.com/google-ai-edge/litert-samples"
APP = "compiled_model_api/image_classification/kotlin_cpu_gpu/android"
HELPER = "ImageClassificationHelper.kt"
PLACE = "efficientnet_lite0.tflite"  # the name that the app opens, and its build does not overwrite


def fill_app(order: Order, folder: Path, form: OnDevice) -> None:
    """labels.txt, card.json and README.md beside the .tflite; OptionError for what an app has not."""
    if order.actions or order.constants or order.offline:
        raise OptionError(
            en=f"{order.device.title['en']} takes no --action, --set and --offline: the app is yours. Leave them out.",
            zh=f"{order.device.title['zh']}不支持 --action、--set 和 --offline：应用由你自己编写。请去掉它们。",
        )
    card = form.card
    write(folder / "labels.txt", "".join(f"{line(label)}\n" for label in card.labels))
    write(folder / "card.json", card.to_json())
    before = language()
    use_language(order.language)
    try:
        write(folder / "README.md", _readme(order, card, form.files[0].name))
    finally:
        use_language(before)


def _readme(order: Order, card: Card, name: str) -> str:
    """In the language in use."""
    parts = [f"# {markdown(order.source.stem)} · {order.device.shown}", _what(card, name)]
    if card.task == "classification" and card.input.kind == "image":
        parts += [_steps(card, name), _kit()]
    parts += [_inventor(), say("## Good to know", "## 说明"), "\n".join(f"- {one}" for one in order.device.remarks)]
    return "\n\n".join(parts) + "\n"


def _what(card: Card, name: str) -> str:
    shape = " x ".join(str(size or 1) for size in card.input.shape)
    network = markdown(card.network)
    return say(
        f"{code(name)}: {network}, input {shape}, with its labels and its mean and std as TFLite metadata. "
        f"{code('card.json')} says all of it, {code('labels.txt')} holds the names.",
        f"{code(name)}：{network}，输入 {shape}，标签、均值和标准差写在 TFLite 元数据里。"
        f"{code('card.json')} 里有完整说明，{code('labels.txt')} 是类别名称。",
    )


def _steps(card: Card, name: str) -> str:
    """For LiteRT's sample app, whose own preparation of pictures is another than most models'."""
    height, width = card.input.sides()
    normal: Mapping[str, list[float]] = next(
        (step for step in card.input.steps if step["op"] == "normalize"), {"mean": [0.0], "std": [1.0]}
    )
    lines = "\n".join(_kotlin(card.input.color, normal["mean"], normal["std"]))
    en = [
        "## Into LiteRT's sample app",
        f"1. `git clone {SAMPLE}`, open `{APP}` in Android Studio.",
        f"2. Copy {code(name)} to `app/src/main/assets/{PLACE}`: the app opens that name, and its build keeps a file "
        "that is there.",
        f"3. In `{HELPER}`: `labels_without_background.txt` becomes `labels.txt`, which is what the file calls them.",
        f"4. There, too: `Pair(224, 224)` becomes `Pair({height}, {width})`, and the three lines in `normalize` that "
        f"write `outputFloatArray` become:\n\n   ```kotlin\n{lines}\n   ```",
        f"5. {_resizing(card)}",
        f"6. {_scores(card)}",
        f"Read in the app's source (commit 23c79c9, {HELPER}); not run on a phone by us.",
    ]
    zh = [
        "## 放进 LiteRT 的示例应用",
        f"1. `git clone {SAMPLE}`，用 Android Studio 打开 `{APP}`。",
        f"2. 把 {code(name)} 复制为 `app/src/main/assets/{PLACE}`：应用打开的就是这个名字，构建时不会覆盖已有的文件。",
        f"3. 在 `{HELPER}` 里把 `labels_without_background.txt` 改成 `labels.txt`，这是文件里标签的名字。",
        f"4. 同一个文件里：`Pair(224, 224)` 改成 `Pair({height}, {width})`；`normalize` 里写入 `outputFloatArray` 的"
        f"三行改成：\n\n   ```kotlin\n{lines}\n   ```",
        f"5. {_resizing(card)}",
        f"6. {_scores(card)}",
        f"以上是读应用源码得到的（提交 23c79c9，{HELPER}）；我们没有在手机上运行过。",
    ]
    head, *steps, last = say("\n\0".join(en), "\n\0".join(zh)).split("\n\0")
    return "\n\n".join([head, "\n".join(steps), last])


def _kotlin(color: str, mean: Sequence[float], std: Sequence[float]) -> list[str]:
    """The lines of the app that make numbers of a pixel, in the model's order of colours."""
    names = {"RGB": "rgb", "BGR": "bgr"}.get(color)
    if names is None:
        grey = "(0.299f * r + 0.587f * g + 0.114f * b)"
        return [f"   outputFloatArray[i] = ({grey} - {mean[0]:.6g}f) / {std[0]:.6g}f // FloatArray(numPixels)"]
    wide = [values * 3 if len(values) == 1 else values for values in (list(mean), list(std))]
    return [
        f"   outputFloatArray[idx + {i}] = ({name} - {m:.6g}f) / {s:.6g}f"
        for i, (name, m, s) in enumerate(zip(names, *wide, strict=True))
    ]


def _resizing(card: Card) -> str:
    """The app stretches; whether the model was trained so."""
    step = next((step for step in card.input.steps if step["op"] == "resize"), {})
    if "short" not in step:
        return (
            say(
                "The app stretches pictures to that size, as this model wants it.",
                "应用把图片拉伸到这个尺寸，与模型的要求一致。",
            )
            if "size" in step or not step
            else say(
                "The app stretches pictures; this model wants them fitted in with a border: answers may differ.",
                "应用会拉伸图片；这个模型要求按比例放入并加边：结果可能不同。",
            )
        )
    return say(
        "The app stretches pictures to that size. This model was trained on the middle of pictures whose short side is "
        f"{step['short']}: cut the middle square out before, else answers may differ from ours.",
        f"应用把图片直接拉伸到这个尺寸。而这个模型训练时是把短边缩到 {step['short']} 再取中央：请先截取中间的正方形，"
        "否则结果可能与我们的不同。",
    )


def _scores(card: Card) -> str:
    if card.output.scores == "logits":
        return say(
            "The model gives logits: take the largest, or softmax them; the app's threshold of 0.3 is for "
            "probabilities.",
            "模型输出的是 logits：取最大的，或先做 softmax；应用里 0.3 的阈值是针对概率的。",
        )
    return say("The scores are probabilities, as the app expects them.", "输出就是概率，与应用的要求一致。")


def _kit() -> str:
    return say(
        """## ML Kit

Google's ML Kit takes custom classifiers as .tflite for image labelling. Its page
(https://developers.google.com/ml-kit/custom-models) asks for metadata with the normalisation of float inputs and the
labels, which this file has. We have not tried it.""",
        """## ML Kit

Google 的 ML Kit（图像标签）可以使用自定义的 .tflite 分类模型。它的说明
（https://developers.google.com/ml-kit/custom-models）要求元数据里有浮点输入的归一化参数和标签，这个文件里都有。我们没有试过。""",
    )


def _inventor() -> str:
    return say(
        """## MIT App Inventor

Its PersonalImageClassifier takes no .tflite: the property Model refuses every name that does not end in .mdl, a zip
with `transfer_model.json`, `model.json`, `model.weights.bin` and `model_labels.json` that MIT's own training page makes
for TensorFlow.js (read in mit-cml/appinventor-extensions, PersonalImageClassifier.java and its .js). Take
`--device browser` for a page on the phone instead.""",
        """## MIT App Inventor

它的 PersonalImageClassifier 不接受 .tflite：Model 属性拒绝所有不以 .mdl 结尾的文件名。.mdl 是 MIT 自己的训练网页
为 TensorFlow.js 生成的压缩包，里面是 `transfer_model.json`、`model.json`、`model.weights.bin` 和
`model_labels.json`（读自 mit-cml/appinventor-extensions 的 PersonalImageClassifier.java 和它的 .js）。
请改用 `--device browser` 在手机上打开网页。""",
    )
