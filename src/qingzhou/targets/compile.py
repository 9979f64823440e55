"""An FP32 .onnx and data in; a chip's file out, if it keeps the promise in the chip's own arithmetic."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..engines.artifact import check_onnx
from ..engines.base import boxes_inside, bytes_inside
from ..errors import AccuracyLost, EngineError
from ..evaluate.result import Case
from ..onnxfile.copy import one_file
from ..onnxfile.facts import Facts
from ..onnxfile.integers import STEPS
from ..onnxfile.kept import kept_answer
from ..progress import Tell, silent
from ..quant.judge import Verdict, has_answers, judge
from ..quant.pair import Both, Pair
from ..quant.pictures import usual_pictures
from ..quant.pipeline import check_options, no_data
from ..quant.result import Limits
from ..quant.split import ENOUGH, Split, split
from ..runtime.engine.session import open_session
from ..runtime.model.card import Card
from ..runtime.predict import Predictor
from ..runtime.typed import Array
from ..whole_file import folder_beside, guard, made_for, move_in
from .ask import ask, facts_in, versions_in
from .home import needed
from .pixels import Feeding, fed, feeding
from .recorded import Recorded, read_outputs
from .result import OnChip
from .target import Target

CARD = ".json"  # behind the name of a chip's file: the card, which no vendor's format holds
PART = 0.8  # of a target's time that simulating may take: the rest is for compiling


def compile_for_chip(
    model: str | Path,
    target: Target,
    chip: str,
    data: str | Path | None,
    out: str | Path | None = None,
    *,
    max_drop: float = 0.5,
    min_agreement: float = 95.0,
    calibration: int = ENOUGH,
    tell: Tell = silent,
) -> OnChip:
    """Have a vendor's compiler make a converted FP32 .onnx into a file for one chip, and its simulator judge it.

    data           what `quantize` reads: one part calibrates, the other judges
    out            a file or folder; by default beside the model, as best.rk3588.rknn; its card lies beside it
    max_drop       percentage points of accuracy that may be lost, with answers
    min_agreement  percent of the answers that must stay the same, without

    AccuracyLost where more is lost; ExtraMissing without the compiler's environment; EngineError for what it cannot
    take; what quantize() raises for the data; OutputError. Nothing is written then.
    """
    start, source, limits = time.perf_counter(), check_onnx(Path(model)), Limits(max_drop, min_agreement)
    chip = target.chip(chip)
    if data is None:
        raise no_data()
    check_options("int8", max_drop, min_agreement, calibration, data)
    python = needed(target)
    with one_file(source) as file:
        _check(target, Facts(file))
        before = Predictor(file, session=open_session(file, in_turns=True))
        way = feeding(before.card, target, source)
        parts = split(Path(data), "auto", min(calibration, target.calibration), 0, before.card)
        has_answers(before.card, parts)  # what does not fit is said before anybody waits
        with made_for(source, out, target.ending.format(chip=chip)) as place:
            card_place = place.with_name(place.name + CARD)
            for one in (place, card_place):
                guard(one, source)
            with folder_beside(place) as folder:
                job = _Job(target, chip, before, way, parts, folder, tell)
                answer = job.ask(python, file)
                found = job.judged(answer, limits)
                if not limits.allow(found.verdict):
                    raise _lost(target, found.verdict, limits)
                (folder / "card.json").write_text(found.card.to_json(), "ascii")
                move_in(folder / "card.json", card_place)
                move_in(folder / job.name, place)
    return OnChip(
        source, target, chip, place, card_place, found.card, versions_in(answer), found.verdict, limits, found.far,
        found.calibrated, found.held_out, found.asked, found.seen, facts_in(answer), parts.notes,
        time.perf_counter() - start,
    )  # fmt: skip


@dataclass(frozen=True)
class _Judged:
    verdict: Verdict
    card: Card
    far: tuple[float, float]
    calibrated: int
    held_out: tuple[int, int]
    asked: Predictor
    seen: tuple[Path, ...]


class _Job:
    """One model for one chip, in a folder that vanishes."""

    def __init__(
        self, target: Target, chip: str, before: Predictor, way: Feeding, parts: Split, folder: Path, tell: Tell
    ) -> None:
        self.target, self.chip, self.before, self.folder, self.tell = target, chip, before, folder, tell
        self.name, self._way, self._parts = f"model{target.suffix}", way, parts
        self._calibration = fed(before, way, parts.calibration, len(parts.calibration))
        sample = before.card.sample
        own = [Case("", before.sample_input(), None)] if sample is not None else []
        self._samples = len(own)
        self._asked = fed(before, way, [*own, *parts.held_out], len(own) + target.judged)

    def ask(self, python: Path, model: Path) -> dict[str, Any]:
        """The worker's answer, once its file is there."""
        for name, found in (("calibration", self._calibration), ("inputs", self._asked)):
            _save(self.folder / f"{name}.npy", found.batch)
        order = {
            "model": str(model.resolve()),
            "chip": self.chip,
            "calibration": "calibration.npy",
            "inputs": "inputs.npy",
            "mean": self._way.mean or None,
            "std": self._way.std or None,
            "shape": list(self.before.card.input.shape),
            "operators": [node.op for node in Facts(model).file.graph.nodes],
            "out": self.name,
            "seconds": PART * self.target.seconds,
        }
        answer = ask(self.target, python, order, self.folder, self.target.seconds, self.tell)
        made = self.folder / self.name
        if not made.is_file() or not made.stat().st_size:
            raise EngineError(
                en=f"{self.target.english}'s compiler said that it was done, but wrote no file. Try again.",
                zh=f"{self.target.chinese}的编译器说已完成，但没有写出文件。请再试一次。",
            )
        return answer

    def judged(self, answer: Mapping[str, Any], limits: Limits) -> _Judged:
        """What the simulator's answers are worth; NothingToJudge, LabelError as quantize() has them."""
        outputs = read_outputs(self.folder, answer.get("outputs"), self.before.session, self.target)
        count = min(len(outputs[0]), len(self._asked.digests))
        if count <= self._samples:
            raise _too_slow(self.target)
        rows = {self._asked.digests[i]: [array[i] for array in outputs] for i in range(count)}
        after = Predictor(self.name, self.before.card, session=Recorded(self.before.session, rows))
        cases = self._asked.cases[self._samples : count]
        data = replace(self._parts.data, cases=lambda: iter(cases))
        parts = replace(self._parts, data=data, held_out=list(cases), taken=frozenset(self._calibration.digests))
        far: list[Array] = []
        verdict = judge(Pair(self.before, after), parts, notice=lambda case, both: far.append(_apart(both)))
        limits.check(verdict)
        every = np.concatenate([np.zeros(1), *far])
        apart = float(every.max()), float(every.sum() / max(1, every.size - 1))
        return _Judged(
            verdict,
            self._card(after, verdict, rows, versions_in(answer)),
            apart,
            len(self._calibration.digests),
            (len(self._asked.cases) - self._samples, len(cases)),
            after,
            tuple(case.data for case in cases if isinstance(case.data, Path)),
        )

    def _card(
        self, after: Predictor, verdict: Verdict, rows: Mapping[bytes, list[Array]], versions: Mapping[str, str]
    ) -> Card:
        """The model's card, as the board needs it, with what was done and the simulator's own answer to the sample."""
        card = self.before.card
        was, now = verdict.figures()
        done = {
            "precision": "int8",
            "target": self.chip,
            "calibrated": len(self._calibration.digests),
            "measure": verdict.measure if verdict.labelled else "agreement",
            "before": was,
            "after": now,
            "judged": verdict.judged,
            "versions": dict(versions),
            "outputs": [one.name for one in self.before.session.get_outputs()],
        }
        seen = usual_pictures(self.before, self._parts.calibration) or card.pictures
        card = replace(card, origin={**card.origin, "quantised": done}, pictures=seen, input=self._way.entry)
        if card.sample is None or not card.sample.output:
            return card
        answer = kept_answer(after, rows[self._asked.digests[0]])
        return replace(card, sample=replace(card.sample, output=answer, tolerance=max(card.sample.tolerance, STEPS)))


def _save(place: Path, batch: Array) -> None:
    """np.save(), whose error says that a disk is full: numpy's own has no number."""
    with place.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(batch))
        file.write(np.ascontiguousarray(batch).data)


def _apart(both: Both) -> Array:
    """How far each score is from the model's own; of a detector nothing."""
    if isinstance(both.before, list):
        return np.zeros(0)
    return np.abs(np.asarray(both.before.scores, np.float64) - np.asarray(both.after.scores, np.float64)).reshape(-1)


# -- what can be wrong ----------------------------------------------------------------------------------------------


def _check(target: Target, facts: Facts) -> None:
    """EngineError for a model of which a vendor's compiler is given another form."""
    name = facts.path.name
    if facts.quantized:
        raise EngineError(
            en=f"{name} is INT8 already, and {target.english}'s compiler makes its own. Give the FP32 model that it "
            "was made from, or the checkpoint.",
            zh=f"{name} 已经是 INT8 模型，而{target.chinese}的编译器要自己量化。请给出量化前的 FP32 模型，或权重文件。",
        )
    for why in (boxes_inside(target.english, target.name, facts), bytes_inside(target.english, target.name, facts)):
        if why is not None:
            raise why


def _lost(target: Target, verdict: Verdict, limits: Limits) -> AccuracyLost:
    """The promise cannot be kept; both languages say by how much."""
    allowed = f"{limits.max_drop:g}" if verdict.labelled else f"{limits.min_agreement:g}"
    was, now = (f"{100 * share:.2f} %" for share in verdict.figures())
    other = ("the board's processor", "板子的处理器") if target.linux else ("a board with Linux", "有 Linux 的板子")
    if not verdict.labelled:
        return AccuracyLost(
            en=f"In the arithmetic of {target.english} only {now} of {verdict.judged} answers stay the same; {allowed} "
            f"% were asked for. Nothing was written. Give more and more varied data, or run it on {other[0]}.",
            zh=f"按{target.chinese}的运算，{verdict.judged} 个回答中只有 {now} 与原来一致，要求是 {allowed} %。"
            f"没有写出任何文件。请提供更多、更多样的数据，或在{other[1]}上运行。",
        )
    return AccuracyLost(
        en=f"In the arithmetic of {target.english} the accuracy ({verdict.measure}) on {verdict.judged} held-out "
        f"inputs goes from {was} to {now}; {allowed} points may be lost. Nothing was written. Allow more with "
        f"--max-drop, give more and more varied data, or run it on {other[0]}.",
        zh=f"按{target.chinese}的运算，{verdict.judged} 个评估输入上的准确率（{verdict.measure}）从 {was} 变为 {now}，"
        f"允许下降 {allowed} 个百分点。没有写出任何文件。可以用 --max-drop 放宽，或提供更多、更多样的数据，"
        f"也可以在{other[1]}上运行。",
    )


def _too_slow(target: Target) -> EngineError:
    return EngineError(
        en=f"{target.english}'s simulator answered no held-out input in its time, so nothing is known of what INT8 "
        "loses, and nothing was written. Take a smaller network.",
        zh=f"{target.chinese}的模拟器没有在时限内回答任何评估输入，无法知道 INT8 损失了多少，因此没有写出文件。"
        "请换更小的网络。",
    )
