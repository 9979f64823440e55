"""Every way in which the original converter went wrong, done right: real conversions of a LeNet."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from PIL import Image
from rebuild import rebuild

from makers import write_checkpoint
from qingzhou.doors.MMEdu import MMClassification as cls
from qingzhou.doors.XEdu.hub import Workflow
from qingzhou.errors import ArchitectureMismatch, QingzhouError

SRC = Path(__file__).parents[2] / "src"
LENET = Path(__file__).parents[1] / "oracle" / "mmedu" / "LeNet" / "manifest.json"
CLASSES = ["猫", "狗", *"abcdefgh"]


def write_lenet(path: Path, classes: list[str] | None) -> str:
    """The oracle's LeNet (10 classes) as MMEdu saves it; `classes` None leaves CLASSES out."""
    meta: dict[str, object] = {"tool": "MMEdu0.1.28", "backbone": "LeNet"}
    if classes is not None:
        meta["CLASSES"] = classes
    return str(write_checkpoint(path, {"meta": meta, "state_dict": dict(rebuild(LENET))}))


@pytest.fixture
def lenet(tmp_path: Path) -> str:
    return write_lenet(tmp_path / "best.pth", CLASSES)


def check(model: Path, classes: list[str] = CLASSES) -> None:
    """The model loads and knows its classes; the program beside it is UTF-8, is Python, and names the model."""
    metadata = {entry.key: entry.value for entry in onnx.load(model).metadata_props}
    assert metadata["MODEL_INFO"].isascii() and json.loads(metadata["MODEL_INFO"])["classes"] == classes
    code = model.with_suffix(".py").read_text("utf-8")
    compile(code, "sample", "exec")
    line = next(line for line in code.splitlines() if line.startswith("MODEL = "))
    (assignment,) = ast.parse(line).body
    assert isinstance(assignment, ast.Assign) and ast.literal_eval(assignment.value) == model.name


def test_the_whole_lesson(lenet: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cls(backbone="LeNet").convert(checkpoint=lenet, out_file="cats.onnx", opset_version=11, ir_version=6)
    check(tmp_path / "cats.onnx")
    written = onnx.load("cats.onnx")
    assert written.ir_version == 6 and {(o.domain, o.version) for o in written.opset_import} == {("", 11)}
    Image.new("RGB", (50, 40), (200, 30, 30)).save("photo.png")
    result, img = Workflow(task="mmedu", checkpoint="cats.onnx").inference(data="photo.png", img_type="cv2")
    assert result["预测结果"] in CLASSES and img.shape == (40, 50, 3)


@pytest.mark.parametrize("backbone", ["MobileNet", "ResNet18", "VGG16", "configs/resnet/resnet18_8xb32_in1k.py"])
def test_a_wrong_backbone_never_exports(lenet: str, tmp_path: Path, backbone: str) -> None:
    with pytest.raises(ArchitectureMismatch) as caught:
        cls(backbone=backbone).convert(checkpoint=lenet, out_file=tmp_path / "x.onnx")
    assert "LeNet" in caught.value.en and repr(backbone) in caught.value.en
    assert sorted(p.name for p in tmp_path.iterdir()) == ["best.pth"]


@pytest.mark.parametrize(
    "out", ["model", "model.v2", "新 模型", "deep/er/model.onnx", "back\\slash.onnx", 'it\'s "x".onnx']
)
def test_names_of_the_output(lenet: str, tmp_path: Path, out: str) -> None:
    if sys.platform == "win32" and '"' in out:
        pytest.skip("no such name on Windows")
    model = cls("LeNet").convert(checkpoint=lenet, out_file=str(tmp_path / out))
    assert str(model.path).endswith(".onnx") and out.removesuffix(".onnx") in str(model.path)
    check(model.path)


def test_the_path_in_the_place_of_the_backend(lenet: str, tmp_path: Path) -> None:
    cls("LeNet").convert(lenet, str(tmp_path / "x.onnx"))
    check(tmp_path / "x.onnx")


def test_a_checkpoint_without_classes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_lenet(tmp_path / "old.pth", None)
    cls("LeNet").convert(checkpoint=path, out_file=tmp_path / "x.onnx")
    check(tmp_path / "x.onnx", [str(i) for i in range(10)])
    assert "0" in capsys.readouterr().out


def test_a_missing_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(QingzhouError) as caught:
        cls("LeNet").convert(checkpoint=tmp_path / "none.pth", out_file=tmp_path / "new" / "x.onnx")
    assert caught.value.code == -102


@pytest.mark.parametrize("encoding", ["ascii", "gbk", "cp1252"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_consoles_without_chinese(lenet: str, tmp_path: Path, encoding: str, lang: str) -> None:
    code = f"""
from qingzhou.doors.MMEdu import MMClassification as cls
from qingzhou.doors.XEdu.hub import Workflow as wf
cls("LeNet").convert(checkpoint={lenet!r}, out_file={str(tmp_path / "model.onnx")!r})
mm = wf(task="mmedu", checkpoint={str(tmp_path / "model.onnx")!r})
import numpy as np
mm.inference(np.zeros((40, 40, 3), np.uint8))
mm.format_output()
"""
    env = {
        **os.environ,
        "PYTHONPATH": str(SRC),
        "PYTHONIOENCODING": encoding,
        "PYTHONUTF8": "0",
        "LC_ALL": "C",
        "PYTHONCOERCECLOCALE": "0",
        "QINGZHOU_LANG": lang,
    }
    (tmp_path / "lesson.py").write_text(code, "utf-8")
    done = subprocess.run([sys.executable, tmp_path / "lesson.py"], env=env, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    check(tmp_path / "model.onnx")
