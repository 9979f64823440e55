"""A TorchScript archive as a network: its forward() is walked through, with a free batch where that can be."""

from __future__ import annotations

from typing import Any

from ...errors import ModelError, OptionError, QingzhouError
from ...files.refusals import damaged
from ...graph.form import Graph, Value
from ...nets.recorded import Wanted
from ...spelling import option
from ..aten.machine import OURS, Machine, Tensor
from ..aten.refuse import TORCH, refused
from ..network import Network
from ..recording.card import Made, network_of
from ..recording.finish import finished
from ..recording.net import Net, plain
from ..source import Opened
from .archive import Script, read_script
from .interpret import Input, Shaped, Walk

Shapes = dict[str, tuple[tuple[int | str, ...], str]]
WINDOWS = ("conv1d", "conv2d", "conv3d", "_convolution", "conv_transpose2d")
STAYS = ("add", "sub", "mul", "div", "to", "float", "contiguous", "clone", "relu", "relu_", "detach", "dropout")


def script_in(opened: Opened) -> Script:
    """The parts of the file."""
    return read_script(opened)


def read_torchscript(opened: Opened, wanted: Wanted) -> Network:
    """UnsupportedCheckpoint, OptionError where the shape of an input is not known; CheckpointDamaged."""
    script = opened.content(script_in)
    try:
        graph, names = _best(script, wanted)
    except RecursionError:
        raise refused("its program is nested too deeply", "它的程序嵌套过深") from None
    except OURS as err:
        if isinstance(err, QingzhouError):
            raise
        raise refused(
            "its program has a step whose parts do not fit each other", "它的程序中有互相矛盾的步骤"
        ) from None
    title = script.root.name.rpartition(".")[2]
    made = Made(TORCH, "PyTorch", "TorchScript", graph, {}, tuple(script.tensors), names, title)
    return network_of(opened, made, wanted)


def _best(script: Script, wanted: Wanted) -> tuple[Graph, tuple[str, ...]]:
    """With a free batch, if all that comes out then has one; else as it was traced."""
    try:
        found, names = _recorded(script, wanted, "batch")
        if all(value.shape[:1] == ("batch",) for value in found.outputs):
            return found, names
        told: QingzhouError | ModelError | None = None
    except OptionError:
        raise
    except (QingzhouError, ModelError) as err:
        told = err
    try:
        return _recorded(script, wanted, 1)
    except (QingzhouError, ModelError):
        if told is not None:
            raise told from None
        raise


def _recorded(script: Script, wanted: Wanted, batch: int | str) -> tuple[Graph, tuple[str, ...]]:
    """The graph; an input whose shape is not known is given one by what takes it, and all begins again."""
    shapes: Shapes = {}
    for _ in range(20):
        try:
            return _once(script, wanted, batch, shapes)
        except Shaped as found:
            if found.name in shapes:
                raise _unknown_size() from None
            shapes[found.name] = (found.shape, found.dtype)
    raise _unknown_size()


def _once(script: Script, wanted: Wanted, batch: int | str, shapes: Shapes) -> tuple[Graph, tuple[str, ...]]:
    names = _inputs(script)
    net = Net(TORCH, ["output", *(f"output_{i}" for i in range(40))])
    walk = Walk(script, Machine(net))
    walk.shape_of = lambda name, op, args: _told(walk, wanted, batch, name, op, args)
    root = walk.module(script.root, "")
    args = [_entered(net, script, wanted, batch, shapes, i, name) for i, name in enumerate(names)]
    found = walk.method(root, "forward", args, {})
    outputs: list[tuple[str, Value]] = []
    _leaves(walk, found, "", outputs, 0)
    single = len(outputs) == 1 and (not outputs[0][0] or outputs[0][0].isdigit())
    ends = [
        "output" if single else name if name and not name.isdigit() else f"output_{i}"
        for i, (name, _) in enumerate(outputs)
    ]
    ends = [f"{name}_out" if name in names else name for name in ends]
    return finished(net, [value for _, value in outputs], ends), tuple(ends)


def _inputs(script: Script) -> list[str]:
    """The names of forward()'s arguments."""
    found = script.code.of_class(script.root.name)
    forward = found.methods.get("forward") if found else None
    if forward is None:
        raise damaged("it has no forward()", "其中没有 forward()")
    return [one.arg for one in forward.args.args[1:]]


def _entered(
    net: Net, script: Script, wanted: Wanted, batch: int | str, shapes: Shapes, i: int, name: str
) -> Tensor | Input:
    """An input of the network, in the shape that is asked for, was traced, or is told by what takes it."""
    sample = script.samples[i] if i < len(script.samples) else None
    size = wanted.input_size
    shape: tuple[int | str, ...] | None = None
    dtype = "float32"
    if sample is not None:
        dtype = sample.dtype.name
        shape = (batch, *sample.shape[1:]) if sample.shape and isinstance(batch, str) else sample.shape
        if i == 0 and size is not None and len(size) <= 2 and len(shape) == 4:
            shape = (*shape[:2], size[0], size[-1])
    if i == 0 and size is not None and len(size) > 2:
        traced = sample.shape if sample is not None else ()
        rows = traced[0] if traced and not isinstance(batch, str) else batch
        shape = (rows, *(size[1:] if len(size) == len(traced) else size))
    if name in shapes:
        shape, dtype = shapes[name]
    if shape is None:
        return Input(name)
    own = dtype if dtype in ("uint8", "int32", "int64", "bool") else plain(dtype)
    value = net.input(name, shape, own)
    if plain(own) != own:
        net.here = f"{name}.whole"
        value = net.emit("Cast", [value], to=7)
    return Tensor(value)


def _told(walk: Walk, wanted: Wanted, batch: int | str, name: str, op: str, args: list[Any]) -> None:
    """What an operator says of the shape of the input that it takes; nothing where it keeps it."""
    others = [walk.machine.value(one) for one in args if isinstance(one, Tensor)]
    size = wanted.input_size or ()
    weight = others[0] if others else None
    width = weight.shape[1] if weight is not None and len(weight.shape) > 1 else None
    if op in WINDOWS and weight is not None and isinstance(width, int):
        dims = len(weight.shape) - 2
        groups = next((one for one in reversed(args) if type(one) is int), 1)
        sides = (size[-2:][0], size[-1]) if dims == 2 and size else size[-1:] if dims == 1 and size else None
        names = ("height", "width") if dims == 2 else ("length", "length2", "length3")[:dims]
        raise Shaped(name, (batch, width * groups, *(sides or names)), "float32")
    if op == "linear" and isinstance(width, int):
        raise Shaped(name, (batch, *size[:-1], width), "float32")
    if op == "embedding":
        raise Shaped(name, (batch, size[-1] if size else "length"), "int64")
    if op in STAYS and not others:
        return
    if size:
        raise Shaped(name, (batch, *size), "float32")
    raise _unknown_size()


def _unknown_size() -> OptionError:
    return OptionError(
        en="The file does not say how large the network's input is. Give the shape of one sample as in training: "
        f"{option('input_size', '3,224,224')}, or save a traced network: torch.jit.trace(model, sample).",
        zh=f"文件里没有网络输入的大小。请给出训练时一个样本的形状：{option('input_size', '3,224,224')}，"
        "或保存跟踪得到的网络：torch.jit.trace(model, sample)。",
    )


def _leaves(walk: Walk, found: Any, path: str, outputs: list[tuple[str, Value]], depth: int) -> None:
    """The tensors in a result, in order, with their names in dicts."""
    if isinstance(found, Tensor):
        outputs.append((path, walk.machine.value(found)))
    elif isinstance(found, dict) and depth < 8:
        for key, one in found.items():
            _leaves(walk, one, f"{path}.{key}" if path else str(key)[:60], outputs, depth + 1)
    elif isinstance(found, (list, tuple)) and depth < 8:
        for i, one in enumerate(found):
            _leaves(walk, one, f"{path}.{i}" if path else str(i), outputs, depth + 1)
    elif isinstance(found, Input):
        raise refused("it gives its input back as it is", "它原样返回输入")
