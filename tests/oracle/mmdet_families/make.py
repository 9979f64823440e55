"""Make the references of this folder from the original code: mmdet 3.3.0 on torch, beside tests/oracle/families.

How it was run: the environment of tests/oracle/families/make.py, and in it

    v/bin/pip install --no-deps mmdet==3.3.0 terminaltables pycocotools tqdm "scipy<1.14" "shapely<2.1"
    v/bin/python make.py [NAME ...]

torchvision and the compiled mmcv.ops, which the layers up to the predictions do not use, are replaced by empty modules.
Of each prediction some values are kept, evenly spread, with the largest of all; weights come from the same recipe.
"""

import importlib.util
import sys
import types
import zlib
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "families"))

from recipe import fill, picture  # noqa: E402

KEPT = 97  # values of each prediction; a prime
CODER = {"type": "DeltaXYWHBBoxCoder", "target_means": [0.0] * 4, "target_stds": [0.1, 0.1, 0.2, 0.2]}
TEST = {"nms": {"type": "nms", "iou_threshold": 0.5}, "max_per_img": 100, "score_thr": 0.05}


def members():
    """Name -> (title that we expect, settings of the model, input shape, whether it is of Caffe's style)."""
    found = {}
    for width, classes in ((0.1, 1), (0.25, 3), (0.35, 2), (0.5, 7), (0.75, 20), (1.0, 80), (1.4, 5)):
        title = f"SSDLite MobileNetV2 {width:g}x"
        found[f"ssdlite_{width}"] = title, ssdlite(width, classes), (1, 3, 96, 128), False
    found["ssdlite_anchors"] = "SSDLite MobileNetV2 0.25x", ssdlite(0.25, 4, [2]), (1, 3, 96, 128), False
    for classes, side in ((1, 320), (3, 416), (80, 608)):
        found[f"yolov3_d53_{side}"] = "YOLOv3 Darknet-53", yolo(classes), (1, 3, side, side), False
    deep, group = {"type": "ResNet", "style": "pytorch"}, {"type": "ResNeXt", "groups": 32, "base_width": 4}
    caffe = {"type": "ResNet", "depth": 50, "style": "caffe"}
    small, odd = (1, 3, 64, 96), (1, 3, 96, 160)
    r = "R-CNN {} FPN".format
    found["faster_r50_caffe"] = f"Faster {r('ResNet-50')}", rcnn(caffe, 4), small, True
    found["faster_r18"] = f"Faster {r('ResNet-18')}", rcnn({**deep, "depth": 18}, 1, wide=512), odd, False
    found["faster_r101"] = f"Faster {r('ResNet-101')}", rcnn({**deep, "depth": 101}, 80), small, False
    found["faster_r101_agnostic"] = f"Faster {r('ResNet-101')}", rcnn({**deep, "depth": 101}, 5, True), small, False
    found["faster_x50"] = f"Faster {r('ResNeXt-50 32x4d')}", rcnn({**group, "depth": 50}, 2), small, False
    for arch, channels in (("400mf", (32, 64, 160, 384)), ("3.2gf", (96, 192, 432, 1008))):
        backbone = {"type": "RegNet", "arch": f"regnetx_{arch}"}
        found[f"faster_{arch}"] = (
            f"Faster {r('RegNetX-' + arch.upper())}",
            rcnn(backbone, 3, channels=channels),
            odd,
            False,
        )
    backbone = {"type": "RegNet", "arch": "regnetx_800mf"}
    settings = rcnn(backbone, 3, True, mask=True, channels=(64, 128, 288, 672))
    found["mask_800mf_agnostic"] = f"Mask {r('RegNetX-800MF')}", settings, small, False
    found["mask_r101"] = f"Mask {r('ResNet-101')}", rcnn({**deep, "depth": 101}, 6, mask=True), small, False
    return found


def ssdlite(width, classes, ratios=(2, 3)):
    """As configs/ssd/ssdlite_mobilenetv2-scratch_8xb24-600e_coco.py, in another width."""
    norm = {"type": "BN", "eps": 0.001, "momentum": 0.03}
    first = max(8, int(96 * width + 4) // 8 * 8)
    channels = (first + 8 if first < 0.9 * 96 * width else first, max(1280, int(1280 * width)))
    anchors = {
        "type": "SSDAnchorGenerator",
        "strides": [16, 32, 64, 107, 160, 320],
        "ratios": [list(ratios)] * 6,
        "min_sizes": [48, 100, 150, 202, 253, 304],
        "max_sizes": [100, 150, 202, 253, 304, 320],
    }
    return {
        "type": "SingleStageDetector",
        "backbone": {"type": "MobileNetV2", "widen_factor": width, "out_indices": (4, 7), "norm_cfg": norm},
        "neck": {"type": "SSDNeck", "in_channels": channels, "out_channels": (*channels, 512, 256, 256, 128),
                 "level_strides": (2,) * 4, "level_paddings": (1,) * 4, "l2_norm_scale": None, "use_depthwise": True,
                 "norm_cfg": norm, "act_cfg": {"type": "ReLU6"}},
        "bbox_head": {"type": "SSDHead", "in_channels": (*channels, 512, 256, 256, 128), "num_classes": classes,
                      "use_depthwise": True, "norm_cfg": norm, "act_cfg": {"type": "ReLU6"}, "bbox_coder": CODER,
                      "anchor_generator": anchors},
        "test_cfg": TEST,
    }  # fmt: skip


def yolo(classes):
    """As configs/yolo/yolov3_d53_8xb8-ms-608-273e_coco.py."""
    sizes = [[(116, 90), (156, 198), (373, 326)], [(30, 61), (62, 45), (59, 119)], [(10, 13), (16, 30), (33, 23)]]
    return {
        "type": "YOLOV3",
        "backbone": {"type": "Darknet", "depth": 53, "out_indices": (3, 4, 5)},
        "neck": {
            "type": "YOLOV3Neck",
            "num_scales": 3,
            "in_channels": [1024, 512, 256],
            "out_channels": [512, 256, 128],
        },
        "bbox_head": {
            "type": "YOLOV3Head",
            "num_classes": classes,
            "in_channels": [512, 256, 128],
            "out_channels": [1024, 512, 256],
            "bbox_coder": {"type": "YOLOBBoxCoder"},
            "anchor_generator": {"type": "YOLOAnchorGenerator", "base_sizes": sizes, "strides": [32, 16, 8]},
            "featmap_strides": [32, 16, 8],
        },
        "test_cfg": TEST,
    }


def rcnn(backbone, classes, agnostic=False, mask=False, channels=(256, 512, 1024, 2048), wide=2048):
    """As configs/_base_/models/faster-rcnn_r50_fpn.py and mask-rcnn_r50_fpn.py."""
    channels = (64, 128, 256, 512) if wide == 512 else channels
    layer = {"type": "RoIAlign", "output_size": 7, "sampling_ratio": 0}
    extractor = {
        "type": "SingleRoIExtractor",
        "roi_layer": layer,
        "out_channels": 256,
        "featmap_strides": [4, 8, 16, 32],
    }
    head = {
        "type": "Shared2FCBBoxHead",
        "in_channels": 256,
        "fc_out_channels": 1024,
        "roi_feat_size": 7,
        "num_classes": classes,
        "bbox_coder": CODER,
        "reg_class_agnostic": agnostic,
    }
    masks = {
        "type": "FCNMaskHead",
        "num_convs": 4,
        "in_channels": 256,
        "conv_out_channels": 256,
        "num_classes": classes,
        "class_agnostic": agnostic,
    }
    anchors = {"type": "AnchorGenerator", "scales": [8], "ratios": [0.5, 1.0, 2.0], "strides": [4, 8, 16, 32, 64]}
    regions = {"type": "StandardRoIHead", "bbox_roi_extractor": extractor, "bbox_head": head}
    return {
        "type": "MaskRCNN" if mask else "FasterRCNN",
        "backbone": {"out_indices": (0, 1, 2, 3), **backbone},
        "neck": {"type": "FPN", "in_channels": list(channels), "out_channels": 256, "num_outs": 5},
        "rpn_head": {
            "type": "RPNHead",
            "in_channels": 256,
            "feat_channels": 256,
            "anchor_generator": anchors,
            "bbox_coder": {**CODER, "target_stds": [1.0] * 4},
        },
        "roi_head": {**regions, **({"mask_roi_extractor": extractor, "mask_head": masks} if mask else {})},
        "train_cfg": None,
        "test_cfg": {"rpn": {**TEST, "nms_pre": 1000}, "rcnn": TEST},
    }


def build(settings):
    """The original network, whose call gives all predictions by name."""
    import mmdet.models
    import torch
    from mmdet.registry import MODELS
    from mmengine import ConfigDict

    assert mmdet.models  # its import fills the table
    net = MODELS.build(ConfigDict(settings)).eval()

    def predictions(self, x, mode="tensor", seed=0):
        features = self.extract_feat(x)
        if not hasattr(self, "roi_head"):
            return named(self.bbox_head(features))
        found = named(self.rpn_head(features))
        found["logits"], found["region_deltas"] = self.roi_head.bbox_head(torch.from_numpy(regions(seed, 7)))
        if hasattr(self.roi_head, "mask_head"):
            found["masks"] = self.roi_head.mask_head(torch.from_numpy(regions(seed, 14)))
        return found

    net.forward = types.MethodType(predictions, net)
    return net


def named(outputs):
    """What a head gives for each level: scores0, deltas0, scores1, …."""
    pairs = zip(("scores", "deltas"), outputs, strict=False)
    return {f"{name}{i}": value for name, values in pairs for i, value in enumerate(values)}


def regions(seed, side):
    """What RoIAlign may have cut out: three regions."""
    return np.random.Generator(np.random.PCG64(seed)).normal(size=(3, 256, side, side)).astype(np.float32)


def kept(value):
    """Shape, largest magnitude, and about KEPT of the numbers, one in `step`."""
    step = max(1, value.size // KEPT)
    some = [float(str(number)) for number in value.reshape(-1)[::step]]
    return {"shape": list(value.shape), "largest": float(np.abs(value).max()), "step": step, "kept": some}


def reference(families, name, title, settings, shape, caffe):
    """The manifest of one member, with what the original predicts."""
    import torch

    net, seed = build(settings), zlib.crc32(name.encode())
    manifest = {
        "title": title,
        "caffe": caffe,
        "seed": seed,
        "input_seed": seed + 1,
        "input_shape": list(shape),
        "entries": families.entries(net),
        "exponents": {},
    }
    x = torch.from_numpy(picture(manifest))
    with torch.no_grad():
        load(net, manifest)
        manifest["exponents"] = families.calibrate(net, x)
        load(net, manifest)
        found = {key: value.numpy() for key, value in net(x, seed=seed).items()}
    manifest["outputs"] = {key: kept(value) for key, value in found.items()}
    return manifest


def load(net, manifest):
    """Put the recreated numbers into the network."""
    import torch

    net.load_state_dict({k: torch.from_numpy(v) for k, v in fill(manifest).items()}, strict=True)


def empty_ops(base):
    """torchvision and mmcv.ops as modules of empty classes; RoIAlign is a layer, which is never run."""

    class EmptyCompiled(base):
        def find_spec(self, name, path=None, target=None):
            mine = name.partition(".")[0] == "torchvision" or name.startswith("mmcv.ops")
            return importlib.machinery.ModuleSpec(name, self, is_package=True) if mine else None

        def exec_module(self, module):
            import torch

            class RoIAlign(torch.nn.Module):
                def __init__(self, **settings):
                    super().__init__()

            module.RoIAlign = RoIAlign

    return EmptyCompiled()


def main(names):
    """Make the named members, or all."""
    spec = importlib.util.spec_from_file_location("families", FOLDER.parent / "families" / "make.py")
    families = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(families)
    sys.meta_path.insert(0, empty_ops(families.EmptyTorchvision))
    import mmcv

    mmcv.__version__ = "2.1.0"  # mmdet 3.3.0 refuses 2.2.0, which differs in nothing that is used here
    for name, member in members().items():
        if names and name not in names:
            continue
        manifest = reference(families, name, *member)
        families.write(FOLDER / f"{name}.json.gz", manifest)
        print(f"{name:<24} {len(manifest['entries']):>4} tensors, {len(manifest['outputs'])} predictions", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
