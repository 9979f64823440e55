"""Ask a model that takes several inputs at once, each by its name.

Usage:  python THIS_FILE.py
It uses the sample inside the model; put your own data in its place below.
"""

import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.start import line, start
except ImportError as err:
    sys.exit("Copy the whole folder qingzhou_runtime beside this program, or install Qingzhou (%s)" % err)

MODEL = "model.onnx"  # the model file, in the same folder as this program

start(__doc__)

# 1. Open the model
model = load(Path(__file__).with_name(MODEL))

# 2. Get the data: a picture, row or array for each name
data = model.sample_input()
for name in data:
    print("Input:", line(name))

# 3. Ask, and show the result
found = model.predict(data)
for result in found if isinstance(found, list) else [found]:
    print("Result:", line(result.label), result.scores)
