"""The layers of torch.nn: one small function each, from a pickled module's settings to the Recorder.

Attribute names are those that torch pickles: https://docs.pytorch.org/docs/stable/nn.html
"""

from __future__ import annotations

from ...graph.form import Value
from ...graph.record import Recorder
from ...graph.window import window
from .module import Flow, Function, Module
from .wrappers import WRAPPERS


def sequential(net: Recorder, m: Module, x: Flow) -> Flow:
    """Each layer after the other, in the order of `_modules`."""
    for child in m.children():
        x = child.record(net, x)
    return x


def wrapped(net: Recorder, m: Module, x: Flow) -> Flow:
    """DataParallel, AveragedModel, a compiled module …: nothing but what is inside."""
    return m.child(WRAPPERS[m.name]).record(net, x)


def nothing(net: Recorder, m: Module, x: Value) -> Value:
    """Dropout and Identity do nothing at inference."""
    return x


# -- layers with parameters ----------------------------------------------------------------------------------------


def conv(net: Recorder, m: Module, x: Value) -> Value:
    """Conv1d and Conv2d, zero padding only."""
    dims = _dims(m, x)
    groups, channels = m.whole("groups"), m.whole("in_channels")
    m.fits(x.shape[1], channels, "channels", "通道")
    if m.get("padding_mode", "zeros") != "zeros" or channels % groups:
        raise m.refuse(f"padding_mode={m.get('padding_mode')!r}", f"padding_mode={m.get('padding_mode')!r}")
    kernel, dilation = m.sizes("kernel_size", dims), m.sizes("dilation", dims)
    padding = _padding(m, kernel, dilation)
    return net.conv(
        m.path, x, m.whole("out_channels"), kernel, m.sizes("stride", dims), padding, groups, dilation, m.has("bias")
    )


def _padding(m: Module, kernel: tuple[int, ...], dilation: tuple[int, ...]) -> tuple[int, ...]:
    """Numbers, "valid" or "same"; the last puts the odd one at the end, as torch does."""
    match m.get("padding"):
        case "valid":
            return (0,) * len(kernel)
        case "same":
            total = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
            return (*(n // 2 for n in total), *(n - n // 2 for n in total))
    return m.sizes("padding", len(kernel), low=0)


def conv_transpose(net: Recorder, m: Module, x: Value) -> Value:
    """ConvTranspose2d with a kernel like its stride: each position becomes a square."""
    m.rank(x, 4)
    m.fits(x.shape[1], m.whole("in_channels"), "channels", "通道")
    kernel, stride = m.sizes("kernel_size", 2), m.sizes("stride", 2)
    padded = any(m.sizes("padding", 2, low=0)) or any(m.sizes("output_padding", 2, low=0))
    if (
        kernel != stride
        or len(set(kernel)) > 1
        or padded
        or m.whole("groups") != 1
        or set(m.sizes("dilation", 2)) != {1}
    ):
        raise m.refuse("its kernel is not like its stride, or it has groups", "卷积核与步长不同，或使用了分组")
    return net.conv_transpose(m.path, x, m.whole("out_channels"), kernel[0], m.has("bias"))


def linear(net: Recorder, m: Module, x: Value) -> Value:
    """On the last axis of any rank."""
    m.fits(x.shape[-1], m.whole("in_features"), "numbers per sample", "输入特征")
    return net.linear(m.path, x, m.whole("out_features"), m.has("bias"))


def batch_norm(net: Recorder, m: Module, x: Value) -> Value:
    """BatchNorm1d on (N, C) or (N, C, L), BatchNorm2d on (N, C, H, W), SyncBatchNorm; with training's statistics."""
    m.rank(x, *{"BatchNorm1d": (2, 3), "BatchNorm2d": (4,), "SyncBatchNorm": (2, 3, 4)}[m.kind])
    m.fits(x.shape[1], m.whole("num_features"), "channels", "通道")
    if not m.has("running_mean") or not m.has("running_var"):
        raise m.refuse(
            "it keeps no statistics (track_running_stats=False), so its result depends on the whole batch",
            "它没有保存统计量（track_running_stats=False），结果取决于整批数据",
        )
    return net.batch_norm(m.path, x, m.number("eps", 1e-5), m.has("weight"))


def group_norm(net: Recorder, m: Module, x: Value) -> Value:
    """(N, C, ...) in groups of channels."""
    m.rank(x, 3, 4)
    m.fits(x.shape[1], m.whole("num_channels"), "channels", "通道")
    groups = m.whole("num_groups")
    if x.channels % groups:
        raise m.refuse(f"{x.channels} channels in {groups} groups", f"{x.channels} 个通道无法分成 {groups} 组")
    return net.group_norm(m.path, x, groups, m.number("eps", 1e-5), m.has("weight"))


def prelu(net: Recorder, m: Module, x: Value) -> Value:
    """One slope, or one per channel."""
    slopes = (m.parameter_shape("weight") or (1,))[0]
    if slopes != 1:
        m.fits(x.shape[1], slopes, "channels", "通道")
    return net.prelu(m.path, x, slopes)


def embedding(net: Recorder, m: Module, x: Value) -> Value:
    """Token numbers -> vectors."""
    if x.dtype != "int64":
        raise m.refuse("it needs token numbers, and must be the first layer", "它需要整数输入，只能是第一层")
    if m.get("max_norm") is not None:
        raise m.refuse("max_norm changes the weights while running", "max_norm 会在运行时改变权重")
    return net.embedding(m.path, x, m.whole("num_embeddings"), m.whole("embedding_dim"))


def lstm(net: Recorder, m: Module, x: Value, state: tuple[Value, Value] | None = None) -> tuple[Value, ...]:
    """The tuple (outputs, h, c)."""
    m.rank(x, 3)
    m.fits(x.shape[2], m.whole("input_size"), "numbers per step", "每步特征")
    if m.get("mode", "LSTM") != "LSTM" or m.get("proj_size"):
        raise m.refuse("proj_size is not supported", "不支持 proj_size")
    return net.lstm(
        m.path,
        x,
        m.whole("hidden_size"),
        m.whole("num_layers"),
        m.flag("batch_first"),
        m.flag("bidirectional"),
        m.flag("bias", True),
        state,
    )


# -- activations ---------------------------------------------------------------------------------------------------


def activation(kind: str) -> Function:
    """One without settings."""
    return lambda net, m, x: net.act(kind, x, m.path)


def leaky_relu(net: Recorder, m: Module, x: Value) -> Value:
    """Slope below zero."""
    return net.act("leaky_relu", x, m.path, slope=m.number("negative_slope", 0.01))


def elu(net: Recorder, m: Module, x: Value) -> Value:
    """alpha * (exp(x) - 1) below zero."""
    return net.act("elu", x, m.path, slope=m.number("alpha", 1.0))


def gelu(net: Recorder, m: Module, x: Value) -> Value:
    """Exact, or the tanh form."""
    return net.act("gelu_tanh" if m.get("approximate") == "tanh" else "gelu", x, m.path)


def softmax(net: Recorder, m: Module, x: Value) -> Value:
    """dim None is torch's old implicit rule: dim 0 for 0, 1 or 3 dimensions, else dim 1."""
    rank = len(x.shape)
    axis = (0 if rank in (1, 3) else 1) if m.get("dim") is None else m.whole("dim", low=-rank)
    if not -rank <= axis < rank:
        raise m.refuse(f"dim={axis} on {rank} dimensions", f"dim={axis}，但数据只有 {rank} 维")
    return net.softmax(x, axis, m.path or "softmax")


# -- pooling and size ----------------------------------------------------------------------------------------------


def max_pool(net: Recorder, m: Module, x: Value) -> Value:
    """MaxPool1d and MaxPool2d."""
    dims = _dims(m, x)
    if m.flag("return_indices"):
        raise m.refuse("return_indices gives a tuple", "return_indices 会输出元组")
    kernel, dilation = m.sizes("kernel_size", dims), m.sizes("dilation", dims, default=1)
    stride = m.sizes("stride", dims) if m.get("stride") is not None else kernel
    padding = m.sizes("padding", dims, low=0)
    ends = _ends(x, kernel, stride, padding, dilation) if m.flag("ceil_mode") else padding
    return net.max_pool(x, kernel, stride, padding + ends, dilation, name=m.path)


def avg_pool(net: Recorder, m: Module, x: Value) -> Value:
    """AvgPool1d and AvgPool2d. Windows beyond the end (ceil_mode) average what is there."""
    dims = _dims(m, x)
    if m.get("divisor_override") is not None:
        raise m.refuse("divisor_override is set", "设置了 divisor_override")
    kernel = m.sizes("kernel_size", dims)
    stride = m.sizes("stride", dims) if m.get("stride") is not None else kernel
    padding = m.sizes("padding", dims, low=0)
    ends = _ends(x, kernel, stride, padding, (1,) * dims) if m.flag("ceil_mode") else padding
    count = m.flag("count_include_pad", True) and any(padding)
    if count and ends != padding:
        raise m.refuse("ceil_mode with counted padding", "ceil_mode 与 count_include_pad 同时使用")
    return net.avg_pool(x, kernel, stride, padding + ends, count_pad=count, name=m.path)


def _ends(
    x: Value, kernel: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[int, ...]:
    """ceil_mode as padding at the end: runtimes differ in ceil_mode itself, but not in padding."""
    ends = []
    for n, k, s, p, d in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True):
        count = window(n, k, s, p, p, d, ceil=True)
        assert isinstance(n, int) and isinstance(count, int)
        ends.append(max(p, (count - 1) * s + d * (k - 1) + 1 - n - p))
    return tuple(ends)


def adaptive_avg_pool(net: Recorder, m: Module, x: Value) -> Value:
    """To 1, or to any size; of rows to one that divides the input's: then all windows are alike."""
    dims = _dims(m, x)
    wanted = _targets(m, x, dims)
    if all(n == 1 for n in wanted):
        return net.global_pool(x, m.path or "pool", keep=True)
    if dims == 2:
        return net.adaptive_pool(x, wanted, m.path or "pool")
    for n, size in zip(x.shape[2:], wanted, strict=True):
        if not isinstance(n, int) or size > n or n % size:
            raise m.refuse(f"{n} does not divide into {size} equal windows", f"{n} 无法等分成 {size} 个窗口")
    kernel = [n // size for n, size in zip(x.shape[2:], wanted, strict=True)]  # type: ignore[operator]
    return net.avg_pool(x, kernel, name=m.path)


def _targets(m: Module, x: Value, dims: int) -> tuple[int, ...]:
    """output_size: a number, or one per dimension, where None keeps the size."""
    value = m.get("output_size")
    if isinstance(value, (tuple, list)) and None in value and len(value) == dims:
        kept = tuple(n if size is None else size for n, size in zip(x.shape[2:], value, strict=True))
        return Module.sizes(Module(m.path, m.name, {"output_size": kept}, m.table, m.steps), "output_size", dims)
    return m.sizes("output_size", dims)


def upsample(net: Recorder, m: Module, x: Value) -> Value:
    """To a size or by a factor; nearest or (bi)linear."""
    dims = len(x.shape) - 2
    modes = {"nearest": "nearest", "linear": "linear", "bilinear": "linear"}
    mode = m.get("mode", "nearest")
    if mode not in modes or dims not in (1, 2) or (mode, dims) in (("linear", 2), ("bilinear", 1)):
        raise m.refuse(f"mode={mode!r} on {dims} dimensions", f"mode={mode!r}，{dims} 维")
    size = m.sizes("size", dims) if m.get("size") is not None else _scaled(m, x, dims)
    return net.upsample(x, size, modes[mode], m.flag("align_corners"), m.path or "upsample")


def _scaled(m: Module, x: Value, dims: int) -> tuple[int, ...]:
    """Sizes times the factor, which must come out whole: only then is the ratio of the sizes the factor."""
    factor = m.get("scale_factor")
    factors = factor if isinstance(factor, (tuple, list)) else [factor] * dims
    pairs = zip(x.shape[2:], factors, strict=False)
    sizes = [n * f for n, f in pairs if isinstance(n, int) and isinstance(f, (int, float))]
    if len(sizes) != dims or not all(1 <= n == int(n) for n in sizes):
        raise m.refuse(f"scale_factor={factor!r} gives no whole size", f"scale_factor={factor!r} 得不到整数尺寸")
    return tuple(int(n) for n in sizes)


def zero_pad(net: Recorder, m: Module, x: Value) -> Value:
    """ZeroPad2d: left, right, top, bottom."""
    m.rank(x, 4)
    left, right, top, bottom = m.sizes("padding", 4, low=0)
    name = net.unique(m.path or "pad")
    ends = net.ints(f"{name}/pads", 0, 0, top, left, 0, 0, bottom, right)
    size = [
        n + more if isinstance(n, int) else n for n, more in zip(x.shape[2:], (top + bottom, left + right), strict=True)
    ]
    return net.op("Pad", name, [x, ends], (*x.shape[:2], *size))


def flatten(net: Recorder, m: Module, x: Value) -> Value:
    """Axes start_dim to end_dim become one; the batch stays."""
    rank = len(x.shape)
    start, end = (m.whole(name, low=-rank) % rank for name in ("start_dim", "end_dim"))
    middle = x.shape[start : end + 1]
    if start > end or len(middle) == 1:
        return x
    size = 1
    for n in middle:
        if not isinstance(n, int):
            raise m.refuse(f"it flattens the batch (start_dim={start})", f"它会把批次维展平（start_dim={start}）")
        size *= n
    return net.reshape(x, (*x.shape[:start], size, *x.shape[end + 1 :]), m.path or "flatten")


def _dims(m: Module, x: Value) -> int:
    """1 for Conv1d, 2 for MaxPool2d, …; checks that the input fits."""
    dims = int(m.kind[-2])
    m.rank(x, dims + 2)
    return dims


ACTIVATIONS = {
    "ReLU": "relu",
    "ReLU6": "relu6",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "SiLU": "silu",
    "Hardswish": "hswish",
    "Hardsigmoid": "hsigmoid",
}

TORCH: dict[str, Function] = {
    **dict.fromkeys(WRAPPERS, wrapped),
    "torch.nn.modules.container.Sequential": sequential,
    "torch.nn.modules.conv.Conv1d": conv,
    "torch.nn.modules.conv.Conv2d": conv,
    "torch.nn.modules.conv.ConvTranspose2d": conv_transpose,
    "torch.nn.modules.linear.Linear": linear,
    "torch.nn.modules.batchnorm.BatchNorm1d": batch_norm,
    "torch.nn.modules.batchnorm.BatchNorm2d": batch_norm,
    "torch.nn.modules.batchnorm.SyncBatchNorm": batch_norm,
    "torch.nn.modules.normalization.GroupNorm": group_norm,
    "torch.nn.modules.sparse.Embedding": embedding,
    "torch.nn.modules.rnn.LSTM": lstm,
    **{f"torch.nn.modules.activation.{name}": activation(kind) for name, kind in ACTIVATIONS.items()},
    "torch.nn.modules.activation.LeakyReLU": leaky_relu,
    "torch.nn.modules.activation.ELU": elu,
    "torch.nn.modules.activation.GELU": gelu,
    "torch.nn.modules.activation.PReLU": prelu,
    "torch.nn.modules.activation.Softmax": softmax,
    "torch.nn.modules.pooling.MaxPool1d": max_pool,
    "torch.nn.modules.pooling.MaxPool2d": max_pool,
    "torch.nn.modules.pooling.AvgPool1d": avg_pool,
    "torch.nn.modules.pooling.AvgPool2d": avg_pool,
    "torch.nn.modules.pooling.AdaptiveAvgPool1d": adaptive_avg_pool,
    "torch.nn.modules.pooling.AdaptiveAvgPool2d": adaptive_avg_pool,
    "torch.nn.modules.upsampling.Upsample": upsample,
    "torch.nn.modules.flatten.Flatten": flatten,
    "torch.nn.modules.padding.ZeroPad2d": zero_pad,
    "torch.nn.modules.linear.Identity": nothing,
    **{f"torch.nn.modules.dropout.{name}": nothing for name in ("Dropout", "Dropout1d", "Dropout2d", "AlphaDropout")},
}
