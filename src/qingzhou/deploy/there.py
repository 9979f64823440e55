"""The promise of INT8, judged by the engine that will run it, where its arithmetic is another than onnxruntime's."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from pathlib import Path

from ..engines import compile_for
from ..engines.base import Engine, Settings
from ..errors import AccuracyLost, say
from ..progress import Tell, counted, silent
from ..quant import Quantized
from ..quant.judge import Verdict, judge
from ..quant.pair import Pair
from ..quant.split import split
from ..runtime.predict import Predictor


def judged_there(engine: Engine, floats: Path, found: Quantized, data: Path, folder: Path, tell: Tell = silent) -> str:
    """What the engine itself answers to the held-out inputs that quantize() judged by, in a sentence; AccuracyLost
    where that breaks the promise.

    floats  the .onnx before;  found  what quantize() made of it;  folder  for what lies between
    """
    assert found.path is not None
    title = engine.arithmetic
    made = compile_for(engine.name, found.path, folder / f"judged{engine.suffix}", "int8").path
    verdict = _verdict(Predictor(floats), Predictor(made, session=engine.open(made, Settings())), data, title, tell)
    before, after = (100 * share for share in verdict.figures())
    if not found.limits.allow(verdict):
        raise _lost(title, verdict, before, after)
    if not verdict.labelled:
        return say(
            f"Asked by {title} itself, {after:.2f} % of the answers to {verdict.judged} held-out inputs stay the same.",
            f"由 {title} 自己运行，{verdict.judged} 个评估输入中有 {after:.2f} % 的回答不变。",
        )
    return say(
        f"Asked by {title} itself, the accuracy ({verdict.measure}) on {verdict.judged} held-out inputs is {after:.2f} "
        f"%, before {before:.2f} %.",
        f"由 {title} 自己运行，{verdict.judged} 个评估输入上的准确率（{verdict.measure}）为 {after:.2f} %，"
        f"原来是 {before:.2f} %。",
    )


def _verdict(before: Predictor, after: Predictor, data: Path, title: str, tell: Tell) -> Verdict:
    entry = before.card.input
    numbers = 0 if entry.kind == "image" else prod(size or 1 for size in entry.shape[1:])
    parts, text = split(data, numbers=numbers, card=before.card), say(f"judging with {title}", f"用 {title} 评估")
    cases = parts.data.cases
    heard = replace(parts.data, cases=lambda: counted(cases(), len(parts.held_out), tell, text))
    return judge(Pair(before, after), replace(parts, data=heard))


def _lost(title: str, verdict: Verdict, before: float, after: float) -> AccuracyLost:
    if not verdict.labelled:
        return AccuracyLost(
            en=f"In {title}'s own arithmetic only {after:.2f} % of the answers to {verdict.judged} held-out inputs "
            "stay the same, fewer than promised. Nothing was written. Take --precision fp16, or more pictures.",
            zh=f"按 {title} 自己的算术，{verdict.judged} 个评估输入中只有 {after:.2f} % 的回答不变，少于所保证的。"
            "没有写任何文件。请用 --precision fp16，或提供更多图片来校准。",
        )
    return AccuracyLost(
        en=f"In {title}'s own arithmetic the accuracy on {verdict.judged} held-out inputs is {after:.2f} %, before "
        f"{before:.2f} %: more is lost than allowed. Nothing was written. Take --precision fp16, or --max-drop.",
        zh=f"按 {title} 自己的算术，{verdict.judged} 个评估输入上的准确率是 {after:.2f} %，原来是 {before:.2f} %，"
        "下降得比允许的多。没有写任何文件。请用 --precision fp16，或放宽 --max-drop。",
    )
