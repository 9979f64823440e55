"""A page's folder as one HTML file, which opens from anywhere: a chat, a USB stick, a school's file server."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from pathlib import Path

from ..errors import OptionError
from ..runtime.file import open_file

CARRIED = ("ort.wasm", "model.onnx", "card.json")  # what the page's modules fetch
LEFT = ("ort_gpu.js", "sw.js")  # a file keeps nothing, and a second engine would double it
LARGEST = 100_000_000  # bytes of a model: browsers hold the text and what it becomes at the same time
FROM = re.compile(r'(\bfrom\s*|\bimport\(\s*)"\./([\w.]+)"')


MARK = b'<meta name="qingzhou-model"'  # by which a page of ours is known
MARKED = 1 << 16  # bytes in which it stands


def file_of_ours(place: Path) -> bool:
    """Whether a file is a page that was made here, which may be replaced."""
    with open_file(place) as file:
        return MARK in file.read(MARKED)


def one_file(folder: Path) -> bytes:
    """The page of a folder that write_page() has written, as one document without any other file.

    A module cannot be imported from a file beside it where the page is a file itself, so each lies in an import
    map as a data: URL under its plain name. The policy names the two inline scripts and the style by their SHA-256.
    OptionError for a model that is too large for one file.
    """
    if (size := (folder / "model.onnx").stat().st_size) > LARGEST:
        raise _too_large(size / 1e6)
    page = (folder / "index.html").read_text("utf-8")
    modules = {path.name: _data_url(path) for path in sorted(folder.glob("*.js")) if path.name not in (*LEFT, "app.js")}
    table = json.dumps({"imports": modules})
    main = _plain(folder / "app.js")
    style = (folder / "style.css").read_text("utf-8")
    page = re.sub(r'<link rel="(?:module)?preload"[^>]*>\n|<link rel="(?:manifest|apple-touch-icon)"[^>]*>\n', "", page)
    page = re.sub(r'<meta name="qingzhou-graphics"[^>]*>\n', "", page)
    drawing = base64.b64encode((folder / "icon.svg").read_bytes()).decode("ascii")
    files = "".join(_carried(folder / name) for name in CARRIED)
    for old, new in (
        ('href="icon.svg"', f'href="data:image/svg+xml;base64,{drawing}"'),
        ('<link rel="stylesheet" href="style.css">', f"<style>{style}</style>"),
        ('<script type="module" src="app.js"></script>\n', f'<script type="importmap">{table}</script>\n'),
        ("</body>", f'{files}<script type="module">{main}</script>\n</body>'),
        ("script-src 'self'", f"script-src {_hash(table)} {_hash(main)} data:"),
        ("style-src 'self'", f"style-src {_hash(style)}"),
        ("connect-src 'self'", "connect-src 'none'"),
        ("worker-src 'self'", "worker-src 'none'"),
    ):
        assert page.count(old) == 1, old
        page = page.replace(old, new)
    return page.encode("utf-8")


def _plain(path: Path) -> str:
    """A module that imports others by their plain names: no address can be made from a data: URL and "./"."""
    return FROM.sub(r'\1"\2"', path.read_text("utf-8")).replace("</script", "<\\/script")


def _data_url(path: Path) -> str:
    return "data:text/javascript;base64," + base64.b64encode(_plain(path).encode("utf-8")).decode("ascii")


def _carried(path: Path) -> str:
    packed = base64.b64encode(gzip.compress(path.read_bytes(), 6, mtime=0)).decode("ascii")
    return f'<script type="application/octet-stream" data-file="{path.name}">{packed}</script>\n'


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


def _too_large(size: float) -> OptionError:
    most = LARGEST / 1e6
    return OptionError(
        en=f"The model has {size:.0f} MB; a page of one file takes {most:.0f}, since browsers hold its text and what "
        "it becomes at the same time. Make a folder: -o page",
        zh=f"模型有 {size:.0f} MB；单文件网页最多 {most:.0f} MB，因为浏览器要同时保存它的文本和解开后的内容。"
        "请生成文件夹：-o page",
    )
