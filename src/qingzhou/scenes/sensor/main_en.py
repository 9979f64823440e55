"""Numbers from sensors go into the model as one row, again and again; rules act on the answer.

A micro:bit or Arduino sends lines such as  temperature:25  by its USB cable, or a board sends them by MQTT.

Usage:  python main.py          Ctrl+C ends it
        python main.py --sim    the lines of sim/serial.txt and sim/mqtt.txt, or the model's own sample
"""

import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.draw import caption
    from qingzhou_runtime.rules import Rules
    from qingzhou_runtime.sensors import rows
    from qingzhou_runtime.start import start
except ImportError as err:
    sys.exit("Copy the whole folder qingzhou_runtime beside this program, or install Qingzhou (%s)" % err)

MODEL = "model.onnx"  # the model file, in the same folder as this program
SENSORS = []  # a sensor for each column, in their order: ['serial("temperature")', 'mqtt("siot/light")']
SECONDS = 1.0  # the pause between two looks
RULES = []  # what happens when, such as: 'when "too dry" above 0.8: pin(24, on), speak("water please")'

start(__doc__)

# 1. Open the model and the rules
model = load(Path(__file__).with_name(MODEL))
with Rules(RULES, model.labels) as rules:
    # 2. Whenever there is a number from every sensor: ask the model
    for row in rows(SENSORS, SECONDS, model.sample_input):
        answer = model.predict(row)
        # 3. Show it, and act on it
        print(row, "->", caption(answer))
        rules.check(answer)
