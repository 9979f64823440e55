"""convert() and its sample, where no torch is imported."""

from __future__ import annotations

from pathlib import Path

import pytest
from exported_files import ORACLE

import qingzhou
from qingzhou.errors import OptionError, UnsupportedCheckpoint
from qingzhou.sources.exported.live import is_live


def test_a_file_needs_no_sample(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"found PosixPath|found WindowsPath"):
        qingzhou.convert(ORACLE / "pt2_vit.pt2", tmp_path / "x.onnx", sample=[1.0])
    with pytest.raises(OptionError, match="found int"):
        qingzhou.convert(3, tmp_path / "x.onnx")


def test_nothing_is_live_without_torch() -> None:
    assert not is_live("model.pth") and not is_live(object())


def test_a_pickled_class_of_ones_own_is_told_what_works() -> None:
    with pytest.raises(UnsupportedCheckpoint) as caught:
        qingzhou.convert(ORACLE / "refuse_own_forward.pth")
    for text in (caught.value.en, caught.value.zh):
        assert "qingzhou.convert(model, sample=" in text and "torch.export.save(" in text
