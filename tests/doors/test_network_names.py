"""What people call a network, against what the file holds."""

import pytest

from qingzhou.errors import ArchitectureMismatch
from qingzhou.nets.names import BACKBONES, check_name, hub_name, parse_name

TITLES = {
    "LeNet": "LeNet-5",
    "MobileNet": "MobileNetV2 1x",
    "ResNet18": "ResNet-18",
    "ResNet50": "ResNet-50",
    "ResNeXt": "ResNeXt-50 32x4d",
    "RegNet": "RegNetX-400MF",
    "RepVGG": "RepVGG-A0",
    "ShuffleNet_v2": "ShuffleNetV2 1x",
    "VGG": "VGG-16 BN",
    "MobileNetV3": "MobileNetV3 small",
}
FAMILIES = {name: name for name in BACKBONES} | {"ResNet18": "ResNet", "ResNet50": "ResNet"}

RIGHT = [
    ("VGG16", "VGG", "VGG-16 BN"),
    ("VGG16", "VGG", "VGG-16"),
    ("vgg16bn", "VGG", "VGG-16 BN"),
    ("resnet-34", "ResNet", "ResNet-34"),
    ("ResNet", "ResNet", "ResNet-34"),
    ("MobileNetV2", "MobileNet", "MobileNetV2 0.5x"),
    ("MobileNetV2 1.0x", "MobileNet", "MobileNetV2 1x"),
    ("RegNetX-1.6GF", "RegNet", "RegNetX-1.6GF"),
    ("RepVGG-B1g4", "RepVGG", "RepVGG-B1g4"),
    ("mmcls/.mim/configs/mobilenet_v3/mobilenet-v3-small_8xb32_in1k.py", "MobileNetV3", "MobileNetV3 small"),
    ("configs/mobilenet_v3/mobilenet_v3_large_imagenet.py", "MobileNetV3", "MobileNetV3 large"),
    ("configs/regnet/regnetx-400mf_8xb128_in1k.py", "RegNet", "RegNetX-400MF"),
    ("configs/repvgg/repvgg-A0_4xb64-coslr-120e_in1k.py", "RepVGG", "RepVGG-A0"),
    ("configs/resnext/resnext50_32x4d_b32x8_imagenet.py", "ResNeXt", "ResNeXt-50 32x4d"),
    ("configs/shufflenet_v2/shufflenet-v2-1x_16xb64_in1k.py", "ShuffleNet_v2", "ShuffleNetV2 1x"),
    ("C:\\my models\\vgg16bn_8xb32_in1k.py", "VGG", "VGG-16 BN"),
    ("configs/resnet/resnet18_8xb16_cifar10.py", "ResNet", "ResNet-18"),
    ("BaseNN", "Sequential", "Sequential"),
]
WRONG = [
    ("MobileNet", "ResNet", "ResNet-18"),
    ("MobileNet", "MobileNetV3", "MobileNetV3 small"),
    ("ResNet18", "ResNet", "ResNet-50"),
    ("ResNet50", "ResNeXt", "ResNeXt-50 32x4d"),
    ("VGG16", "VGG", "VGG-11"),
    ("VGG16bn", "VGG", "VGG-16"),
    ("VGG", "RepVGG", "RepVGG-A0"),
    ("configs/mobilenet_v3/mobilenet_v3_small_cifar.py", "MobileNetV3", "MobileNetV3 large"),
    ("configs/vgg/mobilenet-v2_8xb32_in1k.py", "VGG", "VGG-16"),
    ("NoSuchNet", "ResNet", "ResNet-18"),
    ("resnetv1d50_8xb32_in1k.py", "ResNet", "ResNet-50"),
    ("", "ResNet", "ResNet-50"),
    ("ResNet18", "Sequential", "Sequential"),
]


@pytest.mark.parametrize(("asked", "family", "title"), RIGHT + [(n, FAMILIES[n], TITLES[n]) for n in BACKBONES])
def test_a_name_that_means_the_network_is_accepted(asked: str, family: str, title: str) -> None:
    check_name(asked, family, title)


@pytest.mark.parametrize(("asked", "family", "title"), WRONG)
def test_another_name_is_refused_naming_both(asked: str, family: str, title: str) -> None:
    with pytest.raises(ArchitectureMismatch) as caught:
        check_name(asked, family, title)
    assert caught.value.code == -302
    for text in (caught.value.en, caught.value.zh):
        assert repr(asked) in text and title in text


def test_the_advice_is_a_name_that_works() -> None:
    for name in BACKBONES:
        with pytest.raises(ArchitectureMismatch) as caught:
            check_name("NoSuchNet" if name == "LeNet" else "LeNet", FAMILIES[name], TITLES[name])
        assert name == "LeNet" or f"backbone={name!r}" in caught.value.en


@pytest.mark.parametrize(
    ("family", "title", "name"),
    [(FAMILIES[n], TITLES[n], n) for n in BACKBONES if n not in ("MobileNetV3", "RegNet")]
    + [
        ("RegNet", "RegNetX-400MF", ""),
        ("ResNet", "ResNet-34", ""),
        ("MobileNetV3", "MobileNetV3 small", ""),
        ("Sequential", "Sequential", ""),
    ],
)
def test_the_name_in_xeduhub(family: str, title: str, name: str) -> None:
    assert hub_name(family, title) == name


def test_every_backbone_is_parsed() -> None:
    assert all(parse_name(name) for name in BACKBONES)
