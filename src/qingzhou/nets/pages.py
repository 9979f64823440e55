"""The networks known by their tensors: each is a page beside this file, imported only for files that may hold it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .architecture import Candidate, Page
    from .settings import Settings
    from .shapes import Shapes


class Listed(NamedTuple):
    """A page that is not imported yet.

    name    as MMEdu calls it
    place   its module and its name there
    layers  how the names of some of its tensors begin: one of them at least is in every file of it
    """

    name: str
    place: str
    layers: tuple[str, ...]

    @property
    def page(self) -> Page:
        """Its description, imported now."""
        module, _, name = self.place.partition(".")
        page: Page = getattr(import_module(f".{module}", __package__), name)
        return page

    def candidates(self, shapes: Shapes, settings: Settings) -> Iterator[Candidate]:
        """Every size in which these tensors may be this network's."""
        if any(key.startswith(self.layers) for key in shapes):
            yield from self.page.candidates(shapes, settings)


FIRST_BLOCK = ("backbone.layer1.0.conv1.", "backbone.layer1.0.conv2.")
LENET = Listed("LeNet", "lenet.LENET", ("backbone.classifier.0.", "backbone.features.3."))
MOBILENET_V2 = Listed(
    "MobileNet", "mobilenet_v2.MOBILENET_V2", ("backbone.layer1.0.conv.0.conv.", "backbone.layer2.0.conv.2.conv.")
)
MOBILENET_V3 = Listed("MobileNetV3", "mobilenet_v3.MOBILENET_V3", ("backbone.layer1.depthwise_conv.",))
RESNET = Listed("ResNet", "resnet.RESNET", FIRST_BLOCK)
RESNEXT = Listed("ResNeXt", "resnet.RESNEXT", FIRST_BLOCK)
REGNET = Listed("RegNet", "resnet.REGNET", FIRST_BLOCK)
REPVGG = Listed("RepVGG", "repvgg.REPVGG", ("backbone.stem.", "backbone.stage_1.0."))
SHUFFLENET_V2 = Listed("ShuffleNet_v2", "shufflenet_v2.SHUFFLENET_V2", ("backbone.layers.0.0.branch2.",))
VGG = Listed("VGG", "vgg.VGG", ("backbone.features.",))
SQUEEZENET = Listed("SqueezeNet", "squeezenet.SQUEEZENET", ("features.",))
MOBILENET_V1 = Listed("MobileNetV1", "mobilenet_v1.MOBILENET_V1", ("conv2_1._depthwise_conv.",))
LENET_OF_PADDLE = Listed("LeNet", "paddle_pages.LENET", ("features.3.",))
SQUEEZENET_OF_PADDLE = Listed("SqueezeNet", "paddle_pages.SQUEEZENET", ("_conv1._conv.",))
ALEXNET = Listed("AlexNet", "alexnet.ALEXNET", ("features.",))
DENSENET = Listed("DenseNet", "densenet.DENSENET", ("features.denseblock1.",))
GOOGLENET = Listed("GoogLeNet", "googlenet.GOOGLENET", ("inception3a.",))
INCEPTION = Listed("Inception", "inception.INCEPTION", ("Mixed_5b.",))
EFFICIENTNET = Listed("EfficientNet", "efficientnet.EFFICIENTNET", ("conv_stem.", "blocks.0."))
EFFICIENTNET_OF_TORCHVISION = Listed(
    "EfficientNet", "efficientnet.EFFICIENTNET_OF_TORCHVISION", ("conv_stem.", "blocks.0.")
)
EFFICIENTNET_V2_OF_TORCHVISION = Listed(
    "EfficientNet", "efficientnet.EFFICIENTNET_V2_OF_TORCHVISION", ("conv_stem.", "blocks.0.")
)
EFFICIENTNET_OF_TENSORFLOW = Listed(
    "EfficientNet", "efficientnet.EFFICIENTNET_OF_TENSORFLOW", ("conv_stem.", "blocks.0.")
)
MOBILENET_V3_OF_TIMM = Listed("MobileNetV3", "efficientnet.MOBILENET_V3", ("conv_stem.", "blocks.0."))
MOBILENET_V4 = Listed("MobileNetV4", "efficientnet.MOBILENET_V4", ("conv_stem.", "blocks.0."))
MNASNET = Listed("MnasNet", "efficientnet.MNASNET", ("conv_stem.", "blocks.0."))
CONVNEXT = Listed("ConvNeXt", "convnext.CONVNEXT", ("features.1.0.",))
VIT = Listed("ViT", "vit.VIT", ("patch_embed.", "blocks.0."))
SWIN = Listed("Swin", "swin.SWIN", ("features.1.0.attn.",))
SSD_LITE = Listed("SSD_Lite", "ssd.SSD_LITE", ("neck.extra_layers.",))
YOLOV3 = Listed("Yolov3", "yolo.YOLOV3", ("bbox_head.convs_pred.",))
FASTER_RCNN = Listed("FasterRCNN", "rcnn.FASTER_RCNN", ("rpn_head.rpn_",))
MASK_RCNN = Listed("Mask_RCNN", "rcnn.MASK_RCNN", ("rpn_head.rpn_",))

# A new network is one file beside this one, a line above and one word here.
PAGES = (
    *(LENET, MOBILENET_V2, MOBILENET_V3, RESNET, RESNEXT, REGNET, REPVGG, SHUFFLENET_V2, VGG),
    *(SSD_LITE, YOLOV3, FASTER_RCNN, MASK_RCNN),
)
