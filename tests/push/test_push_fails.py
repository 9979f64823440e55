"""A push that fails leaves the old bundle."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from bundles import write_bundle
from pushes import USER, place, quiet
from server import Server, start

from qingzhou.bundle.push import push
from qingzhou.bundle.ssh import Board, Login, Target
from qingzhou.errors import BoardError

pytestmark = pytest.mark.ssh


# -- what fails leaves the old bundle -------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", ["install_sh", "selftest_py"])
def test_the_old_bundle_stays_if_the_new_one_fails(broken: str, server: Server, board: Board, bundle: Path) -> None:
    push(bundle, board, tell=quiet, measure=False)
    bad = {
        "install_sh": "echo no wheel for this Python >&2; exit 3\n",
        "selftest_py": 'raise SystemExit("no wheel for this Python")\n',
    }
    write_bundle(bundle, main_py="print('new')\n", **{broken: bad[broken]})
    with pytest.raises(BoardError, match="no wheel for this Python"):
        push(bundle, board, tell=quiet)
    assert "main runs" in (place(server) / "main.py").read_text("utf-8")
    write_bundle(bundle, main_py="print('mended')\n")
    push(bundle, board, tell=quiet)
    assert "mended" in (place(server) / "main.py").read_text("utf-8")


PROGRAM = """
import sys
from pathlib import Path
from qingzhou.bundle import push as module
from qingzhou.bundle.ssh import Board, Login, Target
port, key, fingerprint, known, bundle = sys.argv[1:]
with Board(Target(sys.argv[0], "127.0.0.1", int(port)), Login(key=Path(key), accept=fingerprint,
           known_hosts=Path(known))) as board:
    module.push(Path(bundle), board, tell=lambda line: print(line, flush=True))
"""


def test_killed_in_the_middle(server: Server, login: Login, board: Board, bundle: Path) -> None:
    """Ours is killed while it sends; then the board loses its power. The old bundle works all along."""
    push(bundle, board, tell=quiet, measure=False)
    write_bundle(bundle, main_py="print('new')\n", model_onnx="")
    with (bundle / "model.onnx").open("wb") as file:
        for i in range(150):
            file.write(bytes([i]) * 1_000_000)
    code = PROGRAM.replace("sys.argv[0]", repr(USER))
    arguments = [str(server.port), str(login.key), login.accept, str(login.known_hosts), str(bundle)]
    command = [sys.executable, "-c", code, *arguments]
    for signal_ in (signal.SIGKILL, None):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
            assert child.stdout is not None
            seen = next(line for line in child.stdout if "20 %" in line or "rror" in line)
            assert "20 %" in seen, seen
            if signal_ is not None:
                child.send_signal(signal_)
            else:
                server.cut()
            child.communicate(timeout=60)
            assert child.returncode != 0
        assert "main runs" in (place(server) / "main.py").read_text("utf-8")
        half = place(server).with_name("cats 猫.new") / "model.onnx"
        assert half.is_file()
        if signal_ is None:
            again = start(server.folder, server.port)
    try:
        with Board(Target(USER, "127.0.0.1", server.port), login) as anew:
            done = push(bundle, anew, tell=quiet, measure=False)
        assert done.sent <= 3 and "new" in (place(server) / "main.py").read_text("utf-8")
        assert (place(server) / "model.onnx").stat().st_size == 150_000_000
    finally:
        again.stop()


def test_power_cut_between_the_two_renames(server: Server, board: Board, bundle: Path) -> None:
    """Where names cannot be exchanged there is a moment without the folder: the next push finds the old one."""
    push(bundle, board, tell=quiet, measure=False)
    place(server).rename(place(server).with_name("cats 猫.old"))
    done = push(bundle, board, tell=quiet, measure=False)
    assert done.sent == 0 and (place(server) / "main.py").is_file()


def test_a_full_disk_is_said_before_anything_is_sent(
    server: Server, board: Board, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(bundle, board, tell=quiet, measure=False)
    write_bundle(bundle, main_py="print(3)\n")
    (server.home / "bin").mkdir()
    (server.folder / "enter").write_text(
        (server.folder / "enter").read_text("utf-8").replace("&& export", "&& export PATH=$PWD/bin:$PATH && export"),
        "utf-8",
    )
    df = server.home / "bin" / "df"
    df.write_text(
        "#!/bin/sh\necho Filesystem 1024-blocks Used Available\necho /dev/mmc 100000 99000 1000 99% /\n", "utf-8"
    )
    df.chmod(0o755)
    with pytest.raises(BoardError, match="1 MB left"):
        push(bundle, board, tell=quiet, measure=False)
    assert "main runs" in (place(server) / "main.py").read_text("utf-8")
