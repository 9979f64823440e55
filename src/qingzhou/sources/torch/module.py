"""Module: a pickled torch module seen as plain settings and children, and the walk that records it layer by layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import QingzhouError, TensorMismatch, UnsupportedCheckpoint
from ...files.types import Opaque, TensorRef
from ...files.values import FUSED, GETATTR
from ...graph.form import Dim, Shape, Value
from ...graph.record import Recorder
from ...runtime.errors import spaced
from ...spelling import option

Flow = Value | tuple[Value, ...]  # what runs between layers: an LSTM gives a tuple
Function = Callable[[Recorder, "Module", Value], Flow]

# The two lines that work for any class: in the program that has its code, where it is torch itself that runs it
TAKEN = (
    "model.eval(); qingzhou.convert(model, sample=torch.rand(2, 3, 224, 224))"
    " / torch.export.save(torch.export.export(model, (sample,)), 'model.pt2')"
)
MAX_STEPS = 5_000  # layers walked through; a module may contain itself many times over
MAX_DEPTH = 40
MAX_SETTING = 1 << 24  # kernel sizes, channels, …
MAX_ELEMENTS = 1 << 28  # of one value, for one sample: 1 GiB


@dataclass(frozen=True)
class Module:
    """One pickled module. path: "layer1.0.conv1"; name: its class; state: its attributes; table: class -> function."""

    path: str
    name: str
    state: Mapping[str, object]
    table: Mapping[str, Function]
    steps: Iterator[int]

    @classmethod
    def of(
        cls, opaque: Opaque, table: Mapping[str, Function], path: str = "", steps: Iterator[int] | None = None
    ) -> Module:
        """The module at the root of a walk; `steps` are those that it may take, where there are several walks."""
        return cls(path, opaque.name, entries(opaque.state), table, steps or iter(range(MAX_STEPS)))

    @property
    def kind(self) -> str:
        """The class without its module path: "Conv2d"."""
        return self.name.rpartition(".")[2]

    @property
    def title(self) -> str:
        """For people: conv2d1 (Conv2d)."""
        return f"{self.path} ({self.kind})" if self.path else self.kind

    # -- children and parameters -------------------------------------------------------------------------------------

    def children(self) -> list[Module]:
        """The layers inside, in the order in which they were added."""
        return [self._enter(name, value) for name, value in entries(self.get("_modules")).items() if value is not None]

    def child(self, name: str) -> Module:
        """The layer inside with this name; UnsupportedCheckpoint if there is none."""
        value = entries(self.get("_modules")).get(name)
        if value is None:
            raise self.refuse(f"its part '{name}' is missing", f"缺少组成部分 “{name}”")
        return self._enter(name, value)

    def has_child(self, name: str) -> bool:
        """Whether there is a layer of this name; it may be None, as `downsample` is."""
        return entries(self.get("_modules")).get(name) is not None

    def _enter(self, name: object, value: object) -> Module:
        path = f"{self.path}.{name}" if self.path else str(name)
        if not isinstance(value, Opaque) or path.count(".") > MAX_DEPTH:
            raise self.refuse(f"its part '{name}' is not a layer", f"其中的 “{name}” 不是网络层")
        return Module(path, value.name, entries(value.state), self.table, self.steps)

    def has(self, parameter: str) -> bool:
        """Whether a parameter or buffer is there and not None."""
        return any(entries(self.get(place)).get(parameter) is not None for place in ("_parameters", "_buffers"))

    @property
    def is_fused(self) -> bool:
        """Whether it runs Ultralytics' forward_fuse, which leaves its normalisation out."""
        found = self.get("forward")
        return isinstance(found, Opaque) and (found.name, found.args[1:]) == (GETATTR, (FUSED,))

    def parameter_shape(self, parameter: str) -> tuple[int, ...]:
        """The shape of a parameter; () where it is missing."""
        found = entries(self.get("_parameters")).get(parameter)
        return found.shape if isinstance(found, TensorRef) else ()

    # -- settings ----------------------------------------------------------------------------------------------------

    def get(self, name: str, default: object = None) -> object:
        """An attribute as it was pickled."""
        return self.state.get(name, default)

    def flag(self, name: str, default: bool = False) -> bool:
        """A yes-or-no attribute."""
        return bool(self.get(name, default))

    def number(self, name: str, default: float) -> float:
        """A finite number."""
        value = self.get(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise self._bad(name, value)
        return float(value)

    def whole(self, name: str, low: int = 1) -> int:
        """One whole number of at least `low`."""
        return self.sizes(name, 1, low)[0]

    def sizes(self, name: str, dims: int, low: int = 1, default: object = None) -> tuple[int, ...]:
        """A whole number per dimension; a single one counts for all."""
        value = self.get(name, default)
        numbers = integers(value)
        numbers = numbers * dims if len(numbers) == 1 else numbers
        if len(numbers) != dims or not all(low <= n <= MAX_SETTING for n in numbers):
            raise self._bad(name, value)
        return numbers

    # -- what can be wrong -------------------------------------------------------------------------------------------

    def refuse(self, en: str, zh: str) -> UnsupportedCheckpoint:
        """This layer cannot be converted, for the reason given."""
        return UnsupportedCheckpoint(
            en=f"The layer {self.title} cannot be converted: {en}.",
            zh=f"网络层 {self.title} 无法转换：{zh}。",
        )

    def _bad(self, name: str, value: object) -> UnsupportedCheckpoint:
        return self.refuse(f"its setting {name} is {value!r:.60}", f"参数 {name} 的值是 {value!r:.60}")

    def fits(self, found: Dim, expected: int, en: str, zh: str) -> None:
        """The size that arrives must be the one the layer was made for; TensorMismatch names both."""
        if found != expected:
            raise TensorMismatch(
                en=f"The layer {self.title} expects {expected} {en}, but the layers before it give {found}. "
                f"If the input has another size than in training, set it with {option('input_size')}; otherwise the "
                "network itself does not fit together.",
                zh=f"网络层 {self.title} 需要 {expected} 个{spaced(zh)}，但前面各层给出 {found} 个。"
                f"如果输入大小与训练时不同，请用 {option('input_size')} 指定；否则是网络各层的大小不匹配。",
            )

    def rank(self, x: Value, *allowed: int) -> None:
        """The input must have one of these numbers of dimensions."""
        if len(x.shape) not in allowed:
            wanted = " / ".join(str(n) for n in allowed)
            raise TensorMismatch(
                en=f"The layer {self.title} works on {wanted} dimensions, but gets {len(x.shape)}: {show(x.shape)}. "
                f"Check {option('input_size')}.",
                zh=f"网络层 {self.title} 需要 {wanted} 维数据，但得到 {len(x.shape)} 维：{show(x.shape)}。"
                f"请检查 {option('input_size')}。",
            )

    # -- the walk ----------------------------------------------------------------------------------------------------

    def record(self, net: Recorder, x: Flow) -> Flow:
        """Record this module and everything in it; UnsupportedCheckpoint or TensorMismatch if that cannot be done."""
        if isinstance(x, tuple) and self.kind != "Part0":
            raise self.refuse(
                "it follows an LSTM, which gives a tuple; BaseNN's part0 must stand between them",
                "它前面的 LSTM 输出一个元组，两者之间需要 part0 层",
            )
        return self.run(self.table.get(self.name), net, x)

    def run(self, function: Callable[..., Flow] | None, net: Recorder, x: object) -> Flow:
        """What record() does with the function of its class; `x` is what that takes."""
        if next(self.steps, None) is None:
            raise self.refuse(f"the network has more than {MAX_STEPS} layers", f"网络超过 {MAX_STEPS} 层")
        if function is None:
            raise unknown(self)
        if entries(self.get("_forward_hooks")) or entries(self.get("_forward_pre_hooks")):
            raise self.refuse("it has forward hooks, which are code", "它带有前向钩子（forward hook），即程序代码")
        if not (self.get("forward") is None or self.is_fused):
            raise self.refuse("its forward was replaced by other code", "它的 forward 被换成了别的程序代码")
        out = function(net, self, x)
        for value in out if isinstance(out, tuple) else (out,):
            self._check_size(value)
        return out

    def value(self, net: Recorder, x: Flow) -> Value:
        """record(), where a tuple cannot be the result."""
        out = self.record(net, x)
        if isinstance(out, tuple):
            raise self.refuse("an LSTM gives a tuple; add BaseNN's part0 after it", "LSTM 输出元组，后面需要 part0 层")
        return out

    def _check_size(self, value: Value) -> None:
        sizes = [n for n in value.shape if isinstance(n, int)]
        if any(n < 1 for n in sizes):
            raise TensorMismatch(
                en=f"The input is too small: after {self.title} nothing is left of it ({show(value.shape)}). "
                f"Give a larger {option('input_size')}.",
                zh=f"输入太小：经过 {self.title} 后没有数据了（{show(value.shape)}）。"
                f"请用 {option('input_size')} 指定更大的尺寸。",
            )
        if math.prod(sizes) > MAX_ELEMENTS:
            raise self.refuse(
                f"its result {show(value.shape)} does not fit in memory", f"它的输出 {show(value.shape)} 超出内存"
            )


def unknown(m: Module) -> QingzhouError:
    """The refusal of a class that is not in the table."""
    reasons = {
        "ModuleList": ("a ModuleList does not say in which order it runs", "ModuleList 没有说明各层的执行顺序"),
        "GaussianDiffusion": ("it generates pictures in a loop of many steps", "扩散模型需要多步循环生成图片"),
        "Unet": ("it belongs to a diffusion model", "它属于扩散模型"),
    }
    code = (
        f"what the class {m.name} does is program code, which the file does not hold and which is never run",
        f"类 {m.name} 的计算过程是程序代码，不在文件中，也绝不会被执行",
    )
    en, zh = reasons.get(m.kind, code)
    todo_en, todo_zh = "", "或"
    if not m.path and m.name.startswith(("torchvision.models.", "timm.models.")):  # known by their weights, if at all
        todo_en = "save its weights if nothing in it was changed, torch.save(model.state_dict(), 'best.pth'), "
        todo_zh = "如果没有改动过其中的层，请改为保存权重：torch.save(model.state_dict(), 'best.pth')；也可以"
    place_en = f"The layer {m.path}" if m.path else "The network"
    place_zh = f"网络层 {m.path} " if m.path else "网络"
    return UnsupportedCheckpoint(
        en=f"{place_en} is a {m.name}, which cannot be converted: {en}. Build the network from standard layers, "
        f"{todo_en}or take it from the program that has its code, with a sample of its input: {TAKEN}.",
        zh=f"{place_zh}的类型是 {m.name}，无法转换：{zh}。请改用标准网络层搭建，{todo_zh}在有其代码的程序里"
        f"用一个输入样本转换：{TAKEN}。",
    )


def entries(value: object) -> Mapping[str, object]:
    """The content of a pickled dict, whatever kind of dict it was; empty for anything else."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, Opaque):
        return {item[0]: item[1] for item in value.items if isinstance(item, tuple) and len(item) == 2}
    return {}


def integers(value: object) -> tuple[int, ...]:
    """The whole numbers in a number, list, tuple, torch.Size or array; () where there is anything else."""
    if isinstance(value, Opaque):
        return integers(value.args[0] if value.args else value.items)
    if isinstance(value, np.ndarray):
        value = value.ravel()[:16].tolist()
    items = list(value) if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else [value]
    whole = [int(n) for n in items if isinstance(n, (int, np.integer)) and not isinstance(n, bool)]
    return tuple(whole) if len(whole) == len(items) else ()


def show(shape: Shape) -> str:
    """A shape for people: batch x 3 x 20 x 20."""
    return " x ".join(str(n) for n in shape)
