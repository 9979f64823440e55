"""What a vendor's compiler made of a model, and how its simulator did on held-out inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import say
from ..quant.judge import Verdict
from ..quant.result import Limits, as_plain, told_of_loss
from ..runtime.model.card import Card
from ..runtime.predict import Predictor
from .target import Target

FAR = 0.1  # so far from the model's own a score is worth a word


@dataclass(frozen=True)
class OnChip:
    """A model for one chip.

    path        the chip's file;  card_path  the model's card beside it, as the board needs it
    versions    of the vendor's parts that the board's must fit
    verdict     what was lost, in the chip's arithmetic, on inputs that did not calibrate
    far         of scores from the model's own: the largest, and on average; of detectors 0
    asked       the model, answered for by what the simulator was asked: the model's own sample and held-out
                inputs;  seen  those of these that are pictures' files
    held_out    how many inputs there were to judge by, and how many of them the simulator answered in its time
    facts       what else the compiler told, such as {"memory": bytes}
    """

    source: Path
    target: Target
    chip: str
    path: Path
    card_path: Path
    card: Card
    versions: Mapping[str, str]
    verdict: Verdict
    limits: Limits
    far: tuple[float, float]
    calibrated: int
    held_out: tuple[int, int]
    asked: Predictor
    seen: tuple[Path, ...]
    facts: Mapping[str, float]
    told: Sequence[str]
    seconds: float

    @property
    def files(self) -> tuple[Path, ...]:
        """The one to open first."""
        return self.path, self.card_path

    @property
    def size(self) -> int:
        """Bytes of the chip's file."""
        return self.path.stat().st_size

    @property
    def agreement(self) -> float | None:
        """Share of the classes that stayed the same; None of what has no classes."""
        return 1 - self.verdict.changes / self.verdict.judged if self.card.task == "classification" else None

    @property
    def explanation(self) -> str:
        """What the simulator gave, in a sentence or two."""
        agree = (
            ""
            if self.agreement is None or not self.verdict.labelled
            else say(
                f"{self.agreement:.0%} of the answers stayed the same.", f"{self.agreement:.0%} 的回答与原来一致。"
            )
        )
        how = say(
            f"By {self.target.english}'s own simulator of the {self.chip}, not on a board.",
            f"由{self.target.chinese}自己的模拟器（{self.chip}）得出，没有在板子上运行。",
        )
        return say(" ", "").join(filter(None, (*told_of_loss(self.verdict), agree, how)))

    @property
    def notes(self) -> list[str]:
        """What the user should know."""
        found = [*self.told, *self.verdict.notes, self.limits.hint(self.verdict)]
        if self.far[0] > FAR:
            found.append(
                say(
                    f"Scores differ from the model's own by up to {self.far[0]:.2f} ({self.far[1]:.3f} on average): go "
                    "by the answer, and try thresholds on the board.",
                    f"得分与原模型最多相差 {self.far[0]:.2f}（平均 {self.far[1]:.3f}）："
                    "请以回答为准，阈值要在板子上试。",
                )
            )
        if self.held_out[1] < self.held_out[0]:
            found.append(
                say(
                    f"The simulator is slow: it was asked for {self.held_out[1]} of {self.held_out[0]} inputs.",
                    f"模拟器较慢：{self.held_out[0]} 个评估输入中只模拟了 {self.held_out[1]} 个。",
                )
            )
        return [*filter(None, found), *filter(None, [say(*self.target.advice)])]

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for --json."""
        return {
            "source": str(self.source),
            "model": str(self.path),
            "files": [str(path) for path in self.files],
            "engine": self.target.name,
            "chip": self.chip,
            "versions": dict(self.versions),
            "precision": "int8",
            "bytes": self.size,
            "accuracy": as_plain(self.verdict),
            "agreement": self.agreement,
            "difference": {"largest": self.far[0], "mean": self.far[1]},
            "limits": {"max_drop": self.limits.max_drop, "min_agreement": self.limits.min_agreement},
            "calibrated": self.calibrated,
            "held_out": self.held_out[0],
            "simulated": self.held_out[1],
            "facts": dict(self.facts),
            "notes": self.notes,
            "explanation": self.explanation,
            "seconds": round(self.seconds, 3),
        }
