"""The pictures of a report."""

from __future__ import annotations

import base64
import io
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

import qingzhou
from passengers import DIGITS, ORACLE, basenn
from qingzhou.quant.judge import Changed
from qingzhou.web.shown import ANSWERED, CHANGED, SIDE, pictures
from qingzhou.web.task import _target


def seen(uri: str) -> Any:
    """The picture in a data URI."""
    head, data = uri.split(",", 1)
    assert head in ("data:image/png;base64", "data:image/jpeg;base64")
    return Image.open(io.BytesIO(base64.b64decode(data)))


def converted(source: Path, folder: Path, **options: Any) -> Path:
    return qingzhou.convert(source, folder / "model.onnx", **options).path


def test_some_of_every_class(tmp_path: Path) -> None:
    found = pictures(converted(ORACLE / "trained/lenet_digits.pth", tmp_path), DIGITS / "test", None)
    assert len(found["answered"]) == ANSWERED and found["changed"] == []
    answers = [one["answer"].split()[0] for one in found["answered"]]
    assert len(set(answers)) >= 5 and all("%" in one["answer"] for one in found["answered"])
    assert all(max(seen(one["picture"]).size) <= SIDE for one in found["answered"])


def test_boxes_are_drawn(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    source = sorted((ORACLE / "trained_ssd/pictures").rglob("*.jpg"))[0]
    shutil.copy(source, data)
    (data / "broken.png").write_bytes(b"no picture")
    (one,) = pictures(converted(ORACLE / "trained_ssd/checkpoint.pth", tmp_path), data, None)["answered"]
    plain = Image.open(source).convert("RGB").resize(seen(one["picture"]).size)
    drawn = np.abs(np.asarray(plain, float) - np.asarray(seen(one["picture"]).convert("RGB"), float))
    assert "%" in one["answer"] and drawn.max() > 100


def test_those_that_int8_answers_otherwise(tmp_path: Path) -> None:
    path = sorted((DIGITS / "test").rglob("*.png"))[0]
    changed = [
        Changed(str(path), path, "0", "0", "6"),
        *[Changed("gone.png", tmp_path / "gone.png", "", "1", "7")] * 20,
    ]
    model = converted(ORACLE / "trained/lenet_digits.pth", tmp_path)
    found = pictures(model, DIGITS / "test", SimpleNamespace(changed=changed))["changed"]  # type: ignore[arg-type]
    assert len(found) == CHANGED and found[1] == {"picture": "", "truth": "", "before": "1", "after": "7"}
    assert seen(found[0]["picture"]).size and (found[0]["truth"], found[0]["before"], found[0]["after"]) == (
        "0",
        "0",
        "6",
    )


def test_rows_have_none(tmp_path: Path) -> None:
    assert pictures(converted(basenn("tab_iris"), tmp_path), tmp_path, None) == {"answered": [], "changed": []}


@pytest.mark.parametrize(
    ("device", "target"), [("unihiker", "arm"), ("generic-linux-arm64", "arm"), ("pc", "x86"), (None, "auto")]
)
def test_int8_is_judged_by_the_arithmetic_of_the_device(device: str | None, target: str) -> None:
    assert _target({"device": device}) == target
