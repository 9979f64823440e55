"""What the server remembers of an upload, a job or a report, whatever keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Record:
    """One upload, job or report.

    version  counts its changes;  state  "queued", …;  client  whose it is;  created, expires  by now()
    """

    kind: str
    id: str
    state: str
    client: str
    created: float
    expires: float
    data: Mapping[str, Any]
    version: int = 0
