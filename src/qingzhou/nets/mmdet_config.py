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
from .config_text import Unknown, Unreadable, parse
from .settings import Anchors, Numbers, Picture, Settings, Stage

MOST_LEVELS, MOST_SHAPES, MOST_STEPS = 16, 64, 100  # more is no detector
LEAST, MOST_COUNT = 1e-3, 1 << 13  # of sizes; of boxes and pixels


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
        model = _at(self.names, "model")
        tests = _first(_at(model, "test_cfg"), _at(self.names, "test_cfg"))
        two = _at(model, "rpn_head") is not None
        first = "rpn_head" if two else "bbox_head"
        found = Settings(
            only=Stage() if two else self.stage(tests, "test_cfg"),
            proposals=self.stage(_at(tests, "rpn"), "test_cfg.rpn"),
            regions=self.stage(_at(tests, "rcnn"), "test_cfg.rcnn"),
            anchors=self.anchors(_at(model, first), first),
            stds=self.stds(model, "roi_head", "bbox_head") if two else self.stds(model, "bbox_head"),
            proposal_stds=self.stds(model, "rpn_head"),
            picture=self.picture(model),
            caffe=_at(model, "backbone", "style") == "caffe",
        )
        self.norms(model)
        for path, done in FOLLOWED.items():
            self.expect(_at(model, *path.split(".")), done, path)
        return replace(found, notes=tuple(self.notes()))

    def expect(self, value: Any, done: Sequence[Any], name: str) -> None:
        """Take down a setting that is there and is none of these; of several numbers each must be."""
        values = value[:MOST_SHAPES] if isinstance(value, tuple) else (value,)
        if value is not None and any(one not in done for one in values):
            self.strange.append(f"{name} = {', '.join(short(one, 40) for one in values[:4])}")

    def norms(self, model: Any) -> None:
        """BatchNorm's eps in detectors: SSDLite's networks have 1e-3 everywhere, the others torch's 1e-5."""
        lite = _kind(_at(model, "neck")) == "SSDNeck"
        found = ("backbone", "neck") if "neck" in (model or ()) else ()
        for part in (*found, *(["bbox_head"] if lite else [])):
            eps = _first(_at(model, part, "norm_cfg", "eps"), 1e-5)
            self.expect(eps, (1e-3 if lite else 1e-5,), f"{part}.norm_cfg.eps")

    def stage(self, test: Any, name: str) -> Stage:
        """One test_cfg; before mmdet 2.4 with nms_thr and max_num."""
        nms = _at(test, "nms")
        self.expect(_kind(nms), ("nms",), f"{name}.nms.type")
        self.expect(_at(nms, "class_agnostic"), (False,), f"{name}.nms.class_agnostic")
        self.expect(_at(test, "min_bbox_size"), (-1, 0), f"{name}.min_bbox_size")
        iou = _first(_at(nms, "iou_threshold"), _at(nms, "iou_thr"), _at(test, "nms_thr"))
        return Stage(
            score=_share(_at(test, "score_thr")),
            iou=_share(iou),
            candidates=_count(_at(test, "nms_pre")),
            most=_count(_first(_at(test, "max_per_img"), _at(test, "max_num"))),
            confidence=_share(_at(test, "conf_thr")),
        )

    def anchors(self, head: Any, name: str) -> Anchors:
        """The anchor generator of a head."""
        maker = _first(_at(head, "anchor_generator"), _at(head, "prior_generator"))
        kind, strides = _kind(maker), _sizes(_at(maker, "strides"))
        self.expect(kind, tuple(GENERATORS), f"{name}.anchor_generator.type")
        self.expect(_at(maker, "center_offset"), (0,), f"{name}.anchor_generator.center_offset")
        self.expect(_at(maker, "centers"), (), f"{name}.anchor_generator.centers")
        if kind == "AnchorGenerator":
            self.expect(_sizes(_at(maker, "base_sizes")), strides, f"{name}.anchor_generator.base_sizes")
            self.expect(_at(maker, "scale_major"), (True,), f"{name}.anchor_generator.scale_major")
        found = GENERATORS[kind](maker, strides) if kind in GENERATORS else Anchors()
        if maker is not None and not found.kind:
            self.strange.append(f"{name}.anchor_generator")
        return found

    def stds(self, model: Any, *path: str) -> Numbers | None:
        """target_stds of a box coder of four deltas."""
        coder, name = _at(model, *path, "bbox_coder"), ".".join((*path, "bbox_coder"))
        self.expect(_kind(coder), ("DeltaXYWHBBoxCoder", "YOLOBBoxCoder"), f"{name}.type")
        self.expect(_at(coder, "clip_border"), (True,), f"{name}.clip_border")
        self.expect(_at(coder, "add_ctr_clamp"), (False,), f"{name}.add_ctr_clamp")
        self.expect(_at(coder, "target_means"), (0,), f"{name}.target_means")
        stds = _numbers(_at(coder, "target_stds"))
        return stds if len(stds) == 4 else None

    def picture(self, model: Any) -> Picture:
        """The steps of the test pipeline, and what the data_preprocessor of mmengine's tools does after them."""
        found: dict[str, Any] = {}
        for step in islice(_flat(_pipeline(self.names)), MOST_STEPS):
            said = STEPS.get(_kind(step) or "", lambda step: {})(step)
            found |= {name: value for name, value in said.items() if value is not None}
            self.expect(_at(step, "interpolation"), ("bilinear",), f"test_pipeline.{_kind(step)}.interpolation")
            self.expect(_at(step, "pad_to_square"), (False,), f"test_pipeline.{_kind(step)}.pad_to_square")
        for maker in (_at(self.names, "data_preprocessor"), _at(model, "data_preprocessor")):
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
        data = _at(names, *path)
        while _at(data, "pipeline") is None and _at(data, "dataset") is not None:
            data = _at(data, "dataset")
        if _at(data, "pipeline") is not None:
            return _at(data, "pipeline")
    return _at(names, "test_pipeline")


def _flat(steps: Any, depth: int = 0) -> Iterator[Any]:
    """The steps, each followed by those inside it; MultiScaleFlipAug and TestTimeAug hold others."""
    for step in steps if isinstance(steps, tuple) and depth < 3 else ():
        yield step
        yield from _flat(_at(step, "transforms"), depth + 1)


def _resize(step: Any) -> dict[str, Any]:
    """mmdet: img_scale or scale; mmcls: size, where (256, -1) is the short side."""
    scale, size = _first(_at(step, "scale"), _at(step, "img_scale")), _at(step, "size")
    found = {"keep_ratio": _truth(_at(step, "keep_ratio")), "backend": _backend(step)}
    if size is None:
        return {**found, "scale": _pair(scale)}
    if isinstance(size, tuple) and len(size) == 2 and size[1] == -1:
        return {"short": _count(size[0]), "backend": _backend(step)}
    height_width = _pair(size)
    return {**found, "scale": height_width and height_width[::-1]}


def _edge(step: Any) -> dict[str, Any]:
    short_side = _count(_at(step, "scale")) if _at(step, "edge") in (None, "short") else None
    return {"short": short_side, "backend": _backend(step)}


def _normalize(step: Any) -> dict[str, Any]:
    mean, std = _numbers(_at(step, "mean")), _numbers(_at(step, "std"))
    rgb = _first(*(_truth(_at(step, name)) for name in ("to_rgb", "bgr_to_rgb")))
    fits = len(mean) == len(std) == 3 and min(std) > 0
    both = {"mean": mean, "std": std, "rgb": bool(rgb)} if fits else {}
    return {**both, "multiple": _count(_at(step, "pad_size_divisor"))}


STEPS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "MultiScaleFlipAug": lambda step: {"scale": _pair(_at(step, "img_scale"))},
    "Resize": _resize,
    "FixScaleResize": _resize,
    "ResizeEdge": _edge,
    "CenterCrop": lambda step: {"crop": _pair(_at(step, "crop_size"))},
    "Normalize": _normalize,
    "Pad": lambda step: {"multiple": _count(_at(step, "size_divisor"))},
}


def _backend(step: Any) -> str | None:
    backend = _at(step, "backend")
    return backend if backend in ("cv2", "pillow") else None


# -- anchors -----------------------------------------------------------------------------------------------------------


def _ssd(maker: Any, strides: Numbers) -> Anchors:
    smallest, largest = (_sizes(_at(maker, name)) for name in ("min_sizes", "max_sizes"))
    if not (smallest or largest):
        smallest, largest = _ssd_sizes(maker, len(strides))
    ratios = _rows(_at(maker, "ratios"))
    complete = 0 < len(strides) == len(ratios) == len(smallest) == len(largest)
    return Anchors("SSD", strides, ratios, smallest=smallest, largest=largest) if complete else Anchors()


def _yolo(maker: Any, strides: Numbers) -> Anchors:
    levels = _at(maker, "base_sizes")
    sizes = tuple(map(_rows, levels[:MOST_LEVELS])) if isinstance(levels, tuple) else ()
    complete = 0 < len(strides) == len(sizes) and all(len(pair) == 2 for level in sizes for pair in level)
    return Anchors("YOLO", strides, sizes=sizes) if complete else Anchors()


def _rpn(maker: Any, strides: Numbers) -> Anchors:
    ratios, scales = _sizes(_at(maker, "ratios")), _scales(maker)
    return Anchors("RPN", strides, (ratios,), scales) if strides and ratios and scales else Anchors()


GENERATORS: dict[str, Callable[[Any, Numbers], Anchors]] = {
    "SSDAnchorGenerator": _ssd, "YOLOAnchorGenerator": _yolo, "AnchorGenerator": _rpn,
}  # fmt: skip


def _ssd_sizes(maker: Any, levels: int) -> tuple[Numbers, Numbers]:
    """min_sizes and max_sizes where only their range is given: SSD300 and SSD512 (Liu et al. 2016, 2.2).

    The range is cut into whole percents of the picture; the finest level is set apart, smaller.
    """
    side, span = _count(_at(maker, "input_size")) or 300, _numbers(_at(maker, "basesize_ratio_range")) or (0.15, 0.9)
    finest = {(300, 15): (7, 15), (300, 20): (10, 20), (512, 10): (4, 10), (512, 15): (7, 15)}
    first, last = int(span[0] * 100), int(span[-1] * 100)
    if levels < 3 or not first < last <= 100 or (side, first) not in finest:
        return (), ()
    step = (last - first) // (levels - 2)
    percents = [finest[side, first]] + [(percent, percent + step) for percent in range(first, last + 1, max(step, 1))]
    return tuple(side * low // 100 for low, _ in percents), tuple(side * high // 100 for _, high in percents)


def _scales(maker: Any) -> Numbers:
    """`scales`, or octave_base_scale in scales_per_octave steps to twice that."""
    base, steps = _sizes(_at(maker, "octave_base_scale")), _count(_at(maker, "scales_per_octave"))
    if base and steps and steps <= MOST_SHAPES:
        return tuple(base[0] * 2 ** (i / steps) for i in range(steps))
    return _sizes(_at(maker, "scales"))


# -- values of a text --------------------------------------------------------------------------------------------------


def _at(value: Any, *path: str) -> Any:
    """What lies at the end of a path of keys; None where nothing does, or nothing that we read."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return None if isinstance(value, Unknown) else value


def _first(*values: Any) -> Any:
    """The first that is there."""
    return next((value for value in values if value is not None), None)


def _kind(made: Any) -> str | None:
    """The type's own name, without package and scope: "mmdet.AnchorGenerator" is AnchorGenerator."""
    kind = _at(made, "type")
    return kind.rpartition(".")[2] if isinstance(kind, str) else None


def _truth(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    return value if type(value) in (int, float) else None


def _share(value: Any) -> float | None:
    number = _number(value)
    return float(number) if number is not None and 0 <= number <= 1 else None


def _count(value: Any) -> int | None:
    """A positive whole number; mmdet writes -1 for "all", which is no number here."""
    return value if type(value) is int and 0 < value <= MOST_COUNT else None


def _pair(value: Any) -> tuple[int, int] | None:
    """Two positive numbers, from one or two; the first where several scales are listed."""
    while isinstance(value, tuple) and value and isinstance(value[0], tuple):
        value = value[0]
    first, *rest = value if isinstance(value, tuple) and value else (value,)
    width, height = _count(first), _count(rest[0] if rest else first)
    return None if width is None or height is None or len(rest) > 1 else (width, height)


def _numbers(value: Any) -> Numbers:
    """A tuple of numbers, from one or several; else empty."""
    items = value[:MOST_SHAPES] if isinstance(value, tuple) else (value,)
    return tuple(items) if all(_number(item) is not None for item in items) else ()


def _sizes(value: Any) -> Numbers:
    """Positive numbers, where one may stand for a pair of equal ones; else empty."""
    items = value[:MOST_SHAPES] if isinstance(value, tuple) else (value,)
    pairs = [_numbers(item) for item in items]
    good = all(pair and LEAST <= min(pair) == max(pair) <= MOST_COUNT for pair in pairs)
    return tuple(pair[0] for pair in pairs) if good else ()


def _rows(value: Any) -> tuple[Numbers, ...]:
    """A tuple of tuples of positive numbers."""
    rows = tuple(map(_sizes, value[:MOST_SHAPES])) if isinstance(value, tuple) else ()
    return rows if all(rows) else ()
