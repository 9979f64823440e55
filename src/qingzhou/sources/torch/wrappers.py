"""What training programs put around a network: torch's own wrappers, and averages of the weights beside them.

Sources: torch/optim/swa_utils.py, torch/_dynamo/eval_frame.py, torch/distributed/fsdp, mmengine/hooks/ema_hook.py,
timm/models/_helpers.py (load_state_dict), lightning/pytorch/callbacks/weight_averaging.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeGuard

from ...errors import say
from ...files.refusals import short, unsupported
from ...files.types import Opaque, TensorRef

# The class of a module that does nothing but run another -> the name of that other inside it.
WRAPPERS = {
    "torch.nn.parallel.data_parallel.DataParallel": "module",
    "torch.nn.parallel.distributed.DistributedDataParallel": "module",
    "torch.optim.swa_utils.AveragedModel": "module",
    "torch._dynamo.eval_frame.OptimizedModule": "_orig_mod",
    "torch.distributed.fsdp.fully_sharded_data_parallel.FullyShardedDataParallel": "_fsdp_wrapped_module",
    "torch.distributed.algorithms._checkpoint.checkpoint_wrapper.CheckpointWrapper": "_checkpoint_wrapped_module",
    "mmcv.parallel.data_parallel.MMDataParallel": "module",
    "mmcv.parallel.distributed.MMDistributedDataParallel": "module",
    "mmengine.model.wrappers.distributed.MMDistributedDataParallel": "module",
    "mmengine.model.averaged_model.ExponentialMovingAverage": "module",
    "mmengine.model.averaged_model.StochasticWeightAverage": "module",
    "mmengine.model.averaged_model.MomentumAnnealingEMA": "module",
    "timm.utils.model_ema.ModelEmaV2": "module",
    "timm.utils.model_ema.ModelEmaV3": "module",
}
SEGMENTS = {*WRAPPERS.values(), "_fpw_module", "_forward_module"}  # FSDP before torch 1.13; Lightning's strategies
COUNTERS = ("n_averaged", "steps", "initted", "step")  # of averages: torch, mmengine, ema_pytorch
AVERAGED = re.compile(r"(^|_)(ema|swa|avg|averaged?)(_|$)")  # state_dict_ema, model_ema, swa_model, params_ema, ema
INSIDE = ("state_dict", "module", "shadow")  # of what lies there
RAW = {"ema_state_dict": "EMAHook", "current_model_state": "WeightAveraging"}


def is_module(value: Any) -> TypeGuard[Opaque]:
    """A pickled torch module."""
    return isinstance(value, Opaque) and isinstance(value.state, dict) and "_modules" in value.state


def is_tensor(value: Any) -> bool:
    """A tensor, also one that we refuse."""
    return isinstance(value, TensorRef) or (isinstance(value, Opaque) and "._rebuild_" in value.name)


def is_state_dict(value: Any) -> bool:
    """Whether it names tensors."""
    return isinstance(value, Mapping) and any(is_tensor(item) for item in value.values())


# -- around a module, and in the names of its tensors ----------------------------------------------------------------


def unwrap(module: Any) -> tuple[Any, list[str]]:
    """The module inside torch's wrappers, and their classes from the outside in. Hooks are code: there it stops."""
    names: list[str] = []
    while is_module(module) and module.name in WRAPPERS and not _has_hooks(module):
        children = module.state["_modules"]
        inner = children.get(WRAPPERS[module.name]) if isinstance(children, Mapping) else None
        if not is_module(inner) or len(names) > len(WRAPPERS):
            break
        names.append(module.name.rpartition(".")[2])
        module = inner
    return module, names


def _has_hooks(module: Opaque) -> bool:
    return any(module.state.get(name) for name in ("_forward_hooks", "_forward_pre_hooks"))


def strip(named: Mapping[Any, Any]) -> tuple[Mapping[Any, Any], list[str]]:
    """A state dict without the wrappers in its names, wherever they stand, and these; as it is where two would meet."""
    if any(isinstance(key, str) and key.endswith("flat_param") for key in named):
        raise unsupported(
            "it is one machine's part of a network that was trained with FSDP: its tensors lie in one row",
            "它是 FSDP 训练时单个进程的分片，张量被展平成一行",
            "Save it whole: StateDictType.FULL_STATE_DICT",
            "请用 StateDictType.FULL_STATE_DICT 保存完整的权重",
        )
    found: list[str] = []
    renamed = {_without(key, found): value for key, value in named.items()}
    return (renamed, list(dict.fromkeys(found))) if found and len(renamed) == len(named) else (named, [])


def _without(key: Any, found: list[str]) -> Any:
    parts = key.split(".") if isinstance(key, str) else []
    wrappers = [part for part in parts[:-1] if part in SEGMENTS]
    found += wrappers
    return ".".join([*(part for part in parts[:-1] if part not in SEGMENTS), parts[-1]]) if wrappers else key


def stripped_note(names: list[str]) -> list[str]:
    """What to say of it."""
    some = ", ".join(names)
    text = say(f"Taken off the network: the training program's wrappers {some}.", f"已去掉训练程序的外层包装：{some}。")
    return [text] if names else []


# -- averaged weights beside the raw ones ----------------------------------------------------------------------------


def choose_average(root: Mapping[Any, Any], place: str | None, raw: Any) -> tuple[Any, list[str]]:
    """The weights that the tool itself tests with, where a file holds raw and averaged ones (EMA, SWA); and notes.

    `raw` is what lies in its usual place. mmengine and Lightning put the average there when they save, and the raw
    ones beside it; timm, torchvision and Ultralytics keep the average beside and test with that.
    """
    for key, tool in RAW.items():
        if raw is not None and is_state_dict(root.get(key)) and (tool != "EMAHook" or "steps" in root[key]):
            return raw, [_chosen(str(place), key, tool)]
    own = _names(raw)
    for key in [key for key in root if isinstance(key, str) and AVERAGED.search(key)]:
        found = _inside(root[key])
        if found is not None and raw is None:
            return found, []
        if found is not None and own <= _names(found):
            return found, [_chosen(key, str(place), "")]
        if raw is not None and (found is not None or _holds_tensors(root[key])):
            return raw, [_incomplete(key)]
    beside = [key for key in root if key != place and is_state_dict(root[key])] if is_state_dict(raw) else []
    twins = [str(key) for key in beside if own <= _names(root[key])]
    return raw, [_twins(str(place), twins)] if twins else []


def _holds_tensors(value: Any) -> bool:
    """Whether there are tensors without names, such as torch_ema's shadow_params."""
    lists = value.values() if isinstance(value, Mapping) else [value]
    return any(isinstance(one, (list, tuple)) and any(map(is_tensor, one)) for one in lists)


def _inside(value: Any) -> Any:
    """The module or the state dict that was put there, bare or with its counters; None if it is neither."""
    for inner in (value, *(value.get(name) for name in INSIDE)) if isinstance(value, Mapping) else (value,):
        if is_module(inner) or is_state_dict(inner):
            return inner
    return None


def _names(value: Any) -> set[str]:
    """The tensors that matter: without counters. None of a module, which is whole by itself."""
    if not isinstance(value, Mapping):
        return set()
    tensors = {key: item for key, item in value.items() if isinstance(key, str) and is_tensor(item)}
    return {key for key in strip(tensors)[0] if not key.endswith("num_batches_tracked")} - set(COUNTERS)


def _chosen(taken: str, left: str, tool: str) -> str:
    by_en, by_zh = (f" ({tool} exchanges them when it saves)", f"（{tool} 保存时会交换两者）") if tool else ("", "")
    return say(
        f"The file holds averaged weights (EMA) and raw ones; the averaged ones were taken, {taken}{by_en}, with which "
        f"its tool tests. {left} was left out.",
        f"文件里有滑动平均（EMA）权重和原始权重；采用了平均后的 {taken}{by_zh}，与原工具测试时一致。{left} 未使用。",
    )


def _twins(taken: str, left: list[str]) -> str:
    others = ", ".join(short(key, 30) for key in left[:6])
    return say(
        f"The file holds several states of the network; {taken} was taken. {others} was left out: to use that, save it "
        "alone.",
        f"文件里有网络的多个状态；采用了 {taken}。{others} 未使用：如需使用，请单独保存。",
    )


def _incomplete(key: str) -> str:
    return say(
        f"The averaged weights in {key} lack tensors of the network, or their names, and were left out; the raw ones "
        "were taken.",
        f"{key} 里的滑动平均权重不完整或没有名称，未使用；采用了原始权重。",
    )
