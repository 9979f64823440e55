"""Continue a text.

Usage:  python THIS_FILE.py beginning
Without a beginning, the first word of the vocabulary is used.
"""

import sys
from pathlib import Path

try:
    from qingzhou_runtime import load
    from qingzhou_runtime.start import line, lines, start
except ImportError as err:
    sys.exit("Copy the whole folder qingzhou_runtime beside this program, or install Qingzhou (%s)" % err)

MODEL = "model.onnx"  # the model file, in the same folder as this program
LENGTH = 20  # how many words to write

words = start(__doc__)

# 1. Open the model. The words it knows are in its vocabulary
model = load(Path(__file__).with_name(MODEL), kind="text")
vocabulary = list(model.card.vocabulary)

# 2. The beginning
beginning = " ".join(words) or vocabulary[0]

# 3. Predict the next word, append it, predict the next
print("The model knows %d words: %s ..." % (len(vocabulary), line(" ".join(vocabulary[:20]))))
print("Always the likeliest word:", lines(model.generate(beginning, LENGTH)))
print("Words drawn by probability:", lines(model.generate(beginning, LENGTH, seed=1)))
