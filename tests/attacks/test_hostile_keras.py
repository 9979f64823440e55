"""Hostile files of Keras: HDF5, JSON and zips. Each is refused with an error of ours, and nothing in it is run."""

from __future__ import annotations

import json
import random
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "sources"))

from keras_files import ORACLE, stored, with_config

from qingzhou.errors import CheckpointDamaged, QingzhouError, UnsafeCheckpoint
from qingzhou.files.hdf5 import InMemory, Meter, read_hdf5
from qingzhou.files.limits import Limits
from qingzhou.files.types import TensorRef
from qingzhou.sources.keras.keras1 import in_new_words
from qingzhou.sources.read import read_network

NET = ORACLE / "k3_sequential_cnn" / "model.keras"
H5 = (ORACLE / "k2_functional" / "model.h5").read_bytes()
Config = dict[str, Any]
DEEP = 100_000


def layers(config: Config) -> list[Config]:
    found: list[Config] = config["config"]["layers"]
    return found


def of(kind: str, **settings: object) -> Callable[[Config], None]:
    """The first layer of a class with other settings."""

    def change(config: Config) -> None:
        next(one for one in layers(config) if one["class_name"] == kind)["config"].update(settings)

    return change


def nested(config: Config) -> None:
    inner: Config = {"class_name": "Sequential", "config": {"name": "s", "layers": []}}
    for _ in range(60):
        inner = {"class_name": "Sequential", "config": {"name": "s", "layers": [inner]}}
    layers(config).append(inner)


CONFIGS: dict[str, Callable[[Config], None]] = {
    "more filters than any": of("Conv2D", filters=1 << 60),
    "no filters": of("Conv2D", filters=0),
    "a kernel without end": of("Conv2D", kernel_size=[1 << 40, 3]),
    "a stride that is a text": of("Conv2D", strides="__import__('os')"),
    "a stride of 0": of("MaxPooling2D", strides=[0, 0]),
    "an activation that is code": of("Conv2D", activation="os.system"),
    "an activation in a dict without end": of("Conv2D", activation={"class_name": "ReLU", "config": []}),
    "an epsilon that is none": of("BatchNormalization", epsilon="1e-3"),
    "a huge input": of("InputLayer", batch_shape=[None, 1 << 23, 1 << 23, 3]),
    "an input of letters": of("InputLayer", batch_shape="abc"),
    "an input of thirty axes": of("InputLayer", batch_shape=[None] * 30),
    "models in models": nested,
    "more layers than any": lambda config: layers(config).extend([{"class_name": "Dropout"}] * 10_000),
    "a layer that is none": lambda config: layers(config).append(7),  # type: ignore[arg-type]
    "a class that is a list": lambda config: config.update(class_name=["Functional"]),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_settings_that_lie(name: str, tmp_path: Path) -> None:
    with pytest.raises(QingzhouError):
        read_network(with_config(NET, tmp_path / "bad.keras", CONFIGS[name]))


def loop(config: Config) -> None:
    """Each of two layers reads the other."""
    a, b = [one for one in layers(config) if one.get("inbound_nodes")][:2]
    for one, other in ((a, b), (b, a)):
        text = json.dumps(one["inbound_nodes"])
        found = json.loads(text)
        found[0]["args"][0]["config"]["keras_history"] = [other["name"], 0, 0]
        one["inbound_nodes"] = found


def history(value: object) -> Callable[[Config], None]:
    def change(config: Config) -> None:
        one = next(one for one in layers(config) if one.get("inbound_nodes"))
        one["inbound_nodes"][0]["args"][0] = {"class_name": "__keras_tensor__", "config": {"keras_history": value}}

    return change


CALLS: dict[str, Callable[[Config], None]] = {
    "a loop": loop,
    "a layer that is not there": history(["nowhere", 0, 0]),
    "a call that is not there": history(["input_layer", 1 << 19, 0]),
    "a number below 0": history(["input_layer", -1, 0]),
    "no history": history(None),
    "outputs that are none": lambda config: config["config"].update(output_layers="x"),
}


@pytest.mark.parametrize("name", CALLS)
def test_connections_that_lie(name: str, tmp_path: Path) -> None:
    source = ORACLE / "k3_functional_branches" / "model.keras"
    with pytest.raises(QingzhouError):
        read_network(with_config(source, tmp_path / "bad.keras", CALLS[name]))


def test_json_of_any_depth(tmp_path: Path) -> None:
    with zipfile.ZipFile(NET) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for text in (b"[" * DEEP, b'{"config":' * DEEP, b'{"a":' * 5000 + b"1" + b"}" * 5000, b"\xff", b"[]", b"7", b""):
        for name in ("config.json", "metadata.json"):
            with pytest.raises(QingzhouError):
                read_network(stored(tmp_path / "deep.keras", {**parts, name: text}))


def test_a_zip_that_unpacks_without_end(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("keras_model.h5", b"\x89HDF\r\n\x1a\n" + bytes(100 << 20))
        archive.writestr("labels.txt", b"0 a")
    with pytest.raises(UnsafeCheckpoint):
        read_network(path)


def shards(**changed: object) -> Callable[[Config], None]:
    return lambda page: page["weightsManifest"][0].update(changed)


def weight(**changed: object) -> Callable[[Config], None]:
    return lambda page: page["weightsManifest"][0]["weights"][0].update(changed)


PAGES: dict[str, Callable[[Config], None]] = {
    "a shard elsewhere": shards(paths=["../../etc/passwd"]),
    "a shard at the root": shards(paths=["/etc/passwd"]),
    "a shard of Windows": shards(paths=["..\\secret.bin"]),
    "a shard that is a number": shards(paths=[7]),
    "shards without end": shards(paths=["weights.bin"] * 20_000),
    "a shape without end": weight(shape=[1 << 40, 1 << 40]),
    "a shape below 0": weight(shape=[-3, 3]),
    "a shape of letters": weight(shape="abc"),
    "an unknown dtype": weight(dtype="complex64"),
    "no name": weight(name=None),
    "a scale that is none": weight(quantization={"dtype": "float32", "scale": "x", "min": 0}),
    "no manifest": lambda page: page.update(weightsManifest={}),
    "no topology": lambda page: page.update(modelTopology=[]),
    "operators": lambda page: page.update(format="graph-model"),
}


@pytest.mark.parametrize("name", PAGES)
def test_pages_that_lie(name: str, tmp_path: Path) -> None:
    page = json.loads((ORACLE / "tfjs_teachable" / "model.json").read_text("utf-8"))
    PAGES[name](page)
    (tmp_path / "model.json").write_text(json.dumps(page), "utf-8")
    (tmp_path / "weights.bin").write_bytes((ORACLE / "tfjs_teachable" / "weights.bin").read_bytes())
    with pytest.raises(QingzhouError):
        network = read_network(tmp_path / "model.json")
        for constant in network.graph.constants.values():
            constant.load()


# -- HDF5 ------------------------------------------------------------------------------------------------------------


def patched(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


def places(data: bytes, magic: bytes) -> list[int]:
    found, at = [], data.find(magic)
    while at >= 0:
        found.append(at)
        at = data.find(magic, at + 1)
    return found


def table_entry(data: bytes, child: int) -> bytes:
    """The first symbol table whose first entry is a group: that entry leads to `child`."""
    at = next(one for one in places(data, b"SNOD") if struct.unpack_from("<I", data, one + 24)[0] == 1)
    return patched(data, at + 16, struct.pack("<Q", child))


def root_of(data: bytes) -> int:
    found: int = struct.unpack_from("<Q", data, 64)[0]
    return found


LIES: dict[str, Callable[[bytes], bytes]] = {
    "cut in the middle": lambda data: data[: len(data) // 2],
    "only its first bytes": lambda data: data[:20],
    "a root beyond the end": lambda data: patched(data, 64, struct.pack("<Q", 1 << 60)),
    "a root that is the start": lambda data: patched(data, 64, struct.pack("<Q", 0)),
    "an unknown version": lambda data: patched(data, 8, b"\x09"),
    "a group inside itself": lambda data: table_entry(data, root_of(data)),
    "a tree that is its own child": lambda data: patched(data, places(data, b"TREE")[0] + 5, b"\x01"),
    "a tree of the deepest level": lambda data: patched(data, places(data, b"TREE")[0] + 5, b"\xff"),
    "a tree with more entries than there are": lambda data: patched(data, places(data, b"TREE")[0] + 6, b"\xff\xff"),
    "a table with more entries than there are": lambda data: patched(data, places(data, b"SNOD")[0] + 6, b"\xff\xff"),
    "a heap of names beyond the end": lambda data: patched(
        data, places(data, b"HEAP")[0] + 24, struct.pack("<Q", 1 << 62)
    ),
    "a heap of texts without end": lambda data: patched(data, places(data, b"GCOL")[0] + 8, struct.pack("<Q", 1 << 62)),
}


@pytest.mark.parametrize("name", LIES)
def test_hdf5_that_lies(name: str, tmp_path: Path) -> None:
    (tmp_path / "bad.h5").write_bytes(LIES[name](H5))
    with pytest.raises(QingzhouError):
        read_network(tmp_path / "bad.h5")


def test_too_many_messages() -> None:
    """A description of 65535 messages, each of which would lengthen it."""
    with pytest.raises((CheckpointDamaged, UnsafeCheckpoint)):
        read_hdf5(InMemory(patched(H5, root_of(H5) + 2, b"\xff\xff")), Limits())


def test_readings_are_counted() -> None:
    meter = Meter(InMemory(H5))
    with pytest.raises(UnsafeCheckpoint, match="no end"):
        while True:
            meter.seek(0)
            meter.read()


def test_any_byte_may_be_wrong(tmp_path: Path) -> None:
    """Each file is read or refused."""
    rng = random.Random(5)
    for _ in range(120):
        data = bytearray(H5)
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        (tmp_path / "x.h5").write_bytes(data)
        try:
            read_network(tmp_path / "x.h5")
        except QingzhouError:
            continue


def test_any_word_of_the_settings_may_be_wrong(tmp_path: Path) -> None:
    rng = random.Random(7)
    values = [None, -1, 0, 1 << 62, "", "x" * 1000, [], {}, [None], True, 1e400, [[[]]], {"class_name": "Lambda"}]
    with zipfile.ZipFile(NET) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(80):
        config = json.loads(parts["config.json"])
        spots = list(spots_in(config))
        for holder, key in rng.sample(spots, 2):
            holder[key] = rng.choice(values)
        path = stored(tmp_path / "x.keras", {**parts, "config.json": json.dumps(config).encode()})
        try:
            read_network(path)
        except QingzhouError:
            continue


def spots_in(value: Any) -> list[tuple[Any, Any]]:
    """All places of settings."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [spot for key, one in list(pairs) for spot in ((value, key), *spots_in(one))]


def test_very_many_layers_and_numbers_of_one_name(tmp_path: Path) -> None:
    """Looking for each among all of them would take minutes."""
    count = 3000
    made = [{"class_name": "Dense", "config": {"name": "d", "units": 1}} for _ in range(count)]
    first = {"class_name": "InputLayer", "config": {"name": "x", "batch_input_shape": [None, 1]}}
    topology = {"class_name": "Sequential", "config": {"name": "s", "layers": [first, *made]}}
    weights = [
        {"name": f"d{i}/{role}", "shape": shape, "dtype": "float32"}
        for i in range(count)
        for role, shape in (("kernel", [1, 1]), ("bias", [1]))
    ]
    page = {"modelTopology": topology, "weightsManifest": [{"paths": ["w.bin"], "weights": weights}]}
    (tmp_path / "model.json").write_text(json.dumps(page), "utf-8")
    (tmp_path / "w.bin").write_bytes(bytes(8 * count))
    assert len(read_network(tmp_path / "model.json").graph.nodes) == count


def _old(kind: str, **config: object) -> Config:
    return {"class_name": kind, "config": {"name": "x", **config}}


def _old_inside(kind: str, key: str | None) -> Config:
    """Sixty of a class, each inside the one before."""
    found = _old("Dense")
    for _ in range(60):
        found = {"class_name": kind, "config": [found]} if key is None else _old(kind, **{key: found})
    return found


KERAS_1: dict[str, Config] = {
    "models in models": _old_inside("Sequential", None),
    "wrappers in wrappers": _old_inside("TimeDistributed", "layer"),
    "merges of merges": _old("Merge", layers=7),
    "a merge of nothing": _old("Merge", layers=[]),
    "a merge of what has no inputs": _old("Merge", layers=[_old("Dense"), _old("Dense")], mode="sum"),
    "a mode that is a list": _old("Merge", mode=[]),
    "a layer without settings": {"class_name": "Dense", "config": 7},
    "a model without layers": {"class_name": "Model", "config": {"layers": "x"}},
    "a row of another shape": _old("Convolution1D", filter_length=3, nb_filter=2),
}


@pytest.mark.parametrize("name", KERAS_1)
def test_settings_of_keras_1_that_lie(name: str) -> None:
    array = np.zeros((2, 2, 2), np.float32)
    tensors = {"model_weights/x/x_W:0": TensorRef(array.shape, array.dtype, "", lambda: array)}
    entry = {"class_name": "Sequential", "config": [KERAS_1[name]]}
    with pytest.raises(QingzhouError):
        in_new_words(entry, tensors, {"x": list(tensors)})
