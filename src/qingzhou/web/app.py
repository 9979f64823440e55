"""The page and the HTTP API: routes, and nothing else. jobs.py: what they do; guard.py: what they must pass."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, Literal

from fastapi import Body, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from ..version import __version__
from . import catalogue, pages, reports, uploads
from .guard import COOKIE, ClassCode, Guard, cookie_of
from .jobs import Jobs, link
from .metrics import metrics
from .problems import Problem, body
from .record import Record
from .settings import Settings
from .turns import Turns
from .worker import Worker

Text = Annotated[str, Field(max_length=200)]
Name = Annotated[str, Field(max_length=40, pattern=r"^[a-z0-9_-]+$")]
Side = Annotated[int, Field(ge=1, le=8192)]
Token = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"description": "{error: {code, en, zh}}"} for status in (401, 403, 404, 409, 413, 421, 422, 429, 503)
}


class Order(BaseModel):
    """A job, as it is asked for."""

    model_config = ConfigDict(extra="forbid")

    upload: Token
    data: Token | None = None
    device: Name | None = None
    scene: Name | None = None
    actions: Annotated[list[Text], Field(max_length=20)] = []
    precision: Literal["fp32", "int8"] = "fp32"
    max_drop: Annotated[float, Field(ge=0, le=100)] = 0.5
    labels: Annotated[list[Text], Field(max_length=2000)] | None = None
    preprocess: Literal["imagenet", "0-1", "-1-1", "raw"] | None = None
    input_size: Annotated[list[Side], Field(min_length=2, max_length=2)] | None = None
    lang: Literal["zh", "en"] = "zh"


class Code(BaseModel):
    """The class code, as somebody typed it."""

    model_config = ConfigDict(extra="forbid")

    code: Text


def create_app(settings: Settings) -> FastAPI:
    """The application; its worker starts and stops with it."""
    worker, code = Worker(settings), ClassCode(settings.code)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        worker.start()
        yield
        await run_in_threadpool(worker.stop)

    app = FastAPI(
        title="Qingzhou", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None, responses=ERRORS
    )
    app.state.worker, app.state.settings = worker, settings
    turns = Turns(12, each=4)  # of the 40 threads that starlette has; looks, copies of uploads and the board take 22
    pages.add_pages(app, settings)
    _add_jobs(app, worker, turns)
    _add_board(app, worker)
    _add_others(app, worker, settings, code, turns)
    _add_errors(app)
    app.add_middleware(Guard, settings=settings, code=code)
    return app


def _client(request: Request) -> str:
    return str(request.state.client)


def _add_jobs(app: FastAPI, worker: Worker, turns: Turns) -> None:
    jobs, coming = worker.jobs, uploads.Uploads(worker.jobs)

    @app.post("/api/uploads", status_code=201, openapi_extra=uploads.SCHEMA, tags=["convert"])
    async def upload(request: Request) -> dict[str, Any]:
        """Upload a checkpoint, a model or a zip of pictures; what it is comes back at once."""
        return await coming.take(request)

    @app.post("/api/jobs", status_code=201, tags=["convert"])
    async def job(request: Request, order: Order) -> dict[str, str]:
        """Convert an upload; for a device, a bundle as well. 201 means: it will be done."""
        made = await turns.run(_client(request), _ordered, jobs, _client(request), order)
        return {"job": made.id, "url": f"/j/{made.id}"}

    @app.get("/api/jobs/{job}", tags=["convert"])
    async def told(request: Request, job: str) -> dict[str, Any]:
        """How far a job is, and what came of it."""
        return await turns.run(_client(request), lambda: jobs.shown(jobs.job(job)))

    @app.get("/api/jobs/{job}/files/{name}", response_class=Response, tags=["convert"])
    async def download(request: Request, job: str, name: str) -> Response:
        """A file that a job made."""
        size, pieces = await turns.run(_client(request), _opened, jobs, job, name)
        return _file(_sent(turns, _client(request), pieces), size, link(job, name).rpartition("/")[2])

    @app.delete("/api/jobs/{job}", status_code=204, tags=["convert"])
    async def forget(request: Request, job: str) -> Response:
        """Take a job and its files away, also one that runs."""
        if not await turns.run(_client(request), lambda: jobs.remove(jobs.job(job))):
            raise Problem("not_found")
        return Response(status_code=204)


def _ordered(jobs: Jobs, client: str, order: Order) -> Record:
    options = order.model_dump(exclude={"upload", "data"})
    catalogue.check(options)
    return jobs.add_job(client, order.upload, order.data, options)


def _opened(jobs: Jobs, job: str, name: str) -> tuple[int, Iterator[bytes]]:
    """The size of a file, and the file; Problem."""
    key, size = jobs.file(job, name)
    try:
        return size, jobs.store.pieces(key)
    except FileNotFoundError:
        raise Problem("not_found") from None


async def _sent(turns: Turns, client: str, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Each piece in a turn, and none while the client takes its time."""
    while piece := await turns.run(client, next, pieces, b""):
        yield piece


def _file(pieces: AsyncIterator[bytes], size: int, quoted: str) -> Response:
    headers = {"Content-Length": str(size), "Content-Disposition": f"attachment; filename*=UTF-8''{quoted}"}
    return StreamingResponse(pieces, media_type="application/octet-stream", headers=headers)


def _add_board(app: FastAPI, worker: Worker) -> None:
    turns = Turns(2, each=1)  # thousands of reports take a while to merge

    @app.post("/api/reports", status_code=201, tags=["board"])
    async def add_report(request: Request, report: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        """Add a board's report.json to the class board."""
        return await turns.run(_client(request), reports.add, worker.jobs, _client(request), report)

    @app.get("/api/reports", tags=["board"])
    async def merged(request: Request) -> Response:
        """The figures of all boards, merged."""
        return await turns.run(_client(request), lambda: JSONResponse(reports.merged(worker.jobs)))


def _add_others(app: FastAPI, worker: Worker, settings: Settings, code: ClassCode, turns: Turns) -> None:
    @app.get("/api/devices", tags=["what there is"])
    def devices() -> dict[str, Any]:
        """What bundles can be made for."""
        return catalogue.devices()

    @app.get("/api/scenes", tags=["what there is"])
    def scenes() -> dict[str, Any]:
        """What programs there are."""
        return catalogue.scenes()

    @app.post("/api/code", tags=["what there is"])
    async def give_code(request: Request, given: Code) -> Response:
        """Give the class code; a cookie remembers it."""
        if settings.code and not code.right(given.code, _client(request)):
            raise Problem("code_wrong")
        answer = JSONResponse({"ok": True})
        if settings.code:
            answer.set_cookie(
                COOKIE,
                cookie_of(settings.code),
                httponly=True,
                samesite="strict",
                max_age=12 * 3600,
                secure=request.url.scheme == "https",
            )
        return answer

    @app.get("/healthz", tags=["operation"])
    async def health(request: Request) -> dict[str, Any]:
        """Whether records and queue answer."""
        await turns.run(_client(request), worker.jobs.records.count, "job", "queued")
        length = await turns.run(_client(request), worker.queue.length)
        return {"ok": True, "queue": length, "version": __version__}

    @app.get("/metrics", response_class=PlainTextResponse, tags=["operation"])
    async def numbers(request: Request) -> str:
        """For Prometheus."""
        return await turns.run(_client(request), metrics, worker.jobs)


def _add_errors(app: FastAPI) -> None:
    async def problem(request: Request, err: Exception) -> Response:
        assert isinstance(err, Problem)
        return JSONResponse(body(err.as_dict()), err.status, err.headers)

    async def invalid(request: Request, err: Exception) -> Response:
        return await problem(request, Problem("bad_request"))

    async def unknown(request: Request, err: Exception) -> Response:
        status = getattr(err, "status_code", 500)
        known = {404: "not_found", 405: "wrong_method", 400: "bad_request"}
        return await problem(request, Problem(known.get(status, "bad_request")))

    app.add_exception_handler(Problem, problem)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, unknown)
