"""What comes in: received, kept, and looked at in a process of its own."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from . import sandbox
from .jobs import Jobs
from .problems import Problem

KINDS = {".pth": "model", ".pt": "model", ".pkl": "model", ".safetensors": "model", ".onnx": "model", ".zip": "data"}
RESERVED = {"con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(10))}
LONGEST = 60
LOOKS = threading.BoundedSemaphore(os.cpu_count() or 1)  # a class that uploads at once is looked at one by one
SCHEMA: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": {
        "type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}},
    }}}}
}  # fmt: skip


@contextlib.asynccontextmanager
async def received(request: Request) -> AsyncIterator[tuple[str, BinaryIO]]:
    """The name and the bytes of the field "file"; Problem."""
    try:
        form = await request.form(max_files=1, max_fields=4)
    except HTTPException:
        raise Problem("bad_request") from None
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            raise Problem("bad_request")
        yield file.filename, file.file
    finally:
        await form.close()


def accept(jobs: Jobs, client: str, name: str, file: BinaryIO) -> dict[str, Any]:
    """Keep a file and say what it is; a file that is wrong is kept as well, and why is said."""
    safe, suffix = safe_name(name)
    if suffix not in KINDS:
        raise Problem("wrong_kind")
    kind = KINDS[suffix]
    size = file.seek(0, os.SEEK_END)
    if size > jobs.settings.max_size:
        raise Problem("too_large")
    file.seek(0)
    facts: dict[str, Any] = {"name": shown_name(name), "safe": safe + suffix, "size": size, "kind": kind,
                             "info": None, "error": None}  # fmt: skip
    with sandbox.working_folder(jobs.settings.work) as folder:
        if kind == "model":
            place = folder / facts["safe"]
            with place.open("wb") as target:
                while piece := file.read(1 << 20):
                    target.write(piece)
            facts |= _looked_at(jobs, place, folder)
            kept = jobs.add_upload(client, facts, lambda key: jobs.store.put(key, place))
        else:
            kept = jobs.add_upload(client, facts, lambda key: jobs.store.put_stream(key, file))
    jobs.log("upload", size=size, kind=kind, error=facts["error"] and facts["error"]["code"])
    return {"upload": kept.id, **{key: facts[key] for key in ("name", "size", "kind", "info", "error")}}


def _looked_at(jobs: Jobs, place: Path, folder: Path) -> dict[str, Any]:
    limits = jobs.settings.limits
    order = {"what": "info", "model": str(place), "data": None, "lang": "en"}
    with LOOKS:
        said = sandbox.run(order, folder, limits, limits.info, lambda stage: True)
    return {"info": said.get("result"), "error": said.get("error")}


def shown_name(name: str) -> str:
    """What people see: no folders, nothing that steers a terminal or reads backwards, and not long."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:120] or "model"


def safe_name(name: str) -> tuple[str, str]:
    """A stem of letters, digits, - and _ for inside a job's own folder, and the suffix.

    A converted model carries its name in its program, so it is to be like the user's; files that are kept are called by
    tokens and numbers alone.
    """
    stem, _, suffix = shown_name(name).rpartition(".")
    stem = re.sub(r"[^\w-]+", "_", stem, flags=re.UNICODE).strip("_-")[:LONGEST]
    while len(stem.encode()) > 3 * LONGEST:
        stem = stem[:-1]
    plain = stem if stem and stem.lower() not in RESERVED else "model"
    return plain, f".{suffix.lower()}"
