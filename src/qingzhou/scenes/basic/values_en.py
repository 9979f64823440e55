"""Compute the numbers that a model gives.

Usage:  python THIS_FILE.py data_file
Without a file, the sample inside the model is used. Leave out the answers.
"""

import sys
from pathlib import Path

from qingzhou_runtime import load

MODEL = "model.onnx"  # the model file, in the same folder as this program

# 1. Open the model
model = load(Path(__file__).with_name(MODEL))

# 2. Get the data: a file, or one sample
data = sys.argv[1] if len(sys.argv) > 1 else [model.sample_input()]

# 3. Compute, and show the results
results = model.predict(data)
for result in results if isinstance(results, list) else [results]:
    print("Result:", result.scores)
