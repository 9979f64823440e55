"""Words and token numbers, and texts made word by word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional

import numpy as np

from .errors import InputError
from .read import open_file

if TYPE_CHECKING:
    import numpy.typing as npt

    from .predict import Predictor

    Array = npt.NDArray[Any]

LONGEST = 100_000  # words that are made, or characters that are read


def numbers(data: Any, vocabulary: Mapping[str, int]) -> Array:
    """(length, 1) token numbers of a text, a list of words, or numbers as they are; InputError for unknown words."""
    if isinstance(data, str):
        data = split(data, vocabulary)
    if isinstance(data, (list, tuple)) and all(isinstance(word, str) for word in data):
        data = [_number(word, vocabulary) for word in data]
    try:
        array = np.asarray(data, dtype=np.int64)
    except (ValueError, TypeError, OverflowError):
        raise _no_text(type(data).__name__) from None
    if not array.size:
        raise _no_text("empty text")
    known = range(len(vocabulary) and max(vocabulary.values()) + 1)
    if array.min() not in known or array.max() not in known:
        raise _unknown("%d" % (array.min() if array.min() < 0 else array.max()), vocabulary)
    return array.reshape(-1, 1) if array.ndim < 2 else array


def split(text: str, vocabulary: Mapping[str, int]) -> List[str]:
    """The words of a text, always the longest that is known; spaces between words need not be known."""
    longest = max(map(len, vocabulary), default=1)
    found, i = [], 0
    while i < len(text[:LONGEST]):
        word = next((text[i : i + n] for n in range(longest, 0, -1) if text[i : i + n] in vocabulary), None)
        if word is None and not text[i].isspace():
            raise _unknown(text[i], vocabulary)
        if word is not None:
            found.append(word)
        i += len(word or " ")
    return found


def word(number: int, vocabulary: Mapping[str, int]) -> str:
    """The word of a token number; its digits where it has none."""
    return next((name for name, n in vocabulary.items() if n == number), str(number))


def generate(model: Predictor, text: str, length: int, seed: Optional[int]) -> str:
    """`text` continued by `length` words; see Predictor.generate."""
    chance = None if seed is None else np.random.RandomState(seed)
    names = {number: name for name, number in model.card.vocabulary.items()}
    state: Dict[str, Array] = {}
    given = numbers(text, model.card.vocabulary)
    for token in given[:-1]:
        _, state = model.step(token[None], state)
    token, made = given[-1], [text]
    for _ in range(min(length, LONGEST)):
        row, state = model.step(token[None], state)
        token = np.array([_choose(row, chance)], np.int64)
        made.append(names.get(int(token[0]), str(token[0])))
    return _gap(model.card.vocabulary).join(made)


def _choose(row: Array, chance: Optional[Any]) -> int:
    """The likeliest, or one drawn by its probability."""
    if chance is None:
        return int(row.argmax())
    shares = row.astype(np.float64).clip(0)
    return int(chance.choice(len(shares), p=shares / shares.sum()))


def _gap(vocabulary: Mapping[str, int]) -> str:
    """What stands between words: nothing between single characters, as in Chinese; else a space."""
    return "" if max(map(len, vocabulary), default=1) == 1 else " "


def read_text(path: Any) -> str:
    """The text of a small file, UTF-8 or GBK, without the line ends."""
    with open_file(path) as file:
        data = file.read(4 * LONGEST)
    try:
        return data.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return data.decode("gb18030", "replace").strip()


def _number(name: str, vocabulary: Mapping[str, int]) -> int:
    if name not in vocabulary:
        raise _unknown(name, vocabulary)
    return vocabulary[name]


def _unknown(name: str, vocabulary: Mapping[str, int]) -> InputError:
    some = list(vocabulary)[:10]
    return InputError(
        en="The model has never seen %r; it knows %d words: %s … Use only words it knows."
        % (name[:40], len(vocabulary), " ".join(some)),
        zh="模型没有学过 %r，它认识 %d 个字词：%s…… 请只用它认识的。" % (name[:40], len(vocabulary), "、".join(some)),
    )


def _no_text(kind: str) -> InputError:
    return InputError(
        en="Got %s; expected a text of words that the model knows. Give at least one word." % kind,
        zh="收到的是 %s，应为由模型认识的字词组成的文本。请至少给出一个字。" % kind,
    )
