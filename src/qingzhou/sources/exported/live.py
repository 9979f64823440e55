"""A network that lives in the caller's program: exported there by his own torch, and read as any `.pt2`.

torch is never imported here: an object of its classes can only come from a program that has imported it.
"""

from __future__ import annotations

import copy
import functools
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import OptionError, UnsupportedCheckpoint, say
from ...files.refusals import short
from ...graph.form import Array
from ...onnxfile.against import TOLERANCE

LAYERS = 5  # that are named in a message
# Of a network in float16 or bfloat16, in steps of its numbers: by how much its answers may differ from those in
# float32, and from those that its converted form gives where only the former are there
ROUNDED, LOOSE = 32, 8
Inputs = tuple[tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True)
class Live:
    """What its own torch made of a network: the inputs it was tried with, its answers to them, and what to say.

    fixed      what to say where the batch stays that of the sample
    tolerance  of the largest number of an answer: by how much another way to compute it may differ
    """

    path: Path
    inputs: tuple[Array, ...]
    answers: tuple[Array, ...]
    notes: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    tolerance: float = TOLERANCE


def is_live(value: object) -> bool:
    """Whether it is a module of a torch that the caller has imported."""
    module = getattr(getattr(sys.modules.get("torch"), "nn", None), "Module", None)
    return module is not None and isinstance(value, module)


def export(module: Any, sample: object, folder: Path) -> Live:
    """Into `folder`; OptionError without a sample or in training mode, UnsupportedCheckpoint where torch cannot.

    sample  a tensor or array, a tuple of several, or a dict by the names of forward()'s arguments
    """
    torch: Any = sys.modules["torch"]
    _check_mode(module)
    args, named = _given(torch, sample)
    path = folder / f"{type(module).__name__}.pt2"
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _check_sample(torch, module, (args, named))
        program, inputs, fixed = _exported(torch, module, *_copied(torch, (args, named)))
        _save(torch, program, path)
        answers = _leaves(torch, _asked(torch, module, inputs))
        answers, tolerance, notes = _judges(torch, module, inputs, answers)
    flat, found = ([_as_array(one) for one in row] for row in (_leaves(torch, inputs), answers))
    return Live(path, tuple(flat), tuple(found), notes, fixed, tolerance)


def _judges(torch: Any, module: Any, inputs: Inputs, answers: list[Any]) -> tuple[list[Any], float, tuple[str, ...]]:
    """The answers that the converted network, which computes in float32, has to give, how nearly, and what to say.

    Of a network in float16 or bfloat16 those of its copy in float32, if these are its own but for rounding; else its
    own, as nearly as it rounds itself.
    """
    held = [*module.parameters(), *module.buffers(), *_leaves(torch, inputs), *answers]
    short_ones = {one.dtype for one in held if one.is_floating_point() and one.element_size() < 4}
    if not short_ones:
        return answers, TOLERANCE, ()
    kind = max(short_ones, key=lambda dtype: float(torch.finfo(dtype).eps))
    name, step = str(kind).removeprefix("torch."), float(torch.finfo(kind).eps)
    exact = _in_float32(torch, module, inputs)
    apart = _apart(torch, exact, answers)
    if exact is None or not apart <= ROUNDED * step:
        return answers, LOOSE * step, (_loosely(name, LOOSE * step),)
    note = say(
        en=f"The network is in {name}; converted, it computes in float32 with the same weights. It was compared with "
        f"itself in float32. What it answered in {name} differs from that by {apart:.1g} of the largest number.",
        zh=f"这个网络是 {name} 的；转换后用相同的权重按 float32 计算，并与它自己的 float32 结果做了比较。"
        f"它用 {name} 得到的结果与此相差最大值的 {apart:.1g} 倍。",
    )
    return exact, TOLERANCE, (note,)


def _loosely(name: str, tolerance: float) -> str:
    return say(
        en=f"The network is in {name}, and a copy of it in float32 does not run or answers otherwise. So it could only "
        f"be compared with its answers in {name}, to {tolerance:.1g} of the largest number.",
        zh=f"这个网络是 {name} 的，而它的 float32 副本无法运行或结果不同，因此只能与它的 {name} 结果比较，"
        f"精度为最大值的 {tolerance:.1g} 倍。",
    )


def _in_float32(torch: Any, module: Any, inputs: Inputs) -> list[Any] | None:
    """The answers of the same network in float32; None where it does not run so."""
    try:
        wide = torch.utils._pytree.tree_map_only(
            torch.Tensor, lambda one: one.float() if one.is_floating_point() else one, inputs
        )
        return _leaves(torch, _asked(torch, copy.deepcopy(module).float(), wide))
    except Exception:  # whatever its forward() says to other numbers
        return None


def _apart(torch: Any, exact: list[Any] | None, answers: list[Any]) -> float:
    """The largest difference of the finite numbers, of the largest; infinity where these are other answers."""
    if exact is None or [one.shape for one in exact] != [one.shape for one in answers]:
        return float("inf")
    found = 0.0
    for a, b in zip(exact, answers, strict=True):
        both = torch.isfinite(a) & torch.isfinite(b)
        if not (a.is_floating_point() and b.is_floating_point() and bool(both.any())):
            continue
        a, b = a[both].double(), b[both].double()
        found = max(found, float((a - b).abs().max()) / max(float(a.abs().max()), 1e-30))
    return found


def _save(torch: Any, program: Any, path: Path) -> None:
    """UnsupportedCheckpoint for what torch cannot write down, such as quantised numbers."""
    try:
        torch.export.save(program, str(path))
    except Exception as err:
        raise UnsupportedCheckpoint(
            en=f"torch.export could not write the network down: {_first_line(err)}. A network of ordinary float or "
            "integer tensors was expected. If it is quantised, convert it as it was before, and let qingzhou "
            "quantize do that.",
            zh=f"torch.export 无法写出这个网络：{_first_line(err)}。网络应由普通浮点或整数张量组成。"
            "如果它已经量化，请转换量化之前的网络，再用 qingzhou quantize 量化。",
        ) from None


def _check_mode(module: Any) -> None:
    """OptionError for a network that would be exported as it behaves in training."""
    training = [name or type(module).__name__ for name, one in module.named_modules() if one.training]
    if training:
        shown = ", ".join(short(name, 40) for name in training[:LAYERS]) + (" …" if len(training) > LAYERS else "")
        raise OptionError(
            en=f"The network is in training mode (training is True in {shown}), where it answers otherwise than in "
            "use. Call model.eval() first, then qingzhou.convert(model, sample=sample).",
            zh=f"网络处于训练模式（{shown} 的 training 为 True），此时的输出与使用时不同。"
            "请先调用 model.eval()，再调用 qingzhou.convert(model, sample=sample)。",
        )


def _check_sample(torch: Any, module: Any, inputs: Inputs) -> None:
    """OptionError for a sample that the network itself refuses."""
    try:
        _asked(torch, module, inputs)
    except Exception as err:  # whatever its forward() says to it
        why = _first_line(err)
        raise OptionError(
            en=f"The network itself refuses the sample: {why}. A sample that model(sample) answers was expected: of "
            "the shape and type that it takes, on the same device, and of as many inputs at once as it needs.",
            zh=f"网络本身不接受这个样本：{why}。样本应能直接运行 model(sample)：形状、类型和所在设备要符合网络，"
            "一次给出的输入个数也要足够。",
        ) from None


def _given(torch: Any, sample: object) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of forward() by place and by name."""
    if sample is None:
        raise OptionError(
            en="A network that lives in the program is exported with a sample of its input, and none was given. Give "
            "one: qingzhou.convert(model, sample=torch.rand(2, 3, 224, 224)), of the shape that it takes.",
            zh="转换程序里的网络需要一个输入样本，但没有给出。请给出与网络输入形状一致的样本："
            "qingzhou.convert(model, sample=torch.rand(2, 3, 224, 224))。",
        )
    if isinstance(sample, Mapping):
        return (), {str(name): _tensor(torch, one) for name, one in sample.items()}
    row = sample if isinstance(sample, (tuple, list)) else [sample]
    return tuple(_tensor(torch, one) for one in row), {}


def _tensor(torch: Any, value: object) -> Any:
    return torch.from_numpy(np.ascontiguousarray(value)) if isinstance(value, np.ndarray) else value


def _exported(
    torch: Any, module: Any, args: tuple[Any, ...], named: dict[str, Any]
) -> tuple[Any, Inputs, tuple[str, ...]]:
    """The program, what it was tried with, and notes: with a free batch if that can be, else with a fixed one."""
    doubled = tuple(_doubled(torch, one) for one in args), {name: _doubled(torch, one) for name, one in named.items()}
    free = tuple(_free(torch, one) for one in doubled[0]), {name: _free(torch, one) for name, one in doubled[1].items()}
    shapes: Any = free[1] if named else free[0]
    told = ""
    for way in (shapes, (shapes,)):  # the second is for a forward(self, *inputs)
        try:
            program = torch.export.export(module, doubled[0], doubled[1], dynamic_shapes=way)
        except Exception as err:  # torch has many kinds
            told = told or _first_line(err)
        else:
            told = _against_one(torch, module, doubled)
            if not told:
                return program, doubled, ()
            break
    try:
        program = torch.export.export(module, args, named)
    except Exception as err:
        raise UnsupportedCheckpoint(
            en=f"torch.export could not export the network: {_first_line(err)}. A network whose steps do not depend on "
            "the numbers in its input was expected, and a sample of the shape that it takes. Try "
            "torch.export.export(model, (sample,)) to see all that it says.",
            zh=f"torch.export 无法导出这个网络：{_first_line(err)}。网络的计算步骤不能依赖输入的数值，"
            "样本的形状也要符合网络的输入。可运行 torch.export.export(model, (sample,)) 查看完整信息。",
        ) from None
    note = say(
        en=f"The batch is fixed as in the sample, since torch could not leave it free: {told}.",
        zh=f"批量大小固定为样本的大小，因为 torch 无法让它可变：{told}。",
    )
    return program, (args, named), (note,)


def _against_one(torch: Any, module: Any, several: Inputs) -> str:
    """Why a program of several inputs is none of one: the network refuses the first alone, or answers otherwise, as
    where shapes decide what is done. "" where it is one.
    """
    one = torch.utils._pytree.tree_map_only(torch.Tensor, lambda given: given[:1] if given.dim() else given, several)
    theirs = _leaves(torch, _asked(torch, module, several))
    try:
        ours = _leaves(torch, _asked(torch, module, one))
    except Exception as err:  # whatever its forward() says to it
        why = _first_line(err)
        return say(f"the network refuses one input alone ({why})", f"网络不接受单独一个输入（{why}）")
    if len(ours) == len(theirs) and all(map(functools.partial(_begins, torch), ours, theirs)):
        return ""
    return say("it answers otherwise to one input than to two", "它对一个输入和对两个输入的回答不同")


def _asked(torch: Any, module: Any, inputs: Inputs) -> object:
    """The network's answer; it may write into what it is given."""
    args, named = _copied(torch, inputs)
    return module(*args, **named)


def _begins(torch: Any, short: Any, long: Any) -> bool:
    """Whether `long` begins with `short`, but for rounding."""
    if short.dim() != long.dim() or (short.dim() and short.shape[1:] != long.shape[1:]):
        return False
    step = float(torch.finfo(short.dtype).eps) if short.is_floating_point() else 0.0
    part = (long[: short.shape[0]] if short.dim() else long).double()
    nearly = max(1e-4, 4 * step) * max(1.0, float(part.abs().max()) if part.numel() else 0.0)
    return bool(torch.allclose(part, short.double(), rtol=max(1e-3, 4 * step), atol=nearly, equal_nan=True))


def _leaves(torch: Any, answers: object) -> list[Any]:
    return [one for one in torch.utils._pytree.tree_leaves(answers) if isinstance(one, torch.Tensor)]


def _copied(torch: Any, inputs: Inputs) -> Inputs:
    """The same numbers in tensors of their own."""
    copied: Inputs = torch.utils._pytree.tree_map_only(torch.Tensor, lambda one: one.clone(), inputs)
    return copied


def _doubled(torch: Any, one: Any) -> Any:
    """A batch of one twice: torch takes a size of 1 for a constant."""
    alone = isinstance(one, torch.Tensor) and one.dim() > 0 and one.shape[0] == 1
    return torch.cat([one, one]) if alone else one


def _free(torch: Any, one: Any) -> dict[int, Any] | None:
    has_batch = isinstance(one, torch.Tensor) and one.dim() > 0
    return {0: torch.export.Dim("batch")} if has_batch else None


def _first_line(err: Exception) -> str:
    return short(next((line for line in str(err).splitlines() if line.strip()), type(err).__name__), 160).rstrip(".")


def _as_array(tensor: Any) -> Array:
    array: Array = (
        tensor.detach().cpu().resolve_conj().float().numpy()
        if tensor.is_floating_point()
        else (tensor.detach().cpu().numpy())
    )
    return array
