"""The promise can fail: on data by which nothing could be seen it is refused, or kept by agreement, and that is said;
the same on every way to INT8.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from test_judge import Written, answer, data

import qingzhou
from passengers import DIGITS, ORACLE
from qingzhou.bundle.build import build
from qingzhou.cli import main
from qingzhou.deploy import export_model
from qingzhou.errors import DataError, LabelError, QingzhouError, use_language
from qingzhou.evaluate import evaluate
from qingzhou.quant import Quantized, quantize
from qingzhou.quant.judge import Verdict, judge
from qingzhou.quant.pair import enough, unseen
from qingzhou.quant.result import Limits
from qingzhou.quant.split import split
from qingzhou.web.task import Teller, _quantized

LENET = ORACLE / "trained" / "lenet_digits.pth"
PICTURES = sorted((DIGITS / "test").glob("*/*.png"))


@pytest.fixture(scope="module")
def lenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return qingzhou.convert(LENET, tmp_path_factory.mktemp("lenet")).path


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    use_language("en")
    yield
    use_language(None)


def folders(place: Path, label_of: Callable[[int, str], str], pictures: list[Path] = PICTURES[::5]) -> Path:
    """The digits in folders of other names."""
    for number, picture in enumerate(pictures):
        folder = place / label_of(number, picture.parent.name)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, folder / f"{number}.png")
    return place


def one_more(_: int, digit: str) -> str:
    """Folders that count from 1."""
    return str(int(digit) + 1)


def by_command(model: Path, pictures: Path, out: Path) -> list[str]:
    return _told(quantize(model, pictures, out / "a.onnx", target="arm"))


def by_export(model: Path, pictures: Path, out: Path) -> list[str]:
    return list(export_model(model, "ncnn", out / "a.ncnn.param", "int8", pictures).told)


def by_bundle(model: Path, pictures: Path, out: Path) -> list[str]:
    made = build(model, "unihiker", out=out / "b", data=pictures, precision="int8", engine="onnxruntime", lang="en")
    assert made.form.accuracy is None
    return list(made.notes)


def by_page(model: Path, pictures: Path, out: Path) -> list[str]:
    options = {"precision": "int8", "max_drop": 0.5, "device": "unihiker"}
    found, _ = _quantized(model, options, pictures, out, Teller(io.BytesIO()))
    assert found is not None
    return _told(found)


def _told(found: Quantized) -> list[str]:
    return [found.explanation, *found.notes]


WAYS = [by_command, by_export, by_bundle, by_page]


@pytest.mark.parametrize("way", WAYS)
def test_folders_that_count_from_one(way: Any, lenet: Path, tmp_path: Path) -> None:
    pictures, out = folders(tmp_path / "data", one_more), tmp_path / "out"
    out.mkdir()
    with pytest.raises(LabelError, match="every one is answered as its number minus 1") as caught:
        way(lenet, pictures, out)
    assert "每个都答成它的数字减 1（1 答成 0，2 答成 1，3 答成 2……）" in caught.value.zh
    assert not [path for path in out.rglob("*") if path.suffix in (".onnx", ".bin")]


@pytest.mark.parametrize("way", WAYS)
def test_labels_that_mean_nothing(way: Any, lenet: Path, tmp_path: Path) -> None:
    """The digits in any folders: judged by agreement, with the reason."""
    rng = np.random.default_rng(3)
    out = tmp_path / "out"
    out.mkdir()
    told = " ".join(way(lenet, folders(tmp_path / "data", lambda n, digit: str(rng.integers(10))), out))
    assert "was judged by that instead of the accuracy" in told and "not clearly better than guessing" in told


def test_evaluate_gives_the_hints(lenet: Path, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="every one is answered as its number minus 1"):
        evaluate(lenet, folders(tmp_path / "data", one_more))
    shown = CliRunner().invoke(main, ["evaluate", str(lenet), str(tmp_path / "data"), "--lang", "zh"])
    assert "减 1" in shown.output


def test_one_class_that_is_always_answered(lenet: Path, tmp_path: Path) -> None:
    """With and without labels; all may be lost where the user says so."""
    threes = [path for path in PICTURES if path.parent.name == "3"]
    labelled = folders(tmp_path / "data", lambda n, digit: digit, threes)
    for pictures in (labelled, labelled / "3"):
        with pytest.raises(DataError, match=r"everything the same \(3\)"):
            quantize(lenet, pictures, tmp_path / "a.onnx", target="arm")
    assert quantize(lenet, labelled, tmp_path / "a.onnx", target="arm", min_agreement=0).path is not None


# -- copies ---------------------------------------------------------------------------------------------------------


def test_copies_do_not_judge(lenet: Path, tmp_path: Path) -> None:
    """Neither those of pictures that calibrate, nor one twice; in whatever file the same pixels are."""
    few = PICTURES[::10]
    pictures = folders(tmp_path / "data", lambda n, digit: digit, few)
    for picture in sorted(pictures.rglob("*.png")):
        Image.open(picture).save(picture.with_suffix(".bmp"))
        shutil.copy(picture, picture.with_name(f"copy of {picture.name}"))
    found, parts = quantize(lenet, pictures, tmp_path / "a.onnx", target="arm"), split(pictures)
    stems = [{Path(case.source).stem.split()[-1] for case in part} for part in (parts.calibration, parts.held_out)]
    assert stems[0] & stems[1]  # the split alone does not keep them apart
    assert found.verdict is not None and found.verdict.judged == len(stems[1] - stems[0])
    assert any(f"{found.verdict.copies} pictures are copies" in note for note in found.notes)
    assert found.verdict.copies == parts.copies + len(parts.held_out) - found.verdict.judged
    assert parts.copies == len(few)


def test_pictures_that_are_all_the_same(lenet: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="are the same"):
        quantize(lenet, folders(tmp_path / "data", lambda n, digit: str(n % 2), PICTURES[:1] * 12), tmp_path)


# -- honest weak models, and limits that cannot be passed ---------------------------------------------------------


def judged(answers: list[tuple[int, int, int]]) -> Verdict:
    """(true class, answer before, answer after) of each input."""
    names = [str(n) for n in range(len(answers))]
    pair = Written("classification", {n: (answer(a), answer(b)) for n, (_, a, b) in zip(names, answers, strict=True)})
    return judge(pair, data({n: pair.card.labels[truth] for n, (truth, _, _) in zip(names, answers, strict=True)}))


def weak(right: float, count: int, classes: int, seed: int) -> list[tuple[int, int, int]]:
    rng = np.random.default_rng(seed)
    truths = [n % classes for n in range(count)]
    found = [t if rng.random() < right else int((t + rng.integers(1, classes)) % classes) for t in truths]
    return [(truth, one, one) for truth, one in zip(truths, found, strict=True)]


@pytest.mark.parametrize(("right", "count", "classes"), [(0.65, 200, 2), (0.65, 20, 2), (0.5, 60, 3), (0.5, 12, 3)])
def test_weak_models_pass(right: float, count: int, classes: int) -> None:
    """By their accuracy where there are enough inputs; else, with few, mostly by agreement, which is said."""
    found = [judged(weak(right, count, classes, seed)) for seed in range(20)]
    assert all(Limits().allow(one) for one in found)
    assert all(one.labelled or one.why for one in found)
    assert count < 50 or sum(one.labelled for one in found) >= 12


def test_a_model_that_is_just_better_than_guessing_may_lose_one_answer() -> None:
    """Of 200: the interval then reaches guessing, and half a point is what may be lost; but not its whole lead."""
    answers = [(n % 2, (n + (n >= 114)) % 2, (n + (n >= 114)) % 2) for n in range(200)]
    found = judged([(0, 0, 1), *answers[1:]])
    assert found.labelled and found.drop.drop == 0.005 and Limits().allow(found)
    assert not Limits(max_drop=50).allow(judged([(truth, one, 0) for truth, one, _ in answers]))


def test_a_limit_above_what_there_is_to_lose() -> None:
    """From 50 % to one answer for everything: a drop of 17 points is allowed, but what is left only guesses."""
    before = weak(0.5, 300, 3, 0)
    found = judged([(truth, one, 0) for truth, one, _ in before])
    limits = Limits(max_drop=30)
    assert limits.within(found) and not limits.allow(found)
    assert not replace(limits, max_drop=99).allow(found) and replace(limits, max_drop=100).allow(found)


def test_agreement_with_one_frequent_answer() -> None:
    """96 of 100 answers are the same: a file that always says so keeps 95 %, and is refused."""
    answers = [(0, 0, 0)] * 96 + [(1, 1, 0)] * 4
    pair = Written("classification", {str(n): (answer(a), answer(b)) for n, (_, a, b) in enumerate(answers)})
    found = judge(pair, data(dict.fromkeys(pair.answers, ""), labelled=False))
    assert Limits().within(found) and not Limits().allow(found)


@pytest.mark.parametrize(("drop", "count"), [(0.005, 553), (0.05, 54), (0.01, 276)])
def test_the_resolution(drop: float, count: int) -> None:
    assert enough(drop) == count
    assert unseen(count) <= drop < unseen(count - 2)


def test_few_inputs_say_what_they_cannot_show() -> None:
    found = judged(weak(0.9, 60, 3, 0))
    assert "60 held-out inputs show a drop only from 4.5 points on; 0.5 would take 553 of them" in Limits().hint(found)
    assert Limits(max_drop=5).hint(found) == ""


# -- boxes and values -----------------------------------------------------------------------------------------------


def test_values_that_are_worse_than_their_mean() -> None:
    from test_judge import value

    truths = {str(n): float(n) for n in range(20)}
    pair = Written("regression", {name: (value(-number), value(-number)) for name, number in truths.items()})
    found = judge(pair, data(truths, answers="cells"))
    assert not found.labelled and "no nearer to the true ones than the mean" in found.why
    assert found.figures() == (1, 1) and Limits().allow(found)


@pytest.mark.parametrize("index", [0, 1])
def test_boxes_of_other_classes(index: int) -> None:
    pytest.importorskip("pycocotools")
    from qingzhou.evaluate.result import Box
    from qingzhou.runtime.model.detect import Detection

    box, labels = (10.0, 10.0, 50.0, 50.0), ["cat", "dog", "owl"]
    pair, truths = Written("detection", {}), {}
    for n in range(12):
        found = [Detection("", (n + index) % 3, 0.9, box)]
        pair.answers[str(n)], truths[str(n)] = (found, found), [Box(labels[n % 3], box)]  # type: ignore[index]
    if index:
        with pytest.raises(LabelError, match="cat is answered as dog, dog as owl, owl as cat"):
            judge(pair, data(truths, answers="boxes"))
    else:
        assert judge(pair, data(truths, answers="boxes")).labelled


def test_a_detector_that_finds_nothing() -> None:
    pytest.importorskip("pycocotools")
    from qingzhou.evaluate.result import Box

    pair = Written("detection", {str(n): ([], []) for n in range(6)})
    found = judge(pair, data({name: [Box("cat", (1.0, 1.0, 9.0, 9.0))] for name in pair.answers}, answers="boxes"))
    with pytest.raises(QingzhouError, match="nothing found"):
        Limits().check(found)


def test_no_tick_for_what_could_not_be_judged_as_it_should(lenet: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    pictures = folders(tmp_path / "data", lambda n, digit: str(rng.integers(10)))
    words = ["quantize", str(lenet), "--data", str(pictures), "-o", str(tmp_path / "a.onnx"), "--target", "arm"]
    done = CliRunner().invoke(main, [*words, "--lang", "en", "--html", str(tmp_path / "a.html")])
    assert done.exit_code == 0 and "same answers, not accuracy" in done.output
    assert "✓" not in done.output and "! The smaller model repeats" in done.output
    assert '<p class="note">The smaller model repeats' in (tmp_path / "a.html").read_text("utf-8")
