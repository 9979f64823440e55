"""The one error tree. A user's mistake is always one of these, in Chinese and English; anything else is our bug.

QingzhouError
├── FileMissing            −103  a file or folder does not exist
├── CheckpointMissing      −102  the checkpoint does not exist
├── CheckpointTypeError    −202  the file is something else than a checkpoint
├── CheckpointDamaged      −202  truncated, bad CRC, impossible sizes
├── UnsafeCheckpoint       −202  built to harm the reader: opcodes, bombs, tricks
├── UnsupportedCheckpoint  −202  read completely, but no network of ours fits; names the closest
├── TensorMismatch         −202  the network is known, but tensors are missing, left over or misshapen
├── ArchitectureMismatch   −302  the network asked for is not the one in the file
├── LabelError             −201  the labels do not fit the classes
├── DataError              −201  data to judge by that are empty, or laid out otherwise than known
│   └── NothingToJudge     −201  data by which nothing can be seen of what INT8 loses
├── AccuracyLost                 INT8 would cost more of the accuracy than was allowed
├── NotFaster                    INT8 is not faster where it was measured
├── OptionError            −501  an option has a value that cannot be
│   └── TaskError          −310  a task that the Workflow does not have; also a ValueError
├── BoardError                   a board cannot be reached, refused the login, or failed at a step
│   └── HostKeyError             a board's host key is unknown, or another one than before
├── ProfileError                 a device's description, devices/*.toml, is wrong
├── BundleError                  a bundle that would not work on its device, or whose parts cannot be had
├── MemoryFull                   there is not enough memory for this; nothing was left behind
├── ShowBeforeInference    −601  show, save or format_output before inference
├── ExtraMissing                 ┐ a package is missing that only this needs; names the line that installs it
├── EngineError                  │ an engine is there, but cannot take or run this model, or not on this device
├── OutputError                  │ the result cannot be written; nothing was left behind
├── ImageError             −203  │
├── InputError             −304  │ these ten can also happen on the board: runtime/errors.py
├── ModelError             −202  │
│   └── NoCard             −202  │ an .onnx of another tool, of which nobody said what goes in
├── DeviceError                  │ a camera, a pin, a speaker … is missing, in use or gone
├── RuleError                    │ a rule of a program cannot be understood
└── SelfTestFailed               ┘
"""

from __future__ import annotations

from .runtime.errors import (
    DeviceError,
    EngineError,
    ExtraMissing,
    FileMissing,
    ImageError,
    InputError,
    ModelError,
    NoCard,
    OutputError,
    QingzhouError,
    RuleError,
    SelfTestFailed,
    language,
    say,
    use_language,
)

__all__ = [
    "ArchitectureMismatch",
    "BoardError",
    "BundleError",
    "CheckpointDamaged",
    "CheckpointMissing",
    "CheckpointTypeError",
    "DataError",
    "DeviceError",
    "EngineError",
    "ExtraMissing",
    "FileMissing",
    "HostKeyError",
    "ImageError",
    "InputError",
    "LabelError",
    "MemoryFull",
    "ModelError",
    "NoCard",
    "OptionError",
    "OutputError",
    "ProfileError",
    "QingzhouError",
    "RuleError",
    "SelfTestFailed",
    "ShowBeforeInference",
    "TaskError",
    "TensorMismatch",
    "UnsafeCheckpoint",
    "UnsupportedCheckpoint",
    "as_plain",
    "is_of_memory",
    "language",
    "memory_full",
    "say",
    "use_language",
]


class CheckpointMissing(QingzhouError):
    """The checkpoint file does not exist."""

    code = -102


class CheckpointTypeError(QingzhouError):
    """The file is something else than a checkpoint (TorchScript, HTML, ONNX, a folder, …)."""

    code = -202


class CheckpointDamaged(QingzhouError):
    """The file was a checkpoint, but parts are missing or altered."""

    code = -202


class UnsafeCheckpoint(QingzhouError):
    """The file uses a trick that no honest checkpoint needs."""

    code = -202


class UnsupportedCheckpoint(QingzhouError):
    """The file was read, but holds no network that can be converted."""

    code = -202


class TensorMismatch(QingzhouError):
    """The network was recognised, but its tensors are not all there, or there are others, or they are misshapen."""

    code = -202


class ArchitectureMismatch(QingzhouError):
    """The network that was asked for is not the one in the file."""

    code = -302


class LabelError(QingzhouError):
    """The labels do not fit the number of classes."""

    code = -201


class DataError(QingzhouError):
    """Data to judge by are empty, or laid out otherwise than known."""

    code = -201


class NothingToJudge(DataError):
    """Data by which nothing can be seen of what INT8 loses: too few, all the same, or all answered the same."""


class AccuracyLost(QingzhouError):
    """INT8 would cost more of a model's accuracy than was allowed; nothing is written."""


class NotFaster(QingzhouError):
    """INT8 is not faster where it was measured, so there is no reason to take it."""


class OptionError(QingzhouError):
    """An option has a value that cannot be."""

    code = -501


class TaskError(OptionError, ValueError):
    """A task that the Workflow does not have."""

    code = -310


class BoardError(QingzhouError):
    """A board cannot be reached, refused the login, or failed at a step; what it ran before still runs."""


class HostKeyError(BoardError):
    """A board's host key is not known, or another one than before; nothing was sent to it."""


class ProfileError(QingzhouError):
    """A device's description, devices/*.toml, is wrong."""


class BundleError(QingzhouError):
    """A bundle would not work on its device, or a part of it cannot be had."""


class MemoryFull(QingzhouError):
    """There is not enough memory for what was asked; nothing half-written is left."""


class ShowBeforeInference(QingzhouError):
    """A result was asked for before there was one."""

    code = -601


def as_plain(err: QingzhouError) -> dict[str, object]:
    """An error for --json: the same in both languages but for `message`, which is the text in the language in use."""
    return {"code": err.code, "message": str(err), "en": err.en, "zh": err.zh}


# -- memory ---------------------------------------------------------------------------------------------------------

NO_MEMORY = (
    "bad_alloc",
    "bad allocation",  # C++'s words, and MSVC's
    "Failed to allocate memory",
    "pthread_create failed",  # onnxruntime's; a thread needs memory for its stack
    "can't start new thread",  # Python's
    "Failed to serialize proto",  # protobuf's
    "Cannot allocate memory",
    "Not enough memory",  # Linux's, and Windows'
)


def is_of_memory(err: BaseException | None) -> bool:
    """Whether memory ran out, below whatever was made of it: Python's error, or the words of a library."""
    while err is not None:
        if isinstance(err, MemoryError) or any(words in str(err) for words in NO_MEMORY):
            return True
        err = err.__context__
    return False


def memory_full() -> MemoryFull:
    """What to say then."""
    return MemoryFull(
        en="There was not enough memory; nothing half-written was left. Close other programs, or take a machine with "
        "more memory, a smaller model, or a smaller --input-size when converting.",
        zh="内存不够，没有留下不完整的文件。请关闭其他程序，或换一台内存更大的电脑，"
        "也可以用更小的模型，或在转换时用更小的 --input-size。",
    )
