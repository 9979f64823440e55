"""Which tensors of a checkpoint are the network's: by the habits of torch, MMEdu, mmcls, mmpretrain, timm, BaseNN."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import say
from ...files.limits import Limits
from ...files.refusals import short, unsafe, unsupported
from ...files.types import Opaque, TensorRef
from .tensors import refuse_tensor
from .wrappers import COUNTERS, choose_average, is_module, is_state_dict, is_tensor, strip, stripped_note, unwrap

PLACES = ("state_dict", "model_state_dict", "model", "module", "net", "network", "weights", "params")  # in this order


@dataclass
class Chosen:
    """What the network consists of."""

    tensors: dict[str, TensorRef] = field(default_factory=dict)
    ignored: dict[str, str] = field(default_factory=dict)
    module: Opaque | None = None
    notes: list[str] = field(default_factory=list)


def choose(root: Any, file_size: int, limits: Limits) -> Chosen:
    """The tensors of the network; UnsupportedCheckpoint if there is none."""
    found, notes = _find(root)
    if found is None:
        raise _nothing(root)
    if isinstance(found, Opaque):
        found, wrappers = unwrap(found)
        named: Mapping[Any, Any] = _unique(_walk(found, limits), limits)
        chosen = Chosen(module=found)
    else:
        named, wrappers = strip(found)
        chosen = Chosen(module=_module_beside(root))
    chosen.notes = [*notes, *stripped_note(wrappers)]
    for key, value in named.items():
        _sort(chosen, key, value, limits)
    _set_aside_averages(chosen)
    _check_total(chosen.tensors, file_size, limits)
    return chosen


def _find(root: Any) -> tuple[Opaque | Mapping[Any, Any] | None, list[str]]:
    """The module or the state dict, at the top or in one of its usual places; and notes on what else there is."""
    if is_module(root):
        return root, []
    if not isinstance(root, Mapping):
        return None, []
    for place in PLACES:
        value = root.get(place)
        inner = value.get("state_dict", value) if isinstance(value, Mapping) else value
        if is_module(inner) or is_state_dict(inner):
            return choose_average(root, place, inner)
    found, notes = choose_average(root, None, None)
    if found is None and is_state_dict(root):
        return root, []
    return (found, notes) if found is not None else _only_one(root)


def _only_one(root: Mapping[Any, Any]) -> tuple[Opaque | Mapping[Any, Any] | None, list[str]]:
    """The module or state dict under a key that no tool of ours uses, where there is only one."""
    found = {str(key): value for key, value in root.items() if isinstance(key, str)}
    found = {key: value for key, value in found.items() if is_module(value) or is_state_dict(value)}
    if len(found) > 1:
        names = ", ".join(short(key, 30) for key in list(found)[:6])
        raise unsupported(
            f"it holds several networks ({names}) and does not say which one answers",
            f"其中有多个网络（{names}），没有说明使用哪一个",
            "Save that one alone",
            "请单独保存要用的网络",
        )
    key, value = next(iter(found.items()), ("", None))
    text = say(f"The weights were taken from {short(key, 60)}.", f"权重取自 {short(key, 60)}。")
    return value, [text] if found else []


def _module_beside(root: Any) -> Opaque | None:
    """BaseNN's em_lstm: the weights as a state dict, and the module in meta."""
    meta = root.get("meta") if isinstance(root, Mapping) else None
    module = meta.get("backbone") if isinstance(meta, Mapping) else None
    return module if is_module(module) else None


def _walk(module: Opaque, limits: Limits) -> Iterator[tuple[str, Any]]:
    """Parameters and persistent buffers by dotted path, in torch's order. A shared module is named at each place."""
    todo, visited = [("", module, 0)], 0
    while todo:
        prefix, current, depth = todo.pop()
        visited += 1
        if visited > limits.modules or depth > limits.depth:
            raise unsafe("its modules contain each other too often", "其中的模块相互包含过多")
        state, transient = current.state, current.state.get("_non_persistent_buffers_set")
        transient = transient if isinstance(transient, (set, list, tuple)) else ()
        for place in ("_parameters", "_buffers"):
            for name, value in _dict(state.get(place)).items():
                if value is not None and not (place == "_buffers" and name in transient):
                    yield _join(prefix, name, limits), value
        children = [item for item in _dict(state.get("_modules")).items() if is_module(item[1])]
        todo.extend((_join(prefix, name, limits) + ".", child, depth + 1) for name, child in reversed(children))


def _join(prefix: str, name: Any, limits: Limits) -> str:
    if not isinstance(name, str) or len(prefix) + len(name) > limits.name:
        raise unsafe(f"a module has the name {short(name)}", f"模块名为 {short(name)}")
    return prefix + name


def _unique(named: Iterable[tuple[str, Any]], limits: Limits) -> dict[str, Any]:
    """A dict; UnsafeCheckpoint where it would lose an entry."""
    result: dict[str, Any] = {}
    for key, value in named:
        if key in result or len(result) >= limits.tensors:
            raise unsafe(
                f"two of its tensors have the name {short(key)}, or there are too many",
                f"张量 {short(key)} 重名或张量过多",
            )
        result[key] = value
    return result


def _dict(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}


def _sort(chosen: Chosen, key: Any, value: Any, limits: Limits) -> None:
    """One entry of the state dict to the tensors or to the ignored."""
    if not isinstance(key, str):
        raise unsupported(
            f"a {type(key).__name__} stands where the name of a tensor should", f"张量名的位置是 {type(key).__name__}"
        )
    if len(key) > limits.name or not key.isprintable():
        raise unsafe(f"a tensor has the name {short(key)}", f"张量名为 {short(key)}")
    if key.startswith("data_preprocessor."):
        chosen.ignored[key] = say("pre-processing, which is kept elsewhere", "属于预处理，另行记录")
    elif isinstance(value, TensorRef) and key in COUNTERS and math.prod(value.shape) == 1:
        chosen.ignored[key] = say("a counter of averaging", "滑动平均的计数")
    elif isinstance(value, TensorRef):
        chosen.tensors[key] = value
    elif is_tensor(value):
        raise refuse_tensor(key, value)
    elif isinstance(value, tuple) and (packed := next(filter(is_tensor, value), None)) is not None:
        raise refuse_tensor(key, packed)  # a quantised layer's weight beside its bias
    else:
        chosen.ignored[key] = say("not a tensor", "不是张量")
    if len(chosen.tensors) > limits.tensors:
        raise unsafe(f"it has more than {limits.tensors} tensors", f"张量超过 {limits.tensors} 个")


def _set_aside_averages(chosen: Chosen) -> None:
    """mmcv's EMAHook saves `ema_backbone_conv_weight` beside `backbone.conv.weight`, having swapped the two."""
    averages = {"ema_" + key.replace(".", "_") for key in chosen.tensors}
    for key in [key for key in chosen.tensors if key in averages]:
        del chosen.tensors[key]
        chosen.ignored[key] = say(
            "a second copy for averaging (EMA); the averaged weights are in the normal one",
            "滑动平均（EMA）的副本；平均后的权重已在正常名称下",
        )


def _check_total(tensors: Mapping[str, TensorRef], file_size: int, limits: Limits) -> None:
    """Views of one storage may repeat it, but not without end."""
    total = sum(math.prod(ref.shape) * ref.dtype.itemsize for ref in tensors.values())
    if total > max(limits.spread * file_size, limits.spread_floor):
        raise unsafe("its tensors repeat the same data too often", "其中的张量过多地重复同一数据")


def _nothing(root: Any) -> Exception:
    if isinstance(root, Mapping):
        keys = ", ".join(short(key, 30) for key in list(root)[:6]) or "-"
        if "optimizer" in root or {"state", "param_groups"} <= set(root):
            return unsupported(
                f"it holds an optimizer and no network (keys: {keys})", f"其中只有优化器，没有网络（键：{keys}）"
            )
        return unsupported(f"it holds no network (keys: {keys})", f"其中没有网络（键：{keys}）")
    if isinstance(root, Opaque):
        return _call(short(root.name))
    kind = "tensor" if isinstance(root, TensorRef) else short(type(root).__name__)
    return unsupported(f"it holds a {kind}, not a network", f"其中是 {kind}，不是网络")


def _call(name: str) -> Exception:
    """A pickle of nothing but a call or an object of a foreign class."""
    return unsupported(
        f"it holds no network, only a call of {name}, which was not run",
        f"其中没有网络，只有对 {name} 的调用（没有执行）",
        "If you do not know why it is there, do not open the file with other programs",
        "如果不清楚它的来源，请不要用其他程序打开这个文件",
    )
