"""The API is what its own description says: requests made from that, and no answer that makes the server fail."""

from __future__ import annotations

from pathlib import Path

import pytest
from clients import SURE, served_here

from qingzhou.web.settings import Settings

pytestmark = pytest.mark.web


def test_requests_made_from_the_description(tmp_path: Path) -> None:
    """Valid ones and others: nothing makes the server fail."""
    import schemathesis
    from hypothesis import HealthCheck, given, settings

    quiet = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    with served_here(Settings(tmp_path / "data", workers=0, requests_per_client=1000)) as server:
        schema = schemathesis.openapi.from_url(f"{server}/openapi.json", headers=SURE)
        seen = []
        for operation in schema.get_all_operations():
            found = operation.ok()

            @quiet
            @given(case=found.as_strategy())
            def ask(case: schemathesis.Case) -> None:
                answer = case.call(base_url=server, headers=SURE)
                seen.append(answer.status_code)
                assert answer.status_code < 500, (case.method, case.path, answer.text[:300])

            ask()
    assert len(seen) > 100 and len(set(seen)) > 3
