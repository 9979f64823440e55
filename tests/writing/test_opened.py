"""Seen from outside: a verb opens no file for writing but in a working folder, from where it moves to its place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from writing_verbs import VERBS, words

WATCH = """import os, re, sys, tempfile
usual = os.devnull, tempfile.gettempdir()  # the second opened itself, for a file without a name
def watch(event, args):
    if event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        path = os.fsdecode(args[0]) if isinstance(args[0], (str, bytes)) else ""
        if path and path not in usual and not re.search("[.][a-z0-9_]{8}[.]qingzhou/", path.replace(os.sep, "/")):
            print("opened:", path, file=sys.stderr)
sys.dont_write_bytecode = True
sys.addaudithook(watch)
from qingzhou.cli import main
main()"""
MORE = {
    "demo": "demo -o =",
    "save": "run ready.onnx photo.png --save =",
    "folder": "bundle best.pth --device pc -o =/b",
    "page": "bundle best.pth --device browser -o =/b",
    "ncnn": "export ready.onnx --engine ncnn -o =",
    "litert": "export ready.onnx --engine litert -o =",
    "bench": "bench ready.onnx --engines onnxruntime --json =/a.json --html =/a.html",
}


@pytest.mark.parametrize("verb", [*VERBS, *MORE])
def test_only_in_working_folders(verb: str, desk: Path) -> None:
    order = MORE[verb].replace("=", "out").split() if verb in MORE else words(verb, f"out/a.{VERBS[verb][1]}")
    done = subprocess.run([sys.executable, "-c", WATCH, *order], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1) and "Traceback" not in done.stderr and list(Path("out").iterdir()), done.stderr
    assert "opened:" not in done.stderr, done.stderr
