"""What Paddle's files hide: each a network made by hand, and what it has to give by the framework's own rules."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paddle_files import Desc, Pir, parameters, tensor, typed, value
from qingzhou.errors import CheckpointDamaged, UnsupportedCheckpoint
from qingzhou.graph.fold import simplify
from qingzhou.onnxfile.emit import emit
from qingzhou.onnxfile.write import write_onnx
from qingzhou.runtime.engine.session import open_session
from qingzhou.sources.read import read_network

RNG = np.random.default_rng(3)


def ran(path: Path, *inputs: Any) -> Any:
    """The first answer."""
    out = path.parent / "out.onnx"
    write_onnx(out, emit(simplify(read_network(path).graph), 13, 8))
    session = open_session(out)
    names = [one.name for one in session.get_inputs()]
    return session.run(None, dict(zip(names, inputs, strict=True)))[0]


def floats(*shape: int) -> Any:
    return RNG.standard_normal(shape).astype(np.float32)


def test_parameters_lie_in_the_order_of_their_names_bytes(tmp_path: Path) -> None:
    """10 before 2, B before _a before a: not the order of the program, nor that of numbers."""
    names = ["w_2", "w_10", "B", "_a", "a_1", "a.1", "b", "猫"]
    pir, arrays = Pir(), {name: floats(4) for name in names}
    x = pir.data("x", (-1, 4))
    for i, name in enumerate(names):
        scaled = pir.op("multiply", [x, pir.parameter(name, arrays[name])], (-1, 4))
        x = pir.op("add", [scaled, pir.number(float(i))], (-1, 4))
    given = floats(2, 4)
    wanted = given
    for i, name in enumerate(names):
        wanted = wanted * arrays[name] + np.float32(i)
    assert np.allclose(ran(pir.write(tmp_path, x), given), wanted, atol=1e-5)


def test_a_parameter_that_is_listed_and_not_stored(tmp_path: Path) -> None:
    pir = Pir()
    pir.parameter("lstm_0.dropout_state__non_persistable", np.zeros((), np.uint8), stored=False)
    weight = floats(3, 2)
    x = pir.data("x", (-1, 3))
    y = pir.op("matmul", [x, pir.parameter("linear_0.w_0", weight)], (-1, 2), transpose_x=False, transpose_y=False)
    given = floats(2, 3)
    assert np.allclose(ran(pir.write(tmp_path, y), given), given @ weight, atol=1e-6)


@pytest.mark.parametrize(("mode", "factor"), [("downgrade_in_infer", 0.7), ("upscale_in_train", 1.0)])
def test_dropout_at_inference(mode: str, factor: float, tmp_path: Path) -> None:
    pir = Pir()
    x = pir.data("x", (-1, 4))
    y = pir.op("dropout", [x, 0, pir.number(0.3)], (-1, 4), is_test=True, mode=mode, seed=0, fix_seed=False)
    given = floats(2, 4)
    assert np.allclose(ran(pir.write(tmp_path, y), given), given * np.float32(factor), atol=1e-6)


def test_dropout_in_training_is_refused(tmp_path: Path) -> None:
    pir = Pir()
    x = pir.data("x", (-1, 4))
    y = pir.op("dropout", [x, 0, pir.number(0.3)], (-1, 4), is_test=False, mode="upscale_in_train")
    with pytest.raises(UnsupportedCheckpoint, match=r"training mode: dropout.*model\.eval"):
        read_network(pir.write(tmp_path, y))


def convolved(**attrs: Any) -> tuple[Pir, int]:
    pir = Pir()
    x = pir.data("x", (1, 1, 5, 5))
    ones = pir.parameter("conv2d_0.w_0", np.ones((1, 1, 3, 3), np.float32))
    usual = {"strides": [1, 1], "paddings": [0, 0], "padding_algorithm": "EXPLICIT", "dilations": [1, 1], "groups": 1}
    return pir, pir.op("conv2d", [x, ones], (1, 1, 5, 5), **{**usual, "data_format": "NCHW", **attrs})


def test_same_takes_no_dilation(tmp_path: Path) -> None:
    """Whatever `dilations` says."""
    given = floats(1, 1, 5, 5)
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    dilated, y = convolved(padding_algorithm="SAME", dilations=[2, 2])
    plain, z = convolved(padding_algorithm="SAME")
    found = ran(dilated.write(tmp_path / "a", y), given)
    assert found.shape == (1, 1, 5, 5) and np.array_equal(found, ran(plain.write(tmp_path / "b", z), given))


def test_four_paddings_are_top_bottom_left_right(tmp_path: Path) -> None:
    pir, y = convolved(paddings=[2, 0, 1, 0])
    given = floats(1, 1, 5, 5)
    padded = np.pad(given[0, 0], ((2, 0), (1, 0)))
    wanted = [[padded[i : i + 3, j : j + 3].sum() for j in range(4)] for i in range(5)]
    assert np.allclose(ran(pir.write(tmp_path, y), given)[0, 0], wanted, atol=1e-5)


def pooled(size: int, **attrs: Any) -> tuple[Pir, int]:
    pir = Pir()
    x = pir.data("x", (1, 1, size, size))
    usual = {
        "strides": [2, 2], "paddings": [0, 0], "ceil_mode": False, "exclusive": True, "data_format": "NCHW",
        "pooling_type": "avg", "global_pooling": False, "adaptive": False, "padding_algorithm": "EXPLICIT",
    }  # fmt: skip
    kernel = attrs.pop("kernel", 3)
    return pir, pir.op("pool2d", [x, pir.ints(kernel, kernel)], (1, 1, 3, 3), **{**usual, **attrs})


def test_adaptive_windows_are_unequal(tmp_path: Path) -> None:
    """From floor(i * 5 / 3) to ceil((i + 1) * 5 / 3)."""
    pir, y = pooled(5, adaptive=True)
    given = floats(1, 1, 5, 5)
    ends = [(0, 2), (1, 4), (3, 5)]
    wanted = [[given[0, 0, a:b, c:d].mean() for c, d in ends] for a, b in ends]
    assert np.allclose(ran(pir.write(tmp_path, y), given)[0, 0], wanted, atol=1e-6)


def test_a_window_of_ceil_mode_that_lies_beyond_all_numbers(tmp_path: Path) -> None:
    """torch would leave it out; Paddle gives no number there."""
    pir, y = pooled(5, kernel=3, strides=[3, 3], paddings=[1, 1], ceil_mode=True)
    with pytest.raises(UnsupportedCheckpoint, match="windows in which there is no number"):
        read_network(pir.write(tmp_path, y))
    fine, y = pooled(6, kernel=3, ceil_mode=True)
    given = floats(1, 1, 6, 6)
    found = ran(fine.write(tmp_path, y), given)
    assert found.shape == (1, 1, 3, 3) and np.isclose(found[0, 0, 2, 2], given[0, 0, 4:, 4:].mean(), atol=1e-6)


@pytest.mark.parametrize("kind", ["a_f32", "a_f64"])
def test_slopes_in_both_widths(kind: str, tmp_path: Path) -> None:
    pir = Pir()
    x = pir.data("x", (-1, 4))
    y = pir.op("leaky_relu", [x], (-1, 4), negative_slope={"#": f"0.{kind}", "D": 0.3})
    given = -np.abs(floats(2, 4))
    assert np.allclose(ran(pir.write(tmp_path, y), given), given * np.float32(0.3), atol=1e-7)


def test_infinity_has_no_digits(tmp_path: Path) -> None:
    pir = Pir()
    x = pir.data("x", (-1, 4))
    low = pir.op("full", [], (1,), shape={"#": "1.a_intarray", "D": [1]}, value={"#": "0.a_f64", "VD": "-INF"},
                 dtype="float32")  # fmt: skip
    y = pir.op("maximum", [x, low], (-1, 4))
    given = floats(2, 4)
    assert np.array_equal(ran(pir.write(tmp_path, y), given), given)


def test_the_padding_row_reads_as_zeros(tmp_path: Path) -> None:
    pir = Pir()
    words = pir.data("words", (-1, 3), "int64")
    table = floats(5, 2)
    y = pir.op("embedding", [words, pir.parameter("embedding_0.w_0", table)], (-1, 3, 2), padding_idx=1, sparse=False)
    given = np.array([[0, 1, 4], [1, 1, 2]])
    wanted = np.where((given == 1)[..., None], 0, table[given])
    assert np.array_equal(ran(pir.write(tmp_path, y), given), wanted)


def test_the_mean_without_a_scale_is_called_as_a_weight(tmp_path: Path) -> None:
    """By its place among the operands, not by the ending of its name."""
    pir = Pir()
    x = pir.data("x", (1, 2, 2, 2))
    mean, variance = floats(2), np.abs(floats(2)) + 1
    given = [x, pir.parameter("batch_norm2d_0.w_0", mean), pir.parameter("batch_norm2d_0.w_1", variance), 0, 0]
    y = pir.op("batch_norm_", given, (1, 2, 2, 2), is_test=True, epsilon=1e-5, data_format="NCHW", momentum=0.9,
               use_global_stats=False, trainable_statistics=False)  # fmt: skip
    data = floats(1, 2, 2, 2)
    wanted = (data - mean[:, None, None]) / np.sqrt(variance + 1e-5)[:, None, None]
    assert np.allclose(ran(pir.write(tmp_path, y), data), wanted, atol=1e-5)


def test_axis_of_the_older_arithmetic(tmp_path: Path) -> None:
    """y begins at axis 1 of x, and not at its end."""
    desc, bias = Desc(), floats(3)
    x = desc.data("x", (-1, 3, 3))
    desc.op("elementwise_add", {"X": [x], "Y": [desc.parameter("fc.b", bias)]}, {"Out": ["y"]}, axis=1)
    desc.var("y", (-1, 3, 3))
    given = floats(2, 3, 3)
    assert np.allclose(ran(desc.write(tmp_path, "y"), given), given + bias[:, None], atol=1e-6)


def test_scale_before_and_after(tmp_path: Path) -> None:
    desc = Desc()
    x = desc.data("x", (-1, 3))
    desc.op("scale", {"X": [x]}, {"Out": ["y"]}, scale=2.0, bias=1.0, bias_after_scale=False)
    desc.var("y", (-1, 3))
    given = floats(2, 3)
    assert np.allclose(ran(desc.write(tmp_path, "y"), given), (given + 1) * 2, atol=1e-6)


def test_fetched_in_the_order_of_their_columns(tmp_path: Path) -> None:
    pir = Pir()
    x = pir.data("x", (-1, 2))
    a, b = pir.op("relu", [x], (-1, 2)), pir.op("exp", [x], (-1, 2))
    text = json.loads(pir.text(a, b))
    ops = text["program"]["regions"][0]["blocks"][0]["ops"]
    ops[-2:] = ops[:-3:-1]
    (tmp_path / "model.json").write_text(json.dumps(text))
    assert [one.op for one in read_network(tmp_path / "model.json").graph.nodes][:2] == ["Relu", "Exp"]
    assert np.array_equal(ran(tmp_path / "model.json", -np.ones((1, 2), np.float32)), np.zeros((1, 2)))


def test_bfloat16_and_free_sizes(tmp_path: Path) -> None:
    """A parameter in bfloat16 is what its bits stand for; sizes of results may be any number below zero."""
    pir = Pir()
    x = pir.data("x", (-1, 2))
    numbers = np.array([1.5, -2.0], np.float32)
    y = pir.op("multiply", [x, pir.parameter("w", numbers)], (-3, 2))
    text = pir.text(y).replace(b'"0.t_f32"}, [2]', b'"0.t_bf16"}, [2]')
    (tmp_path / "model.json").write_bytes(text)
    bits = (numbers.view(np.uint32) >> 16).astype(np.uint16)
    (tmp_path / "model.pdiparams").write_bytes(tensor(bits, "bfloat16"))
    given = floats(3, 2)
    assert np.allclose(ran(tmp_path / "model.json", given), given * numbers, atol=1e-6)


# -- what is refused ---------------------------------------------------------------------------------------------------


def one_layer() -> tuple[Pir, int]:
    pir = Pir()
    x = pir.data("x", (-1, 3))
    return pir, pir.op("matmul", [x, pir.parameter("w", floats(3, 2))], (-1, 2), transpose_x=False, transpose_y=False)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data[:-4], "the file is cut"),
        (lambda data: data + b"\0", "1 bytes follow"),
        (lambda data: data + tensor(floats(2)), "follow the last of 1"),
        (lambda data: b"", "tensor 1 of 1"),
        (lambda data: parameters({"w": floats(2, 3)}), "not those of the program"),
        (lambda data: parameters({"w": np.zeros((3, 2), np.int64)}), "not those of the program"),
        (lambda data: b"\x01" + data[1:], "encrypted, or other ones"),
        (lambda data: data[:4] + b"\x01" + data[5:], "levels of detail"),
        (lambda data: data[:16] + b"\xff\xff\xff\x7f" + data[20:], "no description"),
    ],
)
def test_parameters_that_are_others(change: Any, said: str, tmp_path: Path) -> None:
    """Never a model of half a file."""
    pir, y = one_layer()
    path = pir.write(tmp_path, y)
    numbers = tmp_path / "model.pdiparams"
    numbers.write_bytes(change(numbers.read_bytes()))
    with pytest.raises((CheckpointDamaged, UnsupportedCheckpoint), match=said):
        read_network(path)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("3.my_op", "not Paddle's own"),
        ("relu_grad", "training program"),
        ("adamw_", "training program"),
        ("gaussian", "random numbers"),
        ("nonzero", "depends on the input"),
        ("multiclass_nms3", "exclude_nms=True"),
        ("quantize_linear", "quantised already"),
        ("fft_r2c", "complex numbers"),
        ("cross_entropy_with_softmax", "true answers"),
        ("while", "control flow"),
        ("nobody_knows_it", "nobody_knows_it is not known here"),
    ],
)
def test_operators_that_are_refused(name: str, said: str, tmp_path: Path) -> None:
    pir = Pir()
    x = pir.data("x", (-1, 3))
    y = pir.op(name, [x], (-1, 3))
    with pytest.raises(UnsupportedCheckpoint, match=said) as caught:
        read_network(pir.write(tmp_path, y))
    assert any("\u4e00" <= letter <= "\u9fff" for letter in caught.value.zh)


def test_several_blocks_of_the_older_generation(tmp_path: Path) -> None:
    desc = Desc()
    x = desc.data("x", (-1, 3))
    (tmp_path / "model.pdmodel").write_bytes(desc.bytes(x, blocks=2))
    with pytest.raises(UnsupportedCheckpoint, match="control flow depends on the data"):
        read_network(tmp_path / "model.pdmodel")


def test_another_packing_of_a_zip(tmp_path: Path) -> None:
    """Packed, and in a folder of its own."""
    pir, y = one_layer()
    pir.write(tmp_path, y)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for name in ("model.json", "model.pdiparams"):
            packed.write(tmp_path / name, f"inference/{name}")
    assert read_network(tmp_path / "a.zip").classes == 2


def test_a_later_version_of_the_format_is_told(tmp_path: Path) -> None:
    pir, y = one_layer()
    path = pir.write(tmp_path, y)
    path.write_bytes(path.read_bytes().replace(b'"version": 4', b'"version": 5'))
    assert any("version 5" in note for note in read_network(path).card.notes)


def test_types_are_as_the_file_writes_them() -> None:
    assert typed((2,))["D"][0] == {"#": "0.t_f32"} and value([1])["D"] == [{"#": "0.a_i32", "D": 1}]
