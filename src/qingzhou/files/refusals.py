"""The errors of this room. Each caller says what was found; the rest of the message is the same for one kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import CheckpointDamaged, CheckpointTypeError, QingzhouError, UnsafeCheckpoint, UnsupportedCheckpoint
from ..runtime.errors import line, spaced


def damaged(en: str, zh: str) -> CheckpointDamaged:
    """Something is missing or altered: most often half a download."""
    return CheckpointDamaged(
        en=f"The checkpoint is damaged: {en}. A complete file was expected. Download or copy it again and compare "
        "its size with the original's; if that does not help, save it again where it was trained.",
        zh=f"模型文件已损坏：{zh}。需要一个完整的文件。请重新下载或复制，并与原文件比较大小；仍不行时请在训练的电脑上重新保存。",
    )


def unsafe(en: str, zh: str) -> UnsafeCheckpoint:
    """A trick that no training tool plays."""
    return UnsafeCheckpoint(
        en=f"The checkpoint was not opened, for safety: {en}. A file as a training tool writes it was expected, "
        "which never does that. Nothing in it was run. Get the file from a source you trust, or train the model again.",
        zh=f"为安全起见没有打开此模型文件：{zh}。训练工具保存的文件不会这样。"
        "其中没有任何内容被执行。请从可信的来源重新获取，或重新训练。",
    )


def wrong_type(en: str, zh: str, todo_en: str = "", todo_zh: str = "") -> CheckpointTypeError:
    """A file, but of another kind."""
    todo_en = todo_en or "Choose the file that training has saved, often best.pth, latest.pth or basenn.pth"
    todo_zh = todo_zh or "请选择训练时保存的文件，通常名为 best.pth、latest.pth 或 basenn.pth"
    return CheckpointTypeError(
        en=f"This is {en}. A checkpoint was expected (.pth of torch, MMEdu or BaseNN, or .safetensors). {todo_en}.",
        zh=f"这是{spaced(zh)}。需要模型权重文件（torch、MMEdu 或 BaseNN 保存的 .pth，或 .safetensors）。{todo_zh}。",
    )


def unsupported(en: str, zh: str, todo_en: str = "", todo_zh: str = "") -> UnsupportedCheckpoint:
    """Read completely, but not usable."""
    todo_en = todo_en or "Save the weights with torch.save(model.state_dict(), 'model.pth'), or the whole model"
    todo_zh = todo_zh or "请用 torch.save(model.state_dict(), 'model.pth') 保存权重，或保存整个模型"
    return UnsupportedCheckpoint(
        en=f"The file was read, but {en}. Ordinary float or integer tensors in a state dict were expected. {todo_en}.",
        zh=f"文件已读取，但{spaced(zh)}。需要包含普通浮点或整数张量的 state dict。{todo_zh}。",
    )


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Errors from inside begin with the name of the file."""
    try:
        yield
    except QingzhouError as err:
        name = path.name or path  # of "." there is none
        raise type(err)(f"{name}: {err.en}", f"{name}：{err.zh}") from None


def short(value: object, length: int = 80) -> str:
    """Text from a file on one line, never long."""
    plain = value is None or isinstance(value, (str, int, float))  # the text of anything else may have no end
    text = str(value)[: length + 1] if plain else f"<{type(value).__name__}>"
    return line(text if len(text) <= length else text[:length] + "…")
