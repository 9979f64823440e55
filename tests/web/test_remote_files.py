"""`qingzhou remote convert`, and what a server, honest or not, can do to a folder here: a stand-in answers."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lenets import write_lenet
from qingzhou.bundle import contents
from qingzhou.cli import main
from qingzhou.conversion import run_conversion
from qingzhou.errors import OutputError, QingzhouError, use_language
from qingzhou.web import asking, remote
from qingzhou.web.asking import Clock, RemoteError
from qingzhou.web.remote import convert

EVIL = "\x1b[2J\u202eevil\x00"


class Handler(BaseHTTPRequestHandler):
    """Answers what its server's `answers` have for a path: JSON, bytes, or a function that takes the handler."""

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_GET(self) -> None:
        asked: list[str] = self.server.asked  # type: ignore[attr-defined]
        asked.append(self.path)
        found = self.server.answers.get(self.path, {"error": {"en": "not there", "zh": "没有"}})  # type: ignore[attr-defined]
        if callable(found):
            found(self)
            return
        status = 404 if isinstance(found, dict) and self.path not in self.server.answers else 200  # type: ignore[attr-defined]
        self.whole(status, found if isinstance(found, bytes) else json.dumps(found).encode())

    def whole(self, status: int, body: bytes, **headers: str) -> None:
        """A complete answer."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def answering(answers: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """A server; its address, and what was asked of it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.answers, server.asked = answers, []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.asked  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def bundle_zip(files: Mapping[str, bytes], root: str = "best") -> bytes:
    """A bundle as it is downloaded."""
    facts: dict[str, Any] = {"format": "qingzhou.bundle"}
    facts["files"] = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    facts["digest"] = contents._seal(facts)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in {**files, "bundle.json": json.dumps(facts).encode()}.items():
            archive.writestr(f"{root}/{name}", data)
    return packed.getvalue()


def job_of(files: Mapping[str, tuple[str, bytes]], **changed: Any) -> dict[str, Any]:
    """What a server that made these files ({name: (kind, data)}) answers."""
    entries = [
        {"name": name, "kind": kind, "size": len(data), "url": "http://elsewhere/"}
        for name, (kind, data) in files.items()
    ]
    result = {"convert": {"network": "LeNet"}, "quantize": None, "notes": [], "files": entries, **changed}
    told = {"job": "J", "state": "done", "name": "best.pth", "error": None, "result": result}
    answers: dict[str, Any] = {
        "/api/uploads": {"upload": "U", "error": None},
        "/api/jobs": {"job": "J"},
        "/api/jobs/J": told,
    }
    return answers | {f"/api/jobs/J/files/{name}": data for name, (_, data) in files.items()}


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


def mine(home: Path, *names: str) -> dict[str, bytes]:
    """Files of the user's."""
    for name in names:
        (home / name).write_bytes(b"mine: " + name.encode())
    return {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()}


def stays(home: Path, before: Mapping[str, bytes]) -> bool:
    return all((home / name).read_bytes() == data for name, data in before.items())


BUNDLE = bundle_zip({"main.py": b"print(1)\n"})


def honest(model: bytes) -> dict[str, Any]:
    return job_of(
        {
            "best-pi5-basic.zip": ("bundle", BUNDLE),
            "best.zip": ("program", b"PK"),
            "best.onnx": ("model", model),
            "best.py": ("program", b"print('from afar')"),
        }
    )


# -- the user's files -------------------------------------------------------------------------------------------------


def test_the_same_as_at_home(home: Path, sent: tuple[bytes, bytes]) -> None:
    """The model, the bundle, and a program that is written here; a second time it is the same."""
    for _ in range(2):
        with answering(honest(sent[1])) as (address, asked):
            done = convert(home / "best.pth", address, device="pi5")
        names = [path.name for path in done.files]
        assert names == ["best-pi5-basic.zip", "best.onnx", "best.py"] and done.notes == ()
        assert (home / "best.onnx").read_bytes() == sent[1] and (home / "best-pi5-basic.zip").read_bytes() == BUNDLE
        assert b"afar" not in (home / "best.py").read_bytes() and not any("best.py" in path for path in asked)
    assert run_conversion(home / "best.pth").program == home / "best.py"
    assert not [path for path in home.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_is_the_users_stays(lang: str, home: Path, sent: tuple[bytes, bytes]) -> None:
    before = mine(home, "best.py", "best.zip", "best.onnx", "best-pi5-basic.zip")
    with answering(honest(sent[1])) as (address, _):
        argv = ["remote", "convert", str(home / "best.pth"), "--server", address, "--device", "pi5", "--lang", lang]
        done = CliRunner().invoke(main, argv)
    assert done.exit_code == 0 and stays(home, before), done.output
    made = {path.name for path in home.iterdir()} - set(before)
    assert made == {"best_run.onnx", "best_run.py", "best-pi5-basic_run.zip", "qingzhou_runtime"}
    assert all(name in done.output for name in ("best_run.onnx", "best_run.py", "best-pi5-basic_run.zip", "best.onnx"))


NAMES = [
    "best.pth",
    "train.py",
    "../up.py",
    "/etc/x",
    "C:\\x.py",
    "..\\x.onnx",
    "con",
    "x.onnx\n",
    "a" * 255,
    ".bashrc",
    "best.onnx/../../y",
]


@pytest.mark.parametrize("kind", ["model", "program", "bundle", "report", "x", None, 7, []])
@pytest.mark.parametrize("name", NAMES)
def test_names_of_a_server(name: str, kind: Any, home: Path, sent: tuple[bytes, bytes]) -> None:
    """They decide nothing: what comes has our names, or is not fetched."""
    before = mine(home, "train.py")
    answers = job_of({name: (kind, BUNDLE), "best.onnx": ("model", sent[1])})
    answers["/api/jobs/J"]["result"]["files"].reverse()  # ours first, so that a second model is one too many
    with answering(answers) as (address, _):
        done = convert(home / "best.pth", address)
    assert [path.name for path in done.files] == ["best.onnx", "best.py"] and stays(home, before)
    assert {path.name for path in home.iterdir()} == {*before, "best.onnx", "best.py", "qingzhou_runtime"}
    assert not (home.parent / "up.py").exists()


def test_a_model_called_as_a_module(home: Path, sent: tuple[bytes, bytes]) -> None:
    (home / "best.pth").rename(home / "json.pth")
    with answering(job_of({"json.onnx": ("model", sent[1])})) as (address, _):
        done = convert(home / "json.pth", address)
    assert [path.name for path in done.files] == ["json.onnx", "json_model.py"] and "json_model.py" in done.notes[0]


def test_an_onnx_stays_where_it_is(home: Path, sent: tuple[bytes, bytes]) -> None:
    """What comes back is the same file; into another folder it is written."""
    (home / "best.onnx").write_bytes(sent[1])
    with answering(honest(sent[1])) as (address, _):
        assert [path.name for path in convert(home / "best.onnx", address, device="pi5").files] == [
            "best-pi5-basic.zip"
        ]
        done = convert(home / "best.onnx", address, home / "out")
    assert (home / "out/best.onnx").read_bytes() == sent[1] and len(done.files) == 2


# -- what came is what was asked for -----------------------------------------------------------------------------------


def another_model(folder: Path) -> bytes:
    (folder / "deep").mkdir()
    return run_conversion(write_lenet(folder / "deep" / "x.pth", classes=7)).model.path.read_bytes()


WRONG = {
    "text": lambda sent, home: b"<html>not a model</html>",
    "cut": lambda sent, home: sent[: len(sent) // 2],
    "empty": lambda sent, home: b"",
    "of another": lambda sent, home: another_model(home),
    "zip": lambda sent, home: BUNDLE,
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_model_that_is_none(kind: str, home: Path, sent: tuple[bytes, bytes]) -> None:
    before = mine(home, "best.py")
    with answering(honest(WRONG[kind](sent[1], home))) as (address, _), pytest.raises(RemoteError, match="Nothing was"):
        convert(home / "best.pth", address, home / "out", device="pi5")
    assert stays(home, before) and list((home / "out").glob("*")) == [] if (home / "out").exists() else True


MAIN = {"main.py": b"x"}
BUNDLES = {
    "text": b"nothing",
    "empty": b"",
    "cut": BUNDLE[:-10],
    "no manifest": BUNDLE.replace(b"bundle.json", b"bundle.jsoN"),
    "changed": BUNDLE.replace(b"print(1)", b"print(2)"),
    "up": bundle_zip({"../x.py": b"x"}),
    "absolute": bundle_zip(MAIN, "/tmp"),
    "drive": bundle_zip({"C:x.py": b"x"}),
    "root": bundle_zip(MAIN, ".."),
    "back": bundle_zip({"a\\..\\..\\x.py": b"x"}),
}


@pytest.mark.parametrize("kind", BUNDLES)
def test_a_bundle_that_is_none(kind: str, home: Path, sent: tuple[bytes, bytes]) -> None:
    answers = job_of({"b.zip": ("bundle", BUNDLES[kind]), "best.onnx": ("model", sent[1])})
    with answering(answers) as (address, _), pytest.raises(RemoteError, match="Nothing was written"):
        convert(home / "best.pth", address, device="pi5")
    assert {path.name for path in home.iterdir()} == {"best.pth"}


PLACES = {
    "/api/uploads": ["upload"],
    "/api/jobs": ["job"],
    "/api/jobs/J": [
        "result",
        "result.convert",
        "result.convert.network",
        "result.notes",
        "result.files",
        "result.files.0",
        "result.files.0.name",
        "result.files.0.size",
    ],
}
ODD: list[Any] = [..., None, 7, -1, 1.5, "", EVIL, "../x", [], [1], {}, {"a": 1}, True, 10**30, [[[]]]]


@pytest.mark.parametrize("value", ODD, ids=lambda value: ascii(value)[:20])
@pytest.mark.parametrize("path, field", [(path, field) for path, fields in PLACES.items() for field in fields])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_fields_that_are_missing_or_of_another_type(
    lang: str, path: str, field: str, value: Any, home: Path, sent: tuple[bytes, bytes]
) -> None:
    """One sentence, whatever is odd; and never a name, a size or a text of the server's as it is."""
    use_language(lang)
    answers = json.loads(json.dumps({p: a for p, a in honest(sent[1]).items() if not isinstance(a, bytes)}))
    answers |= {p: a for p, a in honest(sent[1]).items() if isinstance(a, bytes)}
    owner, *keys = answers[path], *field.split(".")
    for key in keys[:-1]:
        owner = owner[int(key) if key.isdigit() else key]
    if value is ...:
        del owner[int(keys[-1]) if keys[-1].isdigit() else keys[-1]]
    else:
        owner[int(keys[-1]) if keys[-1].isdigit() else keys[-1]] = value
    with answering(answers) as (address, _):
        try:
            done = convert(home / "best.pth", address, device="pi5")
        except QingzhouError as err:
            assert isinstance(err, RemoteError) and str(err).isascii() == (lang == "en") and "\x1b" not in str(err)
            assert {one.name for one in home.iterdir()} == {"best.pth"}
        else:  # what is not needed may be odd, too
            assert (home / "best.onnx").read_bytes() == sent[1] and "\x1b" not in done.network


@pytest.mark.parametrize(
    "error",
    [
        "text",
        7,
        [],
        ["x"],
        {"en": 1, "zh": "x"},
        {"en": "x"},
        {"zh": "x"},
        {"en": EVIL + "\nx", "zh": EVIL},
        {"en": "x" * 100_000, "zh": "x"},
    ],
)
@pytest.mark.parametrize("path", ["/api/uploads", "/api/jobs", "/api/jobs/J"])
def test_a_servers_own_words(path: str, error: Any, home: Path, sent: tuple[bytes, bytes]) -> None:
    """What is shown of them steers no terminal and is not long."""
    answers = honest(sent[1])
    answers[path] = {**answers[path], "error": error}
    with answering(answers) as (address, _):
        if error in ([],):
            assert convert(home / "best.pth", address).files
            return
        argv = ["remote", "convert", str(home / "best.pth"), "--server", address, "--lang", "en"]
        done = CliRunner().invoke(main, argv)
    assert done.exit_code == 1 and not {"\x1b", "\u202e", "\x00"} & set(done.output) and len(done.output) < 5000


def test_texts_of_an_answer(home: Path, sent: tuple[bytes, bytes]) -> None:
    """Also where all went well, also as JSON."""
    answers = job_of(
        {"best.onnx": ("model", sent[1])}, notes=[EVIL, 7], convert={"network": EVIL}, quantize={"explanation": EVIL}
    )
    for more in ([], ["--json"]):
        with answering(answers) as (address, _):
            argv = ["remote", "convert", str(home / "best.pth"), "--server", address, "--lang", "en", *more]
            done = CliRunner().invoke(main, argv)
        assert done.exit_code == 0 and "evil" in done.output and not {"\x1b", "\u202e", "\x00"} & set(done.output)
        assert not more or json.loads(done.output)["saved"]


# -- time and room ----------------------------------------------------------------------------------------------------


class Counted:
    """A clock that goes on by `step` seconds each time it is asked, and by `nap` in each sleep; nobody waits."""

    def __init__(self, step: float, nap: float = 1.0) -> None:
        self.step, self.nap, self.asked, self.slept = step, nap, 0, 0
        self.clock = Clock(self.now, self.sleep)

    def now(self) -> float:
        self.asked += 1
        return self.step * self.asked + self.nap * self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += 1


def drip(first: bytes, part: bytes) -> Callable[[Handler], None]:
    """A beginning, and then the same until nobody listens."""

    def send(handler: Handler) -> None:
        handler.wfile.write(first)
        try:
            while True:
                handler.wfile.write(part)
        except OSError:
            handler.close_connection = True

    return send


OK = b"HTTP/1.1 200 OK\r\n"
ENDLESS = {
    "a status": drip(b"", b"H"),
    "headers": drip(OK, b"X-Y: z\r\n"),
    "one header": drip(OK + b"X: ", b"z"),
    "continue": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body": drip(OK + b"\r\n", b" " * 4096),
    "chunks": drip(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "a size": drip(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "much": drip(OK + b"Content-Length: 999999999999\r\n\r\n", b" " * 4096),
}


@pytest.mark.parametrize("path", ["/api/uploads", "/api/jobs/J", "/api/jobs/J/files/best.onnx"])
@pytest.mark.parametrize("kind", ENDLESS)
def test_a_server_that_never_ends(
    kind: str, path: str, home: Path, sent: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By bytes or by time, whichever is first: counted by a clock that goes on with each look at it."""
    monkeypatch.setattr(asking, "LARGEST_ANSWER", 1 << 16)
    counted = Counted(1.0)
    with answering({**honest(sent[1]), path: ENDLESS[kind]}) as (address, _), pytest.raises(RemoteError):
        convert(home / "best.pth", address, clock=counted.clock)
    assert counted.asked < 1000 and {one.name for one in home.iterdir()} == {"best.pth"}


def test_a_byte_a_minute(home: Path, sent: tuple[bytes, bytes]) -> None:
    """Each keeps the wait for the next one alive; all together are too slow."""
    ours, theirs = socket.socketpair()
    counted = Counted(119.0)
    server = asking.Server("http://x", clock=counted.clock)
    theirs.sendall(OK + b"\r\n" + b"1" * 200)
    bounded = asking._Bounded(ours.makefile("rb"), ours, lambda: server._left(asking.ANSWER))
    with pytest.raises(TimeoutError):
        for _ in range(200):
            bounded.readinto(bytearray(1))
    assert counted.asked == 3  # after 119, 238 and 357 seconds
    theirs.close()
    ours.close()


def test_a_job_that_never_ends(home: Path, sent: tuple[bytes, bytes]) -> None:
    answers = honest(sent[1])
    answers["/api/jobs/J"] = {"state": "queued"}
    counted = Counted(0.01, nap=600.0)
    with answering(answers) as (address, asked), pytest.raises(RemoteError, match=r"4 hours.*/j/J"):
        convert(home / "best.pth", address, clock=counted.clock)
    assert counted.slept == len(asked) - 3 == remote.LONGEST / 600


def body(status: int, data: bytes = b"{}", **headers: str) -> Callable[[Handler], None]:
    return lambda handler: handler.whole(status, data, **headers)


ODD_ANSWERS = {
    "gzip": body(200, b"\x1f\x8b", Content_Encoding="gzip"),
    "deflate": body(200, Content_Encoding="deflate"),
    "redirect": body(302, Location="http://127.0.0.1:9/"),
    "permanent": body(308, b"", Location="/x"),
    "no content": body(204, b""),
    "partial": body(206, b"x"),
    "server": body(500, b"x"),
    "list": body(200, b"[]"),
    "deep": body(200, b"[" * 100_000),
    "digits": body(200, b'{"upload": ' + b"9" * 100_000 + b"}"),
    "nan": body(200, b'{"upload": NaN}'),
    "twice": body(200, b'{"upload": "a", "upload": "b"}'),
    "latin": body(200, b'{"upload": "\xff"}'),
    "nothing": drip(OK, b"\r\n"),
}


@pytest.mark.parametrize("path", ["/api/uploads", "/api/jobs", "/api/jobs/J", "/api/jobs/J/files/best.onnx"])
@pytest.mark.parametrize("kind", ODD_ANSWERS)
def test_answers_of_another_kind(kind: str, path: str, home: Path, sent: tuple[bytes, bytes]) -> None:
    """No redirect is followed, nothing is unpacked."""
    if kind == "nothing" and path != "/api/uploads":
        pytest.skip("the same")
    answers: dict[str, Any] = {**honest(sent[1]), path: ODD_ANSWERS[kind]}
    with answering(answers) as (address, asked), pytest.raises(RemoteError):
        convert(home / "best.pth", address, clock=Counted(0.5).clock)
    assert asked[-1] == path and {one.name for one in home.iterdir()} == {"best.pth"}


@pytest.mark.parametrize("off", [-1, 1])
def test_a_file_of_another_size(off: int, home: Path, sent: tuple[bytes, bytes]) -> None:
    answers = honest(sent[1])
    answers["/api/jobs/J"]["result"]["files"][2]["size"] += off
    with answering(answers) as (address, _), pytest.raises(RemoteError, match="size"):
        convert(home / "best.pth", address)


def test_a_disk_without_room(home: Path, sent: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is fetched; and what fails while it is written is our disk's, not the server's."""
    monkeypatch.setattr(remote, "SPARE", 1 << 60)
    with answering(honest(sent[1])) as (address, asked), pytest.raises(OutputError, match="left"):
        convert(home / "best.pth", address)
    assert not any("/files/" in path for path in asked)
    (home / "taken").touch()
    with answering(honest(sent[1])) as (address, _), pytest.raises(OutputError, match="Cannot make the folder"):
        convert(home / "best.pth", address, home / "taken" / "x")


def test_the_clock_of_every_wait() -> None:
    """No wait is longer than SILENCE, none outlives its end."""
    server = asking.Server("http://x", clock=Clock(itertools.count(0, 50).__next__, lambda _: None))
    assert [server._left(180.0) for _ in range(4)] == [120.0, 120.0, 80.0, 30.0]
    with pytest.raises(TimeoutError):
        server._left(180.0)
