"""Recognise a picture, or all pictures of a folder.

Usage:  python THIS_FILE.py photo.jpg      or several, or a folder
Without a photo, the sample picture inside the model is used.
"""

import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.read import pictures_of
    from qingzhou_runtime.start import line, start
except ImportError as err:
    sys.exit("Copy the whole folder qingzhou_runtime beside this program, or install Qingzhou (%s)" % err)

MODEL = "model.onnx"  # the model file, in the same folder as this program

words = start(__doc__)

# 1. Open the model. It knows its labels, and how pictures must be prepared
model = load(Path(__file__).with_name(MODEL), kind="image")

# 2. Choose the pictures
pictures = pictures_of(*words) or [model.sample_input()]

# 3. Recognise one by one; one that cannot be read is left out
for picture, result in model.each(pictures):
    # 4. Show the likeliest label, and how sure the model is
    if len(pictures) > 1:
        print(line(picture))
    print("Result: %s  confidence: %.1f%%" % (line(result.label), result.confidence * 100))
    if result.hint:
        print("Note: %s" % result.hint)
    for index in result.scores.argsort()[::-1][:5]:
        print("  %-12s %.4f" % (line(model.labels[index]), result.scores[index]))
