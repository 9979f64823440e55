"""Weights in another file: only a plain file beside the model is read, as far as it reaches, and never by an engine."""

from __future__ import annotations

import os
from pathlib import Path

import onnx
import pytest

import foreign_files as files
import qingzhou
from qingzhou.errors import ModelError, QingzhouError
from qingzhou.files import protobuf
from qingzhou.onnxfile.copy import copy_onnx
from qingzhou.runtime.engine.session import open_session

NAMES = [
    "../secret",
    "/etc/passwd",
    "sub/secret",
    "..",
    ".",
    "",
    "C:\\secret",
    "a\\b",
    "secret\n",
    "a\0b",
    "?",
    "x" * 300,
]


@pytest.mark.parametrize("name", NAMES)
def test_other_names_are_not_opened(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "models"
    (folder / "sub").mkdir(parents=True)
    for place in (tmp_path / "secret", folder / "sub" / "secret"):
        place.write_bytes(b"0123" * 5000)
    path = files.torch_default(folder / "net.onnx", "weights")
    made = onnx.load(path, load_external_data=False)
    for tensor in made.graph.initializer:
        tensor.external_data[0].value = name
    files.kept(path, made)
    for verb in (qingzhou.convert, copied):
        with pytest.raises(QingzhouError):
            verb(path)
    assert not (folder / "net.card.onnx").exists()


def copied(path: Path) -> None:
    copy_onnx(path, path.with_name("out.onnx"))


def test_a_link_is_somebody_elses(tmp_path: Path) -> None:
    path = files.torch_default(tmp_path / "net.onnx")
    data = tmp_path / "net.onnx.data"
    (tmp_path / "elsewhere").mkdir()
    os.rename(data, tmp_path / "elsewhere" / "data")
    data.symlink_to(tmp_path / "elsewhere" / "data")
    with pytest.raises(ModelError, match=r"net\.onnx\.data"):
        qingzhou.convert(path)


def changed(path: Path, place: int, value: str) -> Path:
    made = onnx.load(path, load_external_data=False)
    made.graph.initializer[1].external_data[place].value = value
    return files.kept(path, made)


@pytest.mark.parametrize(
    ("place", "value"), [(1, "99999"), (1, str(1 << 62)), (1, "-4"), (2, "7"), (2, "999999"), (2, "-1"), (1, "x" * 30)]
)
def test_places_that_do_not_fit(tmp_path: Path, place: int, value: str) -> None:
    path = changed(files.torch_default(tmp_path / "net.onnx"), place, value)
    with pytest.raises(ModelError, match=r"net\.onnx\.data"):
        qingzhou.convert(path)


def test_too_short_and_missing(tmp_path: Path) -> None:
    path = files.torch_default(tmp_path / "net.onnx")
    data = tmp_path / "net.onnx.data"
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(ModelError, match="bytes"):
        qingzhou.convert(path)
    data.unlink()
    with pytest.raises(ModelError, match="does not lie beside it"):
        qingzhou.convert(path)


def test_the_same_bytes_again_and_again(tmp_path: Path) -> None:
    """A small pair of files must not become a large model."""
    path = files.torch_default(tmp_path / "net.onnx", "weights")
    made = onnx.load(path, load_external_data=False)
    big = onnx.TensorProto(data_type=onnx.TensorProto.FLOAT, dims=[1 << 18], data_location=onnx.TensorProto.EXTERNAL)
    big.external_data.add(key="location", value="weights")
    (tmp_path / "weights").write_bytes(bytes(1 << 20))
    for i in range(40):
        big.name = f"again{i}"
        made.graph.initializer.add().CopyFrom(big)
    with pytest.raises(ModelError, match="again and again"):
        copied(files.kept(path, made))


def test_engines_are_never_given_such_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="another file"):
        open_session(files.torch_default(tmp_path / "net.onnx"))


def test_graphs_within_graphs(tmp_path: Path) -> None:
    graph = b""
    for _ in range(400):
        attribute = protobuf.part(6, graph) + protobuf.whole(20, 5)
        graph = protobuf.part(1, protobuf.part(4, "If") + protobuf.part(5, attribute))
    (tmp_path / "net.onnx").write_bytes(protobuf.model(17, 8, "", "") + protobuf.part(7, graph))
    with pytest.raises(QingzhouError):
        copied(tmp_path / "net.onnx")
