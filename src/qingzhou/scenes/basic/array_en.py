"""Classify arrays, such as a gesture or a recording of sensors.

Usage:  python THIS_FILE.py data.npz        (saved with numpy.savez("data.npz", data=array))
Without a file, the sample inside the model is used.
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
model = load(Path(__file__).with_name(MODEL), kind="array")

# 2. Get the data: an npz file, or one sample
data = words[0] if words else [model.sample_input()]

# 3. Classify one by one; show the likeliest class, and how sure the model is
for number, result in enumerate(model.predict(data), start=1):
    print("Sample %d: %s  confidence: %.1f%%" % (number, line(result.label), result.confidence * 100))
