"""The documentation: links lead somewhere, and every page is there in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("README*.md"), ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")])
CODE = re.compile(r"^ *```.*?^ *```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)")


def text(page: Path) -> str:
    """A page without its code."""
    return CODE.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """Its headings as GitHub writes them in links."""
    titles = re.findall(r"^#+ +(.*?) *$", re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_relative_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(text(page)):
        place, _, anchor = unquote(link).partition("#")
        if re.match(r"[a-z][a-z0-9+.-]*:", place):
            continue
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), f"{link} leads nowhere"
        assert target.is_relative_to(ROOT), f"{link} leads out of the project"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{link}: {target.name} has no such heading"


def test_every_page_is_there_in_both_languages() -> None:
    english, chinese = ({page.name for page in (DOCS / lang).glob("*.md")} for lang in ("en", "zh"))
    assert english and english == chinese


@pytest.mark.parametrize("name", sorted(page.name for page in (DOCS / "en").glob("*.md")))
def test_both_languages_have_the_same_chapters(name: str) -> None:
    levels = [re.findall(r"^(##+) ", text(DOCS / lang / name), re.M) for lang in ("en", "zh")]
    assert levels[0] == levels[1]
