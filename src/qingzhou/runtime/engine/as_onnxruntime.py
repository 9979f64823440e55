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


class RowByRow(EngineSession):
    """A session of an engine whose inputs have fixed shapes, the batch in them: of a batch of one, each input of a
    larger one is asked for one after another.
    """

    def __init__(
        self, shapes: Dict[str, List[int]], inputs: List[Entry], outputs: List[Entry], metadata_map: Dict[str, str]
    ) -> None:
        super().__init__(inputs, outputs, metadata_map)
        self._shapes = {name: tuple(shape) for name, shape in shapes.items()}

    def run(self, names: None, feed: Dict[str, Array]) -> List[Array]:
        """All outputs; of a network for one input at a time, a row for each."""
        counts = {len(feed[name]) // max(shape[0], 1) for name, shape in self._shapes.items() if shape}
        count = counts.pop() if len(counts) == 1 else 0
        for name, shape in self._shapes.items():
            if not count or feed[name].shape != (shape[0] * count, *shape[1:]) or (shape[0] > 1 and count > 1):
                raise ValueError("%s: %s, not %s" % (name, feed[name].shape, shape))
        with self._lock:
            rows = [
                self._one({name: feed[name][i * n[0] : (i + 1) * n[0]] for name, n in self._shapes.items()})
                for i in range(count)
            ]
        return [np.concatenate(parts) for parts in zip(*rows)] if count > 1 else rows[0]

    def _one(self, feed: Dict[str, Array]) -> List[Array]:
        """All outputs for inputs of just these shapes."""
        raise NotImplementedError


def free_batch(shape: List[int]) -> List[Any]:
    """A shape as it is asked for: a batch of one may be any."""
    return ["?", *shape[1:]] if shape and shape[0] == 1 else list(shape)
