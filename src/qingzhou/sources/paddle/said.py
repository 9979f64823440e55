"""What Paddle's suites write beside a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...nets.recorded import Wanted
from ..network import Network
from ..source import Opened
from .parts import Parts


@dataclass(frozen=True)
class Said:
    """What is said."""

    title: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def sized(self, wanted: Wanted) -> Wanted:
        """With the size."""
        return wanted

    def told(self, network: Network) -> Network:
        """With it."""
        return network


def said_of(opened: Opened, parts: Parts) -> Said:
    """All."""
    return Said()
