"""Texts and the words in them: the longest that is known, by a number of looks that grows with the text only."""

from __future__ import annotations

from typing import Any

import pytest

from qingzhou.errors import InputError
from qingzhou.runtime.model.words import LONGEST, LOOKED_AT, numbers, split


class Counting(dict[str, int]):
    """A vocabulary that counts the letters that it was asked for."""

    letters = 0

    def __contains__(self, word: object) -> bool:
        self.letters += len(str(word))
        return super().__contains__(word)


def vocabulary(*words: str) -> Counting:
    return Counting({word: number for number, word in enumerate(words)})


SPLIT: dict[str, tuple[tuple[str, ...], str, list[str]]] = {
    "the longest": (("a", "ab", "abc"), "abcabab a", ["abc", "ab", "ab", "a"]),
    "Chinese": (("床", "前", "明月", "月"), "床前明月月", ["床", "前", "明月", "月"]),
    "spaces are known": (("a", " ", "a b"), "a b a", ["a b", " ", "a"]),
    "spaces at both ends": (("word",), "  word\n word\t", ["word", "word"]),
    "a word that is nearly there": (("in", "internet", "ter"), "inter", ["in", "ter"]),
    "nothing": (("a",), "", []),
    "an empty word": (("", "a"), "a a", ["a", "a"]),
}


@pytest.mark.parametrize("case", SPLIT)
def test_words(case: str) -> None:
    words, text, found = SPLIT[case]
    assert split(text, vocabulary(*words)) == found


LARGE: dict[str, tuple[tuple[str, ...], str]] = {
    "one long word, never there": (("a", "a" * 9_999 + "b"), "a" * LONGEST),
    "one long word, always there": (("a" * 10_000,), "a" * LONGEST),
    "words of all lengths": ((*("a" * n + "b" for n in range(1, 2_000)), "a"), "a" * LONGEST),
    "another first letter": (("b" * 5_000, "a"), "a" * LONGEST),
    "letters": (tuple(map(chr, range(0x4E00, 0x9000))), "".join(map(chr, range(0x4E00, 0x9000))) * 5),
    "spaces": (("a", "b" * 5_000), " " * LONGEST),
    "English": (tuple("x" * n for n in range(1, 31)), " ".join(["x" * 7, "x" * 3, "x" * 11] * 4_000)),
}


@pytest.mark.parametrize("case", LARGE)
def test_looks_grow_with_the_text(case: str) -> None:
    words, text = LARGE[case]
    known = vocabulary(*words)
    try:
        found = split(text, known)
        assert "".join(found) == "".join(text.split())
        assert case != "one long word, never there"
    except InputError as err:
        assert case in ("one long word, never there", "words of all lengths")
        assert "a list of words" in err.en and "列表" in err.zh
    assert known.letters <= LOOKED_AT * len(text) + max(map(len, words))
    if case in ("another first letter", "letters", "spaces"):
        assert known.letters <= len(text)


@pytest.mark.parametrize("length", [LONGEST, LONGEST + 1])
def test_a_text_is_as_long_as_it_may_be_or_refused(length: int) -> None:
    text, known = "a" * length, vocabulary("a")
    if length <= LONGEST:
        assert numbers(text, known).shape == (LONGEST, 1)
    else:
        with pytest.raises(InputError, match="has 100001 characters, and at most 100000"):
            numbers(text, known)


def test_a_message_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the words that are known."""
    known: Any = vocabulary(*("x" * 10_000 + str(n) for n in range(10)))
    with pytest.raises(InputError) as caught:
        numbers("?", known)
    assert len(caught.value.en) < 1_000 and len(caught.value.zh) < 1_000
