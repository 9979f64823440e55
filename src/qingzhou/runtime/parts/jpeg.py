"""Single JPEG pictures out of a stream of them, as cameras on the network send them (MJPEG)."""

from __future__ import annotations

from typing import BinaryIO, Iterator, Optional

LARGEST = 16 << 20  # bytes of a picture; a stream that goes on longer is none
PIECE = 1 << 14
START, END, SCAN = 0xD8, 0xD9, 0xDA
ALONE = (0x01, *range(0xD0, 0xD8))  # markers that no length follows


def pictures(stream: BinaryIO) -> Iterator[bytes]:
    """Every whole JPEG of a file or an answer from the network; what is between them (headers) is left out."""
    data = bytearray()
    read = getattr(stream, "read1", stream.read)  # read1 gives what has come, read waits for the whole piece
    while True:
        piece = read(PIECE)
        if not piece:
            return
        data += piece
        while True:
            picture = first(data)
            if picture is None:
                break
            yield picture
        if len(data) > LARGEST:
            return


def first(data: bytearray) -> Optional[bytes]:
    """The first whole picture, which is taken out of the data with all before it; None while there is none."""
    begin = data.find(b"\xff\xd8\xff")
    if begin < 0:
        del data[:-2]
        return None
    end = end_of(data, begin)
    if end < 0:
        return None
    picture = bytes(data[begin:end])
    del data[:end]
    return picture


def end_of(data: bytearray, begin: int) -> int:
    """Where the JPEG that begins there ends; -1 while its end has not come.

    Segments are stepped over by their lengths, since one may hold a second, small picture (ITU-T T.81, annex B).
    """
    place = begin + 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            place += 1  # what does not belong there is passed over, as decoders do
            continue
        marker = data[place + 1]
        if marker == END:
            return place + 2
        if marker in ALONE or marker in (0x00, 0xFF):
            place += 1 if marker == 0xFF else 2
            continue
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        if marker == SCAN:
            place = _after_scan(data, place)
            if place < 0:
                return -1
    if len(data) >= place + 2 and data[place] == 0xFF and data[place + 1] == END:
        return place + 2
    return -1


def _after_scan(data: bytearray, place: int) -> int:
    """The next marker after compressed data, in which FF is followed by 00 or a restart marker; -1: not yet there."""
    while True:
        place = data.find(b"\xff", place)
        if place < 0 or place + 1 >= len(data):
            return -1
        if data[place + 1] != 0x00 and not 0xD0 <= data[place + 1] <= 0xD7:
            return place
        place += 2
