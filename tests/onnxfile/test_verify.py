"""The check of a conversion finds what is wrong with it, and leaves no trace in the file."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import qingzhou
from passengers import mmedu
from qingzhou.errors import ModelError, SelfTestFailed
from qingzhou.graph import fold as passes
from qingzhou.onnxfile import verify

SSD = Path(__file__).parents[1] / "oracle" / "trained_ssd" / "checkpoint.pth"


@pytest.mark.parametrize("form", ["boxes", "raw"])
def test_a_detector_folded_wrongly_is_no_result(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil_kernels(monkeypatch)
    with pytest.raises(SelfTestFailed):
        qingzhou.convert(SSD, tmp_path / "ssd.onnx", form=form)
    assert not list(tmp_path.iterdir())


def test_a_classifier_folded_wrongly_is_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of random weights, whose probabilities are nearly equal: it takes more to be seen there."""
    spoil_kernels(monkeypatch, -1)
    with pytest.raises(SelfTestFailed):
        qingzhou.convert(mmedu("MobileNet", tmp_path), tmp_path / "net.onnx")


def test_scale_and_shift_are_not_their_own_proof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The unfolded network has BatchNorm as onnxruntime computes it, not as the folding does."""
    right = passes.scale_and_shift
    monkeypatch.setattr(passes, "scale_and_shift", lambda *args: tuple(1.01 * part for part in right(*args)))
    with pytest.raises(SelfTestFailed):
        qingzhou.convert(SSD, tmp_path / "ssd.onnx")


@pytest.mark.parametrize("most", [verify.ONE_PIECE, 1 << 10], ids=["in one piece", "by an index"])
def test_the_trial_leaves_nothing_in_the_file(most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A detector is opened twice, as it is and unfolded; its inner values are outputs only while it is tried."""
    monkeypatch.setattr(verify, "ONE_PIECE", most)
    opened: list[list[str]] = []
    right = verify.open_session

    def counting(path: Path, *args: object, **options: Any) -> Any:
        session = right(path, *args, **options)
        opened.append([entry.name for entry in session.get_outputs()])
        return session

    monkeypatch.setattr(verify, "open_session", counting)
    checked = qingzhou.convert(SSD, tmp_path / "checked.onnx").proto
    tried, _ = opened[-2:]  # before them, of a large file, the one without weights
    assert tried[:2] == ["dets", "labels"] and len(tried) == 14
    plain = qingzhou.convert(SSD, tmp_path / "plain.onnx", check=False).proto
    assert checked.graph == plain.graph


def test_a_large_file_is_tried_by_an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened in one piece it would be in memory twice; nothing of the index is left, and a wrong place is noticed."""
    checkpoint, opened = mmedu("MobileNet", tmp_path), []
    plain = qingzhou.convert(checkpoint, tmp_path / "plain" / "net.onnx")
    right, elsewhere = verify.open_session, verify.protobuf.tensor_elsewhere

    def noting(path: Path, *args: object, **options: Any) -> Any:
        opened.append(path.name)
        return right(path, *args, **options)

    monkeypatch.setattr(verify, "open_session", noting)
    monkeypatch.setattr(verify, "ONE_PIECE", 1 << 20)
    large = qingzhou.convert(checkpoint, tmp_path / "large" / "net.onnx")
    assert large.path.read_bytes() == plain.path.read_bytes()
    assert opened == ["skeleton.onnx", "index.onnx", "plain.onnx"]  # without numbers, the trial, the second opinion
    there = {path.name for path in large.path.parent.iterdir()}
    assert there == {"net.onnx", "net.py", "qingzhou_runtime"}
    monkeypatch.setattr(verify.protobuf, "tensor_elsewhere", lambda *args: elsewhere(*args[:4], args[4] - 4, args[5]))
    with pytest.raises(SelfTestFailed):
        qingzhou.convert(checkpoint, tmp_path / "wrong" / "net.onnx")
    assert not (tmp_path / "wrong").exists()


@pytest.mark.parametrize("refused", [False, True])
def test_a_file_is_looked_at_without_its_numbers_only_where_it_cannot_be_with_them(
    refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trial opens it strictly, with a look at where its tensors are."""
    opened: list[tuple[str, bool, bool]] = []
    right = verify.open_session

    def noting(path: Path, *args: object, strict: bool = False, checked: bool = False, **options: Any) -> Any:
        opened.append((path.name, strict, checked))
        if refused and strict and path.name == "ssd.onnx":
            raise ModelError("A rounded scale.", "比例被舍入。")
        return right(path, *args, strict=strict, checked=checked, **options)

    monkeypatch.setattr(verify, "open_session", noting)
    qingzhou.convert(SSD, tmp_path / "ssd.onnx")
    again = [("skeleton.onnx", True, False), ("ssd.onnx", False, True)] if refused else []
    assert opened == [("ssd.onnx", True, False), *again, ("plain.onnx", False, True)]


def spoil_kernels(monkeypatch: pytest.MonkeyPatch, factor: float = 1.01) -> None:
    """Every folded kernel becomes something larger than it should be."""
    right = passes._times
    monkeypatch.setattr(passes, "_times", lambda kernel, scale: right(kernel, scale) * np.float32(factor))


def test_values_are_shown_and_hidden_again(tmp_path: Path) -> None:
    from qingzhou.graph.form import Value
    from qingzhou.onnxfile.write import showing

    path = tmp_path / "net.onnx"
    make, kind = onnx.helper, onnx.TensorProto.FLOAT
    x, y = (make.make_tensor_value_info(name, kind, [1, "n"]) for name in "xy")
    nodes = [make.make_node("Relu", ["x"], ["inner"]), make.make_node("Neg", ["inner"], ["y"])]
    onnx.save(make.make_model(make.make_graph(nodes, "net", [x], [y])), path)
    before = path.read_bytes()
    with showing(path, [Value("inner", (1, "n"))]):
        shown = onnx.load(path)
        onnx.checker.check_model(shown, full_check=True)
        assert [value.name for value in shown.graph.output] == ["y", "inner"]
    assert path.read_bytes() == before


def test_values_with_sizes_of_one_name_are_shown(tmp_path: Path) -> None:
    """The levels of a detector are all called (1, channels, height, width): onnxruntime, which takes names for sizes,
    must not give them one memory.
    """
    from qingzhou.graph.form import Value
    from qingzhou.onnxfile.write import showing
    from qingzhou.runtime.engine.session import open_session

    make, kind = onnx.helper, onnx.TensorProto.FLOAT
    x, y = make.make_tensor_value_info("x", kind, [1, 1, "height", "width"]), make.make_tensor_value_info("y", kind, [])
    nodes = [
        node
        for n in (1, 2)
        for node in (
            make.make_node("AveragePool", ["x"], [f"level{n}"], kernel_shape=[n, n], strides=[n, n]),
            make.make_node("Transpose", [f"level{n}"], [f"turned{n}"], perm=[0, 2, 3, 1]),
            make.make_node("ReduceMax", [f"turned{n}"], [f"most{n}"], keepdims=0),
        )
    ]
    nodes.append(make.make_node("Add", ["most1", "most2"], ["y"]))
    opsets = [make.make_opsetid("", 13)]
    onnx.save(
        make.make_model(make.make_graph(nodes, "net", [x], [y]), opset_imports=opsets, ir_version=8),
        path := tmp_path / "n.onnx",
    )
    with showing(path, [Value(f"level{n}", (1, 1, "height", "width")) for n in (1, 2)]):
        session = open_session(path, once=True)
    found = session.run(None, {"x": np.ones((1, 1, 8, 12), np.float32)})
    assert [array.shape for array in found] == [(), (1, 1, 8, 12), (1, 1, 4, 6)]
