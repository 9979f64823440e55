"""Programs that were exported with several inputs at once: free only where each is treated by itself."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exported_files import ORACLE, apart, run, stored

from qingzhou.conversion import run_conversion
from qingzhou.errors import InputError, UnsupportedCheckpoint
from qingzhou.model import load
from qingzhou.run import run_all
from qingzhou.sources.read import read_network

CASES: dict[str, dict[str, Any]] = json.loads(gzip.decompress((ORACLE / "batches.json.gz").read_bytes()))


def written(name: str, folder: Path) -> Path:
    parts = CASES[name]["parts"]
    found = {key: bytes.fromhex(v[4:]) if v.startswith("hex:") else v.encode() for key, v in parts.items()}
    return stored(folder / f"{name}.pt2", found)


def given(name: str, key: str = "in") -> list[np.ndarray[Any, Any]]:
    rows = CASES[name][key] if key == "in" else [CASES[name][key]]
    return [np.array(one, bool if isinstance(one[0][0], bool) else np.float32) for one in rows]


@pytest.mark.parametrize("name", ["pupil", "tokens"])
def test_free_where_every_step_treats_each_by_itself(name: str, tmp_path: Path) -> None:
    path = written(name, tmp_path)
    network = read_network(path)
    assert network.graph.inputs[0].shape[0] == "batch" and any("by itself" in note for note in network.card.notes)
    for feed, answer in (("in", "out"), ("more", "more_answer")):
        (found,) = run(path, {"in_0": given(name, feed)[0]}, tmp_path / "net.onnx")
        assert apart(found, np.array(CASES[name][answer])) <= 1e-5
        (one,) = run(path, {"in_0": given(name, feed)[0][:1]}, tmp_path / "net.onnx")
        assert apart(one, np.array(CASES[name][answer])[:1]) <= 1e-5


@pytest.mark.parametrize("name", ["divided", "centred", "branch", "masked"])
def test_fixed_where_that_is_not_shown_and_its_own_sample_runs(name: str, tmp_path: Path) -> None:
    """x / len(x) says in the file only x / 2; a parameter that nothing uses belongs to another way."""
    path = written(name, tmp_path)
    done = run_conversion(path, tmp_path / "net.onnx")
    card = done.model.card
    assert card.input.shape[0] == 2 and any("fixed at 2" in note for note in card.notes)
    model = load(done.model.path)
    assert model.check() < 1e-3
    answers = run_all(model.predictor, [], None)
    assert [answer.source for answer in answers] == ["sample[0]", "sample[1]"]
    names = [entry.name for entry in card.inputs]
    feed = dict(zip(names, given(name), strict=True))
    found = model.predict(feed if len(names) > 1 else feed[names[0]])
    assert apart(np.stack([one.scores for one in found]), np.array(CASES[name]["out"])) <= 1e-5


def test_another_number_than_that_is_refused(tmp_path: Path) -> None:
    model = run_conversion(written("divided", tmp_path), tmp_path / "net.onnx").model
    with pytest.raises(InputError, match="just 2 at once"):
        model.predict(np.zeros((3, 8), np.float32))
    assert len(model.predict(np.zeros((4, 8), np.float32))) == 4


def test_the_advice_fits_the_inputs(tmp_path: Path) -> None:
    note = next(note for note in read_network(written("masked", tmp_path)).card.notes if "fixed at 2" in note)
    assert "(sample1, sample2)" in note and note.count("Dim('batch')") == 2 and "torch.cat" not in note


def test_a_mask_of_the_sample_is_mixed(tmp_path: Path) -> None:
    """All true would hide everything, and none of a wrong mask would show."""
    card = run_conversion(written("masked", tmp_path), tmp_path / "net.onnx").model.card
    assert card.sample is not None
    mask = np.array(card.sample.others[0]["data"])
    assert set(mask.ravel()) == {0, 1} and all(len(set(row)) == 2 for row in mask.tolist())


def test_a_second_result_that_is_not_known_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedCheckpoint, match="max_pool2d_with_indices"):
        read_network(written("unpooled", tmp_path))
