"""Real measurements of a small model: the figures, the files, and what becomes of engines that crash, hang or lack."""

from __future__ import annotations

import contextlib
import json
import queue
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import onnx
import pytest
from click.testing import CliRunner, Result
from onnx import TensorProto, helper

import qingzhou
from dear import but_slow
from passengers import DIGITS, ORACLE, basenn, reference
from qingzhou.bench import amx, bench, measure, process
from qingzhou.bench.candidates import choose
from qingzhou.bench.memory import peak
from qingzhou.cli import main
from qingzhou.engines import ENGINES
from qingzhou.errors import DataError, EngineError, ExtraMissing, FileMissing, ModelError, OptionError, use_language

PATHS = f"import sys; sys.path[:] = {sys.path!r}; "


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return qingzhou.convert(ORACLE / "trained" / "lenet_digits.pth", tmp_path_factory.mktemp("m") / "数字.onnx").path


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rounds: what is tested is not how long anything takes. And whatever machine this is, one without AMX."""
    monkeypatch.setattr(amx, "features", dict)
    monkeypatch.setattr(measure, "ROUNDS", (8, 8))
    monkeypatch.setattr(measure, "RUNS", (2, 3))
    use_language("en")


def verb(*args: object, lang: str = "en") -> Result:
    return CliRunner().invoke(main, ["bench", *map(str, args), "--lang", lang])


def fake_openvino(folder: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that are started from now on find this package instead of openvino."""
    (folder / "openvino").mkdir(parents=True)
    (folder / "openvino" / "__init__.py").write_text(code, "utf-8")
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])


# -- what is measured -----------------------------------------------------------------------------------------------


def test_every_engine_and_precision_with_its_figures(model: Path) -> None:
    found = bench([model], ["onnxruntime", "openvino"], data=DIGITS / "test", threads=1)
    assert [row.candidate.name for row in found.rows] == ["onnxruntime fp32", "openvino fp32", "openvino fp16"]
    for row in found.rows:
        assert row.error is None and row.network is not None and row.whole is not None and row.score is not None
        assert (row.score.metric, row.score.judged, round(row.score.value * 497)) == ("accuracy_top1", 497, 488)
        assert 0 < row.network.median <= row.network.p95 and 0 < row.whole.median <= row.whole.p95
        assert len(row.whole.rounds) == found.rounds == 8 and row.whole.runs == 8 * 3
        assert row.load is not None and 0 < row.load < 60
        assert row.memory is not None and 20e6 < row.memory < 2e9
    plain, exact, half = found.rows
    assert plain.size == model.stat().st_size and half.size < 0.7 * exact.size
    assert plain.version == ENGINES["onnxruntime"].version() and len(found.pairs) == 3
    assert found.best in found.rows and found.best.candidate.name in found.why and "accuracy_top1 98." in found.why
    again = found.pair(2, 0)
    assert (again.one, again.other) == (2, 0) and again.ratio == pytest.approx(1 / found.pair(0, 2).ratio)


def test_without_data_the_models_own_sample(model: Path) -> None:
    found = bench([model], ["onnxruntime"])
    assert found.inputs == "the model's own sample" and found.rows[0].score is None
    assert found.why == "Use onnxruntime fp32 here: nothing else was measured."


def test_pictures_without_labels_are_timed_but_not_judged(model: Path, tmp_path: Path) -> None:
    for i, path in enumerate(sorted((DIGITS / "test" / "3").iterdir())[:3]):
        shutil.copyfile(path, tmp_path / f"{i}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    found = bench([model], ["onnxruntime"], data=tmp_path)
    assert found.rows[0].score is None and found.rows[0].whole is not None
    assert "(1 could not be read)" in found.inputs and "known" in found.notes[0]


def test_a_model_of_tables_and_one_of_values(tmp_path: Path) -> None:
    iris = qingzhou.convert(basenn("tab_iris"), tmp_path / "iris.onnx").path
    rows, answers = reference("tab_iris"), reference("tab_iris", "y").argmax(axis=1)
    lines = [",".join(map(str, [*row, answer])) for row, answer in zip(rows.tolist(), answers.tolist(), strict=True)]
    (tmp_path / "iris.csv").write_text("a,b,c,d,class\n" + "\n".join(lines), "utf-8")
    (row,) = bench([iris], ["onnxruntime"], data=tmp_path / "iris.csv").rows
    assert row.score is not None and row.score.value == 1.0
    values = qingzhou.convert(basenn("tab_reg"), tmp_path / "reg.onnx").path
    (row,) = bench([values], ["onnxruntime"], data=tmp_path / "iris.csv").rows
    assert row.error is not None and "holds nothing that this model can take" in str(row.error)


def test_words(tmp_path: Path) -> None:
    model = qingzhou.convert(basenn("em_lstm"), tmp_path / "t.onnx").path
    (row,) = bench([model], ["onnxruntime"]).rows
    assert row.error is None and row.whole is not None


def test_a_detector_is_judged_by_map(tmp_path: Path) -> None:
    source = ORACLE / "trained_ssd"
    model = qingzhou.convert(source / "checkpoint.pth", tmp_path / "ssd.onnx", input_size=(160, 160)).path
    (row,) = bench([model], ["openvino"], ["fp32"], data=source).rows
    assert row.score is not None and row.score.metric == "mAP50-95" and 0.4 < row.score.value < 1
    assert row.notes == ()


def test_a_file_that_an_engine_has_compiled(model: Path, tmp_path: Path) -> None:
    from qingzhou.engines import compile_for

    made = compile_for("openvino", model, tmp_path, "fp16").path
    (row,) = bench([made]).rows
    assert (row.candidate.name, row.error) == ("openvino", None)
    assert row.size == made.stat().st_size + made.with_suffix(".bin").stat().st_size


# -- what goes wrong ------------------------------------------------------------------------------------------------

CRASHES = {
    "abort": ("import os, sys\nprint('xml parser lost', file=sys.stderr, flush=True)\nos.abort()", "xml parser lost"),
    "exit": ("import os\nos._exit(7)", "exit 7"),
    "error": ("raise OSError('libtbb.so.12: no such file')", "libtbb.so.12"),
    "memory": ("class Core:\n    def __init__(self):\n        raise MemoryError", "not enough memory"),
    "killed": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "memory was full"),
    "prints": ("print('x' * 100000)\nimport os\nos._exit(1)", "crashed"),
}


@pytest.mark.parametrize("name", but_slow(CRASHES, ["error", "exit", "prints"]))
def test_an_engine_that_crashes_is_a_row(
    name: str, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, words = CRASHES[name]
    fake_openvino(tmp_path, code, monkeypatch)
    found = bench([model], ["openvino", "onnxruntime"], ["fp32"])
    bad, good = found.rows
    assert isinstance(bad.error, EngineError | ExtraMissing) and words in str(bad.error)
    assert bad.whole is None and good.whole is not None and found.choice == 1


def test_an_engine_that_crashes_while_it_is_measured(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It passes the first runs; the others go on, and its times so far are not used."""
    from qingzhou.engines import compile_for

    made = compile_for("openvino", model, tmp_path).path
    real = Path(sys.modules["openvino"].__file__ or "").parent
    code = f"""
import importlib.util, os, sys
spec = importlib.util.spec_from_file_location("openvino", {str(real / "__init__.py")!r},
                                              submodule_search_locations=[{str(real)!r}])
own = sys.modules["openvino"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(own)
from qingzhou.engines.openvino import OpenVinoSession
run, left = OpenVinoSession.run, [12]
def dies(self, names, feed):
    left[0] -= 1
    if not left[0]:
        os._exit(3)
    return run(self, names, feed)
OpenVinoSession.run = dies
"""
    fake_openvino(tmp_path / "fake", code, monkeypatch)
    bad, good = bench([made, model], ["openvino", "onnxruntime"]).rows[::3]
    assert bad.candidate.engine == "openvino" and "exit 3" in str(bad.error) and bad.size and bad.whole is None
    assert good.candidate.engine == "onnxruntime" and good.whole is not None and len(good.whole.rounds) == 8


def test_an_engine_that_hangs(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The patience ends when it says that it hangs, not by the clock: a busy machine changes nothing."""
    hangs = tmp_path / "hangs"
    code = f"import pathlib, time\npathlib.Path({str(hangs)!r}).touch()\ntime.sleep(600)"

    class Lines(queue.SimpleQueue):  # type: ignore[type-arg]
        def get(self, block: bool = True, timeout: float | None = None) -> bytes:
            while True:
                with contextlib.suppress(queue.Empty):
                    return super().get(timeout=0.05)  # type: ignore[no-any-return]
                if hangs.exists():
                    hangs.unlink()
                    raise queue.Empty

    fake_openvino(tmp_path, code, monkeypatch)
    monkeypatch.setattr(process, "queue", types.SimpleNamespace(SimpleQueue=Lines, Empty=queue.Empty))
    bad, good = bench([model], ["openvino", "onnxruntime"], ["fp32"]).rows
    assert "did not answer within 900 seconds" in str(bad.error) and good.whole is not None


def test_an_engine_that_is_not_installed(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    for absent in ("openvino", "ncnn", "litert"):
        monkeypatch.setitem(ENGINES, absent, replace(ENGINES[absent], version=lambda: None))
    asked = bench([model], ["openvino", "onnxruntime"], ["fp32"]).rows
    assert isinstance(asked[0].error, ExtraMissing) and 'pip install "qingzhou[openvino]"' in str(asked[0].error)
    by_default = bench([model])
    assert [row.candidate.engine for row in by_default.rows] == ["onnxruntime"]
    assert "openvino is not installed here" in by_default.notes[0]


def test_what_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"no model at all")
    done = verb(tmp_path / "bad.onnx", "--html", tmp_path / "page")
    assert done.exit_code == 1 and "Nothing could be measured." in done.output and "✗" in done.output
    assert "Traceback" not in done.output and (tmp_path / "page.html").is_file()


def test_wrong_names_are_said_at_once(model: Path, tmp_path: Path) -> None:
    with pytest.raises(FileMissing):
        bench([tmp_path / "no.onnx"])
    (tmp_path / "best.pth").write_bytes(b"PK")
    with pytest.raises(ModelError, match=r"qingzhou convert best\.pth"):
        bench([tmp_path / "best.pth"])
    with pytest.raises(OptionError, match="onnxruntime"):
        bench([model], ["onnx"])
    with pytest.raises(OptionError, match="fp32"):
        bench([model], precisions=["fp64"])
    with pytest.raises(OptionError, match="int8"):
        bench([model], ["onnxruntime"], ["int8"])
    with pytest.raises(FileMissing):
        bench([model], data=tmp_path / "no")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError):
        bench([model], data=tmp_path / "empty")


# -- which are compared ---------------------------------------------------------------------------------------------


def quantized(path: Path) -> Path:
    """A model that computes in whole numbers."""
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"]),
    ]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in "xy")
    scale = helper.make_tensor("s", TensorProto.FLOAT, [], [0.1])
    zero = helper.make_tensor("z", TensorProto.UINT8, [], [9])
    graph = helper.make_graph(nodes, "g", [x], [y], [scale, zero])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def test_a_quantized_model_has_one_precision(model: Path, tmp_path: Path) -> None:
    whole = quantized(tmp_path / "q.onnx")
    found = choose([model, whole], ["onnxruntime", "openvino"]).candidates
    assert [(c.model.name, c.name, c.compiles) for c in found] == [
        ("数字.onnx", "onnxruntime fp32", None),
        ("数字.onnx", "openvino fp32", "fp32"),
        ("数字.onnx", "openvino fp16", "fp16"),
        ("q.onnx", "onnxruntime int8", None),
        ("q.onnx", "openvino int8", "fp32"),
    ]
    only = choose([model, whole], ["openvino"], ["int8"])
    assert [c.model for c in only.candidates] == [whole] and "making a model INT8 needs data" in only.notes[0]
    none = choose([model, whole], ["onnxruntime"], ["fp32"])
    assert [c.model for c in none.candidates] == [model] and "q.onnx was left out" in none.notes[0]
    assert len(choose([model, model], ["onnxruntime"]).candidates) == 1


def test_int8_is_made_only_where_it_is_asked_for_and_there_are_data(model: Path, tmp_path: Path) -> None:
    def names(*precisions: str, data: bool = True) -> list[tuple[str, str | None, str]]:
        found = choose([model], ["onnxruntime", "openvino", "ncnn"], precisions, data).candidates
        return [(one.name, one.compiles, one.quantizes) for one in found if "fp16" not in one.name]

    plain = [("onnxruntime fp32", None, ""), ("openvino fp32", "fp32", ""), ("ncnn fp32", "fp32", "")]
    whole = [("onnxruntime int8", None, "auto"), ("openvino int8", "fp32", "auto"), ("ncnn int8", "fp32", "ncnn")]
    assert names() == plain and sorted(names("fp32", "int8")) == sorted([*plain, *whole])
    assert names("int8") == whole and names("fp32", "int8", data=False) == plain
    assert "INT8 needs data" in choose([model], ["openvino"], ["fp32", "int8"]).notes[0]
    with pytest.raises(OptionError, match="--data"):
        choose([model], ["openvino"], ["int8"])
    only = choose([quantized(tmp_path / "q.onnx")], ["openvino"], ["int8"], True).candidates
    assert [one.quantizes for one in only] == [""]


THREE = ["onnxruntime", "openvino", "ncnn"]


@pytest.mark.slow
def test_int8_made_with_the_data(model: Path) -> None:
    """One file for two engines, one for ncnn; smaller, and right as often to half a point; the original stays."""
    before = model.read_bytes()
    found = bench([model], THREE, ["fp32", "int8"], data=DIGITS / "test")
    rows = {row.candidate.name: row for row in found.rows}
    assert list(rows) == [f"{engine} {name}" for engine in THREE for name in ("fp32", "int8")]
    for engine in THREE:
        exact, whole = rows[f"{engine} fp32"], rows[f"{engine} int8"]
        assert whole.error is None and whole.whole is not None and whole.size < 0.8 * exact.size
        assert abs(exact.score.value - whole.score.value) <= 0.005
    assert rows["onnxruntime int8"].size < 0.4 * model.stat().st_size
    assert any("made with 100 of the inputs, which count" in note and "397 held-out" in note for note in found.notes)
    assert model.read_bytes() == before and not [path for path in model.parent.iterdir() if "int8" in path.name]


def test_where_no_int8_can_be_made_its_rows_say_why(model: Path, tmp_path: Path) -> None:
    shutil.copyfile(next((DIGITS / "test" / "3").iterdir()), tmp_path / "a.png")  # one is too few
    found = bench([model], ["onnxruntime"], ["fp32", "int8"], data=tmp_path)
    plain, whole = found.rows
    assert plain.error is None and whole.whole is None and isinstance(whole.error, DataError)
    assert "at least 2 are needed" in str(whole.error) and found.best == plain


def test_where_making_int8_is_killed_the_rest_goes_on(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the system does where memory is full: only the rows that need it fail."""
    kill = "import os, qingzhou.quant.pipeline as q; q.observed = lambda *_: os.kill(os.getpid(), 9)"
    monkeypatch.setattr(process, "START", process.START.replace("; from", f"; {kill}; from"))
    told: list[str] = []
    found = bench([model], ["onnxruntime"], ["fp32", "int8"], data=DIGITS / "test", tell=told.append)
    plain, whole = found.rows
    assert plain.whole is not None and plain.score is not None and found.best == plain
    assert isinstance(whole.error, EngineError) and "memory was full" in str(whole.error)
    assert "making 数字.onnx INT8" in told and {"opening 2/2", "round 8/8", "judging 2/2"} <= set(told)


def test_a_promise_that_cannot_be_kept_is_a_row_that_says_so(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qingzhou.bench.worker import Worker
    from qingzhou.quant import pipeline

    monkeypatch.setattr(pipeline.Limits, "allow", lambda self, verdict: False)
    with pytest.raises(EngineError, match="so your model stays as it is"):
        Worker().quantize(str(model), str(tmp_path), str(DIGITS / "test"), "auto")


# -- memory ---------------------------------------------------------------------------------------------------------


def test_the_peak_is_of_this_process_alone() -> None:
    """Linux hands ru_maxrss of a large process on to those that it starts; ours begins anew, and then grows."""
    ballast = b"x" * (300 << 20)
    code = "from qingzhou.bench.memory import peak; a = peak(); b = bytearray(b'x') * (64 << 20); print(a, peak())"
    before, after = map(int, subprocess.check_output([sys.executable, "-c", PATHS + code]).split())
    assert before < 200 << 20 < len(ballast) and (60 << 20) < after - before < (100 << 20)
    assert (peak() or 0) > len(ballast)


# -- the verb -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ["Use ", "whole (ms)", "Which differences are real", "Where the time goes"]),
        pytest.param(
            "zh", ["在这台机器上请用", "全程 (ms)", "哪些差别是真实的", "时间用在哪里"], marks=pytest.mark.slow
        ),
    ],
)
def test_the_verb_writes_a_page_and_json(lang: str, words: list[str], model: Path, tmp_path: Path) -> None:
    page, numbers = tmp_path / "new" / "a.html", tmp_path / "a.json"
    chosen = ("--engines", "onnxruntime,openvino", "--precision", "fp32")
    done = verb(model, "--data", DIGITS / "test", *chosen, "--html", page, "--json", numbers, lang=lang)
    assert done.exit_code == 0, done.output
    text = page.read_text("utf-8")
    assert [word for word in words if word not in text] == []
    assert all(word in done.output for word in ("Format", "Status", "FPS", "accuracy_top1", words[0]))
    assert len(re.findall("<circle", text)) == 2 and "<script" not in text and "★" in text
    found = json.loads(numbers.read_text("utf-8"))
    first = found["rows"][0]
    assert list(first)[:6] == ["Format", "Status", "Size (MB)", "accuracy_top1", "Inference time (ms/im)", "FPS"]
    assert first["FPS"] == pytest.approx(1000 / first["Inference time (ms/im)"])
    assert found["why"] in text.replace("&#39;", "'")


def test_json_on_the_terminal(model: Path) -> None:
    done = verb(model, "--engines", "onnxruntime", "--json")
    found: Any = json.loads(done.stdout)
    assert (done.exit_code, found["best"], found["rows"][0]["metric"]) == (0, "onnxruntime fp32", None)
    failed = verb(model, "--engines", "nothing", "--json")
    assert failed.exit_code == 1 and json.loads(failed.stdout)["code"] == -501


def test_a_model_named_after_json_is_not_written_over(model: Path, tmp_path: Path) -> None:
    copy = shutil.copyfile(model, tmp_path / "a.onnx")
    before = copy.read_bytes()
    assert verb("--json", copy).exit_code == 2
    assert verb("--engines", "onnxruntime", model, "--json", copy).exit_code == 0
    assert copy.read_bytes() == before and (tmp_path / "a.onnx.json").is_file()
