"""What is done once, or given up early, changes nothing: against the same work done in full."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import Array, pictures, residual
from test_judge import Written, answer, data

from passengers import DIGITS
from qingzhou.quant.judge import judge
from qingzhou.quant.layers import look_at
from qingzhou.quant.network import Network, activations
from qingzhou.quant.observe import observed
from qingzhou.quant.pair import Both, Pair
from qingzhou.quant.qdq import Known, Scheme, to_qdq
from qingzhou.quant.ranges import METHODS, SHARES, Calibration, Seen, calibrate
from qingzhou.quant.result import Limits
from qingzhou.quant.search import Search
from qingzhou.quant.signal import Signal, given
from qingzhou.quant.stop import Lost, while_hoped
from qingzhou.quant.watch import Glance, watched
from qingzhou.runtime.predict import Predictor

FEEDS = pictures(21)


# -- ranges ---------------------------------------------------------------------------------------------------------


def every_share(seen: Seen) -> tuple[float, float]:
    """The end with the least error of all that can be tried, one side after the other, twice."""
    kept = seen.histogram.counts.nonzero()[0]
    counts, middles = seen.histogram.counts[kept], seen.histogram.middles[kept]

    def error(low: float, high: float) -> float:
        scale = (high - low) / 255
        rounded = np.clip(np.rint((middles - low) / scale), 0, 255) * scale + low
        return float((counts * (rounded - middles) ** 2).sum())

    ends = [min(seen.low, 0.0), max(seen.high, 0.0)]
    outer = tuple(ends)
    for side in (1, 0, 1, 0):
        if ends[side]:
            tried = [[e if i != side else outer[side] * share for i, e in enumerate(ends)] for share in SHARES]
            ends = min(tried, key=lambda pair: error(*pair))
    return ends[0], ends[1]


@pytest.mark.parametrize("shape", ["normal", "heavy", "positive", "two", "constant", "outlier"])
def test_shares_that_are_not_tried_would_not_be_taken(shape: str) -> None:
    rng = np.random.default_rng(5)
    numbers: Mapping[str, Array] = {
        "normal": rng.normal(0.3, 1, 5000),
        "heavy": rng.standard_cauchy(5000),
        "positive": np.abs(rng.normal(0, 1, 5000)),
        "two": rng.choice([-1.0, 3.0], 5000),
        "constant": np.full(5000, -2.0),
        "outlier": np.append(rng.normal(0, 0.01, 4999), 50.0),
    }
    array = numbers[shape].astype(np.float32)
    seen = Seen("t")
    seen.add([Glance(float(array.min()), float(array.max()), None, array)])
    assert seen.range("mse") == every_share(seen)


def test_to_be_asked_in_between_changes_nothing() -> None:
    network = Network(residual())
    names = list(activations(network))
    whole, halves = calibrate(network, names, FEEDS), Calibration(names)
    for sight in (*watched(network, names, FEEDS[:9]), *watched(network, names, FEEDS[9:], start=9)):
        halves.add(sight.glances)
        halves.so_far()
    for name, found in halves.so_far().items():
        assert (found.low, found.high, found.pictures) == (whole[name].low, whole[name].high, len(FEEDS))
        assert np.array_equal(found.histogram.counts, whole[name].histogram.counts)
        assert found.mean is None or np.array_equal(found.mean, whole[name].mean)


def test_one_pass_tells_what_many_did() -> None:
    network = Network(residual())
    found = observed(network, FEEDS[:8], lambda: iter(FEEDS), Scheme(), True)
    assert {name: one.range("minmax") for name, one in found.seen.items()} == {
        name: one.range("minmax") for name, one in calibrate(network, activations(network), FEEDS).items()
    }
    for ours, run in zip(found.signal.expected, given(network.proto, network.heads, FEEDS[:8]), strict=True):
        np.testing.assert_allclose(ours[0], run[0], rtol=1e-5, atol=1e-6)
    small = Search(network, found.seen, found.signal, Scheme(), True).model("minmax", False, frozenset())
    assert found.drawn
    known, again = (look_at(network, small, frozenset(), FEEDS[:8], drawn) for drawn in (found.drawn, ()))
    np.testing.assert_allclose([one.sqnr for one in known], [one.sqnr for one in again], rtol=1e-4)


# -- rounding -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", [Scheme(), Scheme(narrow=True), Scheme(symmetric=True)])
def test_what_forms_have_in_common_is_rounded_as_in_each_alone(scheme: Scheme) -> None:
    network, known = Network(residual()), Known()
    seen = calibrate(network, activations(network), FEEDS)
    means = {name: one.mean for name, one in seen.items() if one.mean is not None}
    for kept in (frozenset[str](), frozenset({"c2"})):
        for method in METHODS:
            ranges = {name: one.range(method) for name, one in seen.items()}
            for given_means in (None, means):
                one = to_qdq(network, ranges, scheme, kept, given_means, known)
                assert one == to_qdq(network, ranges, scheme, kept, given_means)


def test_scales_that_a_large_bias_asks_for_are_not_taken_from_another_form() -> None:
    network, known = Network(residual()), Known()
    ranges = {name: (-1.0, 1.0) for name in activations(network)}
    tiny = {name: (-1e-7, 1e-7) for name in ranges}  # a bias of such an input needs more than 32 bits
    for one in (ranges, tiny, ranges):
        assert to_qdq(network, one, Scheme(), known=known) == to_qdq(network, one, Scheme())


def test_a_way_is_given_up_only_where_it_is_worse() -> None:
    network = Network(residual())
    seen = calibrate(network, activations(network), FEEDS)
    signal = Signal(network.heads, FEEDS, list(given(network.proto, network.heads, FEEDS)))
    search = Search(network, seen, signal, Scheme(), True)
    figures = {
        (method, corrected): signal.sqnr(search.model(method, corrected, frozenset()), True)
        for method in METHODS
        for corrected in (False, True)
    }
    assert None not in figures.values()
    best = max(figures, key=lambda way: figures[way] or 0.0)
    plan = search.best()
    assert ((plan.method, plan.corrected), plan.sqnr) == (best, figures[best])
    for way, figure in figures.items():
        for least in (figures[best], figure, 0.0):
            found = signal.sqnr(search.model(*way, frozenset()), True, least or 0.0)
            assert found == figure or (found is None and figure is not None and figure < (least or 0.0))


# -- judging --------------------------------------------------------------------------------------------------------


def drawn(rng: np.random.Generator, right: float, kept: float, count: int) -> tuple[Written, dict[str, Any]]:
    """Two models; the first is right with one chance, the second repeats it with the other."""
    answers, truths = {}, {}
    for n in range(count):
        truth, other = (int(place) for place in rng.integers(3, size=2))
        before = truth if rng.random() < right else (truth + 1) % 3
        after = before if rng.random() < kept else other
        answers[str(n)], truths[str(n)] = (answer(before), answer(after)), ["cat", "dog", "owl"][truth]
    return Written("classification", answers), truths


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("limits", [Limits(0.5, 95), Limits(0, 100), Limits(5, 80)])
def test_what_is_refused_early_is_refused_at_the_end(labelled: bool, limits: Limits) -> None:
    """Pairs of models on both sides of the limit; those that are let through are judged by everything."""
    rng, early, allowed = np.random.default_rng(8), 0, 0
    for trial in range(200):
        pair, truths = drawn(rng, 0.9, 0.5 + 0.5 * trial / 200, 60)
        split = data(truths if labelled else dict.fromkeys(truths, ""), labelled=labelled)
        first = judge(pair, split)
        notice = while_hoped(first, limits, frozenset())
        assert notice is not None
        try:
            judge(pair, split, notice=notice)
        except Lost:
            early += 1
            assert not limits.within(first)
        else:
            allowed += limits.within(first)
    assert early > 20 and allowed > 2


def test_copies_and_what_calibrated_are_counted_no_time() -> None:
    pair, truths = drawn(np.random.default_rng(1), 1.0, 1.0, 60)
    first = judge(pair, data(truths))
    notice = while_hoped(first, Limits(10, 95), frozenset({b"t"}))
    assert notice is not None
    case = data({"a": 0}).held_out[0]
    wrong = Both(answer(0), answer(1), b"same")
    for _ in range(100):
        notice(case, wrong)
        notice(case, wrong._replace(digest=b"t"))
    with pytest.raises(Lost):
        for n in range(7):
            notice(case, wrong._replace(digest=bytes([n])))


def test_side_by_side_is_in_order() -> None:
    pair, truths = drawn(np.random.default_rng(2), 0.9, 0.9, 60)
    del pair.answers["7"]  # this one raises, as a picture does that cannot be read

    class Broken(Written):
        def predict(self, data: Any, threshold: float | None = None) -> Both:
            from qingzhou.errors import ImageError

            if data not in self.answers:
                raise ImageError(en="broken", zh="坏了")
            return super().predict(data, threshold)

    broken = Broken("classification", pair.answers)
    one, four = (judge(broken, data(truths), at_once=count) for count in (1, 4))
    assert (one.figures(), one.drop, list(one.changed), one.failed) == (
        four.figures(),
        four.drop,
        list(four.changed),
        four.failed,
    )
    assert one.failed == 1 and one.failures[0].source == "7"


def test_the_first_is_asked_once_for_all_ways_of_rounding(tmp_path: Path) -> None:
    import qingzhou

    path = qingzhou.convert(Path(DIGITS / "basenn.pth"), tmp_path / "digits.onnx").path
    before, picture = Predictor(path), next((DIGITS / "test").glob("3/*.png"))
    runs: list[int] = []

    class Counting(Predictor):
        def outputs(self, batch: Array) -> list[Array]:
            runs.append(1)
            return super().outputs(batch)

    known: dict[object, Any] = {}
    found = [Pair(Counting(path), before, known).predict(picture) for _ in range(3)]
    assert len(runs) == 1
    assert all(isinstance(both, Both) and both.before.index == before.predict(picture).index for both in found)
    assert replace(Pair(before, before), known=known).known is known
