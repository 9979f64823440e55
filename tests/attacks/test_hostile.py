"""Every attack in both containers, in a process of its own that reports what it was made to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import CALLS, CANARY, TRICKS

import qingzhou
from makers import MAGIC, SYSTEM, Call, Storage, module, pickled, write_archive, write_checkpoint
from qingzhou.errors import CheckpointDamaged, UnsafeCheckpoint
from qingzhou.files.types import Opaque
from qingzhou.sources.torch.container import read_checkpoint

Result = tuple[str, list[str], int]
ALL = {**CALLS, **TRICKS}
MOST_CALLS = 8_000_000  # of functions, for any attack: four for each opcode that the limits allow


def legacy(data: bytes) -> bytes:
    """The attack as the object of a legacy file."""
    return b"".join(pickled(value)[0] for value in (MAGIC, 1001, SYSTEM)) + data + pickled([])[0]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """{file name: (error or "read", audit events, calls of functions)}"""
    folder = tmp_path_factory.mktemp("attacks")
    paths = []
    for number, data in enumerate(ALL.values()):
        zipped, old, plain = (folder / f"{number}.{kind}" for kind in ("zip", "legacy", "pickle"))
        write_archive(zipped, {"data.pkl": data, "version": b"3\n"})
        old.write_bytes(legacy(data))
        plain.write_bytes(data)
        paths += [zipped, old, plain]
    return run(paths, folder)


def run(paths: list[Path], folder: Path) -> dict[str, Result]:
    """Read files in a subprocess with at most 1.5 GB of memory."""
    source = Path(qingzhou.__file__).parent.parent
    command = [sys.executable, str(Path(__file__).with_name("read_all.py")), *map(str, paths)]
    limit = "import resource; resource.setrlimit(resource.RLIMIT_AS, (3 << 29, 3 << 29))"
    if sys.platform == "linux":
        command = [sys.executable, "-c", f"{limit}; import os, sys; os.execv(sys.argv[1], sys.argv[1:])", *command]
    env = {**os.environ, "PYTHONPATH": str(source), "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return {line[0]: tuple(line[1:]) for line in map(json.loads, done.stdout.splitlines())}


def kinds(results: dict[str, Result], attack: str) -> dict[str, Result]:
    number = list(ALL).index(attack)
    return {kind: results[f"{number}.{kind}"] for kind in ("zip", "legacy", "pickle")}


@pytest.mark.parametrize("attack", ALL)
def test_nothing_happens(results: dict[str, Result], attack: str) -> None:
    for kind, (outcome, events, calls) in kinds(results, attack).items():
        assert not events, kind
        assert not outcome.startswith("BUG"), (kind, outcome)
        assert 0 < calls < MOST_CALLS, kind


@pytest.mark.parametrize("attack", TRICKS)
def test_tricks_are_refused(results: dict[str, Result], attack: str) -> None:
    found = kinds(results, attack)
    assert found["zip"][0] in ("UnsafeCheckpoint", "CheckpointDamaged")
    assert found["legacy"][0] in ("UnsafeCheckpoint", "CheckpointDamaged")


@pytest.mark.parametrize("attack", CALLS)
def test_calls_are_no_network(results: dict[str, Result], attack: str) -> None:
    found = kinds(results, attack)
    assert found["zip"][0] == found["legacy"][0] != "read"
    assert found["pickle"][0] == "CheckpointTypeError"


def test_the_hook_sees(results: dict[str, Result]) -> None:
    assert results["control"][1]


def test_no_trace(results: dict[str, Result], tmp_path_factory: pytest.TempPathFactory) -> None:
    assert results
    assert not list(tmp_path_factory.getbasetemp().rglob(CANARY)) and not Path(CANARY).exists()


def test_harmful_parts_beside_good_ones_stay_records(tmp_path: Path) -> None:
    """CVE-2026-24747 and its like: a usable state dict with something else in it."""
    meta = {"hook": Call("os.system", ("exit 1",)), "get": Call("__builtin__.getattr", (Call("x.Y"), "min"))}
    weights = {"a": np.ones(3, np.float32)}
    found = read_checkpoint(write_checkpoint(tmp_path / "x.pth", {"meta": meta, "state_dict": weights}))
    assert isinstance(found.meta["hook"], Opaque) and found.meta["hook"].name == "os.system"
    assert found.meta["get"].name == "builtins.getattr" and list(found.tensors) == ["a"]


SHAPES = [
    ((5,), (1,), 0),
    ((4,), (1,), 1),
    ((2, 2), (3, 1), 0),
    ((4,), (-1,), 3),
    ((-4,), (1,), 0),
    ((4,), (1,), -1),
    ((2**40,), (0,), 0),
    ((2**31, 2**31), (0, 0), 0),
    ((2**62, 2**62), (1, 1), 0),
    ((2**63,), (2**63,), 2**63),
    ((1,) * 33, (1,) * 33, 0),
    ((4,), (1, 1), 0),
    ((2,), (2**61,), 0),
    ((20_000, 20_000), (0, 0), 0),
    ((4,), (1,), 2**70),
]


@pytest.mark.parametrize(("size", "stride", "offset"), SHAPES, ids=range(len(SHAPES)))
def test_impossible_tensors(tmp_path: Path, size: tuple[int, ...], stride: tuple[int, ...], offset: int) -> None:
    storage = Storage(np.ones(4, np.float32))
    tensor = Call("torch._utils._rebuild_tensor_v2", (storage, offset, size, stride, False, {}))
    with pytest.raises((UnsafeCheckpoint, CheckpointDamaged)):
        read_checkpoint(write_checkpoint(tmp_path / "x.pth", {"a": tensor}))


NAMES = ["a\0b", "a\nb", "\x1b[2J", "\u202egnp.exe", "x" * 5000]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_hostile_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsafeCheckpoint) as caught:
        read_checkpoint(write_checkpoint(tmp_path / "x.pth", {name: np.ones(2, np.float32)}))
    assert caught.value.en.isprintable() and len(caught.value.en) < 600


def many_times() -> Any:
    """30 levels, each holding the one below twice: a thousand million parameters if walked without a limit."""
    net = module("A", {}, {"w": np.ones(1, np.float32)})
    for _ in range(30):
        net = module("A", {"0": net, "1": net})
    return net


def test_one_module_many_times(tmp_path: Path) -> None:
    with pytest.raises(UnsafeCheckpoint):
        read_checkpoint(write_checkpoint(tmp_path / "x.pth", many_times()))
