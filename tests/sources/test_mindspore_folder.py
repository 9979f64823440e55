"""A .mindir whose numbers lie in a folder beside it: as files, as a folder, as a zip; and what is missing of one."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from test_mindspore import ORACLE, answers

from mindspore_files import split
from qingzhou.errors import CheckpointDamaged, UnsafeCheckpoint, UnsupportedCheckpoint
from qingzhou.sources.read import read_network
from qingzhou.sources.table import is_model_folder, is_model_zip, open_source

LENET = ORACLE / "lenet" / "model.mindir"


def packed(folder: Path, place: Path, method: int, prefix: str = "") -> Path:
    with zipfile.ZipFile(place, "w", method) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, prefix + path.relative_to(folder).as_posix())
    return place


def right(path: Path, place: Path) -> None:
    numbers = np.load(ORACLE / "lenet" / "reference.npz")
    (y,) = answers(read_network(path), place / "x.onnx", 13, [numbers["x"]])
    assert np.abs(y - numbers["y"]).max() < 1e-5


@pytest.mark.parametrize("form", ["file", "folder", "stored", "deflated", "inside"])
def test_split_in_every_form(form: str, tmp_path: Path) -> None:
    graph = split(LENET, tmp_path / "net")
    method = zipfile.ZIP_STORED if form == "stored" else zipfile.ZIP_DEFLATED
    path = {"file": graph, "folder": tmp_path / "net"}.get(form) or packed(
        tmp_path / "net", tmp_path / "net.zip", method, "top/" if form == "inside" else ""
    )
    assert open_source(path)[1].name == "mindspore"
    right(path, tmp_path)


def test_a_single_file_in_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(LENET, "model.mindir")
    right(tmp_path / "x.zip", tmp_path)
    assert is_model_zip(["model.mindir"]) and not is_model_zip(["a.mindir", "b.mindir"])


def test_a_folder_is_one_model_by_its_one_mindir(tmp_path: Path) -> None:
    split(LENET, tmp_path / "net")
    assert is_model_folder(tmp_path / "net") and not is_model_folder(tmp_path)
    shutil.copy(LENET, tmp_path / "net" / "other.mindir")
    assert not is_model_folder(tmp_path / "net")


@pytest.mark.parametrize("form", ["file", "folder", "zip"])
def test_what_is_missing_is_named(form: str, tmp_path: Path) -> None:
    graph = split(LENET, tmp_path / "net")
    shutil.rmtree(tmp_path / "net" / "net_variables")
    path = {"file": graph, "folder": tmp_path / "net"}.get(form) or packed(tmp_path / "net", tmp_path / "x.zip", 0)
    with pytest.raises(UnsupportedCheckpoint, match="net_variables/data_0"):
        read_network(path)


def test_half_of_the_numbers_is_no_model(tmp_path: Path) -> None:
    graph = split(LENET, tmp_path / "net")
    data = tmp_path / "net" / "net_variables" / "data_0"
    data.write_bytes(data.read_bytes()[:20000])
    with pytest.raises(CheckpointDamaged, match="net_variables/data_0"):
        read_network(graph)
    for size in (100, 3000, len(LENET.read_bytes()) - 20):
        (tmp_path / "half.mindir").write_bytes(LENET.read_bytes()[:size])
        with pytest.raises(CheckpointDamaged):
            read_network(tmp_path / "half.mindir")


def test_numbers_that_are_encrypted_or_big_endian(tmp_path: Path) -> None:
    graph = split(LENET, tmp_path / "net")
    data = tmp_path / "net" / "net_variables" / "data_0"
    for first in (b"\xd8\x5e\x3a\x7f", b"\0"):
        data.write_bytes(first + data.read_bytes()[len(first) :])
        with pytest.raises(UnsupportedCheckpoint):
            read_network(graph)


@pytest.mark.parametrize(
    "where", ["../other/data_0", "/etc/passwd", "a/b/data_0", "c:data_0", "a\\b", "net_variables/.."]
)
def test_numbers_never_lie_elsewhere(where: str, tmp_path: Path) -> None:
    graph = split(LENET, tmp_path / "net")
    old = b"net_variables/data_0"
    new = where.encode().ljust(len(old), b"_")[: len(old)]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "data_0").write_bytes(b"\1" * 100000)
    graph.write_bytes(graph.read_bytes().replace(old, new))
    with pytest.raises((UnsafeCheckpoint, UnsupportedCheckpoint)):
        read_network(graph)


def test_a_link_to_numbers_is_not_followed(tmp_path: Path) -> None:
    graph = split(LENET, tmp_path / "net")
    folder = tmp_path / "net" / "net_variables"
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsupportedCheckpoint, match="data_0"):
        read_network(graph)


@pytest.mark.parametrize("form", ["beside", "folder", "zip"])
def test_labels_that_come_with_it(form: str, tmp_path: Path) -> None:
    """One name in a line, numbered or not; as many as there are answers."""
    split(LENET, tmp_path / "net")
    labels = tmp_path / "net" / "labels.txt"
    for count, fits in ((10, True), (9, False)):
        labels.write_text("".join(f"{i} class {i}\n" for i in range(count)), "utf-8")
        path = {"beside": tmp_path / "net" / "net_graph.mindir", "folder": tmp_path / "net"}.get(form)
        network = read_network(path or packed(tmp_path / "net", tmp_path / f"{count}.zip", zipfile.ZIP_DEFLATED))
        assert (network.named == [f"class {i}" for i in range(10)]) == fits
        assert any("labels.txt" in note for note in network.card.notes) != fits
