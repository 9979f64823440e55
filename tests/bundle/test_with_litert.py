"""A bundle whose engine is LiteRT: for boards that have it, with its package, and it runs from the folder alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from passengers import ORACLE, digits
from qingzhou.bundle.build import build
from qingzhou.errors import OptionError

pytest.importorskip("ai_edge_litert")

LENET = ORACLE / "trained" / "lenet_digits.pth"


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_it_runs_from_its_folder(precision: str, tmp_path: Path) -> None:
    """With the board's programs, without qingzhou; onnxruntime is not asked for."""
    data = ORACLE / "digits" / "test" if precision == "int8" else None
    made = build(LENET, "pi5", out=tmp_path / "b", engine="litert", precision=precision, data=data, lang="en")
    assert (made.form.engine, made.form.precision) == ("litert", precision)
    wanted = (made.path / "requirements.txt").read_text("utf-8")
    assert "ai-edge-litert==2.3.0" in wanted and "onnxruntime" not in wanted
    picture, label = next(digits())
    code = (
        "import platform, sys; platform.machine = lambda: 'aarch64';"
        "sys.modules['onnxruntime'] = sys.modules['qingzhou'] = None; import qingzhou_runtime as q;"
        "print(q.load(sys.argv[1]).predict(sys.argv[2]).label)"
    )
    words = [sys.executable, "-c", code, str(next(made.path.glob("*.tflite"))), str(picture.resolve())]
    done = subprocess.run(words, capture_output=True, text=True, cwd=made.path, check=False)
    assert done.stdout.split() == [label], done.stderr
    (figures,) = [json.loads(path.read_text("utf-8")) for path in made.path.glob("bundle.json")]
    assert figures["engine"] == "litert"


@pytest.mark.parametrize("device", ["unihiker", "pi4-32"])
def test_boards_where_it_takes_more_have_it_not(device: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="litert"):
        build(LENET, device, out=tmp_path / "b", engine="litert")
    assert not (tmp_path / "b").exists()
