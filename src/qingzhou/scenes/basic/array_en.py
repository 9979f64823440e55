"""Classify arrays, such as a gesture or a recording of sensors.

Usage:  python THIS_FILE.py data.npz        (saved with numpy.savez("data.npz", data=array))
Without a file, the sample inside the model is used.
"""

import sys
from pathlib import Path

from qingzhou_runtime import load

MODEL = "model.onnx"  # the model file, in the same folder as this program

# 1. Open the model
model = load(Path(__file__).with_name(MODEL))

# 2. Get the data: an npz file, or one sample
data = sys.argv[1] if len(sys.argv) > 1 else [model.sample_input()]

# 3. Classify one by one; show the likeliest class, and how sure the model is
for number, result in enumerate(model.predict(data), start=1):
    print("Sample %d: %s  confidence: %.1f%%" % (number, result.label, result.confidence * 100))
