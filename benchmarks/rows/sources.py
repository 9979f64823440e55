"""Files of Keras, TensorFlow Lite and MindSpore, converted without these, beside what their own tools take."""

from __future__ import annotations

import functools
from functools import partial
from importlib import metadata
from pathlib import Path

from ..desk import Desk, Figure, NotHere, beside, qingzhou, turns
from ..goals import Goal
from ..machine import Machine
from ..measure import ENVIRONMENT, HERE, Spent, once

SECONDS = 20  # for each
TENSORFLOW = ("tf2onnx", "tensorflow-cpu==2.21.0 keras==3.15.1 tf-keras==2.21.0 tf2onnx==1.17.0")
WHAT = "qingzhou convert of Keras' MobileNetV2 as {}, checked and with its program, beside tf2onnx --{}"
# What we read, and how and what tf2onnx reads for the same: a SavedModel as Keras itself exports it, too.
FILES = {
    ".keras": ("net.keras", "keras", "net.keras"),
    ".h5": ("net.h5", "keras", "net.h5"),
    ".keras, SavedModel": ("net.keras", "saved-model", "net"),
    "INT8 .tflite": ("net.tflite", "tflite", "net.tflite"),
}
RATIO = 1 / 8  # of tf2onnx's CPU seconds
MINDSPORE = ("mindspore", "mindspore==2.10.0 numpy==1.26.4")
MINDIR = "qingzhou convert of MindSpore's MobileNetV2 as .mindir, checked and with its program, beside mindspore.export"
MINDIR_RATIO, MINDIR_MB, MINDIR_FILES = 1 / 12, 100.0, 2.2  # of its CPU seconds; and so many MB, and times the file
MOST_MB, MOST_SECONDS, MOST_INSTALLED = 150.0, 0.6, 20.0
INSTALLED = 'what pip install "qingzhou[keras]" puts on the disk beside qingzhou\'s own packages'


def goals(machine: Machine) -> tuple[Goal, ...]:
    """CPU seconds and the largest process's memory, beside tf2onnx's and beside limits."""
    rows = []
    for name, (file, option, source) in FILES.items():
        measure = partial(figure, file=file, option=option, source=source)
        what, small = WHAT.format(file, option), file.endswith(".tflite")
        rows += [
            Goal(f"convert {name}", "s CPU", what, "tf2onnx", partial(measure, part="cpu"), most=RATIO),
            Goal(f"convert {name}, memory", "MB", what, "tf2onnx", partial(measure, part="peak")),
        ]
        if option == "saved-model":
            continue
        part, unit, most = ("cpu", "s CPU", MOST_SECONDS) if small else ("peak", "MB", MOST_MB)
        bound = partial(within, file=file, option=option, source=source, part=part, most=most)
        rows += [Goal(f"convert {name}, {unit.split()[0]} at most", unit, what, "limit", bound, most=1)]
    rows += [
        Goal("convert .mindir", "s CPU", MINDIR, "MindSpore", partial(mindir, part="cpu"), most=MINDIR_RATIO),
        Goal("convert .mindir, memory", "MB", MINDIR, "MindSpore", partial(mindir, part="peak")),
        Goal("convert .mindir, MB at most", "MB", MINDIR, "limit", mindir_memory, most=1),
    ]
    return (*rows, Goal("the extra [keras] on the disk", "MB", INSTALLED, "limit", installed, most=1))


def figure(desk: Desk, file: str, option: str, source: str, part: str) -> Figure:
    """Beside tf2onnx."""
    return beside(rounds(desk, file, option, source), "tf2onnx", part)


def within(desk: Desk, file: str, option: str, source: str, part: str, most: float) -> Figure:
    """The least seconds, or the most memory, beside what it may be."""
    spent = [getattr(one["now"], part) for one in rounds(desk, file, option, source)]
    found = max(spent) if part == "peak" else min(spent)
    return Figure(found, most, found / most, len(spent))


@functools.cache
def rounds(desk: Desk, file: str, option: str, source: str) -> list[dict[str, Spent]]:
    """Each in fresh processes."""
    folder, python = made(desk)
    target = folder / "converted"
    ours = partial(qingzhou, desk.checkouts["now"], "convert", folder / file, "-o", f"{target}.onnx")
    words: list[str | Path] = [
        "-m",
        "tf2onnx.convert",
        f"--{option}",
        folder / source,
        "--output",
        f"{target}_tf2onnx.onnx",
    ]
    return turns({"now": ours, "tf2onnx": partial(_tensorflow, words, python)}, SECONDS)


@functools.cache
def made(desk: Desk) -> tuple[Path, str]:
    """A folder with the files, and the Python that made them."""
    folder, python = desk.place("sources"), desk.python_with(*TENSORFLOW)
    _tensorflow([HERE / "peers" / "keras_files.py", folder], python)
    return folder, python


def _tensorflow(argv: list[str | Path], python: str) -> Spent:
    """Without a GPU, and silent."""
    return once(argv, python, {**ENVIRONMENT, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"})


def mindir(desk: Desk, part: str) -> Figure:
    """Beside MindSpore's own export."""
    return beside(mindir_rounds(desk), "MindSpore", part)


def mindir_memory(desk: Desk) -> Figure:
    """The most memory, beside what it may be."""
    spent = [one["now"].peak for one in mindir_rounds(desk)]
    most = MINDIR_MB + MINDIR_FILES * (desk.place("mindspore") / "net.mindir").stat().st_size / 1e6
    return Figure(max(spent), most, max(spent) / most, len(spent))


@functools.cache
def mindir_rounds(desk: Desk) -> list[dict[str, Spent]]:
    """Each in fresh processes; the file is made first."""
    folder, python = desk.place("mindspore"), desk.python_with(*MINDSPORE)
    export = HERE / "peers" / "mindspore_export.py"
    once([export, folder / "net.mindir"], python, dict(ENVIRONMENT))
    ours = partial(qingzhou, desk.checkouts["now"], "convert", folder / "net.mindir", "-o", folder / "converted.onnx")

    def theirs() -> Spent:
        (folder / "theirs.onnx").unlink(missing_ok=True)  # it leaves files that nobody may write
        return once([export, folder / "theirs.onnx"], python, dict(ENVIRONMENT))

    return turns({"now": ours, "MindSpore": theirs}, SECONDS)


def installed(desk: Desk) -> Figure:
    """MB of the files of pyfive and of what it brings, but for numpy, which qingzhou needs anyway."""
    try:
        files = [one for name in ("pyfive", "typing_extensions") for one in metadata.files(name) or ()]
    except metadata.PackageNotFoundError as err:
        raise NotHere(f'{err.name} is not installed: pip install "qingzhou[keras]"') from None
    paths = [Path(str(one.locate())) for one in files]
    size = sum(path.stat().st_size for path in paths if path.is_file()) / 1e6
    return Figure(size, MOST_INSTALLED, size / MOST_INSTALLED)
