"""Files of PyTorch's world beside torch and Ultralytics: `python benchmarks/pytorch.py --peers PYTHON [--json FILE]`.

The rows of `python -m benchmarks --only pytorch`. PYTHON has the other tools; `python tests/environments.py
ultralytics` makes and prints one that lacks only `pip install onnx onnxslim onnxscript`.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from benchmarks.__main__ import main

    sys.argv[1:1] = ["--only", "pytorch"]
    main()
