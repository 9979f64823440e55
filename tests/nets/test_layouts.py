"""State dicts with other tools' names: the pages compute what the tools compute, and what does not fit is refused.

oracle/layouts: torchvision 0.28 and timm 1.0 on torch 2.13, their own answers; make.py says how.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

ORACLE = Path(__file__).parents[1] / "oracle"
sys.path.insert(0, str(ORACLE))

from rebuild import draw  # noqa: E402

from dear import but_slow  # noqa: E402
from makers import write_checkpoint  # noqa: E402
from qingzhou import convert  # noqa: E402
from qingzhou.errors import TensorMismatch, UnsupportedCheckpoint, use_language  # noqa: E402
from qingzhou.graph.fold import simplify  # noqa: E402
from qingzhou.nets import match as matching  # noqa: E402
from qingzhou.nets.layouts import renamer  # noqa: E402
from qingzhou.nets.match import candidates, recognise  # noqa: E402
from qingzhou.nets.recorded import Wanted  # noqa: E402
from qingzhou.nets.said import Said  # noqa: E402
from qingzhou.nets.settings import Settings  # noqa: E402
from qingzhou.nets.torchvision import TORCHVISION  # noqa: E402
from qingzhou.onnxfile.emit import emit  # noqa: E402
from qingzhou.onnxfile.write import write_onnx  # noqa: E402
from qingzhou.runtime.model.card import Card  # noqa: E402

NAMES = sorted(path.name.removesuffix(".json.gz") for path in (ORACLE / "layouts").glob("*.json.gz"))
LARGE = {"vgg11", "vgg11_bn", "wide_resnet50_2", "alexnet", "vit_b_16", "efficientnet_v2_m"}  # on request only
QUICK = {"resnet18", "mobilenet_v2", "mobilenet_v3_small", "squeezenet1_1", "shufflenet_v2_x0_5", "googlenet", "swin_t"}
QUICK |= {
    "regnet_y_400mf",
    "densenet121",
    "efficientnet_b0",
    "mnasnet0_5",
    "timm_tf_efficientnet_lite1",
    "timm_resnet18d",
}
QUICK |= {
    "timm_mobilenetv3_small_100",
    "timm_mobilenetv4_conv_small",
    "timm_vit_tiny_patch16_224",
    "timm_convnext_atto",
}
ALL = bool(os.environ.get("QINGZHOU_ALL_SIZES"))
Tensors = dict[str, np.ndarray]


def read(name: str) -> dict[str, Any]:
    with gzip.open(ORACLE / "layouts" / f"{name}.json.gz", "rt", encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)
        return found


def filled(reference: dict[str, Any]) -> Tensors:
    rng = np.random.Generator(np.random.PCG64(reference["seed"]))
    gain = reference.get("gain", 1.0)
    return {
        key: np.asarray(draw(rng, key, shape) * (gain if len(shape) > 1 else 1.0)).astype(dtype)
        for key, shape, dtype in reference["entries"]
    }


def zeros(name: str) -> Tensors:
    """The names and shapes alone."""
    return {key: np.zeros(shape, dtype) for key, shape, dtype in read(name)["entries"]}


def shapes(tensors: Tensors) -> dict[str, tuple[int, ...]]:
    return {key: array.shape for key, array in tensors.items()}


def test_references_are_there() -> None:
    """Each that make.py can make."""
    made = re.findall(r'^    "(\w+)": \(', (ORACLE / "layouts" / "make.py").read_text("utf-8"), re.MULTILINE)
    assert sorted(made) == NAMES


MEASURED = [name for name in NAMES if ALL or name not in LARGE]


@pytest.mark.parametrize("name", but_slow(MEASURED, [name for name in MEASURED if name not in QUICK]))
def test_logits_are_the_tools(name: str, tmp_path: Path) -> None:
    reference = read(name)
    tensors = filled(reference)
    assert hashlib.sha256(b"".join(array.tobytes() for array in tensors.values())).hexdigest() == reference["sha256"]
    height, width = reference["input_shape"][2:]
    # what no tensor tells, as the network was made: none of these began with torchvision's weights
    known = Settings(network=reference["constructor"], said=Said(transform_input=False))
    match = recognise(shapes(tensors), Wanted((height, width), settings=known))
    assert (match.title, match.config.classes) == (reference["title"], len(reference["logits"]))
    graph = match.graph.bound(tensors)
    logits = graph.nodes[-1].inputs[0]  # before the softmax, which hides differences
    graph = replace(graph, outputs=(graph.values[logits],), nodes=graph.nodes[:-1])
    write_onnx(tmp_path / "x.onnx", emit(simplify(graph), 13, 8))
    picture = np.random.Generator(np.random.PCG64(reference["input_seed"])).normal(size=reference["input_shape"])
    session = onnxruntime.InferenceSession(tmp_path / "x.onnx")
    [found] = session.run(None, {"input": picture.astype(np.float32)})
    expected = np.array(reference["logits"])
    # float32's own rounding: MobileNetV2 differs by 7e-6 to 1.4e-5 with or without passes, the others by less
    assert np.abs(found[0] - expected).max() <= 2e-5 * np.abs(expected).max()


@pytest.mark.parametrize("name", NAMES)
def test_every_tensor_has_a_name_on_the_page(name: str) -> None:
    """And back: a rule that reads two layers as one, or that cannot be turned round, would lose a tensor."""
    found = shapes(zeros(name))
    [layout] = [layout for layout in matching.LAYOUTS if any(layout.candidates(found, Settings()))]
    rules = layout.rules(found)
    rename, back = renamer(rules), renamer([(page, file) for file, page in rules])
    page = {key: rename(key) for key in found}
    assert None not in page.values() and len(set(page.values())) == len(found)
    assert [back(str(ours)) for ours in page.values()] == list(found)


@pytest.mark.parametrize("prefix", ["", "module.", "model."])
def test_what_no_name_tells_is_assumed_aloud(prefix: str, tmp_path: Path) -> None:
    """As saved by torch.save(model.state_dict()), from DataParallel, and from a LightningModule."""
    use_language("en")
    tensors = {prefix + key: array for key, array in filled(read("squeezenet1_1")).items()}
    path = write_checkpoint(tmp_path / "x.pth", {"state_dict": tensors})
    card = Card.from_json(convert(path, tmp_path / "x.onnx").card.to_json())
    assert (card.tool, card.network) == ("torchvision", "SqueezeNet 1.1")
    assert card.assumed == ["input_size", "resize", "normalize", "color", "labels"]
    assert "The file does not say how pictures were prepared; assumed: 224 x 224, short side 256" in card.notes[0]
    assert card.input.steps[0] == {"op": "resize", "short": 256, "interpolation": "pillow"}


def test_networks_of_the_same_names_are_told_of(tmp_path: Path) -> None:
    """timm's resnetblur50 has resnet50's names and shapes, and smooths before it halves; no file tells."""
    use_language("en")
    path = write_checkpoint(tmp_path / "x.pth", {"state_dict": zeros("resnet18")})
    assert any("resnetblur" in note for note in convert(path, tmp_path / "x.onnx").card.notes)
    path = write_checkpoint(tmp_path / "x.pth", {"state_dict": zeros("squeezenet1_1")})
    assert not any("resnetblur" in note for note in convert(path, tmp_path / "x.onnx").card.notes)


def test_a_bottleneck_makes_another_depth() -> None:
    """timm's resnet26 has as many blocks as ResNet-18."""
    found = shapes(zeros("resnet50"))
    blocks = {key: shape for key, shape in found.items() if not re.match(r"layer\d\.[2-9]", key)}
    assert recognise(blocks).title == "ResNet-26"


def test_timms_pictures_are_resized_as_there_until_the_user_says_otherwise(tmp_path: Path) -> None:
    """Bicubic, with Pillow."""
    use_language("en")
    path = write_checkpoint(tmp_path / "x.pth", filled(read("timm_mobilenetv2_035")))
    card = convert(path, tmp_path / "x.onnx").card
    assert (card.tool, card.network) == ("timm", "MobileNetV2 0.35x")
    assert card.assumed == ["input_size", "resize", "normalize", "color", "labels"]
    assert "short side 256, centre, bicubic, RGB" in card.notes[0]
    assert card.input.steps[0] == {"op": "resize", "short": 256, "interpolation": "bicubic"}
    card = convert(path, tmp_path / "y.onnx", preprocess={"resize": [224, 224]}).card
    assert "bicubic" not in " ".join(card.notes)


TIMMS: dict[str, tuple[Any, type[Exception], str]] = {
    "mobilenetv2_110d": (
        lambda t: {**t, **{key.replace("blocks.1.1.", "blocks.1.2."): array for key, array in t.items()}},
        UnsupportedCheckpoint,
        "No known network",
    ),
    "a larger kernel": (
        lambda t: {**t, "blocks.2.1.conv_dw.weight": np.zeros((192, 1, 5, 5), np.float32)},
        TensorMismatch,
        "blocks.2.1.conv_dw.weight has shape [192, 1, 5, 5], expected [192, 1, 3, 3]",
    ),
    "squeeze-and-excite": (
        lambda t: {**t, "blocks.2.1.se.conv_reduce.weight": np.zeros((8, 192, 1, 1), np.float32)},
        TensorMismatch,
        "blocks.2.1.se.conv_reduce.weight is not part of it",
    ),
    "two poolings side by side": (
        lambda t: {**t, "classifier.weight": np.zeros((10, 2560), np.float32)},
        TensorMismatch,
        "classifier.weight has shape [10, 2560], expected [10, 1280]",
    ),
}


@pytest.mark.parametrize("name", TIMMS)
def test_timms_other_networks_are_refused(name: str, tmp_path: Path) -> None:
    use_language("en")
    change, error, text = TIMMS[name]
    path = write_checkpoint(tmp_path / "x.pth", change(zeros("timm_mobilenetv2_100")))
    with pytest.raises(error) as refused:
        convert(path, tmp_path / "x.onnx")
    assert text in str(refused.value)


REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "a tensor too many": (
        lambda t: {**t, "extra.weight": np.ones((2, 2), np.float32)},
        TensorMismatch,
        "extra.weight is",
    ),
    "one too few": (lambda t: without(t, "layer2.0.bn1.bias"), TensorMismatch, "layer2.0.bn1.bias is missing"),
    "another shape": (
        lambda t: {**t, "layer1.1.conv2.weight": np.zeros((64, 64, 5, 5), np.float32)},
        TensorMismatch,
        "layer1.1.conv2.weight has shape [64, 64, 5, 5], expected [64, 64, 3, 3]",
    ),
    "a stem whose stride nobody knows": (
        lambda t: {**t, "conv1.weight": np.zeros((64, 3, 3, 3), np.float32)},
        UnsupportedCheckpoint,
        "No known network",
    ),
    "a head of one's own": (
        lambda t: {**without(t, "fc.weight", "fc.bias"), "fc.1.weight": np.zeros((5, 512), np.float32)},
        UnsupportedCheckpoint,
        "No known network",
    ),
    "squeeze-and-excitation, as in timm's seresnet18": (
        lambda t: {**t, "layer1.0.se.fc1.weight": np.zeros((8, 64, 1, 1), np.float32)},
        UnsupportedCheckpoint,
        "No known network",
    ),
    "a tensor of the page's own names": (
        lambda t: {**t, "backbone.conv1.weight": t["conv1.weight"]},
        TensorMismatch,
        "backbone.conv1.weight is not part of it",
    ),
    "a part of something larger": (
        lambda t: {
            **{f"body.{key}": array for key, array in t.items()},
            "head.weight": np.zeros((5, 1000), np.float32),
        },
        UnsupportedCheckpoint,
        "No known network",
    ),
}


def without(tensors: Tensors, *keys: str) -> Tensors:
    return {key: array for key, array in tensors.items() if key not in keys}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_in_the_files_own_names(name: str, tmp_path: Path) -> None:
    use_language("en")
    change, error, text = REFUSED[name]
    path = write_checkpoint(tmp_path / "x.pth", {"state_dict": change(zeros("resnet18"))})
    with pytest.raises(error) as refused:
        convert(path, tmp_path / "x.onnx")
    assert text in str(refused.value)


def test_a_file_that_fits_two_layouts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    use_language("en")
    twice = tuple(replace(layout, tool="another") for layout in TORCHVISION)
    monkeypatch.setattr(matching, "LAYOUTS", (*TORCHVISION, *twice))
    with pytest.raises(UnsupportedCheckpoint, match=r"SqueezeNet 1.1 \(torchvision\), SqueezeNet 1.1 \(another\)"):
        recognise(shapes(zeros("squeezenet1_1")))


HOSTILE: dict[str, tuple[str, Callable[[int], str]]] = {  # the key that tells, and very many others
    "resnet": ("conv1", lambda n: f"layer1.{n}.conv1"),
    "regnet": ("trunk_output.block1.block1-0.f.a.0", lambda n: f"trunk_output.block4.block4-{n}.f.c.1"),
    "shufflenet": ("stage2.0.branch1.0", lambda n: f"stage4.{n}.branch2.6"),
    "mobilenet_v2": ("features.1.conv.0.0", lambda n: f"features.{n}.conv.0.0"),
    "mobilenet_v3 blocks": ("features.1.block.0.0", lambda n: f"features.{n}.block.0.0"),
    "mobilenet_v3 parts": ("features.1.block.0.0", lambda n: f"features.{n % 200}.block.{n // 200}.fc1"),
    "squeezenet": ("features.3.squeeze", lambda n: f"features.{n}.expand3x3"),
    "vgg": ("classifier.6", lambda n: f"features.{n}"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_twice_the_tensors_are_twice_the_work(name: str) -> None:
    """Calls are counted, Python's and C's."""
    telling, other = HOSTILE[name]
    found = []
    for size in (2000, 2000, 4000):  # the first fills caches
        many = {f"{other(n)}.weight": (1, 1, 1, 1) for n in range(size)} | {f"{telling}.weight": (8, 3, 7, 7)}
        found.append(calls_of(functools.partial(search, many)))
    assert found[2] <= 2.2 * found[1] + 5000


def search(many: dict[str, tuple[int, ...]]) -> list[object]:
    return list(candidates(many, Settings()))


def calls_of(work: Callable[[], object]) -> int:
    calls = 0

    def count(frame: object, event: str, arg: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


# -- variants that have the names of others ----------------------------------------------------------------------------


def _shapes(name: str) -> dict[str, tuple[int, ...]]:
    return {key: tuple(shape) for key, shape, _ in read(name)["entries"]}


def test_a_pruned_network_of_timm_is_read_as_it_pads() -> None:
    """timm/models/_pruned: widths that no network has, TensorFlow's padding and eps, other values of pixels."""
    found = recognise(_shapes("timm_efficientnet_b1_pruned"))
    assert found.title == "EfficientNet-B1 pruned" and not found.recorded.notes
    normal = found.recorded.input.steps[-1]
    assert normal["mean"] == [127.5] * 3 and found.recorded.input.sides() == (240, 240)


def test_another_pruned_network_is_asked_for_what_no_tensor_tells() -> None:
    shapes = _shapes("timm_efficientnet_b0")
    fewer = {"conv_pw.weight": 0, "bn1": 0, "conv_dw.weight": 0, "bn2": 0, "se.conv_reduce.weight": 1}
    for part, axis in {**fewer, "se.conv_expand": 0, "conv_pwl.weight": 1}.items():
        for key in [key for key in shapes if key.startswith(f"blocks.2.1.{part}") and shapes[key]]:
            shape = list(shapes[key])
            shape[axis] -= 7
            shapes[key] = tuple(shape)
    with pytest.raises(UnsupportedCheckpoint, match=r"channels were pruned.*padding=torch.*qingzhou\.convert"):
        recognise(shapes)
    said = recognise(shapes, Wanted(settings=Settings(said=Said(padding="torch"))))
    assert said.title == "EfficientNet-B0 pruned" and not said.faults


def test_notes_name_what_has_these_tensors() -> None:
    use_language("en")
    expected = {
        "timm_efficientnet_lite0": "tf_efficientnet_lite0",
        "timm_efficientnet_b3": "tf_efficientnet_b3",
        "timm_efficientnetv2_s": "tf_efficientnetv2_s",
        "timm_mobilenetv3_large_100": "tf_mobilenetv3_large_100",
        "resnet18": "resnetblur18",
        "timm_mobilenetv4_conv_medium": "mobilenetv4_conv_blur_medium",
    }
    for name, other in expected.items():
        (note,) = recognise(_shapes(name)).recorded.notes
        assert other in note and "torch.onnx" not in note
    for name in ("timm_mnasnet_100", "timm_mobilenetv4_conv_small", "timm_resnet26d", "timm_resnet10t"):
        assert not recognise(_shapes(name)).recorded.notes


def test_what_is_nearly_a_network_is_told_the_way_for_variants() -> None:
    shapes = {**_shapes("resnet18"), "layer1.0.conv1.weight": (60, 64, 3, 3)}
    with pytest.raises(TensorMismatch, match=r"variant of that one.*qingzhou\.convert"):
        recognise(shapes)
