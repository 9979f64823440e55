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

from ..checkpoint.sniff import ENDINGS, HEAD, model_suffix
from ..runtime.errors import spaced
from ..runtime.kinds import archive, what
from . import sandbox
from .jobs import Jobs
from .problems import Problem

CALLED = re.compile(  # as a model: also model_best.pth.tar, and best.pth.1 and best.pth(1), as chats rename it
    rf"(?i)((?:{'|'.join(re.escape(ending) for ending in (*ENDINGS, '.onnx'))})(?:\.tar|\.\d+)?\s*(?:\(\d+\))?)+$"
)
RESERVED = {"con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(10))}
LONGEST = 60
LOOKS = threading.BoundedSemaphore(os.cpu_count() or 1)  # a class that uploads at once is looked at one by one
SCHEMA: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": {
        "type": "object", "required": ["file"],
        "properties": {"file": {"type": "string", "format": "binary"},
                       "lang": {"type": "string", "enum": ["zh", "en"]}},
    }}}}
}  # fmt: skip


@contextlib.asynccontextmanager
async def received(request: Request) -> AsyncIterator[tuple[str, BinaryIO, str]]:
    """The name and the bytes of the field "file", and the field "lang": "zh", else "en"; Problem."""
    try:
        form = await request.form(max_files=1, max_fields=4)
    except HTTPException:
        raise Problem("bad_request") from None
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            raise Problem("bad_request")
        yield file.filename, file.file, "zh" if form.get("lang") == "zh" else "en"
    finally:
        await form.close()


def accept(jobs: Jobs, client: str, name: str, file: BinaryIO, lang: str) -> dict[str, Any]:
    """Keep a file and say what it is; a file that is wrong is kept as well, and why is said."""
    size = file.seek(0, os.SEEK_END)
    if size > jobs.settings.max_size:
        raise Problem("too_large")
    file.seek(0)
    kind, suffix = kind_of(name, file.read(HEAD), size)
    file.seek(0)
    facts: dict[str, Any] = {"name": shown_name(name), "safe": safe_name(name) + suffix, "size": size, "kind": kind,
                             "info": None, "error": None}  # fmt: skip
    with sandbox.working_folder(jobs.settings.work) as folder:
        if kind == "model":
            place = folder / facts["safe"]
            with place.open("wb") as target:
                while piece := file.read(1 << 20):
                    target.write(piece)
            facts |= _looked_at(jobs, place, folder, lang)
            kept = jobs.add_upload(client, facts, lambda key: jobs.store.put(key, place))
        else:
            kept = jobs.add_upload(client, facts, lambda key: jobs.store.put_stream(key, file))
    jobs.log("upload", size=size, kind=kind, error=facts["error"] and facts["error"]["code"])
    return {"upload": kept.id, **{key: facts[key] for key in ("name", "size", "kind", "info", "error")}}


def kind_of(name: str, head: bytes, size: int) -> tuple[str, str]:
    """ "model" or "data", by the content before the name, and the suffix to keep it with; Problem for anything else.

    What is called a model is looked at even if its content is another's: that look says what it is.
    """
    suffix, called = model_suffix(head, size), CALLED.search(name)
    if suffix or called:
        return "model", suffix or (".onnx" if called and ".onnx" in called.group().lower() else ".pth")
    if head.startswith(b"PK"):
        return "data", ".zip"
    found = what(head)
    if name.lower().endswith(".zip") or archive(head):
        raise Problem("no_zip", found.en, spaced(found.zh)) if found else Problem("zip_damaged")
    told = (f"; this is {found.en}", f"，而这是{spaced(found.zh)}") if found else ()
    raise Problem("wrong_kind", *told)


def _looked_at(jobs: Jobs, place: Path, folder: Path, lang: str) -> dict[str, Any]:
    limits = jobs.settings.limits
    order = {"what": "info", "model": str(place), "data": None, "lang": lang}
    with LOOKS:
        said = sandbox.run(order, folder, limits, limits.info, lambda stage: True)
    return {"info": said.get("result"), "error": said.get("error")}


def shown_name(name: str) -> str:
    """What people see: no folders, nothing that steers a terminal or reads backwards, and not long."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:120] or "model"


def safe_name(name: str) -> str:
    """A stem of letters, digits, - and _ for inside a job's own folder.

    A converted model carries its name in its program, so it is to be like the user's; files that are kept are called by
    tokens and numbers alone.
    """
    stem = re.sub(r"(?i)\.zip$", "", CALLED.sub("", shown_name(name)))
    stem = re.sub(r"[^\w-]+", "_", stem, flags=re.UNICODE).strip("_-")[:LONGEST]
    while len(stem.encode()) > 3 * LONGEST:
        stem = stem[:-1]
    return stem if stem and stem.lower() not in RESERVED else "model"
