"""What comes in: received, kept, and looked at (looks.py)."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from ..files.sniff import HEAD, model_suffix
from ..runtime.errors import spaced
from ..runtime.model.kinds import archive, what
from ..runtime.text import line
from ..sources.table import MODELS
from . import sandbox
from .jobs import Jobs
from .looks import Looks
from .problems import Problem
from .turns import Turns
from .unzip import is_model

CALLED = re.compile(  # as a model: also model_best.pth.tar, and best.pth.1 and best.pth(1), as chats rename it
    rf"(?i)((?:{'|'.join(re.escape(ending) for ending in MODELS)})(?:\.tar|\.\d+)?\s*(?:\(\d+\))?)+$"
)
RESERVED = {"con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(10))}
HDF5 = b"\x89HDF\r\n\x1a\n"
PIECE = 512 << 10  # bytes that are gathered before they are written: each time costs a change of threads
LONGEST, SHOWN, END = 60, 120, 24  # letters of a name: in programs, for people, and of these the last
SCHEMA: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "lang": {"type": "string", "enum": ["zh", "en"]},
                    },
                }
            }
        },
    }
}


class Uploads:
    """The uploads of one server, on their way. files: turns for copying them; coming: bytes that are announced."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs, self._looks, self._files, self._coming = jobs, Looks(jobs.settings.limits), Turns(8, each=4), 0

    async def take(self, request: Request) -> dict[str, Any]:
        """Receive, look at and keep a file; Problem."""
        client, most = str(request.state.client), self._jobs.settings.max_size
        size = min(most, int(request.headers.get("content-length", most)))
        await self._files.run(client, self._jobs.room_for_upload, client, self._coming + size)
        self._coming += size
        try:
            async with received(request) as (name, file, lang):
                return await self._accept(client, name, file, lang)
        finally:
            self._coming -= size

    async def _accept(self, client: str, name: str, file: BinaryIO, lang: str) -> dict[str, Any]:
        """Keep a file and say what it is; a file that is wrong is kept as well, and why is said."""
        jobs, run = self._jobs, self._files.run
        facts = await run(client, facts_of, name, file, jobs.settings.max_size)
        if facts["kind"] == "model":
            async with self._folder(client) as folder:
                place = folder / facts["safe"]
                await run(client, _copy, file, place)
                facts |= await self._looks.look(client, place, folder, lang)
                kept = await run(client, jobs.add_upload, client, facts, lambda key: jobs.store.put(key, place))
        else:
            kept = await run(client, jobs.add_upload, client, facts, lambda key: jobs.store.put_stream(key, file))
        jobs.log("upload", size=facts["size"], kind=facts["kind"], error=facts["error"] and facts["error"]["code"])
        return {"upload": kept.id, **{key: facts[key] for key in ("name", "size", "kind", "info", "error")}}

    @contextlib.asynccontextmanager
    async def _folder(self, client: str) -> AsyncIterator[Path]:
        """An empty one, which vanishes."""
        with contextlib.ExitStack() as stack:
            made = sandbox.working_folder(self._jobs.settings.work)
            yield await self._files.run(client, stack.enter_context, made)
            await self._files.run(client, stack.close)


class _Gathered(Request):
    """A request whose body comes in larger pieces than the network's."""

    async def stream(self) -> AsyncGenerator[bytes, None]:
        parts, size = list[bytes](), 0
        async for part in super().stream():
            parts.append(part)
            size += len(part)
            if size >= PIECE:
                yield b"".join(parts)
                parts, size = [], 0
        yield b"".join(parts)


@contextlib.asynccontextmanager
async def received(request: Request) -> AsyncIterator[tuple[str, BinaryIO, str]]:
    """The name and the bytes of the field "file", and the field "lang": "zh", else "en"; Problem."""
    try:
        form = await _Gathered(request.scope, request.receive).form(max_files=1, max_fields=4)
    except HTTPException:
        raise Problem("bad_request") from None
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            raise Problem("bad_request")
        yield file.filename, file.file, "zh" if form.get("lang") == "zh" else "en"
    finally:
        await form.close()


def facts_of(name: str, file: BinaryIO, most: int) -> dict[str, Any]:
    """What is known of a file before it is looked at; Problem for one that is too large, or neither kind."""
    size = file.seek(0, os.SEEK_END)
    if size > most:
        raise Problem("too_large")
    file.seek(0)
    head = file.read(HEAD)
    kind, suffix = kind_of(name, head, size, head.startswith(b"PK") and is_model(file))
    file.seek(0)
    return {
        "name": shown_name(name),
        "safe": safe_name(name) + suffix,
        "size": size,
        "kind": kind,
        "info": None,
        "error": None,
    }


def _copy(file: BinaryIO, place: Path) -> None:
    with place.open("wb") as target:
        shutil.copyfileobj(file, target, 1 << 20)


def kind_of(name: str, head: bytes, size: int, zipped: bool = False) -> tuple[str, str]:
    """ "model" or "data", by the content before the name, and the suffix to keep it with; Problem for anything else.

    What is called a model is looked at even if its content is another's: that look says what it is.
    zipped  whether it is a zip that holds a model
    """
    suffix, called = model_suffix(head, size), CALLED.search(name)
    if suffix or called or zipped or head.startswith(HDF5):
        return "model", suffix or (_ending(called.group()) if called else ".zip" if zipped else ".h5")
    if head.startswith(b"PK"):
        return "data", ".zip"
    found = what(head)
    if name.lower().endswith(".zip") or archive(head):
        raise Problem("no_zip", found.en, spaced(found.zh)) if found else Problem("zip_damaged")
    told = (f"; this is {found.en}", f"，而这是{spaced(found.zh)}") if found else ()
    raise Problem("wrong_kind", *told)


def _ending(called: str) -> str:
    """What a name that is a model's ends with: .pth of .pth.1, .onnx wherever there is one."""
    found = re.findall("|".join(map(re.escape, sorted(MODELS, key=len, reverse=True))), called.lower())
    return ".onnx" if ".onnx" in found else str(found[-1])


def shown_name(name: str) -> str:
    """What people see: no folders, nothing that steers a terminal or reads backwards; of a long one both its ends."""
    shown = line(re.split(r"[/\\]", name)[-1])
    return (shown if len(shown) <= SHOWN else f"{shown[: SHOWN - END - 1]}…{shown[-END:]}") or "model"


def safe_name(name: str) -> str:
    """A stem of letters, digits, - and _ for inside a job's own folder.

    A converted model carries its name in its program, so it is to be like the user's; files that are kept are called by
    tokens and numbers alone.
    """
    stem = CALLED.sub("", re.sub(r"(?i)\.zip$", "", shown_name(name)))
    stem = re.sub(r"[^\w-]+", "_", stem, flags=re.UNICODE).strip("_-")[:LONGEST]
    while len(stem.encode()) > 3 * LONGEST:
        stem = stem[:-1]
    return stem if stem and stem.lower() not in RESERVED else "model"
