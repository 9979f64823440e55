"""The page itself: templates, modules and styles, and the engine for browsers; all of it from this package."""

from __future__ import annotations

import functools
import html
import mimetypes
import threading
from pathlib import Path

import jinja2
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from starlette.staticfiles import StaticFiles

from ..bundle.browser import PAGE, engine_facts, engine_file
from ..version import __version__
from .problems import Problem
from .settings import Settings
from .unzip import WANTED

HERE = Path(__file__).parent
UNPACKING = threading.Lock()
PIECE = 256 << 10  # bytes that may wait for a client at once
DAY = {"Cache-Control": "public, max-age=86400"}
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".wasm": "application/wasm",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


def add_pages(app: FastAPI, settings: Settings) -> None:
    """/, /j/…, /board, /static/… and /docs."""
    for suffix, kind in TYPES.items():
        mimetypes.add_type(kind.partition(";")[0], suffix)  # Windows' registry may say otherwise
    templates = jinja2.Environment(loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True)

    def shown(request: Request, name: str) -> HTMLResponse:
        page = templates.get_template(name)
        facts = {
            "lang": language(request),
            "version": __version__,
            "max_size": settings.max_size,
            "keep_hours": settings.keep / 3600,
            "path": request.url.path,
            "endings": " ".join(WANTED),
        }
        return HTMLResponse(page.render(facts), headers={"Cache-Control": "no-cache", "Vary": "Accept-Language"})

    @app.get("/", include_in_schema=False)
    def page(request: Request) -> Response:
        return shown(request, "page.html")

    @app.get("/j/{job}", include_in_schema=False)
    def job_page(request: Request, job: str) -> Response:
        return shown(request, "page.html")

    @app.get("/board", include_in_schema=False)
    def board(request: Request) -> Response:
        return shown(request, "board.html")

    @app.get("/docs", include_in_schema=False)
    def docs() -> Response:
        return HTMLResponse(described(app))

    @app.get("/static/ort/{name}", include_in_schema=False)
    def engine(name: str) -> Response:
        if name not in engine_facts()["files"]:
            raise Problem("not_found")
        content = _engine(name)
        pieces = (content[place : place + PIECE] for place in range(0, len(content), PIECE))
        headers = {**DAY, "Content-Length": str(len(content))}
        return StreamingResponse(pieces, media_type=TYPES[Path(name).suffix], headers=headers)

    @app.get("/static/browser/{name}", include_in_schema=False)
    def browser(name: str) -> Response:
        found = {path.name: path for path in PAGE.iterdir() if path.suffix in TYPES}
        if name not in found:
            raise Problem("not_found")
        return Response(found[name].read_bytes(), media_type=TYPES[found[name].suffix])

    app.mount("/static", StaticFiles(directory=HERE / "static", check_dir=False), name="static")


def _engine(name: str) -> bytes:
    """Unpacked once, 14 MB, however many ask for it at the same time."""
    with UNPACKING:
        return _unpacked(name)


_unpacked = functools.cache(engine_file)


def language(request: Request) -> str:
    """ "zh" or "en": what the address asks for, else the browser's first of the two."""
    asked = request.query_params.get("lang")
    if asked in ("zh", "en"):
        return str(asked)
    for part in request.headers.get("accept-language", "").split(","):
        name = part.strip()[:2].lower()
        if name in ("zh", "en"):
            return name
    return "en"


def described(app: FastAPI) -> str:
    """The API as a plain page; openapi.json has it in full."""
    rows = []
    for path, methods in app.openapi()["paths"].items():
        for method, facts in methods.items():
            words = html.escape(str(facts.get("description") or facts.get("summary", "")))
            rows.append(f"<h2><code>{method.upper()} {html.escape(path)}</code></h2><p>{words}</p>")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Qingzhou API</title><h1>Qingzhou API</h1>'
        '<p>In full: <a href="/openapi.json">openapi.json</a>. Requests that change something need the header '
        f"<code>X-Qingzhou: 1</code>.</p>{''.join(rows)}</html>"
    )
