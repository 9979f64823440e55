"""The page's own resizing, without a browser, is the runtime's, pixel by pixel."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from qingzhou.bundle.browser import PAGE
from qingzhou.runtime.model.prepare import resize

NODE = shutil.which("node")
ASK = """
import { readFileSync, writeFileSync } from "node:fs";
import { resize } from "./resize.js";
const [height, width, high, wide, how] = JSON.parse(process.argv[2]);
const picture = { data: new Uint8Array(readFileSync("pixels")), height, width, channels: 3 };
writeFileSync("resized", resize(picture, high, wide, how).data);
"""


@pytest.mark.skipif(NODE is None, reason="needs node")
@pytest.mark.parametrize("how", ["pillow", "bicubic", "cv2"])
@pytest.mark.parametrize("size", [(17, 29), (64, 40), (150, 131)])
def test_every_pixel_is_the_same(how: str, size: tuple[int, int], tmp_path: Path) -> None:
    """Made smaller, along one axis only, and larger; of edges, where bicubic overshoots."""
    edges = np.random.Generator(np.random.PCG64(6)).integers(0, 2, (8, 9, 3)) * 255
    picture = np.kron(edges, np.ones((8, 9, 1))).astype(np.uint8)
    shutil.copy(PAGE / "resize.js", tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "ask.js").write_text(ASK)
    (tmp_path / "pixels").write_bytes(picture.tobytes())
    subprocess.run([str(NODE), "ask.js", json.dumps([*picture.shape[:2], *size, how])], cwd=tmp_path, check=True)
    found = np.frombuffer((tmp_path / "resized").read_bytes(), np.uint8).reshape(*size, 3)
    np.testing.assert_array_equal(found, resize(picture, *size, how))
