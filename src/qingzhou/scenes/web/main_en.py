"""Show what the camera sees, and what the model says of it, as a page for every phone in the network.

Usage:  python main.py          Ctrl+C ends it
        python main.py --sim    without camera, pins and voice: pictures from a folder, actions printed
"""

import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.camera import Camera
    from qingzhou_runtime.rules import Rules
    from qingzhou_runtime.start import start
    from qingzhou_runtime.stream import Page
except ImportError as err:
    sys.exit("Copy the whole folder qingzhou_runtime beside this program, or install Qingzhou (%s)" % err)

MODEL = "model.onnx"  # the model file, in the same folder as this program
CAMERA = "auto"  # "auto", a number, an address "http://...", a video file, or a folder of pictures
SIZE = "640x480"  # what the camera is asked for: smaller pictures are faster, larger ones show more
PORT = 8080  # the page is at http://(the board's address):8080
RULES = []  # what happens when, such as: 'when "cat" above 0.8 for 3 frames: speak("cat"), pin(24, on)'

start(__doc__)

# 1. Open the model, the rules, the page and the camera. The page's address is printed
model = load(Path(__file__).with_name(MODEL))
with Rules(RULES, model.labels) as rules, Page(PORT) as page, Camera(CAMERA, size=SIZE) as camera:
    # 2. Again and again: the newest picture, what the model says of it, and the page
    for picture in camera:
        answer = model.predict(picture)
        rules.check(answer)
        page.show(picture, answer)
