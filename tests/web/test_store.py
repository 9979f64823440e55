"""Files by key: whole, the server's own, and never another's under a new name."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from qingzhou.web.serve import _listener
from qingzhou.web.settings import Settings
from qingzhou.web.store import Store


def content(store: Store, key: str) -> bytes:
    return b"".join(store.pieces(key))


def test_a_file_that_was_kept_outlives_its_folder(tmp_path: Path) -> None:
    store, made = Store(str(tmp_path / "files")), tmp_path / "made.onnx"
    made.write_bytes(b"model" * 1000)
    made.chmod(0o400)
    store.put("jobs/a/1/0", made)
    store.put("jobs/a/2/0", made)  # again: a worker whose Redis was away for a moment
    made.unlink()
    assert content(store, "jobs/a/1/0") == content(store, "jobs/a/2/0") == b"model" * 1000
    kept = [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
    assert len(kept) == 2
    if os.name == "posix":
        assert kept[0].stat().st_mode & 0o777 == 0o600 or kept[1].stat().st_mode & 0o777 == 0o600


def test_what_has_another_name_already_is_copied(tmp_path: Path) -> None:
    """A job may give a name of its own to a file of others: that one must not change."""
    store, others, made = Store(str(tmp_path / "files")), tmp_path / "records.db", tmp_path / "made.onnx"
    others.write_bytes(b"records")
    os.link(others, made)
    mode = others.stat().st_mode
    store.put("jobs/a/1/0", made)
    others.write_bytes(b"changed")
    assert content(store, "jobs/a/1/0") == b"records"
    assert others.stat().st_mode == mode and others.stat().st_nlink == 2


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_a_symbolic_link_is_not_kept(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "files"))
    (tmp_path / "made.onnx").symlink_to("/etc/passwd")
    with pytest.raises(RuntimeError):
        store.put("jobs/a/1/0", tmp_path / "made.onnx")


def test_small_answers_are_sent_at_once(tmp_path: Path) -> None:
    """asyncio sets TCP_NODELAY only on sockets that name their protocol; without it each answer waits 40 ms."""
    with _listener(Settings(tmp_path, port=0)) as listener:
        assert listener.proto == socket.IPPROTO_TCP
