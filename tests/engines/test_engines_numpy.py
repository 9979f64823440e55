"""numpy as an engine: classical models answer as the originals, with nothing but numpy there (tests/oracle/sklearn)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import qingzhou
from passengers import basenn
from programs import environment
from qingzhou.bundle.build import build
from qingzhou.deploy.export import export_model
from qingzhou.engines import compile_for
from qingzhou.engines.table import is_compiled
from qingzhou.errors import EngineError, InputError, ModelError
from qingzhou.runtime import load
from qingzhou.sources.sklearn import trees

ORACLE = Path(__file__).parents[1] / "oracle" / "sklearn"
CASES: dict[str, dict[str, Any]] = json.loads((ORACLE / "manifest.json").read_text("utf-8"))
FILES = {name: ORACLE / case["file"] for name, case in CASES.items() if case["expect"] == "answers"}
FILES |= {path.stem: path for path in (ORACLE / "more").iterdir() if path.suffix != ".npz"}


def known_of(name: str) -> tuple[Any, Any, str]:
    """Rows as predict() takes them, what the original says, and the ending of its answers for float32."""
    known = np.load(FILES[name].with_suffix(".npz"))
    if "columns" in CASES.get(name, {}):
        return {title: known[f"c{i}"].tolist() for i, title in enumerate(CASES[name]["columns"])}, known, ""
    rows = known["x"] if known["x"].dtype.kind == "f" else known["x"].tolist()
    return rows, known, "_f32" if name in CASES else ""


def compare(model: Any, name: str) -> None:
    """No label differs; numbers by a millionth."""
    rows, known, ending = known_of(name)
    found = model.predict(rows)
    scores = np.array([one.scores for one in found])
    if model.card.task == "classification":
        wanted = [one if isinstance(one, str) else str(int(one)) for one in known["predict" + ending].ravel().tolist()]
        assert [one.label for one in found] == wanted
        if "proba" + ending in known:
            np.testing.assert_allclose(scores, known["proba" + ending], rtol=0, atol=1e-6)
        return
    key = "predict" if model.card.task == "regression" or name not in CASES else "transform"
    wanted = known[key + ending]
    assert np.abs(scores.reshape(wanted.shape) - wanted).max() <= 1e-6 * np.abs(wanted).max()


@pytest.mark.parametrize("name", sorted(FILES))
def test_answers_as_the_original(name: str, tmp_path: Path) -> None:
    made = export_model(FILES[name], "numpy", tmp_path / "m.numpy.npz")
    assert made.difference is not None and made.difference.small
    model = load(made.path)
    assert model.check() < 1e-4
    compare(model, name)


@pytest.mark.parametrize("name", ["extra_trees_mid", "forest_regressor", "xgb_multi_unbalanced"])
def test_large_ensembles(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that onnxruntime has an operator of its own for."""
    monkeypatch.setattr(trees, "LARGE", 1)
    monkeypatch.setattr(trees, "PIECE", 100)
    source = qingzhou.convert(FILES[name], tmp_path / "m.onnx").path
    assert b"TreeEnsembleRegressor" in source.read_bytes()
    compare(load(compile_for("numpy", source).path), name)


ALONE = """
import sys
sys.modules.update({name: None for name in ("PIL", "onnxruntime", "onnx", "qingzhou")})
import runpy
sys.path.insert(0, sys.argv[1])
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize("name", ["columns_forest", "svc_multiclass_probability", "logistic_text_labels"])
def test_a_board_with_nothing_but_numpy(name: str, tmp_path: Path) -> None:
    """The bundle's program, and its self-test: neither onnxruntime nor Pillow is there."""
    made = build(FILES[name], "pc", out=tmp_path / "b", engine="numpy", lang="en")
    assert (made.form.engine, made.form.precision) == ("numpy", "fp32")
    answers = []
    for program in ("selftest.py", "main.py"):
        words = [sys.executable, "-c", ALONE, str(made.path), str(made.path / program)]
        done = subprocess.run(words, capture_output=True, text=True, env=environment(QINGZHOU_LANG="en"), check=False)
        assert done.returncode == 0, done.stderr
        answers.append(done.stdout)
    assert answers[0].count("OK ") == 3 and answers[1].startswith("Row 1: ")


def test_what_a_board_installs(tmp_path: Path) -> None:
    made = build(FILES["tree_text_labels"], "unihiker", out=tmp_path / "b", engine="numpy", lang="en")
    assert (made.path / "requirements.txt").read_text("utf-8").splitlines()[1:] == ["numpy==1.21.6"]
    size = sum(path.stat().st_size for path in made.path.rglob("*.py"))
    assert size <= 160_000, size


def test_other_small_networks(tmp_path: Path) -> None:
    """BaseNN's table networks, too; what is not in the table is refused by its name before anything is written."""
    source = qingzhou.convert(basenn("tab_iris"), tmp_path / "iris.onnx").path
    made = compile_for("numpy", source)
    assert made.difference is not None and made.difference.largest < 1e-6
    picture = qingzhou.convert(ORACLE.parent / "trained" / "lenet_digits.pth", tmp_path / "lenet.onnx").path
    with pytest.raises(EngineError, match="Conv") as caught:
        compile_for("numpy", picture)
    assert "它不支持 Conv" in caught.value.zh and "know" not in caught.value.zh
    assert not list(tmp_path.glob("lenet*.npz"))


def test_the_same_file_twice(tmp_path: Path) -> None:
    one, other = (export_model(FILES["ridge_1_0"], "numpy", tmp_path / name).path for name in ("a.npz", "b.npz"))
    assert one.read_bytes() == other.read_bytes()


# -- files that are not what export wrote ------------------------------------------------------------------------------


def rewritten(path: Path, change: Any) -> Path:
    """The file with another graph."""
    with np.load(path) as found:
        arrays = dict(found)
    graph = json.loads(arrays["graph"].tobytes())
    change(graph, arrays)
    arrays["graph"] = np.frombuffer(json.dumps(graph).encode("utf-8"), np.uint8)
    np.savez(path.with_name("changed.npz"), **arrays)
    return path.with_name("changed.npz")


def loop(graph: Any, arrays: Any) -> None:
    body = [["i", "go"], [["Loop", ["i", "go"], ["x"], {"body": [["j", "go"], [], ["go"]]}]], ["go"]]
    graph["nodes"].insert(0, ["Loop", [next(iter(graph["numbers"]))] * 2, ["y"], {"body": body}])


DAMAGED: dict[str, Any] = {
    "an operator that is none": lambda graph, arrays: graph["nodes"].append(["Eval", [], ["y"], {}]),
    "an attribute of numpy's own": lambda graph, arrays: graph["nodes"][1][3].update({"casting": "unsafe"}),
    "a value that nobody made": lambda graph, arrays: graph["nodes"][1][1].append("nothing"),
    "numbers that are missing": lambda graph, arrays: graph["numbers"].update({"w": "c99"}),
    "a later format": lambda graph, arrays: graph.update({"format": 2}),
    "a graph that is a list": lambda graph, arrays: graph.update({"nodes": 7}),
    "a type that is none": lambda graph, arrays: graph["inputs"][0].__setitem__(2, "object"),
    "no card": lambda graph, arrays: arrays.pop("card"),
    "a Loop in a Loop": loop,
    "objects": lambda graph, arrays: arrays.update({"c0": np.array([{}], object)}),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_damaged_files(what: str, tmp_path: Path) -> None:
    made = export_model(FILES["ridge_1_0"], "numpy", tmp_path / "m.npz").path
    with pytest.raises(ModelError, match="export"):
        load(rewritten(made, DAMAGED[what]))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_cut_off_files(share: float, tmp_path: Path) -> None:
    made = export_model(FILES["ridge_1_0"], "numpy", tmp_path / "m.npz").path
    made.write_bytes(made.read_bytes()[: int(share * made.stat().st_size)])
    with pytest.raises(ModelError):
        load(made)


def test_data_are_no_model(tmp_path: Path) -> None:
    """An .npz of arrays is none of ours."""
    np.savez(tmp_path / "data.npz", data=np.zeros(3))
    with pytest.raises(ModelError, match=r"data\.npz"):
        load(tmp_path / "data.npz")
    assert not is_compiled(tmp_path / "data.npz")


def test_what_grows_without_end_is_refused(tmp_path: Path) -> None:
    def grow(graph: Any, arrays: Any) -> None:
        first = graph["nodes"][0][1][0]
        graph["nodes"].insert(0, ["Expand", [first, "huge"], ["y"], {}])
        graph["numbers"]["huge"] = "huge"
        arrays["huge"] = np.array([1 << 20, 1 << 20, 1])

    made = export_model(FILES["ridge_1_0"], "numpy", tmp_path / "m.npz").path
    with pytest.raises(InputError, match="numbers"):
        load(rewritten(made, grow)).check()
