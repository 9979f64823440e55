"""torchvision's networks saved whole, torch.save(model): what each of its classes does with its pickled parts.

Every setting is an attribute, so nothing is assumed (torchvision/models and torchvision/ops, 0.28; names of its older
versions beside them).
"""

from __future__ import annotations

from ...graph.form import Value
from ...graph.record import Recorder
from ...nets.inception import turn
from .module import Function, Module
from .modules import nothing, sequential


def chain(net: Recorder, m: Module, x: Value, *names: str) -> Value:
    """These parts one after another; "flatten" is no part, but (N, C, 1, 1) -> (N, C)."""
    for name in names:
        x = net.flatten(x, f"{m.path}.flatten".lstrip(".")) if name == "flatten" else m.child(name).value(net, x)
    return x


def in_turn(*names: str) -> Function:
    """A class that runs these parts, and no others, in this order."""
    return lambda net, m, x: chain(net, m, x, *names)


def added(net: Recorder, m: Module, a: Value, b: Value) -> Value:
    """A shortcut."""
    if a.shape != b.shape:
        raise m.refuse(f"{a.shape} cannot be added to {b.shape}", f"{a.shape} 与 {b.shape} 不能相加")
    return net.add(a, b, f"{m.path}.add")


def residual(part: str, flag: str) -> Function:
    """A class that adds its input to what `part` makes of it, where its attribute `flag` says so."""

    def run(net: Recorder, m: Module, x: Value) -> Value:
        y = m.child(part).value(net, x)
        return added(net, m, y, x) if m.flag(flag) else y

    return run


# -- ResNet, RegNet --------------------------------------------------------------------------------------------------


def block(*names: str) -> Function:
    """Of ResNet: these parts beside `downsample`, and ReLU after the sum."""

    def run(net: Recorder, m: Module, x: Value) -> Value:
        y = chain(net, m, x, *names)
        short = m.child("downsample").value(net, x) if m.has_child("downsample") else x
        return m.child("relu").value(net, added(net, m, y, short))

    return run


def res_bottleneck(net: Recorder, m: Module, x: Value) -> Value:
    """Of RegNet."""
    short = m.child("proj").value(net, x) if m.has_child("proj") else x
    return m.child("activation").value(net, added(net, m, short, m.child("f").value(net, x)))


# -- mobile networks -------------------------------------------------------------------------------------------------


def squeeze_excitation(net: Recorder, m: Module, x: Value) -> Value:
    """x times its gates; before 0.11 the activations were functions, ReLU and the hard sigmoid."""
    if m.has_child("activation"):
        gate = chain(net, m, x, "avgpool", "fc1", "activation", "fc2", "scale_activation")
    else:
        pooled = net.global_pool(x, f"{m.path}.avgpool", keep=True)
        gate = net.act("relu", m.child("fc1").value(net, pooled), f"{m.path}.fc1")
        gate = net.act("hsigmoid", m.child("fc2").value(net, gate), f"{m.path}.fc2")
    return net.mul(gate, x, f"{m.path}.scaled")


def pooled(net: Recorder, m: Module, x: Value) -> Value:
    """Features, their mean (in MobileNetV2 and MnasNet a function, no part), and the classifier."""
    x = m.child("layers" if m.has_child("layers") else "features").value(net, x)
    if m.has_child("avgpool"):
        return chain(net, m, x, "avgpool", "flatten", "classifier")
    return m.child("classifier").value(net, net.global_pool(x))


def shuffle_unit(net: Recorder, m: Module, x: Value) -> Value:
    """Two branches, whose channels are mixed."""
    if m.whole("stride") == 1:
        half = x.channels // 2
        first, second = (net.slice(x, 1, i * half, (i + 1) * half, f"{m.path}.half{i}") for i in (0, 1))
        ways = [first, m.child("branch2").value(net, second)]
    else:
        ways = [m.child("branch1").value(net, x), m.child("branch2").value(net, x)]
    return shuffled(net, f"{m.path}.shuffle", net.concat(ways, name=f"{m.path}.concat"))


def shuffled(net: Recorder, key: str, x: Value) -> Value:
    """The channels of two groups, taken in turns (Zhang et al. 2018, figure 1)."""
    batch, channels, high, wide = x.shape
    x = net.reshape(x, (batch, 2, x.channels // 2, high, wide), f"{key}.split")
    return net.reshape(net.transpose(x, (0, 2, 1, 3, 4), key), (batch, channels, high, wide), f"{key}.join")


def shuffle_net(net: Recorder, m: Module, x: Value) -> Value:
    """The mean over all positions is no part of it."""
    x = chain(net, m, x, "conv1", "maxpool", "stage2", "stage3", "stage4", "conv5")
    return m.child("fc").value(net, net.global_pool(x))


# -- SqueezeNet, DenseNet, GoogLeNet ---------------------------------------------------------------------------------


def fire(net: Recorder, m: Module, x: Value) -> Value:
    """Iandola et al. 2016, figure 1."""
    x = chain(net, m, x, "squeeze", "squeeze_activation")
    sides = [chain(net, m, x, name, f"{name}_activation") for name in ("expand1x1", "expand3x3")]
    return net.concat(sides, name=f"{m.path}.concat")


def squeeze_net(net: Recorder, m: Module, x: Value) -> Value:
    """Its classifier ends in a pooling."""
    return chain(net, m, x, "features", "classifier", "flatten")


def dense_block(net: Recorder, m: Module, x: Value) -> Value:
    """Each layer takes all that was before it."""
    for layer in m.children():
        x = net.concat([x, layer.value(net, x)], name=f"{layer.path}.concat")
    return x


def dense_net(net: Recorder, m: Module, x: Value) -> Value:
    """ReLU and the mean after the features are functions."""
    x = net.act("relu", m.child("features").value(net, x), "features")
    return m.child("classifier").value(net, net.global_pool(x))


def basic_conv(net: Recorder, m: Module, x: Value) -> Value:
    """A convolution, BatchNorm and ReLU."""
    return net.act("relu", chain(net, m, x, "conv", "bn"), m.path)


def inception(net: Recorder, m: Module, x: Value) -> Value:
    """Four ways side by side."""
    ways = [m.child(f"branch{i}").value(net, x) for i in (1, 2, 3, 4)]
    return net.concat(ways, name=f"{m.path}.concat")


GOOGLENET = (
    *("conv1", "maxpool1", "conv2", "conv3", "maxpool2", "inception3a", "inception3b", "maxpool3"),
    *(f"inception4{letter}" for letter in "abcde"),
    *("maxpool4", "inception5a", "inception5b", "avgpool", "flatten", "fc"),
)


def google_net(net: Recorder, m: Module, x: Value) -> Value:
    """Without the auxiliary classifiers, which only training has."""
    return chain(net, m, turn(net, x) if m.flag("transform_input") else x, *GOOGLENET)


# -- ConvNeXt --------------------------------------------------------------------------------------------------------


def layer_norm(net: Recorder, m: Module, x: Value) -> Value:
    """Over the last axis."""
    if m.sizes("normalized_shape", 1) != (net.last(x),) or not m.has("weight"):
        raise m.refuse("it normalises over several axes, or has no weights", "它对多个维度归一化，或没有权重")
    return net.layer_norm(m.path, x, m.number("eps", 1e-5))


def layer_norm_2d(net: Recorder, m: Module, x: Value) -> Value:
    """Over the channels of (N, C, H, W)."""
    y = layer_norm(net, m, net.transpose(x, (0, 2, 3, 1), f"{m.path}.last"))
    return net.transpose(y, (0, 3, 1, 2), f"{m.path}.first")


def permute(net: Recorder, m: Module, x: Value) -> Value:
    """Axes in another order."""
    dims = m.sizes("dims", len(x.shape), low=0)
    if sorted(dims) != list(range(len(x.shape))):
        raise m.refuse(f"dims={dims}", f"dims={dims}")
    return net.transpose(x, dims, m.path)


def cn_block(net: Recorder, m: Module, x: Value) -> Value:
    """Liu et al. 2022, figure 4."""
    y = m.child("block").value(net, x)
    factor = net.param(f"{m.path}.layer_scale", m.parameter_shape("layer_scale"))
    return added(net, m, net.op("Mul", f"{m.path}.scaled", [y, factor], y.shape), x)


def avgpool_first(net: Recorder, m: Module, x: Value) -> Value:
    """ConvNeXt's classifier flattens by itself; VGG's and AlexNet's do not."""
    x = chain(net, m, x, "features", "avgpool")
    own = any(
        name.rpartition(".")[2] == "Flatten" for name in (child.name for child in m.child("classifier").children())
    )
    return m.child("classifier").value(net, x if own else net.flatten(x, "flatten"))


def _named(module: str, **classes: Function) -> dict[str, Function]:
    return {f"torchvision.{module}.{name}": function for name, function in classes.items()}


RESNET = in_turn("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool", "flatten", "fc")
BASIC = block("conv1", "bn1", "relu", "conv2", "bn2")
BOTTLENECK = block("conv1", "bn1", "relu", "conv2", "bn2", "relu", "conv3", "bn3")
INVERTED_V2, INVERTED_V3 = residual("conv", "use_res_connect"), residual("block", "use_res_connect")
VISION: dict[str, Function] = {
    **_named("ops.misc", Conv2dNormActivation=sequential, ConvNormActivation=sequential, ConvBNActivation=sequential),
    **_named("ops.misc", SqueezeExcitation=squeeze_excitation, Permute=permute),
    **_named("ops.stochastic_depth", StochasticDepth=nothing),
    **_named("models.resnet", ResNet=RESNET, BasicBlock=BASIC, Bottleneck=BOTTLENECK),
    **_named("models.regnet", RegNet=in_turn("stem", "trunk_output", "avgpool", "flatten", "fc"), AnyStage=sequential),
    **_named(
        "models.regnet", SimpleStemIN=sequential, BottleneckTransform=sequential, ResBottleneckBlock=res_bottleneck
    ),
    **_named("models.mobilenetv2", MobileNetV2=pooled, InvertedResidual=INVERTED_V2, ConvBNActivation=sequential),
    **_named("models.mobilenetv2", ConvBNReLU=sequential),
    **_named(
        "models.mobilenetv3", MobileNetV3=pooled, InvertedResidual=INVERTED_V3, SqueezeExcitation=squeeze_excitation
    ),
    **_named("models.efficientnet", EfficientNet=pooled, MBConv=INVERTED_V3, FusedMBConv=INVERTED_V3),
    **_named("models.mnasnet", MNASNet=pooled, _InvertedResidual=residual("layers", "apply_residual")),
    **_named("models.shufflenetv2", ShuffleNetV2=shuffle_net, InvertedResidual=shuffle_unit),
    **_named("models.squeezenet", SqueezeNet=squeeze_net, Fire=fire),
    **_named("models.densenet", DenseNet=dense_net, _DenseBlock=dense_block, _Transition=sequential),
    **_named("models.densenet", _DenseLayer=in_turn("norm1", "relu1", "conv1", "norm2", "relu2", "conv2")),
    **_named("models.googlenet", GoogLeNet=google_net, Inception=inception, BasicConv2d=basic_conv),
    **_named("models.convnext", ConvNeXt=avgpool_first, CNBlock=cn_block, LayerNorm2d=layer_norm_2d),
    **_named("models.vgg", VGG=avgpool_first),
    **_named("models.alexnet", AlexNet=avgpool_first),
    "torch.nn.modules.normalization.LayerNorm": layer_norm,
}
