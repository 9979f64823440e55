"""What a training changed in the layers that a network's page describes."""

from __future__ import annotations


class Trained:
    """Here nothing; nets/architecture.py has what configs say."""

    def eps(self, name: str, usual: float) -> float:
        """Of the BatchNorm of this name."""
        return usual

    def act(self, name: str, kind: str, slope: float) -> tuple[str, float]:
        """The activation of this name, and its slope."""
        return kind, slope
