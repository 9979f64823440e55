"""One hostile card through every verb, in both languages and every format, and everything that these write."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import click
import numpy as np
import pytest
from click.testing import CliRunner
from onnx import TensorProto, helper

import foreign
from dear import but_slow
from foreign import EVIL, LABELS, NAME
from lenets import write_lenet
from passengers import DIGITS, ORACLE, basenn
from programs import PYTHON, environment
from qingzhou.bench import measure
from qingzhou.bundle.build import build
from qingzhou.bundle.push import Pushed
from qingzhou.cli import main
from qingzhou.conversion import run_conversion
from qingzhou.doors.common import pth_info
from qingzhou.doors.MMEdu import MMClassification
from qingzhou.errors import use_language
from qingzhou.model import load
from qingzhou.options import Options
from qingzhou.present import boards
from qingzhou.runtime.engine.session import open_session
from qingzhou.runtime.parts.wires import Broker, Serial
from qingzhou.runtime.text import line
from qingzhou.scenes import write_sample

SHAPES = ORACLE / "trained_ssd"


@dataclass(frozen=True)
class World:
    """Hostile files of every kind; `out` is where the verbs write."""

    image: Path
    boxes: Path
    words: Path
    numbers: Path
    checkpoint: Path
    data: Path
    picture: Path
    report: Path
    out: Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("foreign")
    made, evil = folder / "made", folder / "evil"
    evil.mkdir()
    sources: dict[str, tuple[Path, dict[str, Any]]] = {
        "image": (DIGITS / "basenn.pth", {"labels": ",".join("abcdefghij")}),
        "words": (basenn("em_lstm"), {}),
        "boxes": (SHAPES / "checkpoint.pth", {"input_size": (160, 160)}),
        "numbers": (basenn("tab_reg"), {}),
    }
    models = {}
    for kind, (source, options) in sources.items():
        model = run_conversion(source, made / f"{kind}.onnx", Options(**options)).model.path
        (evil / kind).mkdir()
        models[kind] = foreign.evil_model(model, evil / kind / f"{NAME}.onnx")
    data = evil / "data"
    for number, label in enumerate(LABELS if os.name != "nt" else "abcdefghij"):
        place = data / label
        place.mkdir(parents=True)
        source = next((DIGITS / "test" / str(number)).glob("*.png"))
        shutil.copyfile(source, place / f"{NAME}.png")
        (place / f"{NAME}2.png").write_bytes(b"no picture")
    named = [label.replace("\x9b", "") for label in LABELS]  # which is refused there
    checkpoint = write_lenet(evil / f"{NAME}.pth", {"CLASSES": named, "tool": EVIL, "mmcls_version": EVIL, EVIL: EVIL})
    row = {"model": LABELS[1], "network": EVIL, "device": LABELS[2], "engine": LABELS[3], "precision": EVIL[:9],
           "size_bytes": 1, "accuracy": 0.5, "latency_ms_p50": 1.0, "latency_ms_p95": 1.0, "fps": 1.0, "load_s": 0.2,
           "memory_mb": 1.0, "temperature_c": 1.0, "throttled": False, "how": EVIL, "date": None,
           "note": EVIL}  # fmt: skip
    report = evil / f"{NAME}.json"
    report.write_text(json.dumps({"format": "qingzhou.report", "version": 1, "source": "measured", "rows": [row]}))
    (evil / f"{NAME}2.json").write_text("{}")
    (folder / "out").mkdir()
    first = next((DIGITS / "test" / "0").glob("*.png"))
    picture = evil / f"{NAME}.png"
    shutil.copyfile(first, picture)
    return World(
        models["image"],
        models["boxes"],
        models["words"],
        models["numbers"],
        checkpoint,
        data,
        picture,
        report,
        folder / "out",
    )


Words = Callable[[World, Path], list[object]]
# verb -> what is said behind it, and in which formats it answers that
CALLS: dict[str, list[tuple[Words, str]]] = {
    "convert": [
        (lambda w, out: [w.checkpoint, "-o", out], "text json"),
        (lambda w, out: [w.checkpoint, DIGITS / "basenn.pth", w.report.with_name(f"{NAME}2.json"), "-o", out],
         "text json"),
        (lambda w, out: [w.checkpoint, "-o", out, "--labels", LABELS[0]], "text json"),
        (lambda w, out: [w.image], "text json"),
    ],
    "info": [
        (lambda w, out: [w.image, "--tree"], "text json"), (lambda w, out: [w.boxes], "text json"),
        (lambda w, out: [w.checkpoint, "--tree"], "text json"), (lambda w, out: [w.picture], "text json"),
        (lambda w, out: [w.words], "text json"), (lambda w, out: [w.words, EVIL], "text"),
    ],
    "run": [
        (lambda w, out: [w.image, w.picture, w.data, "--save", out], "text json csv"),
        (lambda w, out: [w.boxes, w.picture, "--threshold", 0, "--save", out, "--coco", out / "c.json"],
         "text json csv"),
        (lambda w, out: [w.words], "text json csv"), (lambda w, out: [w.numbers], "text json csv"),
        (lambda w, out: [w.image, EVIL], "text json"), (lambda w, out: [w.image, "--device", EVIL], "text json"),
    ],
    "check": [(lambda w, out: [w.image], "text json"), (lambda w, out: [w.picture], "text json")],
    "evaluate": [
        (lambda w, out: [w.image, w.data, "--html", out / "e.html"], "text json"),
        (lambda w, out: [w.boxes, w.data], "text json"),
    ],
    "export": [
        (lambda w, out: [w.image, "--engine", "openvino", "-o", out / f"{NAME}.xml"], "text json"),
        (lambda w, out: [w.image, "--engine", "ncnn", "-o", out / f"{NAME}.param"], "text json"),
        (lambda w, out: [w.image, "--engine", "onnxruntime", "-o", out], "text json"),
        (lambda w, out: [w.image, "--engine", EVIL, "-o", out], "text json"),
    ],
    "quantize": [
        (lambda w, out: [w.image, "--data", w.data, "--any-speed", "--max-drop", 100, "-o", out,
                         "--html", out / "q.html"], "text json"),
        (lambda w, out: [w.image, "--data", EVIL], "text json"),
    ],
    "bench": [(lambda w, out: [w.image, "--engines", "onnxruntime", "--html", out / "b.html"], "text json"),
              (lambda w, out: [w.image, "--engines", EVIL], "text json")],
    "engines": [(lambda w, out: [], "text json")], "doors": [(lambda w, out: [], "text json")],
    "devices": [(lambda w, out: [], "text json")], "demo": [(lambda w, out: ["-o", out / NAME], "text json")],
    "bundle": [
        (lambda w, out: [w.image, "--device", "pi5", "--scene", "camera", "--action", "speak", "--action",
                         f"{LABELS[0]}=pin:24", "--action", "pin:24",
                         "-o", out / "a"], "text json"),
        (lambda w, out: [w.image, "--device", "pc", "-o", out / f"{NAME}.zip"], "text json"),
        (lambda w, out: [w.words, "--device", "pi5", "-o", out / "c"], "text json"),
        (lambda w, out: [w.boxes, "--device", "pi5", "--scene", "video", "--force", "-o", out / "d"], "text json"),
        (lambda w, out: [w.image, "--device", "browser", "-o", out / "e"], "text json"),
        (lambda w, out: [w.image, "--device", "pi5", "--action", EVIL, "-o", out / "f"], "text json"),
        (lambda w, out: [w.image, "--device", EVIL, "-o", out / "f"], "text json"),
        (lambda w, out: [w.image, "--device", "pi5", "--set", f"MODEL={EVIL}", "-o", out / "g"], "text json"),
    ],
    "push": [(lambda w, out: [w.data, "pi@127.0.0.1", "-o", out / "r.json"], "text json"),
             (lambda w, out: [w.data, "pi@127.0.0.1", "--run", "-o", out / "r.json"], "text"),
             (lambda w, out: [w.data, EVIL], "text json")],
    "report": [(lambda w, out: [w.report.parent, "--html", out / "r.html"], "text json csv")],
    "remote convert": [(lambda w, out: [w.checkpoint, "--server", server(), "-o", out], "text json"),
                       (lambda w, out: [w.picture, "--server", server(), "-o", out], "text json"),
                       (lambda w, out: [w.picture, "--server", f"{EVIL}:99999"], "text json")],
    "teach": [(lambda w, out: [w.data, "--from", w.checkpoint, "-o", out / "t.onnx"], "text json"),
              (lambda w, out: [w.data, "--from", w.checkpoint, "--camera", EVIL, "--classes", "a,b"], "text json")],
    "targets install": [(lambda w, out: [EVIL], "text json"),
                        (lambda w, out: ["rknn", "--yes", "--python", EVIL], "text json")],
    "targets remove": [(lambda w, out: [EVIL], "text json")],
    "scenes": [(lambda w, out: [], "text json")],
    # Both only say where they listen; tests/web sends such files to them.
    "serve": [], "worker": [],
}  # fmt: skip


def verbs() -> Iterator[str]:
    """As the command line knows them."""
    context = click.Context(main)
    for name in main.list_commands(context):
        verb = main.get_command(context, name)
        yield from (f"{name} {inner}" for inner in verb.commands) if hasattr(verb, "commands") else [name]


def test_no_verb_is_forgotten() -> None:
    assert set(verbs()) == set(CALLS)


CASES = [(verb, i, kind) for verb, calls in CALLS.items() for i, call in enumerate(calls) for kind in call[1].split()]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "ROUNDS", (2, 2))
    monkeypatch.setattr(measure, "RUNS", (2, 3))


@pytest.fixture(autouse=True)
def board(monkeypatch: pytest.MonkeyPatch) -> None:
    """A board that says such things in every step."""

    class Board:
        def __init__(self, *given: object) -> None: ...
        def __enter__(self) -> Board:
            return self

        def __exit__(self, *given: object) -> None: ...

    def push(bundle: Path, board: Any, folder: str, tell: Callable[[str], None], *given: object) -> Pushed:
        tell(EVIL)
        return Pushed(EVIL, 1, 1, 1, EVIL, {EVIL: EVIL}, {EVIL: EVIL})

    def run_main(board: Any, folder: str, tell: Callable[[str], None]) -> int:
        tell(EVIL)
        return 0

    monkeypatch.setattr(boards, "Board", Board)
    monkeypatch.setattr(boards, "push", push)
    monkeypatch.setattr(boards, "run_main", run_main)


class Server(http.server.BaseHTTPRequestHandler):
    """Answers as `qingzhou serve` does, with such text everywhere; a picture is an error."""

    def answer(self, found: Any) -> None:
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        error = {"en": EVIL, "zh": EVIL, "code": 0, "message": EVIL} if b"PNG" in sent[:999] else None
        self.answer({"upload": "u", "job": "j", "error": error, "name": EVIL})

    def do_GET(self) -> None:
        if self.path.startswith("/api/jobs"):
            file = {"name": f"{EVIL}.onnx", "url": "/f", "size": 2}
            result = {
                "convert": {"network": EVIL, "labels": LABELS},
                "quantize": {"explanation": EVIL},
                "bundle": None,
                "notes": LABELS,
                "files": [file],
            }
            self.answer({"state": "done", "error": None, "name": EVIL, "result": result, "job": "j"})
        else:
            self.answer({})

    def log_message(self, *given: object) -> None: ...


def server() -> str:
    if not _servers:
        _servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server))
        threading.Thread(target=_servers[0].serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{_servers[0].server_port}"


_servers: list[http.server.ThreadingHTTPServer] = []


@pytest.mark.parametrize(("verb", "number", "kind"), CASES)
@pytest.mark.parametrize("language", ["en", pytest.param("zh", marks=pytest.mark.slow)])
def test_a_verb_shows_nothing_raw(
    verb: str, number: int, kind: str, language: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = CALLS[verb][number][0](world, tmp_path)
    words = [*verb.split(), *map(str, said), *([] if kind == "text" else [f"--{kind}"]), "--lang", language]
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    foreign.checks(kind)(done.stdout)
    foreign.terminal(done.stderr)
    assert done.stdout or done.stderr
    made = [path for path in tmp_path.iterdir() if not path.name.startswith("sim")]
    assert foreign.files(tmp_path) or done.exit_code or verb in READERS or not made
    assert not list(tmp_path.rglob("RAN"))


READERS = ("info", "check", "engines", "doors", "devices", "run", "export", "remote convert")  # or write no text


def started(*words: str, folder: Path, **env: str) -> subprocess.CompletedProcess[bytes]:
    """A program of ours in a folder, as a person starts it."""
    return subprocess.run([PYTHON, *words], cwd=folder, capture_output=True, env=environment(**env), check=False)


PROGRAMS = [(kind, language) for language in ("en", "zh") for kind in ("image", "boxes", "words", "numbers")]
BY_TURNS = {
    ("image", "en"),
    ("boxes", "zh"),
    ("words", "en"),
    ("numbers", "zh"),
}  # always; the others where there is time


@pytest.mark.parametrize(("kind", "language"), but_slow(PROGRAMS, set(PROGRAMS) - BY_TURNS))
def test_a_generated_program_shows_nothing_raw(kind: str, language: str, world: World, tmp_path: Path) -> None:
    """With a model of such a name, whole, and with one that it cannot read; and the model's self-test."""
    model = shutil.copy(getattr(world, kind), tmp_path)
    use_language(language)
    program = write_sample(Path(model), load(Path(model)).card)
    none = str(tmp_path / "none\x1b.png")
    pictures = [str(world.picture), none] if kind in ("image", "boxes") else []
    fine = [[str(program), *pictures], ["-m", "qingzhou_runtime", str(model)]]
    wrong = [["-m", "qingzhou_runtime", str(world.picture)], *([[str(program), none]] if pictures else [])]
    for command in [*fine, *wrong]:
        done = started(*command, folder=tmp_path, QINGZHOU_LANG=language)
        shown = done.stdout.decode("utf-8") + done.stderr.decode("utf-8")
        foreign.terminal(shown, several_lines=kind == "words")  # a text that is written may have them
        assert shown and (done.returncode == 0) == (command in fine), shown
    assert foreign.files(tmp_path) and not list(tmp_path.rglob("RAN"))


BUNDLES = {  # scene, which model, what it is told to do
    "camera": ("image", ["speak", "print", "serial", "mqtt:siot/cat", "show"]),
    "basic": ("words", []),
    "video": ("boxes", []),
    "web": ("image", []),
    "sensor": ("numbers", []),
}


@pytest.mark.parametrize("scene", but_slow(BUNDLES, ["web", "video", "camera"]))
def test_a_bundle_shows_nothing_raw(scene: str, world: World, tmp_path: Path) -> None:
    """Its program in the simulator, its self-test and its measurement."""
    kind, actions = BUNDLES[scene]
    made = build(getattr(world, kind), "pi5", scene, actions=actions, out=tmp_path / NAME, lang="en", force=True)
    if kind == "image":
        (made.path / "sim").mkdir()
        shutil.copy(world.picture, made.path / "sim")
    env = {"QINGZHOU_SIM": "1", "QINGZHOU_LANG": "en"}
    for words in (["main.py"], ["main.py", f"none{EVIL}"], ["selftest.py"], ["bench.py", "0.1"], ["bench.py", EVIL]):
        done = started(*words, folder=made.path, **env)
        shown = done.stdout.decode("utf-8") + done.stderr.decode("utf-8")
        foreign.terminal(shown, several_lines=kind == "words")
        assert shown and (done.returncode == 0 or words[-1] in (f"none{EVIL}", EVIL)), shown
    assert foreign.files(tmp_path) > 10 and not list(tmp_path.rglob("RAN"))


def test_an_engine_writes_no_names_past_us(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """onnxruntime's own log has the names of nodes as they are; what it says of an error is in the exception."""
    sizes = {"x": ("float32", ["N"]), "s": ("int64", [1]), "y": ("float32", ["M"])}
    kinds = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64}
    x, s, y = (helper.make_tensor_value_info(name, kinds[kind], shape) for name, (kind, shape) in sizes.items())
    graph = helper.make_graph([helper.make_node("Reshape", ["x", "s"], ["y"], name=EVIL)], EVIL, [x, s], [y])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
    session = open_session(tmp_path / "m.onnx")
    with pytest.raises(Exception, match="Reshape"):
        session.run(None, {"x": np.zeros(4, np.float32), "s": np.array([3])})
    assert capfd.readouterr() == ("", "")


def test_the_doors_show_nothing_raw(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(world.checkpoint, tmp_path)
    MMClassification().convert(checkpoint=str(tmp_path / world.checkpoint.name), out_file=tmp_path / f"{NAME}.onnx")
    pth_info(world.checkpoint)
    shown = capsys.readouterr()
    foreign.terminal(shown.out + shown.err)
    assert "FORGED" in shown.out


SENT = [
    "cat",
    "cat\x03dog",
    "a\rb",
    "a\nb",
    "a\x04",
    "\u202ea",
    "a\x00",
]  # ^C stops a micro:bit's program, ^D starts it


@pytest.mark.parametrize("text", SENT)
def test_a_label_gives_a_board_no_orders(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line to the micro:bit is one line, and a topic is a topic."""
    monkeypatch.setenv("QINGZHOU_SIM", "1")  # no port is opened
    serial, broker = Serial(""), Broker("")
    serial._port, broker._client = Mock(), Mock()
    monkeypatch.setattr(broker, "_wait", lambda: True)
    serial.write(text)
    broker.publish(f"siot/{text}", text)
    (sent,), (topic, _) = serial._port.write.call_args.args, broker._client.publish.call_args.args
    assert sent == f"{line(text)}\n".encode() and topic == f"siot/{line(text)}"
    assert sum(byte < 32 for byte in sent) == 1
