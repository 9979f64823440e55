"""What runs in a job's process: the verbs, with lines of JSON about how far they are."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ..confine import confine

if TYPE_CHECKING:
    from ..quant import Quantized
    from ..quant.judge import Verdict
    from ..runtime.model.card import Card

STAGES = {
    "read": ("reading the file", "正在读取文件"),
    "convert": ("converting", "正在转换"),
    "unpack": ("unpacking the pictures", "正在解压图片"),
    "quantize": ("making it INT8, and judging it", "正在量化为 INT8 并评估"),
    "bundle": ("making the bundle", "正在生成部署包"),
    "pack": ("packing", "正在打包"),
}
MOST_TENSORS = 300
BEHIND = 5  # steps of niceness of a look that is long
NO_TRIAL = ("generation",)  # what the page cannot try
Told = dict[str, Any]


def main(parent: int | None = None) -> None:
    """At home in its folder, and confined; one order from stdin; everything that is told goes to what was stdout.

    parent: the process that it must not outlive, if it is not the one that gives the order.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # who stops a service signals all its processes; the server decides
    order = json.loads(sys.stdin.buffer.readline())
    channel = os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)  # what libraries print, and a file can make them print
    os.close(nothing)
    _settle(order["folder"], order.get("threads", 1))
    if order.get("behind") and os.name == "posix":
        os.nice(BEHIND)
    held = confine(parent or order["parent"], **order["confine"])
    tell = Teller(channel)
    tell({"held": held})
    tell(_homeless(_answered(order, tell), order["folder"]))


def _settle(folder: str, threads: int) -> None:
    os.chdir(folder)
    os.environ["QINGZHOU_THREADS"] = str(threads)  # jobs run side by side
    os.environ.update(dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP"), folder))


class Teller:
    """Writes lines of JSON."""

    def __init__(self, channel: IO[bytes]) -> None:
        self._channel = channel

    def __call__(self, said: Mapping[str, Any]) -> None:
        self._channel.write(json.dumps(said, default=str).encode("ascii") + b"\n")

    def stage(self, name: str) -> None:
        """What is being done now."""
        en, zh = STAGES[name]
        self({"stage": {"en": en, "zh": zh}})


def _homeless(said: Any, folder: str) -> Any:
    """What is told, without the folder it happened in: where a server keeps things is nobody's business."""
    if isinstance(said, str):
        for inside in ("/in/", "/out/", "/data/", "/", ""):
            said = said.replace(folder + inside.replace("/", os.sep), "")
        return said
    if isinstance(said, dict):
        return {key: _homeless(value, folder) for key, value in said.items()}
    return [_homeless(value, folder) for value in said] if isinstance(said, list | tuple) else said


def _answered(order: Told, tell: Teller) -> Told:
    """{"result"} or {"error"}; what is no QingzhouError is our bug, and told as such without its text."""
    from ..errors import MemoryFull, QingzhouError, is_of_memory, use_language
    from ..spelling import as_on_command_line
    from .problems import Problem, told

    try:
        use_language(order["lang"])
        tell.stage("read")
        work = {"info": _info, "job": _job}[order["what"]]
        with as_on_command_line():
            return {"result": work(order, tell)}
    except QingzhouError as err:
        full = isinstance(err, MemoryFull) or is_of_memory(err)
        return {"error": Problem("out_of_memory").as_dict() if full else told(err)}
    except Problem as err:
        return {"error": err.as_dict()}
    except Exception as err:
        found = Problem("out_of_memory" if is_of_memory(err) else "internal")
        return {"error": found.as_dict(), "bug": type(err).__name__, "at": _where(err)}


def _where(err: Exception) -> str:
    """File and line of ours, and nothing of what was in the file."""
    step, place = err.__traceback__, ""
    while step is not None:
        place = f"{Path(step.tb_frame.f_code.co_filename).name}:{step.tb_lineno}"
        step = step.tb_next
    return place


def _info(order: Told, tell: Teller) -> Told:
    """As `qingzhou info --json`, with the problem in both languages and no more tensors than a page can show."""
    from ..assumed import on_the_page
    from ..info import read_info
    from .problems import told

    info = read_info(Path(order["model"]))
    found: Told = info.as_dict()
    problem = None if info.problem is None else {**found["problem"], **told(info.problem)}
    return {
        **found,
        "file": Path(order["model"]).name,
        "problem": problem,
        "notes": on_the_page(found["notes"]),
        "tensors": found["tensors"][:MOST_TENSORS],
    }


def _job(order: Told, tell: Teller) -> Told:
    """Convert, quantise, bundle: as far as was asked. Files go to the folder "out" here."""
    from ..assumed import on_the_page
    from ..model import load

    options, source, out = order["options"], Path(order["model"]), Path(order["folder"]) / "out"
    out.mkdir()
    data, notes = _data(order, tell)
    model, card, converted = _converted(source, options, out, tell)
    rounded, quantized = _quantized(model, options, data, out, tell)
    smaller = rounded.path if rounded else None
    made = _bundle(source, model, rounded if smaller else None, options, data, out, tell)
    if made:  # what it says of the model has been said
        made["notes"] = [note for note in made["notes"] if note not in card.notes]
    converted["notes"] = on_the_page(converted["notes"])
    tell.stage("pack")
    files = _files(out, smaller or model)
    return {
        "convert": converted,
        "quantize": quantized,
        "bundle": made,
        "files": files,
        "notes": notes,
        "pictures": _pictures(smaller or model, data, rounded.verdict if rounded else None),
        "try": _trial(model, card) if smaller is None else _trial(smaller, load(smaller).card),
    }


def _data(order: Told, tell: Teller) -> tuple[Path | None, list[str]]:
    """The unpacked folder, and what is to be said of it."""
    if order["data"] is None:
        return None, []
    from ..errors import say
    from ..runtime.read import as_words
    from .unzip import unpack

    tell.stage("unpack")
    folder = Path(order["folder"]) / "data"
    folder.mkdir()
    found = unpack(Path(order["data"]), folder, order["unpacked"], order["entries"])
    left = as_words(found.left_out, say("no ending", "无后缀"))
    note = say(f"Left out of the .zip, since they are no pictures: {left}", f"压缩包里不是图片，未使用：{left}")
    return found.folder, [note] if left else []


def _converted(source: Path, options: Told, out: Path, tell: Teller) -> tuple[Path, Any, Told]:
    """The model, its card, and what --json would say; an .onnx with a card is run on its sample and kept as it is."""
    from ..labels import named_already, read_label_lines
    from ..model import load
    from ..nets.preprocess import prepared_already
    from ..scenes import told_of, write_sample
    from ..sources.onnx.contents import card_of

    tell.stage("convert")
    if source.suffix.lower() != ".onnx" or card_of(source) is None:
        from ..conversion import run_conversion
        from ..options import Options

        names = None if options["labels"] is None else read_label_lines(options["labels"])
        asked = Options(names and names.names, options.get("input_size"), preprocess=options.get("preprocess"))
        done = run_conversion(source, out / f"{source.stem}.onnx", asked)
        return done.model.path, done.model.card, _plain(done.as_dict())
    if options["labels"] is not None:
        raise named_already()
    if options.get("preprocess") or options.get("input_size"):
        raise prepared_already()
    found = load(source)
    found.check()
    model = found.save(out / source.name).path
    program = write_sample(model, found.card)
    facts = _facts(found.card)
    facts["notes"] = [*facts["notes"], *told_of(model, program)]
    return (
        model,
        found.card,
        _plain({**facts, "source": source, "model": model, "program": program, "bytes": model.stat().st_size}),
    )


def _facts(card: Card) -> Told:
    return {
        "tool": card.tool,
        "network": card.network,
        "task": card.task,
        "labels": card.labels,
        "notes": card.notes,
        "assumed": card.assumed,
    }


def _quantized(
    model: Path, options: Told, data: Path | None, out: Path, tell: Teller
) -> tuple[Quantized | None, Told | None]:
    """The smaller model, if it keeps the promise and, where it is for a computer, is faster; and what is told of it."""
    if options["precision"] != "int8":
        return None, None
    from ..present.quantized_page import quantized_page
    from ..quant import quantize

    tell.stage("quantize")
    place = out / f"{model.stem}.int8.onnx"
    found = quantize(model, data, place, max_drop=options["max_drop"], target=_target(options))
    quantized_page(found, out / f"{model.stem}.int8.html")
    return found, _plain({**found.as_dict(), "explanation": found.explanation})


def _target(options: Told) -> str:
    """Whose arithmetic is judged by: the device's, where there is one."""
    from ..deploy.plan import int8_target
    from ..devices import load

    return int8_target(None, None if options["device"] is None else load(options["device"]))


def _bundle(
    source: Path, model: Path, rounded: Quantized | None, options: Told, data: Path | None, out: Path, tell: Teller
) -> Told | None:
    if options["device"] is None:
        return None
    from ..bundle.build import build

    tell.stage("bundle")
    scene = options["scene"] or "basic"
    made = build(
        model,
        options["device"],
        scene,
        actions=options["actions"],
        lang=options["lang"],
        out=out / f"{source.stem}-{options['device']}-{scene}.zip",
        data=data if rounded else None,
        precision="auto" if rounded else "fp32",
        max_drop=options["max_drop"],
        rounded=rounded,
    )
    return _plain(made.as_dict())


def _pictures(model: Path, data: Path | None, verdict: Verdict | None) -> Told:
    """Of the user's own; a job without any is over sooner."""
    if data is None:
        return {"answered": [], "changed": []}
    from .shown import pictures

    return pictures(model, data, verdict)


def _files(out: Path, model: Path) -> list[Told]:
    """What was made, with the program, the runtime it needs and the model in one .zip; the best first."""
    from ..scenes import RUNTIME

    stem = model.name.split(".")[0]
    zipped = out / f"{stem}.zip"
    if not zipped.exists():
        with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:  # programs are small
            for path in sorted([*out.glob("*.onnx"), *out.glob("*.py"), *(out / RUNTIME).rglob("*.py")]):
                name = Path(stem) / path.relative_to(out)
                if path.suffix == ".onnx":  # weights hardly shrink
                    _store(archive, path, name)
                else:
                    archive.write(path, name)
    kinds = {".zip": "bundle", ".onnx": "model", ".py": "program", ".html": "report"}
    found = [path for suffix in kinds for path in sorted(out.glob(f"*{suffix}"))]
    return [
        {"name": path.name, "size": path.stat().st_size, "kind": "program" if path == zipped else kinds[path.suffix]}
        for path in found
    ]


def _store(archive: zipfile.ZipFile, path: Path, name: Path) -> None:
    """A large file as it is, in larger pieces than ZipFile.write's, which has a thousand for a MobileNet."""
    with path.open("rb") as source, archive.open(zipfile.ZipInfo.from_file(path, name), "w") as target:
        shutil.copyfileobj(source, target, 1 << 20)


def _trial(model: Path, card: Card) -> Told | None:
    """What the page needs to try the model in the browser."""
    return None if card.task in NO_TRIAL else {"model": model.name, "card": json.loads(card.to_json())}


def _plain(values: Mapping[str, Any]) -> Told:
    """Without the folders of this machine."""
    return {name: value.name if isinstance(value, Path) else _last(name, value) for name, value in values.items()}


def _last(name: str, value: object) -> object:
    return Path(value).name if name in ("source", "model", "program", "bundle") and isinstance(value, str) else value
