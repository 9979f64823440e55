"""What came out of quantising: figures, and whether the promise was kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import NothingToJudge, say
from ..evaluate.doubt import beats_guessing, blind
from .judge import Verdict
from .layers import Layer
from .pair import enough, unseen
from .search import Plan
from .timing import Timing


@dataclass(frozen=True)
class Limits:
    """What may be lost.

    max_drop       percentage points of the accuracy (top-1, mAP, R²), where the data have answers
    min_agreement  percent of the answers that must stay, where they have none
    any_speed      whether a model that is not faster here is wanted all the same
    """

    max_drop: float = 0.5
    min_agreement: float = 95.0
    any_speed: bool = False

    def check(self, verdict: Verdict) -> None:
        """NothingToJudge where a file that always says the same would keep this promise."""
        if verdict.same and self.min_agreement:
            raise NothingToJudge(
                en=f"The model answers everything the same ({verdict.same}), so nothing can be seen of what is lost: a "
                "file that always says so would seem as good. Give data of several classes; if they are, see with "
                "qingzhou evaluate whether labels and preparation of pictures are right. "
                "To do without any promise: qingzhou quantize --min-agreement 0",
                zh=f"模型对所有输入的回答都相同（{verdict.same}），看不出损失了什么：总是这样回答的文件也显得一样好。"
                "请提供多个类别的数据；如果已经是，请用 qingzhou evaluate 检查标签和图片预处理是否正确。"
                "不需要任何保证时：qingzhou quantize --min-agreement 0",
            )

    def allow(self, verdict: Verdict) -> bool:
        """Whether so little was lost, and what is left is better than guessing."""
        return self.within(verdict) and self.informed(verdict)

    def within(self, verdict: Verdict) -> bool:
        """Whether so little was lost, of boxes and of what is told besides them."""
        every = [(verdict.labelled, verdict.drop.drop, verdict.figures()[1])]
        every += [(one.labelled, one.drop, one.after) for one in verdict.besides]
        return all(
            100 * drop <= self.max_drop + 1e-9 if labelled else 100 * after >= self.min_agreement - 1e-9
            for labelled, drop, after in every
        )

    def informed(self, verdict: Verdict) -> bool:
        """Whether a file that never looks at its input would not do as well; or everything may be lost.

        Of a model that is just better than guessing, one answer less may hide that; then half of its lead must be left.
        """
        if verdict.labelled:
            had, left = (share - blind(verdict.before) for share in verdict.figures())
            return self.max_drop >= 100 or beats_guessing(verdict.after) or 2 * left > had
        return not self.min_agreement or verdict.figures()[1] > blind(verdict.before)

    def hint(self, verdict: Verdict) -> str:
        """What so few inputs cannot show; "" where they are enough for max_drop."""
        if not verdict.labelled or verdict.measure != "top-1" or self.max_drop == 0:
            return ""
        shown = 100 * unseen(verdict.judged)
        if shown <= self.max_drop:
            return ""
        return say(
            f"{verdict.judged} held-out inputs show a drop only from {shown:.2g} points on; "
            f"{self.max_drop:g} would take {enough(self.max_drop / 100)} of them.",
            f"{verdict.judged} 个评估输入只能看出 {shown:.2g} 个百分点以上的下降；"
            f"要看出 {self.max_drop:g} 个百分点，需要 {enough(self.max_drop / 100)} 个。",
        )


@dataclass(frozen=True)
class Quantized:
    """What quantize() did.

    path        the model that was written; None where the one before is better, and why says `explanation`
    precision   "int8", "int8-weights" or "fp16"
    target      the device whose arithmetic was judged by: "vnni", "x86", "arm" or "tensorrt"
    sizes       bytes before and after
    verdict     what was lost on held-out data; None without data
    timing      both on one thread here; None where the device is another
    plan        how the network was rounded; of "int8"
    layers      that could become INT8, in order of execution
    calibrated  how many inputs the ranges come from
    """

    source: Path
    path: Path | None
    program: Path | None
    precision: str
    target: str
    sizes: tuple[int, int]
    limits: Limits
    verdict: Verdict | None
    timing: Timing | None
    plan: Plan | None
    layers: Sequence[Layer]
    calibrated: int
    notes: Sequence[str]
    seconds: float

    @property
    def kept_promise(self) -> bool:
        """Whether no more was lost than allowed."""
        return self.verdict is None or self.limits.allow(self.verdict)

    @property
    def fast_enough(self) -> bool:
        """Whether it is faster here, or need not be."""
        return self.precision != "int8" or self.timing is None or bool(self.timing.faster) or self.limits.any_speed

    @property
    def better(self) -> bool:
        """Whether it is worth having."""
        return self.kept_promise and self.fast_enough

    @property
    def sure(self) -> bool:
        """Whether it is worth having, and judged by what it should be."""
        return self.better and (self.verdict is None or not self.verdict.why)

    @property
    def explanation(self) -> str:
        """What happened, in two plain sentences."""
        return say(" ", "").join(filter(None, (*told_of_loss(self.verdict), self._decided())))

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for --json."""
        return {
            "source": str(self.source),
            "model": None if self.path is None else str(self.path),
            "program": None if self.program is None else str(self.program),
            "precision": self.precision,
            "target": self.target,
            "bytes_before": self.sizes[0],
            "bytes_after": self.sizes[1],
            "kept_promise": self.kept_promise,
            "better": self.better,
            "limits": {"max_drop": self.limits.max_drop, "min_agreement": self.limits.min_agreement},
            "accuracy": None if self.verdict is None else as_plain(self.verdict),
            "speed": None if self.timing is None else {**self.timing._asdict(), "faster": self.timing.faster},
            "plan": None
            if self.plan is None
            else {
                "ranges": self.plan.method,
                "bias_correction": self.plan.corrected,
                "sqnr": self.plan.sqnr,
                "layers": [{"name": x.name, "sqnr": x.sqnr, "kept": x.kept} for x in self.layers],
            },
            "calibrated": self.calibrated,
            "notes": list(self.notes),
            "explanation": self.explanation,
            "seconds": round(self.seconds, 3),
        }

    def _decided(self) -> str:
        """What was done, and why."""
        small = self.sizes[1] / self.sizes[0]
        if self.verdict is not None and self.limits.within(self.verdict) and not self.kept_promise:
            return say(
                "What is left is no better than a file that always gives the most frequent answer, so your model stays "
                "as it is.",
                "剩下的并不比总是给出最常见回答的文件更好，所以保留原来的模型。",
            )
        if not self.kept_promise and self.verdict is not None and self.verdict.astray:
            return say(
                "That is more than was allowed, so your model stays as it is. Before anything else, see to data and "
                "labels: no layer was kept in float, since by these nothing could be said of that either.",
                "这超过了允许的损失，所以保留原来的模型。请先检查数据和标签：用这样的标注也无法判断哪些层应保留为浮点，"
                "所以没有尝试。",
            )
        if not self.kept_promise:
            return say(
                "That is more than was allowed, even with some layers left in float, so your model stays as it is.",
                "这超过了允许的损失，即使保留部分层为浮点也不行，所以保留原来的模型。",
            )
        if not self.fast_enough and self.timing is not None:
            slow = say(
                "slower" if self.timing.faster is False else "not clearly faster",
                "更慢" if self.timing.faster is False else "没有明显更快",
            )
            return say(
                f"But INT8 is {slow} on this machine ({self.timing.ratio:.2f} times the speed), so your model stays as "
                "it is; for another device name it with --target, or take --any-speed if only the size counts.",
                f"但在这台电脑上 INT8 {slow}（速度是原来的 {self.timing.ratio:.2f} 倍），所以保留原来的模型；"
                "如果用于其他设备，请用 --target 指定，只看重体积时请用 --any-speed。",
            )
        if self.timing is None:
            return say(f"The new file has {small:.0%} of the size.", f"新文件的大小是原来的 {small:.0%}。")
        return say(
            f"The new file has {small:.0%} of the size and runs {self.timing.ratio:.2f} times as fast here.",
            f"新文件的大小是原来的 {small:.0%}，在这台电脑上的速度是原来的 {self.timing.ratio:.2f} 倍。",
        )


def told_of_loss(verdict: Verdict | None) -> tuple[str, ...]:
    """What became of the accuracy, and of masks, keypoints and turned boxes; () without a verdict."""
    return () if verdict is None else (_lost(verdict), _beside(verdict))


def _lost(verdict: Verdict) -> str:
    """What became of the accuracy."""
    before, after = (f"{100 * share:.2f} %" for share in verdict.figures())
    if verdict.why:
        return say(
            f"The smaller model repeats {after} of the answers, and was judged by that instead of the accuracy. "
            f"{verdict.why}",
            f"更小的模型有 {after} 的回答与原来一致；这次按一致率评估，而不是准确率。{verdict.why}",
        )
    if not verdict.labelled:
        return say(
            f"The smaller model repeats {after} of the answers; how many of them are right nobody knows, since the "
            "data have no answers.",
            f"更小的模型有 {after} 的回答与原来一致；数据没有标注答案，所以无法知道其中多少是对的。",
        )
    return say(
        f"On {verdict.judged} held-out inputs the accuracy ({verdict.measure}) went from {before} to {after}.",
        f"在 {verdict.judged} 个没有用于校准的输入上，准确率（{verdict.measure}）从 {before} 变为 {after}。",
    )


def _beside(verdict: Verdict) -> str:
    """What became of masks, keypoints and turned boxes."""
    en, zh = [], []
    for one in verdict.besides:
        before, after = (f"{100 * share:.2f} %" for share in (one.before, one.after))
        en.append(f"{one.title} from mAP {before} to {after}" if one.labelled else f"{after} of the {one.title} stay")
        zh.append(
            f"{one.title}的 mAP 从 {before} 变为 {after}" if one.labelled else f"{one.title}有 {after} 与原来一致"
        )
    return say(f"Besides: {', '.join(en)}.", f"另外：{'，'.join(zh)}。") if en else ""


def as_plain(verdict: Verdict) -> dict[str, object]:
    """A verdict as plain values, for --json."""
    before, after = verdict.figures()
    return {
        "measure": verdict.measure,
        "labelled": verdict.labelled,
        "why": verdict.why,
        "before": before,
        "after": after,
        "drop": verdict.drop.drop,
        "interval95": [verdict.drop.low, verdict.drop.high],
        "judged": verdict.judged,
        "changed": verdict.changes,
        "failed": verdict.failed,
        "copies": verdict.copies,
        "besides": [one._asdict() for one in verdict.besides],
        "examples": [
            {"source": one.source, "truth": one.truth, "before": one.before, "after": one.after}
            for one in verdict.changed
        ],
    }
