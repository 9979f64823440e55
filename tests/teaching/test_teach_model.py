"""A taught model: right on digits that it has not seen, one file with its card, the same in every engine."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

import qingzhou
from passengers import DIGITS, ORACLE, basenn
from qingzhou.cli import main
from qingzhou.errors import QingzhouError, SelfTestFailed
from qingzhou.evaluate import Classification, evaluate
from qingzhou.graph.form import Graph
from qingzhou.teaching import Taught
from qingzhou.teaching.backbone import FEATURES, open_backbone
from qingzhou.teaching.head import Head
from qingzhou.teaching.taught import with_head

LENET = ORACLE / "trained" / "lenet_digits.pth"
MOBILENET = ORACLE / "trained" / "mobilenet_digits.pth"


def lesson(folder: Path, each: int, classes: str = "0123456789") -> Path:
    """The digits: so many of each in train, the rest in val."""
    for name in classes:
        for number, file in enumerate(sorted((DIGITS / "test" / name).iterdir())):
            place = folder / ("train" if number < each else "val") / name
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)
    return folder


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> tuple[Taught, Path]:
    data = lesson(tmp_path_factory.mktemp("teach") / "digits", 20)
    return qingzhou.teach(data, LENET, data.parent / "taught.onnx"), data


def test_right_on_digits_that_it_has_not_seen(taught: tuple[Taught, Path]) -> None:
    found, data = taught
    result = evaluate(found.conversion.model.path, data / "val").result
    assert isinstance(result, Classification)
    assert result.accuracy >= 0.94 and result.judged == 297
    low, high = found.interval
    assert low <= result.accuracy + 0.03 and found.right / found.count <= high
    assert found.count == 200 and found.confusion.sum() == 200


def test_one_file_with_a_card_that_says_who_taught_it(taught: tuple[Taught, Path]) -> None:
    model = qingzhou.load(taught[0].conversion.model.path)
    assert model.card.labels == [*"0123456789", qingzhou.errors.say("unknown", "不认识")]
    assert model.card.origin["taught"] == {
        "pictures": 200,
        "right": taught[0].right,
        "shrinking": pytest.approx(0.5, abs=0.5),
    }
    assert model.card.pictures is not None and model.card.pictures["count"] == 200
    assert model.check() <= 1e-4
    assert taught[0].conversion.program.exists()
    assert taught[0].conversion.checks == ("structure", "runs", "equals_original")


def test_the_operators_are_the_head(taught: tuple[Taught, Path], tmp_path: Path) -> None:
    """Probabilities of the written network, against the formula with the inverse of the covariance, in double."""
    from qingzhou.options import Options
    from qingzhou.teaching.head import fit
    from qingzhou.teaching.pictures import look_at, pictures_in

    backbone = open_backbone(LENET, Options())
    seen = look_at(backbone, pictures_in(taught[1]), 13, 8, lambda text: None)
    assert seen.features.shape == (200, backbone.width) == (200, 84)
    head: Head = fit(seen.features, seen.truths)
    assert {node.op for node in with_head(backbone, head).nodes[-10:]} == {
        "Sub",
        "Gemm",
        "MatMul",
        "Mul",
        "Add",
        "Softmax",
    }
    some = sorted((taught[1] / "val" / "7").iterdir())[:5]
    found = [qingzhou.load(taught[0].conversion.model.path).predict(file).scores for file in some]

    z = seen.features.astype(np.float64)
    means = np.stack([z[seen.truths == k].mean(0) for k in range(10)])
    inner = z - means[seen.truths]
    rank = head.space.basis.shape[1]
    plain = inner.T @ inner / (200 - 10)
    sphere = head.shrinking * np.trace(plain) / rank * np.eye(84)
    inverse = np.linalg.inv((1 - head.shrinking) * plain + sphere)
    predictor = qingzhou.load(taught[0].conversion.model.path).predictor
    assert FEATURES not in [entry.name for entry in predictor.session.get_outputs()]
    for file, scores in zip(some, found, strict=True):
        row = _features(backbone, file, tmp_path)
        apart = np.einsum("kf,fg,kg->k", row - means, inverse, row - means)
        logits = -np.append(apart, head.reach) / (2 * head.temperature)
        powers = np.exp(logits - logits.max())
        assert scores == pytest.approx(powers / powers.sum(), abs=1e-3)


def _features(backbone: object, file: Path, folder: Path) -> np.ndarray:
    from dataclasses import replace

    from qingzhou.onnxfile.emit import emit
    from qingzhou.onnxfile.write import write_onnx
    from qingzhou.runtime.model.card import Output
    from qingzhou.runtime.predict import Predictor
    from qingzhou.teaching.backbone import Backbone

    assert isinstance(backbone, Backbone)
    write_onnx(folder / "features.onnx", emit(backbone.graph, 13, 8))
    card = replace(backbone.card, task="values", output=Output(FEATURES, "values"), labels=[])
    predictor = Predictor(folder / "features.onnx", card=card)
    return np.asarray(predictor.outputs(predictor.prepare(file))[0], np.float64).reshape(-1)


@pytest.mark.slow
def test_mobilenet_with_twenty_pictures_a_class(tmp_path: Path) -> None:
    data = lesson(tmp_path / "digits", 20)
    found = qingzhou.teach(data, MOBILENET, tmp_path / "taught.onnx")
    result = evaluate(found.conversion.model.path, data / "val").result
    assert isinstance(result, Classification) and result.accuracy >= 0.95
    assert found.stranger is not None and found.stranger > 0.9
    made = tmp_path / "taught8.onnx"
    assert CliRunner().invoke(
        main, ["quantize", str(found.conversion.model.path), "--data", str(data), "-o", str(made)]
    )
    for engine in ("openvino", "ncnn", "litert"):
        done = verb("export", found.conversion.model.path, "--engine", engine, "-o", tmp_path / engine, "--json")
        assert done.exit_code == 0, done.output


def test_without_unknown_and_taught_again(taught: tuple[Taught, Path], tmp_path: Path) -> None:
    """A taught model is a backbone as any other: its head is forgotten, not taken for features."""
    data = lesson(tmp_path / "three", 8, "123")
    first = qingzhou.teach(data, LENET, tmp_path / "a.onnx", unknown=False)
    again = qingzhou.teach(data, taught[0].conversion.model.path, tmp_path / "b.onnx", unknown=False)
    assert first.conversion.model.card.labels == again.conversion.model.card.labels == ["1", "2", "3"]
    one, two = (qingzhou.load(tmp_path / f"{name}.onnx").predict(DIGITS / "test" / "2") for name in "ab")
    assert [a.scores for a in one] == [pytest.approx(b.scores, abs=1e-4) for b in two]


# -- the verb -------------------------------------------------------------------------------------------------------


def verb(*args: object) -> Result:
    return CliRunner().invoke(main, [*map(str, args)])


def test_the_verb_in_both_languages(tmp_path: Path) -> None:
    data = lesson(tmp_path / "three", 8, "123")
    english = verb("teach", data, "--from", LENET, "--lang", "en")
    assert english.exit_code == 0, english.output
    assert (tmp_path / "three.onnx").exists() and "24  (8 of each class)" in english.output
    chinese = verb("teach", data, "--from", LENET, "--lang", "zh", "-o", tmp_path / "x.onnx")
    assert "不认识" in chinese.output and "每类 8 张" in chinese.output
    told = json.loads(verb("teach", data, "--from", LENET, "--json", "-o", tmp_path / "y.onnx").stdout)
    assert told["pictures"] == {"1": 8, "2": 8, "3": 8} and told["cross_validation"]["judged"] == 24


def test_pictures_from_a_camera(tmp_path: Path) -> None:
    """A folder of pictures stands for the camera; every class gets the next ones."""
    shown = sorted((DIGITS / "test" / "4").iterdir())[:6]
    film = tmp_path / "film"
    film.mkdir()
    for file in shown:
        shutil.copy(file, film)
    done = CliRunner().invoke(
        main,
        [
            "teach",
            str(tmp_path / "things"),
            "--from",
            str(LENET),
            "--camera",
            str(film),
            "--classes",
            "杯子,笔",
            "--each",
            "3",
        ],
        input="\n\n",
    )
    assert done.exit_code == 0, done.output
    assert [file.name for file in sorted((tmp_path / "things" / "笔").iterdir())] == [
        "0001.jpg",
        "0002.jpg",
        "0003.jpg",
    ]
    assert Image.open(tmp_path / "things" / "杯子" / "0001.jpg").size == Image.open(shown[0]).size
    assert (tmp_path / "things.onnx").exists()
    more = CliRunner().invoke(
        main,
        [
            "teach",
            str(tmp_path / "things"),
            "--from",
            str(LENET),
            "--camera",
            str(film),
            "--classes",
            "笔",
            "--each",
            "9",
        ],
        input="\n",
    )
    assert more.exit_code == 1 and len(list((tmp_path / "things" / "笔").iterdir())) == 9  # what came is kept


def test_a_backbone_that_cannot_be_used_is_said_before_anybody_poses(tmp_path: Path) -> None:
    film = DIGITS / "test" / "4"
    given = ["teach", tmp_path / "things", "--from", basenn("tab_iris"), "--camera", film, "--classes", "a,b"]
    done = CliRunner().invoke(main, [*map(str, given), "--lang", "en"], input="\n\n")
    assert done.exit_code == 1 and "to teach, a network is needed" in done.output.replace("\n", " ")
    assert "press Enter" not in done.output and not (tmp_path / "things").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["nothing", "--from", LENET], "there is no folder nothing"),
        (["data", "--from", "nothing.onnx"], "there is no file nothing.onnx"),
        (["data", "--from", LENET, "--classes", "a,b"], "--classes is for --camera"),
        (["data", "--from", LENET, "--camera", "0", "--classes", "a/b"], "--classes needs names"),
        (["data", "--from", LENET, "--camera", "0", "--classes", "a,b", "--each", "1"], "--each is 1"),
        (["one", "--from", LENET, "--no-unknown"], "there is one class, 1"),
        (["few", "--from", LENET], "the class 2 has 1 pictures"),
        (["data", "--from", basenn("tab_iris")], "to teach, a network is needed"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_written(
    given: list[object], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson(tmp_path / "data", 3, "12")
    lesson(tmp_path / "one", 3, "1")
    lesson(tmp_path / "few", 3, "12")
    for file in sorted((tmp_path / "few" / "train" / "2").iterdir())[1:]:
        file.write_bytes(b"no picture")
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    for lang in ("en", "zh"):
        done = verb("teach", *given, "--lang", lang)
        assert done.exit_code == 1 and "Traceback" not in done.output
        assert lang == "zh" or words in done.output.lower().replace("\n", " ")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_picture_that_cannot_be_read_is_named_and_left_out(tmp_path: Path) -> None:
    data = lesson(tmp_path / "data", 5, "12")
    (data / "train" / "1" / "0.png").write_bytes(b"no picture")
    done = verb("teach", data, "--from", LENET, "--lang", "en")
    assert done.exit_code == 0 and "1 files could not be read and were left out" in done.output.replace("\n", " ")


def test_the_check_looks_at_the_features(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The drawn sample is unknown, whatever a wrong network makes of it: its probabilities alone would show nothing."""

    def wrong(graph: Graph) -> Graph:
        nodes = [
            replace(node, op="Identity", inputs=node.inputs[:1]) if node.op == "Clip" else node for node in graph.nodes
        ]
        return replace(graph, nodes=tuple(nodes))

    monkeypatch.setattr("qingzhou.making.simplify", wrong)
    with pytest.raises(SelfTestFailed):
        qingzhou.teach(
            lesson(tmp_path / "data", 8, "012"), ORACLE / "mindspore/mobilenet_v2/model.mindir", tmp_path / "x.onnx"
        )
    assert not list(tmp_path.glob("x.*"))


@pytest.mark.parametrize("unknown", [True, False])
def test_pictures_that_are_all_one_picture_are_refused(unknown: bool, tmp_path: Path) -> None:
    """Not as damaged weights, and not by a model that knows nothing."""
    data = lesson(tmp_path / "data", 4, "12")
    for file in (data / "train").rglob("*.png"):
        shutil.copy(next((DIGITS / "test" / "3").iterdir()), file)
    with pytest.raises(QingzhouError) as caught:
        qingzhou.teach(data, LENET, tmp_path / "x.onnx", unknown=unknown)
    assert "the same for all 8 pictures" in caught.value.en and not list(tmp_path.glob("x.*"))


def test_one_picture_of_each_class_again_and_again_is_enough(tmp_path: Path) -> None:
    """Nothing differs within a class: what is a little different is unknown, and no number overflows."""
    data = lesson(tmp_path / "data", 4, "12")
    for name in "12":
        first, *rest = sorted((data / "train" / name).iterdir())
        for file in rest:
            shutil.copy(first, file)
    found = qingzhou.teach(data, LENET, tmp_path / "x.onnx")
    assert found.right == 8
    answers = qingzhou.load(tmp_path / "x.onnx").predict(data / "train" / "1")
    assert [answer.label for answer in answers] == ["1"] * 4
    assert all(np.isfinite(answer.scores).all() for answer in answers)


def test_a_class_that_is_called_unknown_is_one_of_the_user(tmp_path: Path) -> None:
    data = lesson(tmp_path / "data", 5, "12")
    (data / "train" / "2").rename(data / "train" / "unknown")
    found = qingzhou.teach(data, LENET, tmp_path / "x.onnx")
    assert found.conversion.model.card.labels == ["1", "unknown"]
