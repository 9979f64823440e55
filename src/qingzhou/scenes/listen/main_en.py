"""Recognise sounds: the microphone's last second becomes a picture (a spectrogram), which the model classifies.

Train it with pictures made the same way:  python -m qingzhou_runtime.listen sounds pictures

Usage:  python main.py             Ctrl+C ends it
        python main.py sound.wav   a recording instead of the microphone
        python main.py --sim       the file sim/sound.wav, or three tones; actions printed
"""

import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.draw import caption
    from qingzhou_runtime.listen import Microphone, centred, loudness, spectrogram
    from qingzhou_runtime.rules import Rules
    from qingzhou_runtime.start import start
except ImportError as err:
    sys.exit("Copy the whole folder qingzhou_runtime beside this program, or install Qingzhou (%s)" % err)

MODEL = "model.onnx"  # the model file, in the same folder as this program
SOUND = "auto"  # "auto" is the microphone; or a .wav file
SECONDS = 1.0  # so much sound becomes one picture, as in training
QUIET = 0.01  # what is not louder than this, from 0 to 1, is left out
RULES = []  # what happens when, such as: 'when "light on" above 0.8: pin(24, on), speak("Yes!")'

words = start(__doc__)

# 1. Open the model, the rules and the microphone
model = load(Path(__file__).with_name(MODEL))
with Rules(RULES, model.labels) as rules, Microphone(words[0] if words else SOUND, SECONDS) as microphone:
    # 2. Four times a second: the newest second of sound
    for sound in microphone:
        if loudness(sound) <= QUIET:
            rules.check(None)  # nothing was heard, so rules may act again later
            continue
        if not centred(sound):
            continue  # a word at the edge may be cut off; soon it is in the middle
        # 3. Make a picture of it, and recognise that
        answer = model.predict(spectrogram(sound))
        print(caption(answer))
        rules.check(answer)
