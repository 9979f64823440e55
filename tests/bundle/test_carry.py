"""What comes along on a board when a bundle is pushed again: decided from names and digests alone."""

from __future__ import annotations

import pytest

from qingzhou.bundle.carry import Found, carried
from qingzhou.errors import BoardError

SENT = {"main.py": "1", "labels.txt": "2", "sim/1.jpg": "3", "gone.py": "4"}
COMING = {"main.py": "5", "labels.txt": "2", "sim/1.jpg": "6", "new.py": "7"}


@pytest.mark.parametrize(
    ("there", "whole", "single"),
    [
        ({}, [], {}),
        ({"photos/1.jpg": "x", "photos/2.jpg": "y"}, ["photos"], {}),
        ({"sim/mine.jpg": "x"}, [], {"sim/mine.jpg": "sim/mine.jpg"}),
        ({"main.py": "x"}, [], {"main.py": "main.old.py"}),
        ({"main.py": "x", "main.old.py": "y"}, ["main.old.py"], {"main.py": "main.old2.py"}),
        ({"main.py": "5"}, [], {}),
        ({"main.py": ""}, [], {"main.py": "main.old.py"}),
        ({"gone.py": "x"}, ["gone.py"], {}),
        ({"new.py": "x"}, [], {"new.py": "new.old.py"}),
        ({"new.py/a/b": "x"}, [], {"new.py/a/b": "new.old.py/a/b"}),
        ({"packages/x": "x", "__pycache__/x": "x"}, [], {}),
    ],
)
def test_what_comes_along(there: dict[str, str], whole: list[str], single: dict[str, str]) -> None:
    files = {**SENT, **there}
    if any(name.startswith("new.py/") for name in there):
        files.pop("new.py", None)
    found = Found(files, sorted({name.split("/")[0] for name in files}), {name: {one} for name, one in SENT.items()})
    own = carried(found, COMING, {"packages", "__pycache__"})
    assert (list(own.whole), own.single) == (whole, single)
    assert own.renamed == {name: now for name, now in single.items() if name != now}


def test_sim_as_a_file_gives_way_to_the_folder() -> None:
    own = carried(Found({"sim": "x"}, ["sim"], {}), COMING, ())
    assert own.renamed == {"sim": "sim.old"}


def test_a_name_that_is_no_text_is_refused() -> None:
    """It could not be copied under its own name."""
    with pytest.raises(BoardError, match="UTF-8"):
        carried(Found({"\N{REPLACEMENT CHARACTER}.jpg": "x"}, ["\N{REPLACEMENT CHARACTER}.jpg"], {}), COMING, ())
