"""Compute the numbers that a model gives.

Usage:  python THIS_FILE.py data_file
Without a file, the sample inside the model is used. Leave out the answers.
"""

import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.start import start
except ImportError as err:
    sys.exit("Copy the whole folder qingzhou_runtime beside this program, or install Qingzhou (%s)" % err)

MODEL = "model.onnx"  # the model file, in the same folder as this program

words = start(__doc__)

# 1. Open the model
model = load(Path(__file__).with_name(MODEL), kind="values")

# 2. Get the data: a file, or one sample
data = words[0] if words else [model.sample_input()]

# 3. Compute, and show the results
for number, result in model.each(data):
    print("Result:", result.scores)
    if result.hint:
        print("Note:", result.hint)
