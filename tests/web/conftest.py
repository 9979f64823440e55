"""A checkpoint, its model, and a folder in which somebody works with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lenets import write_lenet
from qingzhou.conversion import run_conversion
from qingzhou.errors import use_language


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """A checkpoint and the model of it."""
    folder = tmp_path_factory.mktemp("sent")
    source = write_lenet(folder / "best.pth")
    return source.read_bytes(), run_conversion(source).model.path.read_bytes()


@pytest.fixture
def home(sent: tuple[bytes, bytes], tmp_path: Path) -> Path:
    """A folder with the checkpoint, in which somebody works."""
    use_language("en")
    (tmp_path / "best.pth").write_bytes(sent[0])
    return tmp_path
