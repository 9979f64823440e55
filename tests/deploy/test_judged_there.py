"""The promise of INT8 in the arithmetic of the engine that runs it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import qingzhou
from passengers import DIGITS, ORACLE
from qingzhou.deploy import export_model
from qingzhou.deploy.there import judged_there
from qingzhou.engines.base import Settings
from qingzhou.engines.litert.engine import ENGINE
from qingzhou.errors import AccuracyLost
from qingzhou.evaluate import evaluate

pytest.importorskip("ai_edge_litert", reason="the extra [litert]")
CHECKPOINT, DATA = ORACLE / "trained" / "lenet_digits.pth", DIGITS / "test"


class Upside:
    """A session whose scores are those of other classes."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def run(self, names: None, feed: Any) -> Any:
        return [array[:, ::-1] for array in self._session.run(names, feed)]


def wrong(path: Path, settings: Settings) -> Any:
    return Upside(ENGINE.open(path, settings))


def test_export_says_what_litert_answers_itself(tmp_path: Path) -> None:
    made = export_model(CHECKPOINT, "litert", tmp_path / "m.tflite", "int8", DATA)
    (note,) = (note for note in made.notes if "LiteRT itself" in note)
    right = evaluate(made.path, DATA).result.accuracy
    told = float(note.split(" is ")[1].split(" %")[0])
    assert "397 held-out inputs" in note and abs(told - 100 * right) < 1


@pytest.mark.parametrize("labelled", [True, False])
def test_what_breaks_the_promise_there_is_refused(labelled: bool, tmp_path: Path) -> None:
    source, data = qingzhou.convert(CHECKPOINT, tmp_path / "m.onnx").path, DATA
    if not labelled:
        data = tmp_path / "loose"
        data.mkdir()
        for number, path in enumerate(sorted(DATA.glob("*/*.png"))[::5]):
            (data / f"{number}.png").write_bytes(path.read_bytes())
    found = qingzhou.quantize(source, data, tmp_path / "m8.onnx", target="litert", any_speed=True)
    said = judged_there(ENGINE, source, found, data, tmp_path)
    assert ("accuracy" in said) == labelled
    with pytest.raises(AccuracyLost, match="LiteRT's own arithmetic"):
        judged_there(replace(ENGINE, open=wrong), source, found, data, tmp_path)


def test_nothing_is_left_of_a_refused_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qingzhou.deploy.export.engine_here", lambda name: replace(ENGINE, open=wrong))
    with pytest.raises(AccuracyLost):
        export_model(CHECKPOINT, "litert", tmp_path / "out" / "m.tflite", "int8", DATA)
    assert not list(tmp_path.rglob("*.tflite"))
