"""Do it: a checkpoint or .onnx becomes the .onnx that an engine takes, and INT8; what lies between is made once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from ..conversion import convert
from ..engines.base import two_stages
from ..onnxfile.facts import Facts
from ..progress import Tell, silent
from ..quant import Quantized, quantize
from ..sources.network import Network
from ..sources.read import read_network
from ..whole_file import fitting
from .plan import kind_of


class Runs(Protocol):
    """What an engine and a target tell of themselves here; `boxes`: whether it runs detectors that make them."""

    @property
    def name(self) -> str: ...
    @property
    def boxes(self) -> bool: ...


@dataclass(frozen=True)
class Maker:
    """One model on its way to engines; `folder`, which vanishes afterwards, holds what lies between."""

    source: Path
    folder: Path

    @cached_property
    def given(self) -> Facts:
        """About the user's own file."""
        return Facts(self.source)

    @property
    def is_ready(self) -> bool:
        """Whether there is nothing to convert."""
        return kind_of(self.source) != "checkpoint"

    def onnx(self, engine: Runs) -> Facts:
        """About the .onnx for an engine: the user's own, or the checkpoint converted, detectors in the form that the
        engine can run. EngineError for a two-stage detector where it cannot; what convert() raises.
        """
        if self.is_ready:
            return self.given
        if engine.boxes or self._network.card.task != "detection":
            return self.boxes
        if any(node.op == "RegionAlign" for node in self._network.graph.nodes):
            raise two_stages(engine.name, self.source, self._network.card.network)
        return self.raw

    @cached_property
    def boxes(self) -> Facts:
        """Of the checkpoint in its usual form."""
        return self._converted("boxes")

    @cached_property
    def raw(self) -> Facts:
        """Of a detector's without boxes inside."""
        return self._converted("raw")

    def place(self, name: str, suffix: str = ".onnx") -> Path:
        """For a file that lies between, in a folder of this name."""
        (self.folder / name).mkdir(exist_ok=True)
        return self.folder / name / fitting(self.source.stem, suffix)

    def int8(
        self,
        model: Facts,
        data: str | Path | None,
        target: str,
        *,
        max_drop: float = 0.5,
        any_speed: bool = True,
        tell: Tell = silent,
    ) -> Quantized:
        """What quantize() made of a model for a target's arithmetic; its `path` is None where that costs too much."""
        out = self.place(f"int8-{target}", ".int8.onnx")
        return quantize(model.path, data, out, max_drop=max_drop, any_speed=any_speed, target=target, tell=tell)

    def _converted(self, form: str) -> Facts:
        return Facts(convert(self.source, self.place(form), form=form).path)

    @cached_property
    def _network(self) -> Network:
        return read_network(self.source)
