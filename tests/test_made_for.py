"""Folders that were made for a result which then failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from lenets import write_lenet
from qingzhou.conversion import run_conversion
from qingzhou.errors import QingzhouError
from qingzhou.whole_file import made_for


@pytest.mark.parametrize("out", ["a/b/x.onnx", "a/b/"])
def test_they_vanish(out: str, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), made_for(tmp_path / "s.pth", f"{tmp_path}/{out}", ".onnx") as target:
        assert target.parent.is_dir() and 1 / 0
    assert not list(tmp_path.iterdir())


def test_those_that_were_there_or_are_in_use_stay(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(ZeroDivisionError), made_for(tmp_path / "s.pth", tmp_path / "a" / "b" / "x", ".onnx") as target:
        (target.parent.parent / "other").write_text("")
        assert 1 / 0
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["other"]


def test_a_checkpoint_that_fails_its_check_leaves_nothing(tmp_path: Path) -> None:
    import numpy as np

    path = write_lenet(tmp_path / "lenet.pth", **{"backbone.classifier.0.bias": np.full(84, np.nan, np.float32)})
    with pytest.raises(QingzhouError):
        run_conversion(path, tmp_path / "new" / "folder" / "net.onnx")
    assert [one.name for one in tmp_path.iterdir()] == ["lenet.pth"]
