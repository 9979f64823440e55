"""The best way to round a network: how ranges are cut, and which layers had better stay in float."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from onnx import ModelProto

from ..errors import say
from ..progress import Tell, counted, silent
from .equalize import equalized
from .network import Array, Network, activations
from .qdq import Scheme, to_qdq
from .ranges import METHODS, Seen, calibrate
from .signal import Feed, Signal

SHARE_EACH = 4  # each layer is looked at by one input in so many


@dataclass(frozen=True)
class Plan:
    """How a network is rounded.

    method     how ranges are cut, of METHODS
    corrected  whether biases make up for what rounding the weights adds on average
    kept       layers that stay in float, by the name of their output
    sqnr       at the heads, in dB, on inputs of the calibration
    """

    method: str
    corrected: bool
    kept: frozenset[str]
    sqnr: float


def smoothed(network: Network, feeds: Sequence[Feed], scheme: Scheme, emulated: bool) -> Network:
    """The network with its channels equalised, if that leaves more of its signal; else as it is."""
    other = equalized(network)
    if other is None:
        return network
    signal = Signal(network.proto, network.heads, feeds)

    def left(one: Network) -> float:
        return Search(one, calibrate(one, activations(one), feeds), feeds, scheme, emulated).sqnr(signal, "mse")

    return max(network, other, key=left)


class Search:
    """Plans for one network, by how they change its heads on inputs that were calibrated with."""

    def __init__(
        self,
        network: Network,
        seen: Mapping[str, Seen],
        feeds: Sequence[Feed],
        scheme: Scheme,
        emulated: bool,
        tell: Tell = silent,
    ) -> None:
        self.network, self.seen, self.scheme, self.emulated, self.tell = network, seen, scheme, emulated, tell
        self._feeds = feeds
        self._means: dict[str, Array] = {name: one.mean for name, one in seen.items() if one.mean is not None}

    def model(self, method: str, corrected: bool, kept: frozenset[str]) -> ModelProto:
        """The network rounded that way."""
        ranges = {name: one.range(method) for name, one in self.seen.items()}
        return to_qdq(self.network, ranges, self.scheme, kept, self._means if corrected else None)

    def best(self) -> Plan:
        """The way with the best SQNR, everything in INT8."""
        signal = Signal(self.network.proto, self.network.heads, self._feeds)
        ways = [(method, corrected) for method in METHODS for corrected in (False, True)]
        heard = counted(ways, len(ways), self.tell, say("comparing ways of rounding", "比较取整方式"))
        plans = [self._plan(signal, method, corrected, frozenset()) for method, corrected in heard]
        return max(plans, key=lambda plan: plan.sqnr)

    def gentler(self, plan: Plan) -> Iterator[Plan]:
        """The same with 1, 2, 4, … layers in float, those first whose rounding alone does the most harm."""
        signal = Signal(self.network.proto, self.network.heads, self._feeds[::SHARE_EACH])
        layers = [node.output[0] for node in self.network.weighted]
        heard = counted(layers, len(layers), self.tell, say("looking for sensitive layers", "寻找敏感的层"))
        alone = {
            name: self._plan(signal, plan.method, plan.corrected, frozenset(layers) - {name}).sqnr for name in heard
        }
        layers.sort(key=lambda name: alone[name])
        count = 1
        while count <= len(layers) // 2:
            yield self._plan(signal, plan.method, plan.corrected, frozenset(layers[:count]))
            count *= 2

    def sqnr(self, signal: Signal, method: str, corrected: bool = False, kept: frozenset[str] = frozenset()) -> float:
        """Of a way of rounding, in dB."""
        return signal.sqnr(self.model(method, corrected, kept), self.emulated)

    def _plan(self, signal: Signal, method: str, corrected: bool, kept: frozenset[str]) -> Plan:
        return Plan(method, corrected, kept, self.sqnr(signal, method, corrected, kept))
