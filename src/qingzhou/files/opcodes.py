"""The instructions of a pickle, one after the other, as pickletools describes them; and the tape that they stand on."""

from __future__ import annotations

import io
import pickletools
import struct
from collections.abc import Callable, Iterator
from typing import Any

from .refusals import damaged

MAX_LINE = 4096  # of GLOBAL, which torch writes, and of numbers as protocols 0 and 1 do


class Tape(io.BytesIO):
    """A pickle in memory. Its lines are short: Python 3.10 takes hours to make a number of a long one."""

    def readline(self, size: int | None = -1, /) -> bytes:
        """A line; ValueError if there is no end of it."""
        line = super().readline(MAX_LINE)
        if not line.endswith(b"\n"):
            raise ValueError("line too long, or cut off")
        return line

    def long_line(self) -> str:
        """UNICODE of protocol 0, which has whole arrays in it: escaped text up to the end of the line."""
        line = super().readline()
        if not line.endswith(b"\n"):
            raise ValueError("cut off")
        return line[:-1].decode("raw-unicode-escape")

    def left(self) -> int:
        """Bytes from here to the end."""
        here = self.tell()
        end = self.seek(0, io.SEEK_END)
        self.seek(here)
        return end - here


Reader = Callable[[Tape], Any]
CODES: dict[bytes, tuple[str, Reader | None]] = {  # as pickletools describes them
    code.code.encode("latin-1"): (code.name, None if code.arg is None else code.arg.reader)
    for code in pickletools.opcodes
}
CODES[b"V"] = ("UNICODE", Tape.long_line)


def opcodes(tape: Tape) -> Iterator[tuple[str, Any]]:
    """Each instruction and its argument."""
    while (found := CODES.get(tape.read(1))) is not None:
        name, read = found
        try:
            yield name, None if read is None else read(tape)
        except (ValueError, OverflowError, IndexError, struct.error, MemoryError):
            break
    raise damaged("its table of contents (the pickle) breaks off or is garbled", "目录部分（pickle）中断或混乱")
