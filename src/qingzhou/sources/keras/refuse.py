"""What of a Keras model cannot be converted, by the layer's name, and what to do instead."""

from __future__ import annotations

from ...errors import UnsupportedCheckpoint
from ...files.refusals import short
from ..recording.words import Words

KERAS_WORDS = Words(
    expected=(
        "A Functional or Sequential model of Keras' own layers was expected",
        "需要由 Keras 自带的层组成的 Functional 或 Sequential 模型",
    ),
    todo=(
        "Build the model with Keras' own layers and save it again with model.save('model.keras')",
        "请改用 Keras 自带的层搭建模型，再用 model.save('model.keras') 重新保存",
    ),
    whole=("A file as Keras writes it was expected", "需要由 Keras 写出的完整文件"),
    again=(
        "Copy it again, or save the model again with model.save('model.keras')",
        "请重新复制，或用 model.save('model.keras') 重新保存",
    ),
    sized=("The model was built for inputs of {}", "模型的输入尺寸是 {}"),
    other_size=(
        "Leave it out, or build the model for that size and save it again",
        "请去掉这个选项，或按该尺寸重新搭建并保存",
    ),
    batch=("as the model was built", "搭建模型时如此"),
    free=lambda count, inputs: (
        "For a free one, build it without batch_size",
        "要让它可变，搭建时不要指定 batch_size",
    ),
)
refused, garbled = KERAS_WORDS.refused, KERAS_WORDS.garbled
OTHERWISE = (
    "Or export it where it was made: model.export('folder') for a SavedModel, or to ONNX or TFLite",
    "也可以在原来的环境中导出：用 model.export('folder') 导出 SavedModel，或导出为 ONNX、TFLite",
)


class Unfit(Exception):
    """What a layer or an operator is called with has no meaning, or none that is known here: in both languages."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en, self.zh = f" ({en})"[:160], f"（{zh}）"[:160]


def of_layer(
    kind: str, name: str, what_en: str, what_zh: str, todo_en: str = "", todo_zh: str = ""
) -> UnsupportedCheckpoint:
    """A layer by its class and its name."""
    kind, name = short(kind, 60), short(name, 60)
    return refused(f"layer '{name}' ({kind}): {what_en}", f"层 '{name}'（{kind}）：{what_zh}", todo_en, todo_zh)


def lambda_layer(name: str) -> UnsupportedCheckpoint:
    """Its Python code is in the file, and is never run."""
    name = short(name, 60)
    return refused(
        f"Lambda layer '{name}' holds Python code (marshalled bytecode), and nothing in a file is run here",
        f"Lambda 层 '{name}' 保存的是 Python 代码（字节码），这里不会运行文件中的任何代码",
        f"Write that step with Keras' own layers or keras.ops, and save the model again. {OTHERWISE[0]}",
        f"请用 Keras 自带的层或 keras.ops 改写这一步，再重新保存。{OTHERWISE[1]}",
    )


def custom_layer(name: str, cls: str) -> UnsupportedCheckpoint:
    """The file names the author's class, and does not hold it."""
    name, cls = short(name, 60), short(cls, 80)
    return refused(
        f"layer '{name}' is of the class {cls}, whose program is not in the file",
        f"层 '{name}' 属于类 {cls}，其程序不在文件中",
        f"Build that layer from Keras' own ones, and save the model again. {OTHERWISE[0]}",
        f"请用 Keras 自带的层搭建它，再重新保存。{OTHERWISE[1]}",
    )


def custom_activation(name: str, called: str) -> UnsupportedCheckpoint:
    """Likewise of an activation."""
    name, called = short(name, 60), short(called, 80)
    return refused(
        f"activation {called} of layer '{name}': its program is not in the file",
        f"层 '{name}' 的激活函数 {called}：其程序不在文件中",
        f"Use one of Keras' own activations, and save the model again. {OTHERWISE[0]}",
        f"请使用 Keras 自带的激活函数，再重新保存。{OTHERWISE[1]}",
    )


def subclassed(cls: str) -> UnsupportedCheckpoint:
    """A model whose layers are called by the author's program."""
    cls = short(cls, 80)
    return refused(
        f"it is the subclassed model {cls}: its config has no layers, and its program is not in the file",
        f"它是子类化模型 {cls}：配置中没有层的列表，其程序也不在文件中",
        "Rebuild it as a Functional model (keras.Model(inputs, outputs)) with the same layers and save that. "
        f"{OTHERWISE[0]}",
        f"请用相同的层重建为 Functional 模型（keras.Model(inputs, outputs)）再保存。{OTHERWISE[1]}",
    )


def weights_only(file_en: str, file_zh: str) -> UnsupportedCheckpoint:
    """Numbers without a network."""
    return refused(
        f"it holds weights only ({file_en}): the network itself is not in the file",
        f"它只有权重（{file_zh}），没有网络结构",
        "Where its program is, two lines save the whole model: model.load_weights('weights.h5') and "
        "model.save('model.keras')",
        "在有其程序的地方，两行代码就能保存整个模型：model.load_weights('weights.h5') 和 model.save('model.keras')",
    )


def lora_apart(key: str) -> UnsupportedCheckpoint:
    """What LoRA has learned lies beside the weights of a layer inside another."""
    key = short(key, 120)
    return refused(
        f"{key} was learned by LoRA, beside the weights of a layer where it is not added up here",
        f"{key} 由 LoRA 学得，与某一层的权重分开保存，这里不会把它们相加",
        "Save the model with model.save('model.keras'), which adds it to them",
        "请用 model.save('model.keras') 保存，它会把两者相加",
    )
