"""Predict every row of a table.

Usage:  python THIS_FILE.py data.csv
Without a file, the sample inside the model is used. Leave out the column with the answers.
"""

import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.start import line, start
except ImportError as err:
    sys.exit("Copy the whole folder qingzhou_runtime beside this program, or install Qingzhou (%s)" % err)

MODEL = "model.onnx"  # the model file, in the same folder as this program

words = start(__doc__)

# 1. Open the model
model = load(Path(__file__).with_name(MODEL), kind="table")

# 2. Get the data: a table file, or one row of numbers
data = words[0] if words else [model.sample_input()]

# 3. Predict row by row; show the likeliest class, and how sure the model is
for number, result in enumerate(model.predict(data), start=1):
    print("Row %d: %s  confidence: %.1f%%" % (number, line(result.label), result.confidence * 100))
