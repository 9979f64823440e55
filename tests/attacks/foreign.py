"""Text that wants to be more than text, cards and files full of it, and what each kind of output must not hold."""

from __future__ import annotations

import ast
import csv
import dataclasses
import io
import json
import os
import re
import shlex
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import onnx

from qingzhou.runtime.errors import HIDDEN
from qingzhou.runtime.model.card import KEY, Card

# Harmless sequences of each kind: colours, titles, the clipboard, C1, direction, lines, fences, links, tags, commands,
# quotes, rich's markup and emoji. No slash, so that it can be a file's name.
EVIL = (
    "\x1b[31m\x1b]0;T\x07\x1b]52;c;eA==\x07\x9b1m\x7f\u202eR\u2066\u200f\r\n```\n# FORGED\n[l](x:y)<evil onclick=x>`"
    "$(>RAN)`\"';>RAN [bold]B[link=x:y]L:heart:\u2028\ufeff{{x}}${x}%PATH%"
)
STARTS = ("", "=", "+", "-", "@", "\t=", '"=', " '+", "\uff1d", "\r-")  # of formulas
LABELS = [f"{start}{i}{EVIL}" for i, start in enumerate(STARTS)]
NAME = f"-m{EVIL}\udcc4\xa3" if os.name != "nt" else "-m$(b)`c`&'[bold]B"  # of files; half of a name in GBK


def evil_card(card: Card) -> Card:
    """The card with such text wherever it may have any."""
    return dataclasses.replace(
        card,
        network=EVIL,
        tool=EVIL,
        labels=LABELS[: len(card.labels)],
        vocabulary={f"{EVIL}{i}" if i else EVIL: n for i, n in enumerate(card.vocabulary.values())},
        origin={"file": EVIL, "sha256": EVIL, "container": EVIL, "training": {"tool": EVIL, EVIL: EVIL}},
        notes=LABELS,
        assumed=["input_size", "resize", "color", "normalize", "labels"],
    )


def evil_model(source: Path, target: Path) -> Path:
    """A model with such a card, and such metadata of other tools."""
    proto = onnx.load(source, load_external_data=False)
    found = {item.key: item.value for item in proto.metadata_props}
    card = evil_card(Card.from_json(found[KEY]))
    onnx.helper.set_model_props(
        proto, {**found, KEY: card.to_json(), "names": str(dict(enumerate(LABELS))), EVIL: EVIL}
    )
    proto.producer_name = proto.doc_string = EVIL
    target.write_bytes(proto.SerializeToString())
    return target


# -- what must not be found ------------------------------------------------------------------------------------------


def terminal(shown: str, several_lines: bool = False) -> None:
    """Nothing steers it, no line is forged, no markup of rich was read."""
    assert not HIDDEN.search(shown), ascii(HIDDEN.search(shown).string)  # type: ignore[union-attr]
    assert several_lines or not re.search(r"^\s*(```|# FORGED)\s*$", shown, re.MULTILINE), ascii(shown)
    assert "BL" not in re.sub(r"\s", "", shown) and "\u2764" not in shown, ascii(shown)
    assert "Traceback" not in shown, shown


def document(text: str) -> None:
    """JSON in which everything hidden is escaped."""
    assert not HIDDEN.search(text), ascii(text)
    json.loads(text)


def table(text: str) -> None:
    """CSV: no cell is a formula, whatever ends a cell there; no row is more than one."""
    assert not HIDDEN.search(text), ascii(text)
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == len(text.splitlines()) and len({len(row) for row in rows}) == 1
    for cell in (part for row in rows for whole in row for part in whole.split(";")):
        number = re.fullmatch(r"\s*[+-]?[\d.]+(e[+-]?\d+)?", cell)
        assert number or not re.match("[\\s\"']*[=+\\-@\uff1d]", cell) or cell.lstrip(" ").startswith("'"), ascii(cell)


def markdown(text: str) -> None:
    """Outside of code there is nothing of it; a command line has one more word, not two commands."""
    assert not HIDDEN.search(text), ascii(text)
    blocks = re.findall(r"^ *```\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    for block in blocks:
        commands = [shlex.split(line) for line in block.splitlines()]
        assert all(words[:1] in (["sh"], ["python3"]) and len(words) <= 3 for words in commands), commands
    rest = re.sub(r"^ *```\n.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
    rest = re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", rest)
    assert not any(piece in rest for piece in ("FORGED", "[l]", "<evil", "$(", "`", "onclick", "[bold]")), rest


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))


def page(text: str) -> None:
    """No element came from it, and no attribute; nothing hidden."""
    assert not HIDDEN.search(text), ascii(HIDDEN.search(text))
    tags = _Tags()
    tags.feed(text)
    assert tags.found and all(tag != "evil" and "onclick" not in dict(attrs) for tag, attrs in tags.found)
    assert all("FORGED" not in (name + tag) for tag, attrs in tags.found for name, _ in attrs)


def program(text: str) -> None:
    """Python in which nobody is misled by what he does not see."""
    assert not HIDDEN.search(text), ascii(HIDDEN.search(text))
    ast.parse(text)
    assert "FORGED" not in re.sub(r"([\"']).*?(?<!\\)(?:\\\\)*\1", "", text)


def plain(text: str) -> None:
    """Scripts, styles and lists: nothing hidden, no line of its own."""
    assert not HIDDEN.search(text), ascii(HIDDEN.search(text))
    assert not re.search(r"^(```|# FORGED)", text, re.MULTILINE)


KINDS: dict[str, Callable[[str], None]] = {
    ".md": markdown,
    ".html": page,
    ".py": program,
    ".json": document,
    ".csv": table,
    ".sh": plain,
    ".txt": plain,
    ".js": plain,
    ".css": plain,
    ".svg": plain,
    ".xml": plain,
    ".param": plain,
    ".toml": plain,
    ".bat": plain,
}
BINARY = (".onnx", ".ort", ".bin", ".png", ".npz", ".wasm", ".pyc", ".pth", ".jpg", ".mapping")


def files(folder: Path) -> int:
    """Every file in a folder, by its ending, and the names and contents of zips; how many were looked at."""
    count = 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                for entry in archive.infolist():
                    assert not HIDDEN.search(entry.filename) and "\n" not in entry.filename, ascii(entry.filename)
                    count += _file(entry.filename, archive.read(entry))
        else:
            count += _file(path.name, path.read_bytes())
    return count


def _file(name: str, data: bytes) -> int:
    suffix = "." + name.rpartition(".")[2]
    if name == "sample.txt":  # the model's own input, word by word, as the program reads it
        return 0
    if suffix in BINARY or name.endswith(".LICENSE.txt") or "ThirdParty" in name:
        return 0
    text = data.decode("utf-8").replace("\r\n", "\n") if suffix in (".bat", ".csv") else data.decode("utf-8")
    KINDS[suffix](text.removeprefix("\ufeff") if suffix == ".csv" else text)
    if name.endswith("labels.txt"):
        assert all("FORGED" in line for line in text.splitlines())
    return 1


def checks(kind: str) -> Callable[[Any], None]:
    return {"text": terminal, "json": document, "csv": table}[kind]
