"""The walk over a model: each layer is written down when all that it reads is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import ModelError, QingzhouError
from ...graph.form import Value
from ...runtime.errors import spaced
from ..recording.words import at_line
from .layer import KerasNet, Kind, Layer
from .masks import carried, masked, values_in
from .model import Item, Plan, Ref, refs_in
from .refuse import Unfit, garbled, of_layer
from .table import LAYERS, OPERATORS, function

Out = Any  # a Value, or a tuple of them
UNFIT = (Unfit, TypeError, ValueError, IndexError, KeyError, AttributeError)  # of what a file says; no fault of ours


class Walk:
    """One file. `t.here` is the names of the models and the layer, with slashes between them."""

    def __init__(self, t: KerasNet) -> None:
        self.t = t
        t.run_layer, t.run_model = self.layer, self.run

    def run(self, plan: Plan, given: Sequence[Value], path: str = "") -> list[Value]:
        """The outputs of a model."""
        return self._in_turn(plan, given, path) if plan.sequential else self._by_calls(plan, given, path)

    def _in_turn(self, plan: Plan, given: Sequence[Value], path: str) -> list[Value]:
        x: Any = given[0] if len(given) == 1 else list(given)
        for name, item in plan.items.items():
            if item.layer.kind == "InputLayer":
                continue
            x = self.step(item, x, {}, (), f"{path}{name}")
        return list(x) if isinstance(x, (tuple, list)) else [x]

    def _by_calls(self, plan: Plan, given: Sequence[Value], path: str) -> list[Value]:
        if len(given) != len(plan.inputs):
            raise garbled(
                f"model '{plan.name[:60]}' is called with {len(given)} inputs and has {len(plan.inputs)}",
                f"模型 '{plan.name[:60]}' 有 {len(plan.inputs)} 个输入，调用时给了 {len(given)} 个",
            )
        done: dict[tuple[str, int], Sequence[Value]] = {}
        for ref, value in zip(plan.inputs, given, strict=True):
            done[ref.layer, ref.node] = [value]
        for name, index in _by_depth(plan, _order(plan, done)):
            item, call = plan.items[name], plan.items[name].calls[index]
            args = [_bound(one, done) for one in call.args]
            kwargs = {key: _bound(one, done) for key, one in call.kwargs.items()}
            place = f"{path}{name}"
            found = self.step(item, args[0] if args else None, kwargs, args[1:], place)
            done[name, index] = list(found) if isinstance(found, (tuple, list)) else [found]
        return [_bound(ref, done) for ref in plan.outputs]

    def step(self, item: Item, x: Any, kwargs: Mapping[str, Any], more: Sequence[Any], path: str) -> Out:
        """One call of a layer, an operator or a model."""
        t, layer = self.t, item.layer
        t.here = path
        if item.model is not None:
            x = kwargs.get("inputs") if x is None else x
            given = list(x.values()) if isinstance(x, Mapping) else list(x) if isinstance(x, (list, tuple)) else [x]
            found = self.run(item.model, given, f"{path}/")
            return found[0] if len(found) == 1 else tuple(found)
        if item.operator:
            return self._operator(layer, x, kwargs, more)
        x = kwargs["inputs"] if x is None and "inputs" in kwargs else x
        return self.layer(layer.called(kwargs, more), x)

    def layer(self, layer: Layer, x: Any) -> Out:
        """One layer of the table."""
        kind = LAYERS.get(layer.kind)
        if kind is None:
            raise of_layer(layer.kind, layer.name, "it is not known here", "这里不支持这种层")
        return applied(self.t, kind, layer, x)

    def _operator(self, layer: Layer, x: Any, kwargs: Mapping[str, Any], more: Sequence[Any]) -> Out:
        lambdas = layer.kind in ("TFOpLambda", "SlicingOpLambda")
        name = str(layer.get("function", layer.kind)) if lambdas else layer.kind
        run = function(name) if lambdas else OPERATORS.get(name)
        if run is None:
            raise of_layer(name, layer.name, "this operator is not known here", "这里不支持这个算子")
        try:
            found = run(self.t, layer, *([] if x is None else [x]), *more, **kwargs)
            return carried(self.t, found, [None] * len(values_in(found)))  # an operator knows no masks
        except UNFIT as err:
            en, zh = _why(err)
            raise of_layer(
                name, layer.name, f"its arguments are not known here{en}", f"这里不支持它的参数{spaced(zh)}"
            ) from None
        except (QingzhouError, ModelError) as err:
            raise _named(err, layer) from None


def applied(t: KerasNet, kind: Kind, layer: Layer, x: Any) -> Out:
    """One layer of the table, and what becomes of a mask; for wrappers, too."""
    try:
        return masked(t, kind, layer, x, lambda: kind.run(t, layer, x))
    except UNFIT as err:
        en, zh = _why(err)
        raise layer.refuse(f"its settings or inputs do not fit{en}", f"它的设置或输入不匹配{spaced(zh)}") from None
    except (QingzhouError, ModelError) as err:
        raise _named(err, layer) from None


def _why(err: Exception) -> tuple[str, str]:
    """Our own words; what Python says of a setting that is none helps nobody."""
    return (err.en, err.zh) if isinstance(err, Unfit) else ("", "")


def _named(err: QingzhouError | ModelError, layer: Layer) -> QingzhouError | ModelError:
    """The same error with the layer's name, if it does not say it."""
    if not isinstance(err, QingzhouError) or f"'{layer.name}'" in err.en or "'" in err.en[:80]:
        return err
    return at_line(err, f"{layer.kind} '{layer.name}'", "")


def _bound(value: Any, done: Mapping[tuple[str, int], Sequence[Value]]) -> Any:
    """Arguments with Values in the place of Refs."""
    if isinstance(value, Ref):
        results = done.get((value.layer, value.node), ())
        if value.tensor >= len(results):
            raise garbled(
                f"result {value.tensor} of layer '{value.layer[:60]}' does not exist",
                f"层 '{value.layer[:60]}' 没有第 {value.tensor} 个输出",
            )
        return results[value.tensor]
    if isinstance(value, slice):
        return slice(*(_bound(one, done) for one in (value.start, value.stop, value.step)))
    if isinstance(value, list):
        return [_bound(one, done) for one in value]
    return {key: _bound(one, done) for key, one in value.items()} if isinstance(value, dict) else value


def _by_depth(plan: Plan, order: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """The calls as Keras makes them, those first that are farthest from the outputs: since 3.8 an attention takes the
    masks of what it reads away from all that come after it. keras/src/ops/function.py, map_graph.
    """
    depths: dict[tuple[str, int], int] = {}
    layers: dict[str, int] = {}
    for key in reversed(order):
        depth = max(depths.setdefault(key, 0), layers.get(key[0], 0))
        layers[key[0]] = depths[key] = depth
        call = plan.items[key[0]].calls[key[1]]
        for ref in refs_in([list(call.args), dict(call.kwargs)]):
            depths[ref.layer, ref.node] = max(depth + 1, depths.get((ref.layer, ref.node), 0))
    wanted = set(order)
    return sorted((key for key in depths if key in wanted), key=lambda key: -depths[key])


def _order(plan: Plan, done: Mapping[tuple[str, int], object]) -> list[tuple[str, int]]:
    """The calls that the outputs need, each after those that it reads; CheckpointDamaged for a loop."""
    order: list[tuple[str, int]] = []
    state: dict[tuple[str, int], int] = dict.fromkeys(done, 2)
    stack = [(ref.layer, ref.node) for ref in reversed(plan.outputs)]
    while stack:
        key = stack[-1]
        if state.get(key) == 2:
            stack.pop()
            continue
        name, index = key
        if name not in plan.items or index >= len(plan.items[name].calls):
            raise garbled(f"layer '{name[:60]}' is read and never called", f"层 '{name[:60]}' 被读取，但从未被调用")
        call = plan.items[name].calls[index]
        needs = [(ref.layer, ref.node) for ref in refs_in([list(call.args), dict(call.kwargs)])]
        left = [one for one in needs if state.get(one) != 2]
        if not left:
            state[key] = 2
            order.append(key)
            stack.pop()
        elif state.get(key) == 1:
            raise garbled(f"layer '{name[:60]}' reads its own result", f"层 '{name[:60]}' 读取了自己的输出")
        else:
            state[key] = 1
            stack += reversed(left)
    return order
