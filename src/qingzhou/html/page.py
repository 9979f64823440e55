"""A template and facts in, a file out. What the facts hold is text and never markup: labels and names are not ours."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2

from ..runtime.text import lines
from ..version import __version__
from ..whole_file import write_text
from .scale import Frame, frame, spread, ticks

TEMPLATES = Path(__file__).with_name("templates")


def write_page(out: Path, template: str, lang: str, **facts: Any) -> None:
    """Fill a template of this room and write it, whole or not at all; OutputError.

    lang   "zh" or "en": the template's say(en, zh) takes its text by it
    facts  what the template speaks of; a missing one is an error, and whatever they hold is escaped
    """
    page = _environment(lang).get_template(template).render(**facts)
    write_text(out, lines(page))


def _environment(lang: str) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        lang=lang,
        version=__version__,
        now=datetime.now().strftime("%Y-%m-%d %H:%M"),
        ticks=ticks,
        spread=spread,
        frame=frame,
        say=lambda en, zh: zh if lang == "zh" else en,
    )
    environment.filters.update(figure=figure, percent=percent, size=size)
    return environment


def figure(number: float | None) -> str:
    """Three digits that count: 0.0123, 45.7, 1,234; "–" for none."""
    if number is None or not math.isfinite(number):
        return "–"
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"


def percent(share: float | None, digits: int = 2) -> str:
    """0.98189 -> 98.19 %."""
    return "–" if share is None or not math.isfinite(share) else f"{100 * share:.{digits}f} %"


def size(number: float | None) -> str:
    """Bytes -> 14.2 MB; of a thousand, as files are counted elsewhere here."""
    if number is None:
        return "–"
    for unit, least in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= least:
            return f"{number / least:.3g} {unit}"
    return f"{number:.0f} B"


__all__ = ["Frame", "write_page"]
