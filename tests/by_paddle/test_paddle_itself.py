"""PaddlePaddle 3 and 2 save many small networks with other numbers, and what we make of them answers the same."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from environments import python_of
from qingzhou.errors import UnsupportedCheckpoint
from qingzhou.graph.fold import simplify
from qingzhou.onnxfile.emit import emit
from qingzhou.onnxfile.write import write_onnx
from qingzhou.runtime.engine.session import open_session
from qingzhou.sources.read import read_network

HERE = Path(__file__).parent
SEED = 20261201
pytestmark = pytest.mark.paddle
# What is refused by name; windows without a number are those of ceil_mode that lie beyond the picture
REFUSED = {
    "bce", "birnn", "bitwise_ints", "bucketize", "combinations", "cross_entropy", "cummax", "cummin", "deform_conv",
    "digamma", "erfinv", "inverse", "kl_div", "lgamma", "max_unpool", "mode", "nanmedian", "polygon", "renorm",
    "rnn_of_cell", "searchsorted", "smooth_l1", "uint8", "vander", "index_fill",
    *(f"{kind}{dims}d_331_{way}" for kind in ("avg", "max") for dims in (1, 3) for way in ("ceil", "both")),
}  # fmt: skip
ROUGH = {"half": 1e-3}  # float16 is computed in float32
KINDS = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(bool)": np.bool_}


def saved(environment: str, folder: Path) -> list[Path]:
    """The folders of all networks that this Paddle can save."""
    command = [python_of(environment), HERE / "make_layers.py", folder, str(SEED)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder.parent, timeout=1800)
    assert done.returncode == 0, done.stderr[-2000:]
    return sorted(path.parent for path in folder.glob("*/reference.npz"))


def difference(case: Path, opset: int) -> float:
    """The largest one of all answers, relative where numbers are large; infinite for another shape."""
    program = next(case / name for name in ("model.json", "model.pdmodel") if (case / name).is_file())
    target = case / f"{opset}.onnx"
    write_onnx(target, emit(simplify(read_network(program).graph), opset, 8))
    expected, session = np.load(case / "reference.npz"), open_session(target)
    given = {
        one.name: expected[f"x{one.name[2:]}" if one.name.startswith("in") else "x0"].astype(KINDS[one.type])
        for one in session.get_inputs()
    }
    most = 0.0
    for i, found in enumerate(session.run(None, given)):
        wanted = expected[f"y{i}"].astype(np.float64)
        plain = np.isfinite(wanted)
        if found.shape != wanted.shape or not np.array_equal(found[~plain], wanted[~plain], equal_nan=True):
            return float("inf")
        apart = np.abs(found[plain] - wanted[plain]).max(initial=0)
        most = max(most, float(apart / max(1, np.abs(wanted[plain]).max(initial=0))))
    return most


@pytest.mark.parametrize(("environment", "least"), [("paddle", 600), ("paddle2", 580)])
def test_new_files_answer_the_same(environment: str, least: int, tmp_path: Path) -> None:
    wrong, fine = [], 0
    for case in saved(environment, tmp_path / "cases"):
        try:
            apart = max(difference(case, opset) for opset in (13, 17))
        except UnsupportedCheckpoint as err:
            wrong += [] if case.name in REFUSED else [f"{case.name}: {err.en[:120]}"]
            continue
        fine += 1
        if apart > ROUGH.get(case.name, 1e-5):
            wrong.append(f"{case.name}: {apart}")
    assert not wrong and fine >= least, "\n".join(wrong)
