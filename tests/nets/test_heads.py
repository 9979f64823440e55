"""What a classifier's config says of its layers and its shapes do not show: followed exactly, or refused, or named.

Numbers are from tests/oracle/heads/make.py: the original definitions, run by torch.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

ORACLE = Path(__file__).parents[1] / "oracle"
sys.path[:0] = [str(ORACLE), str(ORACLE / "families")]

import recipe  # noqa: E402
from rebuild import draw  # noqa: E402

import qingzhou  # noqa: E402
from makers import write_checkpoint  # noqa: E402
from qingzhou.engines import compile_for  # noqa: E402
from qingzhou.errors import EngineError, UnsupportedCheckpoint  # noqa: E402
from qingzhou.graph.fold import simplify  # noqa: E402
from qingzhou.nets.match import recognise  # noqa: E402
from qingzhou.nets.recorded import Wanted  # noqa: E402
from qingzhou.onnxfile.emit import emit  # noqa: E402
from qingzhou.onnxfile.write import write_onnx  # noqa: E402
from qingzhou.sources.network import Network  # noqa: E402
from qingzhou.sources.openmmlab.config import read_settings  # noqa: E402
from qingzhou.sources.openmmlab.config_text import parse  # noqa: E402
from qingzhou.sources.read import read_network  # noqa: E402

Arrays = dict[str, np.ndarray]
REFERENCES: dict[str, dict[str, Any]] = json.loads(gzip.decompress((ORACLE / "heads/references.json.gz").read_bytes()))
RESNET, MOBILENET = REFERENCES["plain"], REFERENCES["mobilenet ReLU"]


def filled(reference: Mapping[str, Any]) -> Arrays:
    """The weights, by the recipe; the last layer's are halved as often as the reference says."""
    rng = np.random.Generator(np.random.PCG64(reference["seed"]))
    found = {key: draw(rng, key, shape).astype(kind).reshape(shape) for key, shape, kind in reference["entries"]}
    for key in [key for key in found if key.startswith("head.")][-2:] if reference["halvings"] else ():
        found[key] *= np.float32(2.0 ** -reference["halvings"])
    return found | {key: np.array(numbers, np.float32) for key, numbers in reference["given"].items()}


def recognised(reference: Mapping[str, Any], tmp_path: Path, meta: Mapping[str, Any] | None = None) -> Network:
    said = {"cfg": reference["config"]} if meta is None else meta
    saved = {"meta": {"mmengine_version": "0.10.7", **said}, "state_dict": filled(reference)}
    return read_network(write_checkpoint(tmp_path / "x.pth", saved), Wanted((64, 64)))


def answer(found: Network, tensors: Arrays, x: np.ndarray, opset: int, folder: Path) -> np.ndarray:
    path = folder / "x.onnx"
    write_onnx(path, emit(simplify(found.graph.bound(tensors)), opset, {11: 6, 13: 8}.get(opset, 8)))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    scores: np.ndarray = session.run(None, {"input": x})[0].reshape(-1)
    return scores


def picture(reference: Mapping[str, Any]) -> np.ndarray:
    rng = np.random.Generator(np.random.PCG64(reference["seed"] + 1))
    return rng.normal(size=reference["shape"]).astype(np.float32)


@pytest.mark.parametrize("name", REFERENCES)
def test_equals_the_original(name: str, tmp_path: Path) -> None:
    reference = REFERENCES[name]
    found, tensors = recognised(reference, tmp_path), filled(reference)
    assert len(found.card.notes) == (
        reference["config"].count("MultiLabel") + reference["config"].count("CSRA")
    )  # which says what the head does
    for opset in (11, 13, 18) if name in ("gem", "arcface", "stacked", "csra of 4, draw 11") else (13,):
        scores = answer(found, tensors, picture(reference), opset, tmp_path)
        assert np.abs(scores - np.array(reference["scores"])).max() <= 1e-5


@pytest.mark.parametrize(
    "name", [name for name in REFERENCES if name not in ("plain", "stacked") and "csra" not in name]
)
def test_the_config_makes_the_difference(name: str, tmp_path: Path) -> None:
    """Without the config the answers are others, so the test above would notice if it were not followed."""
    reference = REFERENCES[name]
    scores = answer(recognised(reference, tmp_path, {}), filled(reference), picture(reference), 13, tmp_path)
    seen = ("arcface, usual scale", "gem", "grey resnet", "grey mobilenet", "mobilenet v3")
    assert (np.abs(scores - np.array(reference["scores"])).max() > 1e-4) == (name not in seen)


@pytest.mark.parametrize(("name", "said"), [("gem", "GeM"), ("arcface", "ArcFace"), ("csra, one", "CSRA")])
def test_what_ncnn_does_not_run_is_an_engine_error(name: str, said: str, tmp_path: Path) -> None:
    """So that a bundle takes another engine."""
    reference = REFERENCES[name]
    saved = {"meta": {"mmengine_version": "0.10.7", "cfg": reference["config"]}, "state_dict": filled(reference)}
    model = qingzhou.convert(write_checkpoint(tmp_path / "x.pth", saved), input_size=(64, 64))
    with pytest.raises(EngineError) as caught:
        compile_for("ncnn", model.path, tmp_path / "x.ncnn.param", "fp32")
    assert said in caught.value.en and said in caught.value.zh


def test_deploy_forms_keep_their_activation() -> None:
    """RepVGG's gates and VGG's linear layers have activations of their own."""
    config = "model = dict(backbone=dict(type='{}', act_cfg=dict(type='LeakyReLU')), head=dict(type='LinearClsHead'))"
    for name, kind, kept in (("repvgg_D2se", "RepVGG", ".se_layer."), ("vgg11bn", "VGG", ".classifier.")):
        shapes = {key: tuple(shape) for key, shape, _ in recipe.read(name)["entries"]}
        settings = read_settings({"cfg": config.format(kind)})
        nodes = recognise(shapes, Wanted(settings=settings)).graph.nodes
        found = {(node.op, kept in node.name) for node in nodes if node.op in ("Relu", "LeakyRelu")}
        assert found == {("LeakyRelu", False), ("Relu", True)}


# -- the two files that showed it --------------------------------------------------------------------------------------


def planes(channels: int) -> np.ndarray:
    """x[0, k, i, j] = ((i*7 + j*13 + k*29) % 97) / 48 - 1."""
    k, i, j = np.mgrid[:channels, :224, :224]
    return (((i * 7 + j * 13 + k * 29) % 97) / 48 - 1).astype(np.float32)[None]


@pytest.mark.parametrize(
    ("file", "channels", "kind", "expected"),
    [
        ("multilabel.pth", 3, "sigmoids", [0.539967, 0.586806, 0.229242]),
        ("grey.pth", 1, "probabilities", [0.166472, 0.579054, 0.254474]),
    ],
)
def test_file_of_a_training_program(file: str, channels: int, kind: str, expected: list[float], tmp_path: Path) -> None:
    model = qingzhou.convert(ORACLE / "heads" / file, tmp_path / "x.onnx")
    assert model.card.output.scores == kind and model.card.input.shape[1] == channels
    session = onnxruntime.InferenceSession(str(model.path), providers=["CPUExecutionProvider"])
    assert np.abs(session.run(None, {"input": planes(channels)})[0][0] - expected).max() <= 1e-5


# -- one channel -------------------------------------------------------------------------------------------------------

FIRST = {
    "lenet_10": "backbone.features.0.weight",
    "mobilenet_v2_0.35": "backbone.conv1.conv.weight",
    "mobilenet_v3_small": "backbone.layer0.conv.weight",
    "resnet50": "backbone.conv1.weight",
    "resnetv1c50": "backbone.stem.0.conv.weight",
    "resnet18_cifar": "backbone.conv1.weight",
    "resnext50_32x4d": "backbone.conv1.weight",
    "regnetx_400mf": "backbone.conv1.weight",
    "repvgg_A0": "backbone.stem.branch_3x3.conv.weight backbone.stem.branch_1x1.conv.weight",
    "repvgg_A0_deploy": "backbone.stem.branch_reparam.weight",
    "shufflenet_v2_0.5": "backbone.conv1.conv.weight",
    "vgg11bn": "backbone.features.0.conv.weight",
}
DETECTORS = {
    "SSD_Lite": "backbone.conv1.conv.weight",
    "Yolov3": "backbone.conv1.conv.weight",
    "FasterRCNN": "backbone.conv1.weight",
}


def with_first(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    """The shapes of a network whose first convolution takes so many channels."""
    if name in FIRST:
        shapes = {key: tuple(shape) for key, shape, _ in recipe.read(name)["entries"]}
    else:
        manifest = json.loads((ORACLE / "mmdet" / name / "manifest.json").read_text("utf-8"))
        shapes = {key: tuple(shape) for key, shape, _ in manifest["entries"]}
    for key in {**FIRST, **DETECTORS}[name].split():
        shapes[key] = (shapes[key][0], channels, *shapes[key][2:])
    return shapes


@pytest.mark.parametrize("name", [*FIRST, *DETECTORS])
@pytest.mark.parametrize(("channels", "color"), [(1, "GRAY"), (3, "RGB")])
def test_channels_are_those_of_the_first_convolution(name: str, channels: int, color: str) -> None:
    found = recognise(with_first(name, channels)).recorded
    color = "BGR" if name == "regnetx_400mf" and channels == 3 else color
    assert (found.input.shape[1], found.input.color, found.graph.inputs[0].shape[1]) == (
        channels,
        color,
        channels,
    )
    for step in found.input.steps:
        assert len(step.get("mean", [0] * channels)) == len(step.get("std", [0] * channels)) == channels


@pytest.mark.parametrize("name", [*FIRST, *DETECTORS])
@pytest.mark.parametrize("channels", [2, 4])
def test_other_channels_are_an_error_that_says_so(name: str, channels: int) -> None:
    with pytest.raises(UnsupportedCheckpoint) as caught:
        recognise(with_first(name, channels))
    assert f"takes {channels} channels, which is not known yet" in caught.value.en
    assert f"{channels} 通道" in caught.value.zh


# -- refused and named -------------------------------------------------------------------------------------------------

REFUSED = {
    "backbone.act_cfg=dict(type='Mish')": "backbone.act_cfg = Mish",
    "backbone.act_cfg=None": "backbone.act_cfg = None",
    "backbone.conv_cfg=dict(type='DCNv2')": "backbone.conv_cfg.type = DCNv2",
    "backbone.norm_cfg=dict(type='GN', num_groups=2)": "backbone.norm_cfg.type = GN",
    "backbone.avg_down=True": "backbone.avg_down = True",
    "backbone.out_indices=(1, 2)": "backbone.out_indices = 1, 2",
    "backbone.plugins=[dict(cfg=dict(type='ContextBlock'))]": "backbone.plugins = ",
    "backbone.strides=(1, 2)": "backbone.strides = 1, 2",
    "neck.type='GlobalMaxPooling'": "neck.type = GlobalMaxPooling",
    "neck.dim=1": "neck.dim = 1",
    "head.type='MultiTaskHead'": "head.type = MultiTaskHead",
    "head.type='ConformerHead'": "head.type = ConformerHead",
    "head.type='mmpretrain.VisionTransformerClsHead'": "head.type = VisionTransformerClsHead",
    "head.num_subcenters=3": "head.num_subcenters = 3",
    "head.act_cfg=dict(type='HSigmoid')": "head.act_cfg = HSigmoid",
}
NAMED = {
    "backbone.type='MyResNet'": "backbone.type = MyResNet",
    "backbone.attention='cbam'": "backbone.attention = cbam",
    "backbone.something=some_function()": "backbone.something",
    "neck.scale=2": "neck.scale = 2",
    "head.type='MyHead'": "head.type = MyHead",
    "head.temperature=0.5": "head.temperature = 0.5",
}
HARMLESS = (
    "backbone.frozen_stages=2",
    "backbone.norm_eval=True",
    "backbone.with_cp=True",
    "backbone.zero_init_residual=False",
    "backbone.out_indices=(0, 1, 2, 3)",
    "backbone.strides=(1, 2, 2, 2)",
    "backbone.dilations=[1, 1, 1, 1]",
    "backbone.norm_cfg=dict(type='SyncBN', requires_grad=False, momentum=0.1)",
    "backbone.drop_path_rate=0.1",
    "backbone.init_cfg=dict(type='Pretrained', checkpoint='x.pth', prefix='backbone')",
    "backbone.style='pytorch'",
    "backbone.conv_cfg=None",
    "backbone._scope_='mmpretrain'",
    "head.topk=(1, 5)",
    "head.cal_acc=True",
    # trained with sigmoids, and answers with a softmax (ResNet strikes back)
    "head.loss=dict(type='CrossEntropyLoss', use_sigmoid=True)",
    "head.loss=dict(type='LabelSmoothLoss')",
    "head.init_cfg=None",
)


def changed(setting: str, tmp_path: Path, base: str = "plain") -> Network:
    """A network whose config says this as well."""
    path, _, value = setting.partition("=")
    part, _, name = path.partition(".")
    model = parse(REFERENCES[base]["config"])["model"]
    model[part][name] = Source(value)
    return recognised(REFERENCES[base], tmp_path, {"cfg": f"model = {model!r}\n"})


class Source(str):
    """Python source inside a value that repr() writes out."""

    __repr__ = str.__str__


@pytest.mark.parametrize("setting", REFUSED)
def test_what_changes_answers_and_is_not_known_is_refused_by_name(setting: str, tmp_path: Path) -> None:
    base = "mobilenet ReLU" if "act_cfg" in setting and setting.startswith("backbone") else "plain"
    with pytest.raises(UnsupportedCheckpoint) as caught:
        changed(setting, tmp_path, base)
    assert REFUSED[setting] in caught.value.en and REFUSED[setting] in caught.value.zh


@pytest.mark.parametrize("cfg", ["", "model = dict(head=dict(type='CSRAClsHead', num_heads=2))"])
def test_a_csra_head_needs_its_config(cfg: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedCheckpoint) as caught:
        recognised(REFERENCES["csra of 2, draw 6"], tmp_path, {"cfg": cfg})
    assert "CSRAClsHead" in caught.value.en and "lam" in caught.value.zh


def test_a_general_mean_needs_its_order(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedCheckpoint, match="GeneralizedMeanPooling"):
        changed("neck.type='GeneralizedMeanPooling'", tmp_path)


@pytest.mark.parametrize("setting", NAMED)
def test_unknown_settings_are_named(setting: str, tmp_path: Path) -> None:
    (note,) = changed(setting, tmp_path).card.notes
    assert NAMED[setting] in note and note.count(" = ") <= 1


@pytest.mark.parametrize("setting", HARMLESS)
def test_what_only_training_reads_is_neither(setting: str, tmp_path: Path) -> None:
    assert changed(setting, tmp_path).card.notes == []


@pytest.mark.parametrize("setting", ["strides=(1, 2, 2, 1)", "dilations=[1, 1, 1, 2]"])
def test_a_detector_names_strides(setting: str) -> None:
    config = f"model = dict(backbone=dict(type='ResNet', {setting}), rpn_head=dict(type='RPNHead'))"
    (note,) = read_settings({"cfg": config}).notes
    assert f"backbone.{setting.partition('=')[0]} = 1, " in note


@pytest.mark.parametrize(
    ("said", "threshold", "most"),
    [("", 0.5, 5), ("thr=0.3", 0.3, 5), ("topk=2", 0.0, 2), ("thr=0.7, topk=1", 0.7, 5), ("topk=9", 0.0, 5)],
)
def test_thresholds_of_several_classes(said: str, threshold: float, most: int, tmp_path: Path) -> None:
    """As in mmpretrain: `thr` counts before `topk`; without both it is 0.5."""
    config = f"model = dict(backbone=dict(type='ResNet'), head=dict(type='MultiLabelLinearClsHead', {said}))"
    found = recognised(REFERENCES["multi-label"], tmp_path, {"cfg": config})
    assert found.card.output.scores == "sigmoids" and found.card.thresholds == {"score": threshold, "most": most}
