"""What other tools save, at the server's door: told from pictures, kept under its own ending, converted as it is."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from clients import ORACLE, PICTURES, SURE, finished, order, upload, zipped
from starlette.testclient import TestClient

from qingzhou.web.app import create_app
from qingzhou.web.settings import Settings
from qingzhou.web.uploads import facts_of


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """A server with one worker."""
    app = create_app(Settings(tmp_path / "data", lease=5.0, tick=0.2))
    with TestClient(app, base_url="http://localhost:8000", client=("10.0.0.1", 50000)) as made:
        yield made


KERAS, TFLITE = ORACLE / "keras", ORACLE / "tflite"
TREE = (ORACLE / "sklearn/tree_text_labels.pkl").read_bytes
PAGE = {name: (KERAS / "tfjs_teachable" / name).read_bytes() for name in ("weights.bin", "model.json", "metadata.json")}
PADDLE = {f"inference.{half}": (ORACLE / f"paddle/lenet/model.{half}").read_bytes() for half in ("json", "pdiparams")}
PHOTO = next(PICTURES.rglob("*.png")).read_bytes()
OTHERS: dict[str, tuple[Callable[[], bytes], str, str]] = {  # what is sent -> its kind, and what it is kept as
    "converted (1).zip": ((KERAS / "teachable_machine/converted_keras.zip").read_bytes, "model", "converted_1.zip"),
    "tm-my-image-model.zip": (lambda: zipped(PAGE), "model", "tm-my-image-model.zip"),
    "folder.zip": (lambda: zipped({f"my model/{name}": data for name, data in PAGE.items()}), "model", "folder.zip"),
    "lite.zip": (lambda: zipped({"labels.txt": b"0 a", "model_unquant.tflite": b""}), "model", "lite.zip"),
    "saved_model.zip": ((ORACLE / "saved_models/saved_model.zip").read_bytes, "model", "saved_model.zip"),
    "model.keras": ((KERAS / "digits_trained/model.keras").read_bytes, "model", "model.keras"),
    "model.keras.zip": ((KERAS / "digits_trained/model.keras").read_bytes, "model", "model.zip"),
    "model.h5": ((KERAS / "digits_trained/model.h5").read_bytes, "model", "model.h5"),
    "h5": ((KERAS / "digits_trained/model.h5").read_bytes, "model", "h5.h5"),
    "model.json": (lambda: PAGE["model.json"], "model", "model.json"),
    "digits.tflite.1": ((TFLITE / "digits_int8.tflite").read_bytes, "model", "digits.tflite"),
    "digits": ((TFLITE / "digits_int8.tflite").read_bytes, "model", "digits.tflite"),
    "inference.pdiparams": (lambda: zipped(PADDLE), "model", "inference.pdiparams"),
    "inference.zip": (lambda: zipped({f"a/{name}": data for name, data in PADDLE.items()}), "model", "inference.zip"),
    "tree.pickle": (TREE, "model", "tree.pickle"),
    "tree.pickle (2)": (TREE, "model", "tree.pickle"),
    "tree.joblib": (TREE, "model", "tree.joblib"),
    "lone.pdmodel": (lambda: b"\x0a\x20\x08\x00\x10\x00", "model", "lone.pdmodel"),
    "pictures.zip": (lambda: zipped({"a/1.png": PHOTO}), "data", "pictures.zip"),
    "both.zip": (lambda: zipped({"a/1.png": PHOTO, "a/model.h5": b"x", "labels.txt": b"a"}), "data", "both.zip"),
    "coco.zip": (lambda: zipped({"model.json": b"{}", "a/1.png": PHOTO}), "data", "coco.zip"),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_models_of_other_tools_are_told_from_data(name: str) -> None:
    """By what is inside, also where a zip is itself the model; and kept under an ending that is theirs."""
    make, kind, kept = OTHERS[name]
    facts = facts_of(name, io.BytesIO(make()), 1 << 30)
    assert (facts["kind"], facts["safe"]) == (kind, kept)


def test_teachable_machine_through_the_door(client: TestClient) -> None:
    """The zip is looked at and converted as it is; its own name stays with it."""
    told = upload(client, (KERAS / "teachable_machine/converted_keras.zip").read_bytes(), "converted_keras.zip").json()
    assert told["error"] is None and told["info"]["labels"] == ["石头", "剪刀", "布 paper"]
    assert (told["info"]["tool"], told["info"]["problem"]) == ("Teachable Machine", None)
    done = finished(client, order(client, told["upload"]).json()["job"])
    assert done["state"] == "done", done["error"]
    assert {one["name"] for one in done["result"]["files"]} == {
        f"converted_keras.{end}" for end in ("zip", "onnx", "py")
    }
    assert done["result"]["try"]["card"]["origin"]["file"] == "converted_keras.zip"


def test_a_pickle_of_scikit_learn_through_the_door(client: TestClient) -> None:
    told = upload(client, TREE(), "tree.pickle").json()
    assert told["error"] is None and told["info"]["problem"] is None
    done = finished(client, order(client, told["upload"]).json()["job"])
    assert done["state"] == "done", done["error"]
    assert {"tree.onnx", "tree.py"} <= {one["name"] for one in done["result"]["files"]}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_and_its_refusal_name_what_scikit_learn_saves(lang: str, client: TestClient) -> None:
    page = client.get("/", headers={"accept-language": lang}).text
    refusal = upload(client, PHOTO, "tree.png").json()["error"][lang]
    texts = client.get("/static/texts.js").text
    assert all(ending in text for ending in (".pkl", ".pickle", ".joblib") for text in (page, refusal, texts))


def test_a_saved_model_is_named_and_not_run(client: TestClient) -> None:
    told = upload(client, (ORACLE / "saved_models/saved_model.zip").read_bytes(), "saved_model.zip").json()
    assert told["kind"] == "model" and "SavedModel" in told["info"]["problem"]["en"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_a_file_does_not_say_is_set_on_the_page(lang: str, client: TestClient) -> None:
    """Names of classes, and how pictures are prepared: no note speaks of a command line."""
    sent = ("digits_int8.tflite", (TFLITE / "digits_int8.tflite").read_bytes())
    told = client.post("/api/uploads", files={"file": sent}, data={"lang": lang}, headers=SURE).json()
    done = finished(client, order(client, told["upload"], lang=lang).json()["job"])
    notes = done["result"]["convert"]["notes"]
    assert any({"en": "written before converting", "zh": "转换前填写名称"}[lang] in note for note in notes)
    assert any({"en": ", grey.", "zh": "、灰度。"}[lang] in note for note in notes)
    assert not any("--" in note for note in [*notes, *told["info"]["notes"]])
