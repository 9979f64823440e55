"""Every layer of torch that can be converted, in all its settings, against what torch answers, at four opsets.

The networks and answers are made by tests/oracle/torch_modules/make.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from qingzhou.conversion import run_conversion
from qingzhou.errors import QingzhouError, UnsupportedCheckpoint
from qingzhou.files.types import Opaque
from qingzhou.options import Options
from qingzhou.sources.torch.container import read_checkpoint
from qingzhou.sources.torch.module import entries
from qingzhou.sources.torch.modules import TORCH
from qingzhou.sources.torch.wrappers import WRAPPERS

ORACLE = Path(__file__).parents[1] / "oracle" / "torch_modules"
REFERENCES = np.load(ORACLE / "references.npz")
NAMES = sorted(path.stem for path in ORACLE.glob("*.pth"))
VERSIONS = ((11, 6), (13, 8), (17, 8), (21, 10))

# What cannot be converted: words of the reason in English.
REFUSED = {
    "refused_avg_pool_ceil_counted": "ceil_mode with counted padding",
    "refused_bicubic": "mode='bicubic'",
    "refused_divisor": "divisor_override",
    "refused_embedding_of_floats": "token numbers",
    "refused_flattens_the_batch": "flattens the batch",
    "refused_hooks": "forward hooks",
    "refused_indices": "return_indices",
    "refused_lstm_alone": "part0",
    "refused_lstm_projected": "proj_size",
    "refused_module_list": "in which order it runs",
    "refused_no_statistics": "track_running_stats=False",
    "refused_own_class": "class __main__.Own does is program code",
}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in REFUSED])
def test_answers_equal_torch(name: str, tmp_path: Path, record_property: Callable[[str, Any], None]) -> None:
    x, wanted, worst = REFERENCES[f"{name}.x"], REFERENCES[f"{name}.y"], 0.0
    for opset, ir_version in VERSIONS:
        done = run_conversion(
            ORACLE / f"{name}.pth",
            tmp_path / "m.onnx",
            Options(input_size=x.shape[1:], opset=opset, ir_version=ir_version, check=opset == 13),
        )
        onnx.checker.check_model(done.model.path, full_check=name != "upsample_smaller")  # whose scale onnx rounds
        session = onnxruntime.InferenceSession(str(done.model.path), providers=["CPUExecutionProvider"])
        (found,) = session.run(None, {"input": x})
        assert found.shape == wanted.shape
        worst = max(worst, float(np.abs(found - wanted).max()))
    record_property("oracle", worst)
    assert worst <= 1e-5


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_refused_with_the_reason(name: str, tmp_path: Path) -> None:
    with pytest.raises(QingzhouError) as caught:
        run_conversion(
            ORACLE / f"{name}.pth", tmp_path / "m.onnx", Options(input_size=REFERENCES[f"{name}.x"].shape[1:])
        )
    assert type(caught.value) is UnsupportedCheckpoint and REFUSED[name] in caught.value.en
    assert caught.value.zh != caught.value.en and not list(tmp_path.iterdir())


def classes(module: Opaque) -> Iterator[str]:
    yield module.name
    for child in entries(entries(module.state).get("_modules")).values():
        yield from classes(child) if isinstance(child, Opaque) else ()


def test_every_layer_is_in_one_of_them() -> None:
    """Embedding takes numbers of words, so BaseNN's em_lstm tests it (test_oracle_basenn); wrappers: test_wrapped; what
    YOLO alone has: test_ultralytics_files.
    """
    modules = [read_checkpoint(ORACLE / f"{name}.pth").module for name in NAMES if name not in REFUSED]
    met = {name for module in modules if module is not None for name in classes(module)}
    elsewhere = {"torch.nn.modules.sparse.Embedding", "torch.nn.modules.batchnorm.SyncBatchNorm"}
    elsewhere |= {"torch.nn.modules.padding.ZeroPad2d"}
    assert set(TORCH) - met - set(WRAPPERS) == elsewhere


def test_the_input_need_not_be_named_where_the_layers_say_it(tmp_path: Path) -> None:
    for name, shape in (("table", [None, 4]), ("one_feature", [None, 1]), ("single_layer", [None, 4])):
        assert run_conversion(ORACLE / f"{name}.pth", tmp_path).model.card.input.shape == shape
