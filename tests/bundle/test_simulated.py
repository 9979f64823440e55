"""The simulator of a bundle: something fires at its first run, and the screen is the board's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from passengers import DIGITS, ORACLE
from programs import run
from qingzhou.bundle.build import build

LENET = ORACLE / "trained/lenet_digits.pth"
SSD = ORACLE / "trained_ssd"
# scene, model, data, actions; what must be printed at the first run
FIRES = [
    (
        "camera",
        LENET,
        DIGITS / "test",
        ["speak", "7=pin:24"],
        ["[sim] speak: 7", "[sim] pin 24 on", "[sim] pin 24 off"],
    ),
    ("video", SSD / "checkpoint.pth", SSD / "pictures", ["circle=print", "square=print"], ["circle", "square"]),
    ("api", LENET, DIGITS / "test", ["3=print"], ["[sim] asked: 3"]),
]


@pytest.mark.parametrize("scene, model, data, actions, told", FIRES, ids=[one[0] for one in FIRES])
def test_something_fires_at_the_first_run(
    scene: str, model: Path, data: Path, actions: list[str], told: list[str], tmp_path: Path
) -> None:
    """And at the second: what the first has left behind is no picture to recognise."""
    made = build(
        model,
        "unihiker",
        scene,
        actions=actions,
        data=data,
        precision="fp32",
        engine="onnxruntime",
        out=tmp_path / "b",
        lang="en",
        constants={"PORT": 0} if scene == "api" else None,
    )
    assert 3 <= sum(name.startswith("sim/") for name in made.files) <= 6
    printed = run(made.path / "main.py", "--sim")
    assert [text for text in told if text not in printed] == [], printed
    again = run(made.path / "main.py", "--sim")
    assert again.count("[sim] ") == printed.count("[sim] ")


@pytest.mark.parametrize("device, size", [("unihiker", (240, 320)), ("pi5", (320, 240))])
def test_the_screen_is_the_board_s(device: str, size: tuple[int, int], tmp_path: Path) -> None:
    """As its .toml says, turned as it lies there, the rest of it black; it is no picture for the next run.

    Where the board has none, small pictures are shown on one that can be read.
    """
    made = build(
        LENET,
        device,
        "camera",
        data=DIGITS / "test",
        precision="fp32",
        engine="onnxruntime",
        out=tmp_path / "b",
        lang="zh",
    )
    run(made.path / "main.py", "--sim")
    with Image.open(made.path / "sim_screen.png") as shown:
        assert shown.size == size
    shutil.rmtree(made.path / "sim")  # the simulator's own pictures are those beside the program then
    alone = run(made.path / "main.py", "--sim")
    (made.path / "sim_screen.png").unlink()
    assert len(run(made.path / "main.py", "--sim").splitlines()) == len(alone.splitlines())


def test_a_picture_that_cannot_be_read_is_not_taken(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "3"
    shutil.copytree(DIGITS / "test" / "3", folder)
    (folder / "0.png").write_bytes(b"\x89PNG\r\n no more")
    made = build(
        LENET, "pc", "web", data=folder.parent, precision="fp32", out=tmp_path / "b", lang="en", engine="onnxruntime"
    )
    taken = [name for name in made.files if name.startswith("sim/")]
    assert taken and all(Image.open(made.path / name).size for name in taken)
    none = build(LENET, "pc", "web", out=tmp_path / "c", lang="en", engine="onnxruntime")
    assert not [name for name in none.files if name.startswith("sim/")]
