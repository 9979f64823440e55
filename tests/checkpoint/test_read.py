"""What honest checkpoints become."""

from __future__ import annotations

import io
import json
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from makers import Call, Instance, Name, Storage, Tensor, cuts, linear, module, pickled, write_archive, write_checkpoint
from qingzhou.errors import CheckpointDamaged, QingzhouError, UnsupportedCheckpoint
from qingzhou.files.types import Opaque, TensorRef
from qingzhou.sources.torch.container import read_checkpoint

ORACLE = Path(__file__).resolve().parent.parent / "oracle"
BASENN = sorted(ORACLE.glob("basenn/torch*/*/checkpoint.pth"))
LENET = ORACLE / "trained" / "lenet_digits.pth"
A = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def tensors_of(tmp_path: Path, obj: object, legacy: bool = False) -> dict[str, np.ndarray]:
    return dict(read_checkpoint(write_checkpoint(tmp_path / "x.pth", obj, legacy)).tensors)


def test_oracle_is_there() -> None:
    assert len(BASENN) > 40


@pytest.mark.parametrize("path", BASENN, ids=lambda path: "-".join(path.parts[-3:-1]))
def test_basenn(path: Path) -> None:
    checkpoint = read_checkpoint(path)
    assert checkpoint.tensors and all(np.isfinite(checkpoint.tensors[key]).all() for key in checkpoint.tensors)
    assert (checkpoint.module is None) == ("state_dict_only" in path.parts[-2])
    if "model_save" not in path.parts[-2]:
        assert checkpoint.meta["tool"] == "BaseNN"
        assert checkpoint.module is checkpoint.meta["backbone"]


def test_mmedu() -> None:
    checkpoint = read_checkpoint(LENET)
    assert checkpoint.meta["tool"].startswith("MMEdu") and len(checkpoint.meta["CLASSES"]) == 10
    assert (
        checkpoint.tensors[
            "head.fc.weight" if "head.fc.weight" in checkpoint.tensors else "backbone.classifier.2.weight"
        ].shape[0]
        == 10
    )
    assert checkpoint.origin.container == "torch zip" and len(checkpoint.origin.sha256) == 64
    assert not any(key.startswith("optimizer") for key in checkpoint.tensors)


VIEWS = [
    ("whole", (2, 3, 4), (12, 4, 1), 0, A),
    ("transposed", (4, 3), (1, 4), 12, A[1].T),
    ("column slices", (2, 3, 2), (12, 4, 2), 1, A[:, :, 1::2]),
    ("expanded", (5, 4), (0, 1), 4, np.broadcast_to(A[0, 1], (5, 4))),
    ("scalar", (), (), 23, A[1, 2, 3]),
    ("empty", (0, 4), (4, 1), 0, np.zeros((0, 4), np.float32)),
    ("view at the end", (4,), (1,), 20, A[1, 2]),
    ("size one, any stride", (1, 4), (999, 1), 0, A[:1, 0]),
]


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize(("shape", "stride", "offset", "expected"), [v[1:] for v in VIEWS], ids=[v[0] for v in VIEWS])
def test_views(tmp_path: Path, legacy: bool, shape: Any, stride: Any, offset: int, expected: np.ndarray) -> None:
    storage = Storage(A)
    obj = {"state_dict": {"view": Tensor(storage, shape, stride, offset), "same storage": Tensor(storage, (24,), (1,))}}
    found = tensors_of(tmp_path, obj, legacy)
    np.testing.assert_array_equal(found["view"], expected)
    np.testing.assert_array_equal(found["same storage"], A.ravel())
    assert not found["view"].flags.writeable


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "int8", "uint8", "int16", "int32", "int64", "bool"])
def test_types(tmp_path: Path, kind: str, legacy: bool) -> None:
    array = np.array([[0, 1, 1], [1, 0, 1]], kind)
    found = tensors_of(tmp_path, {"a": array}, legacy)["a"]
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


def test_bfloat16_is_widened(tmp_path: Path) -> None:
    values = np.array([1.0, -2.5, 0.0, 3.0], np.float32)
    half = (values.view(np.uint32) >> 16).astype(np.uint16)
    obj = {"a": Tensor(Storage(half, "BFloat16Storage"), (4,), (1,))}
    for legacy in (False, True):
        found = tensors_of(tmp_path, obj, legacy)["a"]
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, values)


def test_untyped_storage_counts_bytes(tmp_path: Path) -> None:
    storage = Storage(A.view(np.uint8), "UntypedStorage")
    view = Tensor(storage, (4,), (1,), 4, "torch._utils._rebuild_tensor_v3", (False, {}, Name("torch.float32")))
    np.testing.assert_array_equal(tensors_of(tmp_path, {"a": view})["a"], A.ravel()[4:8])


def test_parameters_and_subclasses(tmp_path: Path) -> None:
    storage = Storage(A)
    base = (storage, 0, (24,), (1,), False, {})
    rebuilt = Call(
        "torch._tensor._rebuild_from_type_v2", (Name("torch._utils._rebuild_tensor_v2"), Name("torch.Tensor"), base, {})
    )
    obj = {"p": Call("torch._utils._rebuild_parameter", (A, True, {})), "t": rebuilt}
    found = tensors_of(tmp_path, obj)
    np.testing.assert_array_equal(found["p"], A)
    np.testing.assert_array_equal(found["t"], A.ravel())


def test_big_endian(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "x.pth", {"a": A})
    data, _ = pickled({"a": A})
    write_archive(path, {"data.pkl": data, "byteorder": b"big", "data/0": A.astype(">f4").tobytes()})
    found = read_checkpoint(path).tensors["a"]
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, A)


PLACES = [
    ({"a": A}, "top"),
    ({"state_dict": {"a": A}}, "state_dict"),
    ({"model": {"a": A}, "epoch": 3}, "model"),
    ({"ema": {"a": A}}, "ema"),
    ({"model": {"state_dict": {"a": A}}}, "nested"),
    ({"state_dict": {"module.a": A}}, "DataParallel"),
    ({"state_dict": {"a": A}, "ema_state_dict": {"b": A}, "optimizer": {"state": {0: {"m": A}}}}, "others left out"),
    ({"state_dict": {"a": A, "data_preprocessor.mean": A}}, "data_preprocessor"),
    ({"state_dict": {"a": A, "version": 3}}, "number"),
]


@pytest.mark.parametrize("obj", [p[0] for p in PLACES], ids=[p[1] for p in PLACES])
def test_places_of_the_state_dict(tmp_path: Path, obj: object) -> None:
    assert list(tensors_of(tmp_path, obj)) == ["a"]


def test_averages_are_set_aside(tmp_path: Path) -> None:
    obj = {"state_dict": {"backbone.w": A, "ema_backbone_w": A, "ema_alone": A}}
    checkpoint = read_checkpoint(write_checkpoint(tmp_path / "x.pth", obj))
    assert set(checkpoint.tensors) == {"backbone.w", "ema_alone"}
    assert list(checkpoint.ignored) == ["ema_backbone_w"]


@pytest.mark.parametrize(
    "wrap", [lambda m: m, lambda m: {"state_dict": m, "meta": {"backbone": m}}, lambda m: {"model": m}]
)
@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_pickled_module(tmp_path: Path, wrap: Any, legacy: bool) -> None:
    inner = linear(A[0], A[0, :, 0])
    norm = module("Norm", {}, None, _non_persistent_buffers_set=Call("builtins.set", (["gone"],)))
    norm.state["_buffers"] = {"mean": A, "gone": A, "none": None}
    net = module("torch.nn.modules.container.Sequential", {"0": inner, "1": norm, "2": inner})
    checkpoint = read_checkpoint(write_checkpoint(tmp_path / "x.pth", wrap(net), legacy))
    assert list(checkpoint.tensors) == ["0.weight", "0.bias", "1.mean", "2.weight", "2.bias"]
    assert checkpoint.module is not None and checkpoint.module.name == "torch.nn.modules.container.Sequential"


def test_plain_values(tmp_path: Path) -> None:
    raw = Call("numpy.core.multiarray._reconstruct", (Name("numpy.ndarray"), (0,), b"b"))
    meta = {
        "size": np.int64(7),
        "real": np.float32(0.5),
        "flag": np.bool_(True),
        "set": {1, 2},
        "bytes": b"\xff\0",
        "shape": Call("torch.Size", ((1, 2),)),
        "device": Call("torch.device", ("cuda", 0)),
        "dtype": Name("torch.float32"),
        "buffer": Call("__builtin__.getattr", ("x", "min")),
        "raw": raw,
        "mine": Instance("__main__.Net", {"a": 1}),
        "order": Call("collections.OrderedDict", ([["k", "v"]],)),
        "default": Call("collections.defaultdict", (Name("__builtin__.list"),)),
        "tuple": ("猫", "dog"),
    }
    found = read_checkpoint(write_checkpoint(tmp_path / "x.pth", {"meta": meta, "state_dict": {"a": A}})).meta
    assert (found["size"], found["real"], found["flag"], found["set"]) == (7, 0.5, True, {1, 2})
    assert (found["bytes"], found["shape"], found["device"]) == (b"\xff\0", (1, 2), "cuda:0")
    assert (found["order"], found["default"], found["tuple"]) == ({"k": "v"}, {}, ("猫", "dog"))
    names = {key: value.name for key, value in found.items() if isinstance(value, Opaque)}
    assert names == {
        "dtype": "torch.float32",
        "buffer": "builtins.getattr",
        "mine": "__main__.Net",
        "raw": "numpy._core.multiarray._reconstruct",
    }
    assert found["mine"].state == {"a": 1}


def test_numpy_arrays_stay_arrays() -> None:
    path = ORACLE / "basenn" / "torch1.13" / "img_rgb" / "checkpoint.pth"
    assert np.asarray(read_checkpoint(path).meta["input_size"]).tolist() == [1, 3, 20, 20]


def test_nothing_is_read_before_it_is_used(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "x.pth", {"a": A})
    data = path.read_bytes()
    place = data.index(A.tobytes())
    path.write_bytes(data[:place] + b"\x01" + data[place + 1 :])
    checkpoint = read_checkpoint(path)
    assert checkpoint.tensors.shapes == {"a": (2, 3, 4)}
    with pytest.raises(CheckpointDamaged, match=r"x\.pth"):
        checkpoint.tensors["a"]


def test_a_file_that_changes_is_noticed(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "x.pth", {"a": A})
    checkpoint = read_checkpoint(path)
    time.sleep(0.02)
    write_checkpoint(path, {"a": A + 1})
    with pytest.raises(CheckpointDamaged):
        checkpoint.tensors["a"]


STRANGE = [
    ("quantised", Call("torch._utils._rebuild_qtensor", (Storage(A), 0, (2,), (1,)))),
    (
        "quantised",
        (Call("torch._utils._rebuild_qtensor", (Storage(A), 0, (2,), (1,))), A),
    ),  # as a quantised Linear has it
    ("sparse", Call("torch._utils._rebuild_sparse_tensor", (Name("torch.sparse_coo"), (1,)))),
    ("meta", Call("torch._utils._rebuild_meta_tensor_no_storage", (Name("torch.float32"), (2,)))),
    ("complex", np.ones(3, np.complex64)),
]


@pytest.mark.parametrize(("what", "value"), STRANGE, ids=[s[0] for s in STRANGE])
@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_strange_tensors_are_refused_only_where_they_matter(
    tmp_path: Path, what: str, value: object, legacy: bool
) -> None:
    assert tensors_of(tmp_path, {"state_dict": {"a": A}, "optimizer": {"x": value}}, legacy)["a"].shape == (2, 3, 4)
    with pytest.raises(UnsupportedCheckpoint, match=what):
        tensors_of(tmp_path, {"state_dict": {"a": A, "x": value}}, legacy)


def safetensors(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def test_safetensors(tmp_path: Path) -> None:
    entry = {"dtype": "F32", "shape": [2, 3, 4], "data_offsets": [0, 96]}
    path = tmp_path / "x.safetensors"
    path.write_bytes(safetensors({"a": entry, "__metadata__": {"k": "v"}}, A.tobytes()))
    checkpoint = read_checkpoint(path)
    np.testing.assert_array_equal(checkpoint.tensors["a"], A)
    assert checkpoint.meta == {"k": "v"} and checkpoint.origin.container == "safetensors"


@pytest.mark.parametrize(
    "data",
    [
        safetensors({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, bytes(4)),
        safetensors({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, bytes(8)),
        safetensors({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(3)),
        safetensors({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(5)),
        safetensors({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, bytes(4)),
        safetensors({"a": {"dtype": "F32", "shape": [2**70, 0], "data_offsets": [0, 0]}}),
        safetensors({"a": {"dtype": "Q4", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
        safetensors({"a": 3}),
        safetensors({"a": None}),
        safetensors(b"{" + b'"a":[' * 50_000),
        safetensors({"__metadata__": 1}),
        safetensors(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":1}', bytes(4)),
    ],
)
def test_bad_safetensors(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.safetensors").write_bytes(data)
    with pytest.raises(QingzhouError):
        read_checkpoint(tmp_path / "x.safetensors")


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_truncated_anywhere(tmp_path: Path, legacy: bool) -> None:
    path = write_checkpoint(tmp_path / "x.pth", {"meta": {"k": 1}, "state_dict": {"a": A, "b": A + 1}}, legacy)
    data = path.read_bytes()
    for cut in cuts(len(data), 500):
        path.write_bytes(data[:cut])
        with pytest.raises(QingzhouError):
            read_checkpoint(path)


def test_real_checkpoint_truncated(tmp_path: Path) -> None:
    data, path = BASENN[-1].read_bytes(), tmp_path / "x.pth"
    for cut in list(cuts(len(data), 60))[::4]:
        path.write_bytes(data[:cut])
        with pytest.raises(QingzhouError):
            read_checkpoint(path)


def test_tensor_refs_are_in_the_root(tmp_path: Path) -> None:
    checkpoint = read_checkpoint(write_checkpoint(tmp_path / "x.pth", {"state_dict": {"a": A}}))
    assert isinstance(checkpoint.root["state_dict"]["a"], TensorRef)


def test_the_writer_takes_a_stream() -> None:
    buffer = io.BytesIO()
    write_archive(buffer, {"data.pkl": b""})
    assert buffer.getvalue().startswith(b"PK")
