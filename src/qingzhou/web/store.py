"""Files by key: in a folder, in S3, or wherever else fsspec can."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import fsspec

PIECE = 256 << 10


class Store:
    """Keys are ours ("jobs/TOKEN/2/0"), never what a user called a file."""

    def __init__(self, place: str) -> None:
        self._fs, self._root = fsspec.core.url_to_fs(place)
        self._local = "file" in self._fs.protocol
        self._fs.makedirs(self._root, exist_ok=True)

    def _path(self, key: str) -> str:
        assert all(part.replace("-", "").replace("_", "").isalnum() for part in key.split("/")), "a key of ours"
        return f"{self._root}/{key}"

    def put(self, key: str, source: Path) -> None:
        """Keep a file that nobody will write to any more, whole or not at all. On the same disk it is not copied."""
        if source.is_symlink():
            raise RuntimeError("a link is not kept")
        if not (self._local and self._link(source, self._path(key))):
            with source.open("rb") as file:
                self.put_stream(key, file)

    def _link(self, source: Path, path: str) -> bool:
        """Whether the file could be given a second name; its first one may go then. One that has two already may be
        another's.
        """
        if os.stat(source).st_nlink != 1:
            return False
        part = self._part(path)
        try:
            os.link(source, part)
            os.chmod(part, 0o600)  # whatever the job made of it
        except OSError:
            return False
        os.replace(part, path)
        return True

    def _part(self, path: str) -> str:
        """Where a file of a local store waits until it is whole."""
        self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        return f"{path}-{secrets.token_hex(4)}-part"

    def put_stream(self, key: str, source: BinaryIO) -> None:
        """Keep what is read to its end, whole or not at all."""
        path = self._path(key)
        part = self._part(path) if self._local else path  # objects appear whole by themselves
        with self._fs.open(part, "wb") as target:
            while piece := source.read(PIECE):
                target.write(piece)
        if self._local:
            self._fs.mv(part, path)

    def fetch(self, key: str, target: Path) -> None:
        """Copy a file here; FileNotFoundError."""
        self._fs.get_file(self._path(key), str(target))

    def pieces(self, key: str) -> Iterator[bytes]:
        """A file bit by bit; FileNotFoundError before the first."""
        file = self._fs.open(self._path(key), "rb")
        return _pieces(file)

    def remove(self, key: str) -> None:
        """Take away everything below a key."""
        with contextlib.suppress(FileNotFoundError):
            self._fs.rm(self._path(key), recursive=True)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece
