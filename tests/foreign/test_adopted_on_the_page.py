"""The page takes an .onnx of another tool as any other file: looked at, named, converted, bundled."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

import foreign_files as files
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
