"""A file of joblib or pickle as a network with its card, or what is in it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from ...errors import QingzhouError, say
from ...graph.form import DOUBLE
from ...nets.recorded import Wanted
from ...runtime.model.card import Card, Input, Output
from ..network import Network, origin
from ..source import Contents, Opened, Part
from .answered import HALF, LABEL, work_of
from .columns import described
from .parts import chosen, names_of_answers
from .saved import Saved, each_in, saved_in


def contents(opened: Opened) -> Contents:
    """Its estimators, also where one of them cannot be converted."""
    saved = opened.content(saved_in)
    rows = saved.parts.items() or enumerate(each_in(saved.estimators))
    parts = [Part(f"{key}", one.name, ()) for key, one in rows]
    problem: QingzhouError | None = None
    try:
        work_of(saved)
    except QingzhouError as err:
        problem = err
    facts = facts_of(saved)
    return Contents("joblib", opened.file.size, parts, saved.tool, facts, problem=problem)


def facts_of(saved: Saved) -> dict[str, object]:
    """What it says of its making."""
    version = next((one.version for one in saved.estimators if one.version), "")
    facts: dict[str, object] = {"estimator": " + ".join(one.name for one in each_in(saved.estimators))}
    return {**facts, **({"scikit-learn": version} if version else {})}


def read_saved(opened: Opened, wanted: Wanted) -> Network:
    """UnsupportedCheckpoint, CheckpointDamaged, UnsafeCheckpoint."""
    saved = opened.content(saved_in)
    made = work_of(saved, wanted.settings.said)
    saved = chosen(saved, wanted.settings.said.part)
    entry = Input("input", "table", [None, sum(one.width for one in made.columns)], columns=described(made.columns))
    output = Output(made.graph.outputs[0].name, made.scores, label=LABEL if made.scores == "probabilities" else "")
    made_of = {**facts_of(saved), **({DOUBLE: ", ".join(made.doubles)} if made.doubles else {})}
    several = {"score": HALF, "most": len(made.classes)} if made.scores == "sigmoids" else None
    title = next(reversed(list(each_in(saved.estimators)))).name
    card = Card(made.task, title, saved.tool, entry, output, origin=origin(opened.path, "joblib", made_of),
                thresholds=several, notes=[*saved.notes, *made.notes, *notes_of(saved)])  # fmt: skip
    classes, told = names_of_answers(saved, made.classes) or (made.classes, "")
    card = dataclasses.replace(card, notes=[*card.notes, told]) if told else card
    return Network(made.graph, card, title, len(classes), classes or None)


def notes_of(saved: Saved) -> list[str]:
    """What pupils fall over."""
    notes = []
    if saved.tool == "BaseML" and saved.estimators[-1].name == "LinearDiscriminantAnalysis":
        notes.append(
            say(
                en="The file holds a LinearDiscriminantAnalysis, which can name classes or make fewer columns, and "
                "does not say which lesson it is of. --set answer=classes or --set answer=columns chooses.",
                zh="文件里是 LinearDiscriminantAnalysis，既能分类也能降维，而文件没有说明用途。"
                "可用 --set answer=classes（分类）或 --set answer=columns（降维）指定。",
            )
        )
    if saved.tool == "XGBoost":
        notes.append(
            say(
                en="Assumed: an empty cell (NaN) is what counts as missing. XGBoost's own file does not say whether "
                "missing= was set to another number; where it was, give NaN in its place.",
                zh="假定：空单元格（NaN）表示缺失。XGBoost 自己的文件不保存 missing= 的设置；"
                "如果训练时设置了其他数字，请用 NaN 代替。",
            )
        )
    if saved.tool == "BaseML" and _scaled(saved.demo):
        notes.append(
            say(
                en="BaseML does not save how it scaled the table (scale=True): the example in the file lies between 0 "
                "and 1 in every column. Give rows that are scaled the same way; raw ones are answered wrongly.",
                zh="BaseML 不会保存数据缩放方式（scale=True）：文件中的示例每列都在 0 到 1 之间。"
                "请输入按同样方式缩放后的数据，直接输入原始数据会得到错误结果。",
            )
        )
    return notes


def _scaled(demo: Any) -> bool:
    fine = isinstance(demo, np.ndarray) and demo.dtype.kind == "f" and demo.size > 1
    return bool(fine and demo.min() >= 0 and demo.max() <= 1 and np.any(demo != np.round(demo)))
