"""How pictures are prepared where the user says it: names, .toml files, dicts; and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import qingzhou
from lenets import write_lenet
from passengers import ORACLE, digits, mmedu
from qingzhou.conversion import run_conversion
from qingzhou.errors import FileMissing, OptionError
from qingzhou.nets.preprocess import Preprocess, read_preprocess
from qingzhou.options import Options
from qingzhou.runtime.model.card import Card

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)

READ: list[tuple[object, Preprocess]] = [
    ("imagenet", Preprocess(MEAN, STD, rgb=True)),
    ("0-1", Preprocess((0,), (255,))),
    ("-1-1", Preprocess((127.5,), (127.5,))),
    ("raw", Preprocess((0,), (1,))),
    ({"mean": 127.5, "std": [64, 65, 66], "color": "BGR"}, Preprocess((127.5,), (64, 65, 66), color="BGR")),
    ({"mean": [0.5], "std": [0.5], "pixels": "0-1"}, Preprocess((127.5,), (127.5,))),
    ({"mean": [0.5], "std": [0.5], "pixels": "0-255"}, Preprocess((0.5,), (0.5,))),
    (
        {"resize": 256, "crop": 224, "interpolation": "cv2"},
        Preprocess(resize={"short": 256}, crop=(224, 224), interpolation="cv2"),
    ),
    ({"resize": [96, 128]}, Preprocess(resize={"size": [96, 128]})),
    ({"fit": [320, 240], "pad": 114, "normalize": "0-1"}, Preprocess((0,), (255,), fit=(320, 240), pad=(114,))),
]


@pytest.mark.parametrize(("given", "expected"), READ, ids=range(len(READ)))
def test_what_can_be_said(given: object, expected: Preprocess) -> None:
    assert read_preprocess(given) == expected


WRONG: list[tuple[object, str]] = [
    ("mobilenet", "imagenet"),
    ({"means": [1]}, "means"),
    ({"mean": [1, 2], "std": [1, 2]}, "one number, or three"),
    ({"mean": [127.5]}, "together"),
    ({"mean": 1, "std": 0}, "not 0"),
    ({"mean": "1", "std": "1"}, "one number"),
    ({"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}, 'pixels = "0-1"'),
    ({"mean": 0, "std": 1}, 'pixels = "0-1"'),
    ({"normalize": "imagenet", "mean": 1, "std": 9}, "without mean"),
    ({"normalize": "x"}, "imagenet"),
    ({"color": "CMYK"}, "RGB, BGR, GRAY"),
    ({"resize": "big"}, r"\[height, width\]"),
    ({"resize": 0}, r"\[height, width\]"),
    ({"crop": [1, 2, 3]}, r"\[height, width\]"),
    ({"crop": True}, "height"),
    ({"crop": 10**9}, "height"),
    ({"fit": 8, "crop": 8}, "without resize and crop"),
    ({"pad": 1}, "together with fit"),
    ({"interpolation": "lanczos"}, "pillow, bicubic, cv2"),
    ({"mean": float("nan"), "std": 9}, "one number"),
]


@pytest.mark.parametrize(("given", "told"), WRONG, ids=range(len(WRONG)))
def test_what_cannot_be_said(given: object, told: str) -> None:
    with pytest.raises(OptionError, match=told):
        read_preprocess(given)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "way.toml"
    with pytest.raises(FileMissing, match=r"way\.toml"):
        read_preprocess(path)
    path.write_bytes(b"\xef\xbb\xbfcolor = 'BGR'  # \xe5\x9b\xbe\nresize = [8, 9]\n")
    assert read_preprocess(str(path)) == Preprocess(color="BGR", resize={"size": [8, 9]})
    for broken in (b"color: BGR", b"\xff\xfe", b"[" * 50_000, b"color = 'RGB'\ncolor = 'BGR'"):
        path.write_bytes(broken)
        with pytest.raises(OptionError, match="no TOML"):
            read_preprocess(path)


# -- and what becomes of it --------------------------------------------------------------------------------------------


def converted(path: Path, tmp_path: Path, **options: Any) -> Card:
    return run_conversion(path, tmp_path / "out.onnx", Options(**options)).model.card


def test_nothing_is_said_and_that_is_told(tmp_path: Path) -> None:
    done = run_conversion(write_lenet(tmp_path / "net.pth"))
    card = done.model.card
    assert card.assumed == ["input_size", "resize", "normalize"]  # of one channel there is one order
    assert "mean 33.46, std 78.87" in card.notes[0] and "--preprocess" in card.notes[0]
    program = done.program.read_text("utf-8")
    assert program.startswith("# The file does not say how pictures were prepared")
    assert done.as_dict()["assumed"] == card.assumed
    assert run_conversion(tmp_path / "net.pth").program == done.program  # ours, and written again
    set_all = converted(tmp_path / "net.pth", tmp_path, preprocess={"normalize": "0-1", "resize": [32, 32]})
    assert set_all.assumed == [] and set_all.notes == []


def test_a_size_that_the_user_gives_is_not_assumed(mobilenet: Path, tmp_path: Path) -> None:
    card = converted(mobilenet, tmp_path, input_size=(96, 64), check=False)
    assert card.input.shape == [1, 3, 96, 64] and "input_size" not in card.assumed
    assert "96" not in card.notes[0] and "short side 73" in card.notes[0]


def test_labels_that_nobody_named_are_assumed(tmp_path: Path) -> None:
    path = write_lenet(tmp_path / "net.pth", {"CLASSES": None})
    assert converted(path, tmp_path).assumed[-1] == "labels"
    assert "labels" not in converted(path, tmp_path, labels=list("abcdefghij")).assumed


STEPS: list[tuple[Any, str, list[dict[str, Any]]]] = [
    ("0-1", "RGB", [{"op": "resize", "short": 256, "interpolation": "pillow"},
                    {"op": "center_crop", "size": [224, 224]},
                    {"op": "normalize", "mean": [0, 0, 0], "std": [255, 255, 255]}]),
    ({"color": "BGR"}, "BGR", [{"op": "resize", "short": 256, "interpolation": "pillow"},
                               {"op": "center_crop", "size": [224, 224]},
                               {"op": "normalize", "mean": [*MEAN[::-1]], "std": [*STD[::-1]]}]),
    ({"normalize": "imagenet", "color": "BGR", "resize": [96, 64], "interpolation": "cv2"}, "BGR",
     [{"op": "resize", "size": [96, 64], "interpolation": "cv2"},
      {"op": "normalize", "mean": [*MEAN[::-1]], "std": [*STD[::-1]]}]),
    ({"crop": 96}, "RGB", [{"op": "resize", "short": 110, "interpolation": "pillow"},
                           {"op": "center_crop", "size": [96, 96]},
                           {"op": "normalize", "mean": [*MEAN], "std": [*STD]}]),
    ({"resize": 128, "crop": 96}, "RGB", [{"op": "resize", "short": 128, "interpolation": "pillow"},
                                          {"op": "center_crop", "size": [96, 96]},
                                          {"op": "normalize", "mean": [*MEAN], "std": [*STD]}]),
    ({"fit": [96, 128], "pad": 114, "mean": [1, 2, 3], "std": [9, 9, 9]}, "RGB",
     [{"op": "resize", "inside": [96, 128], "interpolation": "pillow"},
      {"op": "pad_to", "size": [96, 128], "value": [114, 114, 114]},
      {"op": "normalize", "mean": [1, 2, 3], "std": [9, 9, 9]}]),
]  # fmt: skip


@pytest.fixture(scope="module")
def mobilenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mmedu("MobileNet", tmp_path_factory.mktemp("mobilenet"))


@pytest.mark.parametrize(("given", "color", "steps"), STEPS, ids=range(len(STEPS)))
def test_the_steps(given: Any, color: str, steps: list[dict[str, Any]], mobilenet: Path, tmp_path: Path) -> None:
    card = converted(mobilenet, tmp_path, preprocess=given, check=False)
    assert (card.input.color, card.input.steps) == (color, steps)


def test_what_does_not_fit_the_network(mobilenet: Path, tmp_path: Path) -> None:
    for given, told in (({"color": "GRAY"}, "3 channels"), ({"resize": 128}, "at least the 224")):
        with pytest.raises(OptionError, match=told):
            converted(mobilenet, tmp_path, preprocess=given, check=False)
    with pytest.raises(OptionError, match="Leave one of them out"):
        converted(mobilenet, tmp_path, preprocess={"crop": 96}, input_size=(128, 128))
    with pytest.raises(OptionError, match="1 numbers"):
        converted(write_lenet(tmp_path / "net.pth"), tmp_path, preprocess={"mean": [1, 2, 3], "std": [9, 9, 9]})
    table = ORACLE / "basenn" / "torch2.13" / "tab_iris" / "checkpoint.pth"
    with pytest.raises(OptionError, match="for pictures"):
        converted(table, tmp_path, preprocess="0-1")
    assert not (tmp_path / "out.onnx").exists()


def test_answers_are_those_of_the_way_that_was_said(tmp_path: Path) -> None:
    """The digits' LeNet, told MMEdu's own numbers by hand, answers as if nothing had been said."""
    path = ORACLE / "trained" / "lenet_digits.pth"
    usual = run_conversion(path, tmp_path / "a.onnx").model
    told = run_conversion(path, tmp_path / "b.onnx", Options(preprocess={"mean": 33.46, "std": 78.87})).model
    other = run_conversion(path, tmp_path / "c.onnx", Options(preprocess="raw")).model
    picture = np.asarray(Image.open(next(iter(digits()))[0]).convert("RGB"))
    assert np.array_equal(usual.predict(picture).scores, told.predict(picture).scores)
    assert not np.allclose(usual.predict(picture).scores, other.predict(picture).scores)


def test_a_detector(tmp_path: Path) -> None:
    """Trained at 160 x 160, which its file does not say: said by hand, or assumed aloud."""
    path = ORACLE / "trained_ssd" / "checkpoint.pth"
    assumed = qingzhou.convert(path, tmp_path / "a.onnx").card
    assert "input_size" in assumed.assumed and "320 x 320" in assumed.notes[0]
    card = qingzhou.convert(path, tmp_path / "b.onnx", preprocess={"resize": [160, 160], "normalize": "imagenet"}).card
    assert card.input.shape == [1, 3, 160, 160] and card.assumed == ["color"]
