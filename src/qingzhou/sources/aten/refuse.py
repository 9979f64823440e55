"""What cannot be converted, by name, and what to do instead."""

from __future__ import annotations

from ...errors import CheckpointDamaged, QingzhouError, UnsupportedCheckpoint
from ...files.refusals import short


def refused(what_en: str, what_zh: str, todo_en: str = "", todo_zh: str = "") -> UnsupportedCheckpoint:
    """The network does something that is not known here; the texts are without full stops."""
    todo_en = todo_en or "Write that step with ordinary layers and tensor operations, and export the network again"
    todo_zh = todo_zh or "请用普通的网络层和张量运算改写这一步，再重新导出"
    return UnsupportedCheckpoint(
        en=f"The network was read, but {what_en}. Operators of PyTorch that give the same for the same input were "
        f"expected. {todo_en}.",
        zh=f"网络已读取，但{what_zh}。需要由 PyTorch 的确定性算子组成的网络。{todo_zh}。",
    )


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


def garbled(en: str, zh: str) -> CheckpointDamaged:
    """What the file says of its network contradicts itself."""
    return CheckpointDamaged(
        en=f"The checkpoint is damaged: {en}. A file as PyTorch writes it was expected. Copy it again, or export the "
        "network again.",
        zh=f"模型文件已损坏：{zh}。需要由 PyTorch 写出的完整文件。请重新复制，或重新导出网络。",
    )


def at_line(err: QingzhouError, op: str, line: str) -> QingzhouError:
    """The same error with the operator, and the author's line where the file tells it."""
    code = f", `{line}`" if line else ""
    return type(err)(f"{short(op, 80)}{code}: {err.en}", f"{short(op, 80)}{code}：{err.zh}")
