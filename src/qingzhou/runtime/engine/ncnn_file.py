"""The text of a .param file, read and followed through by us before ncnn sees it.

ncnn trusts its files: a wrong size makes it read or write beyond its memory, and the process ends. So only what
engines/ncnn/layers.py writes is let through, with the sizes of every blob worked out, and the .bin must hold those
numbers and no others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterator, Optional, Set, Tuple

from .ncnn_format import CARD, MAGIC, MOST_AXES, STORED, TAG_FLOAT32
from .ncnn_layers import KINDS, LARGEST, WHOLE_OUT, Numbers, Shape, Tags, product
from .ncnn_row import Damaged, Row, need, read_row

MOST_LAYERS = 1 << 16
SEVERAL = ("Input", "MemoryData", "BinaryOp", "MatMul", "Concat", "LSTM")  # what may not read just one blob


@dataclass(frozen=True)
class NcnnText:
    """A .param file: the text that ncnn takes, the card, and the shapes of in0, in1, … and out0, out1, …

    words   how many a text network knows, whose in0 is one of them and whose other inputs are its state; else 0
    """

    layers: str
    card: Optional[str]
    inputs: Tuple[Shape, ...]
    outputs: Tuple[Shape, ...]
    numbers: Tuple[Tuple[int, Tags], ...]
    words: int

    def check_numbers(self, data: bytes) -> None:
        """Damaged unless the .bin holds just what the layers take."""
        at = 0
        for count, tags in self.numbers:
            tag = int.from_bytes(data[at : at + 4], "little") if tags else TAG_FLOAT32
            if tags and tag not in tags:
                raise Damaged(f".bin: {at}")
            at += 4 * bool(tags) + (int(STORED[tag][-1]) * count + 3) // 4 * 4
        if at != len(data):
            raise Damaged(f".bin: {len(data)} / {at}")


def parse(text: str) -> NcnnText:
    """Read a whole .param; Damaged names the line that is none of ours, or cannot be."""
    lines = text.split("\n")
    try:
        counts = [int(word) for word in " ".join(lines[:2]).split(" ")] if text.isascii() else []
    except ValueError:
        counts = []
    if len(counts) != 3 or counts[0] != MAGIC or not 0 < counts[1] <= min(MOST_LAYERS, len(lines) - 2):
        raise Damaged("1")
    _, layers, blobs = counts
    found = _Blobs()
    for i, line in enumerate(lines[2 : 2 + layers], start=3):
        try:
            found.follow(read_row(line))
        except (Damaged, ValueError, IndexError):  # as many blobs or axes as the kind needs, or else
            raise Damaged(f"{i}: {line[:40]}") from None
    if found.count != blobs:
        raise Damaged("2")
    rest = [line for line in lines[2 + layers :] if line]
    if len(rest) > 1 or not all(line.startswith(CARD) for line in rest):
        raise Damaged(f"{3 + layers}: {rest[0][:40]}")
    card = rest[0][len(CARD) :] if rest else None
    inputs, outputs = (tuple(found.named(name)) for name in ("in", "out"))
    if not inputs or not outputs:
        raise Damaged("2")
    return NcnnText("\n".join([*lines[: 2 + layers], ""]), card, inputs, outputs, tuple(found.numbers), found.words)


class _Blobs:
    """The shapes of the blobs that were made, and not read yet: each has one maker and at most one reader."""

    def __init__(self) -> None:
        self.shapes: Dict[str, Shape] = {}
        self.unread: Set[str] = set()
        self.entries: Set[str] = set()
        self.numbers: Numbers = []
        self.words = 0
        self.whole: Set[str] = set()  # of int8, which only convolutions of INT8 can read

    @property
    def count(self) -> int:
        """Of all blobs."""
        return len(self.shapes)

    def follow(self, row: Row) -> None:
        """One layer further."""
        need(row.kind in KINDS)
        for name in row.sources:
            need(name in self.unread)
            self.unread.remove(name)
        need(len(row.sources) == 1 or row.kind in SEVERAL)
        self.words = int(row.params.get(1, [0])[0]) if row.kind == "Embed" else self.words
        self._follow_whole(row)
        made, numbers = KINDS[row.kind](row, [self.shapes[name] for name in row.sources])
        need(not row.params and len(made) == len(row.results))
        for name, shape in zip(row.results, made):
            need(name not in self.shapes and 1 <= len(shape) <= MOST_AXES and min(shape) > 0)
            need(product(shape) <= LARGEST)
            self.shapes[name] = shape
            self.unread.add(name)
        self.entries |= set(row.results) if row.kind == "Input" else set()
        self.numbers += numbers

    def _follow_whole(self, row: Row) -> None:
        """Where numbers are int8 between layers: a layer that reads floats there would read beyond them."""
        convolution = row.kind in ("Convolution", "ConvolutionDepthWise")
        int8 = int(row.params[8][0]) if convolution and 8 in row.params else 0
        reads = self.whole & set(row.sources)
        need(not reads or int8 > 0 or row.kind == "Split")
        if int8 == WHOLE_OUT or (reads and row.kind == "Split"):
            self.whole |= set(row.results)

    def named(self, prefix: str) -> Iterator[Shape]:
        """The shapes of in0, in1, …, which are inputs, or of out0, out1, …, which nothing reads."""
        known = self.entries if prefix == "in" else self.unread - self.whole
        i = 0
        while f"{prefix}{i}" in known:
            yield self.shapes[f"{prefix}{i}"]
            i += 1
