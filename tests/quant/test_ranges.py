"""Calibration: what was seen of a tensor, against numpy on all of it at once."""

from __future__ import annotations

import numpy as np
import pytest
from networks import model, pictures, residual
from onnx import helper
from onnx.reference import ReferenceEvaluator

from qingzhou.quant.network import Network, activations
from qingzhou.quant.ranges import BINS, SHARE, Histogram, Seen, calibrate
from qingzhou.quant.watch import SAMPLED, Glance, watched

RNG = np.random.default_rng(7)
SKEWED = np.concatenate([RNG.normal(0, 1, 4000), RNG.normal(0, 9, 40)]).astype(np.float32)


def seen(array: np.ndarray, parts: int = 8) -> Seen:
    """What is known of an array (N, C) that came in parts."""
    found = Seen("t")
    for part in np.array_split(array, parts):
        found.add([Glance(part.min(), part.max(), part.mean(axis=0), part.reshape(-1))])
    return found


def test_a_histogram_that_grows_counts_as_one_that_was_large_from_the_start() -> None:
    small, large = Histogram(), Histogram()
    large.add(np.array([16.0]))
    for numbers in (SKEWED[:1000] / 100, SKEWED[1000:], np.array([16.0])):
        small.add(numbers)
    for numbers in (SKEWED[:1000] / 100, SKEWED[1000:]):
        large.add(numbers)
    reach = max(small.reach, large.reach)
    small._widen(reach), large._widen(reach)
    apart = np.abs(small.counts.cumsum() - large.counts.cumsum())
    assert small.counts.sum() == large.counts.sum() == len(SKEWED) + 1
    assert apart.max() <= 2  # a number on the border of two bins


def test_minmax_is_the_least_and_the_largest() -> None:
    low, high = seen(SKEWED.reshape(-1, 4)).range("minmax")
    assert (low, high) == (SKEWED.min(), SKEWED.max())


def test_zero_is_always_inside() -> None:
    low, high = seen(np.abs(SKEWED).reshape(-1, 4) + 3).range("minmax")
    assert low == 0
    assert high == pytest.approx(np.abs(SKEWED).max() + 3)


def test_percentile_cuts_as_numpy_does() -> None:
    found = seen(SKEWED.reshape(-1, 4))
    bin_wide = 2 * found.histogram.reach / BINS
    for end, share in zip(found.range("percentile"), (SHARE, 1 - SHARE), strict=True):
        assert end == pytest.approx(np.quantile(SKEWED, share, method="inverted_cdf"), abs=2 * bin_wide)


def test_mse_rounds_with_less_error_than_the_others() -> None:
    numbers = np.append(RNG.normal(0, 1, 600_003), 12.0).astype(np.float32)  # one outlier wastes half of the steps
    found = seen(numbers.reshape(-1, 4), 64)

    def error(method: str) -> float:
        low, high = found.range(method)
        scale = (high - low) / 255
        return float(np.square(np.clip(np.rint((numbers - low) / scale), 0, 255) * scale + low - numbers).mean())

    assert error("mse") <= min(error("minmax"), error("percentile")) * 1.001
    assert error("mse") < error("minmax") / 1.3


def test_constant_activations() -> None:
    for value in (0.0, 3.0, -2.0):
        low, high = seen(np.full((8, 4), value, np.float32)).range("mse")
        assert low <= min(value, 0) <= max(value, 0) <= high * 1.01 + 1e-9


def test_every_activation_is_what_the_reference_computes() -> None:
    """onnx's own evaluator, operator by operator, against the optimised session that calibrates."""
    network, feeds = Network(residual()), pictures(3)
    found = calibrate(network, activations(network), feeds)
    proto = network.proto
    names = [name for name in found if name != "x"]
    for name in names:
        if name not in {output.name for output in proto.graph.output}:
            proto.graph.output.add(name=name)
    evaluator = ReferenceEvaluator(proto)
    values = [dict(zip(names, evaluator.run(names, feed), strict=True)) for feed in feeds]
    for name in names:
        array = np.concatenate([one[name] for one in values])
        assert found[name].low == pytest.approx(array.min(), rel=1e-4, abs=1e-5)
        assert found[name].high == pytest.approx(array.max(), rel=1e-4, abs=1e-5)
        assert found[name].histogram.counts.sum() == array.size  # small enough to be seen whole
    for name in ("r1", "flat"):  # what layers with a bias read
        array = np.concatenate([one[name] for one in values])
        channels = array.mean(axis=tuple(n for n in range(array.ndim) if n != 1))
        np.testing.assert_allclose(found[name].mean, channels, rtol=1e-4, atol=1e-6)


def test_tensors_may_have_any_name() -> None:
    """Also those that a careless observer would give its own."""
    named = model(
        [
            helper.make_node("Conv", ["x", "w"], ["x/size"], name="x/means"),
            helper.make_node("Conv", ["x/size", "w"], ["x/ReduceMin"], name="x/sample"),
        ],
        {"w": np.ones((3, 3, 1, 1))},
        (1, 3, 12, 12),
        {"x/ReduceMin": (1, 3, 12, 12)},
    )
    found = calibrate(Network(named), ["x", "x/size", "x/ReduceMin"], pictures(2))
    assert found["x"].high < found["x/size"].high < found["x/ReduceMin"].high


def test_of_large_tensors_other_places_are_drawn_in_every_picture() -> None:
    """Never the same column only: the step is odd."""
    wide = model(
        [helper.make_node("Conv", ["x", "w"], ["y"], name="y")],
        {"w": np.ones((1, 1, 1, 1))},
        (1, 1, 400, 400),
        {"y": (1, 1, 400, 400)},
    )
    places = np.arange(160_000, dtype=np.float32).reshape(1, 1, 400, 400)
    drawn = [one.glances["x"].sample for one in watched(Network(wide), ["x"], [{"x": places}] * 3)]
    assert not set(drawn[0]) & set(drawn[1]) and not set(drawn[1]) & set(drawn[2])
    for sample in drawn:
        assert SAMPLED / 2 < len(sample) < 2 * SAMPLED
        assert len(np.unique(sample % 400)) == 400


def test_what_is_kept_does_not_grow_with_the_pictures() -> None:
    network = Network(residual())
    sizes = [
        sum(
            one.histogram.counts.nbytes + np.asarray(one.means).nbytes
            for one in calibrate(network, activations(network), pictures(count)).values()
        )
        for count in (2, 40)
    ]
    assert sizes[0] == sizes[1]


def test_numbers_that_are_not_finite_are_named() -> None:
    network, feeds = Network(residual()), pictures(2)
    feeds[1]["x"][0, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="x"):
        calibrate(network, activations(network), feeds)
