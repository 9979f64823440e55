"""What `qingzhou quantize --html` writes: before and after as a page, to explain to a class what INT8 does."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from ..errors import QingzhouError, language, say
from ..evaluate import Classification
from ..html import thumbnail, write_page
from ..html.page import percent, size
from ..quant import Quantized
from ..quant.besides import Beside
from ..quant.judge import Changed, Verdict
from ..quant.layers import Layer

MOST_LAYERS = 40  # bars that can be taken in
SHOWN = 2  # layers whose weights are shown

Tile = tuple[str, str, str]


def quantized_page(found: Quantized, out: Path) -> None:
    """Write the page, whole or not at all; OutputError."""
    rows = _worst(found.layers)
    write_page(
        out,
        "quantized.html",
        language(),
        found=found,
        name=found.source.name,
        tiles=_tiles(found),
        bars=_bars(found),
        verdict=found.verdict,
        matrices=_matrices(found.verdict),
        changed=_changed(found.verdict),
        layer_rows=[(layer.name + (" (float)" if layer.kept else ""), layer.sqnr, None) for layer in rows],
        hidden=len(rows) < len(found.layers),
        shown=[layer for layer in sorted(found.layers, key=_sqnr) if layer.integers is not None][:SHOWN],
    )


def _tiles(found: Quantized) -> list[Tile]:
    before, after = found.sizes
    tiles = [(say("size", "大小"), f"{after / before:.0%}", f"{size(before)} → {size(after)}")]
    if found.verdict is not None:
        tiles += [_accuracy(found.verdict), *map(_beside, found.verdict.besides)]
    if found.timing is not None:
        time = found.timing
        text = say("one thread, this machine", "单线程，本机")
        tiles.append((say("speed", "速度"), f"{time.ratio:.2f} ×", f"{time.before:.2f} → {time.after:.2f} ms · {text}"))
    return tiles


def _accuracy(verdict: Verdict) -> Tile:
    before, after = verdict.figures()
    judged = say(f"{verdict.judged} held-out inputs", f"{verdict.judged} 个未参与校准的输入")
    if not verdict.labelled:
        return say("same answers", "回答一致"), percent(after), judged
    low, high = (100 * end for end in (verdict.drop.low, verdict.drop.high))
    sure = say(
        f"drop, 95 % interval: {low:+.2f} to {high:+.2f} points",
        f"下降的 95% 置信区间：{low:+.2f} 到 {high:+.2f} 个百分点",
    )
    return verdict.measure, f"{percent(before)} → {percent(after)}", f"{judged} · {sure}"


def _beside(one: Beside) -> Tile:
    if one.labelled:
        return f"mAP {one.title}", f"{percent(one.before)} → {percent(one.after)}", ""
    return one.title, percent(one.after), say("as before", "与原来一致")


def _bars(found: Quantized) -> list[tuple[list[tuple[str, float, float]], str]]:
    """A chart for each unit."""
    before, after = (number / 1e6 for number in found.sizes)
    charts = [([(say("size", "大小"), before, after)], "MB")]
    if found.verdict is not None and found.verdict.labelled:
        one, two = found.verdict.figures()
        charts.append(([(found.verdict.measure, 100 * one, 100 * two)], "%"))
    if found.timing is not None:
        charts.append(([(say("network", "网络用时"), found.timing.before, found.timing.after)], "ms"))
    return charts


def _matrices(verdict: Verdict | None) -> list[Any]:
    if verdict is None or not isinstance(verdict.before, Classification):
        return []
    return [verdict.before, verdict.after]


def _changed(verdict: Verdict | None) -> list[tuple[str, str, list[str]]]:
    found = verdict.changed if verdict else ()
    return [(_picture(one), one.source, [*_texts(one), Path(one.source).name]) for one in found]


def _texts(one: Changed) -> list[str]:
    return [text for text in (one.truth, f"{one.before} → {one.after}") if text]


def _picture(one: Changed) -> str:
    """ "" for rows of a table, and for a file that is gone."""
    try:
        return thumbnail(one.data) if isinstance(one.data, Path) else ""
    except QingzhouError:
        return ""


def _worst(layers: Any) -> list[Layer]:
    """All in order; of very many those that lose most, still in order."""
    chosen = sorted(range(len(layers)), key=lambda i: _sqnr(layers[i]))[:MOST_LAYERS]
    return [layers[i] for i in sorted(chosen)]


def _sqnr(layer: Layer) -> float:
    return math.inf if math.isnan(layer.sqnr) else layer.sqnr
