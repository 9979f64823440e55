"""Find the things in a picture, or in all pictures of a folder, and draw a box around each.

Usage:  python THIS_FILE.py photo.jpg      or several, or a folder
Without a photo, the sample picture inside the model is used.
"""

import math
import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.draw import draw, keep
    from qingzhou_runtime.read import pictures_of
    from qingzhou_runtime.start import line, start
except ImportError as err:
    sys.exit("Copy the whole folder qingzhou_runtime beside this program, or install Qingzhou (%s)" % err)

MODEL = "model.onnx"  # the model file, in the same folder as this program
PROGRAM = Path(__file__)  # pictures with boxes are saved beside it

words = start(__doc__)

# 1. Open the model. It knows its labels, and how pictures must be prepared
model = load(Path(__file__).with_name(MODEL), kind="detect")

# 2. Choose the pictures
pictures = pictures_of(*words) or [model.sample_input()]

# 3. Find things. For sure ones only: model.each(pictures, threshold=0.8)
for number, (picture, things) in enumerate(model.each(pictures)):
    # 4. Show each: what it is, how sure the model is, and the corners of its box
    if len(pictures) > 1:
        print(line(picture))
    print("Found %d" % len(things))
    if things.hint:
        print("Note: %s" % things.hint)
    for thing in things:
        print("  %s  confidence: %.1f%%" % (line(thing.label), thing.confidence * 100))
        print("    box: (%.0f, %.0f) to (%.0f, %.0f)" % thing.box)
        if thing.rotated:  # of models that know how things lie
            print("    turned by %.0f degrees" % math.degrees(thing.rotated[4]))
        if thing.keypoints:  # of models that know a body's joints
            print("    keypoints: %s" % "  ".join("(%.0f, %.0f)" % point[:2] for point in thing.keypoints))

    # 5. Draw the boxes on the picture, and save it
    result = keep(draw(picture, things), PROGRAM.with_name("%s_result%s.png" % (PROGRAM.stem, number or "")))
    print("The picture is saved as %s" % line(result.name))
