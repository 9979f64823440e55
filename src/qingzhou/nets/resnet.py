"""ResNet (He et al. 2016), ResNeXt (Xie et al. 2017) and RegNetX (Radosavovic et al. 2020): one family of stages.

All stack residual blocks in four stages; depth, widths and groups show in the shapes. Parameter names as in mmcls.
"""

from __future__ import annotations

from collections.abc import Iterable

from .graph import Recorder, Value
from .network import Config, Network, Shapes, children, imagenet_input, linear_head, size

DEPTHS = {
    (2, 2, 2, 2): 18, (3, 4, 6, 3): 50, (3, 4, 23, 3): 101, (3, 8, 36, 3): 152,
}  # fmt: skip
REGNETS = {
    (32, 64, 160, 384): "400MF", (64, 128, 288, 672): "800MF", (72, 168, 408, 912): "1.6GF",
    (96, 192, 432, 1008): "3.2GF", (80, 240, 560, 1360): "4.0GF", (168, 392, 784, 1624): "6.4GF",
    (80, 240, 720, 1920): "8.0GF", (224, 448, 896, 2240): "12GF",
}  # fmt: skip


def resnet(net: Recorder, x: Value, config: Config) -> Value:
    """(N, 3, H, W) -> (N, classes) logits."""
    return linear_head(net, stages(net, stem(net, x, config), config)[-1], config["classes"])


def stem(net: Recorder, x: Value, config: Config) -> Value:
    """ResNet: 7x7 and max pooling; RegNet: 3x3 alone; the deep stem of ResNet-D: three 3x3."""
    if config["deep_stem"]:
        for i, channels in ((0, config["stem"] // 2), (3, config["stem"] // 2), (6, config["stem"])):
            x = net.conv(f"backbone.stem.{i}", x, channels, 3, stride=2 if i == 0 else 1, bias=False)
            x = net.act("relu", net.batch_norm(f"backbone.stem.{i + 1}", x), f"backbone.stem.{i}")
    else:
        x = net.conv("backbone.conv1", x, config["stem"], config["stem_kernel"], stride=2, bias=False)
        x = net.act("relu", net.batch_norm("backbone.bn1", x), "backbone.bn1")
    return net.max_pool(x, 3, 2, 1, name="backbone.maxpool") if config["max_pool"] else x


def stages(net: Recorder, x: Value, config: Config) -> list[Value]:
    """The result of each of the four stages."""
    results = []
    for i, (blocks, channels, mid, groups) in enumerate(config["stages"], start=1):
        for j in range(blocks):
            stride = (2 if i > 1 or not config["max_pool"] else 1) if j == 0 else 1
            x = block(net, f"backbone.layer{i}.{j}", x, channels, mid, groups, stride, config["bottleneck"])
        results.append(x)
    return results


def block(
    net: Recorder, key: str, x: Value, channels: int, mid: int, groups: int, stride: int, bottleneck: bool
) -> Value:
    """Two 3x3 convolutions, or 1x1, 3x3 and 1x1 (bottleneck), beside a shortcut."""
    plan = [(mid, 1, 1, 1), (mid, 3, stride, groups), (channels, 1, 1, 1)] if bottleneck else []
    plan = plan or [(mid, 3, stride, 1), (channels, 3, 1, 1)]
    y = x
    for i, (width, kernel, step, split) in enumerate(plan, start=1):
        y = net.conv(f"{key}.conv{i}", y, width, kernel, step, groups=split, bias=False)
        y = net.batch_norm(f"{key}.bn{i}", y)
        y = net.act("relu", y, f"{key}.bn{i}") if i < len(plan) else y
    if stride != 1 or x.channels != channels:
        x = net.conv(f"{key}.downsample.0", x, channels, 1, stride, bias=False)
        x = net.batch_norm(f"{key}.downsample.1", x)
    return net.act("relu", net.add(x, y, f"{key}.add"), key)


def configs(shapes: Shapes) -> Iterable[Config]:
    """Everything but the strides shows in the shapes; the strides are the same in all published sizes."""
    if "backbone.layer1.0.conv2.weight" not in shapes and "backbone.layer1.1.conv2.weight" not in shapes:
        return
    bottleneck = any(key.startswith("backbone.layer1.0.conv3") for key in shapes)
    deep = "backbone.stem.0.weight" in shapes
    kernel = 0 if deep else size(shapes, "backbone.conv1.weight", 2) or 7
    yield {
        "bottleneck": bottleneck,
        "deep_stem": deep,
        "stem": size(shapes, "backbone.stem.6.weight" if deep else "backbone.bn1.weight") or 64,
        "stem_kernel": kernel,
        "max_pool": kernel != 3,
        "stages": [_stage(shapes, f"backbone.layer{i}.", 3 if bottleneck else 2) for i in range(1, 5)],
        "classes": size(shapes, "head.fc.weight") or size(shapes, "head.fc.bias"),
    }


def _stage(shapes: Shapes, prefix: str, convs: int) -> tuple[int, int, int, int]:
    """Blocks, channels out, channels inside, and groups of one stage."""
    blocks = children(shapes, prefix)
    norms = [(size(shapes, f"{prefix}{b}.bn{convs}.weight"), size(shapes, f"{prefix}{b}.bn1.weight")) for b in blocks]
    channels, mid = max(norms, key=norms.count, default=(1, 1))  # the commonest: one damaged tensor must not decide
    inner = [size(shapes, f"{prefix}{b}.conv2.weight", 1) for b in blocks]
    groups = mid // max(inner, key=inner.count) if convs == 3 and inner and min(inner) else 1
    return len(blocks), max(channels, 1), max(mid, 1), max(groups, 1)


def _is_regnet(config: Config) -> bool:
    return config["stem_kernel"] == 3 and bool(config["bottleneck"])


def _is_resnext(config: Config) -> bool:
    return not _is_regnet(config) and any(groups > 1 for *_, groups in config["stages"])


def _depth(config: Config) -> str:
    counts = tuple(blocks for blocks, *_ in config["stages"])
    depth = 34 if counts == (3, 4, 6, 3) and not config["bottleneck"] else DEPTHS.get(counts)
    return str(depth) if depth else "-".join(map(str, counts))


def _resnet_title(config: Config) -> str:
    return f"ResNet-{_depth(config)}"


def _resnext_title(config: Config) -> str:
    _, _, mid, groups = config["stages"][0]
    return f"ResNeXt-{_depth(config)} {groups}x{mid // groups}d"


def _regnet_title(config: Config) -> str:
    widths = tuple(channels for _, channels, _, _ in config["stages"])
    return f"RegNetX-{REGNETS.get(widths, '-'.join(map(str, widths)))}"


RESNET = Network(
    "ResNet", lambda s: (c for c in configs(s) if not _is_regnet(c) and not _is_resnext(c)),
    _resnet_title, resnet, lambda c: imagenet_input("cv2"),
)  # fmt: skip
RESNEXT = Network(
    "ResNeXt", lambda s: filter(_is_resnext, configs(s)), _resnext_title, resnet, lambda c: imagenet_input()
)
REGNET = Network(
    "RegNet", lambda s: filter(_is_regnet, configs(s)), _regnet_title, resnet,
    lambda c: imagenet_input("cv2", bgr=True),
)  # fmt: skip
