"""Charts and pages: numbers in the right place, hostile names as text, nothing from outside."""

from __future__ import annotations

import base64
import math
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from qingzhou.errors import ImageError, OutputError
from qingzhou.html import thumbnail, write_page
from qingzhou.html.page import _environment, figure, percent, size
from qingzhou.html.scale import frame, spread, ticks
from qingzhou.runtime.model.image import read_image

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}"
IMPORTS = (
    '{% import "charts.html" as charts with context %}{% import "pieces.html" as pieces with context %}'
    '{% extends "base.html" %}{% block title %}{{ name }}{% endblock %}{% block body %}'
)


class Reader(HTMLParser):
    """Every tag with its attributes, and the texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page(body: str, lang: str = "en", **facts: object) -> Reader:
    text = IMPORTS + body + "{% endblock %}"
    return Reader(_environment(lang).from_string(text).render(name="A page", **facts))


def test_names_are_text_wherever_they_stand() -> None:
    body = (
        "{{ pieces.tiles([(name, name, name)]) }}{{ pieces.table([name], [[name]], caption=name) }}"
        "{{ pieces.pictures([('', name, [name])]) }}{{ pieces.notes([name]) }}"
        "{{ charts.bars([(name, 1, 2)], name, name, name) }}{{ charts.histogram([1], [0, 1], name) }}"
        "{{ charts.scatter([{'label': name, 'x': 1, 'y': 2, 'size': 3, 'best': true}], name, name, name) }}"
        "{{ charts.confusion([[1, 0], [1, 1]], [name, 'b']) }}"
    )
    text = IMPORTS + body + "{% endblock %}"
    found = Reader(_environment("en").from_string(text).render(name=HOSTILE))
    known = (
        "html head meta title style body header h1 main footer ul li span b div table caption thead tbody tr th td p "
        "figure svg rect text path circle"
    )
    assert {tag for tag, _ in found.tags} <= set(known.split())
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    assert HOSTILE in found.texts and "49" not in found.texts


def test_nothing_comes_from_outside(tmp_path: Path) -> None:
    write_page(tmp_path / "a.html", "base.html", "zh")
    text = (tmp_path / "a.html").read_text("utf-8")
    assert 'lang="zh-CN"' in text and "由轻舟 " in text and "default-src 'none'" in text
    assert not re.search(r"https?:|@import|url\(|<script|<link", text)


def test_a_page_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_page(tmp_path / "nowhere" / "a.html", "base.html", "en")
    (tmp_path / "there.html").write_text("old", "utf-8")
    with pytest.raises(Exception, match="no_such"):
        write_page(tmp_path / "there.html", "no_such.html", "en")
    assert [path.name for path in tmp_path.iterdir()] == ["there.html"]
    assert (tmp_path / "there.html").read_text("utf-8") == "old"


def test_bars_are_as_long_as_their_numbers() -> None:
    found = page("{{ charts.bars(rows, 'ms') }}", rows=[("a", 10.0, 5.0), ("b", 4.0, None)])
    bars = [r for r in found.of("rect") if r["height"] == "17"]
    widths = [float(str(bar["width"])) for bar in bars]
    assert [round(w / widths[0], 3) for w in widths] == [1.0, 0.5, 0.4]
    assert [bar["class"] for bar in bars] == ["one", "two", "one"]
    assert "a: 10 → 5 ms" in str(found.of("svg")[0]["aria-label"]) and {"before", "after"} <= set(found.texts)


def test_bars_of_one_kind_have_no_legend() -> None:
    found = page("{{ charts.bars(rows, '秒') }}", "zh", rows=[("a", 1.0, None), ("b", -1.0, None)])
    assert "之前" not in found.texts
    one, other = (r for r in found.of("rect") if r["height"] == "17")
    assert one["width"] == other["width"] and float(str(other["x"])) < float(str(one["x"]))


def test_dots_lie_where_their_numbers_are() -> None:
    points = [
        {"label": "a", "x": 10.0, "y": 0.9, "size": 400.0, "best": True},
        {"label": "b", "x": 5.0, "y": 0.9, "size": 100.0, "best": False},
    ]
    found = page("{{ charts.scatter(points, 'ms', '%', 'MB') }}", points=points)
    a, b = ({k: v for k, v in dot.items()} for dot in found.of("circle"))
    assert (float(a["cx"]) - 64) == pytest.approx(2 * (float(b["cx"]) - 64)) and a["cy"] == b["cy"]
    assert (float(a["r"]), float(b["r"])) == (22.0, 11.0) and "★ a" in found.texts
    heights = [float(text["y"]) for text in found.of("text") if text["x"] == "490"]
    assert abs(heights[0] - heights[1]) >= 18


def test_a_histogram_has_a_bar_for_each_count() -> None:
    counts, edges = np.histogram(np.array([1.0, 1.0, 2.0, 4.0]), 3)
    found = page("{{ charts.histogram(counts, edges, 'x') }}", counts=counts, edges=edges)
    heights = [float(str(r["height"])) for r in found.of("rect")]
    assert [round(h / heights[0], 3) for h in heights] == [1.0, 0.5, 0.5]


def test_a_matrix_is_shaded_by_its_rows() -> None:
    found = page("{{ charts.confusion(m, ['猫', 'b']) }}", m=np.array([[3, 1], [0, 0]]))
    styles = [cell.get("style") for cell in found.of("td")[1:]]
    assert styles == ["background: rgba(56, 142, 90, 0.455)", "background: rgba(200, 70, 50, 0.205)", None, None]


def test_a_matrix_of_hundreds_is_not_drawn() -> None:
    found = page("{{ charts.confusion(m, range(41)) }}", m=np.eye(41))
    assert not found.of("table") and "Too many classes for a table." in found.texts


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_ticks_are_few_and_hold_everything(low: float, more: float) -> None:
    high = low + more
    found = ticks(low, high)
    slack = 1e-6 * max(1.0, abs(low), abs(high))
    assert 2 <= len(found) <= 7 and found[0] <= low + slack and found[-1] >= high - slack
    assert all(a < b for a, b in pairwise(found))


@given(st.lists(st.floats(0, 300), max_size=30))
def test_labels_do_not_lie_on_each_other(places: list[float]) -> None:
    moved = spread(places, 10, 0, 300)
    order = sorted(moved)
    assert all(b - a >= 10 - 1e-6 for a, b in pairwise(order))
    assert all(-1e-6 <= place <= 300 + 1e-6 for place in order)
    ranks = sorted(range(len(places)), key=lambda i: places[i])
    assert ranks == sorted(range(len(places)), key=lambda i: moved[i])


def test_labels_that_fit_stay_where_they_are() -> None:
    assert spread([50.0, 10.0], 10, 0, 100) == [50.0, 10.0]


def test_an_axis_of_one_value() -> None:
    axis = frame([0.98], 100, 0)
    assert axis.ticks[0] <= 0.98 <= axis.ticks[-1] and 0 <= axis.place(0.98) <= 100


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.01234, "0.0123"), (1234.5, "1,234"), (7, "7"), (None, "–"), (math.nan, "–"), (math.inf, "–")],
)
def test_three_digits(number: float | None, text: str) -> None:
    assert figure(number) == text


def test_shares_and_bytes() -> None:
    assert (percent(0.98189), percent(None), percent(0.5, 0)) == ("98.19 %", "–", "50 %")
    assert (size(246_000), size(14_200_000), size(12), size(None)) == ("246 kB", "14.2 MB", "12 B", "–")


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P"])
def test_a_thumbnail_is_small_and_the_same_picture(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "图 1.png"
    Image.new("RGB", (400, 200), (200, 30, 40)).convert(mode, palette=Image.Palette.ADAPTIVE).save(path)
    uri = thumbnail(path)
    assert re.fullmatch(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=]+", uri) and len(uri) < 2000
    back = read_image(base64.b64decode(uri.split(",")[1]), "RGB")
    assert back.shape == (48, 96, 3)
    assert np.abs(back.astype(int) - read_image(path, "RGB")[::2, ::2][:48, :96]).max() <= 6


def test_a_thumbnail_holds_no_place_and_is_never_larger(tmp_path: Path) -> None:
    picture = Image.new("RGB", (20, 30), (1, 2, 3))
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    picture.save(tmp_path / "a.jpg", exif=exif)
    data = base64.b64decode(thumbnail(tmp_path / "a.jpg").split(",")[1])
    assert b"taken at home" in (tmp_path / "a.jpg").read_bytes() and b"taken at home" not in data
    assert read_image(data, "RGB").shape == (30, 20, 3)


def test_what_is_no_picture_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no")
    with pytest.raises(ImageError):
        thumbnail(tmp_path / "a.png")
