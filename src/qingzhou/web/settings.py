"""What a server and its workers are told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

MB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What one job may use, in its process.

    memory     bytes of its data
    seconds    wall-clock, and twice as many of the processor;  brief  of a job without pictures, which converts only
    file_size  bytes of any file it writes;  folder  bytes of all;  open_files  at once
    info       seconds that reading what an upload is may take
    unpacked   bytes, and  entries  number, of the pictures in a zip
    """

    memory: int = 3 << 30
    seconds: float = 600.0
    brief: float = 180.0
    file_size: int = 2 << 30
    folder: int = 4 << 30
    open_files: int = 256
    info: float = 30.0
    unpacked: int = 1 << 30
    entries: int = 20_000


@dataclass(frozen=True)
class Settings:
    """One server or worker.

    folder      of everything that is embedded: records, queue, files, working folders
    queue       "" for SQLite in the folder, or redis://host:6379/0
    store       "" for a folder there, or file:///…, s3://bucket/…
    workers     jobs at once in this process; 0 leaves them to `qingzhou worker`
    names       hosts that the server is called by, besides addresses, localhost and the machine's name
    max_size    bytes of an upload;  keep  seconds until uploads, jobs and their files go
    code        that a class must know; "" for none
    behind_proxy  whether X-Forwarded-For is to be believed
    uploads, queue_length, uploading, reports  that are kept, wait, come in at this moment, or are on the class board;
                …_per_client  the share of each, beyond which one gets more only while half is free
    requests_per_client  that are answered at once
    least_free  bytes that stay free on the disk, whoever uploads
    idle        seconds that an upload may pause;  slowest  bytes a second that it must come with
    lease       seconds after which a worker that says nothing is taken for dead;  tick  between looking for such
    """

    folder: Path
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    queue: str = ""
    store: str = ""
    names: tuple[str, ...] = ()
    max_size: int = 512 * MB
    keep: float = 24 * 3600.0
    code: str = ""
    behind_proxy: bool = False
    uploads_per_client: int = 40
    uploads: int = 2000
    least_free: int = 2 << 30
    jobs_per_client: int = 10
    queue_length: int = 200
    uploading: int = 128
    uploading_per_client: int = 4
    requests_per_client: int = 200
    connections: int = 2000
    idle: float = 20.0
    slowest: float = 20_000.0
    lease: float = 20.0
    tick: float = 2.0
    reports: int = 2000
    reports_per_client: int = 100
    limits: Limits = field(default_factory=Limits)

    @property
    def records_place(self) -> str:
        """Where records are: the queue's Redis, or the file beside it."""
        return self.queue or str(self.folder / "records.db")

    @property
    def store_place(self) -> str:
        """Where files are, for fsspec."""
        return self.store or (self.folder / "files").absolute().as_uri()

    @property
    def work(self) -> Path:
        """Where jobs work, each in a folder of its own."""
        return self.folder / "work"
