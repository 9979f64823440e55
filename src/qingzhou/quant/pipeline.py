"""quantize: a model and data in, a smaller and faster model out, or the reason why not."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any, TypeVar

from onnx import ModelProto

from ..engines.artifact import check_onnx
from ..errors import (
    InputError,
    ModelError,
    OptionError,
    QingzhouError,
    TaskError,
    is_of_memory,
    memory_full,
    say,
)
from ..onnxfile.integers import QUANTIZED, STEPS
from ..onnxfile.kept import kept_answer
from ..progress import Tell, counted, silent
from ..runtime.engine.session import open_session
from ..runtime.model.answers import Look
from ..runtime.model.card import Card
from ..runtime.predict import Predictor
from ..scenes import told_of, write_sample
from ..whole_file import made_for
from .brief import brief
from .hands import Hands, give_back, hands
from .inputs import Inputs
from .judge import Notice, Verdict, has_answers, judge
from .layers import Layer, look_at
from .network import Network
from .observe import Observed, observed
from .pair import Pair
from .pictures import save, usual, usual_pictures
from .ready import check_rounded, check_smaller, nothing_large, ready, why_nothing
from .result import Limits, Quantized
from .search import Plan, Search
from .signal import session
from .split import ENOUGH, Split, split
from .stop import Lost, while_hoped
from .storage import stored
from .target import OF_X86, TARGETS, chosen, is_here, runs_here
from .timing import Timing, compare
from .wide import widened

Found = TypeVar("Found")
SUFFIXES = {"int8": ".int8.onnx", "int8-weights": ".int8w.onnx", "fp16": ".fp16.onnx"}


def quantize(
    model: str | Path,
    data: str | Path | None = None,
    out: str | Path | None = None,
    *,
    precision: str = "int8",
    target: str = "auto",
    max_drop: float = 0.5,
    min_agreement: float = 95.0,
    any_speed: bool = False,
    calibration: int = ENOUGH,
    layout: str = "auto",
    tell: Tell = silent,
) -> Quantized:
    """Make a converted .onnx smaller and faster, and keep a promise about what is lost.

    data           what `evaluate` reads, or a folder of pictures without answers; needed for "int8". One part of it
                   calibrates, the other judges; they share nothing
    out            a file or folder; by default beside the model, as best.int8.onnx
    precision      "int8": computes in INT8; "int8-weights", "fp16": a smaller file that computes in float
    target         where it will run: "auto" (this machine), "vnni", "x86" (without VNNI), "arm", "tensorrt"
    max_drop       percentage points of accuracy that may be lost, with answers
    min_agreement  percent of the answers that must stay the same, without answers
    any_speed      write it even where it is not faster on this machine
    calibration    inputs to calibrate with
    tell           called with what is being done, in a few words: a long network takes minutes

    Nothing is written where the promise cannot be kept: then `path` is None. FileMissing, DataError, LabelError,
    ModelError, OptionError, ExtraMissing (boxes need [evaluate]), MemoryFull, OutputError.

    >>> quantize("best.onnx", "dataset").path
    Path('best.int8.onnx')
    """
    start = time.perf_counter()
    source = Path(model)
    check_options(precision, max_drop, min_agreement, calibration, data)
    job = _Job(source, chosen(target), Limits(max_drop, min_agreement, any_speed), tell)
    if precision == "int8" and job.adopted:
        _check_network(job.network, job.card, source)  # what cannot be is said before anybody asks for other data
    parts = None if data is None else split(Path(data), layout, calibration, job.numbers, job.card)
    if parts is not None:
        has_answers(job.card, parts)  # what does not fit is said before anybody waits
    with made_for(source, out, SUFFIXES[precision]) as place:
        made = job.rounded(parts) if precision == "int8" and parts else job.stored(precision, parts)
        return _written(job, made, parts, place, precision, start)


@dataclass(frozen=True)
class _Made:
    """A rounded network, and what is known of it."""

    model: ModelProto
    verdict: Verdict | None = None
    timing: Timing | None = None
    plan: Plan | None = None
    layers: Sequence[Layer] = ()
    looks: Sequence[Look] | None = None  # at the inputs that calibrated
    asked: Predictor | None = None  # a session of it


@dataclass(frozen=True)
class _Job:
    """One model to quantise; `tell` hears what is being done."""

    source: Path
    target: str
    limits: Limits
    tell: Tell

    @cached_property
    def before(self) -> Predictor:
        """The model as it is; FileMissing or ModelError."""
        path = check_onnx(self.source)
        found = Predictor(path, session=open_session(path, in_turns=True, threads=1))
        if hands_for(found.card).threads != 1:
            found = Predictor(path, found.card, session=open_session(path, in_turns=True))
        give_back()
        return found

    @cached_property
    def known(self) -> dict[object, Any]:
        """Its answers to what judges, so that no second way of rounding asks for them again."""
        return {}

    @cached_property
    def network(self) -> Network:
        """Its graph."""
        return Network(ready(self.source))

    @property
    def card(self) -> Card:
        """The model's own."""
        return self.before.card

    @property
    def adopted(self) -> bool:
        """Whether another tool wrote the network, with layers that may be of no use to INT8."""
        return self.card.origin.get("container") == "onnx"

    @property
    def numbers(self) -> int:
        """How many it takes at once; 0 if they are a picture."""
        entry = self.card.input
        return 0 if entry.kind == "image" else prod(size or 1 for size in entry.shape[1:])

    @property
    def emulated(self) -> bool:
        """Whether the target's arithmetic is to be computed in float, since this machine has another."""
        return not runs_here(self.target)

    def stored(self, form: str, parts: Split | None) -> _Made:
        """Smaller weights; the arithmetic stays float."""
        _check_float(self.network, self.source)
        small = stored(self.network, form)
        if small is None:
            raise nothing_large(self.source)
        if self.adopted:
            check_smaller(small, self.source)
        return _Made(small, self._verdict(small, parts) if parts else None)

    def rounded(self, parts: Split) -> _Made:
        """INT8 within the limits if there is a way; else the last that was tried."""
        _check_network(self.network, self.card, self.source)
        self.tell(say("comparing channels", "比较各通道"))
        inputs = Inputs(self.before, parts)
        seen = _finite(lambda: self._observed(inputs, len(parts.calibration)))
        parts = replace(parts, taken=frozenset(inputs.taken))
        network, of_x86 = seen.network, self.target in OF_X86
        scheme = TARGETS[self.target]
        search = Search(network, seen.seen, seen.signal, scheme, self.emulated, self.tell, seen.known, of_x86)
        plan = search.best()
        made = self._judged(search, plan, parts)
        if made.verdict is not None and not self._allowed(made) and not made.verdict.astray:
            made = self._gentler(search, plan, parts, made.verdict) or made
        kept = made.plan.kept if made.plan else frozenset()
        self.tell(say("looking at each layer", "逐层查看"))
        layers = look_at(network, made.model, kept, inputs.first, seen.drawn)
        model = widened(made.model) if of_x86 else made.model
        made = replace(made, layers=layers, model=brief(model, self.network), looks=inputs.looks)
        if self.adopted:
            check_rounded(made.model, self.source)
        made = replace(made, asked=self.after(made.model))
        return replace(made, timing=self._timing(made)) if is_here(self.target) else made

    def _observed(self, inputs: Inputs, count: int) -> Observed:
        """One pass over what calibrates; if channels are better equalised, another."""
        every = lambda: counted(inputs, count, self.tell, say("calibrating", "校准"))  # noqa: E731
        return observed(self.network, inputs.first, every, TARGETS[self.target], self.emulated)

    def _allowed(self, made: _Made) -> bool:
        return made.verdict is None or self.limits.allow(made.verdict)

    def _gentler(self, search: Search, plan: Plan, parts: Split, first: Verdict) -> _Made | None:
        """The first way with more layers in float that is allowed."""
        for other in search.gentler(plan):
            with suppress(Lost):
                made = self._judged(search, other, parts, while_hoped(first, self.limits, parts.taken))
                if self._allowed(made):
                    return made
        return None

    def _judged(self, search: Search, plan: Plan, parts: Split, notice: Notice | None = None) -> _Made:
        model = search.model(plan.method, plan.corrected, plan.kept)
        return _Made(model, self._verdict(model, parts, notice), plan=plan)

    def _verdict(self, model: ModelProto, parts: Split, notice: Notice | None = None) -> Verdict:
        """What the rounded model lost; DataError where nothing could show."""
        data, text = parts.data, say("judging", "评估")
        heard = replace(data, cases=lambda: counted(data.cases(), len(parts.held_out), self.tell, text))
        pair = Pair(self.before, self.after(model), self.known)
        found = judge(pair, replace(parts, data=heard), hands_for(self.card).at_once, notice)
        self.limits.check(found)
        return found

    def after(self, model: ModelProto) -> Predictor:
        """The rounded model, to be asked."""
        threads = hands_for(self.card).threads
        return Predictor(self.source, self.card, session=session(model, emulated=self.emulated, threads=threads))

    def _timing(self, made: _Made) -> Timing | None:
        """On the model's own sample; None where it has none."""
        if self.card.sample is None:
            return None
        self.tell(say("timing", "计时"))
        feed, other = self.before.feed(self.card.sample), (made.asked or self.before).feed(self.card.sample)
        if made.asked is not None and hands_for(self.card).threads == 1:
            one, two = self.before.session, made.asked.session
        else:  # both of float32, whatever the file has
            one, two = (session(proto, threads=1) for proto in (self.network.proto, made.model))
            feed = other
        return compare(lambda: one.run(None, feed), lambda: two.run(None, other))


def hands_for(card: Card) -> Hands:
    """How many inputs are worked on at the same time, and by how many threads each."""
    return hands(4 * prod(size or 1 for size in card.input.shape))


def _finite(calibration: Callable[[], Found]) -> Found:
    """What a calibration gives; ModelError or InputError for what it found wrong."""
    try:
        return calibration()
    except ValueError as err:
        raise ModelError(
            en=f"The tensor {str(err)[:80]} holds numbers that are not finite (NaN or infinite). The training broke, "
            "or the conversion did: convert the checkpoint again, or train with a smaller learning rate.",
            zh=f"张量 {str(err)[:80]} 里有无效数字（NaN 或无穷大）。训练或转换出了问题：请重新转换，"
            "或用更小的学习率训练。",
        ) from None
    except QingzhouError:
        raise
    except Exception as err:  # onnxruntime has a class of its own for every kind of refusal
        if is_of_memory(err):
            raise memory_full() from None
        raise InputError(
            en=f"The model refused an input of the calibration: {str(err)[:200]}. Give data as in training.",
            zh=f"模型不接受校准用的输入：{str(err)[:200]}。请使用与训练时相同的数据。",
        ) from None


def _written(job: _Job, made: _Made, parts: Split | None, place: Path, precision: str, start: float) -> Quantized:
    """The result; the file, if it is worth having."""
    calibrated = len(parts.calibration) if parts and precision == "int8" else 0
    found = Quantized(
        job.source,
        None,
        None,
        precision,
        job.target,
        (job.source.stat().st_size, made.model.ByteSize()),
        job.limits,
        made.verdict,
        made.timing,
        made.plan,
        made.layers,
        calibrated,
        [*(parts.notes if parts else ()), *(_remarks(made.verdict, job.limits) if made.verdict else ())],
        0.0,
    )
    program = None
    if found.better:
        save(made.model, _card(job, made, found, parts), place)
        program = write_sample(place, job.card)
        notes = [*found.notes, *told_of(place, program)]
        found = replace(found, path=place, program=program, notes=notes, sizes=(found.sizes[0], place.stat().st_size))
    return replace(found, seconds=time.perf_counter() - start)


def _remarks(verdict: Verdict, limits: Limits) -> list[str]:
    """What was not judged, is doubtful, or cannot be seen."""
    return list(filter(None, (*verdict.notes, limits.hint(verdict))))


def _card(job: _Job, made: _Made, found: Quantized, parts: Split | None) -> Card:
    """The model's card, with what was done to it, and with its own answer to the sample."""
    done: dict[str, object] = {"precision": found.precision, "target": found.target, "calibrated": found.calibrated}
    if made.verdict is not None:
        before, after = made.verdict.figures()
        done |= {
            "measure": made.verdict.measure if made.verdict.labelled else "agreement",
            "before": before,
            "after": after,
            "judged": made.verdict.judged,
        }
    seen = usual_pictures(job.before, parts.calibration) if parts and made.looks is None else usual(made.looks or ())
    card = replace(job.card, origin={**job.card.origin, "quantised": done}, pictures=seen or job.card.pictures)
    if card.sample is None or not card.sample.output:
        return card
    after_it = made.asked or job.after(made.model)
    answer = kept_answer(after_it, after_it.run(after_it.feed(card.sample)))
    return replace(card, sample=replace(card.sample, output=answer, tolerance=max(card.sample.tolerance, STEPS)))


# -- what can be wrong ----------------------------------------------------------------------------------------------


def check_options(
    precision: str, max_drop: float, min_agreement: float, calibration: int, data: str | Path | None
) -> None:
    """OptionError for values that cannot be."""
    if precision not in SUFFIXES:
        raise _cannot_be("precision", precision, ", ".join(SUFFIXES))
    for name, value, most in (("max-drop", max_drop, 100), ("min-agreement", min_agreement, 100)):
        if not 0 <= value <= most:
            raise _cannot_be(name, value, f"0 … {most}")
    if calibration < 1:
        raise _cannot_be("calibration", calibration, "1 …")
    if precision == "int8" and data is None:
        raise no_data(
            " For smaller weights without data: --precision int8-weights or fp16.",
            "没有数据时可以只压缩权重：--precision int8-weights 或 fp16。",
        )


def no_data(en: str = "", zh: str = "") -> OptionError:
    """INT8 without data; `en`, `zh`: what else there is."""
    return OptionError(
        en=f"INT8 needs data to calibrate with: --data FOLDER, labelled if possible; 200 pictures or rows do.{en}",
        zh=f"INT8 需要用数据校准：--data 文件夹，最好带标注，200 个左右即可。{zh}",
    )


def _cannot_be(name: str, value: object, allowed: str) -> OptionError:
    return OptionError(
        en=f"--{name} is {value}; it can be {allowed}.", zh=f"--{name} 的值是 {value}，可以是 {allowed}。"
    )


def _check_float(network: Network, source: Path) -> None:
    """ModelError for a model that computes in INT8."""
    kinds = {node.op_type for node in network.proto.graph.node}
    if kinds & {*QUANTIZED, "DynamicQuantizeLSTM", "DynamicQuantizeMatMul", "QAttention", "MatMulNBits"}:
        raise ModelError(
            en=f"{source.name} is INT8 already. Quantise the model that it was made from.",
            zh=f"{source.name} 已经是 INT8 模型。请量化它的原始模型。",
        )


def _check_network(network: Network, card: Card, source: Path) -> None:
    """ModelError or TaskError for what cannot become INT8."""
    _check_float(network, source)
    if card.task == "generation":
        raise TaskError(
            en="A text model does not become INT8: its numbers depend on all words before. Take --precision "
            "int8-weights or fp16.",
            zh="文本模型不能转换成 INT8：它的数值取决于前面所有的词。请用 --precision int8-weights 或 fp16。",
        )
    if not network.weighted:
        raise why_nothing(network.proto, source)
