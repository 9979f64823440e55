"""Texts as counts of words, as scikit-learn's CountVectorizer splits them: words of letters and digits, and runs.

rule   "two": words of at least two characters, its default; "one": single ones, too; "char": single characters;
       "char_wb": those of each word and of the blanks around it
lower  capitals are made small before
runs   [1, 2]: single words, and two that follow each other; of characters so many
"""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, List

from . import fields

RULES = {"two": re.compile(r"(?u)\b\w\w+\b"), "one": re.compile(r"(?u)\b\w+\b")}
CHARACTERS = ("char", "char_wb")
BLANKS = re.compile(r"\s\s+")
MOST_WORDS = 1 << 20
LONGEST_RUN = 8


def counts(at: str, data: object) -> Dict[str, Any]:
    """How a card says it; ModelError."""
    given = fields.record(at, data, ("words", "rule", "lower", "runs"))
    found = {
        "words": fields.items("%s.words" % at, given["words"], fields.text, most=MOST_WORDS),
        "rule": fields.one_of("%s.rule" % at, given["rule"], (*RULES, *CHARACTERS)),
        "lower": given["lower"],
        "runs": fields.exactly(2, "%s.runs" % at, given["runs"], _run),
    }
    if type(given["lower"]) is not bool or found["runs"][0] > found["runs"][1] or not found["words"]:
        raise fields.bad(at, given["lower"])
    return found


def _run(at: str, value: object) -> int:
    return fields.whole(at, value, 1, LONGEST_RUN)


def counted(text: str, rule: Dict[str, Any], places: Dict[str, int]) -> List[float]:
    """How often each of the words is in a text."""
    text = text.lower() if rule["lower"] else text
    found = [0.0] * len(rule["words"])
    least, most = rule["runs"]
    if rule["rule"] in CHARACTERS:
        for run in _characters(text, rule["rule"] == "char", least, most):
            place = places.get(run)
            if place is not None:
                found[place] += 1.0
        return found
    words = RULES[rule["rule"]].findall(text)
    for size in range(least, most + 1):
        for start in range(len(words) - size + 1):
            place = places.get(" ".join(words[start : start + size]))
            if place is not None:
                found[place] += 1.0
    return found


def _characters(text: str, whole: bool, least: int, most: int) -> Iterator[str]:
    """Runs of characters of a text, or of each of its words; a word that is shorter than a run counts once."""
    text = BLANKS.sub(" ", text)
    for part in [text] if whole else [" %s " % word for word in text.split()]:
        for size in range(least, most + 1):
            if len(part) > size or (whole and len(part) == size):
                for start in range(len(part) - size + 1):
                    yield part[start : start + size]
            elif not whole:
                yield part
                break


def text_of(row: Any, rule: Dict[str, Any]) -> str:
    """A text with some of the words that a row counts."""
    there = [word for word, count in zip(rule["words"], row) if count > 0]
    return " ".join(there[:5])
