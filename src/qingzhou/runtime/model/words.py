"""Words and token numbers, and texts made word by word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Dict, List, Mapping, Optional, Set, Tuple

import numpy as np

from ..errors import InputError
from ..file import open_file
from ..memory import room
from .answers import Prediction

if TYPE_CHECKING:
    from ..typed import Array, Entry, FilePath
    from .card import Card

    Step = Callable[[Array, Dict[str, Array]], Tuple[Array, Dict[str, Array]]]

LONGEST = 100_000  # words that are made, or characters that are read
LOOKED_AT = 1_000  # characters of words for each of a text: ordinary ones take a tenth


def numbers(data: object, vocabulary: Mapping[str, int]) -> Array:
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
    if len(text) > LONGEST:
        raise _too_long(len(text))
    lengths, left = _lengths(vocabulary), LOOKED_AT * len(text)
    found, i = [], 0
    while i < len(text):
        word = ""
        for n in lengths.get(text[i], ()):
            left -= n
            if left < 0:
                raise _too_hard(n)
            if text[i : i + n] in vocabulary:
                word = text[i : i + n]
                found.append(word)
                break
        if not word and not text[i].isspace():
            raise _unknown(text[i], vocabulary)
        i += len(word) or 1
    return found


def _lengths(vocabulary: Mapping[str, int]) -> Dict[str, List[int]]:
    """First letter -> the lengths of the words that begin with it, the longest first."""
    found: Dict[str, Set[int]] = {}
    for name in vocabulary:
        if name:
            found.setdefault(name[0], set()).add(len(name))
    return {letter: sorted(lengths, reverse=True) for letter, lengths in found.items()}


def word(number: int, vocabulary: Mapping[str, int]) -> str:
    """The word of a token number; its digits where it has none."""
    return next((name for name, n in vocabulary.items() if n == number), str(number))


def last(step: Step, tokens: Array, vocabulary: Mapping[str, int]) -> Array:
    """The scores of what comes after all the tokens (length, 1), some at once: as many as there is memory for."""
    state: Dict[str, Array] = {}
    part = max(1, room() // (16 * (1 + max(vocabulary.values(), default=0))))  # a row of scores for each
    for start in range(0, len(tokens), part):
        row, state = step(tokens[start : start + part], state)
    return row


def following(
    scores: Array, outputs: List[Array], inputs: List[Entry], names: List[str], card: Card
) -> Tuple[Array, Dict[str, Array]]:
    """The last token's scores, and the state for the next: the other outputs, in the order of the other inputs."""
    rest = [output for output, name in zip(outputs, names) if name != card.output.name]
    others = [entry.name for entry in inputs if entry.name != card.input.name]
    return scores.reshape(-1, scores.shape[-1])[-1], dict(zip(others, rest))


def next_word(step: Step, tokens: Array, vocabulary: Mapping[str, int]) -> Prediction:
    """The scores of the last word's successor; the label is that word."""
    row = last(step, tokens, vocabulary)
    index = int(row.argmax())
    return Prediction(word(index, vocabulary), index, float(row[index]), row)


def generate(step: Step, vocabulary: Mapping[str, int], text: str, length: int, seed: Optional[int]) -> str:
    """`text` continued by `length` words, of which Predictor.step gives the scores; see Predictor.generate."""
    chance = None if seed is None else np.random.RandomState(seed)
    names = {number: name for name, number in vocabulary.items()}
    state: Dict[str, Array] = {}
    given = numbers(text, vocabulary)
    for token in given[:-1]:
        _, state = step(token[None], state)
    token, made = given[-1], [text]
    for _ in range(min(length, LONGEST)):
        row, state = step(token[None], state)
        token = np.array([_choose(row, chance)], np.int64)
        made.append(names.get(int(token[0]), str(token[0])))
    return _gap(vocabulary).join(made)


def _choose(row: Array, chance: Optional[np.random.RandomState]) -> int:
    """The likeliest, or one drawn by its probability."""
    if chance is None:
        return int(row.argmax())
    shares = row.astype(np.float64).clip(0)
    return int(chance.choice(len(shares), p=shares / shares.sum()))


def _gap(vocabulary: Mapping[str, int]) -> str:
    """What stands between words: nothing between single characters, as in Chinese; else a space."""
    return "" if max(map(len, vocabulary), default=1) == 1 else " "


def read_text(path: FilePath) -> str:
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
    some = [known[:40] for known in list(vocabulary)[:10]]
    return InputError(
        en="The model has never seen %r; it knows %d words: %s … Use only words it knows."
        % (name[:40], len(vocabulary), " ".join(some)),
        zh="模型没有学过 %r，它认识 %d 个字词：%s…… 请只用它认识的。" % (name[:40], len(vocabulary), "、".join(some)),
    )


def _too_long(length: int) -> InputError:
    return InputError(
        en="The text has %d characters, and at most %d can be read at once. Give its last part." % (length, LONGEST),
        zh="文本有 %d 个字符，一次最多能读 %d 个。请只给出最后一部分。" % (length, LONGEST),
    )


def _too_hard(length: int) -> InputError:
    return InputError(
        en="The model knows words of %d characters and more, too many to look for them all in this text. Give less "
        "text, or a list of words in its place." % length,
        zh="模型认识的词太长（%d 个字符以上），无法在这段文本里一一查找。请缩短文本，或改为词的列表。" % length,
    )


def _no_text(kind: str) -> InputError:
    return InputError(
        en="Got %s; expected a text of words that the model knows. Give at least one word." % kind,
        zh="收到的是 %s，应为由模型认识的字词组成的文本。请至少给出一个字。" % kind,
    )
