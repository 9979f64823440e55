"""ShuffleNetV2 (Ma et al. 2018), parameter names as in mmcls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..graph.form import Value
from ..graph.record import Recorder
from .architecture import Architecture, classifier, imagenet_input
from .heads import Headed, head, heads
from .shapes import Shapes, size

# Table 5 of the paper: channels of the three stages and of the last convolution
CHANNELS = {
    0.5: (48, 96, 192, 1024),
    1.0: (116, 232, 464, 1024),
    1.5: (176, 352, 704, 1024),
    2.0: (244, 488, 976, 2048),
}
REPEATS = (4, 8, 4)


@dataclass(frozen=True, kw_only=True)
class Sizes(Headed):
    """The width, a key of CHANNELS."""

    width: float


def shufflenet_v2(net: Recorder, x: Value, config: Sizes) -> Value:
    """(N, 3, H, W) -> (N, classes) logits."""
    *stages, last = CHANNELS[config.width]
    x = net.conv_bn("backbone.conv1", x, 24, 3, stride=2)
    x = net.max_pool(x, 3, 2, 1, name="backbone.maxpool")
    for i, (channels, repeats) in enumerate(zip(stages, REPEATS, strict=True)):
        for j in range(repeats):
            x = unit(net, f"backbone.layers.{i}.{j}", x, channels, down=j == 0)
    return head(net, net.conv_bn("backbone.layers.3", x, last, 1), config)


def unit(net: Recorder, key: str, x: Value, channels: int, down: bool) -> Value:
    """Half of the channels pass by, or both halves are computed and the size is halved (figure 3, c and d)."""
    half = channels // 2
    if down:
        left = net.conv_bn(f"{key}.branch1.0", x, x.channels, 3, 2, groups=x.channels, act=None)
        left, right = net.conv_bn(f"{key}.branch1.1", left, half, 1), x
    else:
        left = net.slice(x, 1, 0, half, f"{key}.left")
        right = net.slice(x, 1, half, channels, f"{key}.right")
    right = net.conv_bn(f"{key}.branch2.0", right, half, 1)
    right = net.conv_bn(f"{key}.branch2.1", right, half, 3, 2 if down else 1, groups=half, act=None)
    right = net.conv_bn(f"{key}.branch2.2", right, half, 1)
    return shuffle(net, key, net.concat([left, right], name=f"{key}.concat"))


def shuffle(net: Recorder, key: str, x: Value) -> Value:
    """Channels of the two halves in turn: a b | c d -> a c b d."""
    batch, channels, height, width = x.shape
    x = net.reshape(x, (batch, 2, x.channels // 2, height, width), f"{key}.halves")
    x = net.transpose(x, (0, 2, 1, 3, 4), f"{key}.shuffle")
    return net.reshape(x, (batch, channels, height, width), f"{key}.joined")


def configs(shapes: Shapes) -> Iterable[Sizes]:
    """The width shows in the second stage's channels."""
    if not any(key.startswith("backbone.layers.0.0.branch2.") for key in shapes):
        return
    halves = {size(shapes, f"backbone.layers.{i}.0.branch2.2.conv.weight") * 2 >> i for i in range(3)}
    width = next((w for w, channels in CHANNELS.items() if channels[0] in halves), 1.0)
    yield from (Sizes(classes=classes, head=end, width=width) for classes, end in heads(shapes))


SHUFFLENET_V2 = Architecture(
    "ShuffleNet_v2",
    configs,
    lambda config: f"ShuffleNetV2 {config.width:g}x",
    classifier(shufflenet_v2, lambda c: imagenet_input(), act="relu"),
)
