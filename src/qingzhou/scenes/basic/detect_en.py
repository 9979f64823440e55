"""Find the things in a picture, or in all pictures of a folder, and draw a box around each.

Usage:  python THIS_FILE.py photo.jpg
Without a photo, the sample picture inside the model is used.
"""

import sys
from pathlib import Path

from qingzhou_runtime import load
from qingzhou_runtime.draw import draw
from qingzhou_runtime.read import pictures_of

MODEL = "model.onnx"  # the model file, in the same folder as this program
PROGRAM = Path(__file__)  # pictures with boxes are saved beside it

# 1. Open the model. It knows its labels, and how pictures must be prepared
model = load(Path(__file__).with_name(MODEL))

# 2. Choose the pictures
pictures = pictures_of(sys.argv[1]) if len(sys.argv) > 1 else [model.sample_input()]

for number, picture in enumerate(pictures):
    # 3. Find things. For sure ones only, add a threshold: model.predict(picture, threshold=0.8)
    things = model.predict(picture)

    # 4. Show each: what it is, how sure the model is, and the corners of its box
    print("Found %d" % len(things))
    for thing in things:
        print("  %s  confidence: %.1f%%" % (thing.label, thing.confidence * 100))
        print("    box: (%.0f, %.0f) to (%.0f, %.0f)" % thing.box)

    # 5. Draw the boxes on the picture, and save it
    result = PROGRAM.with_name("%s_result%s.png" % (PROGRAM.stem, number or ""))
    draw(picture, things).save(str(result))
    print("The picture is saved as %s" % result.name)
