"""The page takes an .onnx of another tool as any other file: looked at, named, converted, bundled."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest

import foreign_files as files
import qingzhou
from qingzhou.errors import QingzhouError, UnsafeCheckpoint
from qingzhou.web import task

OPTIONS = {
    "labels": None,
    "precision": "fp32",
    "max_drop": 0.5,
    "device": None,
    "scene": None,
    "actions": [],
    "lang": "en",
}
SILENT = SimpleNamespace(stage=lambda *_: None)


def order(path: Path, folder: Path, **options: object) -> dict[str, object]:
    folder.mkdir()
    return {"model": str(path), "folder": str(folder), "data": None, "options": {**OPTIONS, **options}}


def test_what_is_in_it(tmp_path: Path) -> None:
    path = files.torch_classifier(tmp_path / "net.onnx")
    told = task._info({"model": str(path)}, SILENT)  # type: ignore[arg-type]
    json.dumps(told)
    assert told["problem"] is None and told["classes"] == 3 and told["task"] == "classification"
    assert told["input"]["kind"] == "image" and "labels" in told["assumed"] and told["inputs"]


@pytest.mark.parametrize("make", [files.torch_classifier, files.ultralytics, files.scikit])
def test_it_is_converted(tmp_path: Path, make: object) -> None:
    path = make(tmp_path / "net.onnx")  # type: ignore[operator]
    done = task._job(order(path, tmp_path / "job"), SILENT)  # type: ignore[arg-type]
    json.dumps(done)
    assert (tmp_path / "job" / "out" / "net.onnx").read_bytes().startswith(path.read_bytes())
    assert done["convert"]["checks"] == ["structure", "runs"]


def test_names_and_preparation_from_the_form(tmp_path: Path) -> None:
    path = files.torch_classifier(tmp_path / "net.onnx")
    asked = order(path, tmp_path / "job", labels=["cat", "dog", "hen"], preprocess="imagenet")
    done = task._job(asked, SILENT)  # type: ignore[arg-type]
    assert done["convert"]["labels"] == ["cat", "dog", "hen"] and done["convert"]["assumed"] == ["resize", "color"]


def zipped(path: Path, *parts: Path, folder: str = "", squeezed: bool = True) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if squeezed else zipfile.ZIP_STORED) as archive:
        for part in parts:
            archive.write(part, f"{folder}{part.name}")
    return path


@pytest.mark.parametrize(("name", "folder", "squeezed"), [("net.onnx", "", False), ("net.zip", "export/", True)])
def test_weights_in_another_file_come_along_in_a_zip(tmp_path: Path, name: str, folder: str, squeezed: bool) -> None:
    """As the page packs both; or as somebody did."""
    path = files.torch_default(tmp_path / "best.onnx")
    expected = onnxruntime.InferenceSession(str(path)).run(None, {"x": np.ones((1, 3, 32, 32), np.float32)})
    given = zipped(tmp_path / name, path, tmp_path / "best.onnx.data", folder=folder, squeezed=squeezed)
    told = task._info({"model": str(given)}, SILENT)  # type: ignore[arg-type]
    assert told["problem"] is None and "which is not" not in str(told["notes"])
    task._job(order(given, tmp_path / "job"), SILENT)  # type: ignore[arg-type]
    session = onnxruntime.InferenceSession(str(next((tmp_path / "job" / "out").glob("*.onnx"))))
    found = session.run(None, {"x": np.ones((1, 3, 32, 32), np.float32)})
    np.testing.assert_array_equal(found[0], expected[0])


def test_a_zip_of_two_models_is_none(tmp_path: Path) -> None:
    paths = [files.torch_classifier(tmp_path / f"{name}.onnx") for name in "ab"]
    with pytest.raises(QingzhouError):
        qingzhou.convert(zipped(tmp_path / "net.zip", *paths))


def test_a_name_in_a_zip_leads_nowhere(tmp_path: Path) -> None:
    path = files.torch_default(tmp_path / "net.onnx", "../net.bin")
    (tmp_path / "net.bin").write_bytes(bytes(1 << 16))
    with zipfile.ZipFile(tmp_path / "net.zip", "w") as archive:
        archive.write(path, "x/net.onnx")
        archive.write(tmp_path / "net.bin", "x/../net.bin")
    with pytest.raises(QingzhouError, match="no plain name"):
        qingzhou.convert(tmp_path / "net.zip")
    assert {one.name for one in tmp_path.iterdir()} == {"net.onnx", "net.bin", "net.zip"}


def test_too_much_beside_a_model_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qingzhou.sources.onnx.zipped.LARGEST", 1 << 20)
    path = files.torch_classifier(tmp_path / "net.onnx")
    (tmp_path / "net.onnx.data").write_bytes(bytes(1 << 21))
    given = zipped(tmp_path / "net.zip", path, tmp_path / "net.onnx.data")
    with pytest.raises(UnsafeCheckpoint):
        qingzhou.convert(given)
