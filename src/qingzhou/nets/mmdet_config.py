"""What the config text inside a checkpoint of mmdet, mmcls or mmpretrain says of the network's use.

mmcv writes it as meta["config"], mmengine as meta["cfg"]; MMEdu's checkpoints have none. Shapes show nothing of this:
anchors, thresholds, how pictures are prepared, and where a bottleneck of ResNet has its stride.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from ..checkpoint.refusals import short
from ..errors import say
from .config_text import Unreadable, parse
from .config_values import MOST_SHAPES, at, count, first, numbers, pair, rows, share, sizes, truth, type_name
from .mmcls_config import read_layers
from .settings import Anchors, Numbers, Picture, Settings, Stage

MOST_LEVELS, MOST_STEPS = 16, 100  # more is no detector


def read_settings(meta: Mapping[str, Any]) -> Settings:
    """The settings in a checkpoint's meta; never an error: a text that cannot be read gives none, and a note."""
    text = next((text for key in ("config", "cfg") if isinstance(text := meta.get(key), str) and text.strip()), None)
    if text is None:
        return Settings()
    try:
        return _Config(parse(text)).settings()
    except Unreadable:
        return Settings(notes=(_unreadable(),))


# Settings that shapes do not show: what we do, at each path in the model
FOLLOWED: dict[str, tuple[Any, ...]] = {
    "backbone.style": ("pytorch", "caffe"),
    "neck.upsample_cfg.mode": ("nearest",),
    "neck.level_strides": (2,),
    "neck.level_paddings": (1,),
    "rpn_head.loss_cls.use_sigmoid": (True,),
    "roi_head.bbox_head.loss_cls.use_sigmoid": (False,),
    "roi_head.bbox_roi_extractor.finest_scale": (56,),
    "roi_head.bbox_roi_extractor.featmap_strides": (4, 8, 16, 32),
    "roi_head.bbox_roi_extractor.roi_layer.type": ("RoIAlign",),
    "roi_head.bbox_roi_extractor.roi_layer.sampling_ratio": (0,),
    "roi_head.bbox_roi_extractor.roi_layer.aligned": (True,),
    "roi_head.mask_roi_extractor.finest_scale": (56,),
    "roi_head.mask_roi_extractor.roi_layer.type": ("RoIAlign",),
    "roi_head.mask_roi_extractor.roi_layer.sampling_ratio": (0,),
    "roi_head.mask_roi_extractor.roi_layer.aligned": (True,),
    "roi_head.mask_roi_extractor.roi_layer.output_size": (14,),
    "test_cfg.rcnn.mask_thr_binary": (0.5,),
}


@dataclass
class _Config:
    """The values of a text, and what we met in it that we do not follow."""

    names: Mapping[str, Any]
    strange: list[str] = field(default_factory=list)

    def settings(self) -> Settings:
        """Everything; the notes come last, when all has been looked at."""
        model = at(self.names, "model")
        tests = first(at(model, "test_cfg"), at(self.names, "test_cfg"))
        two = at(model, "rpn_head") is not None
        dense = "rpn_head" if two else "bbox_head"
        layers, unknown = read_layers(model)
        found = Settings(
            only=Stage() if two else self.stage(tests, "test_cfg"),
            proposals=self.stage(at(tests, "rpn"), "test_cfg.rpn"),
            regions=self.stage(at(tests, "rcnn"), "test_cfg.rcnn"),
            anchors=self.anchors(at(model, dense), dense),
            stds=self.stds(model, "roi_head", "bbox_head") if two else self.stds(model, "bbox_head"),
            proposal_stds=self.stds(model, "rpn_head"),
            picture=self.picture(model),
            caffe=at(model, "backbone", "style") == "caffe",
            layers=layers,
        )
        self.norms(model)
        for path, done in FOLLOWED.items():
            self.expect(at(model, *path.split(".")), done, path)
        self.strange += unknown
        return replace(found, notes=tuple(self.notes()))

    def expect(self, value: Any, done: Sequence[Any], name: str) -> None:
        """Take down a setting that is there and is none of these; of several numbers each must be."""
        values = value[:MOST_SHAPES] if isinstance(value, tuple) else (value,)
        if value is not None and any(one not in done for one in values):
            self.strange.append(f"{name} = {', '.join(short(one, 40) for one in values[:4])}")

    def norms(self, model: Any) -> None:
        """BatchNorm's eps in detectors: SSDLite's networks have 1e-3 everywhere, the others torch's 1e-5."""
        if "head" in (model or ()):  # a classifier's are followed
            return
        lite = type_name(at(model, "neck")) == "SSDNeck"
        found = ("backbone", "neck") if "neck" in (model or ()) else ()
        for part in (*found, *(["bbox_head"] if lite else [])):
            eps = first(at(model, part, "norm_cfg", "eps"), 1e-5)
            self.expect(eps, (1e-3 if lite else 1e-5,), f"{part}.norm_cfg.eps")

    def stage(self, test: Any, name: str) -> Stage:
        """One test_cfg; before mmdet 2.4 with nms_thr and max_num."""
        nms = at(test, "nms")
        self.expect(type_name(nms), ("nms",), f"{name}.nms.type")
        self.expect(at(nms, "class_agnostic"), (False,), f"{name}.nms.class_agnostic")
        self.expect(at(test, "min_bbox_size"), (-1, 0), f"{name}.min_bbox_size")
        iou = first(at(nms, "iou_threshold"), at(nms, "iou_thr"), at(test, "nms_thr"))
        return Stage(
            score=share(at(test, "score_thr")),
            iou=share(iou),
            candidates=count(at(test, "nms_pre")),
            most=count(first(at(test, "max_per_img"), at(test, "max_num"))),
            confidence=share(at(test, "conf_thr")),
        )

    def anchors(self, head: Any, name: str) -> Anchors:
        """The anchor generator of a head."""
        maker = first(at(head, "anchor_generator"), at(head, "prior_generator"))
        kind, strides = type_name(maker), sizes(at(maker, "strides"))
        self.expect(kind, tuple(GENERATORS), f"{name}.anchor_generator.type")
        self.expect(at(maker, "center_offset"), (0,), f"{name}.anchor_generator.center_offset")
        self.expect(at(maker, "centers"), (), f"{name}.anchor_generator.centers")
        if kind == "AnchorGenerator":
            self.expect(sizes(at(maker, "base_sizes")), strides, f"{name}.anchor_generator.base_sizes")
            self.expect(at(maker, "scale_major"), (True,), f"{name}.anchor_generator.scale_major")
        found = GENERATORS[kind](maker, strides) if kind in GENERATORS else Anchors()
        if maker is not None and not found.kind:
            self.strange.append(f"{name}.anchor_generator")
        return found

    def stds(self, model: Any, *path: str) -> Numbers | None:
        """target_stds of a box coder of four deltas."""
        coder, name = at(model, *path, "bbox_coder"), ".".join((*path, "bbox_coder"))
        self.expect(type_name(coder), ("DeltaXYWHBBoxCoder", "YOLOBBoxCoder"), f"{name}.type")
        self.expect(at(coder, "clip_border"), (True,), f"{name}.clip_border")
        self.expect(at(coder, "add_ctr_clamp"), (False,), f"{name}.add_ctr_clamp")
        self.expect(at(coder, "target_means"), (0,), f"{name}.target_means")
        stds = numbers(at(coder, "target_stds"))
        return stds if len(stds) == 4 else None

    def picture(self, model: Any) -> Picture:
        """The steps of the test pipeline, and what the data_preprocessor of mmengine's tools does after them."""
        found: dict[str, Any] = {}
        for step in islice(_flat(_pipeline(self.names)), MOST_STEPS):
            said = STEPS.get(type_name(step) or "", lambda step: {})(step)
            found |= {name: value for name, value in said.items() if value is not None}
            self.expect(at(step, "interpolation"), ("bilinear",), f"test_pipeline.{type_name(step)}.interpolation")
            self.expect(at(step, "pad_to_square"), (False,), f"test_pipeline.{type_name(step)}.pad_to_square")
        for maker in (at(self.names, "data_preprocessor"), at(model, "data_preprocessor")):
            found |= {name: value for name, value in _normalize(maker).items() if value is not None}
        return Picture(**found)

    def notes(self) -> Iterator[str]:
        """One note for all that is strange."""
        if self.strange:
            names = ", ".join(short(text, 80) for text in self.strange[:10])
            yield say(
                en=f"These settings of the training's config are not followed here, so answers may differ: {names}.",
                zh=f"训练配置中的这些设置在这里没有采用，结果可能与训练时不同：{names}。",
            )


def _unreadable() -> str:
    return say(
        en="The training's config in the file cannot be read, so the tool's usual settings are used (thresholds, "
        "anchors, preparation of pictures). Compare some answers with those of the training program.",
        zh="文件中的训练配置无法读取，因此使用该工具的常用设置（阈值、锚框、图片预处理）。请与训练程序的结果比较几个例子。",
    )


# -- pictures ----------------------------------------------------------------------------------------------------------


def _pipeline(names: Mapping[str, Any]) -> Any:
    """That of the data set which mmdet's and mmengine's test programs use; else the name that all configs give it."""
    for path in (("test_dataloader", "dataset"), ("data", "test")):
        data = at(names, *path)
        while at(data, "pipeline") is None and at(data, "dataset") is not None:
            data = at(data, "dataset")
        if at(data, "pipeline") is not None:
            return at(data, "pipeline")
    return at(names, "test_pipeline")


def _flat(steps: Any, depth: int = 0) -> Iterator[Any]:
    """The steps, each followed by those inside it; MultiScaleFlipAug and TestTimeAug hold others."""
    for step in steps if isinstance(steps, tuple) and depth < 3 else ():
        yield step
        yield from _flat(at(step, "transforms"), depth + 1)


def _resize(step: Any) -> dict[str, Any]:
    """mmdet: img_scale or scale; mmcls: size, where (256, -1) is the short side."""
    scale, size = first(at(step, "scale"), at(step, "img_scale")), at(step, "size")
    found = {"keep_ratio": truth(at(step, "keep_ratio")), "backend": _backend(step)}
    if size is None:
        return {**found, "scale": pair(scale)}
    if isinstance(size, tuple) and len(size) == 2 and size[1] == -1:
        return {"short": count(size[0]), "backend": _backend(step)}
    height_width = pair(size)
    return {**found, "scale": height_width and height_width[::-1]}


def _edge(step: Any) -> dict[str, Any]:
    short_side = count(at(step, "scale")) if at(step, "edge") in (None, "short") else None
    return {"short": short_side, "backend": _backend(step)}


def _normalize(step: Any) -> dict[str, Any]:
    mean, std = numbers(at(step, "mean")), numbers(at(step, "std"))
    rgb = first(*(truth(at(step, name)) for name in ("to_rgb", "bgr_to_rgb")))
    fits = len(mean) == len(std) == 3 and min(std) > 0
    both = {"mean": mean, "std": std, "rgb": bool(rgb)} if fits else {}
    return {**both, "multiple": count(at(step, "pad_size_divisor"))}


STEPS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "MultiScaleFlipAug": lambda step: {"scale": pair(at(step, "img_scale"))},
    "Resize": _resize,
    "FixScaleResize": _resize,
    "ResizeEdge": _edge,
    "CenterCrop": lambda step: {"crop": pair(at(step, "crop_size"))},
    "Normalize": _normalize,
    "Pad": lambda step: {"multiple": count(at(step, "size_divisor"))},
}


def _backend(step: Any) -> str | None:
    backend = at(step, "backend")
    return backend if backend in ("cv2", "pillow") else None


# -- anchors -----------------------------------------------------------------------------------------------------------


def _ssd(maker: Any, strides: Numbers) -> Anchors:
    smallest, largest = (sizes(at(maker, name)) for name in ("min_sizes", "max_sizes"))
    if not (smallest or largest):
        smallest, largest = _ssd_sizes(maker, len(strides))
    ratios = rows(at(maker, "ratios"))
    complete = 0 < len(strides) == len(ratios) == len(smallest) == len(largest)
    return Anchors("SSD", strides, ratios, smallest=smallest, largest=largest) if complete else Anchors()


def _yolo(maker: Any, strides: Numbers) -> Anchors:
    levels = at(maker, "base_sizes")
    sizes = tuple(map(rows, levels[:MOST_LEVELS])) if isinstance(levels, tuple) else ()
    complete = 0 < len(strides) == len(sizes) and all(len(pair) == 2 for level in sizes for pair in level)
    return Anchors("YOLO", strides, sizes=sizes) if complete else Anchors()


def _rpn(maker: Any, strides: Numbers) -> Anchors:
    ratios, scales = sizes(at(maker, "ratios")), _scales(maker)
    return Anchors("RPN", strides, (ratios,), scales) if strides and ratios and scales else Anchors()


GENERATORS: dict[str, Callable[[Any, Numbers], Anchors]] = {
    "SSDAnchorGenerator": _ssd, "YOLOAnchorGenerator": _yolo, "AnchorGenerator": _rpn,
}  # fmt: skip


def _ssd_sizes(maker: Any, levels: int) -> tuple[Numbers, Numbers]:
    """min_sizes and max_sizes where only their range is given: SSD300 and SSD512 (Liu et al. 2016, 2.2).

    The range is cut into whole percents of the picture; the finest level is set apart, smaller.
    """
    side, span = count(at(maker, "input_size")) or 300, numbers(at(maker, "basesize_ratio_range")) or (0.15, 0.9)
    finest = {(300, 15): (7, 15), (300, 20): (10, 20), (512, 10): (4, 10), (512, 15): (7, 15)}
    first, last = int(span[0] * 100), int(span[-1] * 100)
    if levels < 3 or not first < last <= 100 or (side, first) not in finest:
        return (), ()
    step = (last - first) // (levels - 2)
    percents = [finest[side, first]] + [(percent, percent + step) for percent in range(first, last + 1, max(step, 1))]
    return tuple(side * low // 100 for low, _ in percents), tuple(side * high // 100 for _, high in percents)


def _scales(maker: Any) -> Numbers:
    """`scales`, or octave_base_scale in scales_per_octave steps to twice that."""
    base, steps = sizes(at(maker, "octave_base_scale")), count(at(maker, "scales_per_octave"))
    if base and steps and steps <= MOST_SHAPES:
        return tuple(base[0] * 2 ** (i / steps) for i in range(steps))
    return sizes(at(maker, "scales"))
