"""Recognise what the camera sees, live, and act on it.

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

MODEL = "model.onnx"  # the model file, in the same folder as this program
CAMERA = "auto"  # "auto", a number, an address "http://...", a video file, or a folder of pictures
SIZE = "640x480"  # what the camera is asked for: smaller pictures are faster, larger ones show more
FULL_SCREEN = False  # True: the picture fills the screen
ROTATE = 0  # the picture on the screen is turned by 0, 90, 180 or 270 degrees
RULES = []  # what happens when, such as: 'when "cat" above 0.8 for 3 frames: speak("cat"), pin(24, on)'

start(__doc__)

# 1. Open the model, the rules, the screen and the camera
model = load(Path(__file__).with_name(MODEL))
with Rules(RULES, model.labels) as rules, Screen(FULL_SCREEN, ROTATE) as screen:
    with Camera(CAMERA, idle=screen.alive, size=SIZE) as camera:
        # 2. Again and again: the newest picture, and what the model says of it
        for picture in camera:
            answer = model.predict(picture)
            # 3. Act on it, and show it
            rules.check(answer)
            if not screen.show(picture, answer):
                break
