"""What is inside a file: of a checkpoint before it is converted, of a model afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import LabelError, ModelError, NoCard, QingzhouError, as_plain, say
from .graph.count import macs, parameters
from .runtime.file import is_file
from .runtime.model.card import Card, Input
from .sources.onnx import ONNX, unzipped
from .sources.source import Contents, Part

if TYPE_CHECKING:  # an .onnx needs none of what follows
    from .labels import Labels
    from .sources.network import Network


@dataclass(frozen=True)
class Info:
    """Everything `qingzhou info` says. Fields that do not apply are empty; `problem` is why it cannot be converted."""

    path: Path
    size: int
    container: str
    tool: str = ""
    network: str = ""
    task: str = ""
    labels: Sequence[str] = ()
    classes: int = 0
    input: Input | None = None
    others: Sequence[Input] = ()  # further inputs of a network that takes several at once
    parameters: int = 0
    macs: int = 0
    opset: int = 0
    ir_version: int = 0
    facts: Mapping[str, object] = field(default_factory=dict)
    parts: Sequence[Part] = ()
    notes: Sequence[str] = ()
    assumed: Sequence[str] = ()
    problem: QingzhouError | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)  # of a model without a card, in words
    outputs: Mapping[str, str] = field(default_factory=dict)
    domains: Mapping[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for --json."""
        foreign = {"inputs": dict(self.inputs), "outputs": dict(self.outputs), "domains": dict(self.domains)}
        several = {"others": [{"name": entry.name, **_plain(entry)} for entry in self.others]} if self.others else {}
        return {
            "file": str(self.path),
            "bytes": self.size,
            "container": self.container,
            "tool": self.tool,
            "network": self.network,
            "task": self.task,
            "classes": self.classes,
            "labels": list(self.labels),
            "input": None if self.input is None else _plain(self.input),
            **several,
            **(foreign if self.inputs or self.outputs else {}),
            "parameters": self.parameters,
            "macs": self.macs,
            "opset": self.opset,
            "ir_version": self.ir_version,
            "training": dict(self.facts),
            "notes": list(self.notes),
            "assumed": list(self.assumed),
            "problem": None if self.problem is None else as_plain(self.problem),
            "tensors": [{"name": part.name, "kind": part.kind, "shape": list(part.shape)} for part in self.parts],
        }


def _plain(entry: Input) -> dict[str, object]:
    found: dict[str, object] = {
        "kind": entry.kind,
        "shape": entry.shape,
        "color": entry.color,
        "dtype": entry.dtype,
        "steps": entry.steps,
    }
    return {**found, "columns": entry.columns} if entry.columns else found


def read_info(path: str | Path) -> Info:
    """What is inside a checkpoint or an ONNX model; an error only where the file can be read as neither."""
    with unzipped(Path(path)) as found:
        info = _read(found)
    return replace(info, path=Path(path))


def _read(path: Path) -> Info:
    if path.suffix.lower() in ONNX.suffixes:  # whatever is called so is meant to be one
        from .sources.onnx.contents import contents

        found = contents(path)
        info = _of_contents(path, found)
        return info if found.card is not None else _adoptable(info)
    from .engines.table import is_compiled

    return _compiled(path) if is_compiled(path) else _of_source(path)


def _of_source(path: Path) -> Info:
    from .nets.recorded import Wanted
    from .sources.table import open_source

    opened, source = open_source(path)
    info = _of_contents(path, source.look(opened))
    if info.problem is not None or info.network:
        return info
    return _with_network(info, lambda: source.read(opened, Wanted()))


def _of_contents(path: Path, found: Contents) -> Info:
    """What a file says of itself."""
    info = Info(
        path,
        found.size,
        found.container,
        tool=found.tool,
        parameters=found.parameters,
        macs=found.macs,
        opset=found.opset,
        ir_version=found.ir_version,
        facts=found.facts,
        parts=found.parts,
        problem=found.problem,
        inputs=found.inputs,
        outputs=found.outputs,
        domains=found.domains if set(found.domains) - {"ai.onnx"} else {},
        labels=list(found.labels),
        notes=found.notes,
    )
    return info if found.card is None else _with_card(info, found.card)


def _adoptable(info: Info) -> Info:
    """The same with what convert() would take it for; with the reason where no card can describe it."""
    notes = [*info.notes, *_where_it_does_not_run(info.path)]
    from .nets.recorded import Wanted
    from .sources.table import open_source

    opened, source = open_source(info.path)
    try:
        network = source.read(opened, Wanted())
    except QingzhouError as err:
        return replace(info, notes=notes, problem=err)
    named = _labels(network.named)
    card = network.labelled(replace(named, assumed=not named.names and network.classes > 0)).card
    told = [*card.notes, str(info.problem)] if info.problem is not None else card.notes
    known = replace(_with_card(info, card), facts=info.facts, classes=network.classes)
    return replace(known, labels=info.labels or known.labels, notes=[*notes, *told], problem=None)


def _where_it_does_not_run(path: Path) -> list[str]:
    """Devices whose onnxruntime is too old for the file, and engines that do not know its operators."""
    from .devices import all_devices
    from .engines.table import ENGINES
    from .onnxfile.facts import Facts

    facts = Facts(path)
    asked = [
        one for one in all_devices() if one.opset and "onnxruntime" in one.engines
    ]  # others compile what they take
    old = [one for one in asked if facts.opset > one.opset or facts.ir > one.ir]
    notes = []
    if old:
        names = [say(", ", "、").join(dict.fromkeys(one.title[lang] for one in old)) for lang in ("en", "zh")]
        opset, ir = min(one.opset for one in old), min(one.ir for one in old)
        notes.append(
            say(
                en=f"Opset {facts.opset} and IR version {facts.ir} are too new for {names[0]}. Lower them: qingzhou "
                f"convert {path.name}{_lowered(facts.opset, opset, ' --opset')} --ir-version {min(ir, 8)}",
                zh=f"opset {facts.opset}、IR 版本 {facts.ir} 对{names[1]}来说太新。可以降低：qingzhou convert "
                f"{path.name}{_lowered(facts.opset, opset, ' --opset')} --ir-version {min(ir, 8)}",
            )
        )
    for engine in (one for one in ENGINES.values() if one.offered):
        try:
            why: QingzhouError | None = engine.takes(facts) if engine.tried else None
        except ModelError as err:  # it contradicts itself
            why = err
        notes += [] if why is None else [str(why)]
    return notes


def _lowered(opset: int, most: int, option: str) -> str:
    return f"{option} {most}" if opset > most else ""


def _with_network(info: Info, read: Callable[[], Network]) -> Info:
    """The same with what a reader finds; with the reason where it cannot be converted."""
    try:
        network = read()
    except QingzhouError as err:
        return replace(info, problem=err)
    labels = _labels(network.named)
    card = network.labelled(replace(labels, assumed=not labels.names and network.classes > 0)).card
    counts = parameters(network.graph), macs(network.graph)
    described = replace(_with_card(info, card), facts=info.facts, classes=network.classes)
    return replace(described, parameters=counts[0], macs=counts[1])


def _labels(named: object) -> Labels:
    """The names in the file; a note where they cannot be used, since others can be given."""
    from .labels import Labels, read_labels

    try:
        return read_labels(named)
    except LabelError as err:
        return Labels(notes=(str(err),))


def _compiled(path: Path) -> Info:
    """What the card inside says, or its inputs and outputs; the network itself is the engine's affair."""
    from .engines import Settings
    from .engines.bare import in_words
    from .engines.table import engine_for, open_predictor

    engine = engine_for(path)
    info = Info(path, sum(part.stat().st_size for part in engine.files(path) if is_file(part)), engine.name)
    try:
        return _with_card(info, open_predictor(path).card)
    except NoCard as err:
        session = engine.open(path, Settings())
        ends = [{one.name: in_words(one) for one in side} for side in (session.get_inputs(), session.get_outputs())]
        return replace(info, inputs=ends[0], outputs=ends[1], problem=err)


def _with_card(info: Info, card: Card) -> Info:
    """The same with all that a card says."""
    return replace(
        info,
        tool=card.tool,
        network=card.network,
        task=card.task,
        labels=card.labels,
        classes=len(card.labels),
        input=card.input,
        others=card.others,
        facts=_origin(card),
        notes=card.notes,
        assumed=card.assumed,
    )


def _origin(card: Card) -> dict[str, object]:
    training = card.origin.get("training", {})
    return {"file": card.origin.get("file", ""), **(training if isinstance(training, dict) else {})}
