"""Hints: pictures unlike those of the training are named, those of the test set never, in Python and in the browser."""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import qingzhou
from passengers import DIGITS, ORACLE
from qingzhou.bundle.build import build
from qingzhou.cli import main
from qingzhou.errors import ModelError, use_language
from qingzhou.quant.pictures import usual, usual_pictures, with_pictures
from qingzhou.quant.split import split
from qingzhou.runtime.model import answers
from qingzhou.runtime.model.answers import TEXTS, Look, hint, hint_of, look, transparency
from qingzhou.runtime.model.card import Card
from qingzhou.runtime.parts.plain import as_plain, from_plain
from qingzhou.runtime.predict import Predictor

PICTURES = sorted((DIGITS / "test").rglob("*.png"))
PAGE = Path(qingzhou.__file__).parent / "bundle" / "page"


@pytest.fixture(scope="module", params=["lenet_digits", "mobilenet_digits"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """A model whose card knows a hundred of its pictures."""
    folder = tmp_path_factory.mktemp("hints")
    plain = qingzhou.convert(ORACLE / f"trained/{request.param}.pth", folder / "plain.onnx").path
    return Predictor(with_pictures(plain, DIGITS / "test", folder / "seen.onnx"))


def told(model: Predictor, picture: Any, known: bool = True) -> str:
    """The code of a picture's hint."""
    pictures = model.card.pictures if known else None
    return hint(look(picture, model.prepare(picture), model.card.input), pictures).code


def grey(path: Path) -> Path:
    return np.array(Image.open(path).convert("L"))


def with_alpha(path: Path, alpha: Any) -> Image.Image:
    image = Image.open(path).convert("RGBA")
    image.putalpha(Image.fromarray(alpha(np.array(image.convert("L")))))
    return image


def test_the_test_set_raises_no_false_alarm(model: Predictor) -> None:
    """497 pictures, of which 100 made the card."""
    assert model.card.pictures is not None and model.card.pictures["count"] == 100
    for known in (True, False):
        assert {told(model, path, known) for path in PICTURES} == {""}


ALTERED = {
    "inverted": lambda a: 255 - a,
    "dark": lambda a: (a * 0.3).astype(np.uint8),
    "bright": lambda a: np.minimum(a.astype(int) + 70, 255).astype(np.uint8),
    "pale": lambda a: (a * 0.1 + 75).astype(np.uint8),
    "blank": lambda a: np.full_like(a, 200),
}


@pytest.mark.parametrize("name", ALTERED)
def test_what_is_odd_is_named(model: Predictor, name: str) -> None:
    """Of every picture but a few at the edge, by its right name; without known pictures only what is blank."""
    some = [ALTERED[name](grey(path)) for path in PICTURES[::5]]
    assert sum(told(model, picture) == name for picture in some) >= 0.85 * len(some)
    assert {told(model, picture, known=False) for picture in some} == {"blank" if name == "blank" else ""}


ALPHA = [
    ("all", lambda a: np.zeros_like(a), "transparent"),
    ("ground", lambda a: np.where(a > 30, 255, 0).astype(np.uint8), "transparent"),
    ("none", lambda a: np.full_like(a, 255), ""),
    ("half", lambda a: np.full_like(a, 200), ""),
]


@pytest.mark.parametrize(("name", "alpha", "code"), ALPHA, ids=[name for name, *_ in ALPHA])
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "GIF", "image", "array"])
def test_transparent_parts(model: Predictor, name: str, alpha: Any, code: str, kind: str) -> None:
    """However it comes: a file's bytes, a PIL image, an array; alpha that hides nothing is none."""
    image = with_alpha(PICTURES[0], alpha)
    if kind == "image":
        assert told(model, image) == code
    elif kind == "array":
        assert told(model, np.array(image)) == code
    else:
        file = io.BytesIO()
        image.save(file, kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {}))
        assert told(model, file.getvalue(), known=False) in ((code,) if kind != "GIF" else ("transparent", "", "blank"))


def test_a_palette_with_a_transparent_colour() -> None:
    image = Image.new("P", (20, 20), 1)
    image.putpalette([0, 0, 0, 255, 255, 255])
    file = io.BytesIO()
    image.save(file, "PNG", transparency=1)
    assert transparency(file.getvalue()) == 1.0
    assert transparency(b"no picture") == transparency("/no/such/file") == 0.0


def test_models_trained_on_transparent_pictures_do_not_complain() -> None:
    """Nor those trained on faint ones; and few pictures say nothing."""
    looks = [Look(100, 3, 0.1, 0.5)] * 20
    known = usual(looks)
    assert hint(looks[0], known) == "" and hint(looks[0], None).code == "transparent"
    assert usual(looks[:9]) is None


def test_pictures_of_all_kinds_raise_few_alarms() -> None:
    """Where the training pictures differ as photos do, brightness says little, and is left alone."""
    chance = np.random.default_rng(1)
    looks = [
        Look(b, c, 0.0, 0.0) for b, c in zip(chance.uniform(30, 220, 500), chance.uniform(25, 90, 500), strict=True)
    ]
    known = usual(looks[:100])
    assert not [one for one in looks if hint(one, known)]


# -- the card -------------------------------------------------------------------------------------------------------

SEEN = {"brightness": [80.0, 9.5], "contrast": [88.0, 7.0], "skew": [0.5, 0.1], "transparent": 0.0, "count": 100}
BAD = [
    ("brightness", [80]),
    ("brightness", [80, -1]),
    ("contrast", [300, 1]),
    ("contrast", "x"),
    ("skew", [1, 2, 3]),
    ("transparent", 2),
    ("count", 0),
    ("count", 1.5),
    ("more", 1),
]


def test_the_card_keeps_them(model: Predictor) -> None:
    card = replace(model.card, pictures=SEEN)
    assert Card.from_json(card.to_json()) == card
    old = json.loads(card.to_json())
    del old["pictures"]
    assert Card.from_json(json.dumps(old)).pictures is None


@pytest.mark.parametrize(("key", "value"), BAD)
def test_a_card_that_lies_is_refused(model: Predictor, key: str, value: object) -> None:
    data = json.loads(replace(model.card, pictures=SEEN).to_json())
    data["pictures"][key] = value
    with pytest.raises(ModelError, match="pictures"):
        Card.from_json(json.dumps(data))


# -- where it is shown ----------------------------------------------------------------------------------------------


def test_run_shows_it(model: Predictor, tmp_path: Path) -> None:
    """As a sentence for people, as a code for programs: the same in both languages."""
    odd = tmp_path / "odd.png"
    Image.fromarray(255 - grey(PICTURES[0])).save(odd)
    path = tmp_path / "m.onnx"
    shutil.copyfile(str(model.session._model_path), path)
    for lang, part in (("en", TEXTS["inverted"][0][:30]), ("zh", TEXTS["inverted"][1][:9])):
        shown = CliRunner().invoke(main, ["run", str(path), str(odd), str(PICTURES[1]), "--lang", lang]).output
        assert "".join(shown.split()).count("".join(part.split())) == 1
        found = json.loads(
            CliRunner().invoke(main, ["run", str(path), str(odd), str(PICTURES[1]), "--lang", lang, "--json"]).output
        )
        assert [one.get("hint") for one in found["results"]] == ["inverted", None]
    use_language(None)


def test_an_answer_carries_it(model: Predictor) -> None:
    odd, good = model.predict(255 - grey(PICTURES[0])), model.predict(PICTURES[0])
    assert good.hint == "" and odd.hint in TEXTS["inverted"] and odd.hint.code == "inverted"
    assert as_plain(odd)["hint"] == "inverted" and "hint" not in as_plain(good)
    assert from_plain(as_plain(odd)).hint == odd.hint and from_plain(as_plain(good)).hint == ""
    assert hint_of("of a newer program") == ""


def test_a_detector_has_one_too(tmp_path: Path) -> None:
    found = qingzhou.convert(ORACLE / "trained_ssd/checkpoint.pth", tmp_path / "m.onnx").predictor
    things = found.predict(np.full((200, 200, 3), 90, np.uint8))
    assert isinstance(things, list) and things.hint.code == "blank"  # type: ignore[attr-defined]
    for path in sorted((ORACLE / "trained_ssd/pictures").glob("*.jpg"))[:5]:
        assert found.predict(path).hint == ""
    assert from_plain(as_plain(things)).hint == things.hint  # type: ignore[attr-defined]


@pytest.mark.parametrize(("device", "precision"), [("pc", "fp32"), ("unihiker", "fp32"), ("unihiker", "int8")])
def test_bundles_with_data_know_their_pictures(device: str, precision: str, tmp_path: Path) -> None:
    lenet = ORACLE / "trained/lenet_digits.pth"
    made = build(lenet, device, out=tmp_path / "b", data=DIGITS / "test", precision=precision, lang="zh")
    assert made.form.card.pictures is not None and made.form.card.pictures["count"] == 100
    assert "result.hint" in (made.path / "main.py").read_text("utf-8")
    without = build(lenet, device, out=tmp_path / "c", precision="fp32")
    assert without.form.card.pictures is None


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_the_browser_says_the_same(model: Predictor, tmp_path: Path) -> None:
    """hint.js has the same limits, sentences and answers."""
    cases = []
    for path in PICTURES[::60]:
        for change in (lambda a: a, *ALTERED.values()):
            picture = change(grey(path))
            batch = model.prepare(picture)
            cases.append(
                {
                    "values": base64.b64encode(batch.tobytes()).decode(),
                    "shape": batch.shape,
                    "code": told(model, picture),
                }
            )
    code = f"""
import {{ readFileSync }} from "node:fs";
import {{ hintOf }} from {json.dumps((PAGE / "hint.js").as_uri())};
const {{ card, cases }} = JSON.parse(readFileSync(0, "utf-8"));
for (const {{ values, shape }} of cases) {{
  const bytes = Uint8Array.from(Buffer.from(values, "base64"));
  console.log(hintOf({{ rgba: new Uint8Array(0) }}, new Float32Array(bytes.buffer), shape, card) || "-");
}}
const clear = new Uint8Array([1, 2, 3, 0]);
console.log(hintOf({{ rgba: clear }}, new Float32Array(12), [1, 3, 2, 2], {{ input: {{ steps: [] }} }}));
"""
    (tmp_path / "run.mjs").write_text(code, "utf-8")
    data = json.dumps({"card": json.loads(model.card.to_json()), "cases": cases})
    done = subprocess.run(["node", "run.mjs"], cwd=tmp_path, input=data, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [case["code"] or "-" for case in cases] + ["transparent"]
    texts = (PAGE / "texts.js").read_text("utf-8")
    for name, both in TEXTS.items():
        assert f"odd_{name}: [" in texts and all(f'"{text}"' in texts for text in both)
    assert answers.SIDE == 32


def test_data_that_are_no_data_set_say_nothing(tmp_path: Path) -> None:
    model = qingzhou.convert(ORACLE / "trained/lenet_digits.pth", tmp_path / "m.onnx").path
    assert with_pictures(model, tmp_path / "none", tmp_path / "x.onnx") == model
    assert usual_pictures(Predictor(model), split(DIGITS / "test").calibration[:5]) is None
