"""A target as plain data: a vendor's compiler, the chips that it knows, and the environment that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import OptionError, say

WORKERS = Path(__file__).with_name("workers")


@dataclass(frozen=True)
class Recipe:
    """What an environment is made of.

    packages   that pip installs with what they need, exact versions;  bare  without
    pythons    versions that all of them have wheels for, best first
    systems    sys.platform and machine of these: "linux-x86_64"
    megabytes  of the whole environment on the disk
    brings     what that is, in English and Chinese, with its licence: said before anything is fetched
    """

    packages: tuple[str, ...]
    bare: tuple[str, ...]
    pythons: tuple[str, ...]
    systems: tuple[str, ...]
    megabytes: int
    brings: tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Target:
    """One target.

    english, chinese  its title, whose Chinese begins and ends with a Chinese character
    chips    a file is for one of them alone; where there is only one nobody need name it
    linux    whether its boards run Linux, and so any engine on their processor
    also     other names that are printed on chips, and which of them is meant
    ending   of the files that it writes, with {chip} in it: the last part is the file's suffix
    worker   the script that does a job; start.py says how they speak
    pixels   whether inputs are uint8 pixels, with the normalisation inside the file; else float32 as the card prepares
    layout   of these inputs
    seconds, memory  what compiling and simulating may take: of the clock, and bytes of one process
    calibration  most inputs to calibrate with
    judged   most held-out inputs that the simulator is asked for
    advice   what is to be known of files of this target, in English and Chinese
    """

    name: str
    english: str
    chinese: str
    recipe: Recipe
    chips: tuple[str, ...]
    ending: str
    worker: Path
    pixels: bool = True
    layout: str = "NHWC"
    seconds: float = 1800.0
    memory: int = 12 << 30
    calibration: int = 100
    judged: int = 100
    advice: tuple[str, str] = ("", "")
    linux: bool = False
    also: Mapping[str, str] = field(default_factory=dict)
    boxes: bool = False  # of detectors those that leave the boxes to the program

    @property
    def shown(self) -> str:
        """Its title in the language in use."""
        return say(self.english, self.chinese)

    @property
    def elsewhere(self) -> tuple[str, str]:
        """What to do with a network that the chip cannot run."""
        if self.linux:
            return (
                "Train a network without it, or run this one on the board's processor (ncnn, onnxruntime)",
                "请训练不含它的网络，或在板子的处理器上运行（ncnn、onnxruntime）",
            )
        return (
            "Train a network without it, or take a board with Linux (qingzhou devices)",
            "请训练不含它的网络，或换一块运行 Linux 的板子（qingzhou devices）",
        )

    @property
    def suffix(self) -> str:
        """Of its files: ".rknn"."""
        return Path(f"x{self.ending}").suffix

    def chip(self, name: str) -> str:
        """The chip of this name; OptionError, which names those there are."""
        found = {**{one.lower(): one for one in self.chips}, **self.also}.get("".join(name.lower().split()))
        if found is not None or (not name and len(self.chips) == 1):
            return found or self.chips[0]
        en, zh = (f"--chip is {name}", f"--chip 的值是 {name}") if name else ("--chip is missing", "缺少 --chip")
        raise OptionError(
            en=f"{en}; for {self.english} it can be {', '.join(self.chips)}. A file runs on that chip alone: look at "
            "the board which one it has.",
            zh=f"{zh}，{self.chinese}可以是 {'、'.join(self.chips)}。生成的文件只能在这一种芯片上运行，"
            "请看板子上是哪一种。",
        )

    def as_dict(self) -> Mapping[str, object]:
        """The same as plain values, for --json."""
        return {
            "name": self.name,
            "title": {"en": self.english, "zh": self.chinese},
            "chips": list(self.chips),
            "megabytes": self.recipe.megabytes,
            "packages": [*self.recipe.packages, *self.recipe.bare],
            "pythons": list(self.recipe.pythons),
            "systems": list(self.recipe.systems),
            "brings": {"en": self.recipe.brings[0], "zh": self.recipe.brings[1]},
        }
