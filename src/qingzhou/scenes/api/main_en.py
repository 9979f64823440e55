"""Answer pictures that others send: so a weaker board can ask this one (it runs the scene "ask").

Usage:  python main.py          Ctrl+C ends it
        python main.py --sim    asks itself for the pictures of a folder, and ends
From a terminal:  curl --data-binary @photo.jpg http://(this machine's address):8000/predict
"""

import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.rules import Rules
    from qingzhou_runtime.start import start
    from qingzhou_runtime.stream import Api
except ImportError as err:
    sys.exit("Copy the whole folder qingzhou_runtime beside this program, or install Qingzhou (%s)" % err)

MODEL = "model.onnx"  # the model file, in the same folder as this program
PORT = 8000  # others send pictures to http://(this machine's address):8000/predict
RULES = []  # what happens here when, such as: 'when "cat" above 0.8: speak("somebody sent a cat")'

start(__doc__)

# 1. Open the model and the rules
model = load(Path(__file__).with_name(MODEL))
with Rules(RULES, model.labels) as rules:
    # 2. Wait for pictures. Whoever sends one has its answer already; here you can act on it
    for picture, answer in Api(model, PORT):
        rules.check(answer)
