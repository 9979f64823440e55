"""What cannot be converted, by name, and what to do instead."""

from __future__ import annotations

from ...errors import UnsupportedCheckpoint
from ..recording.words import Words

SAMPLE = "torch.export.export(model, (torch.cat([sample, sample]),), dynamic_shapes=({0: torch.export.Dim('batch')},))"
TORCH = Words(
    expected=(
        "Operators of PyTorch that give the same for the same input were expected",
        "需要由 PyTorch 的确定性算子组成的网络",
    ),
    todo=(
        "Write that step with ordinary layers and tensor operations, and export the network again",
        "请用普通的网络层和张量运算改写这一步，再重新导出",
    ),
    whole=("A file as PyTorch writes it was expected", "需要由 PyTorch 写出的完整文件"),
    again=("Copy it again, or export the network again", "请重新复制，或重新导出网络"),
    sized=("The network was exported for inputs of {}", "网络导出时的输入尺寸是 {}"),
    other_size=("Leave it out, or export the network for that size", "请去掉这个选项，或按该尺寸重新导出"),
    batch=(
        f"The batch is fixed at {{}}, as it was exported. For a free one, export with a sample of 2 or more: {SAMPLE}",
        f"批量大小固定为 {{}}（导出时如此）。要让它可变，请用 2 个以上的样本导出：{SAMPLE}",
    ),
)
refused, garbled = TORCH.refused, TORCH.garbled


def in_training(line: str, flag: str) -> UnsupportedCheckpoint:
    """The network was exported as it behaves in training; `line` is the author's, or ""."""
    at_en, at_zh = (f" (in the line `{line}`)", f"（所在代码行：`{line}`）") if line else ("", "")
    return refused(
        f"it was exported in training mode: {flag}{at_en}",
        f"它是在训练模式下导出的：{flag}{at_zh}",
        "Call model.eval() before exporting: model.eval(); program = torch.export.export(model, (sample,)); "
        "torch.export.save(program, 'model.pt2')",
        "请在导出前调用 model.eval()：model.eval(); program = torch.export.export(model, (sample,)); "
        "torch.export.save(program, 'model.pt2')",
    )
