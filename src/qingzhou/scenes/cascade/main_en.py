"""Two models, one after the other: the first finds things, the second looks at each of them closely.

Usage:  python main.py          q, Esc or the board's button ends it
        python main.py --sim    without camera, pins and voice: pictures from a folder, actions printed
"""

import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.camera import Camera
    from qingzhou_runtime.rules import Rules
    from qingzhou_runtime.screen import Screen
    from qingzhou_runtime.start import start
except ImportError as err:
    sys.exit("Copy the whole folder qingzhou_runtime beside this program, or install Qingzhou (%s)" % err)

MODEL = "model.onnx"  # the model that finds things, in the same folder as this program
SECOND = "second.onnx"  # the model that looks at each of them, in the same folder
FIND = ""  # only things with this label are looked at closely; "" for all
CAMERA = "auto"  # "auto", a number, an address "http://...", a video file, or a folder of pictures
SIZE = "640x480"  # what the camera is asked for: smaller pictures are faster, larger ones show more
FULL_SCREEN = False  # True: the picture fills the screen
ROTATE = 0  # the picture on the screen is turned by 0, 90, 180 or 270 degrees
RULES = []  # what happens when, with the labels of both models: 'when "cat" above 0.8: speak("cat")'

start(__doc__)

# 1. Open both models, the rules, the screen and the camera
finder = load(Path(__file__).with_name(MODEL))
judge = load(Path(__file__).with_name(SECOND))
with Rules(RULES, finder.labels + judge.labels) as rules, Screen(FULL_SCREEN, ROTATE) as screen:
    with Camera(CAMERA, idle=screen.alive, size=SIZE) as camera:
        for picture in camera:
            # 2. Find things
            things = finder.predict(picture)
            for place, thing in enumerate(things):
                if FIND in ("", thing.label):
                    # 3. Cut each out of the picture, and ask the second model what it is
                    x1, y1, x2, y2 = (int(corner) for corner in thing.box)
                    closer = judge.predict(picture[y1 : y2 + 1, x1 : x2 + 1])
                    things[place] = thing._replace(label=closer.label, confidence=closer.confidence)
            # 4. Act on it, and show it
            rules.check(things)
            if not screen.show(picture, things):
                break
