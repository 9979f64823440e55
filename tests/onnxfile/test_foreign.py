"""Other tools' .onnx files say the same once read and written again; engines take them rightly or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from form_parts import model, node, numbers
from forms import FORMS

from qingzhou.errors import EngineError
from qingzhou.graph.form import Graph
from qingzhou.graph.infer import inferred
from qingzhou.graph.recognise import recognised
from qingzhou.onnxfile.emit import emit
from qingzhou.onnxfile.read import read_graph
from qingzhou.onnxfile.write import write_onnx


def answer(path: Path, feed: dict[str, Any]) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, feed)[0]


def again(graph: Graph, feed: dict[str, Any], path: Path) -> np.ndarray:
    write_onnx(path, emit(graph, 17, 8))
    return answer(path, feed)


@pytest.mark.parametrize("form", FORMS)
def test_read_and_written_again(form: str, tmp_path: Path) -> None:
    """In the meaning of opset 17; then with layers recognised in it."""
    model, feed = FORMS[form]()
    onnx.save(model, tmp_path / "a.onnx")
    wanted, graph = answer(tmp_path / "a.onnx", feed), read_graph(tmp_path / "a.onnx")
    np.testing.assert_allclose(again(graph, feed, tmp_path / "b.onnx"), wanted, atol=1e-6, rtol=1e-6)
    found = inferred(graph)
    np.testing.assert_allclose(again(recognised(found), feed, tmp_path / "c.onnx"), wanted, atol=2e-6, rtol=1e-5)
    end = found.values.get("y")
    if end is not None and form != "an_if_inside":
        assert len(end.shape) == wanted.ndim
        assert all(n == size for n, size in zip(end.shape, wanted.shape, strict=True) if isinstance(n, int))


@pytest.mark.parametrize("form", FORMS)
def test_ncnn_says_the_same_or_refuses(form: str, tmp_path: Path) -> None:
    ncnn = pytest.importorskip("ncnn")
    from qingzhou.engines.ncnn.write import emit_ncnn, write_ncnn

    model, feed = FORMS[form]()
    onnx.save(model, tmp_path / "a.onnx")
    try:
        made = emit_ncnn(inferred(read_graph(tmp_path / "a.onnx"), {"n": 1}))
    except EngineError as err:
        assert err.en != err.zh
        return
    write_ncnn(tmp_path / "m.param", tmp_path / "m.bin", made)
    net = ncnn.Net()
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    assert net.load_param(str(tmp_path / "m.param")) == net.load_model(str(tmp_path / "m.bin")) == 0
    extractor, x = net.create_extractor(), feed["x"]
    batch = 1 if form.startswith("lstm") else 0
    extractor.input("in0", ncnn.Mat(np.ascontiguousarray(np.squeeze(x, batch))).clone())
    code, found = extractor.extract("out0")
    wanted = answer(tmp_path / "a.onnx", feed)
    assert code == 0
    np.testing.assert_allclose(np.array(found).reshape(-1), wanted.reshape(-1), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("op", "function"), [("Add", np.add), ("Sub", np.subtract), ("Mul", np.multiply)])
def test_operands_along_an_axis(op: str, function: Any, tmp_path: Path) -> None:
    """As tools wrote it before opset 7, which onnxruntime no longer runs."""
    row = numbers(3)
    made, feed = model([node(op, "x b", "y", broadcast=1, axis=1)], [1, 3, 4, 5], 6, 3, b=row)
    onnx.save(made, tmp_path / "a.onnx")
    found = again(read_graph(tmp_path / "a.onnx"), feed, tmp_path / "b.onnx")
    np.testing.assert_array_equal(found, function(feed["x"], row.reshape(3, 1, 1)))
