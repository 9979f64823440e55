"""PaddlePaddle: what the framework itself answers, in both generations of its files."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dear import but_slow
from qingzhou.batch import convert_all
from qingzhou.conversion import Conversion, run_conversion
from qingzhou.errors import CheckpointDamaged, QingzhouError, UnsupportedCheckpoint
from qingzhou.graph.fold import simplify
from qingzhou.info import read_info
from qingzhou.model import load
from qingzhou.onnxfile.emit import emit
from qingzhou.onnxfile.write import write_onnx
from qingzhou.options import Options
from qingzhou.runtime.engine.session import open_session
from qingzhou.sources.network import Network
from qingzhou.sources.read import read_network
from qingzhou.sources.table import is_model_folder

ORACLE = Path(__file__).parents[1] / "oracle" / "paddle"
DIGITS = Path(__file__).parents[1] / "oracle" / "digits" / "test"
TOLD: Mapping[str, Any] = json.loads((ORACLE / "manifest.json").read_text("utf-8"))
CASES = sorted(name for name, told in TOLD.items() if not told.get("refuse"))
REFUSED = {
    "refuse_branch": "control flow that depends on the data|control flow depends on the data",
    "refuse_branch_pdmodel26": "control flow depends on the data",
    "refuse_loop": "control flow depends on the data",
    "refuse_fft": "fft_r2c",
    "refuse_other_params": "not those of the program",
    "refuse_cut_params": "tensor 6 of 10",
    "refuse_training_program": "training program",
    "refuse_training_program_pdmodel26": "training program",
}
KINDS = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(bool)": np.bool_}


def program(folder: Path) -> Path:
    """Of a case."""
    return next(folder / name for name in ("model.json", "model.pdmodel") if (folder / name).is_file())


def answers(network: Network, path: Path, opset: int, inputs: list[Any]) -> list[Any]:
    """What our model gives."""
    write_onnx(path, emit(simplify(network.graph), opset, 8))
    session = open_session(path)
    entries = {one.name: one for one in session.get_inputs()}
    names = sorted(entries) if all(name.startswith("in") for name in entries) else list(entries)
    whole = dict(zip(names, inputs, strict=False))
    return list(session.run(None, {n: x.astype(KINDS[entries[n].type]) for n, x in whole.items()}))


def apart(found: Any, wanted: Any) -> float:
    """The largest difference, relative where numbers are large; what is no number must be none in both."""
    assert found.shape == wanted.shape
    a, b = found.astype(np.float64), wanted.astype(np.float64)
    plain = np.isfinite(b)
    assert np.array_equal(a[~plain], b[~plain], equal_nan=True)
    return float(np.abs(a[plain] - b[plain]).max(initial=0) / max(1, np.abs(b[plain]).max(initial=0)))


@pytest.mark.parametrize("opset", [13, 17])
@pytest.mark.parametrize("name", CASES)
def test_networks_answer_as_paddle_does(name: str, opset: int, tmp_path: Path) -> None:
    expected = np.load(ORACLE / name / "reference.npz")
    network = read_network(program(ORACLE / name))
    found = answers(network, tmp_path / "net.onnx", opset, [expected["x"]])
    wanted = [expected[key] for key in (["y"] if "y" in expected else [f"y{i}" for i in range(len(found))])]
    assert max(apart(a, b) for a, b in zip(found, wanted, strict=True)) <= TOLD[name]["tolerance"]
    assert not network.unused


def test_every_refusal_of_the_oracle_is_here() -> None:
    assert {name for name, told in TOLD.items() if told.get("refuse")} == {*REFUSED, "lenet_pdparams"}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_is_refused_says_why(name: str) -> None:
    with pytest.raises((UnsupportedCheckpoint, CheckpointDamaged), match=REFUSED[name]):
        read_network(program(ORACLE / name))


# -- operators ---------------------------------------------------------------------------------------------------------


def operators(generation: int) -> list[str]:
    with zipfile.ZipFile(ORACLE / f"operators_{generation}.zip") as packed:
        return sorted({name.split("/")[0] for name in packed.namelist()})


ALL = [(generation, name) for generation in (3, 2) for name in operators(generation)]
SELDOM = [case for i, case in enumerate(ALL) if i % 5]


@pytest.mark.parametrize(("generation", "name"), but_slow(ALL, SELDOM))
def test_operators_answer_as_paddle_does(generation: int, name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(ORACLE / f"operators_{generation}.zip") as packed:
        packed.extractall(tmp_path, [one for one in packed.namelist() if one.startswith(f"{name}/")])
    expected = np.load(tmp_path / name / "reference.npz")
    network = read_network(program(tmp_path / name))
    inputs = [expected[key] for key in sorted(expected) if key.startswith("x")]
    for opset in (13, 17):
        found = answers(network, tmp_path / "net.onnx", opset, inputs)
        wanted = [expected[f"y{i}"] for i in range(len(found))]
        assert max(apart(a, b) for a, b in zip(found, wanted, strict=True)) <= 1e-5


# -- from pictures to classes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["model.json", "model.pdiparams", ".", "zip"])
def test_digits_from_pictures(given: str, tmp_path: Path) -> None:
    """Either half, a folder or a zip; 98.99 % of the test pictures are right, as its manifest says."""
    here = tmp_path / "digits"
    here.mkdir()
    for name in ("model.json", "model.pdiparams"):
        shutil.copy(ORACLE / "digits_trained" / name, here)
    source = here / given
    if given == "zip":
        source = tmp_path / "digits.zip"
        with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in here.iterdir():
                packed.write(path, f"digits/{path.name}")
    labels = sorted(folder.name for folder in DIGITS.iterdir())
    done = run_conversion(source, tmp_path / "digits.onnx", Options(labels=labels))
    paths = sorted(DIGITS.glob("*/*"))
    if given == "model.json":
        reader = load(done.model.path)
        right = sum(reader.predict(path).label == path.parent.name for path in paths)
        assert len(paths) == 497 and right == round(0.9899 * 497)
    assert "runs" in done.checks and done.model.card.task == "classification"


# -- halves ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "missing"),
    [("model.json", "model.pdiparams"), ("model.pdiparams", "model.json or model.pdmodel")],
)
def test_the_missing_half_is_named(left: str, missing: str, tmp_path: Path) -> None:
    shutil.copy(ORACLE / "lenet" / left, tmp_path)
    for source in (tmp_path / left, tmp_path):
        with pytest.raises(UnsupportedCheckpoint, match=f"The other half of the model is missing: {missing}"):
            read_network(source)


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_half_a_model_in_a_zip_is_no_other_tools(packing: int, tmp_path: Path) -> None:
    """A lone model.json is TF.js's in any other zip."""
    with zipfile.ZipFile(tmp_path / "half.zip", "w", packing) as packed:
        packed.write(ORACLE / "lenet" / "model.json", "export/model.json")
    with pytest.raises(UnsupportedCheckpoint, match=r"The other half of the model is missing: model\.pdiparams"):
        read_network(tmp_path / "half.zip")


def test_both_halves_named_are_one_model(tmp_path: Path) -> None:
    """As a shell writes them for `inference.*`; in this order, and in the other."""
    files = [Path(shutil.copy(ORACLE / "lenet" / f"model.{half}", tmp_path)) for half in ("json", "pdiparams")]
    for i, given in enumerate((files, files[::-1])):
        ((source, outcome),) = convert_all(given, tmp_path / f"{i}.onnx")
        assert source == files[0] and isinstance(outcome, Conversion)
    _, other = convert_all([files[0], Path(shutil.copy(files[1], tmp_path / "b.pdiparams"))], tmp_path / "out")
    assert isinstance(other[1], UnsupportedCheckpoint)


def test_two_tools_in_a_folder_are_two_models(tmp_path: Path) -> None:
    """And not the one of them that is asked first."""
    for half in ("json", "pdiparams"):
        shutil.copy(ORACLE / "lenet" / f"model.{half}", tmp_path / f"b.{half}")
    shutil.copy(ORACLE.parent / "mindspore" / "lenet" / "model.mindir", tmp_path / "a.mindir")
    assert not is_model_folder(tmp_path)
    made = dict(convert_all([tmp_path], tmp_path / "out"))
    assert {path.name for path in made} == {"a.mindir", "b.json"}
    assert all(isinstance(outcome, Conversion) for outcome in made.values())


def test_several_models_in_a_folder(tmp_path: Path) -> None:
    for name in ("lenet", "table"):
        for half in ("json", "pdiparams"):
            shutil.copy(ORACLE / name / f"model.{half}", tmp_path / f"{name}.{half}")
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as packed:
        for path in tmp_path.glob("*.[jp]*"):
            packed.write(path, path.name)
    with pytest.raises(UnsupportedCheckpoint, match="several models"):
        read_network(tmp_path / "both.zip")
    (tmp_path / "both.zip").unlink()
    assert not is_model_folder(tmp_path)
    made = {path.name: outcome for path, outcome in convert_all([tmp_path], tmp_path / "out")}
    assert made.keys() == {"lenet.json", "table.json"} and all(isinstance(one, Conversion) for one in made.values())
    assert read_network(tmp_path / "table.json").card.input.name == "table"


def test_encrypted(tmp_path: Path) -> None:
    (tmp_path / "model.pdmodel").write_bytes(bytes(range(7, 200)))
    shutil.copy(ORACLE / "lenet" / "model.pdiparams", tmp_path)
    with pytest.raises(UnsupportedCheckpoint, match="encrypted"):
        read_network(tmp_path / "model.pdmodel")


def test_names_of_the_authors_program(tmp_path: Path) -> None:
    """A .pdiparams.info beside says them."""
    network = read_network(ORACLE / "lenet_pdmodel26" / "model.pdmodel")
    assert "features.0.weight" in network.graph.tensors and network.card.origin["training"] == {"paddle": "2.6.2"}
    assert "conv2d_0.w_0" in read_network(ORACLE / "lenet" / "model.json").graph.tensors


def test_what_info_says(tmp_path: Path) -> None:
    info = read_info(ORACLE / "digits_trained" / "model.json")
    assert info.container == "Paddle 3 program" and len(info.parts) == 10
    with pytest.raises(QingzhouError, match="other half"):
        shutil.copy(ORACLE / "lenet" / "model.json", tmp_path)
        read_info(tmp_path / "model.json")
