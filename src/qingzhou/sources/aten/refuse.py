"""What cannot be converted, by name, and what to do instead."""

from __future__ import annotations

from ...errors import UnsupportedCheckpoint
from ..recording.words import Words


def _free(count: int, inputs: int) -> tuple[str, str]:
    """The line that exports a network of so many inputs with a free batch."""
    names = ["sample"] if inputs == 1 else [f"sample{i + 1}" for i in range(inputs)]
    samples = ", ".join(names if count != 1 else [f"torch.cat([{name}, {name}])" for name in names])
    sizes, end = ", ".join(["{0: torch.export.Dim('batch')}"] * inputs), "," if inputs == 1 else ""
    line = f"torch.export.export(model, ({samples}{end}), dynamic_shapes=({sizes}{end}))"
    return (
        f"For a free one, export with a sample of 2 or more and say which size is free: {line}",
        f"要让它可变，请用 2 个以上的样本导出，并写明哪一维可变：{line}",
    )


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
    batch=("as it was exported", "导出时如此"),
    free=_free,
)
refused, garbled = TORCH.refused, TORCH.garbled


def in_training(line: str, flag: str) -> UnsupportedCheckpoint:
    """The network was exported as it behaves in training; `line` is the author's, or ""."""
    at_en, at_zh = (f" (in the line `{line}`)", f"（所在代码行：`{line}`）") if line else ("", "")
    return refused(
        f"it was exported in training mode: {flag}{at_en}",
        f"它是在训练模式下导出的：{flag}{at_zh}",
        "Call model.eval() before exporting: model.eval(); program = torch.export.export(model, (sample,)); "
        "torch.export.save(program, 'model.pt2'). If that was done, the flag stands in the network's own code "
        "(F.dropout without training=self.training, a BatchNorm with track_running_stats=False): change it there",
        "请在导出前调用 model.eval()：model.eval(); program = torch.export.export(model, (sample,)); "
        "torch.export.save(program, 'model.pt2')。如果已经这样做，则是网络自己的代码里开启了训练方式"
        "（F.dropout 没有写 training=self.training，或 BatchNorm 的 track_running_stats=False），请在那里修改",
    )
