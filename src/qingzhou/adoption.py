"""A model that is ONNX already becomes one of ours: the same file, byte for byte, and a card at its end.

Only where it is asked for another opset is it written anew, and then it answers as before. Every copy is opened and run
on the card's sample before it is there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import InputError, ModelError, UnsupportedCheckpoint, say
from .graph.count import numbers
from .graph.form import Array
from .onnxfile.copy import Copied, copy_onnx
from .onnxfile.emit import additions
from .onnxfile.kept import kept_answer
from .onnxfile.read import macs_in, read_onnx
from .onnxfile.rewrite import rewritten
from .onnxfile.verify import samples_for
from .onnxfile.write import append_fields
from .runtime.engine.session import open_session
from .runtime.model.card import Card, Input, Sample
from .runtime.model.noise import MOST
from .sources.network import Network
from .spelling import option

if TYPE_CHECKING:
    from .labels import Labels
    from .runtime.predict import Predictor

NEAR_ONE = 1e-3  # so near to 1 the scores of an answer add up to it
ROOM, MOST_APART = 3, 0.1  # times what two runs differ by, and shares of the largest number: what a self-test allows
SIDES = (64, 224, 640, 16)  # sizes of samples, where they are free: pictures of no side above 64 are kept as they are
IR_OF_OPSET = 8  # what is written anew has this one, where no other is asked for


@dataclass(frozen=True)
class Asked:
    """opset, ir_version: None where they stay as they are;  check: whether it is run on its sample."""

    opset: int | None = None
    ir_version: int | None = None
    check: bool = True


@dataclass(frozen=True)
class Adopted:
    """What was written, and its card, which is still to be appended."""

    card: Card
    checks: tuple[str, ...]
    parameters: int
    macs: int
    opset: int
    ir_version: int


def adopt(source: Path, part: Path, network: Network, asked: Asked, labels: Callable[[Network], Labels]) -> Adopted:
    """Write the model to `part`, which has no card yet; ModelError, UnsupportedCheckpoint, LabelError."""
    notes, checks = _written(source, part, network, asked), ["structure"]
    network = replace(network, card=replace(network.card, notes=[*network.card.notes, *notes]))
    inputs = samples_for(network.card, network.graph)
    sample = Sample(inputs[0], [], others=inputs[1:])
    if asked.check:
        network, sample = _tried(part, network)
        checks.append("runs")
    network = network.labelled(labels(network))
    card = replace(network.card, sample=sample)
    done = read_onnx(part)
    return Adopted(card, tuple(checks), numbers(done.graph) + done.inner, macs_in(done), done.opset, done.ir_version)


def _written(source: Path, part: Path, network: Network, asked: Asked) -> list[str]:
    """The file, and what is to be said of it."""
    added, before = network.as_it_is, read_onnx(source)
    assert added is not None
    if asked.opset is not None and asked.opset != before.opset:
        more = [value.name for value in added.outputs]
        rewritten(source, part, network.graph, asked.opset, asked.ir_version or IR_OF_OPSET, more)
        return [_anew(before.opset, asked.opset)]
    done = copy_onnx(source, part, asked.ir_version)
    append_fields(part, additions(added.nodes, added.constants, added.outputs))
    return _told(done)


def _tried(part: Path, network: Network) -> tuple[Network, Sample]:
    """The network with what its answer to a sample shows, and that sample with the answer, as a card keeps it."""
    from .runtime.predict import Predictor

    card = network.card
    predictor = Predictor(part, card=card, session=open_session(part, once=True))
    refused: InputError | None = None
    for samples in _samples(network):
        sample = Sample(samples[0], [], others=samples[1:])
        try:
            result = predictor.run(predictor.feed(sample))
            answer = _kept(predictor, result)
        except InputError as err:
            refused = refused or err
            continue
        except ModelError as err:
            raise UnsupportedCheckpoint(en=err.en, zh=err.zh) from None
        if answer is None:
            return replace(network, card=replace(card, notes=[*card.notes, _no_number()])), sample
        names = [entry.name for entry in predictor.session.get_outputs()]
        place = names.index(card.output.name)
        apart = _apart(part, predictor.feed(sample), np.asarray(result[place]), place)
        kept = replace(sample, output=answer, tolerance=min(max(sample.tolerance, ROOM * apart), MOST_APART))
        return _by_answer(network, np.asarray(result[place])), kept
    assert refused is not None
    raise _refused(refused, card)


def _apart(part: Path, feed: dict[str, Array], answer: Array, place: int) -> float:
    """By how much of its largest number an answer differs where the network is optimised: some magnify rounding."""
    other = np.asarray(open_session(part).run(None, feed)[place])
    if answer.dtype.kind != "f" or other.shape != answer.shape or not answer.size:
        return 0.0
    apart = np.abs(other.astype(np.float64) - answer).max()
    return float(apart / max(1.0, float(np.abs(answer).max())))


def _samples(network: Network) -> Iterator[list[dict[str, Any]]]:
    """One for every input; where sizes are free, of the first that the network does not refuse."""
    entries = network.card.inputs
    if not any(None in _free(entry) for entry in entries):
        yield samples_for(network.card, network.graph)
        return
    pairs = [(size, other) for size in (*SIDES, 1) for other in dict.fromkeys((size, 1))]
    for size, others in pairs:
        sized = [_sized(entry, size if place == 0 else others) for place, entry in enumerate(entries)]
        if any(math.prod(n or 1 for n in entry.shape) > MOST for entry in sized):
            continue
        yield samples_for(replace(network.card, input=sized[0], others=sized[1:]), network.graph)


def _free(entry: Input) -> list[int | None]:
    """The sizes of an input but the first, of which a sample has one."""
    return entry.shape[1:]


def _sized(entry: Input, size: int) -> Input:
    return replace(entry, shape=[*entry.shape[:1], *(size if n is None else n for n in _free(entry))])


def _kept(predictor: Predictor, result: list[Array]) -> list[Any] | None:
    """None where it is no number."""
    arrays = [one for one in result if isinstance(one, np.ndarray) and one.dtype.kind == "f"]
    if not all(np.isfinite(one).all() for one in arrays):
        return None
    return kept_answer(predictor, result)


def _by_answer(network: Network, answer: Array) -> Network:
    """Scores that add up to one are probabilities, whatever made them: a softmax written out, or one inside a block."""
    card = network.card
    rows = answer.ndim == 2 and answer.shape[1] > 1 and answer.dtype.kind == "f"
    sums = rows and answer.min() >= 0 and np.abs(answer.sum(axis=1, dtype=np.float64) - 1).max() < NEAR_ONE
    if not sums or card.task == "detection" or card.output.scores == "probabilities" or not network.classes:
        return network
    note = say(
        en="The answer to the sample adds up to 1, so it is taken for probabilities of classes.",
        zh="对示例的输出加起来等于 1，因此按类别概率处理。",
    )
    output = replace(card.output, scores="probabilities")
    return replace(network, card=replace(card, task="classification", output=output, notes=[*card.notes, note]))


# -- what is said ---------------------------------------------------------------------------------------------------


def _told(done: Copied) -> list[str]:
    notes = []
    if done.pieces:
        names = ", ".join(sorted({piece.file.name for piece in done.pieces}))
        notes.append(
            say(
                en=f"Its weights, which lay in {names}, are inside now: one file is all there is.",
                zh=f"原来在 {names} 里的权重已放进模型，现在只有一个文件。",
            )
        )
    if done.traces:
        notes.append(
            say(
                en=f"The exporter had left lines of somebody's program and paths at {done.traces} nodes; they stayed "
                "behind.",
                zh=f"导出工具在 {done.traces} 个节点里留下了程序代码和路径，已去掉。",
            )
        )
    return notes


def _anew(before: int, now: int) -> str:
    return say(
        en=f"It was written anew with opset {now} instead of {before}, and gives the same answer to a random input.",
        zh=f"已按 opset {now} 重新写出（原来是 {before}），对随机输入的输出与原模型相同。",
    )


def _no_number() -> str:
    return say(
        en="The answer to the sample is not a number (NaN or infinity), so there is nothing to compare with later. "
        "Try it with data of your own.",
        zh="对示例的输出不是有效数字（NaN 或无穷大），以后没有可比较的内容。请用自己的数据试一试。",
    )


def _refused(err: InputError, card: Card) -> UnsupportedCheckpoint:
    size = option("input_size", "224,224")
    return UnsupportedCheckpoint(
        en=f"The model does not run on a sample made for it. {err.en} Where sizes are free in the file, say which "
        f"one it wants: {size}. Without a card it can be run with arrays: qingzhou run model.onnx arrays.npz",
        zh=f"模型无法运行为它生成的示例。{err.zh}如果文件里的尺寸是可变的，请指定它需要的尺寸：{size}。"
        "没有说明卡也可以用数组运行：qingzhou run model.onnx arrays.npz",
    )
