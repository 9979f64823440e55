"""One pass of the float network over the inputs that calibrate: all that the rest wants to know of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from .equalize import equalized
from .layers import LOOKED_AT, Drawn, names_of
from .network import Array, Network, activations
from .qdq import Known, Scheme
from .ranges import Calibration, Seen
from .search import Search
from .signal import Feed, Signal
from .watch import Sight, places, watched


@dataclass(frozen=True)
class Observed:
    """A network, and what it did.

    seen    its activations on all inputs
    signal  its heads on the first few
    drawn   numbers of what its layers give, in the first LOOKED_AT; empty where not all of them were watched
    known   what was rounded already
    """

    network: Network
    seen: Mapping[str, Seen]
    signal: Signal
    drawn: Sequence[Drawn]
    known: Known


def observed(
    network: Network, few: Sequence[Feed], every: Callable[[], Iterable[Feed]], scheme: Scheme, emulated: bool
) -> Observed:
    """The network as it is, or with its channels equalised if that leaves more of its signal.

    few    the first inputs, by which that is decided; `every` gives all, these first. ValueError, with the name, if an
           activation is not finite
    """
    watch = _chosen(network, few, scheme, emulated)
    watch.take(islice(every(), len(few), None))
    return watch.observed()


def _chosen(network: Network, few: Sequence[Feed], scheme: Scheme, emulated: bool) -> _Watch:
    """Of the two the better, after the first inputs; the other is let go before more come."""
    watch, other = _Watch(network, few, scheme), equalized(network)
    watch.take(few)
    if other is None:
        return watch
    beside = _Watch(other, few, scheme)
    beside.take(few)
    mine = watch.sqnr(watch.signal, scheme, emulated)
    return beside if beside.sqnr(watch.signal, scheme, emulated) > mine else watch


class _Watch:
    """What a network does, one input after the other."""

    def __init__(self, network: Network, few: Sequence[Feed], scheme: Scheme) -> None:
        self._network, self._few, self._number = network, few, 0
        self._names, self._known = list(activations(network, dense=scheme.dense)), Known()
        self._seen = Calibration(self._names)
        self._heads: list[list[Array]] = []
        self._drawn: list[Drawn] = []

    def take(self, feeds: Iterable[Feed]) -> None:
        """Some inputs more. ValueError, with the name, if a tensor is not finite."""
        heads = self._network.heads
        for sight in watched(self._network, self._names, feeds, whole=heads, start=self._number):
            self._seen.add(sight.glances)
            if self._number < len(self._few):
                self._heads.append(sight.whole)
            if self._number < LOOKED_AT:
                self._drawn.append(self._draw(sight))
            self._number += 1

    @property
    def signal(self) -> Signal:
        """Its heads on the first few."""
        return Signal(self._network.heads, self._few, self._heads)

    def sqnr(self, signal: Signal, scheme: Scheme, emulated: bool) -> float:
        """How much of a signal is left, judged by what was seen so far."""
        return Search(self._network, self._seen.so_far(), signal, scheme, emulated, known=self._known).sqnr("mse")

    def observed(self) -> Observed:
        """What is known now."""
        names = names_of(self._network)
        drawn = self._drawn if all(name in one for one in self._drawn for name in names) else []
        return Observed(self._network, self._seen.so_far(), self.signal, drawn, self._known)

    def _draw(self, sight: Sight) -> Drawn:
        """Numbers of what the layers give, from the same places as in any other form of the network."""
        drawn = {name: glance.sample for name, glance in sight.glances.items()}
        for name, array in zip(self._network.heads, sight.whole, strict=True):
            start, step = places(array.size, self._number)
            drawn[name] = array.reshape(-1)[start::step]
        return {name: drawn[name] for name in names_of(self._network) if name in drawn}
