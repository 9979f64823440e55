"""Types that only a checker reads: imported under TYPE_CHECKING, so none of this is copied beside programs."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Protocol, Sequence, Union

import numpy.typing as npt

Array = npt.NDArray[Any]
FilePath = Union[str, "os.PathLike[str]"]
Pin = Union[int, str]


class Entry(Protocol):
    """An input or output of a network, as onnxruntime tells it."""

    @property
    def name(self) -> str: ...
    @property
    def shape(self) -> Sequence[Union[int, str, None]]: ...
    @property
    def type(self) -> str: ...


class Meta(Protocol):
    """What a file says of itself."""

    @property
    def custom_metadata_map(self) -> Dict[str, str]: ...


class Session(Protocol):
    """The part of onnxruntime's InferenceSession that the Predictor uses; every engine's sessions have it."""

    def get_inputs(self) -> Sequence[Entry]:
        """Each by its name, shape and type."""

    def get_overridable_initializers(self) -> Sequence[Entry]:
        """Inputs that may be left out."""

    def get_outputs(self) -> Sequence[Entry]:
        """In the order of run()'s list."""

    def get_modelmeta(self) -> Meta:
        """Of the file."""

    def run(self, names: None, feed: Dict[str, Array]) -> Sequence[Array]:
        """All outputs; any exception where the input is refused."""


class Asked(Protocol):
    """The part of a Predictor that model/rowwise.py uses."""

    card: Any

    def prepare(self, data: object) -> Array:
        """What the network takes."""

    def scores(self, batch: Array) -> Array:
        """Of each input."""

    def outputs(self, batch: Array) -> List[Array]:
        """All, as they are."""

    def answer(self, outputs: List[Array]) -> Any:
        """To one input."""

    def prediction(self, row: Array) -> Any:
        """What one input's scores mean."""
