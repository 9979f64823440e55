"""How this source speaks of what it cannot convert."""

from __future__ import annotations

from ...errors import QingzhouError
from ...files.refusals import short
from ..recording.words import Words

EXPORT = (
    "model.eval(); paddle.jit.save(model, 'model', input_spec=[paddle.static.InputSpec([None, 3, 224, 224], "
    "'float32', 'image')])"
)


def _free(count: int, inputs: int) -> tuple[str, str]:
    return (
        f"For a free one, export with None in its place: {EXPORT}",
        f"要让它可变，请在导出时把那一维写成 None：{EXPORT}",
    )


PADDLE = Words(
    expected=(
        "Operators of Paddle that give the same for the same input were expected",
        "需要由 Paddle 的确定性算子组成的推理网络",
    ),
    todo=(
        f"Write that step with ordinary layers and export the network again: {EXPORT}",
        f"请用普通的网络层改写这一步，再重新导出：{EXPORT}",
    ),
    whole=("A file as Paddle writes it was expected", "需要由 Paddle 写出的完整文件"),
    again=(
        "Copy both files of the model again, or export the network again",
        "请重新复制模型的两个文件，或重新导出网络",
    ),
    sized=("The network was exported for inputs of {}", "网络导出时的输入尺寸是 {}"),
    other_size=("Leave it out, or export the network for that size", "请去掉这个选项，或按该尺寸重新导出"),
    batch=("as it was exported", "导出时如此"),
    free=_free,
)
refused, garbled = PADDLE.refused, PADDLE.garbled

UPDATES = (
    "sgd", "momentum", "adam", "adamw", "adamax", "adagrad", "adadelta", "rmsprop", "lamb", "lars_momentum", "ftrl",
    "merged_adam", "merged_momentum", "rprop", "asgd", "nadam", "radam", "check_finite_and_unscale",
    "update_loss_scaling",
)  # fmt: skip
CONTROL = (
    "if", "while", "conditional_block", "while_loop", "select_input", "select_output", "recurrent", "py_layer",
    "has_elements", "tensor_array_to_tensor", "array_read", "array_write", "read_from_array", "write_to_array",
    "lod_array_length", "array_length", "create_array", "static_rnn", "run_program", "pylayer", "assert_",
)  # fmt: skip
RANDOM = (
    "uniform", "gaussian", "randint", "randperm", "bernoulli", "multinomial", "uniform_random", "gaussian_random",
    "truncated_gaussian_random", "poisson", "exponential_", "gumbel_softmax", "dirichlet", "binomial",
    "standard_gamma",
)  # fmt: skip
DEPENDENT = ("masked_select", "nonzero", "where_index", "unique", "unique_consecutive", "sequence_unpad")
COMPLEX = ("fft", "complex", "stft", "conj", "angle", "as_real", "polar")
BOXES = (
    "multiclass_nms", "multiclass_nms2", "multiclass_nms3", "matrix_nms", "nms", "locality_aware_nms",
    "generate_proposals", "collect_fpn_proposals", "distribute_fpn_proposals",
)  # fmt: skip
QUANTISED = ("quantize", "dequantize", "requantize", "weight_only_linear", "llm_int8_linear")
LOSSES = ("cross_entropy", "bce_loss", "sigmoid_cross_entropy", "mse_loss", "huber_loss", "nll_loss", "kldiv_loss",
          "warpctc", "accuracy", "auc")  # fmt: skip


def check_purpose(names: list[str]) -> None:
    """UnsupportedCheckpoint for a program that trains a network: it computes gradients, or changes parameters."""
    for name in names:
        base = name.rstrip("_")
        if base.endswith(("_grad", "_double_grad")) or base in UPDATES:
            raise refused(
                f"it is a training program, with the operator {short(name)}",
                f"它是训练程序（含算子 {short(name)}），不是推理模型",
                f"Export the network for inference: {EXPORT}; of a static program "
                "paddle.static.save_inference_model('model', [input], [output], exe, program=program)",
                f"请导出用于推理的网络：{EXPORT}；静态图请用 "
                "paddle.static.save_inference_model('model', [input], [output], exe, program=program)",
            )


def unknown(name: str) -> QingzhouError:
    """An operator that has no translation, or none that could be."""
    base, said = name.rstrip("_"), short(name)
    if base in CONTROL or name in CONTROL:
        return branching(said)
    if base in RANDOM or name in RANDOM:
        return refused(f"its operator {said} draws random numbers", f"算子 {said} 使用随机数")
    if base in DEPENDENT:
        return refused(
            f"how many numbers its operator {said} gives depends on the input",
            f"算子 {said} 输出的数量取决于输入",
            f"Use paddle.where(mask, x, 0) or paddle.topk, whose results have a fixed size, and export again: {EXPORT}",
            f"请改用输出大小固定的 paddle.where(mask, x, 0) 或 paddle.topk，再重新导出：{EXPORT}",
        )
    if base in BOXES:
        return refused(
            f"it chooses among its boxes inside the network ({said})",
            f"网络内部对检测框做筛选（{said}）",
            "Export the detector without that: in PaddleDetection, tools/export_model.py -c … -o weights=… "
            "exclude_nms=True, with all settings after one -o (export.nms=False where its configuration has that); the "
            "raw boxes and scores are converted",
            "请导出不含这一步的检测网络：在 PaddleDetection 中使用 tools/export_model.py -c … -o weights=… "
            "exclude_nms=True，所有设置写在同一个 -o 之后（配置文件里有 export.nms 时写 export.nms=False）；原始的框和"
            "分数可以转换",
        )
    if any(word in base for word in QUANTISED) or base.startswith("fake_"):
        return refused(
            f"it is quantised already ({said})",
            f"它已经被量化（{said}）",
            "Export the network before it is quantised, and let qingzhou quantize do that",
            "请导出量化之前的网络，再用 qingzhou quantize 量化",
        )
    if any(word in base for word in COMPLEX):
        return refused(f"its operator {said} is of complex numbers", f"算子 {said} 用到复数")
    if any(word in base for word in LOSSES):
        return refused(
            f"its operator {said} compares with the true answers, as training does",
            f"算子 {said} 需要与正确答案比较，只用于训练",
            f"Export what comes before it: {EXPORT}",
            f"请导出它之前的部分：{EXPORT}",
        )
    return refused(f"its operator {said} is not known here", f"不支持算子 {said}")


def branching(name: str) -> QingzhouError:
    """Control flow."""
    return refused(
        f"its control flow depends on the data ({name}): a part of it runs again and again, or only sometimes",
        f"它的控制流取决于数据（{name}）：有的部分循环执行，或只在某些情况下执行",
        "Write `if` and `while` over tensors with paddle.where or a fixed number of steps, and export again: " + EXPORT,
        f"请用 paddle.where 或固定的步数改写对张量的 if 和 while，再重新导出：{EXPORT}",
    )


def custom(name: str) -> QingzhouError:
    """An operator that somebody has added to Paddle."""
    return refused(
        f"its operator {short(name)} is not Paddle's own, and what it computes stands in no file",
        f"算子 {short(name)} 是自定义算子，文件里没有它的计算方法",
    )


def training(what: str) -> QingzhouError:
    """A layer that behaves as in training."""
    return refused(
        f"it was exported in training mode: {what}",
        f"它是在训练模式下导出的：{what}",
        f"Call model.eval() before exporting: {EXPORT}",
        f"请在导出前调用 model.eval()：{EXPORT}",
    )


def encrypted(name: str) -> QingzhouError:
    """A file of this name that does not begin as any of Paddle's does."""
    return refused(
        f"{short(name)} does not begin as a file of Paddle does: it is encrypted, or something else",
        f"{short(name)} 的开头不是 Paddle 文件：可能已加密，或是别的文件",
        "Take the files before they are encrypted, or export the network again: " + EXPORT,
        f"请使用加密之前的文件，或重新导出网络：{EXPORT}",
    )
