"""What is said of a file of Ultralytics: its card, metadata and info; which options it takes, and what is refused."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import qingzhou
from makers import module, write_checkpoint
from qingzhou.conversion import run_conversion
from qingzhou.errors import ArchitectureMismatch, OptionError, QingzhouError, UnsupportedCheckpoint
from qingzhou.files.types import Opaque
from qingzhou.info import read_info
from qingzhou.nets.recorded import Wanted
from qingzhou.options import Options
from qingzhou.sources.torch.container import read_checkpoint
from qingzhou.sources.ultralytics.read import read_ultralytics
from qingzhou.sources.ultralytics.said import title
from yolos import CASES, checkpoint

NAMES = ["red square", "绿色圆", "blue 'triangle'"]
TITLES = {
    "11": "YOLO11n",
    "11_segment": "YOLO11n-seg",
    "11_classify": "YOLO11n-cls",
    "26_obb": "YOLO26n-obb",
    "v5": "YOLOv5nu",
    "v8_ghost": "YOLOv8n-ghost",
    "v10": "YOLOv10n",
    "12": "YOLO12n",
}


@pytest.mark.parametrize("name", TITLES)
def test_the_card(name: str, tmp_path: Path) -> None:
    card = qingzhou.convert(checkpoint(name, tmp_path), check=False).card
    assert (card.tool, card.network, card.labels) == ("Ultralytics", TITLES[name], NAMES)
    said = card.origin["training"]
    assert said["license"] == "AGPL-3.0 License (https://ultralytics.com/license)"
    assert (said["version"], said["task"], said["imgsz"]) == ("8.4.190", CASES[name]["task"], 96)
    assert "/home" not in str(said)
    assert card.input.sides() == (96, 96) and card.assumed == []


@pytest.mark.parametrize(
    ("name", "form"), [("11", "boxes"), ("11", "raw"), ("26_pose", "boxes"), ("11_classify", "boxes")]
)
def test_metadata_as_ultralytics_reads_it(name: str, form: str, tmp_path: Path) -> None:
    """ast.literal_eval, and task, stride, names, nms and end2end; the rest is for people."""
    path = qingzhou.convert(checkpoint(name, tmp_path), form=form, check=False).path
    found = {one.key: one.value for one in onnx.load(path).metadata_props}
    task, rows = CASES[name]["task"], form == "boxes" and name != "11_classify"
    assert (found["task"], int(found["stride"])) == (task, 1 if task == "classify" else 32)
    assert ast.literal_eval(found["names"]) == dict(enumerate(NAMES))
    assert ast.literal_eval(found["imgsz"]) == [96, 96] and found["end2end"] == str(rows)
    assert ast.literal_eval(found["args"]).get("nms", False) is rows
    assert ("kpt_shape" in found) is (task == "pose")
    assert {"description", "author", "date", "version", "license", "docs", "batch", "channels"} <= set(found)


def test_info(tmp_path: Path) -> None:
    info = read_info(checkpoint("11_segment", tmp_path))
    assert (info.tool, info.network, info.labels, info.classes) == ("Ultralytics", "YOLO11n-seg", NAMES, 3)
    assert info.facts["license"].startswith("AGPL-3.0") and info.facts["imgsz"] == 96  # type: ignore[attr-defined]
    assert info.facts["task"] == "segment" and info.problem is None and len(info.parts) > 300


def test_every_tensor_is_used_or_named(tmp_path: Path) -> None:
    for name in ("26_pose", "26_segment", "v10_fused", "11_ema_legacy"):
        saved = read_checkpoint(checkpoint(name, tmp_path))
        network = read_ultralytics(saved, Wanted())
        used = set(network.graph.tensors)
        assert used | set(network.unused) >= set(saved.tensors) and not used & set(network.unused)
        reasons = {reason for key, reason in network.unused.items() if not key.endswith("num_batches_tracked")}
        assert len(reasons) == {"26_pose": 2, "26_segment": 2}.get(name, len(reasons))


def test_heads(tmp_path: Path) -> None:
    """The one without NMS by default; what is not there is said."""
    both, one, fused = (checkpoint(name, tmp_path) for name in ("26", "11", "26_fused"))
    free = qingzhou.convert(both, tmp_path / "a.onnx", check=False)
    other = qingzhou.convert(both, tmp_path / "b.onnx", head="one2many", check=False)
    assert "one2one was taken" in " ".join(free.card.notes) and "one2many was taken" in " ".join(other.card.notes)
    assert "only one of the network's two heads, one2one" in " ".join(qingzhou.convert(fused, check=False).card.notes)
    for path, head in ((one, "one2one"), (one, "one2many"), (fused, "one2many")):
        with pytest.raises(OptionError, match="only one head"):
            qingzhou.convert(path, head=head)
    with pytest.raises(OptionError, match="a classifier"):
        qingzhou.convert(checkpoint("11_classify", tmp_path), head="one2one")
    with pytest.raises(OptionError, match="can be one2one or one2many"):
        qingzhou.convert(one, head="best")
    with pytest.raises(OptionError, match="two heads"):
        qingzhou.convert(Path(__file__).parents[1] / "oracle/trained/lenet_digits.pth", tmp_path, head="one2one")


def test_sizes(tmp_path: Path) -> None:
    path = checkpoint("11", tmp_path)
    with pytest.raises(OptionError, match="multiples of 32, such as 608,608"):
        qingzhou.convert(path, input_size=(600, 600))
    with pytest.raises(OptionError, match="pictures of 3 channels"):
        qingzhou.convert(path, input_size=(1, 64, 64))
    done = run_conversion(path, tmp_path / "a.onnx", Options(input_size=(64, 128), check=False))
    assert done.model.card.input.shape == [1, 3, 64, 128]
    saved = read_checkpoint(path)
    saved.root["train_args"]["imgsz"] = 100
    network = read_ultralytics(saved, Wanted())
    assert network.card.input.sides() == (128, 128) and "rounded up" in network.card.notes[0]


def test_the_network_that_was_believed(tmp_path: Path) -> None:
    path = checkpoint("11", tmp_path)
    for name in ("yolo11", "YOLO11n"):
        qingzhou.convert(path, network=name, check=False)
    with pytest.raises(ArchitectureMismatch, match="YOLO11n"):
        qingzhou.convert(path, network="yolov8n")


def test_names_of_networks(tmp_path: Path) -> None:
    """By the yaml, else by what the training began with, else by the newest class in it."""
    saved = read_checkpoint(checkpoint("11_obb", tmp_path))
    state = saved.module.state  # type: ignore[union-attr]
    state["yaml"] = {"yaml_file": "mine.yaml"}
    assert title(saved, "obb") == "YOLO11-obb" if saved.root["train_args"].update(model="x.pt") is None else ""
    saved.root["train_args"]["model"] = "C:\\somebody\\yolo11s-obb.pt"
    assert title(saved, "obb") == "YOLO11s-obb"


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["models.yolo.DetectionModel", "models.yolo.Model", "models.experimental.Ensemble"])
def test_the_older_repositories(name: str, tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "yolov5n.pt", {"model": module(name, {}, {"w": np.ones(2, np.float32)})})
    with pytest.raises(UnsupportedCheckpoint, match=f"{name}.*yolov5nu.pt.*export.py") as caught:
        qingzhou.convert(path)
    assert "旧代码仓库" in caught.value.zh
    assert read_info(path).problem is not None


@pytest.mark.parametrize("name", ["RTDETRDetectionModel", "WorldModel", "YOLOEModel"])
def test_other_networks_of_ultralytics(name: str, tmp_path: Path) -> None:
    full = f"ultralytics.nn.tasks.{name}"
    path = write_checkpoint(tmp_path / "a.pt", {"model": module(full, {}, {"w": np.ones(2, np.float32)})})
    with pytest.raises(UnsupportedCheckpoint, match=f"{name}.*yolo export"):
        qingzhou.convert(path)


def changed(path: Path, place: str, change: Callable[[dict[str, Any]], None]) -> Any:
    """A file as read, with the state of one of its modules changed."""
    saved = read_checkpoint(path)
    found: Any = saved.module
    for name in place.split("."):
        found = found.state["_modules"][name]
    change(found.state)
    return saved


HEAD = "model.23"
CHANGES: dict[str, tuple[str, Callable[[dict[str, Any]], None], str]] = {
    "a layer that takes a later one": ("model.3", lambda s: s.update(f=99), "takes the result of layer 99"),
    "a layer that takes nothing": ("model.3", lambda s: s.update(f=[]), "takes 0 results"),
    "no f": ("model.3", lambda s: s.pop("f"), "takes the result of layer None"),
    "a join along no axis": ("model.12", lambda s: s.update(d=9), "axis is 9"),
    "halves that are none": ("model.2.cv1.conv", lambda s: s.update(out_channels=7), "7"),
    "heads that are none": ("model.10.m.0.attn", lambda s: s.update(num_heads=3), "channels"),
    "no such number of poolings": ("model.9", lambda s: s.update(n=1 << 30), "n is"),
    "many poolings": ("model.9", lambda s: s.update(n=1 << 20), "layers"),
    "other classes": (HEAD, lambda s: s.update(nc=5), "channels"),
    "very many classes": (HEAD, lambda s: s.update(nc=1 << 20), "classes"),
    "other bins": (HEAD, lambda s: s.update(reg_max=7), "channels"),
    "strides that are none": (HEAD, lambda s: s.update(stride=8), "strides"),
    "another forward": ("model.0", lambda s: s.update(forward=Opaque("evil.forward")), "forward was replaced"),
    "a hook": ("model.0", lambda s: s.update(_forward_hooks={1: Opaque("evil")}), "hooks"),
    "an activation of one's own": ("model.0", lambda s: s["_modules"].update(act=Opaque("mine.Act", state={})), "mine"),
    "a head of another kind": ("model", lambda s: setattr(s["_modules"]["23"], "name", "mine.Head"), "mine.Head"),
    "a box layer with a stride": (
        f"{HEAD}.cv2.0.0.conv", lambda s: s.update(stride=(2, 2)), "changes the size"),
    "distances of another form": (f"{HEAD}.dfl.conv", lambda s: s.update(out_channels=2), "distances"),
    "four channels": ("model.0.conv", lambda s: s.update(in_channels=4), "4 channels"),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_settings_that_cannot_be(what: str, tmp_path: Path) -> None:
    """A message that names the layer, in both languages; never a crash."""
    place, change, expected = CHANGES[what]
    with pytest.raises(QingzhouError, match=expected) as caught:
        read_ultralytics(changed(checkpoint("11", tmp_path), place, change), Wanted())
    assert caught.value.zh and len(caught.value.en) < 1000


def test_grey_pictures(tmp_path: Path) -> None:
    """As many channels as the first convolution takes."""

    def change(state: dict[str, Any]) -> None:
        weight = state["_parameters"]["weight"]
        state.update(in_channels=1)
        state["_parameters"]["weight"] = dataclasses.replace(weight, shape=(weight.shape[0], 1, *weight.shape[2:]))

    entry = read_ultralytics(changed(checkpoint("11", tmp_path), "model.0.conv", change), Wanted()).card.input
    assert (entry.color, entry.shape[1]) == ("GRAY", 1) and entry.steps[-1]["std"] == [255.0]
