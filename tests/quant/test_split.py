"""Data in two parts: nothing is in both, and the same each time."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from qingzhou.errors import DataError, FileMissing, NothingToJudge
from qingzhou.quant.split import split


def folders(place: Path, **counts: int) -> Path:
    """A folder of pictures for each class."""
    for place_of, (label, count) in enumerate(counts.items()):
        (place / label).mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (4, 4), (number, place_of, 0)).save(place / label / f"{number:03}.png")
    return place


def test_the_parts_share_nothing_and_leave_nothing_out(tmp_path: Path) -> None:
    parts = split(folders(tmp_path / "data", cat=30, dog=50), calibration=20)
    first, second = ([case.source for case in part] for part in (parts.calibration, parts.held_out))
    assert (len(first), len(second)) == (20, 60)
    assert not set(first) & set(second)
    assert [case.source for case in parts.data.cases()] == second


def test_the_same_parts_each_time(tmp_path: Path) -> None:
    place = folders(tmp_path / "data", cat=30, dog=50)
    one, two = split(place), split(place)
    assert [case.source for case in one.calibration] == [case.source for case in two.calibration]
    assert [case.source for case in one.calibration] != sorted(case.source for case in one.calibration)


@pytest.mark.parametrize(
    ("counts", "calibration", "expected"),
    [
        ({"cat": 40, "dog": 40, "owl": 3}, 30, {"cat": 15, "dog": 14, "owl": 1}),  # in turns, as long as there are any
        ({"cat": 90, "dog": 10}, 100, {"cat": 45, "dog": 5}),  # a rare class is judged, too
        ({"cat": 7, "dog": 1}, 100, {"cat": 4}),
        ({"dog": 1, "cat": 3}, 100, {"cat": 2}),
        ({"cat": 1, "dog": 1}, 100, {"cat": 1}),
    ],
    ids=str,
)
def test_every_class_calibrates_and_judges(
    tmp_path: Path, counts: dict[str, int], calibration: int, expected: dict[str, int]
) -> None:
    parts = split(folders(tmp_path / "data", **counts), calibration=calibration)
    assert Counter(case.truth for case in parts.calibration) == expected
    assert Counter(case.truth for case in parts.held_out) == Counter(counts) - Counter(expected)


def test_at_most_half_of_the_data_calibrate(tmp_path: Path) -> None:
    parts = split(folders(tmp_path / "data", cat=5, dog=4))
    assert (len(parts.calibration), len(parts.held_out)) == (4, 5)
    assert any("200" in note for note in parts.notes)  # how many would do


def test_a_file_that_is_a_copy_is_in_neither_part(tmp_path: Path) -> None:
    """Else calibrating would use up all there is to judge by: each of these is there six times."""
    place = folders(tmp_path / "data", cat=10, dog=8)
    for picture in sorted(place.rglob("*.png")):
        for number in range(5):
            shutil.copy(picture, picture.with_name(f"{picture.stem} ({number}).png"))
    parts = split(place)
    assert (len(parts.calibration), len(parts.held_out), parts.copies) == (9, 9, 90)
    one = (place / "cat/000.png").read_bytes()
    for picture in place.rglob("*.png"):
        picture.write_bytes(one)
    with pytest.raises(NothingToJudge, match=r"1 usable inputs \(107 more are the same\)"):
        split(place)


def test_pictures_without_answers(tmp_path: Path) -> None:
    parts = split(folders(tmp_path, album=12) / "album")
    assert not parts.labelled
    assert len(parts.calibration) == len(parts.held_out) == 6


def test_a_layout_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="COCO"):
        split(folders(tmp_path, album=12) / "album", layout="coco")


def test_one_class_only_is_said(tmp_path: Path) -> None:
    notes = split(folders(tmp_path / "data", cat=210)).notes
    assert len(notes) == 1 and "cat" in notes[0]


def test_rows_of_a_table(tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("a,b,label\n" + "\n".join(f"{n},{n * 2},{n % 3}" for n in range(40)), "utf-8")
    parts = split(table)
    assert len(parts.calibration) == len(parts.held_out) == 20
    assert not {tuple(np.ravel(case.data)) for case in parts.calibration} & {
        tuple(np.ravel(case.data)) for case in parts.held_out
    }


def test_too_few_says_how_many_would_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"1 usable.*2.*200"):
        split(folders(tmp_path / "data", cat=1))


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(FileMissing):
        split(tmp_path / "nowhere")


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello", "utf-8")
    with pytest.raises(DataError):
        split(tmp_path)
