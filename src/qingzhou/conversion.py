"""The main verb: a checkpoint in, a checked ONNX model and the code that runs it out."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from .errors import OptionError, say
from .files.file import File
from .graph.count import macs, parameters
from .graph.fold import normalise_inside
from .labels import Labels, read_label_option, wrong_number
from .labels import choose_labels as labels_of_classes
from .making import as_read_back, write_network
from .model import Model
from .nets.names import check_name
from .onnxfile.integers import PER_CHANNEL, is_quantized
from .onnxfile.write import append_metadata
from .options import Options
from .runtime.model.card import KEY
from .scenes import told_of, write_sample
from .sources.as_asked import as_asked
from .sources.network import Network
from .sources.onnx import unzipped
from .sources.table import open_source
from .spelling import option
from .whole_file import made_for, replacing, scratch

CARDED = ".card.onnx"  # what is beside an .onnx that was adopted
Labelling = str | Path | Sequence[Any] | Mapping[Any, Any] | npt.NDArray[Any] | None  # see labels.read_label_option()

if TYPE_CHECKING:
    from .sources.exported.live import Live


@dataclass(frozen=True)
class Conversion:
    """What a conversion did: the model, the program beside it, and figures for the table."""

    source: Path
    model: Model
    program: Path
    parameters: int
    macs: int
    opset: int
    ir_version: int
    checks: tuple[str, ...]
    seconds: float
    told: tuple[str, ...] = ()  # of the program: what it is called, what lies in its way

    @property
    def notes(self) -> list[str]:
        """All that the user should know."""
        return [*self.model.card.notes, *self.told]

    @property
    def size(self) -> int:
        """Bytes of the .onnx file."""
        return self.model.path.stat().st_size

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for --json."""
        card = self.model.card
        return {
            "source": str(self.source),
            "model": str(self.model.path),
            "program": str(self.program),
            "tool": card.tool,
            "network": card.network,
            "task": card.task,
            "labels": card.labels,
            "parameters": self.parameters,
            "macs": self.macs,
            "bytes": self.size,
            "opset": self.opset,
            "ir_version": self.ir_version,
            "checks": list(self.checks),
            "notes": self.notes,
            "assumed": card.assumed,
            "seconds": round(self.seconds, 3),
        }


def convert(
    path: str | Path | object,
    out: str | Path | None = None,
    *,
    labels: Labelling = None,
    input_size: Sequence[int] | None = None,
    opset: int | None = None,
    ir_version: int | None = None,
    network: str | None = None,
    check: bool = True,
    xeduhub: bool = False,
    form: str = "boxes",
    score_threshold: float | None = None,
    iou_threshold: float | None = None,
    max_detections: int | None = None,
    preprocess: str | Path | Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | Sequence[str] = (),
    input_type: str = "float32",
    head: str | None = None,
    sample: object = None,
) -> Model:
    """Convert a checkpoint to a checked ONNX model, with a program that runs it beside it.

    path        a .pth of MMEdu, mmcls, mmpretrain or mmdet, BaseNN, or a plain torch.save(model); a .pt of Ultralytics;
                a .pt2 of torch.export; a .json or .pdmodel of Paddle; or a torch.nn.Module itself, with a sample of its
                input; an .onnx of another tool stays as it is and gets a card
    out         where the model goes; default: beside the checkpoint, as .onnx (of an .onnx: as .card.onnx); of a
                module: its class's name
    labels      class names in the order of training: a list, an array, a dict of names and numbers, "cat,dog", a file
                or folder that names them; default: those in the file
    input_size  (height, width), (side,) or the whole input shape, where it is not the one trained with
    opset, ir_version   of the ONNX file: 11 to 21, 4 to 10; by default 13 and 8, which run on the smallest board; of
                what is ONNX already, those it has
    network     the architecture you believe it is; ArchitectureMismatch if the file holds another
    check       run the result on its own sample
    xeduhub     the form that the original XEduHub feeds rightly: raw 0-255 pixels, the scaling inside the network
    form        of detectors: "boxes" ends in NMS inside the network; "raw" leaves it to the runtime
    score_threshold, iou_threshold, max_detections   of detectors; default: as trained

    preprocess  how pictures are prepared, where the file does not say it or is wrong: "imagenet", "0-1", "-1-1", "raw"
                (what becomes of pixels), a .toml file, or a dict with its keys: mean, std, pixels, color, resize,
                fit, crop, pad, interpolation (docs/en/formats.md)
    details     what no file of tensors says of some networks: {"eps": 0.001, "padding": "same", "heads": 6,
                "transform_input": False} (docs/en/formats.md)
    input_type  of pictures: "float32", normalised outside; "uint8", the pixels as they are, normalised in the network
    sample      of a module: a tensor, a tuple of several, or a dict by the names of forward()'s arguments
    head        of YOLOv10 and YOLO26, which have two: "one2one", which needs no NMS (the default), or "one2many"

    Every user error is a QingzhouError; nothing half-written is left behind.

    >>> model = qingzhou.convert("best.pth")
    >>> model.predict("cat.jpg").label
    'cat'
    """
    options = Options(
        labels=labels,
        input_size=input_size,
        opset=opset,
        ir_version=ir_version,
        network=network,
        check=check,
        xeduhub=xeduhub,
        form=form,
        score_threshold=score_threshold,
        iou_threshold=iou_threshold,
        max_detections=max_detections,
        preprocess=preprocess,
        details=details,
        input_type=input_type,
        head=head,
    )
    if sample is None and isinstance(path, (str, os.PathLike)):
        return run_conversion(Path(path), out, options).model
    return _live_conversion(path, sample, out, options).model


def _live_conversion(module: object, sample: object, out: str | Path | None, options: Options) -> Conversion:
    """A module of the caller's torch: exported, read, and compared with its own answers; OptionError for all else."""
    from .sources.exported.live import export, is_live

    if not is_live(module):
        raise _no_module(module)
    with scratch() as folder:
        live = export(module, sample, folder)
        target = Path(out) if out is not None else Path(f"{type(module).__name__}.onnx")
        return run_conversion(live.path, target, options, live)


def _no_module(path: object) -> OptionError:
    return OptionError(
        en=f"A sample is for a network that lives in the program, a torch.nn.Module; found {type(path).__name__}. Give "
        "the path of a file without a sample, or the module with one: qingzhou.convert(model, sample=sample).",
        zh=f"sample 用于程序里的网络（torch.nn.Module），但得到的是 {type(path).__name__}。"
        "请给出文件路径（不写 sample），或给出网络和样本：qingzhou.convert(model, sample=sample)。",
    )


def run_conversion(
    path: str | Path,
    out: str | Path | None = None,
    options: Options = Options(),  # noqa: B008  # frozen
    live: Live | None = None,
) -> Conversion:
    """convert(), with everything that the table shows; `live`: the network itself has answered."""
    options.refuse_impossible()
    with unzipped(Path(path)) as found:
        return _conversion(Path(path), found, out, options, live)


def _conversion(
    path: Path, found: Path, out: str | Path | None, options: Options, live: Live | None = None
) -> Conversion:
    """Of what the user named, or what was found in it."""
    start = time.perf_counter()
    opened, source = open_source(found)
    wanted = replace(options.wanted, keep_batch=True) if live is not None and live.fixed else options.wanted
    network = as_asked(source.read(opened, wanted), wanted.preprocess)
    opened.forget()
    check_asked(network, options)
    if network.as_it_is is not None:
        return _adoption(path, opened.main, network, out, options, start)
    network = _of_two_classes(network, options.labels) if network.classes == 1 else network
    network = network.labelled(choose_labels(network, options.labels))
    if live is not None:
        told = (*live.notes, *(live.fixed if network.card.input.shape[0] is not None else ()))
        network = replace(network, card=replace(network.card, notes=[*told, *network.card.notes]))
    digest = opened.main.digest_ahead()
    counts = parameters(network.graph), macs(network.graph)
    network = _feeding_raw_pixels(network) if options.xeduhub else network
    network = _of_bytes(network) if options.input_type == "uint8" else network
    with made_for(opened.path, out, ".onnx") as target:
        model, program, checks = write_network(network, options, opened.main, digest, target, live)
    seconds, told = time.perf_counter() - start, told_of(model.path, program)
    return Conversion(
        opened.path, model, program, *counts, options.written_opset, options.written_ir, checks, seconds, told
    )


def _adoption(
    path: Path, source: File, network: Network, out: str | Path | None, options: Options, start: float
) -> Conversion:
    """What is ONNX already: the same file with a card. path: what the user named, which may be a zip of it."""
    from .adoption import Asked, adopt

    digest, network = source.digest_ahead(), _named_scores(network, options.labels)
    asked = Asked(options.opset, options.ir_version, options.check)
    beside = out is None and path.suffix.lower() == ".onnx"  # never over the user's own file
    with made_for(path, out, CARDED if beside else ".onnx") as target:
        with replacing(target) as part, source.held():
            done = adopt(source.path, part, network, asked, lambda found: choose_labels(found, options.labels))
            origin = {**done.card.origin, "sha256": digest()}
            card = as_read_back(replace(done.card, origin=origin))
            append_metadata(part, {KEY: card.to_json()})
            program = write_sample(target, card)
        model = Model(target, card)
    return Conversion(
        path,
        model,
        program,
        done.parameters,
        done.macs,
        done.opset,
        done.ir_version,
        done.checks,
        time.perf_counter() - start,
        told_of(model.path, program),
    )


def _named_scores(network: Network, labels: object) -> Network:
    """The same; where names are given to a row of numbers, these are scores of classes."""
    card = network.card
    if labels is None or card.task != "values" or not network.classes:
        return network
    note = say(
        en="Names were given, so the numbers are taken for scores of classes, which softmax makes probabilities.",
        zh="给出了类别名称，因此输出按类别得分处理，用 softmax 变成概率。",
    )
    output = replace(card.output, scores="logits")
    return replace(network, card=replace(card, task="classification", output=output, notes=[*card.notes, note]))


def check_asked(network: Network, options: Options) -> None:
    """ArchitectureMismatch where it is another network than the user believes, OptionError for what does not fit it."""
    card = network.card
    if network.as_it_is is not None:
        options.refuse_rewriting()
    if options.network is not None:
        check_name(options.network, network.family, card.network)
    if network.family != "YOLO":  # which says itself what heads it has
        options.refuse_head(card.network)
    if card.task != "detection":
        options.refuse_those_of_detectors(card.network)
    if options.written_opset < PER_CHANNEL and is_quantized(network.graph):
        raise OptionError(
            en=f"{card.network} is INT8 with a scale for each channel, which needs opset {PER_CHANNEL}; "
            f"{option('opset')} asks for {options.written_opset}. Leave it out, or give {PER_CHANNEL} or more.",
            zh=f"{card.network} 是逐通道量化的 INT8，需要 opset {PER_CHANNEL}，而 {option('opset')} 要求 "
            f"{options.written_opset}。请去掉这个选项，或使用 {PER_CHANNEL} 及以上。",
        )


def choose_labels(network: Network, given: object) -> Labels:
    """The labels to write, `given` those of the user; LabelError if they do not fit the network."""
    task = network.card.task
    if network.as_it_is is not None and given is not None and not network.classes and task != "detection":
        raise wrong_number(read_label_option(given).names, 0)
    if task not in ("classification", "detection") and given is None:
        return Labels()
    if task == "generation":
        raise wrong_number(read_label_option(given).names, 0)
    return labels_of_classes(network.named, given, network.classes)


def _of_two_classes(network: Network, labels: object) -> Network:
    """The same network with two scores, where two names are given to its one number."""
    from .sources.two_classes import as_two_classes

    return as_two_classes(network, labels)


def _of_bytes(network: Network) -> Network:
    """The same network, taking pixels as they are."""
    from .sources.as_bytes import as_bytes

    return as_bytes(network)


def _feeding_raw_pixels(network: Network) -> Network:
    """The same network with its normalisation inside, for hubs that feed 0-255 (BaseNN pictures only); one of
    Ultralytics with the names that the hub's task custom asks for.
    """
    card = network.card
    if card.output.name == "output0":
        return _called_input_and_output(network)
    if card.input.kind != "image" or card.tool.startswith("MM"):
        note = say(
            en="--xeduhub-input changes nothing: it is for BaseNN's pictures; this model has one form for all.",
            zh="--xeduhub-input 没有作用：它用于 BaseNN 的图片模型，这个模型只有一种形式。",
        )
        return replace(network, card=replace(card, notes=[*card.notes, note]))
    graph, entry = normalise_inside(network.graph, card.input)
    return replace(network, graph=graph, card=replace(card, input=entry))


def _called_input_and_output(network: Network) -> Network:
    """The hub's task custom knows no other names; Ultralytics takes what there is."""
    card, names = network.card, {network.card.input.name: "input", "output0": "output"}
    graph, heads = network.graph.with_names(names), network.heads
    card = replace(card, input=replace(card.input, name="input"), output=replace(card.output, name="output"))
    return replace(network, card=card, graph=graph, heads=None if heads is None else heads.with_names(names))
