"""The originals' convert(), called as lessons call it, and every way in which the original went wrong."""

from pathlib import Path
from types import SimpleNamespace

import pytest

import qingzhou
from qingzhou.doors.BaseNN import nn
from qingzhou.doors.MMEdu import MMClassification as cls
from qingzhou.doors.MMEdu import MMDetection
from qingzhou.errors import ArchitectureMismatch, CheckpointMissing, OptionError, QingzhouError, use_language


@pytest.fixture(autouse=True)
def english():
    use_language("en")
    yield
    use_language(None)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """What qingzhou.convert was called with, instead of a conversion."""
    made: list[dict] = []

    def convert(path, out=None, **options):
        made.append({"path": path, "out": out, **options})
        return SimpleNamespace(path=Path(out), card=SimpleNamespace(labels=["cat", "dog"], notes=["a note"]))

    monkeypatch.setitem(vars(qingzhou), "convert", convert)
    return made


def test_mmedu_as_in_the_lessons(calls: list[dict], capsys: pytest.CaptureFixture[str]) -> None:
    model = cls(backbone="MobileNet")
    model.convert(checkpoint="best.pth", out_file="cats.onnx", backend="ONNX", opset_version=11, ir_version=6)
    assert calls == [{"path": "best.pth", "out": "cats.onnx", "network": "MobileNet", "opset": 11, "ir_version": 6}]
    said = capsys.readouterr().out
    assert "cats.onnx" in said and "a note" in said


def test_basenn_as_in_the_lessons(calls: list[dict]) -> None:
    nn().convert(checkpoint="basenn.pth", out_file="iris.onnx")
    nn("reg").convert("basenn.pth", "iris.onnx", "onnx", 13, 8)
    assert calls == [
        {"path": "basenn.pth", "out": "iris.onnx", "network": None},
        {"path": "basenn.pth", "out": "iris.onnx", "network": None, "opset": 13, "ir_version": 8},
    ]


def test_the_name_of_the_output_is_the_original_one_unless_given(calls: list[dict]) -> None:
    cls("LeNet").convert("a.pth")
    nn().convert("a.pth")
    assert [call["out"] for call in calls] == ["convert_model.onnx"] * 2


@pytest.mark.parametrize("name", ["checkppint", "checkpiont", "check_point"])
def test_a_misspelt_checkpoint_works_with_a_hint(
    calls: list[dict], capsys: pytest.CaptureFixture[str], name: str
) -> None:
    nn().convert(**{name: "basenn.pth"}, out_file="iris.onnx")
    assert calls[0]["path"] == "basenn.pth"
    assert name in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "out"),
    [
        (("a.pth", "x.onnx"), "x.onnx"),
        (("a.pth", "models/x"), "models/x"),
        (("a.pth", "models\\x.onnx"), "models\\x.onnx"),
        (("a.pth", Path("x.onnx")), Path("x.onnx")),
        (("a.pth", "x.onnx", "ONNX"), "x.onnx"),
        (("a.pth", "onnx", "x.onnx"), "x.onnx"),
        (("a.pth", None, "x.onnx"), "x.onnx"),
    ],
)
def test_a_path_in_the_place_of_the_backend_is_the_path(
    calls: list[dict], capsys: pytest.CaptureFixture[str], args: tuple, out: object
) -> None:
    cls("LeNet").convert(*args)
    assert calls[0]["out"] == out
    assert ("backend" in capsys.readouterr().out) == (args[1] not in ("onnx", None))


@pytest.mark.parametrize("opset", [9, 10])
def test_an_opset_older_than_ours_is_raised_with_a_hint(
    calls: list[dict], capsys: pytest.CaptureFixture[str], opset: int
) -> None:
    nn().convert("a.pth", opset_version=opset)
    assert calls[0]["opset"] == 11
    assert f"opset_version={opset}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("make", "error", "code", "words"),
    [
        (lambda: cls("LeNet").convert("a.pth", backend="TensorRT"), OptionError, -501, ["TensorRT", "ONNX"]),
        (lambda: cls("LeNet").convert("a.pth", "x.onnx", "y.onnx"), OptionError, -501, ["x.onnx"]),
        (lambda: cls("LeNet").convert(), CheckpointMissing, -102, ["None", ".pth"]),
        (lambda: nn().convert(""), CheckpointMissing, -102, [".pth"]),
        (lambda: nn().convert("a.pth", outfile="x.onnx"), OptionError, -501, ["outfile", "out_file"]),
        (lambda: nn().convert("a.pth", checkpoints="b.pth"), OptionError, -501, ["checkpoints"]),
        (lambda: cls(backbone="LeNet", classes=3), OptionError, -501, ["classes"]),
        (lambda: cls(backbone="FooNet"), ArchitectureMismatch, -302, ["FooNet", "MobileNet"]),
        (lambda: cls(backbone=3), ArchitectureMismatch, -302, ["3", "MobileNet"]),
        (lambda: cls(backbone="SSD_Lite"), ArchitectureMismatch, -302, ["SSD_Lite", "MMDetection"]),
        (lambda: MMDetection(backbone="LeNet"), ArchitectureMismatch, -302, ["LeNet", "MMClassification"]),
        (lambda: MMDetection(backbone="FooNet"), ArchitectureMismatch, -302, ["FooNet", "SSD_Lite"]),
        (lambda: cls("LeNet").train(epochs=10, lr=0.1), QingzhouError, 0, ["train()", "does not train"]),
        (lambda: cls("LeNet").load_dataset(path="x"), QingzhouError, 0, ["load_dataset()"]),
        (lambda: cls("LeNet").inference(image="x.jpg", checkpoint="a.pth"), QingzhouError, 0, ["Workflow", "mmedu"]),
        (lambda: nn().add("linear", size=(4, 3)), QingzhouError, 0, ["add()", "does not train"]),
        (lambda: nn().train(lr=0.1, epochs=3), QingzhouError, 0, ["train()"]),
        (lambda: nn().inference(data=[[1]], checkpoint="a.pth"), QingzhouError, 0, ["Workflow", "basenn"]),
    ],
)
def test_mistakes(calls: list[dict], make, error: type[QingzhouError], code: int, words: list[str]) -> None:
    with pytest.raises(error) as caught:
        make()
    assert caught.value.code == code and not calls
    assert all(word in caught.value.en for word in words)
    assert caught.value.zh != caught.value.en


def test_a_wrong_number_of_classes_is_said(calls: list[dict], capsys: pytest.CaptureFixture[str]) -> None:
    cls("LeNet", num_classes=3).convert("a.pth")
    cls("LeNet", num_classes=2).convert("a.pth")
    assert capsys.readouterr().out.count("num_classes=3") == 1


def test_config_paths_are_judged_by_their_file_name(calls: list[dict]) -> None:
    path = "configs/mobilenet_v3/mobilenet-v3-small_8xb32_in1k.py"
    cls(backbone=path).convert("a.pth")
    assert calls[0]["network"] == path


def test_sota_lists_what_can_be_converted() -> None:
    assert {"LeNet", "MobileNet", "ResNet18", "ResNet50", "ResNeXt", "RegNet", "VGG"} <= set(cls.sota())
    for name in cls.sota():
        cls(backbone=name)
