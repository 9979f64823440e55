"""The door XEdu.hub.Workflow on tiny models: one answer per class is the mean of one colour, so errors show."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from qingzhou.doors.XEdu.hub import Workflow
from qingzhou.errors import QingzhouError, use_language

RED, BLUE = (250, 10, 30), (10, 20, 240)


@pytest.fixture(autouse=True)
def english():
    use_language("en")
    yield
    use_language(None)


def write(
    path: Path, nodes: list, shape: list, out: str, metadata: dict[str, str], kind: int = TensorProto.FLOAT
) -> str:
    """A model of `nodes` from "input" to `out`, with metadata as an original export has."""
    ends = helper.make_tensor_value_info("input", kind, shape), helper.make_tensor_value_info(out, kind, None)
    graph = helper.make_graph(nodes, "tiny", [ends[0]], [ends[1]])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return str(path)


def colour_means(out: str, softmax: bool = True) -> list:
    """(1, C, H, W) -> (1, C): the mean of each channel."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["input"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat" if softmax else out], axis=1),
    ]
    return [*nodes, helper.make_node("Softmax", ["flat"], [out], axis=1)] if softmax else nodes


def mmedu(folder: Path, name: str = "MobileNet") -> str:
    info = {"codebase": "MMCls", "modelname": name, "classes": ["红", "绿", "蓝"]}
    return write(folder / "mm.onnx", colour_means("probs"), [1, 3, 224, 224], "probs", {"MODEL_INFO": json.dumps(info)})


def basenn(folder: Path) -> str:
    meta = {"input_size": "[1, 3, 8, 6]", "dataset_type": "img"}
    return write(folder / "bn.onnx", colour_means("output", False), ["n", 3, 8, 6], "output", meta)


def table(folder: Path) -> str:
    nodes = [helper.make_node("Neg", ["input"], ["output"])]
    meta = {"input_size": "[10, 4]", "dataset_type": "tab"}
    return write(folder / "tab.onnx", nodes, ["n", 4], "output", meta)


def picture(folder: Path, colour: tuple[int, int, int] = RED, name: str = "图片.png") -> str:
    Image.new("RGB", (40, 30), colour).save(folder / name)
    return str(folder / name)


def test_mmedu_as_in_the_lessons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mm = Workflow(task="mmedu", checkpoint=mmedu(tmp_path))
    result, img = mm.inference(data=picture(tmp_path), img_type="cv2")
    assert list(result) == ["标签", "置信度", "预测结果"]
    assert (result["标签"], result["预测结果"]) == (0, "红") and 0.5 < result["置信度"] <= 1
    assert img.shape == (30, 40, 3) and img.dtype == np.uint8
    assert tuple(img[-1, -1, ::-1]) == RED
    assert mm.format_output(lang="zh") == result
    english = mm.format_output(lang="en", isprint=False)
    assert english == {"label": 0, "confidence": result["置信度"], "result": "红"}
    said = capsys.readouterr().out
    assert "'预测结果': '红'" in said and "confidence" not in said
    mm.save(img, tmp_path / "new" / "out.png")
    assert Image.open(tmp_path / "new" / "out.png").getpixel((39, 29)) == RED
    mm.save((result, img), str(tmp_path / "out.jpg"))
    assert (tmp_path / "out.jpg").exists()


@pytest.mark.parametrize(
    ("make", "label"),
    [
        (lambda folder: picture(folder), 0),
        (lambda folder: Path(picture(folder)), 0),
        (lambda folder: Image.open(picture(folder)), 0),
        (lambda folder: np.asarray(Image.open(picture(folder)))[..., ::-1], 0),  # BGR, as a camera gives it
        (lambda folder: np.asarray(Image.open(picture(folder)))[..., ::-1] / 255, 0),
        (lambda folder: np.full((30, 40, 4), [240, 20, 10, 255], np.uint8), 2),
        (lambda folder: picture(folder, BLUE, "blau.jpg"), 2),
    ],
)
def test_every_kind_of_picture(tmp_path: Path, make, label: int) -> None:
    answer = Workflow("mmedu", mmedu(tmp_path)).inference(data=make(tmp_path))
    assert answer["标签"] == label


def test_the_colours_of_regnet_are_those_it_was_trained_with(tmp_path: Path) -> None:
    answer = Workflow("mmedu", mmedu(tmp_path, "RegNet")).inference(data=picture(tmp_path, BLUE))
    assert answer["标签"] == 0  # channel 0 is blue: BGR


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    picture(tmp_path / "all", BLUE, "a.png"), picture(tmp_path / "all", RED, "b.JPG"), mmedu(tmp_path / "all")
    answers = Workflow("mmedu", mmedu(tmp_path)).inference(str(tmp_path / "all"))
    assert [one["标签"] for one in answers] == [2, 0]


def test_lenet_gives_one_dimension(tmp_path: Path) -> None:
    nodes = [helper.make_node("GlobalAveragePool", ["input"], ["a"]), helper.make_node("Flatten", ["a"], ["b"], axis=0)]
    nodes += [
        helper.make_node("Concat", ["b", "b"], ["c"], axis=1),
        helper.make_node("Squeeze", ["c"], ["29"], axes=[0]),
    ]
    info = json.dumps({"codebase": "MMCls", "modelname": "LeNet", "classes": ["a", "b"]})
    path = write(tmp_path / "lenet.onnx", nodes, [1, 1, 32, 32], "29", {"MODEL_INFO": info})
    answer = Workflow("mmedu", path).inference(picture(tmp_path))
    assert answer["预测结果"] == "a"


def test_below_the_threshold_nothing_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mm = Workflow("mmedu", mmedu(tmp_path))
    _, plain = mm.inference(picture(tmp_path), img_type="pil", thr=1.1)
    assert (plain == np.array(RED)).all() and "thr=1.1" in capsys.readouterr().out
    _, drawn = mm.inference(picture(tmp_path), img_type="pil", thr=0.1)
    assert not (drawn == np.array(RED)).all()


def test_show_uses_what_inference_drew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Image.Image] = []
    monkeypatch.setattr("qingzhou.doors.workflow.show_picture", shown.append)
    mm = Workflow("mmedu", mmedu(tmp_path))
    assert isinstance(mm.inference(picture(tmp_path), show=True), dict)
    _, img = mm.inference(picture(tmp_path), show=True, img_type="cv2")
    mm.show(img)
    assert [one.getpixel((39, 29)) for one in shown] == [RED] * 3


def test_basenn_is_fed_as_it_was_trained(tmp_path: Path) -> None:
    """BGR / 255 of the training, where the original hub feeds 0 to 255 and swaps height and width."""
    bn = Workflow(task="basenn", checkpoint=basenn(tmp_path))
    result = bn.inference(data=picture(tmp_path))
    assert isinstance(result, list) and np.allclose(result[0], np.array([RED[::-1]]) / 255, atol=1e-6)
    plain = bn.format_output(lang="zh", isprint=False)
    assert plain == {0: {"预测值": 2, "分数": pytest.approx(250 / 255)}}
    assert list(bn.format_output(lang="en", isprint=False)[0]) == ["prediction", "scores"]
    assert list(bn.format_output(lang="fr", isprint=False)[0]) == ["prédiction", "partitions"]


def test_basenn_arrays_are_inputs_already_unless_they_are_bytes(tmp_path: Path) -> None:
    bn = Workflow("basenn", basenn(tmp_path))
    half = np.full((2, 3, 8, 6), 0.5)
    assert np.allclose(bn.inference(half)[0], 0.5) and len(bn.format_output(isprint=False)) == 2
    assert np.allclose(bn.inference(half.tolist())[0], 0.5)
    assert np.allclose(bn.inference(np.full((1, 3, 8, 6), 51, np.uint8))[0], 0.2)


def test_basenn_with_a_picture_asked_for(tmp_path: Path) -> None:
    bn, tab = Workflow("basenn", basenn(tmp_path)), Workflow("basenn", table(tmp_path))
    result, img = bn.inference(picture(tmp_path), img_type="cv2")
    assert img.shape == (30, 40, 3) and len(result) == 1
    result, img = tab.inference([[1, 2, 3, 4]], img_type="pil")
    assert img.ndim == 3


@pytest.mark.parametrize(
    "rows", [[[1, 2, 3, 4], [4, 3, 2, 1]], np.array([[1, 2, 3, 4], [4, 3, 2, 1]]), [["1", "2", "3", "4"], [4, 3, 2, 1]]]
)
def test_basenn_tables(tmp_path: Path, rows: object) -> None:
    tab = Workflow("basenn", table(tmp_path))
    assert np.array_equal(tab.inference(rows)[0], [[-1, -2, -3, -4], [-4, -3, -2, -1]])
    assert [row["预测值"] for row in tab.format_output(isprint=False).values()] == [0, 3]
    assert tab.inference([1, 2, 3, 4])[0].shape == (1, 4)


def test_basenn_npz(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", data=np.ones((2, 4)))
    assert Workflow("basenn", table(tmp_path)).inference(str(tmp_path / "a.npz"))[0].shape == (2, 4)


def test_basenn_words(tmp_path: Path) -> None:
    nodes = [helper.make_node("Identity", ["input"], ["output"])]
    meta = {"input_size": "[1, 1]", "dataset_type": "npz", "word2idx": "{'床': 0, '前': 2}"}
    path = write(tmp_path / "w.onnx", nodes, ["n", 1], "output", meta, TensorProto.INT64)
    poet = Workflow("basenn", path)
    assert poet.inference("床前前")[0].tolist() == [[0], [2], [2]]
    with pytest.raises(QingzhouError, match="猫"):
        poet.inference("猫")


def test_custom_does_what_the_caller_says(tmp_path: Path) -> None:
    nodes = [helper.make_node("Neg", ["input"], ["output"])]
    custom = Workflow("custom", write(tmp_path / "c.onnx", nodes, [2], "output", {}))
    assert np.array_equal(custom.inference(np.ones(2, np.float32))[0], [-1, -1])
    answer = custom.inference(
        "12",
        preprocess=lambda text: np.array([float(c) for c in text], np.float32),
        postprocess=lambda out, fed: (out[0].tolist(), fed.tolist()),
    )
    assert answer == ([-1, -2], [1, 2])
    assert custom.format_output(isprint=False) == answer
    with pytest.raises(QingzhouError, match="expects") as caught:
        custom.inference("12")
    assert caught.value.code == -304


def bad_npz(folder: Path) -> str:
    np.savez(folder / "bad.npz", data=np.array([{"a": 1}], object))
    return str(folder / "bad.npz")


def garbage(folder: Path, name: str) -> str:
    (folder / name).write_bytes(b"nothing of use")
    return str(folder / name)


MISTAKES = [
    (-310, lambda p: Workflow(task="det_body"), ["det_body", "mmedu"]),
    (-310, lambda p: Workflow(task="baseml", checkpoint="x.pkl"), ["baseml", "runs code"]),
    (-310, lambda p: Workflow(), ["None", "mmedu"]),
    (-310, lambda p: Workflow(repo="somebody/something"), ["somebody/something"]),
    (-102, lambda p: Workflow("mmedu"), ["None", ".onnx"]),
    (-102, lambda p: Workflow("mmedu", p / "missing.onnx"), ["missing.onnx"]),
    (-202, lambda p: Workflow("mmedu", garbage(p, "best.pth")), ["qingzhou convert best.pth"]),
    (-202, lambda p: Workflow("mmedu", garbage(p, "best.onnx")), ["best.onnx"]),
    (-202, lambda p: Workflow("custom", garbage(p, "best.onnx")), ["best.onnx"]),
    (-103, lambda p: Workflow("mmedu", mmedu(p)).inference("cat.jpg"), ["cat.jpg"]),
    (-203, lambda p: Workflow("mmedu", mmedu(p)).inference(garbage(p, "cat.jpg")), []),
    (-304, lambda p: Workflow("mmedu", mmedu(p)).inference(), ["data="]),
    (-304, lambda p: Workflow("mmedu", mmedu(p)).inference(np.zeros((2, 3, 4, 5, 6))), ["[2, 3, 4, 5, 6]"]),
    (-304, lambda p: Workflow("mmedu", mmedu(p)).inference(np.zeros((0, 0, 3))), ["[0, 0, 3]"]),
    (-304, lambda p: Workflow("basenn", basenn(p)).inference(np.zeros((1, 3, 9, 9))), ["[1, 3, 9, 9]"]),
    (-304, lambda p: Workflow("basenn", table(p)).inference([[1, 2, 3]]), ["[1, 3]"]),
    (-304, lambda p: Workflow("basenn", table(p)).inference([[1, 2, 3, 4], [1]]), ["numbers"]),
    (-304, lambda p: Workflow("basenn", table(p)).inference([["a", "b", "c", "d"]]), ["numbers"]),
    (-304, lambda p: Workflow("basenn", table(p)).inference(bad_npz(p)), ["bad.npz"]),
    (-501, lambda p: Workflow("mmedu", mmedu(p)).inference(picture(p), img_type="rgb"), ["rgb", "cv2"]),
    (-601, lambda p: Workflow("mmedu", mmedu(p)).format_output(), ["format_output()"]),
    (-601, lambda p: Workflow("mmedu", mmedu(p)).show(np.zeros((2, 2, 3))), ["show()"]),
    (-601, lambda p: Workflow("mmedu", mmedu(p)).save(None, "x.png"), ["save()"]),
]


@pytest.mark.parametrize(("code", "act", "words"), MISTAKES)
def test_mistakes(tmp_path: Path, code: int, act, words: list[str]) -> None:
    with pytest.raises(QingzhouError) as caught:
        act(tmp_path)
    assert caught.value.code == code
    assert all(word in caught.value.en for word in words) and caught.value.zh != caught.value.en


def test_a_language_that_is_not_there(tmp_path: Path) -> None:
    mm = Workflow("mmedu", mmedu(tmp_path))
    _, img = mm.inference(picture(tmp_path), img_type="cv2")
    with pytest.raises(QingzhouError, match="'xx'"):
        mm.format_output(lang="xx")
    with pytest.raises(QingzhouError, match=r"\.png"):
        mm.save(img, tmp_path / "out.nosuch")
