"""A real sshd on 127.0.0.1, with its own keys, port, and the folder that it calls home."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"


@dataclass
class Server:
    """A running sshd: its port, the key of the user whom it lets in, and its own fingerprint."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def key(self) -> Path:
        return self.folder / "user"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def fingerprint(self) -> str:
        """As OpenSSH itself says it."""
        told = subprocess.run(
            ["ssh-keygen", "-lf", str(self.folder / "host.pub")], capture_output=True, text=True, check=True
        )
        return told.stdout.split()[1]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)

    def cut(self) -> None:
        """As if the power went: sshd and all that it started, at once."""
        for pid in [self.process.pid, *descendants(self.process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(10)


def descendants(pid: int) -> list[int]:
    """The processes that a process started, and theirs."""
    stats = [path.read_text("ascii", "replace").rpartition(")") for path in Path("/proc").glob("[0-9]*/stat")]
    parents = {int(left.split()[0]): int(right.split()[1]) for left, _, right in stats}
    own = [child for child, parent in parents.items() if parent == pid]
    return [*own, *(one for child in own for one in descendants(child))]


def new_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> None:
    path.unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-f", str(path)], check=True)


def start(folder: Path, port: int = 0) -> Server:
    """An sshd of the user who runs the tests; every login begins in folder/home."""
    (folder / "home").mkdir(exist_ok=True)
    if not (folder / "host").exists():
        new_key(folder / "host")
        new_key(folder / "user")
    shutil.copyfile(folder / "user.pub", folder / "authorized")
    (folder / "authorized").chmod(0o600)
    # What runs, and SFTP, begin in the home folder, where a board's user would be.
    shell = f'cd "{folder}/home" && export HOME="$PWD" && if [ "$SSH_ORIGINAL_COMMAND" = internal-sftp ]; then exec '
    shell += '/usr/lib/openssh/sftp-server; else eval "$SSH_ORIGINAL_COMMAND"; fi'
    (folder / "enter").write_text(f"#!/bin/sh\n{shell}\n", "utf-8")
    (folder / "enter").chmod(0o755)
    port = port or free_port()
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile {folder}/pid\n"
        f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
        f"PermitRootLogin prohibit-password\nForceCommand {folder}/enter\nSubsystem sftp internal-sftp\n",
        "utf-8",
    )
    if os.getuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)  # OpenSSH wants it from root
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "config")], stderr=(folder / "log").open("ab"))
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return Server(folder, port, process)
        time.sleep(0.05)
    process.kill()
    raise RuntimeError((folder / "log").read_text("utf-8"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
