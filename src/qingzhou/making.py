"""A network with its card -> a checked .onnx and its program: the one way, whoever made the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import ModelError, UnsupportedCheckpoint
from .files.file import File
from .graph.fold import simplify
from .model import Model
from .onnxfile.emit import emit
from .onnxfile.integers import STEPS, is_quantized
from .onnxfile.metadata import metadata
from .onnxfile.verify import Trial, check_structure, index_of, samples_for
from .onnxfile.write import append_metadata, write_onnx
from .options import Options
from .runtime.model.card import KEY, LONGEST, Card, Sample
from .scenes import write_sample
from .sources.network import Network
from .spelling import option
from .whole_file import replacing

if TYPE_CHECKING:
    from .sources.exported.live import Live


def write_network(
    network: Network,
    options: Options,
    source: File,
    sha256: Callable[[], str],
    target: Path,
    live: Live | None = None,
) -> tuple[Model, Path, tuple[str, ...]]:
    """Emit, check and write the model and its program; `target` appears only if all of it went well."""
    emitted = emit(simplify(network.graph), options.written_opset, options.written_ir)
    card, checks = network.card, ["structure"]
    with replacing(target) as part, source.held():
        places = write_onnx(part, emitted)
        samples, output = samples_for(card, network.graph), []
        if not options.check:
            check_structure(emitted, part)
        else:
            index = index_of(part, emitted, places)
            trial = Trial(part, card, samples, network.graph, network.heads or network.graph, emitted, index)
            output = trial.run()
            checks.append("runs")
            if trial.agrees():
                checks.append("equals_original")
        if live is not None and not options.xeduhub:
            from .onnxfile.against import compared

            compared(part, live.inputs, live.answers, live.tolerance)
            checks.append("equals_module")
        origin = {**card.origin, "sha256": sha256()}
        sample = Sample(samples[0], output, others=samples[1:])
        if is_quantized(network.graph):
            sample = replace(sample, tolerance=STEPS)
        card = as_read_back(replace(card, origin=origin, sample=sample))
        append_metadata(part, {KEY: card.to_json(), **metadata(card, network.family)})
        program = write_sample(target, card)
    return Model(target, card), program, tuple(checks)


def as_read_back(card: Card) -> Card:
    """The card as readers will see it; UnsupportedCheckpoint if what the checkpoint says of itself cannot be kept."""
    text = card.to_json()
    if len(text) > LONGEST:
        raise UnsupportedCheckpoint(
            en=f"The model's card would have {len(text)} characters, and {LONGEST} is the most: its class names or its "
            f"sample are too long. Give fewer or shorter names with {option('labels')}, or save the network for a "
            "smaller input.",
            zh=f"模型的说明卡将有 {len(text)} 个字符，上限是 {LONGEST}：类别名称或示例太长。"
            f"请用 {option('labels')} 给出更少或更短的名称，或用更小的输入保存网络。",
        )
    try:
        return Card.from_json(text)
    except ModelError as err:
        raise UnsupportedCheckpoint(
            en=f"What the checkpoint says of itself cannot be kept with the model. {err.en} Or name the classes "
            f"yourself with {option('labels')}.",
            zh=f"权重文件里的说明信息无法保存到模型中。{err.zh}也可以用 {option('labels')} 指定类别名称。",
        ) from None
