"""The best way to round a network: how ranges are cut, and which layers had better stay in float."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf

from onnx import ModelProto

from ..errors import say
from ..progress import Tell, counted, silent
from .bytewise import bytewise
from .network import Array, Network
from .qdq import Known, Scheme, to_qdq
from .ranges import METHODS, Range, Seen
from .signal import Signal

LIKELIEST = ("minmax", "mse", "percentile")  # METHODS again: those that seldom win are soon given up after others
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


class Search:
    """Plans for one network, by how they change its heads on inputs that were calibrated with."""

    def __init__(
        self,
        network: Network,
        seen: Mapping[str, Seen],
        signal: Signal,
        scheme: Scheme,
        emulated: bool,
        tell: Tell = silent,
        known: Known | None = None,
        of_x86: bool = False,
    ) -> None:
        """of_x86: bytes go into the first convolution as they are, where it takes them; see bytewise.py."""
        self.network, self.seen, self.scheme, self.emulated, self.tell = network, seen, scheme, emulated, tell
        self._signal, self._known, self._of_x86 = signal, known or Known(), of_x86
        self._ranges: dict[str, dict[str, Range]] = {}
        self._means: dict[str, Array] = {name: one.mean for name, one in seen.items() if one.mean is not None}

    def model(self, method: str, corrected: bool, kept: frozenset[str]) -> ModelProto:
        """The network rounded that way."""
        if method not in self._ranges:
            self._ranges[method] = {name: one.range(method) for name, one in self.seen.items()}
        means = self._means if corrected else None
        model = to_qdq(self.network, self._ranges[method], self.scheme, kept, means, self._known)
        return bytewise(model, self.network, self._means, self.scheme) if self._of_x86 else model

    def best(self) -> Plan:
        """The way with the best SQNR, everything in INT8."""
        ways = [(method, corrected) for method in LIKELIEST for corrected in (False, True)]
        heard = counted(ways, len(ways), self.tell, say("comparing ways of rounding", "比较取整方式"))
        best = -inf
        plans = []
        for method, corrected in heard:
            sqnr = self._signal.sqnr(self.model(method, corrected, frozenset()), self.emulated, best)
            if sqnr is not None:
                plans.append(Plan(method, corrected, frozenset(), sqnr))
                best = max(best, sqnr)
        return max(plans, key=lambda plan: (plan.sqnr, -METHODS.index(plan.method), not plan.corrected))

    def gentler(self, plan: Plan) -> Iterator[Plan]:
        """The same with 1, 2, 4, … layers in float, those first whose rounding alone does the most harm."""
        signal = self._signal.share(SHARE_EACH)
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

    def sqnr(self, method: str) -> float:
        """Of a way of rounding, everything in INT8, in dB."""
        return self._plan(self._signal, method, False, frozenset()).sqnr

    def _plan(self, signal: Signal, method: str, corrected: bool, kept: frozenset[str]) -> Plan:
        sqnr = signal.sqnr(self.model(method, corrected, kept), self.emulated)
        return Plan(method, corrected, kept, -inf if sqnr is None else sqnr)
