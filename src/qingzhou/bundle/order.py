"""What is asked of build(), and what it made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..devices import Device
from ..progress import Tell, silent
from ..runtime.model.card import Card
from ..scenes import SCENES, program
from ..scenes.actions import rules_for
from .estimate import Estimate
from .form import OnDevice, Wish
from .rules import as_rules, check_rules


@dataclass(frozen=True)
class Bundle:
    """What was made.

    path      the folder, or the .zip;  size  bytes of its files
    form      the model in it;  wheels  how many are in it, for installing without internet
    program   the name of the one that was written; "" in a page
    kept      what is somebody's own and was found where ours go: its name, and the one that it has now
    """

    path: Path
    device: Device
    scene: str
    form: OnDevice
    estimate: Estimate
    rules: tuple[str, ...]
    files: tuple[str, ...]
    size: int
    wheels: int
    answer: str
    notes: tuple[str, ...]
    seconds: float
    program: str = ""
    kept: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for --json."""
        return {
            "bundle": str(self.path),
            "device": self.device.name,
            "scene": self.scene,
            "network": self.form.card.network,
            "engine": self.form.engine,
            "precision": self.form.precision,
            "accuracy": self.form.accuracy,
            "macs": self.form.macs,
            "estimate": self.estimate.as_dict(),
            "rules": list(self.rules),
            "files": list(self.files),
            "bytes": self.size,
            "wheels": self.wheels,
            "sample": self.answer,
            "program": self.program,
            "kept": dict(self.kept),
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class Order:
    """What is to be made; see build()."""

    source: Path
    device: Device
    scene: str
    actions: tuple[str, ...]
    wish: Wish
    offline: bool
    force: bool
    constants: Mapping[str, object]
    second: Path | None
    language: str
    tell: Tell = silent
    every: bool = False

    def fits(self, card: Card) -> None:
        """OptionError for a model that the scene does not take, and for actions that cannot be."""
        program(self.scene, card, self.language, self.constants)
        if self.second is None:  # else they may be for the second model's classes
            self.rules(card)

    def rules(self, card: Card, language: str = "") -> tuple[str, ...]:
        """The actions as rules for this model, then those given as RULES. OptionError, RuleError."""
        found = rules_for(self.actions, card, SCENES[self.scene].frames, language or self.language)
        rules = (*found, *as_rules(self.constants.get("RULES", ())))
        check_rules(rules, card.labels, self.device)
        return rules
