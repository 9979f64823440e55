"""A small bundle of the real shape, whose programs need nothing."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

FILES = {
    "main.py": 'import os, sys\nprint("main runs", os.path.basename(os.getcwd()))\n',
    "selftest.py": 'print("self-test passed")\n',
    "bench.py": """
import json
row = {"model": "cats", "network": "MobileNetV2", "device": "pi5", "engine": "onnxruntime", "precision": "int8",
       "size_bytes": 2400000, "accuracy": None, "latency_ms_p50": 9.5, "latency_ms_p95": 11.0, "fps": 105.0,
       "load_s": 0.2, "memory_mb": 61.0, "temperature_c": 51.0, "throttled": False, "how": "100 runs", "date": None,
       "note": None}
json.dump({"format": "qingzhou.report", "version": 1, "source": "measured", "rows": [row]}, open("report.json", "w"))
""",
    "install.sh": 'echo installing\necho once >> "$HOME/installed.log"\nmkdir -p .venv && echo env > .venv/lib\n',
    "requirements.txt": "numpy==1.21.6\n",
    "labels.txt": "猫\n狗\n",
    "qingzhou_runtime/__init__.py": "",
    "model.onnx": "weights " * 40_000,
}


def write_bundle(folder: Path, **changed: str) -> Path:
    """The files above with others in place of some (main_py=… for main.py), and the bundle.json of them all."""
    texts = {
        **FILES,
        **{name.replace("__", "/").replace("_py", ".py").replace("_sh", ".sh"): text for name, text in changed.items()},
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    sums = {name: hashlib.sha256(text.encode("utf-8")).hexdigest() for name, text in texts.items()}
    facts = {"format": "qingzhou.bundle", "version": 1, "device": "pi5", "scene": "basic", "files": sums}
    (folder / "bundle.json").write_text(json.dumps(facts, indent=2), "utf-8")
    return folder
