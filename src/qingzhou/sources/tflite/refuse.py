"""How this source speaks of what it cannot convert."""

from __future__ import annotations

from ...errors import QingzhouError
from ..recording.words import Words

TFLITE = Words(
    expected=(
        "Builtin operators of TensorFlow Lite that give the same for the same input were expected",
        "需要由 TensorFlow Lite 内置的确定性算子组成的网络",
    ),
    todo=(
        "If you have the .keras or .h5 file that it was made from, convert that one; else make the .tflite again with "
        "ordinary layers",
        "如果有生成它的 .keras 或 .h5 文件，请直接转换那个文件；否则请改用普通网络层重新生成 .tflite",
    ),
    whole=(
        "A file as TensorFlow Lite's converter writes it was expected",
        "需要由 TensorFlow Lite 转换器写出的完整文件",
    ),
    again=("Copy it again, or make it again", "请重新复制，或重新生成"),
    sized=("The network was made for inputs of {}", "网络的输入尺寸是 {}"),
    other_size=("Leave it out, or make the .tflite again for that size", "请去掉这个选项，或按该尺寸重新生成 .tflite"),
    batch=(
        "The batch is fixed at {}, as in the .tflite.",
        "批量大小固定为 {}（.tflite 中如此）。",
    ),
)
refused, garbled = TFLITE.refused, TFLITE.garbled

EDGE = "edgetpu-custom-op"


def unknown(name: str) -> QingzhouError:
    """An operator that has no translation, or none that could be."""
    if name == EDGE:
        return refused(
            f"it was compiled for an Edge TPU ({EDGE}), so its layers can no longer be read",
            f"它已为 Edge TPU 编译（{EDGE}），无法再读出其中的网络层",
            "Take the .tflite that was compiled, without _edgetpu in its name; Teachable Machine exports it as "
            "TensorFlow Lite, Quantized",
            "请使用编译前的 .tflite（文件名中没有 _edgetpu）；Teachable Machine 可导出为 TensorFlow Lite 的 "
            "Quantized（量化）格式",
        )
    if name.startswith("Flex"):
        return refused(
            f"its operator {name} is one of TensorFlow itself (SELECT_TF_OPS)",
            f"算子 {name} 属于 TensorFlow 本身（SELECT_TF_OPS）",
            "If you have the .keras or .h5 file that it was made from, convert that one; else make the .tflite again "
            "with builtin operators only: converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]",
            "如果有生成它的 .keras 或 .h5 文件，请直接转换那个文件；否则请只用内置算子重新生成："
            "converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]",
        )
    if name in ("WHILE", "IF", "CALL_ONCE"):
        return refused(
            f"its operator {name} runs parts of it again and again, or only sometimes: an LSTM or GRU of Keras 3 "
            "becomes that",
            f"算子 {name} 会循环或有条件地执行部分网络，Keras 3 的 LSTM 和 GRU 就会变成这样",
            "Convert the .keras or .h5 file that it was made from, or make the layer with unroll=True",
            "请直接转换生成它的 .keras 或 .h5 文件，或在建立该层时使用 unroll=True",
        )
    return refused(f"its operator {name} is not known here", f"不支持算子 {name}")
