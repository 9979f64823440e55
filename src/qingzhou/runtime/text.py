"""Text that is not ours (labels, words, names of files) on its way out: each function is for one language.

A card keeps its text as it is; whoever shows or writes it calls the function of the place where it goes. All take any
text, also names of files that are no Unicode, and none fails. What every program needs, line() and lines(), is in
errors.py, so that few need more.
"""

from __future__ import annotations

import os
import re
import shlex

from .errors import BREAKS, HIDDEN, line, lines

__all__ = ["cell", "code", "escaped", "file_name", "line", "lines", "markdown", "this_shell", "word"]
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?%?")
# Also behind ";", which ends a cell where commas are decimal; quotes and spaces are skipped as spreadsheets skip them.
FORMULA = re.compile("(^|;)(?=[\\s'\"]*[=+\\-@\uff1d\uff0b\uff0d\uff20])")
PLAIN = re.compile(r"(?:[^\W_]|[ ,%\u00b7]|(?<=\d)[.:](?=\d)|(?<=\w)-(?=\w))*")  # nothing of Markdown is in it
QUOTES = {"'": re.compile("['\u2018-\u201b]"), '"': re.compile('["\u201c-\u201e`$]')}  # PowerShell's, of both kinds
META = re.compile(r'[()%!^"<>&|]')  # of cmd
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9\xb9\xb2\xb3]|lpt[0-9\xb9\xb2\xb3])(\.|$)")
LONGEST_NAME = 100  # bytes of a file's name; systems take 255


def escaped(code: str) -> str:
    r"""JSON, or a program, with \uXXXX for what nobody sees in it; only a text within quotes can hold that."""
    return HIDDEN.sub(lambda found: "\\u%04x" % ord(found.group()), code)


def cell(value: object) -> object:
    """A cell for csv.writer: numbers as they are; text that a spreadsheet would compute gets an apostrophe (OWASP)."""
    if not isinstance(value, str):
        return value
    text = line(value)
    return text if NUMBER.fullmatch(text) else FORMULA.sub(r"\1'", text)


def markdown(text: object) -> str:
    """Words in Markdown: plain ones as they are, others as code, in which nothing is markup, HTML or a link."""
    shown = line(text).strip()
    return shown if PLAIN.fullmatch(shown) else code(shown)


def code(text: object) -> str:
    """Code in a line of Markdown, between more backticks than it holds anywhere; CommonMark 0.31, 6.1."""
    shown = line(text)
    if not shown.strip():
        return ""
    marks = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    space = " " if shown[0] in " `" or shown[-1] in " `" else ""
    return marks + space + shown + space + marks


def word(text: str, shell: str = "sh") -> str:
    """One word of a command line, on one line of visible text, for "sh", "powershell" or "cmd"."""
    odd = HIDDEN.search(text) or BREAKS.search(text)
    if shell == "powershell":
        if odd:
            return '"%s"' % _characters(QUOTES['"'].sub(r"`\g<0>", text))
        return text if re.fullmatch(r"\w[\w.:\\/-]*", text) else "'%s'" % QUOTES["'"].sub(r"\g<0>\g<0>", text)
    if shell == "cmd":
        from subprocess import list2cmdline

        quoted = list2cmdline([line(text)])  # cmd has no way to write a control character
        return META.sub(r"^\g<0>", quoted) if META.search(text) else quoted
    return "$'%s'" % _bytes(text) if odd else shlex.quote(text)


def _characters(text: str) -> str:
    """What is hidden, as PowerShell's numbers of characters."""
    return re.sub("[\t\n]|" + HIDDEN.pattern, lambda found: "$([char]%d)" % ord(found.group()), text)


def _bytes(text: str) -> str:
    """As bash, zsh and ksh write bytes between $' and ': also the bytes of a name that is no Unicode."""
    coded = text.encode("utf-8", "surrogateescape" if _is_name(text) else "replace")
    seen = "".join(chr(byte) if 32 <= byte < 127 and chr(byte) not in "\\'" else "\\x%02x" % byte for byte in coded)
    return re.sub(r"(\\x[0-9a-f]{2})(?=[0-9a-fA-F])", r"\1'$'", seen)  # "\x1bc" must not be read on


def _is_name(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeError:
        return False
    return True


def file_name(text: str) -> str:
    """A name for a file on any system, made of a text: "a/b" -> "a_b", "con" -> "_con"."""
    name = re.sub(r'[<>:"/\\|?*]', "_", HIDDEN.sub("_", BREAKS.sub("_", text))).strip(" .")
    name = name.encode("utf-8")[:LONGEST_NAME].decode("utf-8", "ignore").rstrip(" .")
    return "_" + name if not name or name.startswith("-") or RESERVED.match(name) else name


def this_shell() -> str:
    """The shell for which a command line is shown here; of Windows' two, cmd is the one that sets PROMPT."""
    return "sh" if os.name != "nt" else "cmd" if "PROMPT" in os.environ else "powershell"
