"""What a config says of its pictures, as mmcls 0.x, mmpretrain, mmdet 2.x and mmdet 3 write it."""

from __future__ import annotations

from typing import Any

import pytest

from qingzhou.nets.architecture import imagenet_input
from qingzhou.nets.pictures import final_size, fixed_input, input_as_trained, unsaid
from qingzhou.nets.settings import Picture, Settings
from qingzhou.sources.openmmlab.config import read_settings

OLD, NEW = "config", "cfg"  # where mmcv 1 and mmcv 2 keep the text


def resize(kind: str = "cv2", **size: Any) -> dict[str, Any]:
    return {"op": "resize", **size, "interpolation": kind}


def crop(height: int, width: int) -> dict[str, Any]:
    return {"op": "center_crop", "size": [height, width]}


def normal(mean: list[float], std: list[float]) -> dict[str, Any]:
    return {"op": "normalize", "mean": mean, "std": std}


def pipeline(steps: str) -> str:
    return f"test_pipeline = [dict(type='LoadImageFromFile'), {steps}]"


def of(key: str, text: str) -> Settings:
    return read_settings({key: text})


N123 = normal([1, 2, 3], [4, 5, 6])
FOLLOWED: dict[str, tuple[str, str, list[dict[str, Any]], str]] = {
    "mmcls, short side": (
        OLD,
        "norm = dict(mean=[1, 2, 3], std=[4, 5, 6], to_rgb=True)\n"
        "pipeline = [dict(type='LoadImageFromFile'), dict(type='Resize', size=(256, -1), backend='pillow'),"
        " dict(type='CenterCrop', crop_size=224), dict(type='Normalize', **norm),"
        " dict(type='ImageToTensor', keys=['img']), dict(type='Collect', keys=['img'])]\n"
        "data = dict(test=dict(type='ImageNet', pipeline=pipeline))",
        [resize("pillow", short=256), crop(224, 224), N123], "RGB",
    ),
    "mmcls, (height, width)": (OLD, pipeline("dict(type='Resize', size=(3, 4))"), [resize(size=[3, 4])], "BGR"),
    "mmcls, one number": (OLD, pipeline("dict(type='Resize', size=40)"), [resize(size=[40, 40])], "BGR"),
    "mmcls, crop of (height, width)": (
        OLD, pipeline("dict(type='Resize', size=(64, -1)), dict(type='CenterCrop', crop_size=(40, 50))"),
        [resize(short=64), crop(40, 50)], "BGR",
    ),
    "mmcls, RGB if nothing is said": (
        OLD, pipeline("dict(type='Resize', size=8), dict(type='Normalize', mean=[1, 2, 3], std=[4, 5, 6])"),
        [resize(size=[8, 8]), N123], "RGB",
    ),
    "mmcls, BGR": (
        OLD,
        pipeline("dict(type='Resize', size=8)," " dict(type='Normalize', mean=[1, 2, 3], std=[4, 5, 6], to_rgb=False)"),
        [resize(size=[8, 8]), N123], "BGR",
    ),
    "mmcls, grey": (
        OLD,
        "test_pipeline = [dict(type='LoadImageFromFile', color_type='grayscale'), dict(type='Resize', size=32),"
        " dict(type='Normalize', mean=[33.46], std=[78.87])]",
        [resize(size=[32, 32]), normal([33.46], [78.87])], "GRAY",
    ),
    "mmpretrain": (
        NEW,
        "data_preprocessor = dict(mean=[1, 2, 3], std=[4, 5, 6], to_rgb=True, num_classes=3)\n"
        + pipeline("dict(edge='short', scale=232, type='ResizeEdge', backend='pillow'), dict(crop_size=224,"
                        " type='CenterCrop'), dict(type='PackInputs')"),
        [resize("pillow", short=232), crop(224, 224), N123], "RGB",
    ),
    "mmpretrain, (width, height)": (
        NEW,
        "data_preprocessor = dict(mean=[1, 2, 3], std=[4, 5, 6])\n"
        + pipeline("dict(type='Resize', scale=(48, 32)), dict(type='CenterCrop', crop_size=(40, 30))"),
        [resize(size=[32, 48]), crop(30, 40), N123], "BGR",
    ),
    "mmpretrain without numbers is fed pixels": (
        NEW, "model = dict(data_preprocessor=dict(to_rgb=True))\n" + pipeline("dict(type='Resize', scale=8)"),
        [resize(size=[8, 8])], "RGB",
    ),
    "the model's own preprocessor": (
        NEW,
        "data_preprocessor = dict(mean=[9, 9, 9], std=[9, 9, 9], to_rgb=True, pad_size_divisor=32)\n"
        "model = dict(data_preprocessor=dict(mean=[1, 2, 3], std=[4, 5, 6]))\n"
        + pipeline("dict(type='Resize', scale=8)"),
        [resize(size=[8, 8]), N123], "BGR",
    ),
    "mmengine with a scope": (
        NEW, "data_preprocessor = dict(mean=[7], std=[8], type='mmpretrain.ClsDataPreprocessor')\n"
        + pipeline("dict(type='mmpretrain.ResizeEdge', scale=9), dict(type='mmcv.CenterCrop', crop_size=8)"),
        [resize(short=9), crop(8, 8), normal([7], [8])], "BGR",
    ),
    "mmdet 2": (
        OLD,
        "test_pipeline = [dict(type='LoadImageFromFile'), dict(type='MultiScaleFlipAug', img_scale=(1000, 600),"
        " flip=False, transforms=[dict(type='Resize'), dict(type='RandomFlip'),"
        " dict(type='Normalize', mean=[1, 2, 3], std=[4, 5, 6], to_rgb=False),"
        " dict(type='Pad', size_divisor=32), dict(type='ImageToTensor', keys=['img'])])]",
        [resize(within=[1000, 600]), N123, {"op": "pad_to", "multiple": 32}], "BGR",
    ),
    "mmdet 3 fills up pixels": (
        NEW,
        "model = dict(data_preprocessor=dict(mean=[1, 2, 3], std=[4, 5, 6], bgr_to_rgb=True, pad_size_divisor=32))\n"
        + pipeline("dict(type='Resize', scale=(320, 240), keep_ratio=True),"
                        " dict(type='Pad', size=(320, 240), pad_val=dict(img=(104, 117, 123), seg=255))"),
        [resize(within=[320, 240]), {"op": "pad_to", "size": [240, 320], "value": [123, 117, 104]}, N123,
         {"op": "pad_to", "multiple": 32}], "RGB",
    ),
    "mmdet 3 fills up a square, and the batch": (
        NEW,
        "model = dict(data_preprocessor=dict(pad_size_divisor=64, pad_value=114))\n"
        + pipeline("dict(type='Resize', scale=64, keep_ratio=True),"
                        " dict(type='Pad', pad_to_square=True, pad_val=dict(img=114.0))"),
        [resize(within=[64, 64]), {"op": "pad_to", "size": [64, 64], "value": [114]},
         {"op": "pad_to", "multiple": 64, "value": [114]}], "BGR",
    ),
}  # fmt: skip


STEPS_OF_3_BY_4 = "dict(pipeline=[dict(type='LoadImageFromFile'), dict(type='Resize', size=(3, 4))])"
FOLLOWED |= {
    f"the steps stand in {where}": (OLD, text, [resize(size=[3, 4])], "BGR")
    for where, text in {
        "a list of data sets": f"data = dict(test=[{STEPS_OF_3_BY_4}, dict(pipeline=[])])",
        "data sets that are joined": f"data = dict(test=dict(type='ConcatDataset', datasets=[{STEPS_OF_3_BY_4}]))",
        "one that repeats, balanced": f"data = dict(test=dict(dataset=dict(dataset={STEPS_OF_3_BY_4})))",
        "the data for validation": f"data = dict(train=dict(pipeline=[]), val={STEPS_OF_3_BY_4})",
        "a loader for validation": f"test_dataloader = None\nval_dataloader = dict(dataset={STEPS_OF_3_BY_4})",
    }.items()
}
READY = "test_dataloader = dict(dataset=dict(type='%s', pipeline=[%sdict(type='PackInputs')]))\n"
FOLLOWED |= {
    "EfficientNet, mmcls": (
        OLD,
        pipeline("dict(type='CenterCrop', crop_size=80, efficientnet_style=True, backend='pillow')"),
        [resize("pillow", short=112), crop(80, 80)],
        "BGR",
    ),
    "EfficientNet, mmpretrain": (
        NEW,
        pipeline("dict(type='EfficientNetCenterCrop', crop_size=80, crop_padding=8, interpolation='bilinear')"),
        [resize(short=88), crop(80, 80)],
        "BGR",
    ),
    "CIFAR's pictures are RGB already": (
        NEW,
        READY % ("mmpretrain.CIFAR10", "") + "data_preprocessor = dict(mean=[1, 2, 3], std=[4, 5, 6], to_rgb=False)",
        [resize(size=[32, 32]), N123],
        "RGB",
    ),
    "CIFAR's pictures made larger": (
        NEW,
        READY % ("CIFAR100", "dict(type='Resize', scale=64), "),
        [resize(size=[64, 64])],
        "RGB",
    ),
    "MNIST": (OLD, "data = dict(test=dict(type='MNIST', pipeline=[]))", [resize(size=[28, 28])], "GRAY"),
    "read as RGB, turned to BGR": (
        NEW,
        "data_preprocessor = dict(mean=[1, 2, 3], std=[4, 5, 6], rgb_to_bgr=True)\n"
        "test_pipeline = [dict(type='LoadImageFromFile', channel_order='rgb'), dict(type='Resize', scale=8)]",
        [resize(size=[8, 8]), N123],
        "BGR",
    ),
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_what_is_followed(name: str) -> None:
    key, text, steps, color = FOLLOWED[name]
    found = of(key, text)
    assert (list(found.picture.steps), found.picture.color) == (steps, color)
    assert found.picture.sizes and found.picture.values and found.notes == ()


NAMED: dict[str, tuple[str, str]] = {
    "RandomErasing": (NEW, "dict(type='Resize', scale=8), dict(type='RandomErasing')"),
    "torchvision/Resize": (NEW, "dict(type='torchvision/Resize', size=8)"),
    "Lambda": (OLD, "dict(type='Lambda', func=lambda x: x)"),
    "interpolation = bicubic": (NEW, "dict(type='ResizeEdge', scale=8, interpolation='bicubic')"),
    "backend = skimage": (OLD, "dict(type='Resize', size=8, backend='skimage')"),
    "edge=long": (NEW, "dict(type='ResizeEdge', scale=8, edge='long')"),
    "scale_factor=2": (NEW, "dict(type='Resize', scale_factor=2)"),
    "adaptive_side=long": (OLD, "dict(type='Resize', size=(8, -1), adaptive_side='long')"),
    "crop_size = 9 > 8": (OLD, "dict(type='Resize', size=(8, -1)), dict(type='CenterCrop', crop_size=9)"),
    "crop_size": (OLD, "dict(type='CenterCrop', crop_size='all')"),
    "mean": (OLD, "dict(type='Normalize', mean=[1, 2, 3], std=[4, 0, 6])"),
    "std": (OLD, "dict(type='Normalize', mean=[1, 2, 3], std=4)"),
    "padding_mode = reflect": (NEW, "dict(type='Pad', size=(8, 8), padding_mode='reflect')"),
    "pad_val": (NEW, "dict(type='Pad', size=(8, 8), pad_val=dict(img='grey'))"),
    "pad_to_square": (NEW, "dict(type='Resize', scale=(8, 9), keep_ratio=True), dict(type='Pad', pad_to_square=True)"),
    "flip": (OLD, "dict(type='MultiScaleFlipAug', img_scale=(8, 8), flip=True, transforms=[])"),
    "EfficientNetCenterCrop.interpolation = bicubic": (NEW, "dict(type='EfficientNetCenterCrop', crop_size=8)"),
    "EfficientNetCenterCrop.crop_size = all": (NEW, "dict(type='EfficientNetCenterCrop', crop_size='all')"),
    "RandomFlip.prob": (NEW, "dict(type='RandomFlip', prob=0.5)"),
    "color_type = unchanged": (NEW, "dict(type='LoadImageFromFile', color_type='unchanged')"),
}


@pytest.mark.parametrize("name", NAMED)
def test_what_is_not_followed_is_named(name: str) -> None:
    key, steps = NAMED[name]
    [note] = of(key, pipeline(steps)).notes
    assert name in note


def test_nothing_said_and_nothing_readable() -> None:
    for text in ("model = dict(type='ImageClassifier')", "test_pipeline = build()", "test_pipeline = 7"):
        assert of(NEW, text).picture == Picture()
    for broken in ("[7, None, [], dict()]", "[dict(type='Resize', scale=(-1, 10**9))]", f"[{'dict(),' * 500}]"):
        found = of(NEW, f"test_pipeline = {broken}")
        assert found.notes and not final_size(found.picture.steps)


def test_a_config_that_is_no_text_is_not_passed_over() -> None:
    for key in (OLD, NEW):
        [note] = read_settings({key: {"model": {"head": {"type": "MultiLabelLinearClsHead"}}}}).notes
        assert "cannot be read" in note
        assert read_settings({key: " "}) == read_settings({key: {}}) == Settings()


def test_values_of_an_unknown_kind_are_not_said() -> None:
    assert not of(NEW, pipeline("dict(type='torchvision/Normalize', mean=[1], std=[2])")).picture.values


# -- and in the network's input ----------------------------------------------------------------------------------------

USUAL = imagenet_input()
EVERYTHING = ("input_size", "resize", "normalize", "color")
AS_TRAINED: dict[str, tuple[Picture, list[int], str, list[dict[str, Any]], tuple[str, ...]]] = {
    "nothing is said": (Picture(), [224, 224], "RGB", USUAL.steps, EVERYTHING),
    "everything is": (
        Picture((resize(size=[8, 9]), normal([1], [2])), "BGR", True, True),
        [8, 9], "BGR", [resize(size=[8, 9]), normal([1, 1, 1], [2, 2, 2])], (),
    ),
    "all pictures are of one size, which is not said": (
        Picture((N123,), "BGR", True, True), [224, 224], "BGR", [*USUAL.steps[:2], N123], ("input_size", "resize"),
    ),
    "a size that depends on the picture": (
        Picture((resize("pillow", short=64), N123), "RGB", True, True), [64, 64], "RGB",
        [resize("pillow", size=[64, 64]), N123], ("input_size", "resize"),
    ),
    "another, and a multiple": (
        Picture((resize(within=[90, 60]), {"op": "pad_to", "multiple": 32}), "RGB", True, True), [64, 96], "RGB",
        [resize(size=[60, 90]), {"op": "pad_to", "multiple": 32}], ("input_size", "resize"),
    ),
    "only the preprocessor": (Picture((N123,), "BGR", False, True), [224, 224], "BGR", [*USUAL.steps[:2], N123],
                              ("input_size", "resize")),
    "values that cannot be": (
        Picture((resize(size=[8, 9]),), "RGB", True, False), [8, 9], "RGB", [resize(size=[8, 9]), USUAL.steps[2]],
        ("normalize",),
    ),
    "letterbox": (
        Picture((resize(within=[8, 8]), {"op": "pad_to", "size": [8, 8], "value": [114]}), "BGR", True, True),
        [8, 8], "BGR", [resize(within=[8, 8]), {"op": "pad_to", "size": [8, 8], "value": [114, 114, 114]}], (),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", AS_TRAINED)
def test_a_classifier_as_trained(name: str) -> None:
    picture, size, color, steps, assumed = AS_TRAINED[name]
    entry, unknown = input_as_trained(USUAL, picture)
    assert (entry.shape[2:], entry.color, entry.steps, unknown) == (size, color, steps, assumed)


GREY = {"op": "pad_to", "size": [64, 64], "value": [114, 114, 114]}
ZEROS = {"op": "pad_to", "size": [64, 64]}
IMAGENET = USUAL.steps[2]
FILLED: dict[str, tuple[Picture, bool, list[dict[str, Any]]]] = {
    "before": (Picture(({**GREY, "value": [114]}, N123), "RGB", True, True), True, [GREY, N123]),
    "before, with zeros": (Picture((ZEROS, N123), "RGB", True, True), True, [ZEROS, N123]),
    "after": (Picture((N123, {"op": "pad_to", "multiple": 32}), "RGB", True, True), True, [N123, ZEROS]),
    "after, not with zeros": (Picture((N123, GREY), "RGB", True, True), True, [N123, GREY]),
    "twice": (Picture((GREY, N123, {"op": "pad_to", "multiple": 32}), "RGB", True, True), True, [GREY, N123]),
    "not said": (Picture((N123,), "RGB", True, True), True, [N123, ZEROS]),
    "nothing said": (Picture(), True, [IMAGENET, ZEROS]),
    "squashed": (Picture((N123,), "RGB", True, True), False, [N123]),
    "of pixels, with unknown values": (Picture((GREY,), "RGB", True, False), True, [GREY, IMAGENET]),
    "pixels as they are": (Picture((), "BGR", True, True), True, [ZEROS]),
}


@pytest.mark.parametrize("name", FILLED)
def test_what_a_detectors_picture_is_filled_up_with(name: str) -> None:
    picture, keep_ratio, after = FILLED[name]
    entry = fixed_input(picture, (64, 64), (64, 64), keep_ratio)
    assert entry.steps[1:] == after
    assert entry.color == (picture.color or "RGB")


def test_what_a_detectors_config_does_not_say() -> None:
    assert unsaid(Picture(), size_given=False) == ("input_size", "resize", "color", "normalize")
    assert unsaid(Picture(), size_given=True) == ("resize", "color", "normalize")
    said = Picture((resize(within=[8, 8]), N123), "RGB", True, True)
    assert unsaid(said, size_given=False) == ()
