"""Short names: the same answers, the layers still under their own names, equal constants once."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from networks import pictures, residual
from onnx import numpy_helper
from test_qdq import made

from qingzhou.quant.brief import brief
from qingzhou.quant.network import Network, activations
from qingzhou.quant.qdq import Scheme, to_qdq
from qingzhou.quant.signal import session


@pytest.mark.parametrize("scheme", [Scheme(), Scheme(symmetric=True)])
def test_the_same_network_under_short_names(scheme: Scheme) -> None:
    proto = residual()
    long = made(proto, scheme)
    short = brief(long, Network(proto))
    onnx.checker.check_model(short, full_check=True)
    for feed in pictures(4):
        for one, other in zip(session(long).run(None, feed), session(short).run(None, feed), strict=True):
            np.testing.assert_array_equal(one, other)
    layers = [node.output[0] for node in proto.graph.node if node.op_type == "Conv"]
    made_by = {name for node in short.graph.node for name in node.output}
    assert (
        layers and set(layers) <= made_by | {f"{name}/float" for name in layers} and short.ByteSize() < long.ByteSize()
    )
    scalars = [(t.data_type, numpy_helper.to_array(t).item()) for t in short.graph.initializer if not t.dims]
    assert len(scalars) == len(set(scalars)) > 1


def test_a_name_that_is_short_already_is_not_taken_twice() -> None:
    """The network's own tensors may be called 0, 1, … themselves."""
    proto = residual()
    outputs = [node.output[0] for node in proto.graph.node]
    renamed = {name: str(i) for i, name in enumerate(outputs) if name not in {o.name for o in proto.graph.output}}
    for node in proto.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]
    short = brief(made(proto), Network(proto))
    onnx.checker.check_model(short, full_check=True)
    names = [name for node in short.graph.node for name in node.output] + [t.name for t in short.graph.initializer]
    assert len(names) == len(set(names)) and set(renamed.values()) - {renamed["r1"]} <= set(names)


@pytest.mark.parametrize(
    "ends, scheme, high, stays",
    [
        ((0.0, 6.0), Scheme(), 6.0, False),  # rounding ends where Clip does
        ((0.0, 6.0), Scheme(), 2.5, False),  # and here before
        ((0.0, 2.0), Scheme(), 6.0, True),  # integers go on above what Clip allows
        ((0.5, 6.0), Scheme(), 6.0, True),  # and here below
        ((0.0, 6.0), Scheme(symmetric=True), 6.0, True),
    ],  # integers below zero
)
def test_rounding_does_the_work_of_a_relu_where_it_ends_there(
    ends: tuple[float, float], scheme: Scheme, high: float, stays: bool
) -> None:
    proto = residual()
    for tensor, end in zip((t for t in proto.graph.initializer if t.name in ("zero", "six")), ends, strict=True):
        tensor.CopyFrom(numpy_helper.from_array(np.array(end, np.float32), tensor.name))
    network = Network(proto)
    ranges = {name: (0.0, high) if name == "r1" else (-8.0, 8.0) for name in activations(network)}
    long = to_qdq(network, ranges, scheme)
    short = brief(long, network)
    assert ("Clip" in {node.op_type for node in short.graph.node}) is stays
    for feed in pictures(4):
        wide = {name: 4 * array for name, array in feed.items()}  # beyond both ends
        for one, other in zip(
            session(long, emulated=True).run(None, wide), session(short, emulated=True).run(None, wide), strict=True
        ):
            np.testing.assert_array_equal(one, other)
