"""`qingzhou remote convert` against a real server."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from clients import DIGITS, serving

from qingzhou.cli import main
from qingzhou.conversion import run_conversion

pytestmark = pytest.mark.web


def test_remote_convert(tmp_path: Path) -> None:
    file = tmp_path / "数字.pth"
    shutil.copyfile(DIGITS, file)
    with serving(tmp_path / "data", "--code", "boat 7") as (client, _):
        argv = ["remote", "convert", str(file), "--server", str(client.base_url), "-o", str(tmp_path / "out")]
        refused = CliRunner().invoke(main, [*argv, "--lang", "en"])
        assert refused.exit_code == 1 and "class code" in refused.output
        done = CliRunner().invoke(main, [*argv, "--code", "boat 7", "--lang", "zh"])
        assert done.exit_code == 0, done.output
    made = run_conversion(file, tmp_path / "local/数字.onnx").model.path
    assert (tmp_path / "out/数字.onnx").read_bytes() == made.read_bytes()


def test_nobody_there(tmp_path: Path) -> None:
    argv = ["remote", "convert", str(DIGITS), "--server", "127.0.0.1:9", "--lang", "en"]
    result = CliRunner().invoke(main, argv)
    assert result.exit_code == 1 and "No answer" in result.output and "Traceback" not in result.output
