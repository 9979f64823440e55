"""The table of sources: who reads a file, by what is in it; and a source made up of several files, or of a folder."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from lenets import write_lenet
from makers import write_checkpoint
from passengers import basenn
from qingzhou.batch import convert_all
from qingzhou.errors import (
    CheckpointMissing,
    CheckpointTypeError,
    ModelError,
    OptionError,
    QingzhouError,
    UnsafeCheckpoint,
    UnsupportedCheckpoint,
)
from qingzhou.graph.form import Graph
from qingzhou.info import read_info
from qingzhou.nets.preprocess import read_preprocess
from qingzhou.nets.recorded import Wanted
from qingzhou.runtime.model.card import Card, Input, Output
from qingzhou.sources import table
from qingzhou.sources.as_asked import as_asked
from qingzhou.sources.network import Network
from qingzhou.sources.read import read_network
from qingzhou.sources.source import Contents, Opened, Part, Source
from qingzhou.sources.table import CHECKPOINTS, HALVES, MODELS, SOURCES, is_model_folder, open_source

ORACLE = Path(__file__).parents[1] / "oracle"


def made_up(opened: Opened, wanted: Wanted) -> Network:
    """No network comes of it; the sizes of its numbers are told."""
    size = sum(len(member().bytes()) for name, member in opened.members.items() if name.endswith(".numbers"))
    raise UnsupportedCheckpoint(en=f"{opened.path.name} has {size} bytes of numbers.", zh="-")


def parts(opened: Opened) -> Contents:
    return Contents("made up", 0, [Part(name, "", ()) for name in sorted(opened.members)])


# As Paddle's pairs, SavedModel's folders and Keras' zips will be: a plan, and numbers in a file of their own.
MADE_UP = Source(
    "made_up",
    "Made up",
    (".plan",),
    lambda opened: opened.head.startswith(b"PLAN") or any(name.endswith("the.plan") for name in opened.members),
    made_up,
    parts,
    beside=(".numbers",),
)
TABLE = (*SOURCES[:1], MADE_UP, *SOURCES[1:])


def pair(folder: Path) -> Path:
    (folder / "net.numbers").write_bytes(b"12345678")
    (folder / "net.plan").write_bytes(b"PLAN of a network")
    (folder / "other.numbers").write_bytes(b"123")
    return folder / "net.plan"


def folder(place: Path) -> Path:
    (place / "net" / "inside").mkdir(parents=True)
    (place / "net" / "the.plan").write_bytes(b"PLAN")
    (place / "net" / "inside" / "1.numbers").write_bytes(b"12345")
    (place / "net" / "inside" / "2.numbers").write_bytes(b"678")
    return place / "net"


def zipped(place: Path) -> Path:
    with zipfile.ZipFile(place / "net.zip", "w") as archive:
        archive.writestr("the.plan", b"PLAN")
        archive.writestr("inside/1.numbers", b"12345678")
    return place / "net.zip"


@pytest.mark.parametrize("make", [pair, folder, zipped])
def test_a_model_of_several_files(make: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever way they lie: recognised, looked at with `info`, read; and one row of several that are converted."""
    monkeypatch.setattr(table, "SOURCES", TABLE)
    path = make(tmp_path)  # type: ignore[operator]
    assert open_source(path)[1] is MADE_UP
    with pytest.raises(UnsupportedCheckpoint, match="has 8 bytes of numbers"):
        read_network(path)
    info = read_info(path)
    assert info.container == "made up" and any("numbers" in part.name for part in info.parts)
    assert info.problem is not None and "8 bytes" in info.problem.en
    ((named, error),) = convert_all([path], None)
    assert named == path and isinstance(error, UnsupportedCheckpoint)


def test_a_part_is_read_only_when_it_is_wanted(tmp_path: Path) -> None:
    """A link in a folder leads elsewhere, and is no part of it; neither is what came and went."""
    place = folder(tmp_path)
    (tmp_path / "secret.numbers").write_bytes(b"secret")
    (place / "link.numbers").symlink_to(tmp_path / "secret.numbers")
    opened = Opened.at(place)
    assert sorted(opened.members) == ["inside/1.numbers", "inside/2.numbers", "the.plan"]
    (place / "the.plan").unlink()
    with pytest.raises(CheckpointMissing):
        opened.members["the.plan"]()


def test_a_zip_with_a_part_twice_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive, pytest.warns(UserWarning):
        archive.writestr("a", b"1")
        archive.writestr("a", b"2")
    with pytest.raises(UnsafeCheckpoint, match="same name"):
        _ = Opened.at(tmp_path / "x.zip").members


def test_what_a_file_holds_is_read_once(tmp_path: Path) -> None:
    opened, count = Opened.at(pair(tmp_path)), []

    def reader(one: Opened) -> str:
        count.append(one)
        return one.path.name

    assert opened.content(reader) == opened.content(reader) == "net.plan" and count == [opened]


def test_a_folder_that_is_no_model_is_where_models_lie(tmp_path: Path) -> None:
    write_lenet(tmp_path / "a.pth")
    assert not is_model_folder(tmp_path) and not is_model_folder(tmp_path / "a.pth")
    with pytest.raises(CheckpointTypeError, match="a folder"):
        open_source(tmp_path)
    assert [path.name for path, _ in convert_all([tmp_path], tmp_path / "out")] == ["a.pth"]


@pytest.mark.parametrize(
    "parts", [("model.json", "weights.bin"), ("saved_model.pb",), ("keras_model.h5", "labels.txt")]
)
def test_a_folder_with_a_model_further_down_is_none(parts: tuple[str, ...], tmp_path: Path) -> None:
    """Else of many models in folders one would be converted, and nothing said of the others."""
    for name in parts:
        (tmp_path / "one").mkdir(exist_ok=True)
        (tmp_path / "one" / name).write_bytes(b"{}")
    assert is_model_folder(tmp_path / "one") and not is_model_folder(tmp_path)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        (basenn("tab_iris"), "basenn"),
        (basenn("em_lstm"), "basenn"),
        (ORACLE / "trained" / "lenet_digits.pth", "openmmlab"),
    ],
)
def test_who_reads_a_file(path: Path, wanted: str, tmp_path: Path) -> None:
    """Its name plays no part."""
    called = tmp_path / "x.onnx"
    called.write_bytes(path.read_bytes())
    assert open_source(called)[1].name == wanted


def test_an_onnx_is_known_by_its_bytes(tmp_path: Path) -> None:
    model = tmp_path / "model.pth"
    model.write_bytes(b"\x08\x08\x12\x04test\x3a\x00")
    assert open_source(model)[1].name == "onnx"
    with pytest.raises(ModelError, match=r"model\.pth is no complete ONNX model"):
        read_network(model)


@pytest.mark.parametrize("path", [basenn("tab_iris"), basenn("res_block"), ORACLE / "trained" / "lenet_digits.pth"])
def test_every_tensor_is_used_or_the_reason_is_given(path: Path) -> None:
    """But for BatchNorm's counters, which nobody misses."""
    opened, source = open_source(path)
    network = source.read(opened, Wanted())
    parts = {part.name for part in source.look(opened).parts if not part.name.endswith("num_batches_tracked")}
    assert parts == set(network.graph.tensors) | set(network.unused)
    assert all(network.unused.values())


def test_the_table() -> None:
    """Names are unique; what is searched for in folders are endings of checkpoints."""
    assert len({source.name for source in SOURCES}) == len(SOURCES)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in MODELS)
    assert set(MODELS) == {*CHECKPOINTS, *HALVES, ".onnx"} and all(source.title for source in SOURCES)


def test_what_is_nobodys_says_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "x.pth").write_bytes(b"%PDF-1.7")
    with pytest.raises(QingzhouError, match=r"x\.pth: This is a PDF document"):
        open_source(tmp_path / "x.pth")
    write_checkpoint(tmp_path / "y.pth", {"nothing": 1})
    with pytest.raises(QingzhouError, match=r"y\.pth: "):
        open_source(tmp_path / "y.pth")


def test_pictures_of_channels_last_networks_are_prepared_as_asked() -> None:
    """Sides and channels are those that the input's layout names."""
    steps = [{"op": "resize", "size": [8, 6], "interpolation": "pillow"}]
    entry = Input("x", "image", [None, 8, 6, 3], "RGB", steps, "NHWC")
    card = Card("classification", "N", "T", entry, Output("y", "logits"), ["a", "b"])
    found = as_asked(Network(Graph((), (), (), {}, {}), card, "N"), read_preprocess("imagenet")).card.input
    assert found.steps[-1]["op"] == "normalize" and len(found.steps[-1]["mean"]) == 3
    with pytest.raises(OptionError, match="8 x 6"):
        as_asked(Network(Graph((), (), (), {}, {}), card, "N"), read_preprocess({"resize": [5, 5]}))
