"""How this source speaks of what it cannot convert."""

from __future__ import annotations

from ...errors import QingzhouError
from ...files.refusals import short
from ..recording.words import Words

EXPORT = "net.set_train(False); mindspore.export(net, example, file_name='model', file_format='MINDIR')"
FREE = "Tensor(shape=[None, 3, 224, 224], dtype=mindspore.float32)"


def _free(count: int, inputs: int) -> tuple[str, str]:
    return (
        f"For another one, export it with an example whose first size is None: {FREE}.",
        f"如需其他批量大小，请用第一维为 None 的示例导出：{FREE}",
    )


MINDSPORE = Words(
    expected=(
        "Operations of MindSpore that give the same for the same input were expected",
        "需要由 MindSpore 的确定性算子组成的网络",
    ),
    todo=(
        f"Make that part of ordinary layers, and export it again: {EXPORT}",
        f"请把这部分改用普通网络层，再重新导出：{EXPORT}",
    ),
    whole=("A file as mindspore.export writes it was expected", "需要由 mindspore.export 写出的完整文件"),
    again=("Copy it again, or export it again", "请重新复制，或重新导出"),
    sized=("The network was exported for inputs of {}", "网络导出时的输入尺寸是 {}"),
    other_size=(
        "Leave it out, or export the network again with an example of that size",
        "请去掉这个选项，或用该尺寸的示例重新导出",
    ),
    batch=("as in the example that it was exported with", "与导出时的示例相同"),
    free=_free,
)
refused, garbled = MINDSPORE.refused, MINDSPORE.garbled


RANDOM = (
    "UniformReal",
    "StandardNormal",
    "UniformInt",
    "StandardLaplace",
    "Gamma",
    "Poisson",
    "Multinomial",
    "Bernoulli",
)


def unknown(name: str) -> QingzhouError:
    """An operation that has no translation."""
    if name in ("Custom", "CustomOp"):
        return refused(
            "it has a custom operation, Custom: what that computes is in no file",
            "其中有自定义算子 Custom，文件里没有它的计算方法",
        )
    if name in RANDOM:
        return refused(f"it draws random numbers ({name})", f"它使用随机数（{name}）")
    return refused(f"it has an unknown operation: {short(name)}", f"其中有不支持的算子：{short(name)}")


def branching(name: str) -> QingzhouError:
    """Several functions of which the data chooses."""
    return refused(
        f"it has control flow that depends on the data: several functions, of which {short(name)} takes one",
        f"其中的控制流取决于数据：有多个函数，运行时由 {short(name)} 选择",
        "Write `if` and `while` over tensors without them, as mindspore.ops.select does, and loops with a number of "
        f"steps that is fixed; then export it again: {EXPORT}",
        "请去掉对张量的 if 和 while（可用 mindspore.ops.select 代替），循环次数请固定，然后重新导出：" + EXPORT,
    )


def training(what_en: str, what_zh: str) -> QingzhouError:
    """A network as it is trained."""
    return refused(
        f"it was exported in training mode: {what_en}",
        f"它是在训练模式下导出的：{what_zh}",
        f"Export it again as it is used: {EXPORT}",
        f"请切换到推理模式后重新导出：{EXPORT}",
    )
