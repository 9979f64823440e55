"""Files of Keras and TensorFlow Lite beside tf2onnx: `python benchmarks/sources.py --peers PYTHON [--json FILE]`.

The rows of `python -m benchmarks --only sources`. PYTHON has TensorFlow, Keras and tf2onnx; `python
tests/environments.py tensorflow` makes and prints one.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from benchmarks.__main__ import main

    sys.argv[1:1] = ["--only", "sources"]
    main()
