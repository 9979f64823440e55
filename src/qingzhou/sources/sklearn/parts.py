"""A file of several objects, {"model": …, "scaler": …} or a tuple: which of them is meant, in what order they run."""

from __future__ import annotations

import dataclasses

from ...errors import say
from ...files.refusals import short
from ...spelling import option
from .fitted import Fitted, listed, named
from .refuse import ANSWERS, NO_RULE, refused
from .saved import Saved

ENCODERS = [name for name, why in NO_RULE.items() if why is ANSWERS]  # of answers; none of them takes rows


def chosen(saved: Saved, part: str | None) -> Saved:
    """With the estimators that run, one after the other; UnsupportedCheckpoint where the file does not say which."""
    if not saved.parts:
        return saved
    able = {key: one for key, one in saved.parts.items() if one.name not in ENCODERS}
    keys = list(able) if part is None else [one.strip() for one in part.split("+")]
    if part is None and len(able) != 1:
        raise _which(saved, able)
    if any(key not in saved.parts for key in keys):
        raise _which(saved, able)
    rest = [key for key in saved.parts if key not in keys]
    notes = [*saved.notes, *([_unused(saved, rest)] if rest else [])]
    return dataclasses.replace(saved, estimators=[saved.parts[key] for key in keys], notes=notes)


def _which(saved: Saved, able: dict[str, Fitted]) -> Exception:
    all_of = ", ".join(f"{short(key)} ({one.name})" for key, one in list(saved.parts.items())[:20])
    row = "+".join(sorted(able, key=lambda key: not _changes(able[key]))) or next(iter(saved.parts))
    last = row.rpartition("+")[2]
    one, both = option("details", f"part={last}"), option("details", f"part={row}")
    return refused(
        f"the file holds several objects and does not say how they belong together: {all_of}",
        f"文件里有多个对象，没有说明它们如何配合：{all_of}",
        f"Say which one is meant: {one}; or which run one after the other: {both}. Better still, save them as one "
        "Pipeline",
        f"请指定其中一个：{one}；或按先后顺序指定：{both}。最好把它们做成一个 Pipeline 再保存",
    )


def _changes(one: Fitted) -> bool:
    """A guess for the example alone."""
    return not (one.has("classes_") or one.has("coef_") or one.has("estimators_") or one.has("tree_"))


def _unused(saved: Saved, rest: list[str]) -> str:
    names = ", ".join(f"{short(key)} ({saved.parts[key].name})" for key in rest[:20])
    return say(
        en=f"The file holds other objects, which are not used: {names}. If one of them changes the rows before the "
        "model sees them, name both.",
        zh=f"文件里还有其他没有用到的对象：{names}。如果其中有的要先处理数据，请把它们一起指定。",
    )


def names_of_answers(saved: Saved, classes: list[str]) -> tuple[list[str], str] | None:
    """What classes that are numbers are called by the one LabelEncoder beside the model, and a word on that."""
    encoders = {key: one for key, one in saved.parts.items() if one.name == "LabelEncoder" and one.has("classes_")}
    if len(encoders) != 1 or classes != [str(i) for i in range(len(classes))]:
        return None
    key, one = next(iter(encoders.items()))
    found = named(listed(one.get("classes_")))
    if len(found) != len(classes):
        return None
    return found, say(
        en=f"Assumed: the LabelEncoder {short(key)} in the file names the classes ({', '.join(found[:5])} …).",
        zh=f"假定：文件中的 LabelEncoder {short(key)} 给出了类别名称（{'、'.join(found[:5])} 等）。",
    )
