"""MNN on emulated boards: a bundle's program, and bench.py with every form, with the wheels that pip finds there."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path

import pytest
from lab import shell, unpack, up

from passengers import ORACLE
from qingzhou.bundle.build import build

pytestmark = pytest.mark.board
pytest.importorskip("MNN")

LENET = ORACLE / "trained" / "lenet_digits.pth"
FORMS = [("unihiker", "fp32", "3.6.0"), ("pi5", "fp16", "3.6.1")]


def with_packages(folder: Path) -> Path:
    """What install.sh would do with the wheels, of MNN alone: the lab has the rest."""
    for wheel in (folder / "wheels").glob("[mM][nN][nN]-*.whl"):
        if f"cp{''.join(json.loads((folder / 'bundle.json').read_text())['python'][-1].split('.'))}" in wheel.name:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(folder / "packages")
    return folder


@pytest.mark.parametrize(("board", "precision", "version"), FORMS)
def test_its_program_runs(board: str, precision: str, version: str, tmp_path: Path) -> None:
    """Self-test and program of the bundle, with the wheels that pip finds for the board; MNN prints nothing there."""
    up(board)
    made = build(LENET, board, engine="mnn", precision=precision, offline=True, out=tmp_path / "b.zip", lang="en")
    folder, sh = with_packages(unpack(made.path, tmp_path / "there")), shell(board, tmp_path / "shell")
    said = sh.ok("python3 selftest.py", folder)
    assert said.count("OK") == 3 and "FAIL" not in said and "device supports" not in said
    ((label, _),) = json.loads((folder / "bundle.json").read_text())["sample"]["answer"]
    assert f"Result: {label} " in sh.ok("python3 main.py sample.png", folder)
    sh.ok("python3 bench.py 0.1", folder)
    (row,) = json.loads((folder / "report.json").read_text())["rows"]
    assert (row["engine"], row["precision"]) == (f"mnn {version}", precision)


def test_every_form_is_tried(tmp_path: Path) -> None:
    """On a Unihiker: each in a process of its own, and report.json says which won."""
    up("unihiker")
    made = build(LENET, "unihiker", forms="all", offline=True, out=tmp_path / "b.zip", lang="en")
    folder, sh = with_packages(unpack(made.path, tmp_path / "there")), shell("unihiker", tmp_path / "shell")
    done: subprocess.CompletedProcess[str] = sh(f"PYTHON={sh.folder}/python3 python3 bench.py 0.1", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((folder / "report.json").read_text())
    told = [form["name"] for form in json.loads((folder / "bundle.json").read_text())["forms"]]
    assert {"onnxruntime fp32", "ncnn fp32", "mnn fp32", "mnn fp16"} <= set(told)
    assert len(report["rows"]) == len(told) and report["won"] in told, done.stdout
