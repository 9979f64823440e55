"""An .onnx without a card, asked for what needs none: whether it is whole, whether engines agree, what arrays give."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .engines import ENGINES, Settings
from .engines.artifact import check_onnx
from .engines.bare import KINDS, bare_card, in_words
from .errors import InputError, ModelError, QingzhouError, SelfTestFailed
from .graph.form import Array
from .onnxfile.copy import one_file
from .onnxfile.facts import Facts
from .onnxfile.noise import noise
from .onnxfile.read import OnnxFile
from .onnxfile.rewrite import by_name, is_near
from .runtime.engine.session import open_session
from .runtime.model.tables import read_arrays
from .runtime.typed import Entry, Session
from .whole_file import fitting, output_path, replacing, scratch

ENGINES_APART = 1e-3  # of the largest number: two engines add in another order


@dataclass(frozen=True)
class Checked:
    """What a check found.

    inputs, outputs  their names, types and shapes for the noise that went in
    ways             how it was run, each with its largest difference from the first
    left             engines that cannot run it, or answer otherwise (SelfTestFailed), and why
    """

    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    ways: Mapping[str, float]
    left: Mapping[str, QingzhouError]

    @property
    def agree(self) -> bool:
        """Whether all engines that can run it answer the same."""
        return not any(isinstance(err, SelfTestFailed) for err in self.left.values())

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for --json."""
        left = {name: {"en": err.en, "zh": err.zh} for name, err in self.left.items()}
        return {"inputs": self.inputs, "outputs": self.outputs, "difference": self.ways, "left_out": left}


@contextmanager
def opened(path: Path) -> Iterator[Facts]:
    """The model as one file; ModelError of what is none, such as another engine's file."""
    with one_file(check_onnx(path)) as file:
        yield Facts(file)


def check_bare(path: Path) -> Checked:
    """Open it, run it as it is written, optimised, and with OpenVINO where that is installed.

    SelfTestFailed where onnxruntime contradicts itself; ModelError where it is no whole model, or takes what cannot be
    drawn.
    """
    with opened(path) as facts:
        first = open_session(facts.path, once=True)
        feed = noise(first, facts.file.graph)
        expected = by_name(first, feed)
        ways: dict[str, float] = {"onnxruntime": 0.0}
        ways["onnxruntime (optimised)"] = _apart(expected, by_name(open_session(facts.path), feed), "onnxruntime")
        left: dict[str, QingzhouError] = {}
        try:
            if ENGINES["openvino"].version():
                ways["openvino"] = _by_openvino(facts, feed, expected)
        except QingzhouError as err:
            left["openvino"] = err
        return Checked(_told(feed), _told(expected), ways, left)


def _by_openvino(facts: Facts, feed: dict[str, Array], expected: Mapping[str, Any]) -> float:
    engine = ENGINES["openvino"]
    if why := engine.takes(facts):
        raise why
    with scratch() as folder:
        engine.compile(facts.path, bare_card(facts.file), folder / "m.xml", "fp32")
        session = engine.open(folder / "m.xml", Settings())
        try:
            found = dict(zip(expected, session.run(None, feed), strict=True))  # it may call them otherwise
        except Exception as err:  # an engine's own
            raise ModelError(en=f"OpenVINO: {str(err)[:200]}", zh=f"OpenVINO：{str(err)[:200]}") from None
        return _apart(expected, found, "openvino")


def _apart(expected: Mapping[str, Any], found: Mapping[str, Any], engine: str) -> float:
    """The largest difference of numbers; SelfTestFailed where it is more than rounding does."""
    worst = 0.0
    for name, answer in expected.items():
        other = found[name]
        if not is_near(other, answer, ENGINES_APART):
            raise _another(engine, name[:60])
        if isinstance(answer, np.ndarray) and answer.dtype.kind == "f" and answer.size:
            worst = max(worst, float(np.nanmax(np.abs(other.astype(np.float64) - answer), initial=0)))
    return worst


def _another(engine: str, name: str) -> SelfTestFailed:
    if engine == "onnxruntime":
        return SelfTestFailed(
            en=f"onnxruntime gives another {name} for the same random input once it has optimised the network. The "
            "same was expected: some of its optimisations compute in fewer bits. Judge it on data of your own, on the "
            "machine where it will run.",
            zh=f"onnxruntime 优化网络后，对同样的随机输入给出不同的 {name}，本应相同：它的某些优化用更少的位数计算。"
            "请在实际运行的机器上用自己的数据评估。",
        )
    return SelfTestFailed(
        en=f"{engine} gives another {name} for the same random input. The same was expected. Run it with onnxruntime, "
        "or judge it on data of your own before you trust it there.",
        zh=f"{engine} 对同样的随机输入给出不同的 {name}，本应相同。请用 onnxruntime 运行，或先用自己的数据评估。",
    )


# -- arrays in, arrays out ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ran:
    """What went in, by the name of a file or "noise", and all outputs by their names."""

    source: str
    outputs: Mapping[str, Any]
    saved: Path | None = None

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for --json."""
        saved = {} if self.saved is None else {"saved": str(self.saved)}
        return {"input": self.source, "outputs": {name: plain(one) for name, one in self.outputs.items()}, **saved}


def run_arrays(path: Path, files: Sequence[Path], save: Path | None = None) -> list[Ran]:
    """Its outputs for each .npz file of its inputs; for noise where none is named. In the folder `save` they are kept.

    InputError for arrays that do not fit, ModelError, FileMissing, OutputError.
    """
    with opened(path) as facts:
        session = open_session(facts.path)
        if not files:
            return [Ran("noise", by_name(session, noise(session, facts.file.graph)))]
        found = [(file, _answer(session, facts.file, file)) for file in files]
    return [Ran(str(file), one, save and _kept(one, file, save)) for file, one in found]


def _kept(outputs: Mapping[str, Any], file: Path, folder: Path) -> Path:
    """The outputs that are arrays of numbers, as an .npz file beside others."""
    place = output_path(file, folder / fitting(file.stem, "_result.npz"), ".npz")
    arrays = {name: one for name, one in outputs.items() if isinstance(one, np.ndarray) and one.dtype != object}
    with replacing(place) as part, part.open("wb") as opened_part:
        np.savez(opened_part, **arrays)  # type: ignore[arg-type]
    return place


def _answer(session: Session, file: OnnxFile, source: Path) -> dict[str, Any]:
    if source.suffix.lower() not in (".npz", ".npy"):
        raise _no_npz(file.path.name, source, session)
    entries = {entry.name: entry for entry in session.get_inputs()}
    arrays = read_arrays(source)
    if len(entries) == 1 and len(arrays) == 1:
        arrays = {next(iter(entries)): next(iter(arrays.values()))}
    if set(arrays) != set(entries):
        raise _other_names(list(arrays), session)
    feed = {name: _typed(one, entries[name]) for name, one in arrays.items()}
    try:
        return by_name(session, feed)
    except Exception as err:  # onnxruntime has a class of its own for every kind of wrong input
        shown = "; ".join(f"{one.name}: {in_words(one)}" for one in entries.values())
        raise InputError(
            en=f"The model refused {source.name}: {str(err)[:200]}. It takes {shown}.",
            zh=f"模型不接受 {source.name}：{str(err)[:200]}。它的输入是 {shown}。",
        ) from None


def _typed(array: Array, entry: Entry) -> Array:
    """Numbers in the type that is wanted; texts as objects."""
    kind = entry.type[7:-1]
    if kind == "string":
        return array.astype(str).astype(object)
    return array.astype(KINDS.get(kind, kind), copy=False) if array.dtype.kind in "fiub" else array


def plain(answer: Any) -> Any:
    """An output as JSON has it; texts, lists and tables among them."""
    if isinstance(answer, np.ndarray):
        return plain(answer.tolist())
    if isinstance(answer, float):
        return answer if math.isfinite(answer) else None
    if isinstance(answer, Mapping):
        return {str(key): plain(value) for key, value in answer.items()}
    if isinstance(answer, (list, tuple)):
        return [plain(one) for one in answer]
    return answer if answer is None or isinstance(answer, (str, int, bool)) else str(answer)


def told(answer: Any) -> str:
    """ "float32 [1, 3]", "list of 2", "nothing"."""
    if isinstance(answer, np.ndarray):
        kind = "str" if answer.dtype == object else answer.dtype.name
        return f"{kind} [{', '.join(map(str, answer.shape))}]"
    if answer is None:
        return "none"
    return f"list ({len(answer)})" if isinstance(answer, (list, tuple)) else type(answer).__name__


def _told(arrays: Mapping[str, Any]) -> dict[str, str]:
    return {name: told(one) for name, one in arrays.items()}


def _no_npz(model: str, source: Path, session: Session) -> InputError:
    shown = ", ".join(f"{one.name}=…" for one in session.get_inputs())
    return InputError(
        en=f"{model} has no card, so nobody says how {source.name} becomes numbers. Let Qingzhou write a card: "
        f"qingzhou convert {model}. Or give the numbers themselves: numpy.savez('arrays.npz', {shown})",
        zh=f"{model} 没有说明卡，不知道怎样把 {source.name} 变成数字。请先补上说明卡：qingzhou convert {model}；"
        f"或直接给出数组：numpy.savez('arrays.npz', {shown})",
    )


def _other_names(found: Sequence[str], session: Session) -> InputError:
    wanted = ", ".join(f"{one.name} ({in_words(one)})" for one in session.get_inputs())
    names = ", ".join(found[:8])
    return InputError(
        en=f"The file has arrays called {names}, and the model takes {wanted}. Give the arrays these names: "
        "numpy.savez('arrays.npz', name=array, …); where a name cannot be written so: numpy.savez('arrays.npz', "
        "**{'name': array})",
        zh=f"文件里的数组是 {names}，而模型的输入是 {wanted}。请让数组使用这些名称："
        "numpy.savez('arrays.npz', 名称=数组, …)；名称不能直接这样写时用 numpy.savez('arrays.npz', **{'名称': 数组})",
    )
