"""Look through a video, picture by picture, and keep what the model saw in a table.

Usage:  python main.py film.mp4
        python main.py --sim    without a video: pictures from a folder
"""

import csv
import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.camera import Camera
    from qingzhou_runtime.draw import caption
    from qingzhou_runtime.rules import Rules
    from qingzhou_runtime.screen import Screen
    from qingzhou_runtime.start import start
    from qingzhou_runtime.text import cell
except ImportError as err:
    sys.exit("Copy the whole folder qingzhou_runtime beside this program, or install Qingzhou (%s)" % err)

MODEL = "model.onnx"  # the model file, in the same folder as this program
VIDEO = "auto"  # the video file; "auto" is the camera
RESULT = "result.csv"  # the table that is written, in the same folder
ROTATE = 0  # the picture on the screen is turned by 0, 90, 180 or 270 degrees
RULES = []  # what happens when, such as: 'when "cat" above 0.8 for 3 frames: print(label)'

words = start(__doc__)

# 1. Open the model and the video; `every` leaves no picture out
model = load(Path(__file__).with_name(MODEL))
video = Camera(words[0] if words else VIDEO, every=True)
table = open(str(Path(__file__).with_name(RESULT)), "w", newline="", encoding="utf-8-sig")

with video, table, Rules(RULES, model.labels) as rules, Screen(rotate=ROTATE) as screen:
    rows = csv.writer(table)
    rows.writerow(["picture", "label", "confidence"])
    # 2. Picture by picture
    for number, picture in enumerate(video, start=1):
        answer = model.predict(picture)
        rules.check(answer)
        # 3. A row for each thing that a detector found, or for the classifier's answer
        for one in answer if isinstance(answer, list) else answer.named or [answer]:
            rows.writerow([number, cell(one.label or caption(one)), "%.3f" % one.confidence])
        if not screen.show(picture, answer):
            break
print("The table is saved as %s" % RESULT)
