"""paddle2onnx's own command, as people run it: `paddle_convert.py NET.json NET.pdiparams OUT.onnx`."""

from __future__ import annotations

import sys
from pathlib import Path

from paddle2onnx.command import main

if __name__ == "__main__":
    program, numbers, out = map(Path, sys.argv[1:4])
    names = ["--model_filename", program.name, "--params_filename", numbers.name]
    sys.argv[1:] = ["--model_dir", str(program.parent), *names, "--save_file", str(out)]
    main()
