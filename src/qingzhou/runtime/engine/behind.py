"""A card behind a network, in an archive that other readers of the file skip. Python 3.7; copied to boards.

The archive says how long what lies before it is, and its checksum: only whole files reach an engine.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from typing import TYPE_CHECKING, List, Tuple

from ..errors import FileMissing, ModelError
from ..file import is_file, open_file
from ..model.card import KEY, LONGEST

if TYPE_CHECKING:
    from ..typed import FilePath

CARD = KEY + ".json"  # the card's name in the archive
SUM = "crc32.txt"  # of what lies before the archive
LARGEST, MOST_OTHER = 1 << 31, 1 << 16  # bytes, of the file and of another text


def is_ours(path: FilePath) -> bool:
    """Whether a file carries a card: any other is a model that is still to be converted."""
    try:
        if not os.path.isfile(str(path)):  # a pipe would keep whoever asks waiting
            return False
        with zipfile.ZipFile(str(path)) as archive:
            return CARD in archive.namelist()
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return False


def read_behind(path: FilePath, *others: str) -> Tuple[bytes, List[str]]:
    """The network's bytes, the card's text, and other texts by their names; FileMissing, ModelError."""
    name = os.path.basename(str(path))
    if not is_file(path):
        raise FileMissing(
            en="There is no file %s. Check the name and the folder." % (path,),
            zh="文件 %s 不存在。请检查文件名和所在的文件夹。" % (path,),
        )
    if os.path.getsize(str(path)) > LARGEST:
        raise damaged(name, "%d" % os.path.getsize(str(path)))
    try:
        with open_file(path) as file, zipfile.ZipFile(file) as archive:
            infos = {info.filename: info for info in archive.infolist()}
            for one, most in ((SUM, 40), (CARD, LONGEST), *((one, MOST_OTHER) for one in others)):
                if one not in infos or infos[one].file_size > most:
                    raise damaged(name, one)
            size, checksum = (int(word) for word in archive.read(SUM).split())
            texts = [archive.read(one).decode("ascii") for one in (CARD, *others)]
            file.seek(0)
            model = file.read(size)
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error) as err:
        raise damaged(name, str(err)[:100]) from None
    if len(model) != size or zlib.crc32(model) != checksum:
        raise damaged(name, "crc32")
    return model, texts


def damaged(name: str, why: str) -> ModelError:
    """The error for a file that is not what export wrote."""
    end = os.path.splitext(name)[1] or "file"
    return ModelError(
        en="%s is no %s that qingzhou export wrote, or it is damaged (%s). Copy it again; a model of another tool is "
        "converted first: qingzhou convert %s" % (name, end, why, name),
        zh="%s 不是 qingzhou export 生成的 %s，或者已损坏（%s）。请重新复制；其他工具的模型请先转换："
        "qingzhou convert %s" % (name, end, why, name),
    )
