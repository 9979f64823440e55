"""The class board: reports of boards, read as `qingzhou report` reads them, and merged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from .jobs import READY, REPORT, Jobs, token
from .problems import Problem
from .record import Record
from .sandbox import working_folder
from .turns import admit

KEPT = 90 * 24 * 3600.0  # seconds: a term
ROWS = 200  # of one report


def add(jobs: Jobs, client: str, report: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the rows of a report; Problem if it is none."""
    from ..report.read import read_report

    own, all = jobs.records.count(REPORT, READY, client), jobs.records.count(REPORT, READY)
    admit(own, all, jobs.settings.reports_per_client, jobs.settings.reports)
    with working_folder(jobs.settings.work) as folder:
        file = folder / "report.json"
        file.write_text(json.dumps(report), "utf-8")
        rows, unread = read_report(file)
    if not rows or len(rows) > ROWS:
        raise Problem("bad_report")
    now = jobs.records.now()
    kept = {"rows": [{**asdict(row), "file": ""} for row in rows if row.source == "measured"]}
    if not kept["rows"]:
        raise Problem("bad_report")
    jobs.records.add(Record(REPORT, token(), READY, client, now, now + KEPT, kept))
    return {"rows": len(kept["rows"]), "unread": [one.reason for one in unread]}


def merged(jobs: Jobs) -> dict[str, Any]:
    """One row for each model, device, engine and precision."""
    from ..report import merge
    from ..report.read import Row

    found = jobs.records.listed(REPORT, READY, jobs.settings.reports)
    rows = [Row(**row) for record in found for row in record.data["rows"]]
    return {"rows": [one.as_dict() for one in merge(rows)], "reports": len(found)}
