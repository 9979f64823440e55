"""Make the references of this folder from the original code: mmpretrain 1.2.0 (mmcls of today) on torch.

How it was run (Python 3.10; the torch wheel is the last of the index that brings all of its libraries along):

    python3.10 -m venv v
    v/bin/pip install --no-deps torch==1.12.1 mmengine==0.10.7 mmcv-lite==2.2.0 mmpretrain==1.2.0
    v/bin/pip install "numpy<2" opencv-python-headless==4.10.0.84 "setuptools<80" typing_extensions filelock addict \
        yapf platformdirs pyyaml rich termcolor einops packaging matplotlib mat4py modelindex importlib-metadata
    v/bin/python make.py [NAME ...]

torchvision, which mmpretrain imports only for data sets and transforms, is replaced by empty modules.
"""

import gzip
import importlib.abc
import importlib.machinery
import json
import sys
import types
import zlib

from recipe import FOLDER, fill, picture

LOSS = {"type": "CrossEntropyLoss", "loss_weight": 1.0}


def members():
    """Name -> (title that we expect, model settings, input shape)."""
    found = {}
    add = found.__setitem__
    small, classes = (1, 3, 64, 64), iter([2, 3, 10, 5, 7, 4, 100] * 20)

    def linear(name, title, backbone, channels, shape=small, count=None):
        head = {"type": "LinearClsHead", "num_classes": count or next(classes), "in_channels": channels, "loss": LOSS}
        add(name, (title, model(backbone, head), shape))

    for depth, channels in ((18, 512), (34, 512), (50, 2048), (101, 2048), (152, 2048)):
        odd = (1, 3, 75, 90) if depth == 34 else small
        linear(f"resnet{depth}", f"ResNet-{depth}", resnet("ResNet", depth), channels, odd, 1000 if depth == 50 else 0)
    for depth, channels in ((18, 512), (50, 2048)):
        linear(f"resnet{depth}_cifar", f"ResNet-{depth} CIFAR", resnet("ResNet_CIFAR", depth), channels, (1, 3, 32, 32))
    linear("resnetv1c50", "ResNetV1c-50", resnet("ResNetV1c", 50), 2048)
    linear("resnetv1c101", "ResNetV1c-101", resnet("ResNetV1c", 101), 2048)
    wide = {"stem_channels": 64, "base_channels": 128, "expansion": 2}
    linear("wide_resnet50", "Wide ResNet-50", resnet("ResNet", 50, **wide), 2048)
    for depth, groups, width in ((50, 32, 4), (101, 32, 4), (101, 32, 8), (152, 32, 4)):
        title = f"ResNeXt-{depth} {groups}x{width}d"
        backbone = resnet("ResNeXt", depth, groups=groups, width_per_group=width)
        linear(f"resnext{depth}_{groups}x{width}d", title, backbone, 2048)
    sizes = {
        "400mf": 384,
        "800mf": 672,
        "1.6gf": 912,
        "3.2gf": 1008,
        "4.0gf": 1360,
        "6.4gf": 1624,
        "8.0gf": 1920,
        "12gf": 2240,
    }
    for arch, channels in sizes.items():
        backbone = {"type": "RegNet", "arch": f"regnetx_{arch}"}
        linear(f"regnetx_{arch}", f"RegNetX-{arch.upper()}", backbone, channels, count=1000 if arch == "3.2gf" else 0)
    tops = {
        "A0": 1280,
        "A1": 1280,
        "A2": 1408,
        "B0": 1280,
        "B1": 2048,
        "B1g2": 2048,
        "B1g4": 2048,
        "B2": 2560,
        "B2g4": 2560,
        "B3g4": 2560,
        "D2se": 2560,
    }
    for arch, channels in tops.items():
        linear(f"repvgg_{arch}", f"RepVGG-{arch}", repvgg(arch), channels, count=1000 if arch == "B0" else 0)
    for arch in ("A0", "A2", "B1g4"):  # not D2se: mmpretrain forgets its squeeze-and-excitation in the deploy form
        linear(f"repvgg_{arch}_deploy", f"RepVGG-{arch}", repvgg(arch, deploy=True), tops[arch])
    for width, channels in ((0.5, 1024), (1.0, 1024), (1.5, 1024), (2.0, 2048)):
        backbone = {"type": "ShuffleNetV2", "widen_factor": width}
        linear(f"shufflenet_v2_{width}", f"ShuffleNetV2 {width:g}x", backbone, channels)
    for width in (0.1, 0.25, 0.35, 0.5, 0.75, 1.0, 1.3, 1.4, 2.0):
        backbone = {"type": "MobileNetV2", "widen_factor": width}
        channels = {1.3: 1664, 1.4: 1792, 2.0: 2560}.get(width, 1280)
        shape = (1, 3, 97, 64) if width == 0.75 else small
        linear(f"mobilenet_v2_{width}", f"MobileNetV2 {width:g}x", backbone, channels, shape)
    v3 = {"small": (576, 1024), "large": (960, 1280), "small_050": (288, 1024), "small_075": (432, 1024)}
    for arch, (channels, features) in v3.items():
        title = "MobileNetV3 " + {"small_050": "small 0.5x", "small_075": "small 0.75x"}.get(arch, arch)
        add(f"mobilenet_v3_{arch}", (title, mobilenet_v3(arch, channels, features, next(classes)), small))
    add("mobilenet_v3_cifar", ("MobileNetV3 small", mobilenet_v3("small", 576, 1280, 10), (1, 3, 32, 32)))
    for depth in (11, 13, 16, 19):
        for norm in ("", "bn"):
            backbone = {"type": "VGG", "depth": depth, "num_classes": next(classes)}
            backbone |= {"norm_cfg": {"type": "BN"}} if norm else {}
            title = f"VGG-{depth}" + (" BN" if norm else "")
            add(
                f"vgg{depth}{norm}", (title, model(backbone, {"type": "ClsHead", "loss": LOSS}, None), (1, 3, 224, 224))
            )
    for count in (10, 2):
        lenet = model({"type": "LeNet5", "num_classes": count}, {"type": "ClsHead", "loss": LOSS}, None)
        add(f"lenet_{count}", ("LeNet-5", lenet, (1, 1, 32, 32)))
    return found


def strangers():
    """Networks of the same library that share names with ours, but compute something else: none may be recognised."""
    head = {"type": "LinearClsHead", "num_classes": 3, "in_channels": 2048, "loss": LOSS}
    for kind in ("ResNetV1d", "SEResNet", "SEResNeXt", "Res2Net", "ResNeSt"):
        more = {"scales": 4, "base_width": 26} if kind == "Res2Net" else {}
        yield kind.lower() + "50", model({"type": kind, "depth": 50, **more}, head)
    for kind, arch in (("MobileOne", "s0"), ("DenseNet", "121"), ("EfficientNet", "b0"), ("MobileViT", "small")):
        yield kind.lower(), model({"type": kind, "arch": arch}, head)
    yield "shufflenet_v1", model({"type": "ShuffleNetV1", "groups": 3}, head)


def model(backbone, head, neck="GlobalAveragePooling"):
    """The settings of an ImageClassifier, as in mmpretrain's configs/_base_/models."""
    return {"type": "ImageClassifier", "backbone": backbone, "neck": neck and {"type": neck}, "head": head}


def resnet(kind, depth, **more):
    """ResNet, ResNeXt and their relatives."""
    return {"type": kind, "depth": depth, "num_stages": 4, "out_indices": (3,), "style": "pytorch", **more}


def repvgg(arch, **more):
    """RepVGG in its training form, or with deploy=True."""
    return {"type": "RepVGG", "arch": arch, "out_indices": (3,), **more}


def mobilenet_v3(arch, channels, features, classes):
    """MobileNetV3 and its two-layer head."""
    head = {"type": "StackedLinearClsHead", "num_classes": classes, "in_channels": channels, "loss": LOSS}
    head |= {"mid_channels": [features], "dropout_rate": 0.2, "act_cfg": {"type": "HSwish"}}
    return model({"type": "MobileNetV3", "arch": arch}, head)


class Empty(types.ModuleType):
    """A module in which every name is an empty class."""

    __version__ = "0.13.1"

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


class EmptyTorchvision(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds any torchvision.* as an Empty."""

    def find_spec(self, name, path=None, target=None):
        mine = name.partition(".")[0] == "torchvision"
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if mine else None

    def create_module(self, spec):
        return Empty(spec.name)

    def exec_module(self, module):
        pass


def build(settings):
    """The original network, ready to predict."""
    from mmpretrain.models import build_classifier

    return build_classifier(settings).eval()


def entries(net):
    """[key, shape, dtype] of everything in the state dict, in its order."""
    return [[k, list(v.shape), str(v.dtype).removeprefix("torch.")] for k, v in net.state_dict().items()]


def calibrate(net, x):
    """Exponents by which each convolution and linear layer comes near a deviation of 1, and the logits near 3."""
    import torch

    kinds = (torch.nn.Conv2d, torch.nn.Linear)
    layers = {module: name for name, module in net.named_modules() if isinstance(module, kinds)}
    last, exponents = list(layers)[-1], {}

    def hook(module, inputs, output):
        wide = output.abs().max() / 3 if module is last else output.std()
        power = -int(torch.round(torch.log2(wide)))
        if power and layers[module] + ".weight" not in exponents:
            exponents[layers[module] + ".weight"] = power
            module.weight.data *= 2.0**power
            return module._forward(*inputs) if hasattr(module, "_forward") else type(module).forward(module, *inputs)
        return output

    handles = [layer.register_forward_hook(hook) for layer in layers]
    net(x, mode="tensor")
    for handle in handles:
        handle.remove()
    return exponents


def reference(name, title, settings, shape):
    """The manifest of one member, with what the original computes."""
    import torch

    net, seed = build(settings), zlib.crc32(name.encode())
    manifest = {"title": title, "seed": seed, "input_seed": seed + 1, "input_shape": list(shape)}
    manifest |= {"entries": entries(net), "exponents": {}}
    x = torch.from_numpy(picture(manifest))
    with torch.no_grad():
        load(net, manifest)
        manifest["exponents"] = calibrate(net, x)
        load(net, manifest)
        logits = net(x, mode="tensor").reshape(-1)
    values = {"logits": logits, "probs": torch.softmax(logits, 0)}
    return manifest | {"classes": len(logits)} | {k: [float(str(n)) for n in v.numpy()] for k, v in values.items()}


def load(net, manifest):
    """Put the recreated numbers into the network."""
    import torch

    net.load_state_dict({k: torch.from_numpy(v) for k, v in fill(manifest).items()}, strict=True)


def check_deploy(settings):
    """What switch_to_deploy() leaves behind has the names and shapes of deploy=True."""
    net = build({**settings, "backbone": {**settings["backbone"], "deploy": False}})
    net.backbone.switch_to_deploy()
    assert sorted(entries(net)) == sorted(entries(build(settings)))


def write(path, value):
    """JSON, compressed, the same bytes every time."""
    path.write_bytes(gzip.compress(json.dumps(value, separators=(",", ":")).encode(), mtime=0))


def main(names):
    """Make the named members, or all."""
    sys.meta_path.insert(0, EmptyTorchvision())
    import mmcv

    mmcv.__version__ = "2.1.0"  # mmpretrain 1.2.0 refuses 2.2.0, which differs in nothing that is used here
    for name, (title, settings, shape) in members().items():
        if names and name not in names:
            continue
        if name.endswith("_deploy"):
            check_deploy(settings)
        manifest = reference(name, title, settings, shape)
        write(FOLDER / f"{name}.json.gz", manifest)
        print(f"{name:<24} {manifest['classes']:>5} classes, largest probability {max(manifest['probs']):.3f}")
    if not names or "strangers" in names:
        write(FOLDER / "strangers.json.gz", {name: entries(build(settings)) for name, settings in strangers()})


if __name__ == "__main__":
    main(sys.argv[1:])
