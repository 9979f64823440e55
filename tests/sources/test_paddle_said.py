"""What Paddle's suites write beside a model: pre-processing and labels, and what of it cannot be followed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from paddle_files import Pir
from qingzhou.conversion import run_conversion
from qingzhou.errors import CheckpointDamaged, QingzhouError, UnsafeCheckpoint, UnsupportedCheckpoint
from qingzhou.files.yaml import read_yaml
from qingzhou.nets.recorded import Wanted
from qingzhou.sources.read import read_network

ORACLE = Path(__file__).parents[1] / "oracle" / "paddle"
# As PaddleX 3 dumps it, with an anchor that its next section points to
CLAS = """
Global:
  model_name: PP-LCNet_small
Hpi:
  backend_configs:
    paddle_infer:
      trt_dynamic_shapes: &id001
        image:
        - - 1
          - 3
          - 32
          - 32
    tensorrt:
      dynamic_shapes: *id001
PreProcess:
  transform_ops:
  - ResizeImage:
      resize_short: 36
  - CropImage:
      size: 32
  - NormalizeImage:
      channel_num: 3
      mean:
      - 0.485
      - 0.456
      - 0.406
      order: ''
      scale: {scale}
      std:
      - 0.229
      - 0.224
      - 0.225
  - ToCHWImage: null
PostProcess:
  Topk:
    topk: 5
    label_list:
    - 猫
    - "\\u72D7"
    - 'great white shark, white shark, man-eater, man-eating shark, Carcharodon
      carcharias'
    - tiger cat
    - '5'
    - f
    - g
    - h
"""
DET = """
mode: paddle
draw_threshold: 0.5
arch: YOLO
Preprocess:
- interp: 1
  keep_ratio: false
  target_size:
  - 32
  - 32
  type: Resize
- mean:
  - 0.0
  - 0.0
  - 0.0
  norm_type: none
  std:
  - 1.0
  - 1.0
  - 1.0
  type: NormalizeImage
- type: Permute
label_list:
- person
"""


def lcnet(folder: Path, name: str, text: str) -> Path:
    """A classifier of 8 for pictures of 32 x 32, with such a file beside."""
    for half in ("json", "pdiparams"):
        shutil.copy(ORACLE / "lcnet" / f"model.{half}", folder / f"inference.{half}")
    (folder / name).write_text(text, "utf-8")
    return folder / "inference.json"


@pytest.mark.parametrize("scale", ["0.00392156862745098", "1.0/255.0"])
def test_paddleclas(scale: str, tmp_path: Path) -> None:
    path = lcnet(tmp_path, "inference.yml", CLAS.replace("{scale}", scale))
    for source in (path, tmp_path):
        done = run_conversion(source, tmp_path / "x.onnx")
        card = done.model.card
        assert card.assumed == [] and card.network == "PP-LCNet_small" and card.input.color == "RGB"
        assert card.labels[:2] == ["猫", "狗"] and card.labels[2].endswith("shark, Carcharodon carcharias")
        resize, crop, normal = card.input.steps
        assert resize == {"op": "resize", "short": 36, "interpolation": "cv2"}
        assert crop == {"op": "center_crop", "size": [32, 32]}
        assert np.allclose(normal["mean"], np.array([0.485, 0.456, 0.406]) * 255)
        assert np.allclose(normal["std"], np.array([0.229, 0.224, 0.225]) * 255)


def test_paddledetection(tmp_path: Path) -> None:
    network = read_network(lcnet(tmp_path, "infer_cfg.yml", DET))
    assert [step["op"] for step in network.card.input.steps] == ["resize", "normalize"]
    assert network.card.input.steps[1] == {"op": "normalize", "mean": [0.0] * 3, "std": [255.0] * 3}
    assert any("list of 1 labels" in note for note in network.card.notes) and network.named is None


def test_paddleseg(tmp_path: Path) -> None:
    text = "Deploy:\n  transforms:\n  - type: Resize\n    target_size: [32, 32]\n  - type: Normalize\n"
    network = read_network(lcnet(tmp_path, "deploy.yaml", text))
    assert network.card.input.steps[1] == {"op": "normalize", "mean": [127.5] * 3, "std": [127.5] * 3}


def test_a_free_size_is_the_one_that_pictures_are_prepared_to(tmp_path: Path) -> None:
    pir = Pir()
    x = pir.data("image", (-1, 3, -1, -1))
    path = pir.write(tmp_path, pir.op("relu", [x], (-1, 3, -1, -1)), name="inference")
    (tmp_path / "inference.yml").write_text(CLAS.replace("{scale}", "0.5"), "utf-8")
    assert read_network(path).graph.inputs[0].shape == ("batch", 3, 32, 32)
    assert read_network(path, Wanted(input_size=(32, 32))).graph.inputs[0].shape == ("batch", 3, 32, 32)


def test_boxes_are_divided_by_the_scale_of_the_picture(tmp_path: Path) -> None:
    """What PaddleDetection's detectors are given besides; the sample of the self-test is never divided by nothing."""
    pir = Pir()
    image, scale = pir.data("image", (-1, 3, 8, 8)), pir.data("scale_factor", (-1, 2))
    means = pir.op("mean", [image, pir.ints(2, 3)], (-1, 3), keepdim=False)
    two = pir.op("slice", [means, pir.ints(0), pir.ints(2)], (-1, 2), axes=[1], infer_flags=[1], decrease_axis=[])
    path = pir.write(tmp_path, pir.op("divide", [two, scale], (-1, 2)))
    card = run_conversion(path, tmp_path / "x.onnx").model.card
    assert [one.name for one in card.inputs] == ["image", "scale_factor"] and card.sample is not None


def test_another_models_settings(tmp_path: Path) -> None:
    path = lcnet(tmp_path, "inference.yml", CLAS.replace("size: 32", "size: 36").replace("{scale}", "1"))
    with pytest.raises(UnsupportedCheckpoint, match="36 x 36, and it takes 32 x 32"):
        read_network(path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("CropImage", "RandomMagic", "RandomMagic, which is not followed"),
        ("resize_short: 36", "resize_short: 36\n      interpolation: bicubic", "interpolation bicubic"),
        ("- ToCHWImage: null", "- ToCHWImage: !!python/name:os.system", "could not be followed"),
    ],
)
def test_what_is_not_followed_is_told(old: str, new: str, said: str, tmp_path: Path) -> None:
    text = CLAS.replace("{scale}", "1.0/255.0").replace(old, new)
    network = read_network(lcnet(tmp_path, "inference.yml", text))
    assert any(said in note for note in network.card.notes)
    assert network.card.input.sides() == (32, 32)


def test_a_list_of_labels_beside(tmp_path: Path) -> None:
    path = lcnet(tmp_path, "label_list.txt", "".join(f"{i} name {i}\n" for i in range(8)))
    assert run_conversion(path, tmp_path / "x.onnx").model.card.labels[7] == "name 7"
    (tmp_path / "label_list.txt").write_text("a\nb\n")
    assert any("list of 2 labels" in note for note in read_network(path).card.notes)


# -- YAML --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1\nb: [x, 'y z', {c: 2.5}]\n", {"a": 1, "b": ["x", "y z", {"c": 2.5}]}),
        ("- a\n- b: 2\n  c: true\n-\n  - 3\n", ["a", {"b": 2, "c": True}, [3]]),
        ("a:\n- x  # a comment\n- y#z\nb: |\n  hi\n  there\n", {"a": ["x", "y#z"], "b": "hi\nthere"}),
        ("a: &k [1]\nb: *k\n", {"a": [1], "b": [1]}),
        ("a: 'it''s'\nb: \"\\x41\\u0042 \\\n  \\ c\"\n", {"a": "it's", "b": "AB  c"}),
        ("a: http://x.y/z\nb: -1\nc: 1e-3\nd: ~\n", {"a": "http://x.y/z", "b": -1, "c": 0.001, "d": None}),
        ("", None),
        ("- - 1\n  - 2\n- - 3\n", [[1, 2], [3]]),
    ],
)
def test_yaml(text: str, value: object) -> None:
    assert read_yaml(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system [x]", "a: *b", "a: &x [*x]", "<<: {a: 1}", "a: [1, 2", "a: 1\na: 2",
        "a: 'x", "\ta: 1", "a: {<<: b}", "a: 1\n b: 2\n",
    ],
)  # fmt: skip
def test_yaml_that_is_refused(text: str) -> None:
    with pytest.raises(CheckpointDamaged):
        read_yaml(text)


def test_yaml_without_end() -> None:
    """Depth, length, and aliases of aliases: none takes long, and none unfolds."""
    for text in ("[" * 100_000, "- " * 5000 + "x", "{a: " * 5000, "x" * (5 << 20)):
        with pytest.raises((UnsafeCheckpoint, CheckpointDamaged)):
            read_yaml(text)
    rows = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 60)]
    found = read_yaml("\n".join(rows))
    assert found["a59"][0] is found["a58"]


def test_yaml_never_fails_otherwise() -> None:
    rng = np.random.default_rng(0)
    letters = np.array(list("ab01:- \n[]{}&*'\"#|>,!~.\\"))
    for _ in range(3000):
        text = "".join(rng.choice(letters, rng.integers(1, 40)))
        try:
            read_yaml(text)
        except QingzhouError:
            continue
