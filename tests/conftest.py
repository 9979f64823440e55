"""For all tests: what holds for the whole process is as before after each; how near the oracle was is said last."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections.abc import Iterator

import pytest

from qingzhou.errors import use_language

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # some tests import onnxruntime before we do
# ncnn's threads wait for each other by counting as fast as they can: with more processes than cores, most of the time
# goes there (LeNet in INT8: 30 s of CPU with it, 4 s without). libgomp reads it when it is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# onnxruntime's threads wait in the same way, and can only be told so where a session is opened: each has one, but in
# .ci/run's slow tests, which set it to "".
os.environ.setdefault("QINGZHOU_THREADS", "1")
# Where containers forbid __pycache__, each worker would rewrite every assert again, and each of the thousand programs
# that tests start would compile all of ours. It is read before the workers are started.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_collection_finish() -> None:
    """Ten thousand tests stay to the end: the collector of garbage need not look through them again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """No test may depend on the one before. --lang and use_language() count for the whole process, and so does the
    folder for temporary files, which a server makes one of its own."""
    folder = tempfile.tempdir
    yield
    use_language(None)
    tempfile.tempdir = folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The largest of the differences that tests recorded as the property "oracle"."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])]
    found = [(value, report.nodeid) for report in reports for name, value in report.user_properties if name == "oracle"]
    if found:
        worst, where = max(found)
        name = where.split("::")[-1]
        terminalreporter.write_line(f"oracle: largest difference {worst:.2g} over {len(found)} networks ({name})")
