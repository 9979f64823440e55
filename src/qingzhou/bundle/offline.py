"""What lets the page be installed and work without a network: manifest, icons, and the worker that keeps it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from io import BytesIO
from pathlib import Path
from string import Template

from PIL import Image, ImageDraw

from .contents import digests

PAPER, INK = "#fbfaf7", "#1f6f8b"  # --paper and --two of page/style.css
ICONS = {  # name -> pixels of a side, and how much of it the boat takes
    "icon-192.png": (192, 0.9),
    "icon-512.png": (512, 0.9),
    "icon-maskable.png": (512, 0.6),  # systems cut their own shape out: what is nearer to the edge than a tenth may go
}
WORKER = "sw.js"
KEPT_BY_NOBODY = (
    "serve.py",
    "labels.txt",
    "ort.LICENSE.txt",
    "ort.ThirdPartyNotices.txt",
)  # the page never asks for them
SMOOTH = 4  # times larger when drawn
POLYGON = re.compile(r'<polygon points="([^"]*)" fill="([^"]*)"/>')


def manifest_files(page: Path, title: str, language: str) -> dict[str, bytes]:
    """manifest.json (W3C's Web Application Manifest) and the icons that it names, drawn from the page's icon.svg."""
    drawing = (page / "icon.svg").read_text("utf-8")
    pictures = [
        {"src": name, "sizes": f"{side}x{side}", "type": "image/png", "purpose": _purpose(name)}
        for name, (side, _) in ICONS.items()
    ]
    manifest = {
        "name": title,
        "short_name": title[:12],
        "lang": "zh-CN" if language == "zh" else "en",
        "id": "./",
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": INK,
        "icons": [{"src": "icon.svg", "sizes": "any", "type": "image/svg+xml"}, *pictures],
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
    icons = {name: icon(drawing, side, share) for name, (side, share) in ICONS.items()}
    return {"manifest.json": text.encode("utf-8"), **icons}


def worker(page: Path, folder: Path, lazy: Collection[str]) -> str:
    """sw.js, a service worker that keeps all other files of the folder; another file makes it another version.

    lazy: names of those that are kept only once the page has asked for them
    """
    found = {name: digest for name, digest in digests(folder).items() if name not in KEPT_BY_NOBODY}
    version = hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:16]
    script = Template((page / WORKER).read_text("utf-8"))
    return script.substitute(version=version, files=json.dumps(found, indent=1), lazy=json.dumps(sorted(lazy)))


def icon(drawing: str, side: int, share: float) -> bytes:
    """A PNG of side x side pixels: the polygons of an SVG of 32 x 32, on paper to its edges."""
    large = side * SMOOTH
    image = Image.new("RGB", (large, large), PAPER)
    pen = ImageDraw.Draw(image)
    for points, colour in POLYGON.findall(drawing):
        corners = [tuple(map(float, point.split(","))) for point in points.split()]
        pen.polygon([tuple(large * (0.5 + share * (n / 32 - 0.5)) for n in corner) for corner in corners], fill=colour)
    file = BytesIO()
    image.resize((side, side), Image.Resampling.LANCZOS).save(file, "PNG", optimize=True)
    return file.getvalue()


def _purpose(name: str) -> str:
    return "maskable" if "maskable" in name else "any"
