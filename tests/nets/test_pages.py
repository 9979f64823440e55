"""The table of networks imports a page for files that may hold it: never for too few."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from qingzhou.nets import pages
from qingzhou.nets.match import LAYOUTS
from qingzhou.nets.pages import PAGES, Listed
from qingzhou.nets.settings import Settings

ORACLE = Path(__file__).parents[1] / "oracle"
OTHERS = {id(page): page for layout in LAYOUTS for page in layout.pages if page not in PAGES}
ALL: tuple[Listed, ...] = (*PAGES, *(page for page in OTHERS.values() if isinstance(page, Listed)))


@pytest.mark.parametrize("listed", ALL, ids=lambda one: one.name)
def test_the_table_says_what_the_page_does(listed: Listed) -> None:
    assert listed.page.name == listed.name


def test_all_that_are_described_are_in_the_table() -> None:
    assert {id(one) for one in vars(pages).values() if isinstance(one, Listed)} == {id(one) for one in ALL}


def shapes() -> list[dict[str, tuple[int, ...]]]:
    """Of every network that was made in its original framework."""
    folders = ("families", "mmdet_families", "layouts")
    files = sorted(file for folder in folders for file in (ORACLE / folder).glob("*.json.gz"))
    read = [json.loads(gzip.decompress(file.read_bytes())) for file in files]
    return [{key: tuple(shape) for key, shape, _ in one["entries"]} for one in read if "entries" in one]


def test_no_file_misses_its_page() -> None:
    """Also where all the tensors of one layer are lost."""
    found = shapes()
    assert len(found) > 30
    for whole in found:
        layers = {key.rpartition(".")[0] for key in list(whole)[:9]}
        for lost in ["", *layers]:
            left = {key: shape for key, shape in whole.items() if not lost or not key.startswith(f"{lost}.")}
            for listed in ALL:
                expected = [one.title for one in listed.page.candidates(left, Settings())]
                assert [one.title for one in listed.candidates(left, Settings())] == expected, (listed.name, lost)
