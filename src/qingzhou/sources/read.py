"""read_network: the one way from a file to its network."""

from __future__ import annotations

from pathlib import Path

from ..nets.recorded import Wanted
from .as_asked import as_asked
from .network import Network
from .table import open_source


def read_network(path: str | Path, wanted: Wanted = Wanted()) -> Network:  # noqa: B008  # frozen
    """The network in a file, in the form that is wanted, before its labels are chosen; any QingzhouError."""
    opened, source = open_source(Path(path))
    return as_asked(source.read(opened, wanted), wanted.preprocess)
