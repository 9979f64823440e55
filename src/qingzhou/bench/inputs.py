"""What the times are taken on: some of the user's data, or the model's own sample."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from ..errors import DataError, QingzhouError
from ..evaluate.data import read_data
from ..evaluate.places import data_error, files_in
from ..runtime.model.card import Card
from ..runtime.predict import Predictor
from ..runtime.read import is_picture

MOST = 16  # inputs: enough for pictures of several sizes
LOOKED_AT = 5000  # of large data the first


def inputs_of(predictor: Predictor, data: Path | None) -> tuple[Sequence[object], str, int]:
    """(inputs, "sample" or "data", how many of those chosen could not be used); DataError where none is left, or data
    are given to a network that takes several inputs at once.
    """
    if predictor.card.others and data is not None:
        raise _several(predictor.card)
    if data is None:
        if predictor.card.sample is None:
            raise _no_sample()
        return [predictor.sample_input()], "sample", 0
    chosen = _evenly(_sources(data, predictor.card))
    fine = [one for one in chosen if _is_fine(predictor, one)]
    if not fine:
        raise _no_data(data)
    return fine, "data", len(chosen) - len(fine)


def labelled(data: Path, card: Card | None = None) -> QingzhouError | None:
    """Why these data have no answers to judge by; None if they have. FileMissing where there are none at all."""
    try:
        read_data(data, card=card)
    except DataError as err:
        if not any(_pictures(data)):
            raise
        return err
    return None


def _sources(data: Path, card: Card) -> Sequence[object]:
    """Pictures as paths, rows as arrays; of data without answers every picture."""
    if labelled(data, card) is not None:
        return _pictures(data)
    cases = islice(read_data(data, card=card).cases(), LOOKED_AT)
    return [case.data for case in cases if not isinstance(case.data, QingzhouError)]


def _pictures(data: Path) -> list[Path]:
    if data.is_file():
        return [data] if is_picture(data) else []
    return [path for path in islice(files_in(data), LOOKED_AT) if is_picture(path)]


def _evenly(sources: Sequence[object]) -> Sequence[object]:
    """At most MOST of them, from the first to the last class."""
    many = min(MOST, len(sources))
    return [sources[i * len(sources) // many] for i in range(many)]


def _is_fine(predictor: Predictor, data: object) -> bool:
    try:
        predictor.prepare(data)
    except QingzhouError:
        return False
    return True


def _several(card: Card) -> DataError:
    names = ", ".join(entry.name for entry in card.inputs)
    return data_error(
        en=f"The model takes {len(card.inputs)} inputs at once ({names}), which no data set has. Leave --data out, to "
        "time it on its own sample.",
        zh=f"这个模型一次需要 {len(card.inputs)} 个输入（{names}），数据集里没有这样的数据。"
        "请去掉 --data，用它自带的示例计时。",
    )


def _no_sample() -> DataError:
    return data_error(
        en="The model has no sample to be timed on. Name data: --data folder",
        zh="模型里没有可用来计时的示例。请指定数据：--data 文件夹",
    )


def _no_data(data: Path) -> DataError:
    return data_error(
        en=f"{data} holds nothing that this model can take. Name pictures for a model of pictures, a table for one of "
        "tables; or leave --data out.",
        zh=f"{data} 里没有这个模型可用的输入。图片模型请指定图片，表格模型请指定表格；也可以去掉 --data。",
    )
