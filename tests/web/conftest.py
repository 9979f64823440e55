"""A fork server for all; a checkpoint, its model, and a folder in which somebody works with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lenets import write_lenet
from qingzhou.conversion import run_conversion
from qingzhou.errors import use_language
from qingzhou.web import process


class Kept(process.ForkServer):
    """One for all servers that tests start in this process, whichever of them ends."""

    def close(self) -> None:
        """Not yet: to start one costs more than most tests."""


@pytest.fixture(scope="session")
def kept() -> Iterator[Kept]:
    found = Kept()
    yield found
    process.ForkServer.close(found)


@pytest.fixture(autouse=True)
def one_fork_server(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one is, and how it begins and ends with its server, test_forkserver shows with its own."""
    monkeypatch.setattr(process, "FORKS", kept)


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
