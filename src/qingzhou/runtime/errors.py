"""The base of the error tree, and the errors that can also happen on the board.

Everything in this folder is copied next to the generated sample code, so it runs on Python 3.7 and imports nothing
but the standard library, numpy, Pillow and an engine.
"""

from __future__ import annotations

import locale
import os
import re

# What is never seen and steers what shows it: control characters, Unicode's Bidi_Control (CVE-2021-42574), marks that
# XML forbids, and the halves by which Python keeps names of files that are no Unicode. Tab and newline are not in it.
HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufffe\uffff\ud800-\udfff]"
)
BREAKS = re.compile("[\t-\r\x1c-\x1e\x85\u2028\u2029]+")  # tabs, and all that str.splitlines() takes for a line's end
MARK = "\N{REPLACEMENT CHARACTER}"  # what is seen in their place
_chosen = None  # set by use_language


def use_language(lang: str | None) -> None:
    """Choose "zh" or "en" for everything a person reads; None goes back to QINGZHOU_LANG, then the locale."""
    global _chosen
    if lang not in (None, "zh", "en"):
        raise ValueError("language must be 'zh', 'en' or None, not %r" % (lang,))
    _chosen = lang


def language() -> str:
    """The language in use: "zh" or "en"."""
    if _chosen:
        return _chosen
    names = [os.environ.get(name, "") for name in ("QINGZHOU_LANG", "LC_ALL", "LC_MESSAGES", "LANG")]
    name = next((n for n in names if n), "") or locale.getlocale()[0] or ""
    return "zh" if name.lower().startswith(("zh", "chinese")) else "en"


def say(en: str, zh: str) -> str:
    """The text in the language in use."""
    return zh if language() == "zh" else en


def spaced(zh: str) -> str:
    """Behind a Chinese word: Latin letters and numbers have a space before them."""
    return " " + zh if zh[:1].isalnum() and zh[0].isascii() else zh


def line(text: object) -> str:
    """One line for a terminal, a list of lines or a title: "cat\\x1b[2J\\n" -> "cat�[2J "."""
    return HIDDEN.sub(MARK, BREAKS.sub(" ", str(text)))


def lines(text: object) -> str:
    """The same for text that may have several lines: newlines and tabs stay."""
    return HIDDEN.sub(MARK, str(text).replace("\r\n", "\n"))


class QingzhouError(Exception):
    """Something is wrong with the input; the message says what was found, what was expected and what to do.

    `code` is XEdu's number where XEdu has one for the same situation, else 0.
    """

    code = 0

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en, zh)
        self.en = en
        self.zh = zh

    def __str__(self) -> str:
        return say(self.en, self.zh)


class FileMissing(QingzhouError):
    """A file or folder that was named does not exist."""

    code = -103


class ImageError(QingzhouError):
    """A picture cannot be read, or is not a picture."""

    code = -203


class InputError(QingzhouError):
    """Data given to a model does not have the shape or type that the model was trained on."""

    code = -304


class ModelError(QingzhouError):
    """An .onnx file cannot be used: broken, or without the card that says how to use it."""

    code = -202


class NoCard(ModelError):
    """Nobody said what goes in."""


class SelfTestFailed(QingzhouError):
    """A model does not give the answer that its card records for its own sample."""


class OutputError(QingzhouError):
    """The result cannot be written where it should go; nothing half-written is left."""


class ExtraMissing(QingzhouError):
    """A package is missing that only this needs; the message has the line that installs it."""


class EngineError(QingzhouError):
    """An engine is installed, but cannot take or run this model, or not on the device asked for."""


class DeviceError(QingzhouError):
    """A camera, a pin, a speaker or the package that drives it is missing, in use or gone."""


class RuleError(QingzhouError):
    """A rule cannot be understood; the message shows the place in the line."""
