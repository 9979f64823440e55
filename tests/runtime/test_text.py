"""Text that is not ours, on its way out: a table for each language that it is written in."""

from __future__ import annotations

import ast
import csv
import io
import json
import os
import shutil
import subprocess
import unicodedata

import pytest

from qingzhou.runtime import text

BIDI = [chr(n) for n in range(0x110000) if unicodedata.bidirectional(chr(n)) in ("LRE", "RLE", "PDF", "LRO", "RLO")]
BIDI += [*"\u2066\u2067\u2068\u2069\u200e\u200f\u061c"]
CONTROLS = [chr(n) for n in range(0x110000) if unicodedata.category(chr(n)) in ("Cc", "Zl", "Zp", "Cs")]
SEEN = [
    "猫",
    "cat 1",
    "naïve",
    "👩\u200d🔬",
    "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "a_b*c",
    "C:\\x",
]


@pytest.mark.parametrize("clean", [text.line, text.lines, text.escaped, lambda value: text.cell(value)])
def test_nothing_hidden_is_left(clean) -> None:  # type: ignore[no-untyped-def]
    for letter in [*CONTROLS, *BIDI]:
        if letter not in "\t\n" or clean is text.line:
            assert letter not in clean(f"a{letter}b"), ascii(letter)
    assert [clean(seen) for seen in SEEN] == SEEN


def test_one_line_for_whatever_ends_one() -> None:
    for letter in CONTROLS:
        assert len(f"{text.line(f'a{letter}b')}\n".splitlines()) == 1, ascii(letter)
    assert text.lines("a\tb\r\nc\rd\x1b") == "a\tb\nc\N{REPLACEMENT CHARACTER}d\N{REPLACEMENT CHARACTER}"


def test_escaped_json_and_python_say_the_same() -> None:
    for letter in [*CONTROLS, *BIDI]:
        found = text.escaped(json.dumps([letter], ensure_ascii=False))
        assert json.loads(found) == [letter] and (found.isprintable() or letter in "\t\n"), ascii(letter)
        assert letter in "\t\n\\" or ast.literal_eval(text.escaped(f'"{letter}"')) == letter


CELLS = [
    ("cat", "cat"), ("", ""), (1.5, 1.5), (-3, -3), (None, None), ("-3", "-3"), ("+1.5e-7", "+1.5e-7"), ("-5%", "-5%"),
    ("=1+1", "'=1+1"), ("+cmd", "'+cmd"), ("-a", "'-a"), ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "' =1"), ("\r=1", "' =1"),
    ("\n=1", "' =1"), ('"=1', "'\"=1"), ("' =1", "'' =1"), ("  =1", "'  =1"), ("＝1", "'＝1"),
    ("＠a", "'＠a"), ("a;=1", "a;'=1"), ("cat; -dog", "cat;' -dog"), ("a=b", "a=b"), ("3-4", "3-4"), ("a\x1bb", "a�b"),
    ("-1+2", "'-1+2"),
]  # fmt: skip


@pytest.mark.parametrize("value, wanted", CELLS)
def test_no_cell_is_a_formula(value: object, wanted: object) -> None:
    assert text.cell(value) == wanted
    row = io.StringIO()
    csv.writer(row).writerow([text.cell(value), "next"])
    assert len(row.getvalue().splitlines()) == 1


MARKDOWN = [
    ("cat", "cat"), ("猫 1", "猫 1"), ("0.98", "0.98"), ("MobileNetV2", "MobileNetV2"), ("cat 0.98, dog 0.1", None),
    ("a_b", "`a_b`"), ("<img src=x>", "`<img src=x>`"), ("[a](http://x)", "`[a](http://x)`"), 
    ("a\n```\nb", "````a ``` b````"), ("`a` b", "`` `a` b ``"),
    ("`", "`` ` ``"), ("www.x.org", "`www.x.org`"), ("# a", "`# a`"), ("a\n\n# b", "`a # b`"), (" a", "a"),
    ("", ""), ("- a", "`- a`"), ("1. a", "`1. a`"), ("1) a", "`1) a`"), ("&lt;", "`&lt;`"), ("$x$", "`$x$`"),
    ("a|b", "`a|b`"), ("~~a~~", "`~~a~~`"),
]  # fmt: skip


@pytest.mark.parametrize("given, wanted", MARKDOWN)
def test_markdown_is_text(given: str, wanted: str | None) -> None:
    assert text.markdown(given) == (given if wanted is None else wanted)


WORDS = [
    "photo.jpg", "照片 1.jpg", "", "$(touch x)", "`touch x`", "a'b", 'a"b', "a; touch x", "a\nb", "\x1b[2J", "\x1bc",
    "\u202eabc", "!!", "%PATH%", "a\\b", "*", "~", "-x", "‘a’", "a\t1", "\x01a1\x02",
]  # fmt: skip


@pytest.mark.parametrize("given", [*WORDS, "\udcc3\udca8.jpg"])
@pytest.mark.parametrize("shell", ["bash", "zsh", "ksh"])
@pytest.mark.skipif(os.name == "nt", reason="these shells are of other systems")
def test_a_word_is_one_word(given: str, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    quoted = text.word(given)
    assert text.line(quoted) == quoted
    done = subprocess.run([shell, "-c", f"printf '%s|' {quoted}"], capture_output=True, check=True)
    assert done.stdout == os.fsencode(given + "|")


POWERSHELL = [
    ("photo.jpg", "photo.jpg"),
    ("a b", "'a b'"),
    ("it's", "'it''s'"),
    ("a’; b", "'a’’; b'"),
    ("$(b)", "'$(b)'"),
    ("", "''"),
    ("a\x1b$b", '"a$([char]27)`$b"'),
    ('\n"', '"$([char]10)`""'),
    ("-x", "'-x'"),
]
CMD = [
    ("photo.jpg", "photo.jpg"),
    ("a b", '"a b"'),
    ("a&b", "a^&b"),
    ("%PATH%", "^%PATH^%"),
    ('a" & b', '^"a\\^" ^& b^"'),
    ("a\nb", '"a b"'),
    ("", '""'),
    ("(a)", "^(a^)"),
]


@pytest.mark.parametrize(
    "shell, given, wanted", [("powershell", *row) for row in POWERSHELL] + [("cmd", *row) for row in CMD]
)
def test_a_word_for_windows(shell: str, given: str, wanted: str) -> None:
    assert text.word(given, shell) == wanted


NAMES = [
    ("cat", "cat"),
    ("猫", "猫"),
    ("a/b\\c", "a_b_c"),
    ("..", "_"),
    ("../x", "_x"),
    ("con", "_con"),
    ("NUL.txt", "_NUL.txt"),
    ("COM¹", "_COM¹"),
    ("a.", "a"),
    ("", "_"),
    ("a\nb\x1b", "a_b_"),
    ("-rf", "_-rf"),
    ("a:b", "a_b"),
    ("x" * 300, "x" * 100),
    ("console", "console"),
    ("猫" * 99, "猫" * 33),
    ("\udcc3", "_"),
]


@pytest.mark.parametrize("given, wanted", NAMES)
def test_a_name_for_any_system(given: str, wanted: str) -> None:
    assert text.file_name(given) == wanted
