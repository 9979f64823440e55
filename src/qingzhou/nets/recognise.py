"""From a checkpoint to a described network, whichever tool it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..checkpoint import Checkpoint
from ..errors import LabelError, say
from ..runtime.card import Input
from .basenn import read_basenn
from .graph import Graph
from .match import recognise


@dataclass(frozen=True)
class Recognised:
    """A network as plain data, with what its file says about how it is used.

    family  MMEdu's name of the architecture ("ResNet"), or "Sequential" for networks built layer by layer
    title   the same for people ("ResNet-50")
    scores  what the output holds: "probabilities", "logits" or "values"
    """

    tool: str
    family: str
    title: str
    task: str
    graph: Graph
    input: Input
    scores: str
    labels: tuple[str, ...] = ()
    vocabulary: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def classes(self) -> int:
        """Size of the output's last axis."""
        size = self.graph.outputs[0].shape[-1]
        return size if isinstance(size, int) else 0


def recognise_checkpoint(
    checkpoint: Checkpoint, input_size: Sequence[int] | None = None, xeduhub: bool = False
) -> Recognised:
    """The network in a checkpoint.

    `input_size` replaces the size that the tool trained with; `xeduhub` asks for the form that the original XEduHub
    can feed. UnsupportedCheckpoint and TensorMismatch say what does not fit.
    """
    if checkpoint.module is not None or checkpoint.meta.get("tool") == "BaseNN":
        return _basenn(checkpoint, input_size, xeduhub)
    size = (input_size[-2], input_size[-1]) if input_size else None
    match = recognise(checkpoint.tensors.shapes, size)
    notes = tuple(f"{key}: {reason}" for key, reason in list(checkpoint.ignored.items())[:3])
    labels = read_labels(checkpoint.meta.get("CLASSES"))
    tool = "MMEdu" if str(checkpoint.meta.get("tool", "")).startswith("MMEdu") else "MMPretrain"
    return Recognised(
        tool, match.network.name, match.title, "classification", match.graph, match.input, "probabilities",
        labels, notes=notes,
    )  # fmt: skip


def _basenn(checkpoint: Checkpoint, input_size: Sequence[int] | None, xeduhub: bool) -> Recognised:
    found = read_basenn(checkpoint, input_size=input_size, xeduhub=xeduhub)
    tool = "BaseNN" if checkpoint.meta.get("tool") == "BaseNN" else "PyTorch"
    return Recognised(
        tool, "Sequential", found.title, found.task, found.graph, found.card_input, found.output_scores,
        tuple(found.labels), found.vocabulary, tuple(found.notes),
    )  # fmt: skip


def read_labels(value: object) -> tuple[str, ...]:
    """The class names in a file's meta: a list or tuple of anything printable, or a dict of them; else none."""
    if isinstance(value, Mapping):
        value = [key if isinstance(key, str) else text for key, text in value.items()]
    return tuple(str(label) for label in value) if isinstance(value, (list, tuple)) else ()


def choose_labels(found: Recognised, given: Sequence[str] | None) -> tuple[list[str], tuple[str, ...]]:
    """The labels to write and notes on them; LabelError if their number is not that of the classes."""
    if found.task != "classification":
        return list(given or found.labels), ()
    labels = list(given if given is not None else found.labels)
    if not labels:
        note = say(
            en=f"The file names no classes, so they are numbered 0 to {found.classes - 1}; name them with --labels.",
            zh=f"文件里没有类别名称，暂用编号 0 到 {found.classes - 1}；可以用 --labels 指定名称。",
        )
        return [str(i) for i in range(found.classes)], (note,)
    if len(labels) != found.classes:
        raise LabelError(
            en=f"{len(labels)} labels ({', '.join(labels[:5])}), but the network has {found.classes} outputs. "
            "Give exactly one label per output, in the order of training: --labels a,b,c",
            zh=f"给了 {len(labels)} 个标签（{'、'.join(labels[:5])}），但网络有 {found.classes} 个输出。"
            "请按训练时的顺序给每个输出一个标签：--labels a,b,c",
        )
    return labels, ()
