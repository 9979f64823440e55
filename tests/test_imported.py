"""What each verb imports: whoever waits for one waits for that, too. Modules are counted, no time is measured."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import qingzhou
from lenets import write_lenet

REPORT = """
import os, sys
def leave(status):
    print(*sys.modules, file=sys.__stderr__, flush=True)
    end(status)
end, os._exit = os._exit, leave
from qingzhou.__main__ import run
run()
"""
COLOURS = ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
PAGES = {
    "mobilenet_v2",
    "mobilenet_v3",
    "resnet",
    "repvgg",
    "shufflenet_v2",
    "squeezenet",
    "ssd",
    "yolo",
    "rcnn",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return qingzhou.convert(write_lenet(tmp_path_factory.mktemp("model") / "lenet.pth")).path


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An .onnx of nobody's: a Relu."""
    from onnx import TensorProto, helper, save

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3]) for name in "xy"]
    path = tmp_path_factory.mktemp("foreign") / "relu.onnx"
    save(helper.make_model(helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", ends[:1], ends[1:])), path)
    return path


def imported(*words: object) -> set[str]:
    """By the command line, whose output is piped; the last word is the verb's file."""
    variables = {name: value for name, value in os.environ.items() if name not in COLOURS}
    command = [sys.executable, "-c", REPORT, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, env=variables, check=False)
    assert done.returncode == 0 and done.stdout, done.stderr
    return set(done.stderr.splitlines()[-1].split())


def own(modules: set[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] == "qingzhou"}


def test_convert(model: Path, tmp_path: Path) -> None:
    """Neither onnx nor rich, of the networks only the one that it is, and nothing that only reads other files."""
    found = imported("convert", "-o", tmp_path / "x.onnx", model.with_suffix(".pth"))
    assert not {"onnx", "rich.console", "rich.markup", "tomllib"} & found
    assert "qingzhou.nets.lenet" in found
    assert {f"qingzhou.nets.{page}" for page in PAGES} & found == set()
    others = {"onnxfile.read", "graph.infer", "sources.openmmlab.config", "engines", "evaluate", "quant", "bundle"}
    assert not {f"qingzhou.{name}" for name in others} & found
    assert len(own(found)) <= 153, sorted(own(found))


def test_run(model: Path) -> None:
    """Neither what converts nor what compiles."""
    found = imported("run", model)
    assert not {"onnx", "rich.console", "rich.markup"} & found
    others = {"onnxfile", "graph", "nets", "sources", "conversion", "engines.artifact", "runtime.engine.ncnn"}
    assert not {f"qingzhou.{name}" for name in others} & found
    assert len(own(found)) <= 75, sorted(own(found))


def test_info(foreign: Path) -> None:
    """What is in a file of another tool, and what it would be taken for, is read without anything that could run it."""
    found = imported("info", foreign)
    assert not {"onnx", "onnxruntime", "PIL", "rich.console", "rich.markup"} & found
    assert not {f"qingzhou.{name}" for name in ("conversion", "adoption", "quant", "evaluate")} & found
    assert len(own(found)) <= 174, sorted(own(found))
