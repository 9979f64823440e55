"""What the config text inside a checkpoint of mmdet, mmcls or mmpretrain says of the network's use.

mmcv writes it as meta["config"], mmengine as meta["cfg"]; MMEdu's checkpoints have none. Shapes show nothing of this:
anchors, thresholds, where a bottleneck of ResNet has its stride, and (pipeline.py) how pictures are prepared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...errors import say
from ...files.refusals import short
from ...nets.settings import Anchors, Numbers, Settings, Stage
from .config_text import Unreadable, parse
from .config_values import MOST_SHAPES, at, count, first, numbers, rows, share, sizes, type_name
from .layers import read_layers
from .pipeline import read_picture

MOST_LEVELS = 16  # more is no detector


def read_settings(meta: Mapping[str, object]) -> Settings:
    """The settings in a checkpoint's meta; never an error: what is no text that can be read gives none, and a note."""
    found = {key: meta[key] for key in ("config", "cfg") if meta.get(key)}
    found = {key: text for key, text in found.items() if not isinstance(text, str) or text.strip()}
    if not found:
        return Settings()
    key, text = next(iter(found.items()))
    try:
        return _Config(parse(text), modern=key == "cfg").settings()
    except Unreadable:
        return Settings(notes=(_unreadable(),))


# Settings that shapes do not show: what we do, at each path in the model
FOLLOWED: dict[str, tuple[object, ...]] = {
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

    names: Mapping[str, object]
    modern: bool  # written by mmcv 2
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
            picture=read_picture(self.names, model, self.modern, self.strange),
            caffe=at(model, "backbone", "style") == "caffe",
            layers=layers,
        )
        self.norms(model)
        for path, done in FOLLOWED.items():
            self.expect(at(model, *path.split(".")), done, path)
        self.strange += unknown
        return replace(found, notes=tuple(self.notes()))

    def expect(self, value: object, done: Sequence[object], name: str) -> None:
        """Take down a setting that is there and is none of these; of several numbers each must be."""
        values = value[:MOST_SHAPES] if isinstance(value, tuple) else (value,)
        if value is not None and any(one not in done for one in values):
            self.strange.append(f"{name} = {', '.join(short(one, 40) for one in values[:4])}")

    def norms(self, model: object) -> None:
        """BatchNorm's eps in detectors: SSDLite's networks have 1e-3 everywhere, the others torch's 1e-5."""
        parts = model if isinstance(model, dict) else {}
        if "head" in parts:  # a classifier's are followed
            return
        lite = type_name(at(model, "neck")) == "SSDNeck"
        found = ("backbone", "neck") if "neck" in parts else ()
        for part in (*found, *(["bbox_head"] if lite else [])):
            eps = first(at(model, part, "norm_cfg", "eps"), 1e-5)
            self.expect(eps, (1e-3 if lite else 1e-5,), f"{part}.norm_cfg.eps")

    def stage(self, test: object, name: str) -> Stage:
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

    def anchors(self, head: object, name: str) -> Anchors:
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

    def stds(self, model: object, *path: str) -> Numbers | None:
        """target_stds of a box coder of four deltas."""
        coder, name = at(model, *path, "bbox_coder"), ".".join((*path, "bbox_coder"))
        self.expect(type_name(coder), ("DeltaXYWHBBoxCoder", "YOLOBBoxCoder"), f"{name}.type")
        self.expect(at(coder, "clip_border"), (True,), f"{name}.clip_border")
        self.expect(at(coder, "add_ctr_clamp"), (False,), f"{name}.add_ctr_clamp")
        self.expect(at(coder, "target_means"), (0,), f"{name}.target_means")
        stds = numbers(at(coder, "target_stds"))
        return stds if len(stds) == 4 else None

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


# -- anchors -----------------------------------------------------------------------------------------------------------


def _ssd(maker: object, strides: Numbers) -> Anchors:
    smallest, largest = (sizes(at(maker, name)) for name in ("min_sizes", "max_sizes"))
    if not (smallest or largest):
        smallest, largest = _ssd_sizes(maker, len(strides))
    ratios = rows(at(maker, "ratios"))
    complete = 0 < len(strides) == len(ratios) == len(smallest) == len(largest)
    return Anchors("SSD", strides, ratios, smallest=smallest, largest=largest) if complete else Anchors()


def _yolo(maker: object, strides: Numbers) -> Anchors:
    levels = at(maker, "base_sizes")
    sizes = tuple(map(rows, levels[:MOST_LEVELS])) if isinstance(levels, tuple) else ()
    complete = 0 < len(strides) == len(sizes) and all(len(pair) == 2 for level in sizes for pair in level)
    return Anchors("YOLO", strides, sizes=sizes) if complete else Anchors()


def _rpn(maker: object, strides: Numbers) -> Anchors:
    ratios, scales = sizes(at(maker, "ratios")), _scales(maker)
    return Anchors("RPN", strides, (ratios,), scales) if strides and ratios and scales else Anchors()


GENERATORS: dict[str, Callable[[object, Numbers], Anchors]] = {
    "SSDAnchorGenerator": _ssd,
    "YOLOAnchorGenerator": _yolo,
    "AnchorGenerator": _rpn,
}


def _ssd_sizes(maker: object, levels: int) -> tuple[Numbers, Numbers]:
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


def _scales(maker: object) -> Numbers:
    """`scales`, or octave_base_scale in scales_per_octave steps to twice that."""
    base, steps = sizes(at(maker, "octave_base_scale")), count(at(maker, "scales_per_octave"))
    if base and steps and steps <= MOST_SHAPES:
        return tuple(base[0] * 2 ** (i / steps) for i in range(steps))
    return sizes(at(maker, "scales"))
