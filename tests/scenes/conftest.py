"""Programs of the scenes in a folder of their own, as a bundle has them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from passengers import ORACLE, SOUND, basenn
from qingzhou.conversion import run_conversion
from qingzhou.options import Options
from qingzhou.runtime import load
from qingzhou.scenes import copy_runtime, needs, program

SHAPES = sorted((ORACLE / "trained_ssd" / "pictures").glob("*.jpg"))
MODELS: dict[str, tuple[Path, dict[str, Any]]] = {
    "shapes": (ORACLE / "trained_ssd" / "checkpoint.pth", {"input_size": (160, 160)}),
    "digits": (ORACLE / "digits" / "basenn.pth", {}),
    "words": (SOUND / "basenn.pth", {}),
    "iris": (basenn("tab_iris"), {}),
    "text": (basenn("em_lstm"), {}),
    "moves": (basenn("npz_conv1d"), {}),
    "values": (basenn("tab_reg"), {}),
}
Write = Callable[..., Path]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the models and the runtime beside them, converted once."""
    folder = tmp_path_factory.mktemp("models")
    for name, (source, options) in MODELS.items():
        run_conversion(source, folder / f"{name}.onnx", Options(**options))
    return folder


@pytest.fixture
def write(models: Path, tmp_path: Path) -> Write:
    """Writes main.py of a scene into a folder with its models, what it needs of the runtime, and some pictures for the
    simulator."""

    def write(scene: str, model: str, language: str = "en", **constants: Any) -> Path:
        folder = tmp_path / "我的 板子"
        folder.mkdir(exist_ok=True)
        names = [model, *filter(None, [constants.get("SECOND", "").partition(".")[0]])]
        for name in names:
            shutil.copy(models / f"{name}.onnx", folder)
        (folder / "sim").mkdir(exist_ok=True)
        for picture in SHAPES[:3]:
            shutil.copy(picture, folder / "sim")
        cards = [load(models / f"{name}.onnx").card for name in names]
        given = {"MODEL": f"{model}.onnx", **constants} if scene != "ask" else constants
        code = program(scene, cards[0], language, given)
        (folder / "main.py").write_text(code, encoding="utf-8")
        shutil.rmtree(folder / "qingzhou_runtime", ignore_errors=True)
        copy_runtime(folder / "qingzhou_runtime", needs([code], cards if scene != "ask" else []))
        return folder / "main.py"

    return write
