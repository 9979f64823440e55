"""Logs: a line of JSON for each event: times, sizes, outcomes; no contents, no names of files, no whole links."""

from __future__ import annotations

import json
import logging
import sys
import time

from ..runtime.text import escaped

LOGGER = logging.getLogger("qingzhou.web")


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z"
        said = {"time": at, "level": record.levelname.lower(), "event": record.getMessage()}
        if record.exc_info and record.exc_info[0] is not None:
            said["bug"] = record.exc_info[0].__name__
        return escaped(json.dumps({**said, **getattr(record, "facts", {})}, ensure_ascii=False, default=str))


def start_logging() -> None:
    """Everything of the server, its libraries included, goes to stderr in this form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    LOGGER.setLevel(logging.INFO)


def log(event: str, **facts: object) -> None:
    """One event."""
    LOGGER.info(event, extra={"facts": facts})


def log_bug(event: str, err: BaseException, **facts: object) -> None:
    """An exception that should not have been: its class and our lines, not its text, which may hold names."""
    places, step = [], err.__traceback__
    while step is not None:
        places.append(f"{step.tb_frame.f_code.co_filename.rpartition('/')[2]}:{step.tb_lineno}")
        step = step.tb_next
    LOGGER.error(event, extra={"facts": {**facts, "bug": type(err).__name__, "at": places[-6:]}})
