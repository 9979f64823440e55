"""What sessions of engines other than onnxruntime have in common: they are asked as onnxruntime's are."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ..typed import Array


class Entry(NamedTuple):
    """One input or output: shape with "?" where an axis is free; type "tensor(float)" or "tensor(int64)"."""

    name: str
    shape: List[Any]
    type: str


class Meta(NamedTuple):
    """What a file says of itself; the card's JSON is under runtime.model.card.KEY."""

    custom_metadata_map: Dict[str, str]


class EngineSession:
    """What sessions of engines other than onnxruntime have in common; run() is theirs. Several threads may ask, one is
    answered: `_lock` is for that.
    """

    def __init__(self, inputs: List[Entry], outputs: List[Entry], metadata_map: Dict[str, str]) -> None:
        self._inputs, self._outputs, self._meta = inputs, outputs, Meta(metadata_map)
        self._lock = threading.Lock()

    def get_inputs(self) -> List[Entry]:
        """The inputs, in the network's order."""
        return self._inputs

    def get_overridable_initializers(self) -> List[Entry]:
        """None: these engines have no inputs that may be left out."""
        return []

    def get_outputs(self) -> List[Entry]:
        """The outputs, in the order of run()."""
        return self._outputs

    def get_modelmeta(self) -> Meta:
        """The card under its key, if the file has one."""
        return self._meta


class OneByOne(EngineSession):
    """A session of an engine that takes one input at a time; those of a batch are asked for one after another."""

    def run(self, names: None, feed: Dict[str, Array]) -> List[Array]:
        """All outputs, a row for each input."""
        count = len(next(iter(feed.values())))
        for entry in self._inputs:  # of other sizes an engine would read beyond its memory
            if feed[entry.name].shape != (count, *entry.shape[1:]) or not count:
                raise ValueError(f"{entry.name}: {feed[entry.name].shape}, not {('N', *entry.shape[1:])}")
        with self._lock:
            rows = [self._one({entry.name: feed[entry.name][i] for entry in self._inputs}) for i in range(count)]
        return [np.stack(parts) for parts in zip(*rows)]

    def _one(self, feed: Dict[str, Array]) -> List[Array]:
        """All outputs for one input, both without the batch's axis."""
        raise NotImplementedError
