"""For all tests: the language goes back to the default after each; how near the oracle was is said at the end."""

from __future__ import annotations

import os
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


@pytest.fixture(autouse=True)
def default_language() -> Iterator[None]:
    """--lang and use_language() count for the whole process; no test may depend on the one before."""
    yield
    use_language(None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The largest of the differences that tests recorded as the property "oracle"."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])]
    found = [(value, report.nodeid) for report in reports for name, value in report.user_properties if name == "oracle"]
    if found:
        worst, where = max(found)
        name = where.split("::")[-1]
        terminalreporter.write_line(f"oracle: largest difference {worst:.2g} over {len(found)} networks ({name})")
