"""Numbers for Prometheus: counted in the records, so that those of all workers are there."""

from __future__ import annotations

from .jobs import BUCKETS, JOB, QUEUED, READY, RUNNING, UPLOAD, Jobs

KINDS = {"jobs_total": "counter", "failures_total": "counter", "job_seconds": "histogram"}


def metrics(jobs: Jobs) -> str:
    """The text format, version 0.0.4."""
    records = jobs.records
    now = {
        "queue_length": records.count(JOB, QUEUED),
        "jobs_running": records.count(JOB, RUNNING),
        "uploads": records.count(UPLOAD, READY),
    }
    counted = records.counters()
    buckets = {f'job_seconds_bucket{{le="{edge}"}}': 0.0 for edge in BUCKETS}
    total = counted.get("job_seconds_count", 0.0)
    counted = {**buckets, **counted, 'job_seconds_bucket{le="+Inf"}': total}
    lines = []
    for name, value in now.items():
        lines += [f"# TYPE qingzhou_{name} gauge", f"qingzhou_{name} {value}"]
    for family, kind in KINDS.items():
        lines.append(f"# TYPE qingzhou_{family} {kind}")
        lines += [f"qingzhou_{name} {value:g}" for name, value in counted.items() if name.startswith(family)]
    return "\n".join(lines) + "\n"
